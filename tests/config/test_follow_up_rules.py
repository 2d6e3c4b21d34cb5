"""The rules of follow_ups.toml as they are delivered, and wrong ones refused by key."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from config.follow_up_rules import read_follow_up_rules
from config.follow_ups import read_follow_ups
from config.policy import FOLDER, Policy, load_policy
from config.reading import BadFile
from config.settings import load
from incidents.follow_up_rules import Rule

GOOD: Final = (FOLDER / "follow_ups.toml").read_text("utf-8")


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """The policy as it is delivered."""
    folder = tmp_path_factory.mktemp("policy")
    return load_policy(load({"QUIETLINE_DATA": str(folder)}, Path(folder)))


def read(policy: Policy, text: str) -> tuple[Rule, ...]:
    """Read the rules of a file."""
    data = tomllib.loads(text)
    return read_follow_up_rules(data, read_follow_ups(data), policy.grades, policy.menus)


def test_the_delivered_rules_are_read(policy: Policy) -> None:
    """With due times of their own, or their kind's."""
    rules = {rule.id: rule for rule in policy.follow_up_rules}
    assert rules == {rule.id: rule for rule in read(policy, GOOD)}
    silent = rules["repeat_victim_silent"]
    assert (silent.when.states, silent.when.repeat_victim) == (("review",), True)
    assert (silent.kind, silent.owner) == ("review_call", "spoc")
    assert silent.due_after == timedelta(hours=12)
    assert rules["repeat_victim_worked"].due_after == timedelta(days=3)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('id = "asked_for"', 'id = "Asked"', "rule 1: id"),
        ('id = "contact_line"', 'id = "asked_for"', "rule 4: id"),
        ('states = ["closed"], outcomes', 'state = ["closed"], outcomes', "rule 1: when: state"),
        ('states = ["closed"], outcomes', 'states = ["over"], outcomes', "rule 1: when: states"),
        ('states = ["closed"], outcomes', "states = [], outcomes", "rule 1: when: states"),
        ('["follow_up_needed"]', '["needed"]', "rule 1: when: outcomes"),
        ('lines = ["contact"]', 'lines = ["office"]', "rule 4: when: lines"),
        ('chosen = ["support"]', 'chosen = ["tea"]', "rule 5: when: chosen"),
        ("repeat_victim = true }", "repeat_victim = 1 }", "rule 2: when: repeat_victim"),
        ('kind = "safe_call"', 'kind = "tea"', "rule 1: makes: kind"),
        ("due_hours = 24", "due_hours = -1", "rule 1: makes: due_hours"),
        ("due_hours = 24", "due_days = 1", "rule 1: makes: due_days"),
        ('owner = "handler"', 'owner = "anna"', "rule 1: makes: owner"),
        ('text = "Closed with', 'text = "\\nClosed with', "rule 1: makes: text"),
        (
            'when = { lines = ["contact"], connections = ["dropped", "ended"] }',
            "when = {}",
            "rule 4: when",
        ),
    ],
)
def test_a_wrong_rule_is_refused_by_its_key(policy: Policy, old: str, new: str, key: str) -> None:
    """Whoever edits it is told where."""
    assert old in GOOD
    with pytest.raises(BadFile) as refused:
        read(policy, GOOD.replace(old, new, 1))
    assert refused.value.key == key


def test_a_file_without_rules_is_fine(policy: Policy) -> None:
    """Everything is then made by hand."""
    assert read(policy, GOOD[: GOOD.index("[[rule]]")]) == ()
