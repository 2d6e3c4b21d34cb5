"""Reads ``figures.toml``: how figures are counted, and from when they say anything."""

from typing import Any, Final

from config.reading import BadFile, check_head
from incidents.figure_policy import FigurePolicy

FILE: Final = "figures.toml"
_WHOLE: Final = {
    "few": (2, 1000),
    "answered_within_seconds": (1, 3600),
    "repeat_days": (1, 366),
    "longest_days": (1, 3 * 366),
}
_SHARES: Final = {"confidence": (0.5, 0.999), "answered_share": (0.01, 0.999)}


def read_figures(data: dict[str, Any]) -> FigurePolicy:
    """Read the parsed file. Raises ``BadFile`` on the first wrong key."""
    check_head(data, ("figures",), "rules")
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
    )


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
