"""The deeds with which a person says who has which part in a call."""

from __future__ import annotations

from typing import Final

from console.bodies import Text
from console.deed import LONGEST_NAME, Deed
from incidents.parts import PARTS
from incidents.persons import LONGEST_NAME as LONGEST_FULL_NAME

_EXAMPLE: Final = "01985a2f-2c31-7a44-8d37-0123456789ab"

PARTAKING: Final = (
    Deed(
        "confirm-part",
        "people",
        "Say that somebody has a part in the call",
        lambda desk, of, told, how: desk.confirm_part(
            of,
            told["part"],
            person=told.get("person", ""),
            name=told.get("name", ""),
            **how,
        ),
        (
            Text("part", "Which part. Somebody may have several.", 64, required=True, values=PARTS),
            Text("person", "The person's id.", LONGEST_NAME),
            Text("name", "Or their full name.", LONGEST_FULL_NAME),
        ),
        {"part": PARTS[0], "person": _EXAMPLE},
        closed=True,
        about="Send either person or name.",
    ),
    Deed(
        "refuse-part",
        "people",
        "Say that somebody has no part in the call",
        lambda desk, of, told, how: desk.refuse_part(of, told["person"], **how),
        (Text("person", "The person's id.", LONGEST_NAME, required=True),),
        {"person": _EXAMPLE},
        closed=True,
        about="They are not named again for this call.",
    ),
)
