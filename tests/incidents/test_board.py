"""The board in memory: the fold of the journal and the store, whichever of them is there."""

from __future__ import annotations

import gc
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.board import Board, Change
from incidents.fold import Incident
from incidents.numbers import number_row
from incidents.patience import PATIENCE
from incidents.recorded import Recorded
from incidents.segment import Segment
from incidents.store import Store
from incidents.tables import markers
from incidents.transactions import StoreUnavailable, writing
from tests.databases import sqlite_at
from tests.incidents.desks import noted
from tests.incidents.making import KEYS, NOW, Caller, Machine, after, drain_all, left, sealed


class Switched(Store):
    """A store that can be taken away and given back."""

    down = False

    def _refuse(self) -> None:
        if self.down:
            raise StoreUnavailable("switched off")

    def revision(self) -> int:
        """See ``Store``."""
        self._refuse()
        return super().revision()

    def changed_since(self, revision: int, limit: int = 500) -> list[tuple[int, Incident]]:
        """See ``Store``."""
        self._refuse()
        return super().changed_since(revision, limit)

    def events_of(self, call_keys: Sequence[str]) -> dict[str, list[Recorded]]:
        """See ``Store``."""
        self._refuse()
        return super().events_of(call_keys)

    def written(self, reference: str) -> list[object]:  # type: ignore[override]
        """See ``Store``."""
        self._refuse()
        return super().written(reference)  # type: ignore[return-value]


class Frozen(Store):
    """A store that does not answer at all until it is let go."""

    def __init__(self, url: str) -> None:
        super().__init__(url, KEYS)
        self.moving = threading.Event()
        self.moving.set()

    def changed_since(self, revision: int, limit: int = 500) -> list[tuple[int, Incident]]:
        """See ``Store``."""
        self.moving.wait()
        return super().changed_since(revision, limit)


@pytest.fixture
def switched(data: Path, sqlite_url: str) -> Iterator[Machine]:
    """A machine whose store can be switched off for readers."""
    store = Switched(sqlite_url, KEYS)
    yield Machine(data, store)
    store.engine.dispose()


def board(machine: Machine) -> Board:
    """A board as a fresh console has it."""
    return Board(machine.store, machine.folders, KEYS)


def shown(changes: Sequence[Change]) -> dict[str, Incident]:
    """The incidents by reference."""
    return {change.incident.reference: change.incident for change in changes}


def off(machine: Machine, *, down: bool = True) -> None:
    """Switch the store off, or on again."""
    assert isinstance(machine.store, Switched)
    machine.store.down = down


def test_an_alert_is_shown_from_the_journal_before_the_store_has_it(
    sqlite_machine: Machine,
) -> None:
    """design.md: the feed takes events from the journal and the store, whichever is first."""
    caller = Caller()
    live = board(sqlite_machine)
    assert live.refresh(NOW) == []
    left(sqlite_machine.folders[0], caller.arrives(), caller.presses("55"))
    changes = live.refresh(NOW)
    assert [change.incident.signal for change in changes] == ["confirmed"]
    assert live.store_ok
    assert live.journal_ok


def test_with_the_store_down_from_the_start_alerts_still_come(switched: Machine) -> None:
    """With the store down, alerts from this machine still reach its consoles."""
    off(switched)
    caller = Caller()
    left(switched.folders[0], caller.arrives(), caller.presses("5"))
    live = board(switched)
    assert shown(live.refresh(NOW))[caller.reference].keys == "5"
    assert not live.store_ok
    entries = live.timeline(caller.reference)
    assert entries is not None
    assert "keys_pressed" in [entry.kind for entry in entries]
    assert live.incident(caller.reference) == live.snapshot(NOW)[0].incident


def test_a_frozen_store_holds_up_one_look_and_no_other(data: Path, sqlite_url: str) -> None:
    """A stopped database answers neither yes nor no; this machine's alerts come all the same."""
    store = Frozen(sqlite_url)
    machine = Machine(data, store)
    live = board(machine)
    live.refresh(NOW)
    store.moving.clear()
    try:
        live.refresh(NOW)
        began = time.monotonic()
        for at in range(5):
            caller = Caller(number=f"+44770090010{at}")
            left(machine.folders[0], caller.arrives(), caller.presses("55"))
            assert shown(live.refresh(NOW))[caller.reference].signal == "confirmed"
        assert time.monotonic() - began < PATIENCE
        assert not live.store_ok
    finally:
        store.moving.set()
        store.engine.dispose()


