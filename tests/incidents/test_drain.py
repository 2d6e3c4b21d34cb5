"""From the journal to the store, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from incidents.drain import Drain
from incidents.recorded import Recorded, milliseconds
from incidents.segment import Segment
from incidents.tables import drained, events, incidents, numbers, set_aside
from incidents.tail import Tail
from incidents.transactions import reading
from tests.incidents.desks import noted
from tests.incidents.making import (
    KEYS,
    MARKERS,
    NOW,
    NUMBER,
    ROLES,
    Caller,
    Machine,
    after,
    drain_all,
    left,
    sealed,
    written,
)


def count(machine: Machine) -> int:
    """How many events the store has."""
    with reading(machine.store.engine) as connection:
        return connection.scalar(select(func.count()).select_from(events)) or 0


def test_every_event_of_the_journal_is_in_the_store_once(machine: Machine) -> None:
    """The drain copies each event, and a second look copies nothing."""
    caller = Caller()
    written(machine.folders[0], caller.arrives(), caller.presses("5"), caller.presses("5", 2))
    drain = machine.drain()
    assert drain_all(drain) == 3
    assert drain_all(drain) == 0
    assert count(machine) == 3
    assert machine.incident(caller).keys == "55"
    assert machine.incident(caller).signal == "confirmed"
    assert machine.incident(caller).urgency == 1


class Dying(Drain):
    """A drain that dies after it has written, and before it has said how far it came."""

    def _put_positions(self, connection: object, found: Sequence[object]) -> None:
        raise KeyboardInterrupt


def test_a_drain_that_dies_before_its_commit_leaves_nothing_and_the_next_does_all(
    machine: Machine,
) -> None:
    """Events, fold and position stand in one transaction, so half of it is never there."""
    caller = Caller()
    left(machine.folders[0], caller.arrives(), caller.presses("55"))
    dying = Dying(machine.store, Tail(machine.folders), KEYS, machine.profiles, MARKERS, ROLES)
    with pytest.raises(KeyboardInterrupt):
        dying.run_once()
    assert count(machine) == 0
    assert machine.store.incident(caller.reference) is None
    drain_all(machine.drain())
    assert count(machine) == 2
    assert machine.incident(caller).signal == "confirmed"


def test_a_drain_that_lost_its_place_copies_again_and_changes_nothing(machine: Machine) -> None:
    """The events' keys make a second copy nothing, even if the positions were lost."""
    caller = Caller()
    left(machine.folders[0], caller.arrives(), caller.presses("5"))
    drain_all(machine.drain())
    before = machine.incident(caller)
    with machine.store.engine.connect() as connection:
        connection.execute(drained.delete())
        connection.commit()
    assert drain_all(machine.drain()) == 2
    assert count(machine) == 2
    assert machine.incident(caller) == before


def test_a_retried_webhook_in_both_journals_is_one_event(machine: Machine) -> None:
    """The first folder stalled, the spare took the event, and then the first wrote it too."""
    caller = Caller()
    left(machine.folders[0], caller.arrives(), caller.presses("5"))
    left(machine.folders[1], caller.arrives(), caller.presses("5"))
    drain_all(machine.drain())
    assert count(machine) == 2
    assert machine.incident(caller).keys == "5"
    assert machine.incident(caller).signal == "someone_there"


@pytest.mark.parametrize("later_first", [True, False], ids=["later first", "earlier first"])
def test_of_two_times_the_earlier_counts(machine: Machine, later_first: bool) -> None:
    """Whichever delivery reaches the store first, in one batch or in two."""
    caller = Caller()
    early, late = caller.arrives(), replace(caller.arrives(), at=after(3))
    for event in (late, early) if later_first else (early, late):
        left(machine.folders[0], event)
        drain_all(machine.drain())
    assert count(machine) == 1
    assert machine.incident(caller).started_at == NOW
    with reading(machine.store.engine) as connection:
        assert connection.scalar(select(events.c.at_ms)) == milliseconds(NOW)


@pytest.mark.parametrize("later_first", [True, False], ids=["later first", "earlier first"])
def test_a_retry_that_was_decided_otherwise_does_not_replace_what_was_said(
    machine: Machine, later_first: bool
) -> None:
    """The earlier delivery is the one whose answer the caller heard: its data stays too."""
    caller = Caller()
    early = caller.arrives()
    late = replace(early, at=after(3), data={**early.data, "prompt": "stay"})
    for event in (late, early) if later_first else (early, late):
        left(machine.folders[0], event)
        drain_all(machine.drain())
    told = machine.store.timeline(caller.reference)
    assert not [entry for entry in told if entry.data.get("prompt") == "stay"]


