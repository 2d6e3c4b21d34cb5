"""Reads ``figures.toml``: how figures are counted, and from when they say anything."""

from typing import Any, Final

from config.reading import BadFile, check_head
from incidents.figure_policy import FigurePolicy
from incidents.follow_up_kinds import Kinds

FILE: Final = "figures.toml"
_WHOLE: Final = {
    "few": (2, 1000),
    "answered_within_seconds": (1, 3600),
    "repeat_days": (1, 366),
    "longest_days": (1, 3 * 366),
}
_CONTACTS: Final = ("offered", "taken", "again")
_SHARES: Final = {"confidence": (0.5, 0.999), "answered_share": (0.01, 0.999)}


def read_figures(data: dict[str, Any], kinds: Kinds) -> FigurePolicy:
    """Read the parsed file. ``kinds``: of follow-ups. Raises ``BadFile`` on the first wrong key."""
    check_head(data, ("figures", "contacts"), "rules")
    told = _contacts(data.get("contacts"), kinds)
    table = data.get("figures")
    if not isinstance(table, dict):
        raise BadFile("figures", "must be a [figures] table")
    known = (*_WHOLE, *_SHARES)
    for key in table:
        if key not in known:
            raise BadFile(f"figures.{key}", f"is not a key of it ({', '.join(known)})")
    return FigurePolicy(
        confidence=_share(table, "confidence"),
        few=_whole(table, "few"),
        answered_within=_whole(table, "answered_within_seconds"),
        answered_share=_share(table, "answered_share"),
        repeat_days=_whole(table, "repeat_days"),
        longest_days=_whole(table, "longest_days"),
        offered=told["offered"],
        taken=told["taken"],
        again=told["again"],
    )


def _contacts(table: Any, kinds: Kinds) -> dict[str, frozenset[str]]:
    if not isinstance(table, dict):
        raise BadFile("contacts", "must be a [contacts] table")
    for key in table:
        if key not in _CONTACTS:
            raise BadFile(f"contacts.{key}", f"is not a key of it ({', '.join(_CONTACTS)})")
    known = {f"{kind.id}.{outcome}" for kind in kinds.all for outcome, _ in kind.outcomes}
    found = {}
    for key in _CONTACTS:
        listed = table.get(key)
        if not isinstance(listed, list) or any(one not in known for one in listed):
            raise BadFile(f"contacts.{key}", "must list kind.outcome as in follow_ups.toml")
        found[key] = frozenset(listed)
    if not found["taken"] <= found["offered"]:
        raise BadFile("contacts.taken", "must list nothing that is not in offered, too")
    return found


def _whole(table: dict[str, Any], key: str) -> int:
    value, (least, most) = table.get(key), _WHOLE[key]
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadFile(f"figures.{key}", f"must be a whole number from {least} to {most}")
    return value


def _share(table: dict[str, Any], key: str) -> float:
    value, (least, most) = table.get(key), _SHARES[key]
    if not isinstance(value, float) or not least <= value <= most:
        raise BadFile(f"figures.{key}", f"must be a number from {least} to {most}, such as {most}")
    return value
