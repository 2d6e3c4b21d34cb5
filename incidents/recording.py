"""The record a handler makes: notes, details, corrections, location, grade, urgency, closing.

Nothing is overwritten: each change is an entry of its own. Raising takes effect at
once; lowering an urgency or a grade waits for a second person.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, update

from incidents.claiming import LONGEST_REASON, mine, not_anothers
from incidents.fold import Entry, fold
from incidents.identity import uuid7
from incidents.recorded import unseal
from incidents.store import as_sealed, select_events
from incidents.tables import handovers, proposals, timeline
from incidents.transactions import reading, writing
from incidents.working import Actor, Conflict, Done, Unfit, Work, Working, since, text_of

URGENCIES: Final = (1, 2, 3, 4)
HANDOVERS_SHOWN: Final = 20


class Recording(Working):
    """What is written about a call and decided on it."""

    def note(
        self, reference: str, text: str, *, by: Actor, now: datetime, request: str | None = None
    ) -> Done:
        """Write a note on the timeline."""

        def act(work: Work) -> None:
            work.write("note_added", text=text_of("text", text, "the note"))
            work.log("wrote a note", operation="collection")

        return self._do(reference, by, now, request, ["note", text], act)

    def detail(
        self,
        reference: str,
        field: str,
        text: str,
        *,
        by: Actor,
        now: datetime,
        request: str | None = None,
    ) -> Done:
        """Write one field of the record, such as who is there or what was heard, word for word."""

        def act(work: Work) -> None:
            known = [name for name, _ in work.rules.grades.details]
            if field not in known:
                raise Unfit("field", f"field must be one of: {', '.join(known)}.")
            work.write("detail_set", field=field, text=text_of("text", text, "something"))
            work.log("wrote a detail", operation="collection")

        return self._do(reference, by, now, request, ["detail", field, text], act)

    def correct(
        self,
        reference: str,
        entry: str,
        text: str,
        *,
        by: Actor,
        now: datetime,
        request: str | None = None,
    ) -> Done:
        """Correct an entry: the correction stands beside it, and both can be read."""

        def act(work: Work) -> None:
            words = text_of("text", text, "the correction")
            if entry not in _entries(work):
                raise Unfit("entry", "There is no such entry on this timeline.")
            work.write("corrected", entry=entry, text=words)
            work.log("corrected an entry")

        return self._do(reference, by, now, request, ["correct", entry, text], act)

    def location(
        self,
        reference: str,
        facts: Mapping[str, Any],
        *,
        by: Actor,
        now: datetime,
        request: str | None = None,
    ) -> Done:
        """Add where the caller may be, as the source gave it; the edge has checked ``facts``."""

        def act(work: Work) -> None:
            if not facts:
                raise Unfit("location", "Give at least one field of a location.")
            work.write("location_added", **dict(facts))
            work.log("added a location", operation="collection")

        return self._do(reference, by, now, request, ["location", dict(facts)], act)

    def grade(
        self,
        reference: str,
        grade: str,
        reason: str = "",
        *,
        by: Actor,
        now: datetime,
        request: str | None = None,
    ) -> Done:
        """Grade the response. A lower grade than the present one waits for a second person."""

        def act(work: Work) -> None:
            grades = work.rules.grades
            if grades.grade(grade) is None:
                known = ", ".join(one.id for one in grades.grades)
                raise Unfit("grade", f"grade must be one of: {known}.")
            not_anothers(work)
            why = _reason(reason)
            if grades.lowers(work.incident.grade, grade):
                if not why:
                    raise Unfit("reason", "Say why the grade is lowered; a second person decides.")
                _propose(work, "grade", grade, why)
                return
            _set_grade(work, grade, why)

        return self._do(reference, by, now, request, ["grade", grade, reason], act)

    def urgency(
        self,
        reference: str,
        urgency: int,
        reason: str = "",
        *,
        by: Actor,
        now: datetime,
        request: str | None = None,
    ) -> Done:
        """Set the urgency. Raising takes effect at once; lowering waits for a second person."""

        def act(work: Work) -> None:
            if urgency not in URGENCIES:
                raise Unfit("urgency", "urgency must be 1 (now), 2, 3 or 4 (review).")
            not_anothers(work)
            why = _reason(reason)
            if urgency > work.incident.urgency:
                if not why:
                    raise Unfit(
                        "reason", "Say why the urgency is lowered; a second person decides."
                    )
                _propose(work, "urgency", str(urgency), why)
                return
            _set_urgency(work, urgency, why)

        return self._do(reference, by, now, request, ["urgency", urgency, reason], act)

    def approve(
        self, reference: str, entry: str, *, by: Actor, now: datetime, request: str | None = None
    ) -> Done:
        """Approve, as the second person, what somebody else proposed in ``entry``.

        Raises ``Conflict`` for one's own proposal, one decided already, and one that a later key
        press or a hang-up has overtaken.
        """

        def act(work: Work) -> None:
            row = work.connection.execute(
                select(proposals).where(
                    proposals.c.id == entry, proposals.c.call_key == work.incident.call_key
                )
            ).first()
            if row is None:
                raise Unfit("entry", "There is no proposal with this entry on this incident.")
            if row.decided_at is not None:
                raise Conflict(f"{row.decided_by} approved this {since(row.decided_at, work.at)}.")
            if row.by == work.by.name:
                raise Conflict("You proposed this yourself: a second person must approve it.")
            happened = [work.incident.alerted_at, work.incident.ended_at]
            if any(at is not None and at > row.at for at in happened):
                raise Conflict(
                    "The caller has pressed a key, was heard or hung up since this was proposed: "
                    "look again, and propose it anew if it still holds."
                )
            work.connection.execute(
                update(proposals)
                .where(proposals.c.id == entry)
                .values(decided_at=work.at, decided_by=work.by.name)
            )
            if row.what == "grade":
                _set_grade(work, row.value, "", proposed_by=row.by)
            else:
                _set_urgency(work, int(row.value), "", proposed_by=row.by)
            work.write("approved", entry=entry)
            work.log("approved as the second person")

        return self._do(reference, by, now, request, ["approve", entry], act)

    def close(
        self,
        reference: str,
        outcome: str,
        reason: str = "",
        *,
        by: Actor,
        now: datetime,
        request: str | None = None,
    ) -> Done:
        """Close one's own incident. With the line still open, say why: a caller is on it."""

        def act(work: Work) -> None:
            outcomes = work.rules.grades
            if outcomes.outcome(outcome) is None:
                known = ", ".join(one.id for one in outcomes.outcomes)
                raise Unfit("outcome", f"outcome must be one of: {known}.")
            if work.incident.state == "closed" and work.incident.handler == work.by.name:
                raise Conflict(f"You closed this {since(work.incident.closed_at, work.at)}.")
            mine(work)
            why = _reason(reason)
            if work.incident.connection == "open" and not why:
                raise Unfit(
                    "reason",
                    "The line is still open: let the caller go or connect them first, or say why "
                    "you close it now. A key pressed later alerts again.",
                )
            work.change(closed_at=work.at, outcome=outcome, away_at=None, rung=None)
            work.write("closed", outcome=outcome, reason=why)
            work.log("closed", why)

        return self._do(reference, by, now, request, ["close", outcome, reason], act)

    def proposed(self, reference: str) -> list[str]:
        """Return the entries that wait for a second person. Raises ``NoSuchIncident``."""
        with reading(self._store.engine) as connection:
            call = self._store.find(connection, reference).call_key
            return list(
                connection.scalars(
                    select(proposals.c.id).where(
                        proposals.c.call_key == call, proposals.c.decided_at.is_(None)
                    )
                )
            )

    def handover_note(self, text: str, *, by: Actor, now: datetime) -> str:
        """Write the note with which a shift is handed over. Returns its id."""
        words = text_of("text", text, "the note")
        note = uuid7(now)
        with writing(self._store.engine) as connection:
            sealed = self._keys.seal(words.encode(), f"handovers|{note}|text")
            connection.execute(handovers.insert().values(id=note, by=by.name, text=sealed, at=now))
            self._audit.put(
                connection, by.name, "collection", "wrote a handover note", "handover", at=now
            )
        return note

    def handovers(self) -> list[Entry]:
        """Return the latest handover notes, newest first, each with ``by`` and ``text``."""
        query = select(handovers).order_by(handovers.c.at.desc()).limit(HANDOVERS_SHOWN)
        with reading(self._store.engine) as connection:
            rows = connection.execute(query).all()
        return [
            Entry(
                row.id,
                row.at,
                "handover",
                {
                    "by": row.by,
                    "text": self._keys.open(row.text, f"handovers|{row.id}|text").decode(),
                },
            )
            for row in rows
        ]