def test_files_in_any_order_make_the_same_incident(machine: Machine) -> None:
    """Two workers write two files; the store may get the end of a call before its beginning."""
    one, other = Caller(), Caller(number="+447700900456")
    for caller, order in ((one, (0, 1, 2, 3)), (other, (3, 2, 1, 0))):
        said = [caller.arrives(), caller.presses("5"), caller.presses("5", 2), caller.hangs_up()]
        for at in order:
            left(machine.folders[at % 2], said[at])
            drain_all(machine.drain())
    first, second = machine.incident(one), machine.incident(other)
    unlike = {"reference", "call_sid", "caller"}
    told = [{k: v for k, v in one.as_json().items() if k not in unlike} for one in (first, second)]
    assert told[0] == told[1]
    assert first.connection == "dropped"


def test_what_comes_before_the_caller_is_known_waits_for_the_rest(machine: Machine) -> None:
    """That the control room answered may reach the store first: from another worker's file."""
    caller = Caller()
    left(machine.folders[0], caller.is_connected())
    drain = machine.drain()
    drain_all(drain)
    assert machine.store.incident(caller.reference) is None
    left(machine.folders[0], caller.arrives(), caller.presses("55"))
    drain_all(drain)
    assert drain.aside == 0
    kinds = [entry.kind for entry in machine.store.timeline(caller.reference)]
    assert "connected" in kinds
    assert machine.incident(caller).signal == "confirmed"


# -- repeats ---------------------------------------------------------------------------------------


def call(machine: Machine, minutes: float, **more: object) -> Caller:
    """A silent call from the same number, ``minutes`` after the tests' now, in the store."""
    caller = Caller(began=NOW + timedelta(minutes=minutes), **more)  # type: ignore[arg-type]
    machine.drained(caller.arrives())
    return caller


def test_a_second_silent_call_within_half_an_hour_is_urgency_3_and_a_third_2(
    machine: Machine,
) -> None:
    """domain.md, Repeats: "a second silent call … within 30 minutes has urgency 3, a third 2"."""
    first, second, third = call(machine, 0), call(machine, 10), call(machine, 12)
    assert machine.incident(first).urgency == 4
    assert machine.incident(second).urgency == 3
    assert machine.incident(second).reasons[0] == "second silent call in 10 minutes"
    assert machine.incident(third).urgency == 2
    assert machine.incident(third).reasons[0] == "third silent call in 12 minutes"


def test_a_call_after_the_window_is_no_repeat(machine: Machine) -> None:
    """The window is the profile's: half an hour, and not a minute more."""
    call(machine, 0)
    assert machine.incident(call(machine, 30)).urgency == 3
    assert machine.incident(call(machine, 61)).urgency == 4


def test_withheld_callers_never_match_each_other(machine: Machine) -> None:
    """domain.md, Repeats: two people without a number are not one."""
    for minutes in (0, 1, 2):
        caller = call(machine, minutes, number=None, withheld=True)
        assert machine.incident(caller).urgency == 4


def test_training_calls_and_live_calls_are_counted_apart(machine: Machine) -> None:
    """An exercise must not raise a caller's urgency, nor hide in it."""
    call(machine, 0, purpose="training")
    assert machine.incident(call(machine, 1)).urgency == 4
    assert machine.incident(call(machine, 2, purpose="training")).urgency == 3


def test_an_earlier_call_that_comes_late_moves_up_those_after_it(machine: Machine) -> None:
    """A file of another worker is drained later: the order of arrival must not matter."""
    second, third = call(machine, 5), call(machine, 10)
    assert machine.incident(second).urgency == 4
    assert machine.incident(third).urgency == 3
    call(machine, 0)
    assert machine.incident(second).urgency == 3
    assert machine.incident(third).urgency == 2
    assert machine.incident(third).reasons[0] == "third silent call in 10 minutes"


def test_repeats_in_one_batch_count_the_same_as_one_by_one(machine: Machine) -> None:
    """After an outage many calls of one number come in one transaction."""
    callers = [Caller(began=NOW + timedelta(minutes=at)) for at in (8, 0, 4)]
    machine.drained(*(caller.arrives() for caller in callers))
    assert [machine.incident(caller).urgency for caller in callers] == [2, 4, 3]


# -- what cannot be copied ---------------------------------------------------------------------


