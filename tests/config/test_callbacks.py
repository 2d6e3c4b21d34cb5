"""callbacks.toml as it is delivered, and wrong ones refused by key."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from config.callbacks import TELLING, TEXTS, read_callbacks
from config.reading import BadFile

GOOD = (Path(__file__).resolve().parents[2] / "config" / "callbacks.toml").read_text("utf-8")
WRONG_VOICE = 'wrong_voice = "I am sorry, I have the wrong number. Goodbye."'


def test_the_delivered_script_is_read() -> None:
    """Its times, the lines that may be shown, and a result for every way it may end."""
    policy = read_callbacks(tomllib.loads(GOOD))
    assert policy.confirm_within == timedelta(minutes=5)
    assert policy.lines[0] == "contact"
    assert [one.id for one in policy.results if one.confirmed] == ["spoken_safe", "spoken_concern"]
    assert policy.result_name("wrong_voice") == "Wrong voice: somebody else answered"
    assert policy.result_name("gone_from_the_file") == "gone from the file"


def test_the_delivered_script_names_nobody_and_tells_nothing() -> None:
    """Rules 6 and 7: whoever answers may be the abuser."""
    script = read_callbacks(tomllib.loads(GOOD)).script
    said = [getattr(script, name) for name in TEXTS if name != "machine"]
    assert not [words for words in said if TELLING.search(words)]


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("Hello, is that", "Police here, is that", "opening"),
        ("the call you asked for", "a victim's call", "whisper"),
        (WRONG_VOICE, 'wrong_voice = " "', "wrong_voice"),
        ("confirm_minutes = 5", "confirm_minutes = 0", "confirm_minutes"),
        ("ring_minutes = 10", "ring_minutes = 4", "ring_minutes"),
        ("ring_seconds = 20", "ring_seconds = true", "ring_seconds"),
        ('lines = ["contact", ', 'lines = ["office", ', "lines"),
        ('"contact", "non_emergency", "emergency"', "", "lines"),
        ('id = "no_answer"', 'id = "machine"', "result 6: id"),
        ('id = "spoken_safe"', 'id = "Spoken"', "result 1: id"),
        ("confirmed = true", "confirmed = 1", "result 1: confirmed"),
        ('name = "Spoken to; safe now"', 'name = ""', "result 1: name"),
        ('name = "Spoken to; safe now"', 'title = "x"', "result 1: title"),
        ('id = "wrong_voice"', 'id = "other"', "result"),
        ("checked = 2026-11-25", 'checked = "today"', "checked"),
        ("opening =", "begin =", "begin"),
    ],
)
def test_a_wrong_file_is_refused_by_its_key(old: str, new: str, key: str) -> None:
    """Whoever edits it is told where, and words that tell who calls are refused."""
    with pytest.raises(BadFile) as refused:
        read_callbacks(tomllib.loads(GOOD.replace(old, new, 1)))
    assert refused.value.key == key


@pytest.mark.parametrize("results", ["result = []", "result = [3]"])
def test_a_file_without_results_is_refused(results: str) -> None:
    """A call-back could never be finished."""
    head = GOOD.split("[[result]]")[0]
    with pytest.raises(BadFile):
        read_callbacks(tomllib.loads(head + results))
