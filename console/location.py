"""Where a caller may be, as a control room or a handler sends it: read, checked, never drawn here.

Three sources, which may come together: AML (the phone's own message to the emergency services),
EISEC (name and address of the line) and what a person typed. A fix that is none (``pm=N``, or
0,0) is kept as "no fix", with its time, and never as a position. 55 itself gives no location.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from console.bodies import BadBody, Field, Measure, Text
from console.filters import BadFilter, instant
from incidents.fold import as_text

METHODS: Final = ("G", "W", "C", "U", "N")
"""How AML found the place (ETSI TS 103 625): satellites, Wi-Fi, cell, unknown, no fix."""
FARTHEST: Final = 1_000_000
"""Metres; a radius beyond this says nothing about a place."""
LONGEST: Final = 500
_STAMP: Final = re.compile(r"\d{14}", re.ASCII)

FIELDS: Final[tuple[Field, ...]] = (
    Measure("lt", "AML: latitude in degrees (WGS 84).", -90, 90, "°"),
    Measure("lg", "AML: longitude in degrees (WGS 84).", -180, 180, "°"),
    Measure("rd", "AML: radius of the fix in metres.", 0, FARTHEST, " m"),
    Text("top", "AML: when the fix was made: RFC 3339, or 14 digits in UTC as phones send.", 40),
    Measure(
        "lc", "AML: confidence that the phone is within the radius, in per cent.", 0, 100, " %"
    ),
    Text("pm", "AML: method; N is no fix.", 1, values=METHODS),
    Text("name", "EISEC: who the line belongs to.", LONGEST),
    Text("address", "EISEC: address of the line.", LONGEST, lines=True),
    Text("postcode", "EISEC: its postcode.", 16),
    Text("text", "Where the caller is, in words.", LONGEST, lines=True),
    Text("source", "Where this comes from, when it is neither AML nor EISEC.", 80),
)


def read_location(told: Mapping[str, Any]) -> dict[str, Any]:
    """Check fields that were read by ``FIELDS`` together. Raises ``BadBody``."""
    facts = {name: value for name, value in told.items() if value != ""}
    aml = {"lt", "lg", "pm"} & facts.keys()
    eisec = {"name", "address", "postcode"} & facts.keys()
    if not aml and not eisec and "text" not in facts:
        raise BadBody("Send a location: lt and lg, pm=N, an address, a postcode, or text.")
    for one, other in (("lt", "lg"), ("lg", "lt")):
        if one in facts and other not in facts and facts.get("pm") != "N":
            raise BadBody(f"{other} is missing: a position needs lt and lg.")
    if "top" in facts:
        facts["top"] = _fixed_at(facts["top"])
    if facts.get("pm") == "N" or (facts.get("lt"), facts.get("lg")) == (0, 0):
        facts.pop("lt", None)
        facts.pop("lg", None)
        facts["no_fix"] = True
    elif "pm" in facts and "lt" not in facts:
        raise BadBody("lt is missing: a position needs lt and lg; without a fix send pm=N.")
    sources = [*(["AML"] if aml else []), *(["EISEC"] if eisec else [])]
    facts.setdefault("source", " and ".join(sources) or "typed")
    return facts


def _fixed_at(text: str) -> str:
    try:
        if _STAMP.fullmatch(text):
            found: datetime = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        else:
            found = instant("top", text)
    except (BadFilter, ValueError):
        raise BadBody(
            "top must be a date and time such as 2026-12-22T18:03:11Z or 20261222180311."
        ) from None
    return as_text(found) or ""
