"""How a caller is told to answer yes or no, found by listening to what is said.

It knows no prompt by heart: it looks for yes and no beside a number of presses or a key, in
English and in Welsh, so that a caller answers as a person would who has only the words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Answer = Literal["yes", "no"]

_ANSWERS: Final[dict[str, Answer]] = {
    "yes": "yes", "no": "no",
    "ie": "yes", "oes": "yes", "ydw": "yes", "ydy": "yes", "iawn": "yes",
    "na": "no", "nage": "no", "nac": "no",
}  # fmt: skip
_TIMES: Final = {
    "once": 1, "one": 1, "unwaith": 1, "un": 1,
    "twice": 2, "two": 2, "ddwywaith": 2, "dwywaith": 2, "ddwy": 2, "dwy": 2, "ddau": 2, "dau": 2,
}  # fmt: skip
_TOKEN: Final = re.compile(r"[^\W\d_]+|\d")
_SPOKEN_TIMES: Final = {1: "once", 2: "twice", 3: "three times"}


@dataclass(frozen=True, slots=True)
class Press:
    """What to press: one named ``key`` once, or any key so many ``times``."""

    key: str = ""
    times: int = 1

    def keys(self, any_key: str = "5") -> str:
        """Return the keys, one after another."""
        return self.key or any_key * self.times

    def __str__(self) -> str:
        if self.key:
            return f"key {self.key}"
        return f"any key {_SPOKEN_TIMES.get(self.times, f'{self.times} times')}"


@dataclass(frozen=True, slots=True)
class How:
    """How to answer a question."""

    yes: Press
    no: Press

    def to(self, answer: Answer) -> Press:
        """Return what to press for ``answer``."""
        return self.yes if answer == "yes" else self.no


def how_to_answer(said: str) -> How | None:
    """Return how to answer where ``said`` tells it: "press any key twice for yes, once for no"."""
    found = [
        word
        for word in (token.group().lower() for token in _TOKEN.finditer(said))
        if word in _ANSWERS or word in _TIMES or word.isdigit()
    ]
    for four in zip(found, found[1:], found[2:], found[3:], strict=False):
        first = 0 if four[0] in _ANSWERS else 1
        answers, presses = four[first::2], four[1 - first :: 2]
        if not all(word in _ANSWERS for word in answers) or any(
            word in _ANSWERS for word in presses
        ):
            continue
        told = dict(zip(map(_ANSWERS.__getitem__, answers), map(_press, presses), strict=True))
        if len(told) == len(answers) and told["yes"] != told["no"]:
            return How(told["yes"], told["no"])
    return None


def told_last(said: Iterable[str]) -> How | None:
    """Return how to answer as it was told last, also where one sentence was said in two parts."""
    sentences = list(said)
    for index in range(len(sentences) - 1, -1, -1):
        if how := how_to_answer(sentences[index]):
            return how
        if index and (how := how_to_answer(f"{sentences[index - 1]} {sentences[index]}")):
            return how
    return None


def _press(word: str) -> Press:
    return Press(key=word) if word.isdigit() else Press(times=_TIMES[word])
