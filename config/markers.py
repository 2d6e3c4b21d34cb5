"""Reads ``markers.toml``: the kinds of marker, how long each stands, and which are high-risk."""

from __future__ import annotations

import re
from typing import Any, Final

from config.reading import BadFile, check_head
from incidents.grades import Grades
from incidents.marker_kinds import MarkerKind, MarkerKinds

FILE: Final = "markers.toml"
_KIND: Final = ("id", "name", "high_risk", "proposes", "months", "action")
_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LONGEST_NAME: Final = 60
_LONGEST_ACTION: Final = 400
_MOST_MONTHS: Final = 60


def read_markers(data: dict[str, Any], grades: Grades) -> MarkerKinds:
    """Read the parsed file. Raises ``BadFile`` on the first wrong key."""
    check_head(data, ("longest_months", "kind"), "kinds of marker")
    longest = _months("longest_months", data.get("longest_months"), _MOST_MONTHS)
    tables = data.get("kind")
    if not isinstance(tables, list) or not tables:
        raise BadFile("kind", "must be at least one [[kind]] table")
    kinds: list[MarkerKind] = []
    for at, table in enumerate(tables, start=1):
        kind = _kind(f"kind {at}", table, longest, grades)
        if any(kind.id == one.id for one in kinds):
            raise BadFile(f"kind {at}: id", "is listed twice")
        kinds.append(kind)
    if not any(kind.high_risk for kind in kinds):
        raise BadFile("kind", "at least one must have high_risk = true (rule 4); put it back")
    return MarkerKinds(tuple(kinds), longest)


def _kind(place: str, table: Any, longest: int, grades: Grades) -> MarkerKind:
    if not isinstance(table, dict):
        raise BadFile(place, "must be a [[kind]] table")
    for key in table:
        if key not in _KIND:
            raise BadFile(f"{place}: {key}", f"is not a key of a kind ({', '.join(_KIND)})")
    id_, high_risk, proposes = table.get("id"), table.get("high_risk"), table.get("proposes")
    if not isinstance(id_, str) or not _ID.fullmatch(id_):
        raise BadFile(f"{place}: id", "must be one word of a-z, 0-9 and _, at most 40 long")
    if not isinstance(high_risk, bool):
        raise BadFile(f"{place}: high_risk", "must be true or false")
    if not isinstance(proposes, str) or (proposes and grades.grade(proposes) is None):
        raise BadFile(f"{place}: proposes", "must be a grade of grades.toml, or empty")
    if high_risk != bool(proposes):
        raise BadFile(f"{place}: proposes", "a high-risk kind names a grade, and no other does")
    return MarkerKind(
        id_,
        _text(f"{place}: name", table.get("name"), _LONGEST_NAME),
        high_risk,
        proposes,
        _months(f"{place}: months", table.get("months"), longest),
        _text(f"{place}: action", table.get("action"), _LONGEST_ACTION),
    )


def _months(key: str, value: Any, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise BadFile(key, f"must be a whole number of months from 1 to {most}")
    return value


def _text(key: str, value: Any, longest: int) -> str:
    fit = isinstance(value, str) and value.strip() and value.isprintable()
    if not fit or len(value) > longest:
        raise BadFile(key, f"must be a text of 1 to {longest} characters on one line")
    return str(value)
