"""The rules of counting as they are delivered, and wrong ones refused by key."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

import pytest

from config.figures import FILE, read_figures
from config.policy import FOLDER
from config.reading import BadFile
from incidents.figure_policy import FigurePolicy


def data() -> dict[str, Any]:
    """The file as it is delivered."""
    return tomllib.loads((FOLDER / FILE).read_text(encoding="utf-8"))


def test_the_delivered_rules_are_read() -> None:
    """95 %, nothing said of fewer than 10, 90 % within 10 s."""
    assert read_figures(data()) == FigurePolicy(0.95, 10, 10, 0.9, 28, 366)


@pytest.mark.parametrize(
    ("change", "key"),
    [
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
        read_figures(wrong)
    assert refused.value.key == key
    assert refused.value.reason
