"""review.toml as it is delivered, and wrong ones refused by key."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from typing import Final

import pytest

from config.grades import read_grades
from config.policy import FOLDER
from config.reading import BadFile
from config.review import read_review
from incidents.grades import Grades

GOOD: Final = (FOLDER / "review.toml").read_text("utf-8")


@pytest.fixture(scope="module")
def grades() -> Grades:
    """The outcomes a decision may close with."""
    return read_grades(tomllib.loads((FOLDER / "grades.toml").read_text("utf-8")))


def test_the_delivered_decisions_are_read(grades: Grades) -> None:
    """Raise, close and later are all there; every letter is one decision's."""
    policy = read_review(tomllib.loads(GOOD), grades)
    assert policy.look_within == timedelta(minutes=60)
    assert (policy.alarm_at, policy.alarm_after) == (20, timedelta(minutes=60))
    assert (policy.second_look_percent, policy.raise_to) == (10, 2)
    does = {one.key: one.does for one in policy.decisions}
    assert does["r"] == "raise"
    assert does["n"] == "close"
    assert does["l"] == "later"
    kept = policy.get("later")
    assert kept is not None
    assert kept.back_after == timedelta(minutes=30)
    assert policy.name("gone_from_the_file") == "gone from the file"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("look_within_minutes = 60", "look_within_minutes = 0", "look_within_minutes"),
        ("look_within_minutes = 60", "look_within_minutes = true", "look_within_minutes"),
        ("alarm_at_calls = 20", "alarm_at_calls = 0", "alarm_at_calls"),
        ("alarm_at_calls = 20", "alarm_at_calls = 1001", "alarm_at_calls"),
        ("alarm_at_calls = 20\n", "", "alarm_at_calls"),
        ("alarm_after_minutes = 60", "alarm_after_minutes = 0", "alarm_after_minutes"),
        ("alarm_after_minutes = 60", "alarm_after_minutes = 1.5", "alarm_after_minutes"),
        ("second_look_percent = 10", "second_look_percent = 101", "second_look_percent"),
        ("raise_to = 2", "raise_to = 3", "raise_to"),
        ("raise_to = 2", "raise = 2", "raise"),
        ('id = "follow_up"', 'id = "raise"', "decision 2: id"),
        ('id = "raise"', 'id = "Raise it"', "decision 1: id"),
        ('key = "f"', 'key = "r"', "decision 2: key"),
        ('key = "r"', 'key = "j"', "decision 1: key"),
        ('key = "r"', 'key = "R"', "decision 1: key"),
        ('name = "A handler must look"', 'name = ""', "decision 1: name"),
        ('does = "raise"', 'does = "drop"', "decision 1: does"),
        ('does = "raise"', 'does = "raise"\nminutes = 3', "decision 1: minutes"),
        ('does = "raise"', 'does = "raise"\noutcome = "no_trace"', "decision 1: outcome"),
        ('does = "raise"', 'does = "later"\nminutes = 3', "decision"),
        ('outcome = "no_concern"', 'outcome = "nothing"', "decision 3: outcome"),
        ('outcome = "no_concern"\n', "", "decision 3: outcome"),
        ("minutes = 30", "minutes = 0", "decision 7: minutes"),
        ("minutes = 30", "hours = 1", "decision 7: hours"),
        ("checked = 2026-11-25", 'checked = "today"', "checked"),
    ],
)
def test_a_wrong_file_is_refused_by_its_key(grades: Grades, old: str, new: str, key: str) -> None:
    """Whoever edits it is told where."""
    with pytest.raises(BadFile) as refused:
        read_review(tomllib.loads(GOOD.replace(old, new, 1)), grades)
    assert refused.value.key == key


@pytest.mark.parametrize("decisions", ["decision = []", "decision = [3]", "decision = 3"])
def test_a_file_without_decisions_is_refused(grades: Grades, decisions: str) -> None:
    """Nothing could ever leave the queue."""
    head = GOOD[: GOOD.index("[[decision]]")]
    with pytest.raises(BadFile):
        read_review(tomllib.loads(head + decisions), grades)