def poisons() -> list[Recorded]:
    """Events nobody can fold, each wrong in its own way."""
    caller = Caller(number="+447700900999")
    return [
        replace(caller.arrives(), data={"line": 5}),
        replace(caller.presses("5"), data={**caller.presses("5").data, "signal": "nonsense"}),
        replace(caller.presses("5"), data=[1, 2]),  # type: ignore[arg-type]
        replace(caller.arrives(), data={**caller.arrives().data, "line": {"a": 1}}),
        caller.event("call_arrived", 0, line="with a NUL \0"),
        caller.event("call_arrived", 0, purpose="p" * 5000, line={"a": [1]}),
    ]


@pytest.mark.parametrize("at", range(len(poisons())))
def test_a_poison_record_is_set_aside_and_those_behind_it_go_on(machine: Machine, at: int) -> None:
    """faults.md: "set aside after 3 tries, reported, and never blocks those behind it"."""
    before, behind = Caller(), Caller(number="+447700900321")
    name = left(machine.folders[0], before.arrives(), poisons()[at], behind.presses("55"))
    drain = machine.drain()
    drain_all(drain)
    assert machine.incident(before).urgency == 4
    assert machine.incident(behind).signal == "confirmed"
    with reading(machine.store.engine) as connection:
        rows = connection.execute(select(set_aside)).all()
    # SQLite keeps a NUL in a text and PostgreSQL does not.
    kept = machine.store.engine.dialect.name == "sqlite" and at == 4
    assert [(row.segment, row.position) for row in rows] == ([] if kept else [(name, 2)])
    assert drain.aside == len(rows)
    assert drain_all(machine.drain()) == 0


def test_a_record_sealed_with_another_key_is_set_aside(machine: Machine) -> None:
    """A file copied from another site opens with no key of ours."""
    caller = Caller()
    segment = Segment(machine.folders[0])
    foreign = replace(sealed(caller.arrives())[0], data=b"x" * 60)
    segment.append([foreign, *sealed(caller.presses("5"))])
    segment.close()
    drain = machine.drain()
    drain_all(drain)
    assert drain.aside == 1
    assert machine.incident(caller).keys == "5"


def test_what_was_set_aside_is_still_reported_after_a_restart(machine: Machine) -> None:
    """The alarm must stand until somebody has mended it, not until the next deploy."""
    left(machine.folders[0], poisons()[0])
    drain_all(machine.drain())
    fresh = machine.drain()
    fresh.run_once()
    assert fresh.aside == 1


# -- what stands in the store -----------------------------------------------------------------


def test_a_number_is_kept_once_encrypted_and_found_by_its_hash(machine: Machine) -> None:
    """design.md: the number encrypted, with a keyed hash for look-up."""
    call(machine, 0)
    call(machine, 1)
    with reading(machine.store.engine) as connection:
        row = connection.execute(select(numbers)).one()
    assert NUMBER.encode() not in row.number
    assert KEYS.open(row.number, f"numbers|{row.id}|number").decode() == NUMBER
    assert row.look_up == KEYS.look_up(f"number|{NUMBER}")


def test_no_row_of_an_event_or_incident_shows_number_or_words(machine: Machine) -> None:
    """Event data and timeline hold no number, name or spoken word in the clear."""
    caller = Caller()
    machine.drained(caller.arrives(), caller.says("he has a knife"))
    noted(machine.store, caller.reference, "a secret note", by="handler", at=NOW)
    with reading(machine.store.engine) as connection:
        for table in (events, incidents, numbers):
            shown = repr(connection.execute(select(table)).all())
            for canary in (NUMBER, NUMBER[1:], "knife", "secret note"):
                assert canary not in shown


def test_a_call_over_midnight_keeps_the_month_it_began_in(machine: Machine) -> None:
    """The month comes from the call's start, whatever month its end is in."""
    caller = Caller()
    end = replace(caller.hangs_up(), month="2027-01")
    machine.drained(end)
    machine.drained(caller.arrives())
    with reading(machine.store.engine) as connection:
        assert connection.scalar(select(incidents.c.month)) == "2026-12"


def test_handlers_columns_are_never_touched_by_the_drain(machine: Machine) -> None:
    """The drain writes only the fold's columns: a late event must not undo a claim."""
    caller = Caller()
    machine.drained(caller.arrives())
    with machine.store.engine.connect() as connection:
        connection.execute(incidents.update().values(handler="sam", claimed_at=NOW))
        connection.commit()
    machine.drained(caller.presses("55"))
    found = machine.incident(caller)
    assert (found.handler, found.state, found.claimed_at) == ("sam", "claimed", NOW)
    assert found.signal == "confirmed"
