"""patterns.toml as it is delivered, and wrong ones refused by key."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from config.follow_ups import read_follow_ups
from config.patterns import read_patterns, read_visits
from config.policy import FOLDER
from config.reading import BadFile
from incidents.follow_up_kinds import Kinds

GOOD = (Path(__file__).resolve().parents[2] / "config" / "patterns.toml").read_text("utf-8")


def test_the_delivered_patterns_are_read() -> None:
    """Silent calls from the second on, within a fortnight, over all three."""
    patterns = read_patterns(tomllib.loads(GOOD))
    assert patterns[0].id == "silent"
    assert (patterns[0].least, patterns[0].within.days) == (2, 14)
    assert patterns[0].over == ("number", "person", "household")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('id = "silent"', 'id = "two words"', "pattern 1: id"),
        ('id = "confirmed"', 'id = "silent"', "pattern 2: id"),
        ('one = "silent call"', 'one = ""', "pattern 1: one"),
        ('many = "silent calls"', f'many = "{"x" * 61}"', "pattern 1: many"),
        ('signals = ["nothing"]', 'signals = ["noise"]', "pattern 1: signals"),
        ('connections = ["dropped"]', 'connections = "dropped"', "pattern 3: connections"),
        ("least = 2", "least = 1", "pattern 1: least"),
        ("days = 14", "days = 0", "pattern 1: days"),
        ("days = 14", "days = true", "pattern 1: days"),
        ('over = ["number", "person", "household"]', "over = []", "pattern 1: over"),
        ("days = 14", "dys = 14", "pattern 1: dys"),
        ("checked = 2026-11-25", 'checked = "today"', "checked"),
        ("[[pattern]]", "[pattern_]", "pattern_"),
    ],
)
def test_a_wrong_file_is_refused_by_its_key(old: str, new: str, key: str) -> None:
    """The line names the key, so that it can be mended."""
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    if new == "[pattern_]":
        text = GOOD.partition("[[pattern]]")[0] + "[pattern_]\n"
    with pytest.raises(BadFile) as refused:
        read_patterns(tomllib.loads(text))
    assert refused.value.key == key


def kinds() -> Kinds:
    """The kinds of follow-ups as they are delivered."""
    return read_follow_ups(tomllib.loads((FOLDER / "follow_ups.toml").read_text("utf-8")))


def test_the_delivered_visits_are_kinds_and_outcomes_of_follow_ups() -> None:
    """Those that took place: nobody in is no visit."""
    visits = read_visits(tomllib.loads(GOOD), kinds())
    assert ("visit_victim", "seen_support_told") in visits
    assert ("visit_victim", "not_in") not in visits


@pytest.mark.parametrize("wrong", ["visit_victim.seen", "seen_warned", "visit_victim"])
def test_a_visit_no_follow_up_can_be_is_refused(wrong: str) -> None:
    """By what was written."""
    text = GOOD.replace("visit_victim.seen_support_told", wrong, 1)
    with pytest.raises(BadFile, match=wrong) as refused:
        read_visits(tomllib.loads(text), kinds())
    assert refused.value.key == "visits"
