"""What the caller pressed, and whether it adds up to the profile's full signal.

Rule 5 of the domain: key presses add up. Nothing a caller presses is "wrong",
and nothing between two 5s or in the time between them takes them apart.
"""

import unicodedata
from dataclasses import dataclass
from itertools import islice

KEYPAD = "0123456789*#ABCD"
"""The sixteen keys of RFC 4733, section 3.2: twelve on a phone, four on test sets."""

_URL_SAFE = str.maketrans("*#", "sh")
_FROM_URL = str.maketrans("sh", "*#")

LONGEST_KEPT = 64
"""Keys kept of one call on the phone side; a held key or a forged form must not grow the URL."""


@dataclass(frozen=True, slots=True)
class Signal:
    """A profile's full signal: ``presses`` presses of any of ``keys``, in any order and time."""

    keys: str
    presses: int

    def count(self, pressed: str) -> int:
        """Count the presses in ``pressed`` that belong to the signal."""
        return sum(pressed.count(key) for key in self.keys)

    def given_by(self, pressed: str) -> bool:
        """Say whether ``pressed`` holds the full signal (rule 5: 55, 555, *55, 5#5, 515)."""
        return self.count(pressed) >= self.presses

    def spelled(self) -> str:
        """Write the signal compactly, ``5x2``, so that an event carries its own rule."""
        return f"{self.keys}x{self.presses}"

    @classmethod
    def read(cls, spelled: str) -> "Signal":
        """Read what ``spelled`` wrote. Raises ``ValueError`` on anything else."""
        keys, _, presses = spelled.rpartition("x")
        if not keys or set(keys) - set(KEYPAD):
            raise ValueError(f"not a signal: {spelled!r}")
        return cls(keys, int(presses))


def read_keys(digits: str) -> str:
    """Return the keys in ``digits`` as pressed, in order, leaving out what is no key.

    Digits written in another script are the same keys: a machine may only raise,
    and a 5 that arrives as an Arabic five was still pressed by somebody.
    """
    if digits.isascii():
        return "".join(key for key in digits.upper() if key in KEYPAD)
    return "".join(map(_key, digits))


def _key(character: str) -> str:
    plain = unicodedata.normalize("NFKC", character).upper()
    if len(plain) == 1 and plain in KEYPAD:
        return plain
    digit = unicodedata.decimal(character, None)
    return "" if digit is None else str(digit)


def shorten(keys: str, signal: Signal) -> str:
    """Cut ``keys`` to ``LONGEST_KEPT`` without losing a press of the signal.

    The first presses of the signal, as many as confirm, are kept wherever they stand; the first
    of the other keys fill what is left. The order stays.
    """
    if len(keys) <= LONGEST_KEPT:
        return keys
    counted = [at for at, key in enumerate(keys) if key in signal.keys][: signal.presses]
    others = (at for at in range(len(keys)) if at not in counted)
    kept = [*counted, *islice(others, LONGEST_KEPT - len(counted))]
    return "".join(keys[at] for at in sorted(kept))


def to_url(keys: str) -> str:
    """Write keys in unreserved ASCII: ``*`` as ``s``, ``#`` as ``h``."""
    return keys.translate(_URL_SAFE)


def from_url(text: str) -> str:
    """Read keys written by ``to_url``. Raises ``ValueError`` on anything else."""
    keys = text.translate(_FROM_URL)
    if set(keys) - set(KEYPAD):
        raise ValueError("not keys")
    return keys
