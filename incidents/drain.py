"""From the journal to the store: in order, exactly once, whatever is killed.

How far each journal file was copied stands in the store, in the same transaction
as what was copied. A drain that dies anywhere therefore starts again where the
store says, and the events' unique keys make a second copy nothing at all.
"""

import contextlib
import json
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError

from callflow.profiles import Profile
from incidents.callback_events import hear
from incidents.fold import Incident, NothingToFold, fold
from incidents.identity import uuid7
from incidents.marker_kinds import MarkerKinds
from incidents.marking import as_event, matches_of_new, matches_of_persons
from incidents.recognising import coded, recognised, typed_in
from incidents.recorded import Recorded, Sealed, from_milliseconds, unseal
from incidents.repeating import repeats
from incidents.roles import Roles
from incidents.sealed import Keys
from incidents.store import Store, as_sealed, select_events
from incidents.tables import drained, events, incidents, numbers, set_aside
from incidents.tail import Tail
from incidents.transactions import StoreUnavailable, next_revision, writing
from incidents.unread import UNREADABLE

log = logging.getLogger(__name__)

TRIES = 3
"""Times one event is tried alone before it is set aside."""
KEYS_AT_ONCE = 500
"""Keys asked for in one statement."""

Found = tuple[str, int, Sealed]
_FOLDED = (
    "reference",
    "call_sid",
    "line",
    "profile",
    "purpose",
    "withheld",
    "signal",
    "keys",
    "urgency",
    "connection",
    "started_at",
    "signal_at",
    "ended_at",
    "called",
    "language",
    "bridged",
    "last_step",
    "alerted_at",
    "chosen",
    "proposed_grade",
)


