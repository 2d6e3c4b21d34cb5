"""What every policy file has in common: where its content comes from, when that was checked, and
how a wrong one is refused. Each file's own module reads the rest.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any


class BadFile(ValueError):
    """A policy file is wrong. ``key`` says where, ``reason`` what to do."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key}: {reason}")
        self.key = key
        self.reason = reason


def check_head(data: Mapping[str, Any], keys: Iterable[str], what: str) -> None:
    """Check that ``data`` has a source, a date and no key but these and ``keys``.

    ``what`` the file holds, in the plural. Raises ``BadFile``.
    """
    known = ("source", "checked", *keys)
    for key in data:
        if key not in known:
            raise BadFile(key, f"is not a key of this file ({', '.join(known)})")
    if not isinstance(data.get("source"), str) or not data["source"].strip():
        raise BadFile("source", f"must say where the {what} come from")
    if not isinstance(data.get("checked"), date):
        raise BadFile("checked", "must be a date such as 2026-11-25")
