"""Grades and outcomes are data, and a wrong file is refused by its key."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.grades import FILE, NEEDED, read_grades
from config.reading import BadFile

FOLDER = Path(__file__).resolve().parents[2] / "config"


def data() -> dict[str, Any]:
    """The file as it is delivered."""
    return tomllib.loads((FOLDER / FILE).read_text(encoding="utf-8"))


def test_the_delivered_grades_are_the_contracts_in_their_order() -> None:
    """The most urgent first, each with its target."""
    grades = read_grades(data())
    assert tuple(one.id for one in grades.grades) == NEEDED
    assert [one.target for one in grades.grades] == [900, 3600, 172_800, None, None]
    assert grades.lowers("immediate", "priority")
    assert not grades.lowers("priority", "immediate")
    assert not grades.lowers(None, "none"), "a first grade lowers nothing"
    assert grades.outcome("accidental") is not None
    assert grades.outcome("ghost") is None


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda d: d.pop("source"), "source"),
        (lambda d: d.pop("checked"), "checked"),
        (lambda d: d.update(extra=1), "extra"),
        (lambda d: d["grade"].pop(0), "grade"),
        (lambda d: d.pop("outcome"), "outcome"),
        (lambda d: d.pop("details"), "details"),
        (lambda d: d["details"].update({"two words": "x"}), "details.two words"),
        (lambda d: d["grade"][0].update(target_minutes=-1), "grade 1: target_minutes"),
        (lambda d: d["grade"][0].update(target_minutes=True), "grade 1: target_minutes"),
        (lambda d: d["grade"][1].update(id="immediate"), "grade 2: id"),
        (lambda d: d["grade"][1].update(id="two words"), "grade 2: id"),
        (lambda d: d["grade"][1].update(colour="red"), "grade 2: colour"),
        (lambda d: d["outcome"][0].update(name=""), "outcome 1: name"),
        (lambda d: d["outcome"][0].update(name="x" * 81), "outcome 1: name"),
        (lambda d: d.update(outcome=["x"]), "outcome 1"),
    ],
)
def test_a_wrong_file_is_refused_by_its_key(
    change: Callable[[dict[str, Any]], object], key: str
) -> None:
    """Before any handler can meet it."""
    wrong = data()
    change(wrong)
    with pytest.raises(BadFile) as refused:
        read_grades(wrong)
    assert refused.value.key == key
    assert refused.value.reason