def _reason(reason: str) -> str:
    why = reason.strip()
    if len(why) > LONGEST_REASON:
        raise Unfit("reason", f"reason: at most {LONGEST_REASON} characters.")
    return why


def _propose(work: Work, what: str, value: str, reason: str) -> None:
    entry = work.write(f"{what}_proposed", **{what: value, "reason": reason})
    work.connection.execute(
        proposals.insert().values(
            id=entry,
            call_key=work.incident.call_key,
            by=work.by.name,
            what=what,
            value=value,
            at=work.at,
        )
    )
    work.pending = True
    work.log(f"proposed to lower the {what}", reason)


def _set_grade(work: Work, grade: str, reason: str, **more: str) -> None:
    known = work.rules.grades.grade(grade)
    work.change(grade=grade, graded_at=work.at)
    target = {} if known is None or known.target is None else {"target_seconds": known.target}
    work.write("grade_set", grade=grade, reason=reason, **target, **more)
    work.log("graded", reason)


def _set_urgency(work: Work, urgency: int, reason: str, **more: str) -> None:
    work.change(set_urgency=urgency, set_urgency_at=work.at)
    work.write("urgency_set", urgency=urgency, reason=reason, **more)
    work.log("set the urgency", reason)


def _entries(work: Work) -> set[str]:
    """Return the ids of every entry on the timeline, those that are folded as well."""
    call = work.incident.call_key
    written = work.connection.scalars(select(timeline.c.id).where(timeline.c.call_key == call))
    rows = work.connection.execute(select_events([call]))
    recorded = [unseal(as_sealed(row), work.keys) for row in rows]
    return {*written, *(one.id for one in fold(recorded, work.incident.reference).entries)}
