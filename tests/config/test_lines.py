"""The file of lines: what it may say, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from callflow.lines import Line
from config.policy import BadPolicy, Policy, load_policy
from config.settings import load

NUMBER = "+441632960000"
GOOD = f"""
[[line]]
number = "{NUMBER}"
kind = "contact"
profile = "nz"
language = "cy-GB"
name = "Known callers"
purpose = "proof"

[[line]]
number = "+441632960001"
"""


def lines(tmp_path: Path, text: str, *, training: bool = False) -> Policy:
    """Load the policy of a site with ``text`` for a file of lines."""
    file = tmp_path / "lines.toml"
    file.write_text(text, encoding="utf-8")
    token = {} if training else {"TWILIO_AUTH_TOKEN": "f" * 32}
    return load_policy(load({**token, "QUIETLINE_LINES": str(file)}, tmp_path))


def test_a_line_is_read_as_written(tmp_path: Path) -> None:
    """Every key."""
    assert lines(tmp_path, GOOD).lines[NUMBER] == Line(
        NUMBER, "contact", "nz", "cy-GB", "Known callers", "proof"
    )


def test_a_line_that_says_only_its_number_is_an_emergency_line(tmp_path: Path) -> None:
    """With the defaults of the contract."""
    assert lines(tmp_path, GOOD).lines["+441632960001"] == Line(
        "+441632960001", "emergency", "gb", "en-GB", "Emergency", "live"
    )


def test_in_training_every_line_has_the_purpose_training(tmp_path: Path) -> None:
    """Whatever the file says: nothing there is live, and nothing is hidden as a proof call."""
    policy = lines(tmp_path, GOOD, training=True)
    purposes = {line.purpose for line in (*policy.lines.values(), policy.other)}
    assert purposes == {"training"}


def test_an_empty_file_lists_no_line(tmp_path: Path) -> None:
    """Every number is then an emergency line."""
    assert lines(tmp_path, "").lines == {}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[line]\nnumber = 1", "line"),
        ('[[lines]]\nnumber = "+441632960000"', "lines"),
        ("line = [1]", "line 1"),
        ("[[line]]", "line 1: number"),
        ('[[line]]\nnumber = "01632 960000"', "line 1: number"),
        ("[[line]]\nnumber = 441632960000", "line 1: number"),
        ('[[line]]\nnumber = "999"', "line 1: number"),
        (GOOD + f'[[line]]\nnumber = "{NUMBER}"', "line 3: number"),
        (GOOD + 'kind = "urgent"', "line 2: kind"),
        (GOOD + 'profile = "fr"', "line 2: profile"),
        (GOOD + 'language = "fr-FR"', "line 2: language"),
        (GOOD + 'purpose = "test"', "line 2: purpose"),
        (GOOD + 'profil = "gb"', "line 2: profil"),
        (GOOD + "name = 5", "line 2: name"),
        ("[[line]\n", "file"),
    ],
)
def test_a_wrong_line_is_refused_with_its_place_and_key(
    text: str, key: str, tmp_path: Path
) -> None:
    """Which table, which key, and what to do."""
    with pytest.raises(BadPolicy) as refused:
        lines(tmp_path, text)
    assert str(refused.value).startswith(f"lines.toml: {key}: ")
