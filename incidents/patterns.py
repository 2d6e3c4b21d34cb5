"""Repeat patterns: how often a number, a person or a household has called, in sentences.

A pattern says what it counted and shows the calls behind it. It is no score: it changes
no urgency, and whether it means anything is for a person to say.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, get_args

from incidents.fold import Incident

Over = Literal["number", "person", "household"]
OVERS: Final[tuple[Over, ...]] = get_args(Over)
"""Whose calls are counted together, the narrowest first."""
_WHOSE: Final = {
    "number": "from this number",
    "person": "from a person who may be calling",
    "household": "from people at one address",
}
_UNITS: Final = (
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One rule. ``signals`` and ``connections``: which calls count; empty: all of them.

    ``least``: from how many on it is said; ``within``: how far back from the call is counted.
    """

    id: str
    one: str
    many: str
    signals: tuple[str, ...]
    connections: tuple[str, ...]
    least: int
    within: timedelta
    over: tuple[Over, ...]

    def counts(self, incident: Incident, until: datetime) -> bool:
        """Say whether a call counts, seen from one that began at ``until``."""
        return (
            (not self.signals or incident.signal in self.signals)
            and (not self.connections or incident.connection in self.connections)
            and until - self.within <= incident.started_at <= until
        )


@dataclass(frozen=True, slots=True)
class Matched:
    """A pattern that is there, in a sentence, with the calls it counted, newest first."""

    pattern: str
    over: Over
    sentence: str
    calls: tuple[Incident, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The calls of one number, person or household. ``cut``: there are more than were read.

    ``visited_at``: when the latest visit to one of its people was closed; None: there was none.
    """

    over: Over
    calls: tuple[Incident, ...]
    cut: bool
    visited_at: datetime | None = None


def matched(
    patterns: Sequence[Pattern],
    groups: Iterable[Group],
    until: datetime,
    day: Callable[[datetime], str] = lambda at: at.date().isoformat(),
) -> tuple[Matched, ...]:
    """Return the patterns that are there, in their order, seen from a call begun at ``until``.

    ``day`` words the local day of a moment.

    A wider group is told only where it counts more calls than a narrower one: the same calls
    are not told three times.
    """
    found = []
    ordered = sorted(groups, key=lambda group: OVERS.index(group.over))
    for pattern in patterns:
        told = 0
        for group in ordered:
            calls = tuple(one for one in group.calls if pattern.counts(one, until))
            if group.over not in pattern.over or len(calls) < max(pattern.least, told + 1):
                continue
            told = len(calls)
            sentence = _sentence(pattern, group, calls, until)
            sentence += _since(pattern, group, calls, until, day)
            found.append(Matched(pattern.id, group.over, sentence, calls))
    return tuple(found)


def _sentence(pattern: Pattern, group: Group, calls: Sequence[Incident], until: datetime) -> str:
    words = pattern.one if len(calls) == 1 else pattern.many
    least = "at least " if group.cut else ""
    first = min(one.started_at for one in calls)
    return f"{least}{len(calls)} {words} in {_span(until - first)} {_WHOSE[group.over]}"


def _since(
    pattern: Pattern,
    group: Group,
    calls: Sequence[Incident],
    until: datetime,
    day: Callable[[datetime], str],
) -> str:
    """Say how many of the calls came since the latest visit, if it lies within the time counted."""
    visited = group.visited_at
    if visited is None or visited < until - pattern.within:
        return ""
    many = sum(one.started_at > visited for one in calls)
    told = "all" if many == len(calls) else many or "none"
    return f", {told} since the visit on {day(visited)}"


def _span(time: timedelta) -> str:
    """Say how long ``time`` is, rounded up: ``9 days``, ``3 hours``, ``12 minutes``."""
    for unit, one in _UNITS:
        if time >= one or unit == _UNITS[-1][0]:
            many = max(1, -(-time // one))
            return f"{many} {unit}{'' if many == 1 else 's'}"
    raise AssertionError("the last unit always answers")
