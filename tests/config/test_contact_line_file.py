"""contact_line.toml as it is delivered, and wrong ones refused by key."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from config.contact_line import read_contact_line
from config.policy import BadPolicy, load_policy
from config.reading import BadFile
from config.settings import load

GOOD = (Path(__file__).resolve().parents[2] / "config" / "contact_line.toml").read_text("utf-8")
LANGUAGES = ("en-GB", "cy-GB")
LINE = '[[line]]\nnumber = "+441632960103"\nkind = "contact"\n'


def test_the_delivered_line_rings_three_inside_45_seconds() -> None:
    """Words, wait and rings together; no key of a code is listened for by voice."""
    line = read_contact_line(tomllib.loads(GOOD), LANGUAGES).line
    assert line.said + line.ask.wait + sum(line.rings) <= line.total <= 45
    assert (len(line.rings), line.ask.speech) == (3, False)
    assert [language for language, _ in line.words] == ["en-GB", "cy-GB"]
    assert line.spoken("fr-FR") == line.spoken("en-GB") != line.spoken("cy-GB")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("spoc = 11", "spoc = 13", "total"),
        ("total = 45", "total = 46", "total"),
        ("spoc = 11", "spoc = 4", "ring.spoc"),
        ("desk = 10", 'desk = "long"', "ring.desk"),
        ("press_1 = 5", "press_1 = 2", "ring.press_1"),
        ("deputy = 11", "deputies = 11", "ring.deputies"),
        ("length = 6", "length = 3", "code.length"),
        ("wait = 5", "wait = 3", "code.wait"),
        ("words = 8", "words = 5", "words.en-GB.code"),
        ('duty_desk = ""', 'duty_desk = "999"', "duty_desk"),
        ('duty_desk = ""', 'duty_desk = "+44999"', "duty_desk"),
        ("stale_minutes = 60", "stale_minutes = 0", "stale_minutes"),
        ("press 5 5. If", "press 5. If", "words.en-GB.code"),
        ("Press 1 to", "Press one to", "words.en-GB.take"),
        ("[words.cy-GB]", "[words.fr-FR]", "words.fr-FR"),
        ("[ring]", "[rings]", "rings"),
        ("checked = 2026-11-25", 'checked = "today"', "checked"),
    ],
)
def test_a_wrong_file_is_refused_by_key(old: str, new: str, key: str) -> None:
    """With the place that is wrong."""
    assert GOOD.count(old) >= 1
    with pytest.raises(BadFile) as refused:
        read_contact_line(tomllib.loads(GOOD.replace(old, new, 1)), LANGUAGES)
    assert refused.value.key == key


@pytest.mark.parametrize(
    ("more", "fine"),
    [({}, False), ({"QUIETLINE_CONTROL_ROOM": "+441632960200"}, True), ({"training": "1"}, True)],
)
def test_a_line_for_known_victims_needs_somebody_to_ring_last(
    tmp_path: Path, more: dict[str, str], fine: bool
) -> None:
    """Refused at the start, not found out by a caller; in training nobody is rung."""
    lines = tmp_path / "lines.toml"
    lines.write_text(LINE, encoding="utf-8")
    given = {"TWILIO_AUTH_TOKEN": "f" * 32, "QUIETLINE_LINES": str(lines), **more}
    if given.pop("training", ""):
        del given["TWILIO_AUTH_TOKEN"]
    settings = load(given, tmp_path)
    if fine:
        assert load_policy(settings).lines["+441632960103"].kind == "contact"
    else:
        with pytest.raises(BadPolicy, match="set QUIETLINE_CONTROL_ROOM, or duty_desk"):
            load_policy(settings)
