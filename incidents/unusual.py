"""Which looks at records are unusual, each told as a sentence with the entries behind it.

It gives no score and draws no conclusion: an officer may have a good reason to look at
night. Rules are data (``config/unusual.toml``).
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, select

from incidents.sealed import CannotOpen, Keys
from incidents.tables import audit, incidents, numbers, users
from incidents.transactions import reading
from incidents.unusual_policy import Unusual

MOST: Final = 30_000
"""Entries looked at, the newest first: the page must come up on a log of years."""
LOOKS: Final = ("consultation", "disclosure", "combination")
APART: Final = timedelta(hours=4)
"""Looks outside somebody's hours that lie further apart are told one by one."""
REFERENCE: Final = "QL-"
"""With what the reference of an incident begins; other records are lists and people."""
SIGN_IN: Final = "sign-in"
"""Signing in is no look at a record."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that stands out. ``entries``: the numbers of those behind it, oldest first."""

    rule: str
    person: str
    sentence: str
    since: datetime
    until: datetime
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What stands out, the newest first. ``whole``: every entry of the time was looked at."""

    findings: tuple[Finding, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class _Look:
    number: int
    at: datetime
    person: str
    record: str


def unusual(
    engine: Engine,
    keys: Keys,
    rules: Unusual,
    since: datetime,
    until: datetime,
    *,
    zone: ZoneInfo,
    person: str | None = None,
) -> Found:
    """Return what stands out between two moments. Raises ``StoreUnavailable``."""
    with reading(engine) as connection:
        looks, whole = _looks(connection, since, until, person)
        people = connection.execute(select(users.c.id, users.c.name, users.c.phone, users.c.shift))
        known = {row.name: row for row in people}
        findings: list[Finding] = []
        if rules.own_number:
            findings += _own_number(connection, keys, looks, known)
    if rules.records:
        findings += _many_records(looks, rules, zone)
    if rules.outside_shift:
        findings += _outside_shift(looks, known, rules, zone)
    return Found(tuple(sorted(findings, key=lambda one: one.until, reverse=True)), whole)


def _looks(
    connection: Connection, since: datetime, until: datetime, person: str | None
) -> tuple[dict[str, list[_Look]], bool]:
    """Return each person's looks, oldest first, and whether these are all."""
    column = audit.c
    wanted = [
        column.at >= since,
        column.at < until,
        column.operation.in_(LOOKS),
        column.record != SIGN_IN,
    ]
    if person is not None:
        wanted.append(column.actor == person)
    query = (
        select(column.number, column.at, column.actor, column.record)
        .where(*wanted)
        .order_by(column.at.desc())
        .limit(MOST + 1)
    )
    rows = connection.execute(query).all()
    looks: dict[str, list[_Look]] = defaultdict(list)
    for row in reversed(rows[:MOST]):
        looks[row.actor].append(_Look(row.number, row.at, row.actor, row.record))
    return looks, len(rows) <= MOST


def _own_number(
    connection: Connection, keys: Keys, looks: dict[str, list[_Look]], known: dict[str, Any]
) -> list[Finding]:
    """Find who opened a record of a call that came from their own phone, by keyed hash."""
    found = []
    for person, theirs in looks.items():
        row = known.get(person)
        if row is None or row.phone is None:
            continue
        try:
            number = keys.open(row.phone, f"users|{row.id}|phone").decode()
        except CannotOpen:
            continue
        calls = set(
            connection.scalars(
                select(incidents.c.reference)
                .join(numbers, numbers.c.id == incidents.c.number_id)
                .where(numbers.c.look_up == keys.look_up(f"number|{number}"))
            )
        )
        mine = [look for look in theirs if look.record in calls]
        if mine:
            records = len({look.record for look in mine})
            what = "the record of a call" if records == 1 else f"the records of {records} calls"
            sentence = f"{person} opened {what} from the phone that stands as {person}'s own."
            found.append(_finding("own_number", sentence, mine))
    return found


def _many_records(looks: dict[str, list[_Look]], rules: Unusual, zone: ZoneInfo) -> list[Finding]:
    """Find who opened very many different records in a short time; each person's fullest time."""
    found = []
    for person, theirs in looks.items():
        fullest = _fullest(
            [one for one in theirs if one.record.startswith(REFERENCE)], rules.minutes
        )
        records = len({look.record for look in fullest})
        if records > rules.records:
            first = fullest[0].at.astimezone(zone)
            sentence = (
                f"{person} opened {records} different records within {rules.minutes} minutes, "
                f"from {first:%H:%M} on {_day(first)}. "
                f"More than {rules.records} stand out."
            )
            found.append(_finding("many_records", sentence, fullest))
    return found


def _fullest(looks: Iterable[_Look], minutes: int) -> list[_Look]:
    """Return the looks of the window of so many minutes that holds most different records."""
    window: deque[_Look] = deque()
    counts: dict[str, int] = defaultdict(int)
    best: list[_Look] = []
    most = 0
    for look in looks:
        window.append(look)
        counts[look.record] += 1
        while look.at - window[0].at >= timedelta(minutes=minutes):
            gone = window.popleft()
            counts[gone.record] -= 1
            if not counts[gone.record]:
                del counts[gone.record]
        if len(counts) > most:
            most, best = len(counts), list(window)
    return best


def _outside_shift(
    looks: dict[str, list[_Look]], known: dict[str, Any], rules: Unusual, zone: ZoneInfo
) -> list[Finding]:
    """Find who looked at something outside their hours; a finding for each time they did."""
    found = []
    for person, theirs in looks.items():
        shift = known[person].shift if person in known else None
        if not shift:
            continue
        outside = [
            look
            for look in theirs
            if not in_shift(look.at.astimezone(zone).time(), shift, rules.grace_minutes)
        ]
        for mine in _apart(outside):
            times = "once" if len(mine) == 1 else f"{len(mine)} times"
            when, hours = _when(mine, zone), shift.replace("-", " to ")
            sentence = f"{person} looked at records {times} {when}, outside the hours {hours}."
            found.append(_finding("outside_shift", sentence, mine))
    return found


def _apart(looks: Iterable[_Look]) -> list[list[_Look]]:
    """Part the looks where hours lie between two of them."""
    parts: list[list[_Look]] = []
    for look in looks:
        if parts and look.at - parts[-1][-1].at < APART:
            parts[-1].append(look)
        else:
            parts.append([look])
    return parts


def _when(looks: list[_Look], zone: ZoneInfo) -> str:
    first, last = (one.at.astimezone(zone) for one in (looks[0], looks[-1]))
    if first.date() != last.date():
        return f"from {first:%H:%M} on {_day(first)} to {last:%H:%M} on {_day(last)}"
    if f"{first:%H:%M}" == f"{last:%H:%M}":
        return f"at {first:%H:%M} on {_day(first)}"
    return f"from {first:%H:%M} to {last:%H:%M} on {_day(first)}"


def in_shift(at: time, shift: str, grace_minutes: int) -> bool:
    """Say whether a local time of day is within hours such as ``19:00-07:00``, with some grace."""
    begins, ends = (_minutes(time.fromisoformat(part)) for part in shift.split("-"))
    length = (ends - begins) % (24 * 60)
    passed = (_minutes(at) - begins + grace_minutes) % (24 * 60)
    return passed < length + 2 * grace_minutes


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute


def _day(day: datetime) -> str:
    return f"{day.day} {day:%b %Y}"


def _finding(rule: str, sentence: str, looks: list[_Look]) -> Finding:
    entries = tuple(sorted(look.number for look in looks))
    return Finding(rule, looks[0].person, sentence, looks[0].at, looks[-1].at, entries)
