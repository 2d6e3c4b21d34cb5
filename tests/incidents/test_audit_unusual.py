"""What stands out in the audit log, and what must not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from incidents.audit import Audit
from incidents.audit_reading import Reading, Wanted
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import users
from incidents.transactions import writing
from incidents.unusual import Finding, in_shift, unusual
from incidents.unusual_policy import Unusual
from tests.incidents.making import KEYS, Caller, Machine

NOW = datetime(2026, 7, 22, 9, 0, tzinfo=UTC)
"""10:00 in London, in summer."""
LONDON = ZoneInfo("Europe/London")
OWN = "+447700900111"
RULES = Unusual(own_number=True, records=3, minutes=60, outside_shift=True, grace_minutes=30)


class Auditor:
    """A store with people and a log, and what an auditor finds in it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.store = machine.store
        self.log = Audit(self.store.engine, KEYS)

    def person(self, name: str, *, phone: str | None = None, shift: str | None = None) -> None:
        """Add somebody."""
        row = {
            "id": f"id of {name}",
            "name": name,
            "role": "handler",
            "password_hash": "",
            "created_at": NOW,
            "phone": phone and KEYS.seal(phone.encode(), f"users|id of {name}|phone"),
            "shift": shift,
        }
        with writing(self.store.engine) as connection:
            connection.execute(insert(users).values(row))

    def call(self, number: str | None) -> str:
        """Have somebody call; returns the incident's reference."""
        caller = Caller(number=number)
        self.machine.drained(caller.arrives(), caller.presses("55"))
        return caller.reference

    def opens(self, name: str, record: str, at: datetime = NOW) -> None:
        """Log that a record was opened."""
        self.log.note(name, "consultation", "viewed the record", record, at=at)

    def finds(
        self, rules: Unusual = RULES, *, days: int = 1, person: str | None = None
    ) -> list[Finding]:
        """What stands out within so many days."""
        since, until = NOW - timedelta(days=days), NOW + timedelta(days=days)
        found = unusual(self.store.engine, KEYS, rules, since, until, zone=LONDON, person=person)
        assert found.whole
        return list(found.findings)


@pytest.fixture
def auditor(machine: Machine) -> Auditor:
    """An auditor of a site on each kind of store."""
    return Auditor(machine)


@pytest.fixture
def sqlite_auditor(sqlite_machine: Machine) -> Iterator[Auditor]:
    """An auditor, where the kind of store cannot matter."""
    return Auditor(sqlite_machine)  # type: ignore[return-value]


def reference(at: int) -> str:
    """A reference of a call nobody made."""
    return KEYS.reference(f"made up {at}")


def test_opening_a_call_from_ones_own_phone_stands_out(auditor: Auditor) -> None:
    """Found by keyed hash; the sentence holds no number."""
    auditor.person("anna", phone=OWN)
    auditor.person("bert", phone="+447700900222")
    mine, other = auditor.call(OWN), auditor.call("+447700900333")
    for name in ("anna", "bert"):
        auditor.opens(name, other)
    assert auditor.finds() == []
    auditor.opens("bert", mine)
    auditor.opens("anna", mine, NOW + timedelta(minutes=1))
    (found,) = auditor.finds()
    assert found.rule == "own_number"
    assert found.sentence == (
        "anna opened the record of a call from the phone that stands as anna's own."
    )
    assert found.entries == (4,)
    auditor.opens("anna", auditor.call(OWN), NOW + timedelta(minutes=2))
    (found,) = auditor.finds()
    assert "the records of 2 calls" in found.sentence
    assert found.entries == (4, 5)


def test_somebody_without_a_phone_or_with_one_of_another_key_is_passed_over(
    auditor: Auditor,
) -> None:
    """And so is whoever is no user: a program, the ladder."""
    auditor.person("anna")
    auditor.person("bert", phone=OWN)
    mine = auditor.call(OWN)
    for name in ("anna", "bert", "wallboard"):
        auditor.opens(name, mine)
    since, until = NOW - timedelta(days=1), NOW + timedelta(days=1)
    other = Keys(b"x" * 32)
    found = unusual(auditor.store.engine, other, RULES, since, until, zone=LONDON)
    assert found.findings == ()


