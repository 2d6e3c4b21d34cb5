"""Which questions are offered, under which number, and the summary of what came back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from callflow.questions import Question
from console import asking
from incidents.fold import Answer, Entry

START = datetime(2026, 12, 22, 18, 3, tzinfo=UTC)


def question(name: str, *, yes: str = "", no: str = "", start: bool = True) -> Question:
    """Make a question of the bank; ``yes`` and ``no`` name what follows."""
    text = {"en-GB": f"Is it {name}?"}
    return Question(name, name, text, tuple(yes.split()), tuple(no.split()), start)


def answer(name: str, said: str | None, second: int = 0, text: str = "") -> Answer:
    """Make an answer, asked so many seconds after the start."""
    at = START + timedelta(seconds=second)
    return Answer(name, text or f"Is it {name}?", said, "55", at, None if said is None else at)


NINE = [question(name) for name in "abcdefghi"]
BANK = [
    question("a", yes="x y", no="z"),
    *NINE[1:],
    *(question(name, start=False) for name in "xyz"),
]


def numbers(offers: list[asking.Offer]) -> dict[int, str]:
    """Return which question has which number."""
    return {one.number: one.id for one in offers if one.number is not None}


def test_the_first_questions_have_the_numbers_1_to_9() -> None:
    """In the bank's order; all the others stand below without a number."""
    offered = asking.offers(BANK, [])
    assert numbers(offered) == dict(enumerate("abcdefghi", 1))
    assert [one.id for one in offered if one.number is None] == ["x", "y", "z"]


def test_an_answered_question_gives_its_number_only_to_one_that_follows() -> None:
    """Every other number keeps its question, so that no press asks something else."""
    before = numbers(asking.offers(BANK, []))
    after = numbers(asking.offers(BANK, [answer("a", "yes")]))
    assert after == {**before, 1: "x"}
    offered = {one.id: one for one in asking.offers(BANK, [answer("a", "yes")])}
    assert offered["x"].follows
    assert offered["y"].follows
    assert not offered["z"].follows
    assert offered["a"].answer == "yes"


def test_an_unclear_answer_changes_no_number() -> None:
    """Nothing follows from it, and it stands as unclear."""
    offered = asking.offers(BANK, [answer("a", "unclear")])
    assert numbers(offered) == numbers(asking.offers(BANK, []))
    assert offered[0].answer == "unclear"


def test_a_short_bank_fills_its_empty_numbers_first() -> None:
    """With room left no question loses its number."""
    bank = [question("a", yes="x"), question("b"), question("x", start=False)]
    assert numbers(asking.offers(bank, [answer("a", "yes")])) == {1: "a", 2: "b", 3: "x"}


def test_the_summary_has_the_latest_answer_and_another_one_before_it() -> None:
    """Nothing is merged: that an answer changed is said. Typed questions stand by their text."""
    lines = asking.summary(
        BANK,
        [
            answer("a", "unclear"),
            answer("a", "yes"),
            answer("free", "none", text="Is the door locked?"),
            answer("a", "no"),
            answer("b", None),
            answer("free", "line_dropped", text="Can you get out?"),
        ],
    )
    assert [(line.name, line.answer, line.before) for line in lines] == [
        ("a", "no", "yes"),
        ("Is the door locked?", "no answer", ""),
        ("b", "…", ""),
        ("Can you get out?", "line dropped", ""),
    ]


def test_a_question_that_is_ordered_and_not_yet_spoken_waits() -> None:
    """It shows as awaited from the press on, and no longer once the order failed."""
    asked = Entry("1", START, "question_asked", {"question": "a", "order": "o1"})
    failed = Entry("2", START, "order_failed", {"order": "o1", "what": "ask"})
    assert asking.ordered([asked], []) == "a"
    assert asking.ordered([asked], [answer("a", None, 1)]) is None
    assert asking.ordered([asked, failed], []) is None
    assert asking.ordered([], []) is None
    offered = {one.id: one for one in asking.offers(BANK, [answer("a", "no")], "a")}
    assert offered["a"].answer == "…"
