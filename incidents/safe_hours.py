"""Hours at which a number may be called, as people write them: ``weekdays 09:00-12:00``.

What can be read in two ways, as 1-5 can, or cannot be read whole is no hour at all: a guess
could ring a phone in the wrong room. It rings nobody and knows no number.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from incidents.local import LOCAL

HOW: Final = "Write hours like “weekdays 09:00-12:00; Sat 10am-noon”, or “any time”."
_ALWAYS: Final = frozenset({"any time", "anytime", "at any time", "always"})
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_GROUPS: Final = {
    "weekdays": range(5),
    "weekday": range(5),
    "weekends": range(5, 7),
    "weekend": range(5, 7),
    "daily": range(7),
    "every day": range(7),
    "": range(7),
}
_DAY: Final = (
    r"(?:mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun|(?:mon|tues|wednes|thurs|fri|satur|sun)days?)"
)
_PART: Final = re.compile(
    rf"(?P<days>(?:{_DAY}(?:\s*(?:-|to)\s*{_DAY})?)|weekdays?|weekends?|daily|every day|)[:\s]*"
    r"(?P<from>\S+?(?:\s*[ap]m)?)\s*(?:-|to|until)\s*(?P<to>\S+?(?:\s*[ap]m)?)"
)
_ONLY_DAYS: Final = re.compile(rf"{_DAY}")
_TIME: Final = re.compile(
    r"(?:(?P<hour>\d{2})[:.](?P<minute>\d{2})|(?P<of_half>\d{1,2})(?:[:.](?P<past>\d{2}))?\s*(?P<half>[ap]m))"
)
_MINUTES_A_DAY: Final = 24 * 60
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Window:
    """From ``start`` to before ``end`` on ``days`` (0 is Monday): minutes after midnight, local."""

    days: frozenset[int]
    start: int
    end: int

    def holds(self, at: datetime) -> bool:
        """Say whether a local moment lies in it."""
        return at.weekday() in self.days and self.start <= at.hour * 60 + at.minute < self.end


@dataclass(frozen=True, slots=True)
class Hours:
    """When a number may be called."""

    windows: tuple[Window, ...]

    def hold(self, now: datetime) -> bool:
        """Say whether ``now`` (aware) is one of them, in local time."""
        local = now.astimezone(LOCAL)
        return any(window.holds(local) for window in self.windows)

    def until(self, now: datetime, within: timedelta) -> datetime:
        """Return when they end, to the minute, from ``now`` (aware) and within ``within`` of it."""
        ends, latest = now, now + within
        while ends < latest and self.hold(ends):
            ends = ends.replace(second=0, microsecond=0) + _MINUTE
        return min(ends, latest)


def read_hours(text: str) -> Hours | None:
    """Read hours; None: none are given, or not every word of them can be read.

    Days may stand before a time (``Mon, Wed 09:00-11:00``, ``weekdays 9am to noon``); without days
    it is every day. A time has two digits of the hour, or am or pm. Hours over midnight are two.
    """
    tidy = " ".join(re.sub("[–—−]", "-", text.casefold()).split()).strip(" .;,")
    if tidy in _ALWAYS:
        return Hours((Window(frozenset(range(7)), 0, _MINUTES_A_DAY),))
    windows: list[Window] = []
    waiting: set[int] = set()
    for part in re.split(r"[;,]| and ", tidy):
        said = part.strip()
        if _ONLY_DAYS.fullmatch(said):
            waiting.add(_day(said))
            continue
        found = _PART.fullmatch(said)
        window = None if found is None else _window(found, waiting)
        if window is None:
            return None
        windows.append(window)
        waiting = set()
    return None if waiting or not windows else Hours(tuple(windows))


def _window(found: re.Match[str], waiting: set[int]) -> Window | None:
    start, end = _minutes(found["from"]), _minutes(found["to"])
    if start is None or end is None or start >= end or _two_ways(found["from"], found["to"]):
        return None
    days = set(waiting)
    if found["days"] or not waiting:
        days |= _days(found["days"])
    return Window(frozenset(days), start, end)


def _two_ways(start: str, end: str) -> bool:
    """Say whether a start may be read in the evening as well: 10:00-11:30pm, 10:00 to midnight."""
    read = _TIME.fullmatch(start)
    evening = end == "midnight" or end.endswith("pm")
    return evening and read is not None and not read["half"] and 1 <= int(read["hour"]) <= 11


def _days(text: str) -> set[int]:
    if text in _GROUPS:
        return set(_GROUPS[text])
    first, *last = (_day(one) for one in re.split(r"\s*(?:-|\bto\b)\s*", text))
    if not last:
        return {first}
    return {(first + step) % 7 for step in range((last[0] - first) % 7 + 1)}


def _day(text: str) -> int:
    return _DAYS.index(text[:3])


def _minutes(text: str) -> int | None:
    if text in ("noon", "midday"):
        return 12 * 60
    if text == "midnight":
        return _MINUTES_A_DAY
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    if not found["half"]:
        hour, minute = int(found["hour"]), int(found["minute"])
    elif not 1 <= int(found["of_half"]) <= 12:
        return None
    else:
        hour, minute = int(found["of_half"]) % 12, int(found["past"] or 0)
        hour += 12 if found["half"] == "pm" else 0
    minutes = hour * 60 + minute
    return minutes if minute < 60 and minutes <= _MINUTES_A_DAY else None


def told_now(now: datetime) -> str:
    """Say the local hour as a refusal needs it: ``Tuesday 18:03 GMT``."""
    return now.astimezone(LOCAL).strftime("%A %H:%M %Z")
