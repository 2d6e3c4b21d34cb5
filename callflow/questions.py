"""Yes/no questions to a silent caller, and what counts as yes.

The bank lives in ``config/questions.toml``; here it gets its shape. An answer is yes,
no, unclear or none, told by what was pressed alone, and the four are never merged: a
guess would be worse than asking again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

Verdict = Literal["yes", "no", "unclear", "none"]
VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)
FIRST_LANGUAGE: Final = "en-GB"


@dataclass(frozen=True, slots=True)
class Sign:
    """What one answer looks like: ``presses`` of any key, or one ``key``; the other is empty."""

    presses: int = 0
    key: str = ""


@dataclass(frozen=True, slots=True)
class Replies:
    """A profile's way to answer. ``wait``: seconds listened after the words and after each key."""

    yes: Sign
    no: Sign
    wait: int

    def by_count(self) -> bool:
        """Say whether presses are counted; otherwise each answer has a key of its own."""
        return self.yes.presses > 0

    def listened_for(self) -> int:
        """How many keys end the listening: one more than any answer needs.

        Three presses are then unclear, and not "yes" with a stray key behind it.
        """
        return max(self.yes.presses, self.no.presses) + 1 if self.by_count() else 1

    def read(self, keys: str) -> Verdict:
        """Tell what ``keys`` answer. No keys that we know, though something came: unclear."""
        for verdict, sign in (("yes", self.yes), ("no", self.no)):
            counted = sign.presses and len(keys) == sign.presses
            if counted or (sign.key and set(keys) == {sign.key}):
                return "yes" if verdict == "yes" else "no"
        return "unclear"


@dataclass(frozen=True, slots=True)
class Question:
    """One question of the bank.

    ``name``: what it is about, for the summary. ``texts``: what is spoken, by language.
    ``after_yes``, ``after_no``: ids suggested next. ``start``: suggested before any answer.
    """

    id: str
    name: str
    texts: Mapping[str, str]
    after_yes: tuple[str, ...]
    after_no: tuple[str, ...]
    start: bool


@dataclass(frozen=True, slots=True)
class Words:
    """What is spoken around questions, and to people of ours who are rung, in one language.

    ``how_presses``, ``how_keys``: how to answer, with ``{yes}`` and ``{no}`` for how often, or
    which key. ``times``: once, twice, three times.
    """

    how_presses: str
    how_keys: str
    times: tuple[str, ...]
    not_understood: str
    reassure: str
    page: str
    page_taken: str
    whisper_claimed: str
    whisper_listening: str

    def how(self, replies: Replies) -> str:
        """Say how to answer."""
        if replies.by_count():
            yes, no = (self.times[sign.presses - 1] for sign in (replies.yes, replies.no))
            words = self.how_presses
        else:
            yes, no = replies.yes.key, replies.no.key
            words = self.how_keys
        return words.replace("{yes}", yes).replace("{no}", no)


@dataclass(frozen=True, slots=True)
class Questions:
    """The bank: ``all`` in the file's order, ``words`` by language."""

    all: tuple[Question, ...]
    words: Mapping[str, Words]

    def find(self, id: str) -> Question | None:  # noqa: A002 - the file's word
        """Return the question called ``id``, or None."""
        return next((question for question in self.all if question.id == id), None)
