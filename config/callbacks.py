"""Reads ``callbacks.toml``: the neutral script of a call-back, its times and how it may end."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import timedelta
from typing import Any, Final

from callflow.lines import KINDS, Kind
from config.reading import BadFile, check_head
from incidents.callback_policy import WRONG_VOICE, CallBackPolicy, Result, Script

FILE: Final = "callbacks.toml"
TEXTS: Final = tuple(field.name for field in fields(Script))
NUMBERS: Final = {
    "confirm_minutes": (1, 30),
    "ring_minutes": (1, 60),
    "ring_seconds": (5, 60),
}
"""Each with its least and most."""
TELLING: Final = re.compile(
    r"\b(police|officer|constable|sergeant|domestic|abuse\w*|victim\w*|violence|crime\w*|999|101|55|"
    r"emergency|quietline)\b",
    re.IGNORECASE,
)
"""Words that would tell whoever listens who is calling, and why."""
_LONGEST_TEXT: Final = 200
_LONGEST_NAME: Final = 80
_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_RESULT: Final = ("id", "name", "confirmed")


def read_callbacks(data: dict[str, Any]) -> CallBackPolicy:
    """Read the parsed file. Raises ``BadFile`` on the first wrong key."""
    check_head(data, (*TEXTS, *NUMBERS, "lines", "result"), "words")
    script = Script(**{key: _text(key, data.get(key), _LONGEST_TEXT) for key in TEXTS})
    for key in TEXTS:
        if key != "machine" and (telling := TELLING.search(data[key])):
            reason = f"must be neutral: whoever answers may hear it, and {telling[0]!r} tells"
            raise BadFile(key, reason)
    numbers = {key: _number(key, data.get(key)) for key in NUMBERS}
    if numbers["ring_minutes"] < numbers["confirm_minutes"]:
        raise BadFile("ring_minutes", "must not be less than confirm_minutes")
    return CallBackPolicy(
        script,
        timedelta(minutes=numbers["confirm_minutes"]),
        timedelta(minutes=numbers["ring_minutes"]),
        numbers["ring_seconds"],
        _lines(data.get("lines")),
        _results(data.get("result")),
    )


def _lines(listed: Any) -> tuple[Kind, ...]:
    if not isinstance(listed, list) or not listed:
        raise BadFile("lines", f"must be a list of kinds of line ({', '.join(KINDS)})")
    found: list[Kind] = []
    for one in listed:
        kind = next((kind for kind in KINDS if kind == one), None)
        if kind is None or kind in found:
            raise BadFile("lines", f"must be kinds of line ({', '.join(KINDS)}), each once")
        found.append(kind)
    return tuple(found)


def _results(tables: Any) -> tuple[Result, ...]:
    if not isinstance(tables, list) or not tables:
        raise BadFile("result", "must be at least one [[result]] table")
    results: list[Result] = []
    for at, table in enumerate(tables, start=1):
        place = f"result {at}"
        if not isinstance(table, dict):
            raise BadFile(place, "must be a [[result]] table")
        for key in table:
            if key not in _RESULT:
                raise BadFile(f"{place}: {key}", f"is not a key of a result ({', '.join(_RESULT)})")
        id_ = table.get("id")
        if not isinstance(id_, str) or not _ID.fullmatch(id_):
            raise BadFile(f"{place}: id", "must be one word of a-z, 0-9 and _, at most 40 long")
        if any(one.id == id_ for one in results):
            raise BadFile(f"{place}: id", "is listed twice")
        confirmed = table.get("confirmed", False)
        if not isinstance(confirmed, bool):
            raise BadFile(f"{place}: confirmed", "must be true or false")
        name = _text(f"{place}: name", table.get("name"), _LONGEST_NAME)
        results.append(Result(id_, name, confirmed))
    if not any(one.id == WRONG_VOICE and not one.confirmed for one in results):
        reason = f"there must be a result {WRONG_VOICE!r} that needs no confirmation"
        raise BadFile("result", reason)
    return tuple(results)


def _text(key: str, value: Any, longest: int) -> str:
    fit = isinstance(value, str) and value.strip() and value.isprintable()
    if not fit or len(value) > longest:
        raise BadFile(key, f"must be a text of 1 to {longest} characters on one line")
    return str(value)


def _number(key: str, value: Any) -> int:
    least, most = NUMBERS[key]
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadFile(key, f"must be a whole number from {least} to {most}")
    return value
