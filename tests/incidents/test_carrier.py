"""Orders are carried out once, whatever dies in between, and what became of them is on record."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from incidents.carrier import Carrier
from incidents.desk import Done
from incidents.placing import placed_in
from incidents.tables import orders
from incidents.transactions import reading, writing
from tests.incidents.desks import ANNA, Room, after
from tests.incidents.ladders import Calls
from tests.incidents.making import KEYS, Caller
from tests.waiting import eventually


class Sending:
    """A room, a Twilio and a carrier whose clock is the test's."""

    def __init__(self, data: Path, url: str) -> None:
        self.room = Room.at(data, url)
        self.calls = Calls()
        self.now = after(12)
        self.carrier = self.another()

    def another(self, calls: Calls | None = None) -> Carrier:
        """A carrier as another process has it."""
        store = self.room.machine.store
        return Carrier(store, KEYS, calls or self.calls, clock=lambda: self.now)

    def asked(self) -> tuple[Caller, Done]:
        """Anna has a call and asks."""
        caller = self.room.claimed()
        self.sent("hold")
        done = self.room.desk.ask(
            caller.reference, text="Are you in danger now?", by=ANNA, now=after(12)
        )
        return caller, done

    def sent(self, what: str) -> None:
        """Take orders of one kind for sent."""
        with writing(self.room.machine.store.engine) as connection:
            connection.execute(update(orders).where(orders.c.what == what).values(state="sent"))

    def rows(self, what: str) -> list[Any]:
        """The rows of the orders of one kind."""
        with reading(self.room.machine.store.engine) as connection:
            query = select(orders).where(orders.c.what == what).order_by(orders.c.step)
            return list(connection.execute(query).all())


@pytest.fixture
def sending(data: Path, store_url: str) -> Sending:
    """Over each kind of store."""
    return Sending(data, store_url)


@pytest.fixture
def small(data: Path, sqlite_url: str) -> Sending:
    """Over SQLite."""
    return Sending(data, sqlite_url)


def test_an_order_is_sent_and_that_is_on_record(sending: Sending) -> None:
    """One request, and the row says so."""
    caller, done = sending.asked()
    carried = sending.carrier.carry(done.orders[0], patience=5)
    assert (carried.state, carried.over) == ("sent", False)
    assert sending.calls.played == [(caller.sid, done.orders[0].path)]
    assert eventually(lambda: [row.state for row in sending.rows("ask")] == ["sent"])
    assert sending.rows("ask")[0].done_at == sending.now


def test_a_caller_who_presses_a_key_is_not_let_go_after_all(small: Sending) -> None:
    """The order was given before the key; it is not sent, and the record says why."""
    caller = small.room.claimed()
    small.sent("hold")
    done = small.room.desk.let_go(caller.reference, by=ANNA, now=after(12))
    small.room.machine.drained(caller.presses("5", step=13))
    carried = small.carrier.carry(done.orders[0], patience=5)
    assert (carried.state, carried.over) == ("failed", False)
    assert small.calls.played == []
    (entry,) = eventually(lambda: small.room.entries(caller, "order_failed"))
    assert "pressed a key" in entry.data["problem"]


def test_a_caller_who_hung_up_is_told_at_once(small: Sending) -> None:
    """Rule of races: not an error code but that the call is over."""
    caller, done = small.asked()
    small.calls.over.add(caller.sid)
    carried = small.carrier.carry(done.orders[0], patience=5)
    assert (carried.state, carried.over) == ("failed", True)
    (entry,) = eventually(lambda: small.room.entries(caller, "order_failed"))
    assert entry.data["what"] == "ask"
    assert entry.data["by"] == "anna"
    assert small.rows("ask")[0].state == "failed"


def test_an_order_that_is_under_way_is_not_sent_twice(small: Sending) -> None:
    """Asked for again while it is being sent, it is waited for."""
    _, done = small.asked()
    small.calls.hold = threading.Event()
    assert small.carrier.carry(done.orders[0], patience=0.05).state == "waiting"
    assert small.carrier.carry(done.orders[0], patience=0.05).state == "waiting"
    small.calls.hold.set()
    assert small.carrier.carry(done.orders[0], patience=5).state == "sent"
    assert small.calls.asked == 1


