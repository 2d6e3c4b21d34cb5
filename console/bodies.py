"""Reading the JSON body of a request, strictly: each field is understood exactly or refused.

A refusal is a sentence that names the field and says what to do. Nothing is guessed: a field
nobody knows is refused too, for it may be one that was misspelt. The same table of fields
describes the body in the OpenAPI document.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

Json = dict[str, Any]
LONGEST_KEY: Final = 200
"""Characters of an Idempotency-Key."""
_NUMBER: Final = re.compile(r"[+-]?\d{1,12}(\.\d{1,12})?", re.ASCII)
_MEASURE: Final = {"°": "degrees", " m": "metres", " %": "per cent"}


class BadBody(ValueError):
    """A body or a header is not understood; the text is a sentence that names what."""


class Field(Protocol):
    """One field of a body."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def required(self) -> bool:
        """Whether it must be there."""

    def read(self, value: Any) -> Any:
        """Return the value as it is meant. Raises ``BadBody``."""

    def schema(self) -> Json:
        """Return its JSON schema."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text. ``lines``: it may have several. ``values``: the only ones, when given."""

    name: str
    about: str
    longest: int
    required: bool = False
    lines: bool = False
    values: tuple[str, ...] = ()

    def read(self, value: Any) -> str:
        """Return the text. Empty is as good as absent: whoever needs it will say so."""
        if not isinstance(value, str):
            raise BadBody(f"{self.name} must be a text in quotes.")
        if self.values and value not in self.values:
            raise BadBody(f"{self.name} must be one of: {', '.join(self.values)}.")
        if len(value) > self.longest:
            over = len(value) - self.longest
            raise BadBody(f"{self.name}: at most {self.longest} characters; {over} too many.")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BadBody(f"{self.name} holds half a character: write it again.") from None
        plain = value.translate({ord("\n"): None, ord("\r"): None, ord("\t"): None})
        if any(ord(one) < 0x20 or ord(one) == 0x7F for one in plain):
            raise BadBody(f"{self.name} holds control characters: take them out.")
        if not self.lines and plain != value:
            raise BadBody(f"{self.name} must stand on one line.")
        return value

    def schema(self) -> Json:
        """Return its JSON schema."""
        told: Json = {"type": "string", "description": self.about}
        if not self.required:
            told["type"] = ["string", "null"]
        if self.values:
            return {**told, "enum": [*self.values, *([] if self.required else [None])]}
        return {**told, "maxLength": self.longest, **({"minLength": 1} if self.required else {})}


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from ``least`` to ``most``."""

    name: str
    about: str
    least: int
    most: int
    required: bool = False

    def read(self, value: Any) -> int:
        """Return the number."""
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not self.least <= value <= self.most:
            raise BadBody(f"{self.name} must be a whole number from {self.least} to {self.most}.")
        return int(value)

    def schema(self) -> Json:
        """Return its JSON schema."""
        values = list(range(self.least, self.most + 1))
        return {"type": "integer", "enum": values, "description": self.about}


@dataclass(frozen=True, slots=True)
class Measure:
    """A number from ``least`` to ``most``, also written as a text, as phones send it: ``+51.5``."""

    name: str
    about: str
    least: float
    most: float
    unit: str
    required: bool = False

    def read(self, value: Any) -> float:
        """Return the number."""
        if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
            value = float(value)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        # A whole number of a thousand digits is too large even to be compared as a float.
        if not number or not self.least <= value <= self.most or not math.isfinite(value):
            unit = _MEASURE.get(self.unit, self.unit)
            raise BadBody(
                f"{self.name} must be a number of {unit} from {self.least:g} to {self.most:g}."
            )
        return float(value)

    def schema(self) -> Json:
        """Return its JSON schema."""
        return {
            "description": self.about,
            "anyOf": [
                {"type": "number", "minimum": self.least, "maximum": self.most},
                {"type": "string", "pattern": r"^[+-]?\d{1,12}(\.\d{1,12})?$"},
                *([] if self.required else [{"type": "null"}]),
            ],
        }


def read_body(raw: bytes, fields: Sequence[Field]) -> Json:
    """Read a body with ``fields``; an absent or empty one has none. Raises ``BadBody``."""
    told = _object(raw)
    known = {field.name: field for field in fields}
    for name in told:
        if name not in known:
            names = ", ".join(known) or "none"
            raise BadBody(f"There is no field called {_shown(name)} here; there are: {names}.")
    read = {}
    for field in fields:
        if (value := told.get(field.name)) is not None:
            read[field.name] = field.read(value)
        elif field.required:
            raise BadBody(f"{field.name} is missing: send it in the JSON object.")
    return read


def idempotency_key(given: str | None) -> str | None:
    """Read an Idempotency-Key header. Raises ``BadBody``."""
    if given is None:
        return None
    if not 1 <= len(given) <= LONGEST_KEY or not (given.isascii() and given.isprintable()):
        raise BadBody(
            f"Idempotency-Key must be 1 to {LONGEST_KEY} printable characters, such as a UUID."
        )
    return given


def _object(raw: bytes) -> Json:
    if not raw.strip():
        return {}
    try:
        told = json.loads(raw.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise BadBody("The body must be JSON in UTF-8.") from None
    except RecursionError:
        raise BadBody("The body is nested too deeply: send one JSON object.") from None
    except BadBody:
        raise
    except ValueError:
        raise BadBody('The body is not JSON: send an object such as {"text": "…"}.') from None
    if not isinstance(told, dict):
        raise BadBody('The body must be a JSON object such as {"text": "…"}.')
    return told


def _once(pairs: list[tuple[str, Any]]) -> Json:
    told = dict(pairs)
    if len(told) != len(pairs):
        raise BadBody("A field stands in the body twice: send it once.")
    return told


def _no_constant(name: str) -> Any:
    raise BadBody(f"{name} is not a number in JSON: send a number or leave the field out.")


def _shown(name: str) -> str:
    """Show a name somebody sent in a sentence of ours: short, and on one line."""
    short = name[:40].encode("unicode_escape").decode("ascii")
    return f"“{short}{'…' if len(name) > 40 else ''}”"
