"""The store: incidents, timelines and notes, for everyone who may see them.

Reads only: handlers' work is written by the desk, events by the drain. Raises
``StoreUnavailable`` when the database does not answer. A field that cannot be read is left out
and told of (``unread``): it hides no call, and nobody else's.
"""

import base64
import binascii
import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
)

from callflow.urgency import SignalShown
from incidents.fold import Answer, Entry, Incident, fold
from incidents.handled import handled, state_of, urgency_of
from incidents.recorded import Recorded, Sealed, from_milliseconds, milliseconds, unseal
from incidents.sealed import Keys
from incidents.tables import drained, events, incidents, numbers, set_aside, timeline
from incidents.transactions import StoreUnavailable, connect, next_revision, reading
from incidents.unread import UNREADABLE, Unread

_CALL_KEY = re.compile(r"[0-9a-f]{40}\Z")
BOARD_REVIEW_HOURS = 24
"""How long an incident in review stays on the live board; after that the review list has it."""
BOARD_AT_MOST = 2000
NO_NUMBER: Final = "the caller's number on record cannot be read"
NO_ANSWERS: Final = "the caller's answers on record cannot be read"
"""Stand last among the reasons of such a call, so that nobody takes it for one without."""


class BadCursor(ValueError):
    """A cursor that was not given out by ``Store.incidents``."""


class NoSuchIncident(LookupError):
    """No incident has this reference."""


