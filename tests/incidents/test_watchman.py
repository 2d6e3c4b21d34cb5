"""The watchman: the whole way is proved every minute, and whatever stands out is an alarm."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from incidents.drain import Drain
from incidents.forgetting import forget_proofs
from incidents.ladder_turns import LadderTurns
from incidents.proof import NotProved
from incidents.recorded import call_key
from incidents.silent_calls import SilentCalls
from incidents.steady import Steady
from incidents.tables import events, orders
from incidents.tail import Tail
from incidents.transactions import writing
from incidents.watchman import Watchman
from tests.incidents.desks import ANNA
from tests.incidents.ladders import STANDARD, Site
from tests.incidents.making import ACCOUNT, KEYS, MARKERS, PROFILES, ROLES
from tests.incidents.spoiling import spoilt


@dataclass(slots=True)
class Prover:
    """Makes proof calls that go as the test says."""

    made: list[str] = field(default_factory=list)
    fails: str = ""

    def prove(self, call_sid: str) -> None:
        """Make one."""
        self.made.append(call_sid)
        if self.fails:
            raise NotProved(self.fails)


@dataclass(slots=True)
class Guard:
    """A site with its watchman, whose background is the test's own thread."""

    site: Site
    training: bool = False
    prover: Prover = field(default_factory=Prover)
    beats: list[int] = field(default_factory=list)
    beat_fails: bool = False
    feed_works: bool = True
    ladder_runs: bool = True
    background: bool = True
    """Whether what is begun in the background ever comes to an end."""
    started: list[str] = field(default_factory=list)
    behind: float = 0.0
    chores: int = 0
    log_is: str = ""
    """What the chore that looks at the audit log says is wrong with it."""
    watchman: Watchman = field(init=False)
    ladder: LadderTurns = field(init=False)

    def __post_init__(self) -> None:
        site = self.site
        store = site.room.machine.store
        self.ladder = LadderTurns(
            site.climber, site.carrier, clock=lambda: site.wall, steady=self.steady
        )
        drain = Drain(store, Tail(()), KEYS, PROFILES, MARKERS, ROLES)
        self.watchman = Watchman(
            keys=KEYS,
            account=ACCOUNT,
            prover=self.prover,
            climber=site.climber,
            ladder=self.ladder,
            silent_calls=SilentCalls(
                site.climber.unfinished, site.calls, drain, KEYS, clock=lambda: site.wall
            ),
            heartbeat=self.beat,
            chores=(self.broken, self.do, lambda: self.log_is),
            training=self.training,
            clock=lambda: site.wall,
            steady=self.steady,
            run=self.run,
        )

    def steady(self) -> Steady:
        """The steady clock of the site."""
        return Steady(self.site.ms, self.site.boot)

    def run(self, name: str, work: Callable[[], None]) -> None:
        """Run something at once, or let it hang."""
        self.started.append(name)
        if self.background:
            work()

    def beat(self) -> None:
        """Tell somebody outside."""
        if self.beat_fails:
            raise OSError(0, "it answered 500")
        self.beats.append(self.site.ms)

    def broken(self) -> None:
        """A chore that never works."""
        raise ValueError("planted")

    def do(self) -> None:
        """A chore."""
        self.chores += 1

    def passes(self, seconds: int) -> None:
        """Let time pass, a turn of each a second."""
        for _ in range(seconds):
            if self.ladder_runs:
                self.site.passes(1, step=1)
                self.ladder.turn(self.behind)
            else:
                self.site.wall += timedelta(seconds=1)
                self.site.ms += 1000
            self.watchman.hear(json.dumps({"process": "phone", "pid": 1, "alarms": []}).encode())
            self.watchman.turn(self.behind)
            if self.feed_works and self.prover.made:
                keys = [call_key(KEYS, ACCOUNT, sid) for sid in self.prover.made]
                told = {"process": "console", "pid": 2, "alarms": [], "proved": keys}
                self.watchman.hear(json.dumps(told).encode())

    @property
    def names(self) -> set[str]:
        """The alarms that stand."""
        return {alarm["id"] for alarm in self.watchman.alarms()}


@pytest.fixture
def guard(data: Path, sqlite_url: str) -> Guard:
    """A watchman over SQLite; anna is at work."""
    return Guard(Site.at(data, sqlite_url))


