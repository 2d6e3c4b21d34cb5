"""Reads ``demo.toml``: the invented people and calls of the worked example.

A number outside the ranges kept for drama is refused: it could be somebody's.
"""

from __future__ import annotations

import re
from typing import Any, Final

from config.reading import BadFile, check_head
from incidents.demo_story import PARTS, Invented, Officer, Sort, Story
from incidents.safe_contact import SAFE

FILE: Final = "demo.toml"
DRAMA: Final = re.compile(r"\+447700900\d{3}|\+441632960\d{3}")
SIGNALS: Final = ("nothing", "heard", "someone_there", "confirmed")
_TOP: Final[dict[str, type]] = {
    "name": str,
    "area": str,
    "begins": int,
    "lasts": int,
    "baseline": int,
}
_RATES: Final = ("a_day", "a_day_before")
_PERSON: Final[dict[str, type]] = {
    "name": str,
    "part": str,
    "number": str,
    "safe": str,
    "hours": str,
    "spoc": int,
    "calls": int,
    "calls_before": int,
    "visit": str,
    "children": str,
    "code_word": str,
    "orders": str,
    "address": str,
    "never_call": bool,
    "marker": str,
}
_SORT: Final[dict[str, type]] = {
    "signal": str,
    "weight": int,
    "keys": str,
    "answer": int,
    "outcomes": list,
    "grades": list,
}


def read_demo(data: dict[str, Any]) -> Story:
    """Read the parsed file. Raises ``BadFile`` on the first wrong key."""
    check_head(data, (*_TOP, *_RATES, "numbers", "officer", "person", "sort"), "people and calls")
    top = {key: _value("", data, key, kind) for key, kind in _TOP.items()}
    if not top["begins"] < top["lasts"] <= top["baseline"]:
        raise BadFile("lasts", "must be more than begins and at most baseline")
    a_day, a_day_before = (_value("", data, key, float) for key in _RATES)
    officers = tuple(
        Officer(*(_value(f"officer {at}: ", one, key, str) for key in ("name", "role")))
        for at, one in _tables(data, "officer")
    )
    numbers = data.get("numbers")
    if not isinstance(numbers, list) or len(numbers) != 2:
        raise BadFile("numbers", "must be the first and the last number")
    first, last = (_number("numbers", one) for one in numbers)
    return Story(
        **top,
        a_day=a_day,
        a_day_before=a_day_before,
        numbers=(first, last),
        officers=officers,
        people=tuple(
            _person(f"person {at}: ", one, officers) for at, one in _tables(data, "person")
        ),
        sorts=tuple(_sort(f"sort {at}: ", one) for at, one in _tables(data, "sort")),
    )


def _tables(data: dict[str, Any], key: str) -> list[tuple[int, dict[str, Any]]]:
    tables = data.get(key)
    if not isinstance(tables, list) or not tables or any(not isinstance(t, dict) for t in tables):
        raise BadFile(key, f"must be [[{key}]] tables")
    return list(enumerate(tables, start=1))


def _person(place: str, table: dict[str, Any], officers: tuple[Officer, ...]) -> Invented:
    _known(place, table, _PERSON)
    found = {key: _value(place, table, key, kind, kind()) for key, kind in _PERSON.items()}
    _number(f"{place}number", found["number"])
    if found["part"] not in PARTS:
        raise BadFile(f"{place}part", f"must be one of {', '.join(PARTS)}")
    if found["safe"] not in SAFE:
        raise BadFile(f"{place}safe", f"must be one of {', '.join(SAFE)}")
    if not 0 <= found["spoc"] <= len(officers):
        raise BadFile(f"{place}spoc", "must be the number of an officer, or 0")
    spoc = officers[found["spoc"] - 1].name if found["spoc"] else ""
    return Invented(**{**found, "spoc": spoc})


def _sort(place: str, table: dict[str, Any]) -> Sort:
    _known(place, table, _SORT)
    found = {key: _value(place, table, key, kind, kind()) for key, kind in _SORT.items()}
    if found["signal"] not in SIGNALS:
        raise BadFile(f"{place}signal", f"must be one of {', '.join(SIGNALS)}")
    if not found["outcomes"] or (found["signal"] != "nothing" and not found["grades"]):
        raise BadFile(f"{place}outcomes", "must list at least one, and grades, too, after a sign")
    lists = {key: tuple(map(str, found[key])) for key in ("outcomes", "grades")}
    return Sort(**{**found, **lists, "answer": float(found["answer"])})


def _known(place: str, table: dict[str, Any], keys: dict[str, type]) -> None:
    for key in table:
        if key not in keys:
            raise BadFile(f"{place}{key}", f"is not a key of it ({', '.join(keys)})")


def _value(place: str, table: dict[str, Any], key: str, kind: type, default: Any = None) -> Any:
    value = table.get(key, default)
    if type(value) is not kind:
        raise BadFile(f"{place}{key}", f"must be of the kind {kind.__name__}")
    return value


def _number(key: str, number: object) -> str:
    if not isinstance(number, str) or not DRAMA.fullmatch(number):
        raise BadFile(key, "must be a number kept for drama: +447700900… or +441632960…")
    return number
