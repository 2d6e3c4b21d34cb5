"""Reads ``review.toml``: how calls without a sign of life are reviewed, and how often twice."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final

from callflow.urgency import NOW, SOON
from config.reading import BadFile, check_head
from incidents.grades import Grades
from incidents.review_policy import DOES, Decision, Review

FILE: Final = "review.toml"
_HEAD: Final = (
    *("look_within_minutes", "alarm_at_calls", "alarm_after_minutes"),
    *("second_look_percent", "raise_to", "decision"),
)
_DECISION: Final = ("id", "key", "name", "words", "does", "outcome", "minutes")
_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_KEY: Final = re.compile(r"[a-z]")
_TAKEN: Final = ("j", "k")
"""Keys that move in every list."""
_MOST_MINUTES: Final = 7 * 24 * 60
_MOST_CALLS: Final = 1000
"""More overdue calls than that without an alarm is no queue anybody looks at."""
_LONGEST_NAME: Final = 40
_LONGEST_WORDS: Final = 160


def read_review(data: dict[str, Any], grades: Grades) -> Review:
    """Read the parsed file. Raises ``BadFile`` on the first wrong key."""
    check_head(data, _HEAD, "review")
    tables = data.get("decision")
    if not isinstance(tables, list) or not tables:
        raise BadFile("decision", "must be at least one [[decision]] table")
    decisions: list[Decision] = []
    for at, table in enumerate(tables, start=1):
        made = _decision(f"decision {at}", table, grades)
        for key, before in (("id", [one.id for one in decisions]), ("key", _keys(decisions))):
            if getattr(made, key) in before:
                raise BadFile(f"decision {at}: {key}", "is listed twice")
        decisions.append(made)
    for does in ("close", "raise"):
        if does not in (one.does for one in decisions):
            raise BadFile("decision", f'one of them must have does = "{does}"')
    return Review(
        timedelta(minutes=_whole(data, "", "look_within_minutes", 1, _MOST_MINUTES)),
        _whole(data, "", "alarm_at_calls", 1, _MOST_CALLS),
        timedelta(minutes=_whole(data, "", "alarm_after_minutes", 1, _MOST_MINUTES)),
        _whole(data, "", "second_look_percent", 0, 100),
        _whole(data, "", "raise_to", NOW, SOON),
        tuple(decisions),
    )


def _keys(decisions: list[Decision]) -> list[str]:
    return [one.key for one in decisions]


def _decision(place: str, table: Any, grades: Grades) -> Decision:
    if not isinstance(table, dict):
        raise BadFile(place, "must be a [[decision]] table")
    for key in table:
        if key not in _DECISION:
            raise BadFile(f"{place}: {key}", f"is not a key of a decision ({', '.join(_DECISION)})")
    id_, key = table.get("id"), table.get("key")
    if not isinstance(id_, str) or not _ID.fullmatch(id_):
        raise BadFile(f"{place}: id", "must be one word of a-z, 0-9 and _, at most 40 long")
    if not isinstance(key, str) or not _KEY.fullmatch(key) or key in _TAKEN:
        raise BadFile(f"{place}: key", f"must be one letter of a-z and not {', '.join(_TAKEN)}")
    does = next((one for one in DOES if one == table.get("does")), None)
    if does is None:
        raise BadFile(f"{place}: does", f"must be one of {', '.join(DOES)}")
    for only, of in (("outcome", "close"), ("minutes", "later")):
        if only in table and does != of:
            raise BadFile(f"{place}: {only}", f'is only for does = "{of}"')
    outcome = table.get("outcome", "")
    if does == "close" and (not isinstance(outcome, str) or grades.outcome(outcome) is None):
        known = ", ".join(one.id for one in grades.outcomes)
        raise BadFile(f"{place}: outcome", f"must be an outcome of grades.toml ({known})")
    minutes = _whole(table, f"{place}: ", "minutes", 1, _MOST_MINUTES) if does == "later" else 0
    return Decision(
        id_,
        key,
        _text(table, place, "name", _LONGEST_NAME),
        _text(table, place, "words", _LONGEST_WORDS),
        does,
        outcome,
        timedelta(minutes=minutes),
    )


def _text(table: dict[str, Any], place: str, key: str, longest: int) -> str:
    value = table.get(key)
    fit = isinstance(value, str) and value.strip() and value.isprintable()
    if not fit or len(str(value)) > longest:
        raise BadFile(f"{place}: {key}", f"must be a text of 1 to {longest} characters on one line")
    return str(value)


def _whole(table: dict[str, Any], place: str, key: str, least: int, most: int) -> int:
    value = table.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadFile(f"{place}{key}", f"must be a whole number from {least} to {most}")
    return value