def test_when_the_store_comes_back_open_screens_are_told_what_it_holds(switched: Machine) -> None:
    """An incident of another machine, in the store only, must reach a screen opened before."""
    other, caller = Caller(), Caller(number="+447700900456")
    switched.drained(other.arrives(), other.presses("55"))
    for path in switched.folders[0].glob("*"):
        path.unlink()
    off(switched)
    live = board(switched)
    left(switched.folders[0], caller.arrives())
    assert shown(live.refresh(NOW)).keys() == {caller.reference}
    off(switched, down=False)
    assert shown(live.refresh(NOW))[other.reference].signal == "confirmed"
    assert live.store_ok


def test_what_the_journal_has_said_is_not_taken_back_by_an_older_store(switched: Machine) -> None:
    """Rule 3: the store comes back without the 55 that the journal has, and nothing falls."""
    caller = Caller()
    switched.drained(caller.arrives())
    off(switched)
    live = board(switched)
    left(switched.folders[0], caller.presses("55"))
    assert shown(live.refresh(NOW))[caller.reference].urgency == 1
    off(switched, down=False)
    for _ in range(2):
        live.refresh(NOW)
        assert shown(live.snapshot(NOW))[caller.reference].urgency == 1


def test_two_5s_on_both_sides_of_an_outage_confirm(switched: Machine) -> None:
    """Rule 5: the first 5 is in the store, the console is new, the store is down, a 5 comes."""
    caller = Caller()
    switched.drained(caller.arrives(), caller.presses("5"))
    live = board(switched)
    live.refresh(NOW)
    off(switched)
    left(switched.folders[0], caller.presses("5", 2))
    assert shown(live.refresh(NOW))[caller.reference].signal == "confirmed"


def test_a_change_the_store_could_not_finish_telling_is_asked_for_again(switched: Machine) -> None:
    """The store fails between what changed and its events: no screen may miss the change."""
    caller = Caller()
    left(switched.folders[0], caller.arrives())
    live = board(switched)
    live.refresh(NOW)
    drain_all(switched.drain())
    live.refresh(NOW)
    noted(switched.store, caller.reference, "x", by="sam", at=NOW)
    store = switched.store
    assert isinstance(store, Switched)
    whole = store.events_of

    def fails(call_keys: Sequence[str]) -> dict[str, list[Recorded]]:
        raise StoreUnavailable("in between")

    store.events_of = fails  # type: ignore[method-assign]
    live.refresh(NOW)
    assert not live.store_ok
    store.events_of = whole  # type: ignore[method-assign]
    live.refresh(NOW)
    assert live.store_ok
    assert [e.kind for e in live.timeline(caller.reference) or []].count("note_added") == 1


def test_a_repeat_known_to_the_store_only_raises_the_journals_incident(
    sqlite_machine: Machine,
) -> None:
    """What the engine adds comes from the store, on top of the events of the journal."""
    first, second = Caller(), Caller(began=after(60))
    sqlite_machine.drained(first.arrives())
    live = board(sqlite_machine)
    left(sqlite_machine.folders[0], second.arrives())
    assert shown(live.refresh(NOW))[second.reference].urgency == 4
    drain_all(sqlite_machine.drain())
    assert shown(live.refresh(NOW))[second.reference].urgency == 3
    assert shown(live.snapshot(NOW))[second.reference].urgency == 3


