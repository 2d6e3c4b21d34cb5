"""The ladder is data: its times are the issue's, and a wrong file is refused by its key."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from config.ladder import FILE, read_ladder
from config.policy import BadPolicy, load_policy
from config.reading import BadFile
from config.settings import Settings
from incidents.presence import AWAY
from incidents.work import REGRADE_WITHIN
from tests.incidents.ladders import STANDARD

FOLDER = Path(__file__).resolve().parents[2] / "config"


def data() -> dict[str, Any]:
    """The file as it is delivered."""
    return tomllib.loads((FOLDER / FILE).read_text(encoding="utf-8"))


def test_the_delivered_ladder_is_the_issues() -> None:
    """Screens at 0 s, supervisors at 10, a phone at 20, the control room at 30."""
    ladder = read_ladder(data())
    assert [(rung.does, rung.after) for rung in ladder.rungs] == [
        ("show", 0),
        ("louder", 10),
        ("phone", 20),
        ("bridge", 30),
    ]
    assert ladder == STANDARD
    assert ladder.away == AWAY.total_seconds()
    assert ladder.regrade == REGRADE_WITHIN.total_seconds()


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda d: d.pop("source"), "source"),
        (lambda d: d.pop("checked"), "checked"),
        (lambda d: d.update(extra=1), "extra"),
        (lambda d: d.pop("from_urgency"), "from_urgency"),
        (lambda d: d.update(from_urgency=4), "from_urgency"),
        (lambda d: d.update(from_urgency=True), "from_urgency"),
        (lambda d: d.pop("away_seconds"), "away_seconds"),
        (lambda d: d.update(away_seconds=5), "away_seconds"),
        (lambda d: d.update(again_seconds="60"), "again_seconds"),
        (lambda d: d.update(regrade_seconds=True), "regrade_seconds"),
        (lambda d: d.update(ring_seconds=1), "ring_seconds"),
        (lambda d: d.update(press_again_seconds=-1), "press_again_seconds"),
        (lambda d: d.update(phone_away_seconds=1e9), "phone_away_seconds"),
        (lambda d: d.pop("rung"), "rung"),
        (lambda d: d.update(rung=[]), "rung"),
        (lambda d: d.update(rung=["x"]), "rung 1"),
        (lambda d: d["rung"].pop(0), "rung 1"),
        (lambda d: d["rung"][0].update(after_seconds=1), "rung 1"),
        (lambda d: d["rung"][1].update(after_seconds=-1), "rung 2: after_seconds"),
        (lambda d: d["rung"][2].update(after_seconds=5), "rung 3: after_seconds"),
        (lambda d: d["rung"][1].update(does="shout"), "rung 2: does"),
        (lambda d: d["rung"][1].update(does="bridge"), "rung 2: does"),
        (lambda d: d["rung"][1].update(name="screens"), "rung 2: name"),
        (lambda d: d["rung"][1].update(name="two words"), "rung 2: name"),
        (lambda d: d["rung"][1].update(to=""), "rung 2: to"),
        (lambda d: d["rung"][1].update(colour="red"), "rung 2: colour"),
    ],
)
def test_a_wrong_file_is_refused_by_its_key(
    change: Callable[[dict[str, Any]], object], key: str
) -> None:
    """Before any alert can meet it."""
    wrong = data()
    change(wrong)
    with pytest.raises(BadFile) as refused:
        read_ladder(wrong)
    assert refused.value.key == key


def test_a_wrong_ladder_keeps_the_product_from_starting(settings: Settings, folder: Path) -> None:
    """With the file's name and the key."""
    file = folder / FILE
    file.write_text(file.read_text(encoding="utf-8").replace('"show"', '"hide"'), encoding="utf-8")
    with pytest.raises(BadPolicy, match=r"ladder\.toml: rung 1: does"):
        load_policy(settings, folder)
