"""Reads ``patterns.toml``: which repeated calls are told of on the page of a call."""

from datetime import timedelta
from typing import Any, Final

from callflow.urgency import STRENGTH
from config.reading import BadFile, check_head
from incidents.follow_up_kinds import Kinds
from incidents.patterns import OVERS, Pattern

FILE: Final = "patterns.toml"
_KEYS: Final = ("id", "one", "many", "signals", "connections", "least", "days", "over")
_CONNECTIONS: Final = ("open", "dropped", "ended")
_LEAST: Final = (2, 100)
_DAYS: Final = (1, 3 * 365)
_LONGEST: Final = 60


def read_patterns(data: dict[str, Any]) -> tuple[Pattern, ...]:
    """Read the parsed file. Raises ``BadFile`` on the first wrong key."""
    check_head(data, ("visits", "pattern"), "patterns")
    tables = data.get("pattern", [])
    if not isinstance(tables, list):
        raise BadFile("pattern", "must be [[pattern]] tables")
    found = [_pattern(f"pattern {at}", table) for at, table in enumerate(tables, start=1)]
    ids = [one.id for one in found]
    for at, name in enumerate(ids):
        if name in ids[:at]:
            raise BadFile(f"pattern {at + 1}: id", f"{name} is listed twice")
    return tuple(found)


def read_visits(data: dict[str, Any], kinds: Kinds) -> frozenset[tuple[str, str]]:
    """Read which closed follow-ups were visits, by kind and outcome. Raises ``BadFile``."""
    known = {f"{kind.id}.{id_}": (kind.id, id_) for kind in kinds.all for id_, _ in kind.outcomes}
    listed = data.get("visits", [])
    if not isinstance(listed, list):
        raise BadFile("visits", "must be a list of kind.outcome")
    for one in listed:
        if one not in known:
            raise BadFile("visits", f"{one!r} is no kind.outcome of follow_ups.toml")
    return frozenset(known[one] for one in listed)


def _pattern(place: str, table: Any) -> Pattern:
    if not isinstance(table, dict):
        raise BadFile(place, "must be a [[pattern]] table")
    for key in table:
        if key not in _KEYS:
            raise BadFile(f"{place}: {key}", f"is not a key of a pattern ({', '.join(_KEYS)})")
    name = _text(place, table, "id")
    if not name.isidentifier():
        raise BadFile(f"{place}: id", "must be one word of letters, digits and _")
    if not (over := _chosen(place, table, "over", OVERS)):
        raise BadFile(f"{place}: over", f"must list some of {', '.join(OVERS)}")
    return Pattern(
        id=name,
        one=_text(place, table, "one"),
        many=_text(place, table, "many"),
        signals=_chosen(place, table, "signals", STRENGTH),
        connections=_chosen(place, table, "connections", _CONNECTIONS),
        least=_whole(place, table, "least", _LEAST),
        within=timedelta(days=_whole(place, table, "days", _DAYS)),
        over=tuple(one for one in OVERS if one in over),
    )


def _text(place: str, table: dict[str, Any], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise BadFile(f"{place}: {key}", "must be a text on one line")
    if len(value) > _LONGEST:
        raise BadFile(f"{place}: {key}", f"must have at most {_LONGEST} characters")
    return value


def _chosen(place: str, table: dict[str, Any], key: str, known: tuple[str, ...]) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or any(one not in known for one in value):
        raise BadFile(f"{place}: {key}", f"must be a list out of {', '.join(known)}")
    return tuple(value)


def _whole(place: str, table: dict[str, Any], key: str, limits: tuple[int, int]) -> int:
    value, (least, most) = table.get(key), limits
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadFile(f"{place}: {key}", f"must be a whole number from {least} to {most}")
    return value
