"""Cells of a table for a spreadsheet. It lets none become a formula."""

from __future__ import annotations

from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell(value: object) -> str:
    """Write a value as text that no spreadsheet runs: a leading ' where it would.

    OWASP, "CSV Injection": a caller decides what stands in ``From``, and a cell that begins with
    ``=`` is run on the machine of whoever opens the file.
    """
    text = "" if value is None else str(value)
    return "'" + text if text.lstrip(" ").startswith(_FORMULA) else text