class Store:
    """The store at ``url``."""

    def __init__(self, url: str, keys: Keys) -> None:
        self.engine = connect(url)
        self.unread = Unread(keys)
        self._keys = keys

    def healthy(self) -> bool:
        """Say whether the store answers."""
        try:
            with reading(self.engine) as connection:
                connection.execute(select(drained.c.segment).limit(1))
        except StoreUnavailable:
            return False
        return True

    def incident(self, reference: str) -> Incident | None:
        """Return the incident with this reference, or None."""
        with reading(self.engine) as connection:
            row = connection.execute(
                _select().where(incidents.c.reference == reference)
            ).one_or_none()
        return None if row is None else self._incident(row)

    def incidents(
        self,
        *,
        call_sid: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        signal: str | None = None,
        state: str | None = None,
        urgency: int | None = None,
        purpose: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> tuple[list[Incident], str | None]:
        """Return one page of incidents, newest first, and the cursor of the next page or None.

        ``since`` and ``until`` bound ``started_at`` (until is exclusive). Proof calls come only
        with ``purpose="proof"``. Raises ``BadCursor``.
        """
        column = incidents.c
        wanted: list[ColumnElement[bool]] = []
        if call_sid is not None:
            wanted.append(column.call_sid == call_sid)
        if since is not None:
            wanted.append(column.started_at >= since)
        if until is not None:
            wanted.append(column.started_at < until)
        if signal is not None:
            wanted.append(column.signal == signal)
        if state is not None:
            wanted.append(state_of() == state)
        if urgency is not None:
            wanted.append(urgency_of() == urgency)
        wanted.append(column.purpose != "proof" if purpose is None else column.purpose == purpose)
        if cursor is not None:
            at, key = _read_cursor(cursor)
            wanted.append(
                or_(column.started_at < at, and_(column.started_at == at, column.call_key < key))
            )
        query = _select().where(*wanted).order_by(column.started_at.desc(), column.call_key.desc())
        with reading(self.engine) as connection:
            rows = connection.execute(query.limit(limit + 1)).all()
        page = self._readable(rows[:limit])
        return page, _write_cursor(rows[limit - 1]) if len(rows) > limit else None

    def earlier(self, incident: Incident, limit: int) -> tuple[list[Incident], int]:
        """Return the latest calls from the same number before this one, and how many there are.

        Withheld numbers never match each other; proof calls never count.
        """
        this = select(incidents.c.number_id).where(incidents.c.call_key == incident.call_key)
        wanted = (
            incidents.c.number_id == this.scalar_subquery(),
            incidents.c.call_key != incident.call_key,
            incidents.c.started_at <= incident.started_at,
            incidents.c.purpose != "proof",
        )
        latest = _select().where(*wanted).order_by(incidents.c.started_at.desc()).limit(limit)
        count = select(func.count()).select_from(incidents).where(*wanted)
        with reading(self.engine) as connection:
            rows = connection.execute(latest).all()
            many = connection.scalar(count) if len(rows) == limit else len(rows)
        return self._readable(rows), many or 0

    def calls_of(
        self,
        number_ids: Collection[str],
        call_keys: Collection[str],
        incident: Incident,
        back: timedelta,
        limit: int,
    ) -> list[Incident]:
        """Return the calls of numbers and by name, newest first, that began within ``back`` before
        ``incident`` or are it, and have its purpose.
        """
        started = incidents.c.started_at
        query = _select().where(
            or_(incidents.c.number_id.in_(number_ids), incidents.c.call_key.in_(call_keys)),
            started >= incident.started_at - back,
            started <= incident.started_at,
            incidents.c.purpose == incident.purpose,
        )
        with reading(self.engine) as connection:
            rows = connection.execute(query.order_by(started.desc()).limit(limit)).all()
        return self._readable(rows)

    def board(self, now: datetime) -> list[Incident]:
        """What a handler must see at ``now``: waiting, claimed, and the last day's review."""
        recent = now - timedelta(hours=BOARD_REVIEW_HOURS)
        with reading(self.engine) as connection:
            rows = connection.execute(
                _select()
                .where(
                    or_(incidents.c.closed_at.is_(None), state_of() == "waiting"),
                    incidents.c.purpose != "proof",
                    or_(
                        incidents.c.line_state == "waiting",
                        incidents.c.handler.is_not(None),
                        incidents.c.started_at >= recent,
                        state_of() == "waiting",
                    ),
                )
                .order_by(urgency_of(), incidents.c.started_at)
                .limit(BOARD_AT_MOST)
            ).all()
        return self._readable(rows)

    def told(self, connection: Connection, name: str, since: datetime) -> list[Incident]:
        """Return the calls from ``since`` on that a user is told of, the newest first."""
        query = _select().where(
            incidents.c.started_at >= since,
            incidents.c.contacts.is_not(None),
            incidents.c.purpose != "proof",
        )
        rows = connection.execute(query.order_by(incidents.c.started_at.desc()))
        return [one for one in self._readable(rows) if name in one.contacts]

    def changed_since(self, revision: int, limit: int = 500) -> list[tuple[int, Incident]]:
        """Return what changed after ``revision``, in the order of the changes."""
        with reading(self.engine) as connection:
            rows = connection.execute(_CHANGED, {"after": revision, "at_most": limit}).all()
        return self._with_revisions(rows)

    def unfinished(self, after: int, until: int) -> list[tuple[int, Incident]]:
        """Of what changed last after one revision and until another, return what is not over.

        That is: what waits, is claimed, or has an open line; no proof calls.
        """
        wanted = _select().where(
            incidents.c.revision > after,
            incidents.c.revision <= until,
            incidents.c.purpose != "proof",
            or_(state_of().in_(("waiting", "claimed")), incidents.c.connection == "open"),
        )
        with reading(self.engine) as connection:
            rows = connection.execute(wanted).all()
        return self._with_revisions(rows)

    def look_again(self) -> None:
        """Forget the fields that could not be read and stand otherwise by now."""
        if len(self.unread):
            with reading(self.engine) as connection:
                self.unread.look_again(connection)

    def revision(self) -> int:
        """The latest revision."""
        with reading(self.engine) as connection:
            return next_revision(connection) - 1

    def events_of(self, call_keys: Sequence[str]) -> dict[str, list[Recorded]]:
        """Return the events of each call."""
        found: dict[str, list[Recorded]] = {key: [] for key in call_keys}
        with reading(self.engine) as connection:
            for row in connection.execute(select_events(call_keys)):
                found[row.call_key] += self.opened([row])
        return found

    def drained(self) -> dict[str, int]:
        """How far each file of the journal is in the store."""
        with reading(self.engine) as connection:
            rows = connection.execute(select(drained.c.segment, drained.c.position)).all()
        return {row.segment: row.position for row in rows}

    def files_set_aside(self) -> set[str]:
        """Files of the journal that hold an event nobody could fold."""
        with reading(self.engine) as connection:
            return set(connection.scalars(select(set_aside.c.segment).distinct()))

    def count_set_aside(self) -> int:
        """How many events stand aside because nobody could fold them."""
        with reading(self.engine) as connection:
            return connection.scalar(select(func.count()).select_from(set_aside)) or 0

    def timeline(self, reference: str) -> list[Entry]:
        """Return an incident's timeline, oldest first. Raises ``NoSuchIncident``."""
        with reading(self.engine) as connection:
            call = self._call_key(connection, reference)
            recorded = self.opened(connection.execute(select_events([call])))
            written = self._written(connection, call)
        entries = [*fold(recorded, reference).entries, *written]
        return sorted(entries, key=lambda entry: entry.at)

    def written(self, reference: str) -> list[Entry]:
        """Return what people wrote on an incident's timeline, oldest first."""
        with reading(self.engine) as connection:
            return self._written(connection, self._call_key(connection, reference))

    def find(self, connection: Connection, reference: str) -> Incident:
        """Return an incident inside somebody's transaction. Raises ``NoSuchIncident``."""
        row = connection.execute(_select().where(incidents.c.reference == reference)).first()
        if row is None:
            raise NoSuchIncident(reference)
        return self._incident(row)

    def find_call(self, connection: Connection, call_key: str) -> Incident | None:
        """Return the incident of a call inside somebody's transaction, or None."""
        row = connection.execute(_select().where(incidents.c.call_key == call_key)).first()
        return None if row is None else self._incident(row)

    def find_calls(self, connection: Connection, call_keys: Sequence[str]) -> list[Incident]:
        """Return the incidents of calls inside somebody's transaction, in the order asked for."""
        rows = connection.execute(_select().where(incidents.c.call_key.in_(call_keys))).all()
        found = {one.call_key: one for one in self._readable(rows)}
        return [found[call] for call in call_keys if call in found]

    def _call_key(self, connection: Connection, reference: str) -> str:
        call = connection.scalar(
            select(incidents.c.call_key).where(incidents.c.reference == reference)
        )
        if call is None:
            raise NoSuchIncident(reference)
        return str(call)

    def _written(self, connection: Connection, call: str) -> list[Entry]:
        """Read what people wrote on a call's timeline, oldest first."""
        mine = select(timeline).where(timeline.c.call_key == call).order_by(timeline.c.at)
        entries = map(self._entry, connection.execute(mine))
        return [entry for entry in entries if entry is not None]

    def _entry(self, row: Row[Any]) -> Entry | None:
        data = self.unread.read(row.data, f"timeline|{row.id}|data", _object, None)
        return None if data is None else Entry(row.id, row.at, row.kind, data)

    def opened(self, rows: Iterable[Row[Any]]) -> list[Recorded]:
        """Open events; those that cannot be read are left out."""
        found = []
        for row in rows:
            try:
                found.append(unseal(as_sealed(row), self._keys))
            except UNREADABLE as error:
                self.unread.note(f"events|{row.key}|data", row.data, error)
        return found

    def _readable(self, rows: Iterable[Row[Any]]) -> list[Incident]:
        return [incident for _, incident in self._with_revisions(rows)]

    def _with_revisions(self, rows: Iterable[Row[Any]]) -> list[tuple[int, Incident]]:
        """Read rows, each alone: one that makes no incident at all holds up no other."""
        found = []
        for row in rows:
            try:
                found.append((row.revision, self._incident(row)))
            except UNREADABLE as error:
                self.unread.note(f"incidents|{row.call_key}|revision", row.revision, error)
        return found

    def _incident(self, row: Row[Any]) -> Incident:
        number: str | None = None
        answers: tuple[Answer, ...] | None = ()
        if row.number is not None:
            place = f"numbers|{row.number_id}|number"
            number = self.unread.read(row.number, place, bytes.decode, None)
        if row.answers:
            place = f"incidents|{row.call_key}|answers"
            answers = self.unread.read(row.answers, place, _answers, None)
        unread = [NO_NUMBER] if number is None and row.number is not None else []
        unread += [NO_ANSWERS] if answers is None else []
        folded = Incident(
            call_key=row.call_key,
            reference=row.reference,
            call_sid=row.call_sid,
            line=row.line,
            profile=row.profile,
            purpose=row.purpose,
            number=number,
            withheld=row.withheld,
            signal=cast(SignalShown, row.signal),
            keys=row.keys,
            urgency=row.urgency,
            reasons=(*row.reasons, *unread),
            state=row.line_state,
            connection=row.connection,
            started_at=row.started_at,
            signal_at=row.signal_at,
            ended_at=row.ended_at,
            answers=answers or (),
            bridged=row.bridged or "",
            last_step=row.last_step,
            alerted_at=row.alerted_at,
            chosen=row.chosen,
            proposed_grade=row.proposed_grade,
            people=tuple(row.people or ()),
            contacts=tuple(row.contacts or ()),
            called=row.called,
            language=row.language or "",
        )
        deeds = replace(
            folded,
            handler=row.handler,
            grade=row.grade,
            outcome=row.outcome,
            claimed_at=row.claimed_at,
            closed_at=row.closed_at,
            graded_at=row.graded_at,
            set_urgency=row.set_urgency,
            set_urgency_at=row.set_urgency_at,
            away_at=row.away_at,
            rung=row.rung,
        )
        return handled(folded, deeds)


def _object(plain: bytes) -> dict[str, Any]:
    told = json.loads(plain)
    if not isinstance(told, dict):
        raise ValueError("must be an object")
    return told


def _answers(plain: bytes) -> tuple[Answer, ...]:
    return tuple(Answer.read(one) for one in json.loads(plain))


def _select() -> Select[Any]:
    return select(incidents, numbers.c.number).select_from(
        incidents.outerjoin(numbers, incidents.c.number_id == numbers.c.id)
    )


_CHANGED = (
    _select()
    .where(incidents.c.revision > bindparam("after"))
    .order_by(incidents.c.revision)
    .limit(bindparam("at_most"))
)
"""Put together once: every console asks this forty times a second when alerts come."""


def select_events(call_keys: Sequence[str]) -> Select[Any]:
    """Select the events of calls."""
    return select(events).where(events.c.call_key.in_(call_keys))


def as_sealed(row: Row[Any]) -> Sealed:
    """The event in a row of ``events``."""
    return Sealed(
        row.key,
        row.call_key,
        row.call_sid,
        row.month,
        row.step,
        row.kind,
        row.at_ms,
        row.data,
    )


def _write_cursor(last: Row[Any]) -> str:
    text = f"{milliseconds(last.started_at)}.{last.call_key}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        at, _, key = text.partition(".")
        if not _CALL_KEY.match(key):
            raise BadCursor(cursor[:40])
        return from_milliseconds(int(at)), key
    except (binascii.Error, ValueError, OverflowError, OSError) as error:
        raise BadCursor(cursor[:40]) from error
