"""The key menu of a line: what may be chosen, and which presses are a choice.

A press is a choice only where nothing in it can be the silent signal: any 5 goes the silent way,
and so does anything this module does not know. It speaks nothing and decides no next step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from callflow.lines import Kind
from callflow.profiles import Ask, Profile

SILENT: Final = "5"
"""The key no menu uses: a first 5 is never mistaken for a choice."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a menu. ``key``: one key, never 5. ``name``: what a handler reads."""

    id: str
    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Menu:
    """A line's menu. ``words``: what is said, as pairs of language and words, first one first."""

    ask: Ask
    choices: tuple[Choice, ...]
    words: tuple[tuple[str, str], ...]

    def chosen(self, keys: str) -> Choice | None:
        """Return what ``keys``, all pressed at one prompt, choose; None is no choice.

        One key held down or pressed again is one choice; two different keys are none.
        """
        if SILENT in keys or len(set(keys)) != 1:
            return None
        return next((choice for choice in self.choices if choice.key == keys[0]), None)

    def said(self, language: str) -> str:
        """Return the words of ``language``; of one the menu does not speak, the first's."""
        spoken = dict(self.words)
        return spoken.get(language) or self.words[0][1]


def menu_for(kind: Kind, profile: Profile, menus: Mapping[Kind, Menu]) -> Menu | None:
    """Return the menu a caller on a line of ``kind`` hears, or None.

    Only where the profile's full signal is made of 5s: elsewhere a choice could be taken for the
    signal or the signal for a choice, so the caller is asked as on the emergency line.
    """
    return menus.get(kind) if profile.signal.keys == SILENT else None