def test_very_many_records_within_the_hour_stand_out(auditor: Auditor) -> None:
    """Different records: one record ten times is one. The fullest hour is told, with its looks."""
    for at in range(3):
        auditor.opens("anna", reference(at), NOW + timedelta(minutes=at))
    for at in range(10):
        auditor.opens("anna", reference(1), NOW + timedelta(minutes=10, seconds=at))
        auditor.opens("anna", "board", NOW + timedelta(minutes=11, seconds=at))
    assert auditor.finds() == []
    auditor.opens("anna", reference(3), NOW + timedelta(minutes=60))
    assert auditor.finds() == [], "the first look is an hour ago"
    auditor.opens("anna", reference(4), NOW + timedelta(minutes=60, seconds=30))
    (found,) = auditor.finds()
    assert found.rule == "many_records"
    assert found.sentence == (
        "anna opened 4 different records within 60 minutes, from 10:01 on 22 Jul 2026. "
        "More than 3 stand out."
    )
    assert (found.entries[0], found.entries[-1]) == (2, 25)


def test_the_rules_are_data_and_each_can_be_left_out(sqlite_auditor: Auditor) -> None:
    """A site that knows better changes the file."""
    auditor = sqlite_auditor
    auditor.person("anna", phone=OWN, shift="19:00-07:00")
    mine = auditor.call(OWN)
    for at in range(5):
        auditor.opens("anna", reference(at))
    auditor.opens("anna", mine)
    rules = {finding.rule for finding in auditor.finds()}
    assert rules == {"own_number", "many_records", "outside_shift"}
    assert auditor.finds(Unusual(False, 0, 60, False, 0)) == []
    assert {one.rule for one in auditor.finds(Unusual(False, 5, 60, False, 0))} == {"many_records"}
    assert auditor.finds(Unusual(False, 6, 60, False, 0)) == []


def test_a_look_outside_ones_shift_stands_out(auditor: Auditor) -> None:
    """Local hours, summer time counts; a sentence for each time; signing in is no look."""
    auditor.person("anna", shift="07:00-19:00")
    auditor.person("bert")
    five = datetime(2026, 7, 22, 5, 0, tzinfo=UTC)  # 06:00 in London
    auditor.log.note("anna", "consultation", "signed in", "sign-in", at=five)
    auditor.opens("anna", "board", five + timedelta(minutes=30))
    auditor.opens("bert", "board", five)
    auditor.log.note("anna", "alteration", "claimed", reference(1), at=five)
    assert auditor.finds() == [], "the half hour before is a hand-over"
    auditor.opens("anna", reference(1), five)
    auditor.opens("anna", reference(2), five + timedelta(minutes=12))
    auditor.opens("anna", "board", NOW + timedelta(hours=12))
    later, early = auditor.finds()
    assert early.sentence == (
        "anna looked at records 2 times from 06:00 to 06:12 on 22 Jul 2026, "
        "outside the hours 07:00 to 19:00."
    )
    assert later.sentence == (
        "anna looked at records once at 22:00 on 22 Jul 2026, outside the hours 07:00 to 19:00."
    )
    assert early.entries == (5, 6)


def test_a_night_is_one_time_though_the_day_changes(sqlite_auditor: Auditor) -> None:
    """Nobody should have to put two halves of a night together."""
    auditor = sqlite_auditor
    auditor.person("anna", shift="07:00-19:00")
    night = datetime(2026, 7, 21, 22, 50, tzinfo=UTC)
    auditor.opens("anna", "board", night)
    auditor.opens("anna", reference(1), night + timedelta(minutes=40))
    (found,) = auditor.finds()
    assert found.sentence == (
        "anna looked at records 2 times from 23:50 on 21 Jul 2026 to 00:30 on 22 Jul 2026, "
        "outside the hours 07:00 to 19:00."
    )


@pytest.mark.parametrize(
    ("at", "shift", "grace", "within"),
    [
        ("07:00", "07:00-19:00", 0, True),
        ("18:59", "07:00-19:00", 0, True),
        ("19:00", "07:00-19:00", 0, False),
        ("06:59", "07:00-19:00", 0, False),
        ("06:30", "07:00-19:00", 30, True),
        ("06:29", "07:00-19:00", 30, False),
        ("19:29", "07:00-19:00", 30, True),
        ("19:30", "07:00-19:00", 30, False),
        ("23:00", "19:00-07:00", 0, True),
        ("00:00", "19:00-07:00", 0, True),
        ("06:59", "19:00-07:00", 0, True),
        ("12:00", "19:00-07:00", 0, False),
        ("23:45", "00:00-08:00", 30, True),
        ("23:15", "00:00-08:00", 30, False),
        ("12:00", "00:10-23:50", 30, True),
        ("00:00", "00:10-23:50", 30, True),
    ],
)
def test_a_shift_may_go_over_midnight(at: str, shift: str, grace: int, within: bool) -> None:
    """Most that need watching do."""
    assert in_shift(time.fromisoformat(at), shift, grace) is within


