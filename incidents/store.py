"""The store: incidents, timelines and notes, for everyone who may see them.

Reads only: handlers' work is written by the desk, events by the drain. Raises
``StoreUnavailable`` when the database does not answer.
"""

import base64
import binascii
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

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

_CALL_KEY = re.compile(r"[0-9a-f]{40}\Z")
BOARD_REVIEW_HOURS = 24
"""How long an incident in review stays on the live board; after that the review list has it."""
BOARD_AT_MOST = 2000


class BadCursor(ValueError):
    """A cursor that was not given out by ``Store.incidents``."""


class NoSuchIncident(LookupError):
    """No incident has this reference."""


class Store:
    """The store at ``url``."""

    def __init__(self, url: str, keys: Keys) -> None:
        self.engine = connect(url)
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
        page = [self._incident(row) for row in rows[:limit]]
        return page, _write_cursor(page[-1]) if len(rows) > limit else None

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
        return [self._incident(row) for row in rows], many or 0

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
        return [self._incident(row) for row in rows]

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
        return [self._incident(row) for row in rows]

    def told(self, connection: Connection, name: str, since: datetime) -> list[Incident]:
        """Return the calls from ``since`` on that a user is told of, the newest first."""
        query = _select().where(
            incidents.c.started_at >= since,
            incidents.c.contacts.is_not(None),
            incidents.c.purpose != "proof",
        )
        rows = connection.execute(query.order_by(incidents.c.started_at.desc()))
        return [self._incident(row) for row in rows if name in row.contacts]

    def changed_since(self, revision: int, limit: int = 500) -> list[tuple[int, Incident]]:
        """Return what changed after ``revision``, in the order of the changes."""
        with reading(self.engine) as connection:
            rows = connection.execute(_CHANGED, {"after": revision, "at_most": limit}).all()
        return [(row.revision, self._incident(row)) for row in rows]

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
        return [(row.revision, self._incident(row)) for row in rows]

    def revision(self) -> int:
        """The latest revision."""
        with reading(self.engine) as connection:
            return next_revision(connection) - 1

    def events_of(self, call_keys: Sequence[str]) -> dict[str, list[Recorded]]:
        """Return the events of each call."""
        found: dict[str, list[Recorded]] = {key: [] for key in call_keys}
        with reading(self.engine) as connection:
            for row in connection.execute(select_events(call_keys)):
                found[row.call_key].append(unseal(as_sealed(row), self._keys))
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
            recorded = [
                unseal(as_sealed(row), self._keys)
                for row in connection.execute(select_events([call]))
            ]
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
        found = {row.call_key: self._incident(row) for row in rows}
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
        return [self._entry(row) for row in connection.execute(mine)]

    def _entry(self, row: Row[Any]) -> Entry:
        data = json.loads(self._keys.open(row.data, f"timeline|{row.id}|data"))
        return Entry(row.id, row.at, row.kind, data)

    def _incident(self, row: Row[Any]) -> Incident:
        number = None
        if row.number is not None:
            number = self._keys.open(row.number, f"numbers|{row.number_id}|number").decode()
        sealed = row.answers
        told = self._keys.open(sealed, f"incidents|{row.call_key}|answers") if sealed else b"[]"
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
            reasons=tuple(row.reasons),
            state=row.line_state,
            connection=row.connection,
            started_at=row.started_at,
            signal_at=row.signal_at,
            ended_at=row.ended_at,
            answers=tuple(Answer.read(one) for one in json.loads(told)),
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


def _write_cursor(last: Incident) -> str:
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
