"""The keys of a call as a strip in time: which were pressed, and when.

Positions are per cent of the strip's width, worked out here, because the content
policy lets no page carry a style of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from console import words
from console.record import Record

KEY_WIDTH: Final = 3.0
"""Per cent of the width that one key of a label takes on the narrowest screen."""
GAP: Final = 1.5
"""Per cent of the width between two labels."""
NARROWEST: Final = 9.0
"""Per cent of the width that a label takes at least, for the time under it."""
LONGEST: Final = 6
"""Keys that a label shows; all of them stand above the strip."""
PRESSED: Final = ("keys_pressed", "menu_chosen", "question_answered")
FIRST, LAST = 1.0, 77.0
"""Where labels may begin, so that the longest still ends on the strip."""


@dataclass(frozen=True, slots=True)
class Press:
    """Keys at one place of the strip: per cent of its width, the keys, and time from the start.

    ``answer``: what they answered, in words, when they are an answer to a question.
    """

    place: float
    keys: str
    after: str
    answer: str = ""

    @property
    def label(self) -> str:
        """Return the keys as the strip shows them, shortened where they are many."""
        if self.answer:
            return self.answer
        more = " …" if len(self.keys) > LONGEST else ""
        return words.keys(self.keys[:LONGEST]) + more

    @property
    def end(self) -> float:
        """Return where the label ends: a press before that shares it."""
        many = max(2, len(self.answer) / 2) if self.answer else len(self.keys)
        keys = KEY_WIDTH * min(many, LONGEST + 1)
        return self.place + max(NARROWEST, keys + GAP)


@dataclass(frozen=True, slots=True)
class Strip:
    """A call's presses, and the strip's length in words."""

    presses: tuple[Press, ...]
    length: str


def presses(found: Record, until: datetime) -> Strip:
    """Lay out the presses of a call from its start to ``until``."""
    start = found.incident.started_at
    length = max(until - start, timedelta(seconds=1))
    return Strip(tuple(_laid_out(found, start, length)), words.waiting(start, until))


def _laid_out(found: Record, start: datetime, length: timedelta) -> Iterator[Press]:
    held: Press | None = None
    for entry in found.entries:
        pressed = str(entry.data.get("keys") or "") if entry.kind in PRESSED else ""
        if not pressed:
            continue
        answers = entry.kind == "question_answered"
        answer = words.ANSWERS.get(entry.data.get("answer"), "answer") if answers else ""
        along = min(1.0, max(0.0, (entry.at - start) / length))
        place = round(FIRST + (LAST - FIRST) * along, 1)
        if held is not None and place < held.end:
            # An answer and other keys share a place: both are keys there.
            shared = held.answer if answer and held.answer == answer else ""
            held = Press(held.place, held.keys + pressed, held.after, shared)
            continue
        if held is not None:
            yield held
        held = Press(place, pressed, words.waiting(start, entry.at), answer)
    if held is not None:
        yield held
