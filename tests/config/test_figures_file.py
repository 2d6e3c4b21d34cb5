"""The rules of counting as they are delivered, and wrong ones refused by key."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from config.figures import FILE, read_figures
from config.follow_ups import FILE as FOLLOW_UPS
from config.follow_ups import read_follow_ups
from config.policy import FOLDER
from config.reading import BadFile
from incidents.figure_policy import FigurePolicy
from incidents.follow_up_kinds import Kinds


def data() -> dict[str, Any]:
    """The file as it is delivered."""
    return tomllib.loads((FOLDER / FILE).read_text(encoding="utf-8"))


def test_the_delivered_rules_are_read() -> None:
    """95 %, nothing said of fewer than 10, 90 % within 10 s."""
    found = read_figures(data(), kinds())
    plain = replace(found, offered=frozenset(), taken=frozenset(), again=frozenset())
    assert plain == FigurePolicy(0.95, 10, 10, 0.9, 28, 366)
    assert found.taken < found.offered
    assert found.again == {"visit_victim.not_in", "visit_offender.not_in"}


def kinds() -> Kinds:
    """The kinds of follow-ups as they are delivered."""
    return read_follow_ups(tomllib.loads((FOLDER / FOLLOW_UPS).read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda d: d.pop("contacts"), "contacts"),
        (lambda d: d["contacts"].update(more=[]), "contacts.more"),
        (lambda d: d["contacts"].update(again=["visit_victim.seen"]), "contacts.again"),
        (lambda d: d["contacts"].update(offered="all"), "contacts.offered"),
        (lambda d: d["contacts"].update(taken=["visit_victim.not_in"]), "contacts.taken"),
        (lambda d: d.pop("source"), "source"),
        (lambda d: d.update(extra=1), "extra"),
        (lambda d: d.pop("figures"), "figures"),
        (lambda d: d["figures"].update(fewer=3), "figures.fewer"),
        (lambda d: d["figures"].update(few=1), "figures.few"),
        (lambda d: d["figures"].update(few=True), "figures.few"),
        (lambda d: d["figures"].pop("repeat_days"), "figures.repeat_days"),
        (lambda d: d["figures"].update(confidence=95), "figures.confidence"),
        (lambda d: d["figures"].update(confidence=1.0), "figures.confidence"),
        (lambda d: d["figures"].update(answered_share="most"), "figures.answered_share"),
        (
            lambda d: d["figures"].update(answered_within_seconds=0),
            "figures.answered_within_seconds",
        ),
        (lambda d: d["figures"].update(longest_days=5000), "figures.longest_days"),
    ],
)
def test_a_wrong_file_is_refused_by_its_key(
    change: Callable[[dict[str, Any]], object], key: str
) -> None:
    """Before anybody reads a figure that rests on it."""
    wrong = data()
    change(wrong)
    with pytest.raises(BadFile) as refused:
        read_figures(wrong, kinds())
    assert refused.value.key == key
    assert refused.value.reason
