"""Reads ``ladder.toml``: the rungs an alert climbs, and their times."""

from pathlib import Path
from typing import Any, Final

from config.reading import BadFile, check_head
from incidents.ladder_policy import DEEDS, Ladder, Rung

FILE: Final = Path("ladder.toml")
LONGEST: Final = 3600
"""Seconds: an alert that may wait longer than an hour for its next rung is no alert."""
MOST_RUNGS: Final = 12
LONGEST_WORD: Final = 40
LONGEST_TO: Final = 80
_SECONDS: Final = {
    "again_seconds": (5, LONGEST),
    "press_again_seconds": (0, 60),
    "away_seconds": (15, 600),
    "phone_away_seconds": (15, LONGEST),
    "regrade_seconds": (10, LONGEST),
    "ring_seconds": (5, 120),
}
"""Each with what it may be. away: screens are heard from every 5 s, so fewer than 15 would call
somebody away whose network hiccupped."""
_RUNG: Final = ("name", "does", "after_seconds", "to")


def read_ladder(data: dict[str, Any]) -> Ladder:
    """Read the parsed file. Raises ``BadFile`` on the first wrong key."""
    check_head(
        data,
        (
            "from_urgency",
            *_SECONDS,
            "rung",
        ),
        "times",
    )
    urgency = data.get("from_urgency")
    if not isinstance(urgency, int) or isinstance(urgency, bool) or urgency not in (1, 2, 3):
        raise BadFile("from_urgency", "must be 1, 2 or 3: what is in review does not climb")
    times = {
        key.removesuffix("_seconds"): _seconds(data, key, key, *limits)
        for key, limits in _SECONDS.items()
    }
    return Ladder(_rungs(data.get("rung")), from_urgency=urgency, **times)


def _rungs(tables: Any) -> tuple[Rung, ...]:
    if not isinstance(tables, list) or not 1 <= len(tables) <= MOST_RUNGS:
        raise BadFile("rung", f"there must be 1 to {MOST_RUNGS} [[rung]] tables")
    rungs: list[Rung] = []
    for at, table in enumerate(tables, start=1):
        rung = _rung(table, f"rung {at}")
        if rung.name in [one.name for one in rungs]:
            raise BadFile(f"rung {at}: name", "is listed twice")
        if rungs and rung.after < rungs[-1].after:
            raise BadFile(f"rung {at}: after_seconds", "must not be less than the rung below has")
        if rungs and rungs[-1].does == "bridge":
            raise BadFile(f"rung {at - 1}: does", "bridge must be the last rung")
        rungs.append(rung)
    if rungs[0].does != "show" or rungs[0].after != 0:
        raise BadFile("rung 1", "must be does = 'show' with after_seconds = 0: screens come first")
    return tuple(rungs)


def _rung(table: Any, place: str) -> Rung:
    if not isinstance(table, dict):
        raise BadFile(place, "must be a [[rung]] table")
    for key in table:
        if key not in _RUNG:
            raise BadFile(f"{place}: {key}", f"is not a key of a rung ({', '.join(_RUNG)})")
    name, to = table.get("name"), table.get("to")
    if not isinstance(name, str) or not name.isidentifier() or len(name) > LONGEST_WORD:
        raise BadFile(f"{place}: name", "must be one word of letters, digits and _")
    does = next((deed for deed in DEEDS if deed == table.get("does")), None)
    if does is None:
        raise BadFile(f"{place}: does", f"must be one of {', '.join(DEEDS)}")
    if not isinstance(to, str) or not to.strip() or not to.isprintable() or len(to) > LONGEST_TO:
        raise BadFile(f"{place}: to", f"must be a text of at most {LONGEST_TO} characters")
    return Rung(name, does, _seconds(table, "after_seconds", f"{place}: after_seconds"), to)


def _seconds(
    table: dict[str, Any], key: str, place: str, least: int = 0, most: int = LONGEST
) -> float:
    value = table.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise BadFile(place, f"must be from {least} to {most} seconds")
    return float(value)