class Drain:
    """Copies the journal's events into the store and keeps the fold up to date."""

    def __init__(
        self,
        store: Store,
        tail: Tail,
        keys: Keys,
        profiles: Mapping[str, Profile],
        markers: MarkerKinds,
        roles: Roles,
    ) -> None:
        self._roles = roles
        self.markers = markers
        self._store = store
        self._tail = tail
        self._keys = keys
        self._profiles = profiles
        self._insert: Any = (
            sqlite_insert if store.engine.dialect.name == "sqlite" else postgresql_insert
        )
        self._started = False
        self.aside = 0

    def run_once(self) -> int:
        """Copy what is new. Returns how many events came; raises ``StoreUnavailable``."""
        if not self._started:
            self._tail.look()
            self._tail.go_back(self._store.drained())
            self.aside = self._store.count_set_aside()
            self._started = True
        before = self._tail.positions()
        found = self._tail.read()
        if not found:
            return 0
        try:
            self._copy(found)
        except StoreUnavailable:
            self._tail.go_back(before)
            raise
        except Exception as error:
            # Whatever is wrong with one event must not keep back those behind it.
            log.error("a batch of %d failed (%s); each alone", len(found), type(error).__name__)
            try:
                self._copy_each(found)
            except StoreUnavailable:
                self._started = False
                raise
        return len(found)

    def record(self, found: Iterable[Sealed]) -> None:
        """Put events into the store that no journal holds, and fold. Each key counts once."""
        with writing(self._store.engine) as connection:
            self.put(connection, found)

    def record_each(self, found: Sequence[Sealed]) -> list[str]:
        """Do as ``record`` does. Returns the calls it could not be done for: they hold up no other.

        Raises ``StoreUnavailable``.
        """
        try:
            self.record(found)
        except StoreUnavailable:
            raise
        except Exception:
            by_call: dict[str, list[Sealed]] = {}
            for event in found:
                by_call.setdefault(event.call_key, []).append(event)
            if len(by_call) > 1:
                return [bad for one in by_call.values() for bad in self.record_each(one)]
            log.error("what was found of a call could not be recorded", exc_info=True)
            return list(by_call)
        return []

    def put(self, connection: Connection, found: Iterable[Sealed]) -> None:
        """Do as ``record`` does in a transaction that reads more before it. Only when writing."""
        self._fold(connection, self._put_events(connection, found))

    @staticmethod
    def unknown(connection: Connection, found: Sequence[Sealed]) -> list[Sealed]:
        """Return those of ``found`` whose key the store does not hold yet."""
        wanted = sorted({event.key for event in found})
        held: set[str] = set()
        for at in range(0, len(wanted), KEYS_AT_ONCE):
            some = wanted[at : at + KEYS_AT_ONCE]
            held.update(connection.scalars(select(events.c.key).where(events.c.key.in_(some))))
        return [event for event in found if event.key not in held]

    def _copy(self, found: Sequence[Found]) -> None:
        """Copy events and where they end in one transaction."""
        batch = [event for _, _, event in found]
        with writing(self._store.engine) as connection:
            self._fold(connection, self._put_events(connection, batch))
            hear(connection, self._keys, batch)
            self._put_positions(connection, found)

    def _copy_each(self, found: Sequence[Found]) -> None:
        for one in found:
            for attempt in range(1, TRIES + 1):
                try:
                    self._copy([one])
                    break
                except StoreUnavailable:
                    raise
                except Exception as error:
                    if attempt == TRIES:
                        self._set_aside(one, error)

    def _set_aside(self, one: Found, error: Exception) -> None:
        """Keep an event nobody can fold where a person can find it, and go on."""
        segment, position, event = one
        row = {
            "key": event.key,
            "segment": segment,
            "position": position,
            "data": event.data,
            "problem": type(error).__name__,
            "at": datetime.now(UTC),
        }
        with writing(self._store.engine) as connection:
            connection.execute(self._insert(set_aside).values(row).on_conflict_do_nothing())
            self._put_positions(connection, [one])
        self.aside += 1
        log.critical("event set aside: %s of file %s", position, segment)

    def _put_events(self, connection: Connection, batch: Iterable[Sealed]) -> set[str]:
        """Insert events, each key once; of two deliveries the earlier stays. Returns the calls."""
        rows: dict[str, dict[str, Any]] = {}
        for event in batch:
            known = rows.get(event.key)
            if known is None or event.at_ms < known["at_ms"]:
                rows[event.key] = _event_row(event)
        if not rows:
            return set()
        statement = self._insert(events)
        earlier = statement.excluded
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=[events.c.key],
                set_={name: earlier[name] for name in ("at_ms", "month", "data")},
                where=earlier.at_ms < events.c.at_ms,
            ),
            list(rows.values()),
        )
        return {row["call_key"] for row in rows.values()}

    def _fold(self, connection: Connection, calls: set[str]) -> None:
        """Fold the calls again, with the repeats, markers and people they turn out to have."""
        known = connection.scalars(
            select(incidents.c.call_key).where(incidents.c.call_key.in_(sorted(calls)))
        ).all()
        new = calls.difference(known)
        folded = self._write_folds(connection, calls)
        told: set[str] = set()
        for found in (
            lambda: self._repeated(connection, new, folded),
            lambda: self._marked(connection, new, folded),
            lambda: recognised(connection, self._keys, self._roles, new),
            lambda: coded(connection, self._keys, self._roles, folded),
        ):
            told |= self._put_events(connection, self.unknown(connection, _found(found)))
        if told:
            self._write_folds(connection, told, unless_unread=told - calls)

    def _repeated(
        self, connection: Connection, new: set[str], folded: Iterable[Incident]
    ) -> list[Sealed]:
        """Return that new calls, or those after them, are not the first from their number."""
        return [
            event
            for incident in folded
            if incident.call_key in new
            for event in repeats(connection, self._keys, self._profiles, incident)
        ]

    def _marked(
        self, connection: Connection, new: set[str], folded: Iterable[Incident]
    ) -> list[Sealed]:
        """Return the matches by the number of new calls, and by the code typed in any."""
        typed = [(one.key, one.month, one.at, one.person) for one in typed_in(folded)]
        matches = [*matches_of_new(connection, new), *matches_of_persons(connection, typed)]
        return [as_event(one, self.markers, self._keys) for one in matches]

    def _write_folds(
        self, connection: Connection, calls: set[str], unless_unread: Collection[str] = ()
    ) -> list[Incident]:
        """Fold calls again and write them down. ``unless_unread``: those that stay as they are when
        one of their events cannot be read; another call must not be set aside for it.
        """
        by_call: dict[str, list[Recorded]] = {}
        unread: set[str] = set()
        for row in connection.execute(select_events(sorted(calls))):
            try:
                by_call.setdefault(row.call_key, []).append(unseal(as_sealed(row), self._keys))
            except UNREADABLE as error:
                if row.call_key not in unless_unread:
                    raise
                self._store.unread.note(f"events|{row.key}|data", row.data, error)
                unread.add(row.call_key)
        folded = []
        for call, recorded in sorted(by_call.items()):
            if call in unread:
                continue
            # What says that the control room answered may come before what says who
            # called, from another file or machine: it is kept, and folded with the rest.
            with contextlib.suppress(NothingToFold):
                incident = fold(recorded, self._keys.reference(call)).incident
                folded.append((incident, min(event.month for event in recorded)))
        number_ids = self._number_ids(connection, [incident for incident, _ in folded])
        revision = next_revision(connection)
        rows = [
            {
                **{name: getattr(incident, name) for name in _FOLDED},
                "call_key": incident.call_key,
                "month": month,
                "number_id": number_ids.get(incident.number or ""),
                "reasons": list(incident.reasons),
                "answers": self._answers(incident),
                "people": list(incident.people) or None,
                "contacts": list(incident.contacts) or None,
                "line_state": incident.state,
                "revision": revision + at,
            }
            for at, (incident, month) in enumerate(folded)
        ]
        if rows:
            statement = self._insert(incidents)
            changed = {name: statement.excluded[name] for name in rows[0] if name != "call_key"}
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=[incidents.c.call_key], set_=changed
                ),
                rows,
            )
        return [incident for incident, _ in folded]

    def _answers(self, incident: Incident) -> bytes | None:
        """Seal what the caller answered: a question may hold a name."""
        if not incident.answers:
            return None
        plain = json.dumps([answer.as_json() for answer in incident.answers]).encode()
        return self._keys.seal(plain, f"incidents|{incident.call_key}|answers")

    def _number_ids(self, connection: Connection, folded: Sequence[Incident]) -> dict[str, str]:
        """Return the row of each caller's number, making those that are new."""
        wanted = {
            self._keys.look_up(f"number|{incident.number}"): incident.number
            for incident in folded
            if incident.number
        }
        known = self._known_numbers(connection, wanted)
        for look_up, number in wanted.items():
            if look_up not in known:
                row_id = uuid7(datetime.now(UTC))
                sealed = self._keys.seal(number.encode(), f"numbers|{row_id}|number")
                connection.execute(
                    numbers.insert().values(id=row_id, number=sealed, look_up=look_up)
                )
                known[look_up] = row_id
        return {number: known[look_up] for look_up, number in wanted.items()}

    @staticmethod
    def _known_numbers(connection: Connection, wanted: Iterable[str]) -> dict[str, str]:
        rows = connection.execute(
            select(numbers.c.look_up, numbers.c.id).where(numbers.c.look_up.in_(sorted(wanted)))
        ).all()
        return {row.look_up: row.id for row in rows}

    def _put_positions(self, connection: Connection, found: Sequence[Found]) -> None:
        last: dict[str, int] = {}
        for segment, position, _ in found:
            last[segment] = max(position, last.get(segment, 0))
        statement = self._insert(drained)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=[drained.c.segment],
                set_={"position": statement.excluded.position},
            ),
            [{"segment": segment, "position": position} for segment, position in last.items()],
        )


def _found(look: Callable[[], list[Sealed]]) -> list[Sealed]:
    """Return what a look at other records finds; nothing when it fails.

    A call must reach the board whatever is wrong with what is known of its number's people. The
    store's own failures are the caller's: nothing more can be written then.
    """
    try:
        return look()
    except DBAPIError:
        raise
    except Exception:
        log.critical("a look at what is known of a call failed", exc_info=True)
        return []


def _event_row(event: Sealed) -> dict[str, Any]:
    return {
        "id": uuid7(from_milliseconds(event.at_ms)),
        "key": event.key,
        "call_key": event.call_key,
        "call_sid": event.call_sid,
        "month": event.month,
        "step": event.step,
        "at_ms": event.at_ms,
        "kind": event.kind,
        "data": event.data,
    }