def test_the_whole_way_is_proved_every_minute(guard: Guard) -> None:
    """A call of our own, each with a name of its own, and no alarm while it comes through."""
    guard.passes(200)
    assert 3 <= len(guard.prover.made) <= 4
    assert len({*guard.prover.made}) == len(guard.prover.made)
    assert guard.names == set()


def test_a_proof_that_does_not_reach_the_feed_is_an_alarm_until_one_does(guard: Guard) -> None:
    """Everything answers, and no screen would show a call: said within ten seconds."""
    guard.passes(70)
    guard.feed_works = False
    guard.passes(75)
    assert guard.names == {"way-not-proved"}
    (alarm,) = guard.watchman.alarms()
    assert "did not reach the live feed" in alarm["text"]
    guard.feed_works = True
    guard.passes(35)
    assert guard.names == set()


def test_a_public_address_that_is_not_reached_is_an_alarm_at_once(guard: Guard) -> None:
    """It says where the way ends, and is tried again sooner than in a minute."""
    guard.passes(70)
    guard.prover.fails = "the public address is not reached (Connection refused)"
    guard.passes(61)
    (alarm,) = guard.watchman.alarms()
    assert alarm["id"] == "way-not-proved"
    assert "Connection refused" in alarm["text"]
    guard.prover.fails = ""
    guard.passes(20)
    assert guard.names == set()


def test_no_alarm_while_everything_starts(guard: Guard) -> None:
    """The phone side needs its second; after forty it is an alarm."""
    guard.prover.fails = "the public address is not reached (Connection refused)"
    guard.passes(38)
    assert guard.names == set()
    guard.passes(20)
    assert guard.names == {"way-not-proved"}


def test_somebody_elses_word_proves_nothing(guard: Guard) -> None:
    """Only the key of the call that is under way does; and no datagram breaks anything."""
    guard.passes(70)
    guard.feed_works = False
    for odd in (b"j", b"{", b"[]", b'{"process": 5, "proved": 7}', b'{"process":"console"}'):
        guard.watchman.hear(odd)
    guard.watchman.hear(json.dumps({"process": "console", "proved": ["0" * 40]}).encode())
    guard.passes(75)
    assert guard.names == {"way-not-proved"}


def test_an_alert_that_passed_the_last_rung_is_an_alarm_until_somebody_has_it(
    guard: Guard,
) -> None:
    """By its reference, and no number."""
    guard.passes(45)
    caller = guard.site.waiting()
    guard.passes(30)
    guard.site.bridges(caller)
    guard.passes(5)
    guard.site.line(caller, bridged="")
    assert "alert-stuck" not in guard.names
    guard.passes(4)
    (alarm,) = [one for one in guard.watchman.alarms() if one["id"] == "alert-stuck"]
    assert caller.reference in alarm["text"]
    guard.site.room.desk.claim(caller.reference, by=ANNA, now=guard.site.wall)
    guard.passes(4)
    assert "alert-stuck" not in guard.names


def test_an_alert_that_cannot_climb_is_an_alarm(data: Path, sqlite_url: str) -> None:
    """And keeps no other alert down."""
    ladder = replace(STANDARD, rungs=STANDARD.rungs[:3])
    guard = Guard(Site.at(data, sqlite_url, ladder=ladder))
    guard.site.registers("sue", "tom")
    good, bad = guard.site.waiting(), guard.site.waiting()
    guard.passes(21)
    store = guard.site.room.machine.store
    # Somebody has changed what was sealed: whom was it that was rung?
    with writing(store.engine) as connection:
        spoilt = update(orders).where(orders.c.call_key == bad.key).values(data=b"planted")
        connection.execute(spoilt)
    guard.passes(17)
    assert len(guard.site.orders(good, "page")) == 2
    (alarm,) = [one for one in guard.watchman.alarms() if one["id"] == "rung-overdue"]
    assert bad.reference in alarm["text"]
    assert good.reference not in alarm["text"]
    with writing(store.engine) as connection:
        connection.execute(delete(orders).where(orders.c.call_key == bad.key))
    guard.passes(3)
    assert "rung-overdue" not in guard.names


def test_a_ladder_that_stands_still_is_an_alarm(guard: Guard) -> None:
    """Its thread hangs, or the store does."""
    guard.passes(45)
    guard.ladder_runs = False
    guard.passes(17)
    assert "ladder-silent" in guard.names
    guard.ladder_runs = True
    guard.passes(2)
    assert "ladder-silent" not in guard.names


