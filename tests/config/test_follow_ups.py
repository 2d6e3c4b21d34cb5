"""follow_ups.toml as it is delivered, and wrong ones refused by key."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from config.follow_ups import read_follow_ups
from config.reading import BadFile

GOOD = (Path(__file__).resolve().parents[2] / "config" / "follow_ups.toml").read_text("utf-8")


def test_the_delivered_kinds_are_read() -> None:
    """Every kind of work the control room plans, each with a way to say that it could not be."""
    kinds = read_follow_ups(tomllib.loads(GOOD))
    assert [one.id for one in kinds.all] == [
        "visit_victim",
        "visit_offender",
        "tell_of_support",
        "safe_call",
        "referral",
        "offender_programme",
        "review_call",
    ]
    first = kinds.all[0]
    assert (first.name, first.due_days) == ("Visit the victim", 3)
    assert first.outcome("not_in") == "Nobody in; visit again"
    assert first.outcome("gone_from_the_file") == "gone_from_the_file"
    assert kinds.name("gone_from_the_file") == "gone from the file"


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('id = "visit_victim"', 'id = "Visit"', "kind 1: id"),
        ('id = "visit_offender"', 'id = "visit_victim"', "kind 2: id"),
        ('name = "Visit the victim"', 'name = " "', "kind 1: name"),
        ('name = "Visit the victim"', f'name = "{"x" * 81}"', "kind 1: name"),
        ("due_days = 3", "due_days = -1", "kind 1: due_days"),
        ("due_days = 3", "due_days = true", "kind 1: due_days"),
        ("due_days = 3", "due = 3", "kind 1: due"),
        ('not_in = "Nobody in; visit again"', "not_in = 3", "kind 1: outcomes.not_in"),
        ('not_in = "Nobody in; visit again"', '"not in" = "x"', "kind 1: outcomes.not in"),
        ("checked = 2026-11-25", 'checked = "today"', "checked"),
    ],
)
def test_a_wrong_file_is_refused_by_its_key(old: str, new: str, key: str) -> None:
    """Whoever edits it is told where."""
    with pytest.raises(BadFile) as refused:
        read_follow_ups(tomllib.loads(GOOD.replace(old, new, 1)))
    assert refused.value.key == key


@pytest.mark.parametrize("kinds", ["kind = []", "kind = [3]", '[[kind]]\nid = "a"\nname = "A"'])
def test_a_file_without_kinds_or_outcomes_is_refused(kinds: str) -> None:
    """Nothing could be made, or nothing closed."""
    head = 'source = "a test"\nchecked = 2026-11-25\n'
    with pytest.raises(BadFile):
        read_follow_ups(tomllib.loads(head + kinds))
