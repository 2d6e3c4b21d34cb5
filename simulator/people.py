"""Who may be calling: numbers reserved for drama, withheld numbers, and what Twilio tells of them.

Only numbers nobody owns are made up here, so that a practice call can never name a person.
"""

from __future__ import annotations

import secrets

MOBILE_DRAMA = "+447700900"
LANDLINE_DRAMA = "+441632960"
LINE_DRAMA = "+441632960055"

# Twilio: "Withheld number: From is anonymous, unknown, empty, or one of" these numbers, which
# spell ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE on a keypad.
WITHHELD = (
    "anonymous",
    "unknown",
    "",
    "+266696687",
    "+7378742833",
    "+2562533",
    "+8656696",
    "+86282452253",
)

# A product that helps silent callers must never be able to ring these by itself.
EMERGENCY_NUMBERS = frozenset({"999", "112", "911", "000", "111", "110", "119", "995"})
_PREFIXES = ("+44", "+61", "+64", "+353", "+1", "+", "")


def is_emergency(number: str) -> bool:
    """Whether ``number`` reaches an emergency service, however it is written."""
    bare = "".join(mark for mark in number.lower().removeprefix("tel:") if mark in "+0123456789")
    return any(bare == prefix + known for prefix in _PREFIXES for known in EMERGENCY_NUMBERS)


_KNOWN_COUNTRIES = (("+44", "GB"), ("+61", "AU"), ("+64", "NZ"), ("+353", "IE"), ("+1", "US"))


def made_up_mobile() -> str:
    """Return a mobile number from the upper half of Ofcom's range for drama.

    The lower half is left to those who choose numbers themselves, so that the two never meet
    and no call counts as a repeat of somebody else's.
    """
    return f"{MOBILE_DRAMA}{500 + secrets.randbelow(500)}"


def made_up_landline() -> str:
    """Return a landline number from the upper half of Ofcom's range for drama."""
    return f"{LANDLINE_DRAMA}{500 + secrets.randbelow(500)}"


def country(number: str) -> str:
    """Return the country Twilio names for ``number``, or an empty string."""
    return next((name for prefix, name in _KNOWN_COUNTRIES if number.startswith(prefix)), "")


def places(role: str, number: str) -> list[tuple[str, str]]:
    """Return the City, State, Zip and Country of ``role``: "empty strings when unknown"."""
    return [
        (f"{role}City", ""),
        (f"{role}State", ""),
        (f"{role}Zip", ""),
        (f"{role}Country", country(number)),
    ]