def test_rules_3_and_4_hold_on_a_board_that_lost_the_store(switched: Machine) -> None:
    """What only the store knows, a marker and a repeat, is not taken back by what comes next."""
    first, again = Caller(), Caller(began=after(60))
    marked = Caller(number="+447700900456")
    with writing(switched.store.engine) as connection:
        row = number_row(connection, KEYS, "+447700900456", NOW)
        kinds = {"kind": "high_risk", "action": b"", "owner": "cara", "number_id": row}
        times = {"created_at": NOW, "expires_at": after(3600)}
        connection.execute(markers.insert().values(id="m", **kinds, **times))
    switched.drained(first.arrives())
    switched.drained(again.arrives(), marked.arrives())
    live = board(switched)
    live.refresh(NOW)
    off(switched)
    left(switched.folders[0], again.stays_silent(), marked.hangs_up())
    found = shown(live.refresh(NOW))
    assert found[again.reference].urgency == 3
    assert "second silent call in 1 minute" in found[again.reference].reasons
    one = found[marked.reference]
    assert (one.urgency, one.state, one.connection) == (1, "waiting", "dropped")
    assert one.reasons[0] == "high-risk marker"


def test_a_restarted_console_shows_the_same_board(sqlite_machine: Machine) -> None:
    """Some events stored, some not, some in both: a new board is the old one."""
    callers = [Caller(number=f"+4477009002{at:02}", began=after(at)) for at in range(6)]
    sqlite_machine.drained(*(caller.arrives() for caller in callers))
    live = board(sqlite_machine)
    live.refresh(NOW)
    left(sqlite_machine.folders[0], callers[1].presses("55"), callers[2].presses("5"))
    left(sqlite_machine.folders[1], callers[2].presses("5", 2), callers[3].hangs_up())
    live.refresh(NOW)
    fresh = board(sqlite_machine)
    fresh.refresh(NOW)
    assert shown(fresh.snapshot(NOW)) == shown(live.snapshot(NOW))


# -- the place in the feed ------------------------------------------------------------------------


def test_since_gives_what_came_after_and_each_incident_once(sqlite_machine: Machine) -> None:
    """Last-Event-ID names a place; what came after it is told as it now stands."""
    one, other = Caller(), Caller(number="+447700900456")
    live = board(sqlite_machine)
    left(sqlite_machine.folders[0], one.arrives())
    place = live.refresh(NOW)[-1].id
    assert live.since(place) == []
    left(sqlite_machine.folders[0], other.arrives(), one.presses("5"))
    live.refresh(NOW)
    left(sqlite_machine.folders[0], one.presses("5", 2))
    live.refresh(NOW)
    missed = live.since(place)
    assert missed is not None
    assert {change.incident.reference: change.incident.keys for change in missed} == {
        one.reference: "55",
        other.reference: "",
    }
    assert len(missed) == 2


@pytest.mark.parametrize(
    "place", ["", "-", "x-1", "{boot}", "{boot}-", "{boot}--1", "{boot}-99", "{boot}-²", "{long}"]
)
def test_a_place_that_cannot_be_honoured_gets_a_snapshot(
    sqlite_machine: Machine, place: str
) -> None:
    """design.md: "when it cannot be honoured the screen gets a full snapshot"."""
    live = board(sqlite_machine)
    left(sqlite_machine.folders[0], Caller().arrives())
    live.refresh(NOW)
    boot = live.place().partition("-")[0]
    assert live.since(place.format(boot=boot, long=f"{boot}-{'9' * 9000}")) is None
    assert live.since(board(sqlite_machine).place()) is None


def test_the_snapshot_has_the_most_urgent_first_and_the_oldest_of_them(
    sqlite_machine: Machine,
) -> None:
    """Sorted by urgency and age."""
    callers = [Caller(number=f"+4477009003{at:02}", began=after(at)) for at in range(4)]
    left(
        sqlite_machine.folders[0],
        *(caller.arrives() for caller in callers),
        callers[3].presses("55"),
        callers[2].presses("5"),
        callers[1].presses("7"),
    )
    live = board(sqlite_machine)
    live.refresh(NOW)
    told = [change.incident.reference for change in live.snapshot(NOW)]
    assert told == [callers[at].reference for at in (3, 1, 2, 0)]


def test_proof_calls_are_never_on_the_board(sqlite_machine: Machine) -> None:
    """From either source."""
    stored, fresh = Caller(purpose="proof"), Caller(purpose="proof")
    sqlite_machine.drained(stored.arrives())
    left(sqlite_machine.folders[0], fresh.arrives(), fresh.presses("55"))
    live = board(sqlite_machine)
    assert live.refresh(NOW) == []
    assert live.snapshot(NOW) == []