def test_orders_to_one_call_reach_twilio_in_the_order_they_were_given(small: Sending) -> None:
    """A question asked right after the claim must not be cut off by the claim's own slow hold."""
    caller = small.room.claimed()
    (hold,) = (placed_in(row, KEYS) for row in small.rows("hold"))
    done = small.room.desk.ask(
        caller.reference, text="Are you in danger now?", by=ANNA, now=after(12)
    )
    small.calls.hold = threading.Event()
    small.carrier.carry_later([hold])
    assert eventually(lambda: small.calls.asked == 1)
    assert small.carrier.carry(done.orders[0], patience=0.1).state == "waiting"
    assert small.calls.asked == 1, "it waits for the order before it"
    small.calls.hold.set()
    assert small.carrier.carry(done.orders[0], patience=5).state == "sent"
    assert [path for _, path in small.calls.played] == [hold.path, done.orders[0].path]


def test_an_order_to_another_call_waits_for_nobody(small: Sending) -> None:
    """One call at which Twilio is slow keeps no other caller waiting."""
    _, first = small.asked()
    other = small.room.claimed()
    second = small.room.desk.ask(other.reference, text="Are you hurt?", by=ANNA, now=after(12))
    small.calls.hold = threading.Event()
    small.carrier.carry_later(first.orders)
    small.carrier.carry_later(second.orders)
    assert eventually(lambda: small.calls.asked == 2)
    small.calls.hold.set()


def test_a_hold_that_was_left_behind_is_sent_late(sending: Sending) -> None:
    """The console died between the claim and the request: the caller is held all the same."""
    caller = sending.room.claimed()
    assert sending.carrier.sweep(after(11)) == []
    (late,) = sending.carrier.sweep(after(13))
    assert late.what == "hold"
    assert eventually(lambda: sending.calls.played) == [(caller.sid, late.path)]
    eventually(lambda: sending.rows("hold")[0].state == "sent")
    assert sending.carrier.sweep(after(60)) == []


def test_the_hold_of_a_claim_is_sent_until_twilio_takes_it(sending: Sending) -> None:
    """Rule 10: no timer lets a claimed caller go, also when Twilio fails for longer than a try."""
    caller = sending.room.claimed()
    (hold,) = (placed_in(row, KEYS) for row in sending.rows("hold"))
    sending.calls.refuses.add("play")
    assert sending.carrier.carry(hold, patience=5).state == "failed"
    (entry,) = eventually(lambda: sending.room.entries(caller, "order_failed"))
    assert entry.data["problem"].startswith("503 after three tries")
    assert entry.data["again"] is True
    for seconds in range(15, 120, 5):
        sending.now = after(seconds)
        sending.carrier.sweep(sending.now)
        eventually(lambda: sending.carrier.under_way == 0)
    assert sending.calls.asked > 4
    sending.calls.refuses.clear()
    sending.now = after(140)
    sending.carrier.sweep(sending.now)
    assert eventually(lambda: [row.state for row in sending.rows("hold")] == ["sent"])
    assert sending.calls.played == [(caller.sid, hold.path)]
    assert len(sending.room.entries(caller, "order_failed")) == 1, "told once"


def test_the_hold_of_a_caller_who_hung_up_is_not_sent_again(small: Sending) -> None:
    """There is nobody to hold."""
    caller = small.room.claimed()
    (hold,) = (placed_in(row, KEYS) for row in small.rows("hold"))
    small.calls.over.add(caller.sid)
    small.carrier.carry(hold, patience=5)
    assert eventually(lambda: [row.state for row in small.rows("hold")] == ["failed"])
    assert small.carrier.sweep(after(60)) == []


def test_a_hold_is_given_up_in_the_end(small: Sending) -> None:
    """And the timeline says so: ten minutes on, nothing a timer does is undone by it."""
    caller = small.room.claimed()
    (hold,) = (placed_in(row, KEYS) for row in small.rows("hold"))
    small.calls.refuses.add("play")
    small.carrier.carry(hold, patience=5)
    for seconds in range(20, 800, 20):
        small.now = after(seconds)
        small.carrier.sweep(small.now)
        eventually(lambda: small.carrier.under_way == 0)
    assert [row.state for row in small.rows("hold")] == ["failed"]
    assert len(small.room.entries(caller, "order_failed")) == 2


