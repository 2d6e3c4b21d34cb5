"""Reads ``follow_ups.toml``: the kinds of work after a call, when due, and how each may end."""

from __future__ import annotations

import re
from typing import Any, Final

from config.reading import BadFile, check_head
from incidents.follow_up_kinds import Kind, Kinds

FILE: Final = "follow_ups.toml"
_KIND: Final = ("id", "name", "due_days", "outcomes")
_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LONGEST_NAME: Final = 80
_LATEST_DUE_DAYS: Final = 366


def check_follow_ups(data: dict[str, Any]) -> None:
    """Check the head of the parsed file. Raises ``BadFile``."""
    check_head(data, ("kind", "rule"), "kinds and rules")


def read_follow_ups(data: dict[str, Any]) -> Kinds:
    """Read the parsed file. Raises ``BadFile`` on the first wrong key."""
    check_follow_ups(data)
    tables = data.get("kind")
    if not isinstance(tables, list) or not tables:
        raise BadFile("kind", "must be at least one [[kind]] table")
    kinds: list[Kind] = []
    for at, table in enumerate(tables, start=1):
        kind = _kind(f"kind {at}", table)
        if any(kind.id == one.id for one in kinds):
            raise BadFile(f"kind {at}: id", "is listed twice")
        kinds.append(kind)
    return Kinds(tuple(kinds))


def _kind(place: str, table: Any) -> Kind:
    if not isinstance(table, dict):
        raise BadFile(place, "must be a [[kind]] table")
    for key in table:
        if key not in _KIND:
            raise BadFile(f"{place}: {key}", f"is not a key of a kind ({', '.join(_KIND)})")
    days = table.get("due_days")
    if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= _LATEST_DUE_DAYS:
        raise BadFile(f"{place}: due_days", f"must be a whole number from 0 to {_LATEST_DUE_DAYS}")
    outcomes = table.get("outcomes")
    if not isinstance(outcomes, dict) or not outcomes:
        raise BadFile(f"{place}: outcomes", "must be a table of at least one outcome, id = name")
    return Kind(
        id_of(f"{place}: id", table.get("id")),
        text_of(f"{place}: name", table.get("name")),
        days,
        tuple(
            (id_of(f"{place}: outcomes.{key}", key), text_of(f"{place}: outcomes.{key}", name))
            for key, name in outcomes.items()
        ),
    )


def id_of(key: str, value: Any) -> str:
    """Return an id. Raises ``BadFile``."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise BadFile(key, "must be one word of a-z, 0-9 and _, at most 40 long")
    return value


def text_of(key: str, value: Any, longest: int = _LONGEST_NAME) -> str:
    """Return a text on one line. Raises ``BadFile``."""
    fit = isinstance(value, str) and value.strip() and value.isprintable()
    if not fit or len(value) > longest:
        raise BadFile(key, f"must be a text of 1 to {longest} characters on one line")
    return str(value)
