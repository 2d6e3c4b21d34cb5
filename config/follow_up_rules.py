"""Reads the rules of ``follow_ups.toml``: which calls make which follow-up, and whose it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from callflow.lines import KINDS as LINES
from callflow.lines import PURPOSES
from callflow.menus import Menu
from callflow.urgency import STRENGTH
from config.follow_ups import check_follow_ups, id_of, text_of
from config.reading import BadFile
from incidents.follow_up_kinds import Kinds
from incidents.follow_up_rules import OWNERS, Rule, When
from incidents.grades import Grades

_RULE: Final = ("id", "when", "makes")
_MAKES: Final = ("kind", "text", "due_hours", "owner")
_STATES: Final = ("waiting", "claimed", "review", "closed")
_CONNECTIONS: Final = ("open", "dropped", "ended")
_PARTS: Final = ("victim", "suspect", "witness", "caller")
_LONGEST_TEXT: Final = 200
_MOST_HOURS: Final = 366 * 24


def read_follow_up_rules(
    data: dict[str, Any], kinds: Kinds, grades: Grades, menus: Mapping[Any, Menu]
) -> tuple[Rule, ...]:
    """Read the rules of the parsed file. Raises ``BadFile`` on the first wrong key."""
    check_follow_ups(data)
    tables = data.get("rule", [])
    if not isinstance(tables, list):
        raise BadFile("rule", "must be [[rule]] tables")
    known: dict[str, Iterable[str]] = {
        "states": _STATES,
        "outcomes": [one.id for one in grades.outcomes],
        "lines": LINES,
        "signals": STRENGTH,
        "connections": _CONNECTIONS,
        "purposes": [one for one in PURPOSES if one != "proof"],
        "chosen": [choice.id for menu in menus.values() for choice in menu.choices],
        "parts": _PARTS,
    }
    rules: list[Rule] = []
    for at, table in enumerate(tables, start=1):
        rule = _rule(f"rule {at}", table, kinds, known)
        if any(rule.id == one.id for one in rules):
            raise BadFile(f"rule {at}: id", "is listed twice")
        rules.append(rule)
    return tuple(rules)


def _rule(place: str, table: Any, kinds: Kinds, known: Mapping[str, Iterable[str]]) -> Rule:
    _keys(place, table, _RULE)
    when, makes = table.get("when"), table.get("makes")
    _keys(f"{place}: when", when, (*known, "repeat_victim"))
    _keys(f"{place}: makes", makes, _MAKES)
    repeat = when.get("repeat_victim", False)
    if not isinstance(repeat, bool):
        raise BadFile(f"{place}: when: repeat_victim", "must be true or false")
    conditions = {key: _listed(place, when, key, words) for key, words in known.items()}
    if not any(conditions.values()) and not repeat:
        raise BadFile(f"{place}: when", "must say which calls: every call would make one")
    kind = kinds.get(str(makes.get("kind")))
    if kind is None:
        there = ", ".join(one.id for one in kinds.all)
        raise BadFile(f"{place}: makes: kind", f"must be one of the kinds above ({there})")
    owner = next((one for one in OWNERS if one == makes.get("owner")), None)
    if owner is None:
        raise BadFile(f"{place}: makes: owner", f"must be one of {', '.join(OWNERS)}")
    return Rule(
        id_of(f"{place}: id", table.get("id")),
        When(**conditions, repeat_victim=repeat),
        kind.id,
        text_of(f"{place}: makes: text", makes.get("text"), _LONGEST_TEXT),
        _due(f"{place}: makes: due_hours", makes.get("due_hours", kind.due_days * 24)),
        owner,
    )


def _keys(place: str, table: Any, keys: Iterable[str]) -> None:
    if not isinstance(table, dict):
        raise BadFile(place, "must be a table")
    for key in table:
        if key not in keys:
            raise BadFile(f"{place}: {key}", f"is not a key of it ({', '.join(keys)})")


def _listed(place: str, when: Mapping[str, Any], key: str, known: Iterable[str]) -> tuple[str, ...]:
    value = when.get(key, [])
    if not isinstance(value, list) or any(one not in known for one in value):
        raise BadFile(f"{place}: when: {key}", f"must be a list out of {', '.join(known)}")
    if key in when and not value:
        raise BadFile(f"{place}: when: {key}", "is empty: leave it out, and it is any")
    return tuple(value)


def _due(place: str, hours: Any) -> timedelta:
    if not isinstance(hours, int) or isinstance(hours, bool) or not 0 <= hours <= _MOST_HOURS:
        raise BadFile(place, f"must be a whole number of hours from 0 to {_MOST_HOURS}")
    return timedelta(hours=hours)
