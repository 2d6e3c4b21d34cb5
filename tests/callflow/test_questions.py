"""What counts as yes, what as no, and what is asked next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from callflow.questions import Question, Questions, Replies, Sign
from tests.callflow.playing import PROFILES, keys
from tests.incidents.answering import POLICY

COUNTED = PROFILES["gb"].replies
KEYED = PROFILES["us-ma"].replies
OTHER = Replies(Sign(1), Sign(3), 4)
BANK: Questions = POLICY.questions


@pytest.mark.parametrize(
    ("pressed", "answer"),
    [
        ("55", "yes"),
        ("17", "yes"),
        ("*#", "yes"),
        ("5", "no"),
        ("0", "no"),
        ("555", "unclear"),
        ("123", "unclear"),
        ("", "unclear"),
    ],
)
def test_where_presses_are_counted_two_are_yes_and_one_is_no(pressed: str, answer: str) -> None:
    """Whatever the key: some operators cannot tell which was pressed."""
    assert COUNTED.read(pressed) == answer


@pytest.mark.parametrize(
    ("pressed", "answer"),
    [
        ("4", "yes"),
        ("5", "no"),
        ("44", "yes"),
        ("1", "unclear"),
        ("45", "unclear"),
        ("", "unclear"),
    ],
)
def test_where_keys_answer_4_is_yes_and_5_is_no(pressed: str, answer: str) -> None:
    """Massachusetts; a key held too long is the same key."""
    assert KEYED.read(pressed) == answer


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_every_profile_leaves_at_least_four_seconds_to_answer(profile: str) -> None:
    """Silent callers need them, always."""
    assert PROFILES[profile].replies.wait >= 4


def test_one_key_more_than_yes_needs_is_listened_for() -> None:
    """So that three presses are unclear, and not "yes" with a key cut off; keys need one alone."""
    assert (COUNTED.listened_for(), KEYED.listened_for()) == (3, 1)


@examples(max_examples=300, deadline=None)
@given(st.sampled_from((COUNTED, KEYED)), keys)
def test_an_answer_is_never_both(replies: Replies, pressed: str) -> None:
    """And never none when something was pressed: the four are never merged."""
    assert replies.read(pressed) in ("yes", "no", "unclear")


@pytest.mark.parametrize(
    ("replies", "language", "words"),
    [
        (COUNTED, "en-GB", "For yes, press any key twice. For no, press once."),
        (KEYED, "en-GB", "For yes, press 4. For no, press 5."),
        (OTHER, "en-GB", "For yes, press any key once. For no, press three times."),
        (COUNTED, "cy-GB", "Am ie, pwyswch unrhyw fotwm ddwywaith. Am na, pwyswch unwaith."),
    ],
)
def test_how_to_answer_is_said_as_the_profile_counts(
    replies: Replies, language: str, words: str
) -> None:
    """``screens-and-words``: how to answer."""
    assert BANK.words[language].how(replies) == words


@pytest.mark.parametrize("question", BANK.all, ids=lambda question: question.id)
def test_rule_6_no_question_of_the_bank_promises_or_reveals_anything(question: Question) -> None:
    """Short, neutral, one question mark; nothing about help, police, history or a name."""
    texts = [question.texts[language] for language in BANK.words]
    for text in texts:
        assert len(text) <= 80
        assert text.count("?") == 1
        assert not any(word in text.casefold() for word in ("police", "heddlu", "on the way"))
