"""The rules for unusual looks, checked at the start."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from typing import Any

import pytest

from config.policy import FOLDER
from config.reading import BadFile
from config.unusual import FILE, read_unusual
from incidents.unusual_policy import Unusual


def data() -> dict[str, Any]:
    """The file as it is delivered."""
    return tomllib.loads((FOLDER / FILE).read_text(encoding="utf-8"))


def test_the_delivered_rules_are_read() -> None:
    """Each with its figure."""
    assert read_unusual(data()) == Unusual(True, 60, 60, True, 30)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda d: d.pop("source"), "source"),
        (lambda d: d.update(source=" "), "source"),
        (lambda d: d.pop("checked"), "checked"),
        (lambda d: d.update(checked="today"), "checked"),
        (lambda d: d.update(extra=1), "extra"),
        (lambda d: d.pop("own_number"), "own_number"),
        (lambda d: d.update(many_records=5), "many_records"),
        (lambda d: d["own_number"].update(shown=1), "own_number.shown"),
        (lambda d: d["own_number"].update(phone=True), "own_number.phone"),
        (lambda d: d["outside_shift"].pop("shown"), "outside_shift.shown"),
        (lambda d: d["outside_shift"].update(grace_minutes=-1), "outside_shift.grace_minutes"),
        (lambda d: d["many_records"].update(records=True), "many_records.records"),
        (lambda d: d["many_records"].update(records=1.5), "many_records.records"),
        (lambda d: d["many_records"].update(minutes=0), "many_records.minutes"),
        (lambda d: d["many_records"].update(minutes="60"), "many_records.minutes"),
    ],
)
def test_a_wrong_file_is_refused_by_its_key(
    change: Callable[[dict[str, Any]], object], key: str
) -> None:
    """Before any auditor relies on it."""
    wrong = data()
    change(wrong)
    with pytest.raises(BadFile) as refused:
        read_unusual(wrong)
    assert refused.value.key == key
    assert refused.value.reason