def test_nobody_on_duty_is_an_alarm_for_whoever_looks(guard: Guard) -> None:
    """Until a screen is heard from again; in training there is no duty."""
    guard.site.at_work.clear()
    guard.passes(35)
    assert "nobody-on-duty" in guard.names
    guard.site.at_work.add("anna")
    guard.passes(2)
    assert "nobody-on-duty" not in guard.names


def test_nobody_is_on_duty_in_training(data: Path, sqlite_url: str) -> None:
    """The newcomer's screen is the only one there is."""
    site = Site.at(data, sqlite_url, at_work=set())
    guard = Guard(site, training=True)
    guard.passes(40)
    assert guard.names == set()


def test_the_end_of_a_call_that_never_came_is_asked_for(guard: Guard) -> None:
    """Twilio's report was lost: after three minutes it is asked, and the end is recorded."""
    caller = guard.site.waiting("5")
    guard.site.room.desk.claim(caller.reference, by=ANNA, now=guard.site.wall)
    guard.site.calls.statuses[caller.sid] = "completed"
    guard.passes(100)
    assert guard.site.incident(caller).connection == "open"
    guard.passes(100)
    assert guard.site.incident(caller).connection == "dropped"
    (entry,) = [
        entry
        for entry in guard.site.room.machine.store.timeline(caller.reference)
        if entry.kind == "line_dropped"
    ]
    assert entry.data["status"] == "completed"
    assert guard.names == set()


def test_a_call_twilio_knows_nothing_of_is_over(guard: Guard) -> None:
    """As well as one that is completed there; asked twice, for once may be a mistake of its own."""
    caller = guard.site.waiting()
    guard.site.room.desk.claim(caller.reference, by=ANNA, now=guard.site.wall)
    guard.site.calls.over.add(caller.sid)
    guard.passes(190)
    assert guard.site.incident(caller).connection == "open"
    assert guard.names == {"call-silent"}
    guard.passes(190)
    assert guard.site.incident(caller).connection == "dropped"
    assert guard.names == set()


def test_an_open_line_that_is_silent_is_an_alarm_until_it_is_heard_from(guard: Guard) -> None:
    """Still in progress at Twilio, and nothing comes: keys may not reach us."""
    caller = guard.site.waiting()
    guard.site.room.desk.claim(caller.reference, by=ANNA, now=guard.site.wall)
    guard.passes(190)
    (alarm,) = guard.watchman.alarms()
    assert alarm["id"] == "call-silent"
    assert caller.reference in alarm["text"]
    guard.site.room.machine.drained(caller.stays_silent(9))
    guard.passes(3)
    assert guard.names == set()


def test_the_alarm_of_many_silent_lines_names_three_and_counts_the_rest(guard: Guard) -> None:
    """It stands on every screen, above the questions of whoever works a call."""
    for _ in range(5):
        caller = guard.site.waiting()
        guard.site.room.desk.claim(caller.reference, by=ANNA, now=guard.site.wall)
    guard.passes(190)
    (alarm,) = guard.watchman.alarms()
    assert alarm["text"].count("QL-") == 3
    assert " and 2 more. Speak to the caller or look." in alarm["text"]


def test_an_end_that_cannot_be_recorded_holds_up_no_other(guard: Guard) -> None:
    """Of two that are over at Twilio, an event of one is damaged: that one is named."""
    site = guard.site
    bad, good = site.waiting(), site.waiting(number="+447700900124")
    for caller in (bad, good):
        site.room.desk.claim(caller.reference, by=ANNA, now=site.wall)
        site.calls.statuses[caller.sid] = "completed"
    damaged = events.c.key == bad.arrives().key
    with spoilt(site.room.machine.store, events.c.data, damaged):
        guard.passes(190)
        assert site.incident(good).connection == "dropped"
        (alarm,) = [one for one in guard.watchman.alarms() if one["id"] == "call-silent"]
        assert bad.reference in alarm["text"]
    guard.passes(190)
    assert site.incident(bad).connection == "dropped"


def test_a_twilio_that_does_not_answer_is_told(guard: Guard) -> None:
    """Nobody knows whether the caller is there."""
    caller = guard.site.waiting()
    guard.site.room.desk.claim(caller.reference, by=ANNA, now=guard.site.wall)
    guard.site.calls.refuses.add("status")
    guard.passes(190)
    assert "call-silent" in guard.names
    assert guard.site.incident(caller).connection == "open"


