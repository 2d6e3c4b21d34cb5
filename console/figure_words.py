"""Figures in words: numbers with their unit, intervals, and what two periods say of each other.

Where numbers are too few it says so, and never a share of a handful.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from math import inf, isinf
from typing import Final

from console.cells import cell
from console.measures import Measure, Row, Table
from incidents.estimates import Interval

TOO_FEW: Final = "too few to say"
NO_BREAK: Final = "\N{NO-BREAK SPACE}"
_SIDES: Final = {
    "a day": {"more": "More", "fewer": "Fewer"},
    "share": {"more": "Higher", "fewer": "Lower"},
    "seconds": {"more": "Longer", "fewer": "Shorter"},
    "number": {"more": "More", "fewer": "Fewer"},
}
COLUMNS: Final = (
    *("table", "figure", "unit", "number", "of", "value", "low", "high"),
    *("baseline_number", "baseline_of", "baseline_value", "baseline_low", "baseline_high"),
    *("change", "change_by", "change_low", "change_high"),
)


def value(one: Measure | None) -> str:
    """Write a figure: ``57``, ``12 of 40 (30 %)``, ``1 min 20 s``."""
    if one is None:
        return ""
    if one.unit == "seconds":
        if one.value is None:
            return TOO_FEW
        return seconds(one.value)
    if one.unit == "share":
        part = f"{one.count} of {one.of}"
        return part if one.value is None else f"{part} ({percent(one.value)})"
    return str(one.count)


def interval(one: Measure | None) -> str:
    """Write the interval of a figure: ``1.5 to 2.6 a day``; ``too few to say``."""
    if one is None:
        return ""
    if one.of == 0:
        return "none"
    if one.value is None:
        return TOO_FEW if one.unit != "a day" else "no time has passed"
    if one.within is None:
        return ""
    low, high = one.within.low, one.within.high
    if one.unit == "share":
        return f"{percent(low)} to {percent(high)}"
    if one.unit == "seconds":
        return f"{seconds(low)} or more" if isinf(high) else f"{seconds(low)} to {seconds(high)}"
    return f"{number(low)} to {number(high)} a day"


def change(row: Row) -> str:
    """Say how a figure differs from its baseline, or that it cannot be told."""
    found = row.change
    if found is None:
        return ""
    if found.change == "too few":
        return TOO_FEW.capitalize()
    side = _SIDES[row.now.unit].get(found.change, "Cannot tell")
    if found.within is None or found.by is None:
        return side
    low, high = found.within.low, found.within.high
    if row.now.unit == "share":
        by = "" if found.change == "cannot tell" else f"{points(found.by)} points "
        span = f"{points(low)} to {points(high)}"
        return f"{side}: {by}({span})" if by else f"{side}: {span} points"
    span = f"at least {number(low)}" if isinf(high) else f"{number(low)} to {number(high)}"
    if found.change == "cannot tell":
        return f"{side}: {span} times"
    return (
        f"{side}: {number(found.by)} times ({span})" if found.by < inf else f"{side}: {span} times"
    )


def percent(share: float) -> str:
    """Write a share: ``30 %``; under a tenth with a decimal, so that small ones differ."""
    whole = share * 100
    text = f"{whole:.0f}" if whole in (0, 100) or 10 <= whole <= 90 else f"{whole:.1f}"
    return f"{text}{NO_BREAK}%"


def points(share: float) -> str:
    """Write a difference of shares, in hundredths, with its sign."""
    return f"{share * 100:+.0f}".replace("-", "−").replace("+0", "0").replace("−0", "0")


def number(of: float) -> str:
    """Write a number to as many figures as it is worth."""
    if of >= 100 or of == 0:
        return f"{of:.0f}"
    return f"{of:.1f}" if of >= 1 else f"{of:.2f}"


def seconds(of: float) -> str:
    """Write a time: ``7 s``, ``1 min 20 s``, ``2 h 05 min``."""
    if isinf(of):
        return "not reached: too many were never answered"
    whole = round(of)
    if whole < 60:
        return f"{of:.1f} s" if of < 10 and of != whole else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def as_csv(head: Iterable[tuple[str, str]], tables: Iterable[Table]) -> str:
    """Write tables for a spreadsheet, under lines that say what was counted. No cell is a formula.

    Empty: too few to say, or there is none.
    """
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    for name, text in head:
        rows.writerow([cell(name), cell(text)])
    rows.writerow(COLUMNS)
    for table in tables:
        for row in table.rows:
            found = row.change
            told = [table.title, row.name, row.now.unit, *_raw(row.now), *_raw(row.then)]
            told += ["", "", "", ""]
            if found is not None:
                within = found.within or Interval(inf, inf)
                by = inf if found.by is None else found.by
                told[-4:] = [found.change, _figure(by), _figure(within.low), _figure(within.high)]
            rows.writerow([_safe(one) for one in told])
    return out.getvalue()


def _raw(one: Measure | None) -> list[str]:
    if one is None:
        return [""] * 5
    within = one.within or Interval(inf, inf)
    counts = ["" if each is None else str(each) for each in (one.count, one.of)]
    known = "" if one.value is None else _figure(one.value)
    return [*counts, known, _figure(within.low), _figure(within.high)]


def _figure(of: float) -> str:
    return "" if isinf(of) else f"{of:.4f}"


def _safe(text: str) -> str:
    """Quote what could run as a formula; a number of ours with its sign cannot."""
    try:
        float(text)
    except ValueError:
        return cell(text)
    return text
