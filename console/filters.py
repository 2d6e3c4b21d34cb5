"""Reading the filters of the incident list from a query string.

Each filter is either understood exactly or refused with a sentence that names
it: a guess here could hide an incident from the person who is looking for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

SIGNALS: Final = ("confirmed", "someone_there", "heard", "nothing")
STATES: Final = ("waiting", "claimed", "review", "closed")
PURPOSES: Final = ("live", "training", "proof")
URGENCIES: Final = (1, 2, 3, 4)
CONNECTIONS: Final = ("open", "dropped", "ended")
ANSWERS: Final = ("yes", "no", "unclear", "none", "line_dropped")
LIMIT_MOST: Final = 1000
LIMIT_DEFAULT: Final = 50
CALL_SID_LONGEST: Final = 400
CURSOR_LONGEST: Final = 400

# RFC 3339. A space stands where an unescaped + of the offset was decoded.
_INSTANT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d):(\d\d)(\.\d{1,9})?(?:([Zz])|([+ -])(\d\d):([0-5]\d))",
    re.ASCII,
)


class BadFilter(ValueError):
    """A filter is not understood; the text is a sentence that names it."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What the incident list is asked for; None where a filter was not given."""

    call_sid: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    signal: str | None = None
    state: str | None = None
    urgency: int | None = None
    purpose: str | None = None
    limit: int = LIMIT_DEFAULT
    cursor: str | None = None


def read_filters(given: Mapping[str, Sequence[str]]) -> Filters:
    """Read the filters from names and all their values. An empty value is no filter.

    Raises ``BadFilter`` for an unknown name, a name given twice or a value that
    is not understood.
    """
    read: dict[str, object] = {}
    for name, values in given.items():
        reader = _READERS.get(name)
        if reader is None:
            known = ", ".join(_READERS)
            raise BadFilter(f"There is no filter called {_shown(name)}; there are: {known}.")
        if len(values) != 1:
            raise BadFilter(f"The filter {name} was given {len(values)} times; give it once.")
        if values[0] != "":
            read[name] = reader(name, values[0])
    return Filters(**read)  # type: ignore[arg-type]  # the readers' table gives each its type


def _one_of(values: Sequence[str]) -> Callable[[str, str], str]:
    def read(name: str, value: str) -> str:
        if value not in values:
            raise BadFilter(f"The filter {name} must be one of: {', '.join(values)}.")
        return value

    return read


def _whole_number(least: int, most: int) -> Callable[[str, str], int]:
    def read(name: str, value: str) -> int:
        if re.fullmatch(r"[0-9]{1,4}", value) is None or not least <= int(value) <= most:
            raise BadFilter(f"The filter {name} must be a whole number from {least} to {most}.")
        return int(value)

    return read


def _printable(longest: int) -> Callable[[str, str], str]:
    def read(name: str, value: str) -> str:
        if len(value) > longest or not value.isprintable():
            raise BadFilter(f"The filter {name} must be at most {longest} printable characters.")
        return value

    return read


def instant(name: str, value: str) -> datetime:
    """Read an RFC 3339 date and time as aware UTC. Raises ``BadFilter``."""
    refused = BadFilter(
        f"The filter {name} must be a date and time with its offset from UTC, "
        "like 2026-12-22T18:03:11.042Z."
    )
    found = _INSTANT.fullmatch(value)
    if found is None:
        raise refused
    day, minute, second, fraction, zulu, sign, hours, minutes = found.groups()
    try:
        # RFC 3339 knows the leap second 60; Python's datetime does not.
        at = datetime.fromisoformat(f"{day}T{minute}:{'59' if second == '60' else second}+00:00")
        at = at.replace(microsecond=int(((fraction or ".")[1:] + "000000")[:6]))
        if zulu:
            return at
        if int(hours) > 23:
            raise refused
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return (at + offset if sign == "-" else at - offset).astimezone(UTC)
    except (ValueError, OverflowError):
        raise refused from None


def _shown(name: str) -> str:
    """Show a name somebody sent in a sentence of ours: short, and on one line."""
    short = name[:40].encode("unicode_escape").decode("ascii")
    return f"“{short}{'…' if len(name) > 40 else ''}”"


_READERS: Final[dict[str, Callable[[str, str], object]]] = {
    "call_sid": _printable(CALL_SID_LONGEST),
    "since": instant,
    "until": instant,
    "signal": _one_of(SIGNALS),
    "state": _one_of(STATES),
    "urgency": _whole_number(URGENCIES[0], URGENCIES[-1]),
    "purpose": _one_of(PURPOSES),
    "limit": _whole_number(1, LIMIT_MOST),
    "cursor": _printable(CURSOR_LONGEST),
}
NAMES: Final = tuple(_READERS)
