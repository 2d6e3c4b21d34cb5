"""Rows of a CSV file that somebody brings: read whole, good ones and refused ones kept apart.

A file that is no such file is refused as a whole; a row that cannot be used is refused with its
line and the reason, and keeps back no other. Reasons name columns, never what stands in them.
"""

import csv
import io
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from incidents.working import Unfit

MOST_ROWS: Final = 20_000
LONGEST_FILE: Final = 20_000_000
"""Bytes of a file."""

Row = TypeVar("Row")
Field = Callable[[str], str]
"""(column) → what stands there, trimmed; empty when the file has no such column."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is not added, and why. ``line``: as an editor counts, from 1."""

    line: int
    reason: str


def read_rows(
    data: bytes, columns: Collection[str], needed: str, row: Callable[[int, Field], Row]
) -> tuple[tuple[Row, ...], tuple[Refused, ...]]:
    """Return the good rows of a file and the refused ones, each in the order of the file.

    ``needed``: a column that must be there. ``row`` reads one, or raises ``Unfit``. Raises
    ``Unfit`` (field ``file``) when the file cannot be read as a whole.
    """
    if len(data) > LONGEST_FILE:
        raise Unfit("file", f"The file is longer than {LONGEST_FILE} bytes. Split it.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unfit("file", "The file is not UTF-8. Save it as “CSV UTF-8”.") from None
    lines = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    good: list[Row] = []
    refused: list[Refused] = []
    try:
        _check_head(lines.fieldnames, columns, needed)
        for told in lines:
            if len(good) + len(refused) == MOST_ROWS:
                raise Unfit("file", f"The file has more than {MOST_ROWS} rows. Split it.")
            try:
                good.append(row(lines.line_num, _field(told)))
            except Unfit as unfit:
                refused.append(Refused(lines.line_num, str(unfit)))
    except csv.Error as bad:
        raise Unfit("file", f"Line {lines.line_num} is not CSV: {bad}.") from None
    return tuple(good), tuple(refused)


def _check_head(head: Sequence[str] | None, columns: Collection[str], needed: str) -> None:
    listed = ", ".join(columns)
    if not head or needed not in head:
        what = f"The first line must name the columns, “{needed}” among them: {listed}."
        raise Unfit("file", what)
    for column in head:
        if column not in columns:
            raise Unfit("file", f"There is no column “{column}”. Columns: {listed}.")
    if len(set(head)) != len(head):
        raise Unfit("file", "A column stands in the first line twice.")


def _field(told: Mapping[str | None, str | list[str] | None]) -> Field:
    # The reader puts fields beyond the head under None, and None where a field is missing.
    if None in told or None in told.values():
        raise Unfit("row", "does not have as many fields as the first line")
    given = {str(column): str(value).strip() for column, value in told.items()}
    return lambda column: given.get(column, "")
