"""Reads ``unusual.toml``: which looks at records stand out on the auditors' page."""

from typing import Any, Final

from config.reading import BadFile, check_head
from incidents.unusual_policy import Unusual

FILE: Final = "unusual.toml"
_TABLES: Final = {
    "own_number": ("shown",),
    "many_records": ("records", "minutes"),
    "outside_shift": ("shown", "grace_minutes"),
}
_WHOLE: Final = {"records": (0, 10_000), "minutes": (1, 24 * 60), "grace_minutes": (0, 8 * 60)}


def read_unusual(data: dict[str, Any]) -> Unusual:
    """Read the parsed file. Raises ``BadFile`` on the first wrong key."""
    check_head(data, _TABLES, "rules")
    for name, keys in _TABLES.items():
        table = data.get(name)
        if not isinstance(table, dict):
            raise BadFile(name, f"must be a [{name}] table")
        for key in table:
            if key not in keys:
                raise BadFile(f"{name}.{key}", f"is not a key of it ({', '.join(keys)})")
    return Unusual(
        own_number=_shown(data, "own_number"),
        records=_whole(data, "many_records", "records"),
        minutes=_whole(data, "many_records", "minutes"),
        outside_shift=_shown(data, "outside_shift"),
        grace_minutes=_whole(data, "outside_shift", "grace_minutes"),
    )


def _shown(data: dict[str, Any], table: str) -> bool:
    value = data[table].get("shown")
    if not isinstance(value, bool):
        raise BadFile(f"{table}.shown", "must be true or false")
    return value


def _whole(data: dict[str, Any], table: str, key: str) -> int:
    value = data[table].get(key)
    least, most = _WHOLE[key]
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadFile(f"{table}.{key}", f"must be a whole number from {least} to {most}")
    return value