def test_what_is_over_stored_and_old_leaves_memory_and_what_waits_does_not(
    sqlite_machine: Machine,
) -> None:
    """A console runs for months; what a handler must still see stays, whatever its age."""
    seen = Caller(number="+447700900201")
    silent = Caller(number="+447700900202")
    sqlite_machine.drained(
        seen.arrives(), seen.presses("55"), seen.hangs_up(), silent.arrives(), silent.hangs_up()
    )
    live = board(sqlite_machine)
    live.refresh(NOW)
    place = live.place()
    live.refresh(NOW + timedelta(hours=2))
    assert live._events == {}
    assert {seen.reference, silent.reference} == shown(live.snapshot(NOW)).keys()
    tomorrow = NOW + timedelta(hours=26)
    live.refresh(tomorrow)
    assert shown(live.snapshot(tomorrow)).keys() == {seen.reference}
    assert live.incident(silent.reference) is None
    assert live.since(f"{place.partition('-')[0]}-0") is None
    assert live.timeline(silent.reference) is None


def test_an_event_nobody_can_fold_hides_no_other(sqlite_machine: Machine) -> None:
    """A record of a newer release, or a broken one, costs itself and nothing else."""
    caller, other = Caller(), Caller(number="+447700900456")
    poison = replace(caller.presses("5", 1), data={"keys": 5, "signal": "nonsense"})
    alone = replace(Caller().arrives(), data={})
    left(sqlite_machine.folders[0], alone, caller.arrives(), poison, caller.presses("55", 2))
    left(sqlite_machine.folders[0], other.arrives())
    live = board(sqlite_machine)
    told = shown(live.refresh(NOW))
    assert told[caller.reference].signal == "confirmed"
    assert other.reference in told


def test_a_control_room_that_answered_a_call_of_another_machine_breaks_nothing(
    sqlite_machine: Machine,
) -> None:
    """The whisper was asked of this machine; the call itself is in another's journal."""
    caller, other = Caller(), Caller(number="+447700900456")
    left(sqlite_machine.folders[0], caller.is_connected(), other.arrives())
    live = board(sqlite_machine)
    assert shown(live.refresh(NOW)).keys() == {other.reference}
    sqlite_machine.drained(caller.arrives())
    assert caller.reference in shown(live.refresh(NOW))


# -- any order ------------------------------------------------------------------------------------


def histories() -> Callable[[], list[Recorded]]:
    """Three calls whose events the property deals out."""

    def make() -> list[Recorded]:
        callers = [Caller(began=after(at)) for at in range(2)]
        callers.append(Caller(number=None, withheld=True))
        told = [
            [one.arrives(), one.presses("5"), one.presses("5", 2), one.hangs_up()]
            for one in callers
        ]
        return [event for events in told for event in events]

    return make


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_interleaving_of_reads_and_drains_ends_in_the_stores_own_fold(
    data: st.DataObject,
) -> None:
    """However journal reads and drains fall, the board ends as what the store folded."""
    events = data.draw(st.permutations(histories()()))
    acts = data.draw(
        st.lists(st.sampled_from(["write", "write", "read", "drain", "restart"]), max_size=30)
    )
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(Path(folder), Store(sqlite_at(Path(folder) / "quietline.db"), KEYS))
        segments = [Segment(each) for each in machine.folders]
        live, drain = board(machine), machine.drain()
        waiting = list(events)
        for act in [*acts, *["write"] * len(events), "drain", "read", "read"]:
            if act == "write" and waiting:
                event = waiting.pop()
                segments[event.step % 2].append(sealed(event, event))
            elif act == "read":
                live.refresh(NOW)
            elif act == "drain":
                drain_all(drain)
            elif act == "restart":
                live, drain = board(machine), machine.drain()
        stored, _ = machine.store.incidents()
        assert len(stored) == 3
        on_board = shown(live.snapshot(NOW))
        assert on_board == {one.reference: one for one in stored}
        for segment in segments:
            segment.close()
        machine.store.engine.dispose()
    del live, drain
    gc.collect()  # what they read from is closed with them: a thousand examples, one process