def test_of_two_sweeps_one_takes_an_order(sending: Sending) -> None:
    """Two engines on one store; the one that was slower sends nothing."""
    sending.room.claimed()
    other = sending.another()
    taken = [*sending.carrier.sweep(after(13)), *other.sweep(after(13))]
    assert len(taken) == 1
    eventually(lambda: sending.calls.played)
    assert len(sending.calls.played) == 1


def test_a_question_that_was_left_behind_is_never_spoken(small: Sending) -> None:
    """The call has moved on; the handler is told on the timeline."""
    caller, _ = small.asked()
    assert small.carrier.sweep(after(30)) == []
    assert small.rows("ask")[0].state == "failed"
    assert len(small.room.entries(caller, "order_failed")) == 1
    assert small.calls.played == []


def test_an_order_that_a_later_one_took_the_place_of_is_not_sent(small: Sending) -> None:
    """A bridge that was left behind must not take a caller from whoever has them now."""
    caller = small.room.claimed()
    small.room.desk.connect(caller.reference, "control_room", by=ANNA, now=after(11))
    small.room.desk.hold(caller.reference, by=ANNA, now=after(12))
    taken = small.carrier.sweep(after(20))
    assert [placed.what for placed in taken] == ["hold"]
    assert [row.state for row in small.rows("connect")] == ["failed"]


def test_a_bridge_that_was_left_behind_for_a_minute_is_not_sent(small: Sending) -> None:
    """The ladder has gone on meanwhile."""
    caller = small.room.claimed()
    small.sent("hold")
    small.room.desk.connect(caller.reference, "control_room", by=ANNA, now=after(12))
    assert small.carrier.sweep(after(80)) == []
    assert [row.state for row in small.rows("connect")] == ["failed"]


def test_an_order_another_process_is_sending_is_left_to_it(small: Sending) -> None:
    """However slow Twilio is: never two requests for one order."""
    caller = small.room.claimed()
    (row,) = small.rows("hold")
    slow = Calls(hold=threading.Event())
    console = small.another(slow)
    small.now = after(40)  # long after the order was given: only the console's word keeps it
    from incidents.placing import placed_in

    console.carry_later([placed_in(row, KEYS)])
    eventually(lambda: small.rows("hold")[0].done_at == after(40))
    assert small.carrier.sweep(after(41)) == []
    assert slow.hold is not None
    slow.hold.set()
    eventually(lambda: small.rows("hold")[0].state == "sent")
    assert slow.played == [(caller.sid, placed_in(row, KEYS).path)]
    assert small.calls.played == []


def test_a_clock_put_back_hides_no_order(small: Sending) -> None:
    """An order of the future is one that was left behind as well."""
    small.room.claimed()
    (late,) = small.carrier.sweep(after(10) - timedelta(hours=1))
    assert late.what == "hold"


def test_what_cannot_be_written_now_is_written_later(small: Sending) -> None:
    """The store is locked just then: the order is not sent again, and the record follows."""
    import sqlite3

    _, done = small.asked()
    path = str(small.room.machine.store.engine.url.database)
    blocker = sqlite3.connect(path, isolation_level=None)
    engine = small.room.machine.store.engine
    engine.dispose()

    from sqlalchemy import event

    @event.listens_for(engine, "connect")
    def _hurry(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA busy_timeout=50")

    blocker.execute("BEGIN EXCLUSIVE")
    assert small.carrier.carry(done.orders[0], patience=5).state == "sent"
    eventually(lambda: small.carrier.under_way == 0)
    blocker.execute("ROLLBACK")
    blocker.close()
    assert [row.state for row in small.rows("ask")] == ["waiting"]
    assert small.carrier.sweep(after(60)) == []
    assert [row.state for row in small.rows("ask")] == ["sent"]
    assert small.calls.asked == 1