def test_a_store_that_takes_nothing_makes_no_call_silent(guard: Guard) -> None:
    """What is heard of them only waits in the journal: nobody is asked, and nothing alarms."""
    caller = guard.site.waiting()
    guard.site.room.desk.claim(caller.reference, by=ANNA, now=guard.site.wall)
    guard.passes(10)
    asked = guard.site.calls.asked
    guard.behind = 20.0
    guard.passes(190)
    assert guard.site.calls.asked == asked
    assert "call-silent" not in guard.names


def test_two_people_who_talk_are_no_alarm(guard: Guard) -> None:
    """Nothing is heard of a bridged caller for as long as they talk."""
    caller = guard.site.waiting()
    guard.passes(30)
    guard.site.bridges(caller)
    guard.passes(200)
    assert "call-silent" not in guard.names


def test_the_heartbeat_beats_every_minute_and_stops_for_an_alarm(guard: Guard) -> None:
    """Whoever watches from outside learns of it by silence."""
    guard.passes(190)
    assert len(guard.beats) == 3
    guard.site.at_work.clear()
    guard.passes(120)
    assert len(guard.beats) <= 4
    guard.site.at_work.add("anna")
    guard.passes(70)
    assert len(guard.beats) >= 4


def test_the_heartbeat_stops_while_the_store_takes_nothing(guard: Guard) -> None:
    """A drain that lags more than ten seconds is an alarm of its own."""
    guard.behind = 11.0
    guard.passes(130)
    assert guard.beats == []


def test_the_heartbeat_stops_when_the_phone_side_has_an_alarm_or_is_silent(guard: Guard) -> None:
    """The journal on its spare, refused webhooks that name us, or no word at all."""
    guard.passes(58)
    told = {"process": "phone", "pid": 3, "alarms": [{"id": "journal-spare"}]}
    for _ in range(10):
        guard.watchman.hear(json.dumps(told).encode())
        guard.passes(1)
    assert guard.beats == []


def test_a_heartbeat_that_fails_is_an_alarm_and_does_not_stop_itself(guard: Guard) -> None:
    """It is tried again, and the alarm ends with the first that comes through."""
    guard.beat_fails = True
    guard.passes(62)
    assert guard.names == {"heartbeat-failed"}
    guard.beat_fails = False
    guard.passes(61)
    assert guard.names == set()
    assert len(guard.beats) == 1


def test_chores_are_done_every_minute_though_one_fails(guard: Guard) -> None:
    """What was spooled is brought in whatever else goes wrong."""
    guard.passes(185)
    assert guard.chores == 3


def test_an_audit_log_with_entries_gone_is_an_alarm(guard: Guard) -> None:
    """It stands until the log bears the head out again; heartbeats go on, for calls still come."""
    guard.log_is = "Entries are gone."
    guard.passes(61)
    (alarm,) = guard.watchman.alarms()
    assert alarm["id"] == "audit-log"
    assert alarm["text"] == "Entries are gone. Ask whoever runs this system to look."
    beats = len(guard.beats)
    guard.passes(61)
    assert len(guard.beats) == beats + 1
    guard.log_is = ""
    guard.passes(61)
    assert guard.names == set()


def test_an_alarm_keeps_its_time(guard: Guard) -> None:
    """Since when, not when it was last seen."""
    guard.site.at_work.clear()
    guard.passes(40)
    (before,) = guard.watchman.alarms()
    guard.passes(20)
    (after,) = guard.watchman.alarms()
    assert before["since"] == after["since"]


def test_proof_calls_are_taken_out_of_the_store_after_a_day(guard: Guard) -> None:
    """And nothing else is."""
    old = guard.site.waiting(purpose="proof")
    kept = guard.site.waiting(purpose="training")
    store = guard.site.room.machine.store
    assert forget_proofs(store, guard.site.wall + timedelta(hours=23)) == 0
    assert forget_proofs(store, guard.site.wall + timedelta(hours=25)) == 1
    assert store.incident(old.reference) is None
    assert store.events_of([old.key]) == {old.key: []}
    assert store.incident(kept.reference) is not None


def test_what_hangs_is_not_started_again(data: Path, sqlite_url: str) -> None:
    """A proof that waits for a network that is gone is one thread, not one a minute."""
    guard = Guard(Site.at(data, sqlite_url), background=False)
    guard.passes(200)
    assert guard.started.count("proof") == 1
    assert guard.names == {"way-not-proved"}
