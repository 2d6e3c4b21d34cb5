"""``docs/callflow.svg`` is the rule table, drawn: never by hand, never stale."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from callflow.call import Stage
from callflow.drawing import BOXES, FILE, arrows, draw, words
from callflow.flow import RULES
from tests.running import ROOT, environment

SVG = "{http://www.w3.org/2000/svg}"


def stale(file: Path) -> bool:
    """Say whether ``file`` shows something else than the table."""
    return file.read_bytes() != draw().encode()


def test_the_diagram_in_docs_shows_the_table_as_it_is() -> None:
    """Run ``make docs`` after a change of the table."""
    assert not stale(FILE), "docs/callflow.svg is stale: run make docs"


@pytest.mark.parametrize(
    "change", [("bridged", "bridge"), ("</svg>\n", "</svg>"), ("hold", "HOLD")]
)
def test_a_stale_diagram_is_noticed(change: tuple[str, str], tmp_path: Path) -> None:
    """The check above can fail: a copy with one word changed is found."""
    copy = tmp_path / "callflow.svg"
    copy.write_text(FILE.read_text(encoding="utf-8").replace(*change, 1), encoding="utf-8")
    assert stale(copy)


def test_the_same_table_gives_the_same_bytes() -> None:
    """Drawn by two processes that hash differently; otherwise "stale" would mean nothing."""
    pictures = {
        subprocess.run(
            [sys.executable, "-m", "callflow.drawing", "-"],
            cwd=ROOT,
            env={**environment({}), "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert pictures == {draw().encode()}


def test_every_stage_has_a_place_on_the_page() -> None:
    """A stage added to the table must be drawn."""
    assert {stage for stage in BOXES if stage is not None} == set(Stage)


def test_every_rule_is_told_to_those_who_cannot_see_the_picture() -> None:
    """The description names each row of the table."""
    described = ElementTree.fromstring(draw()).findtext(f"{SVG}desc", "")
    untold = [
        (stage, event)
        for (stage, event), rule in RULES.items()
        if f"{words(event)} at {BOXES[stage].name} leads to {BOXES[rule.to[0]].name}"
        not in described
    ]
    assert untold == []


def test_the_picture_has_a_title_and_is_one_image_to_a_screen_reader() -> None:
    """``role="img"`` with a title and a description."""
    root = ElementTree.fromstring(draw())
    named = {child.get("id") for child in root if child.tag in (f"{SVG}title", f"{SVG}desc")}
    assert (root.get("role"), set((root.get("aria-labelledby") or "").split())) == ("img", named)


def test_every_row_of_the_table_is_an_arrow() -> None:
    """An arrow from a stage, or from any stage, for each place an event may lead to."""
    drawn = arrows()
    missing = [
        (stage, event, to)
        for (stage, event), rule in RULES.items()
        for to in rule.to
        if words(event) not in drawn.get((stage, to), [])
        and not any(label.startswith(words(event)) for label in drawn.get((None, to), []))
    ]
    assert missing == []


def test_the_picture_has_colours_for_the_light_and_for_the_dark() -> None:
    """Every class that is coloured in the light is coloured in the dark."""
    light, _, dark = (ElementTree.fromstring(draw()).findtext(f"{SVG}style") or "").partition(
        "@media (prefers-color-scheme:dark)"
    )
    kinds = {box.kind for box in BOXES.values()} | {"page", "title", "label", "edge", "tip"}
    assert [kind for kind in kinds if f".{kind}" not in light or f".{kind}" not in dark] == []