def test_only_the_time_and_the_person_asked_for_are_looked_at(auditor: Auditor) -> None:
    """An auditor narrows it down."""
    for name in ("anna", "bert"):
        for at in range(5):
            auditor.opens(name, reference(at))
    assert {one.person for one in auditor.finds()} == {"anna", "bert"}
    assert {one.person for one in auditor.finds(person="bert")} == {"bert"}
    since, until = NOW + timedelta(seconds=1), NOW + timedelta(days=1)
    found = unusual(auditor.store.engine, KEYS, RULES, since, until, zone=LONDON)
    assert found.findings == ()


# -- reading the log -----------------------------------------------------------------


def test_the_log_is_read_newest_first_a_page_at_a_time(auditor: Auditor) -> None:
    """Nothing twice and nothing left out, while it grows at the top."""
    for at in range(25):
        auditor.opens("anna" if at % 2 else "bert", reference(at), NOW + timedelta(minutes=at))
    log = Reading(auditor.store.engine, KEYS)
    first, following = log.page(Wanted(), limit=10)
    auditor.opens("anna", "board")
    second, following = log.page(Wanted(), following, limit=10)
    third, over = log.page(Wanted(), following, limit=10)
    assert over is None
    assert [one.number for one in (*first, *second, *third)] == list(range(25, 0, -1))
    assert len(list(log.every(Wanted()))) == 26


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Wanted(), [4, 3, 2, 1]),
        (Wanted(person="anna"), [3, 1]),
        (Wanted(person="nobody"), []),
        (Wanted(record="board"), [4, 1]),
        (Wanted(operation="disclosure"), [4]),
        (Wanted(since=NOW + timedelta(minutes=2)), [4, 3]),
        (Wanted(until=NOW + timedelta(minutes=2)), [2, 1]),
        (Wanted(person="bert", record="board", operation="disclosure"), [4]),
    ],
)
def test_every_filter_narrows_it(auditor: Auditor, wanted: Wanted, numbers: list[int]) -> None:
    """Each alone, and together."""
    for at, (name, operation, record) in enumerate(
        [
            ("anna", "consultation", "board"),
            ("bert", "alteration", "QL-1"),
            ("anna", "consultation", "QL-1"),
            ("bert", "disclosure", "board"),
        ]
    ):
        auditor.log.note(name, operation, "did it", record, at=NOW + timedelta(minutes=at))  # type: ignore[arg-type]
    found, _ = Reading(auditor.store.engine, KEYS).page(wanted)
    assert [one.number for one in found] == numbers


def test_a_reason_is_opened_and_one_that_was_tampered_with_does_not_stop_the_page(
    auditor: Auditor, data: Path
) -> None:
    """The page says that it cannot be opened; the verification says why."""
    auditor.log.note("anna", "consultation", "viewed", "QL-1", "complaint 7", at=NOW)
    auditor.log.note("anna", "consultation", "viewed", "QL-2", "complaint 8", at=NOW)
    with writing(auditor.store.engine) as connection:
        connection.exec_driver_sql("UPDATE audit SET reason = NULL WHERE number = 1")
        connection.exec_driver_sql("UPDATE audit SET record = 'QL-3' WHERE number = 1")
    other = Reading(auditor.store.engine, Keys(b"x" * 32))
    assert [one.reason for one in other.page(Wanted())[0]] == ["(cannot be opened)", ""]
    log = Reading(auditor.store.engine, KEYS)
    assert [one.reason for one in log.page(Wanted())[0]] == ["complaint 8", ""]


def test_names_offered_are_those_of_people_and_programs(store: Store, auditor: Auditor) -> None:
    """Whoever could have done something."""
    auditor.person("zoe")
    auditor.person("anna")
    assert Reading(auditor.store.engine, KEYS).names() == ["anna", "zoe"]
