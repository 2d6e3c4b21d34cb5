"""The lines we answer, and which profile a caller on one of them gets."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from callflow.profiles import Profile

Kind = Literal["emergency", "non_emergency", "contact"]
Purpose = Literal["live", "training", "proof"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
E164 = re.compile(r"\+[1-9][0-9]{6,14}\Z")
"""A phone number as ITU-T E.164 writes it. The drama ranges are numbers like any other."""

EMERGENCY = re.compile(r"\+?[0-9]{0,3}(999|112|911|000|111|101|100|110|113|115|117|118|119)\Z")
"""An emergency number, with or without a country's code: never called, whoever orders it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A phone number we answer. ``number`` is E.164, or empty for every number not listed."""

    number: str
    kind: Kind
    profile: str
    language: str
    name: str
    purpose: Purpose


def profile_for(line: Line, caller: str | None, profiles: Mapping[str, Profile]) -> Profile:
    """Return the profile for a caller: GB landlines are told by prefix (domain.md, Profiles).

    ``caller`` is E.164 or None; anything that is no known landline is treated as mobile.
    """
    profile = profiles[line.profile]
    if caller and profile.landline_profile and caller.startswith(profile.landline_prefixes):
        return profiles[profile.landline_profile]
    return profile
