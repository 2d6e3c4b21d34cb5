"""The line for known victims: a code or none, then the phones of whoever stands for them, in turn.

Values alone. Everybody who calls hears the same words for the same time, known or not; who
is rung is no matter of these rules, only for how long.
"""

from dataclasses import dataclass
from typing import Final

from callflow.lines import Kind
from callflow.menus import SILENT
from callflow.profiles import Ask, Profile

SHORTEST_RING: Final = 5
"""Seconds; a phone rung for less is not heard."""
LONGEST_TOTAL: Final = 45
"""Seconds inside which the last ringing ends: whoever waits longer for a voice hangs up."""
WHOM: Final = ("spoc", "deputy", "desk")
"""Whose turn is rung when. Where one is missing, and for callers nobody knows, the desk is rung in
their place: the turns stay the same."""
HIDDEN: Final = "*"
"""Stands in the record for a key that is no 5: it may belong to a code typed late."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is said in one language.

    ``code``: to the caller. ``take``, ``taken``: to whoever is rung, before and after they press 1.
    """

    code: str
    take: str
    taken: str


@dataclass(frozen=True, slots=True)
class ContactLine:
    """How such a line answers. All times in seconds.

    ``ask``: the listening for a code, ``ask.keys`` long; ``said``: how long its words take.
    ``rings``: one for each of ``WHOM``; ``take``: time to press 1. ``total``: from the call's
    start, after which nobody more is rung. ``reason``: why a silent caller is then held.
    """

    ask: Ask
    said: int
    rings: tuple[int, ...]
    take: int
    total: int
    reason: str
    words: tuple[tuple[str, Spoken], ...]

    def spoken(self, language: str) -> Spoken:
        """Return the words of ``language``; of one it does not speak, the first's."""
        return dict(self.words).get(language) or self.words[0][1]


def contact_for(kind: Kind, profile: Profile, line: ContactLine | None) -> ContactLine | None:
    """Return how a line of ``kind`` reaches a point of contact, or None where it does not.

    Only where the profile's full signal is made of 5s: elsewhere a code could be taken for it.
    """
    return line if kind == "contact" and profile.signal.keys == SILENT else None


def is_code(keys: str) -> bool:
    """Say whether ``keys`` may be a code, or a mistyped one: there is no 5 in it."""
    return bool(keys) and SILENT not in keys


def hidden(keys: str) -> str:
    """Return ``keys`` as they may be kept: the 5s, and that there were others."""
    return "".join(key if key == SILENT else HIDDEN for key in keys)
