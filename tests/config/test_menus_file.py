"""menus.toml as it is delivered, and wrong ones refused by key."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from config.menus import read_menus
from config.reading import BadFile

GOOD = (Path(__file__).resolve().parents[2] / "config" / "menus.toml").read_text("utf-8")
LANGUAGES = ("en-GB", "cy-GB")
PLACE = "non_emergency"


def test_the_delivered_menu_is_read() -> None:
    """Six choices, none of them by 5, in both languages, the help in silence first."""
    menu = read_menus(tomllib.loads(GOOD), LANGUAGES)["non_emergency"]
    assert "".join(choice.key for choice in menu.choices) == "123460"
    assert [language for language, _ in menu.words] == ["en-GB", "cy-GB"]
    assert all("5 5" in words.partition(".")[0] for _, words in menu.words)
    assert (menu.ask.wait >= 4, menu.ask.keys) == (True, 2)


def test_a_language_the_menu_does_not_speak_hears_the_first() -> None:
    """Better words in another language than none."""
    menu = read_menus(tomllib.loads(GOOD), LANGUAGES)["non_emergency"]
    assert menu.said("fr-FR") == menu.said("en-GB") != menu.said("cy-GB")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('key = "1"', 'key = "5"', f"{PLACE}.choice 1: key"),
        ('key = "1"', 'key = "12"', f"{PLACE}.choice 1: key"),
        ('key = "1"', 'key = "x"', f"{PLACE}.choice 1: key"),
        ('key = "2"', 'key = "1"', f"{PLACE}.choice 2: key"),
        ('id = "news"', 'id = "report"', f"{PLACE}.choice 2: id"),
        ('id = "news"', 'id = "old news"', f"{PLACE}.choice 2: id"),
        ('id = "news"', 'ident = "news"', f"{PLACE}.choice 2: ident"),
        ('name = "Speak to someone"', 'name = ""', f"{PLACE}.choice 6: name"),
        ("times = 2", "times = 0", f"{PLACE}: times"),
        ("wait = 6", "wait = 3", f"{PLACE}: wait"),
        ("speech = true", 'speech = "yes"', f"{PLACE}: speech"),
        ("press 5 5 at", "press 5 at", f"{PLACE}.words: en-GB"),
        ("someone, 0.", "someone, wait.", f"{PLACE}.words: en-GB"),
        ("cy-GB =", "fr-FR =", f"{PLACE}.words: fr-FR"),
        ("checked = 2026-11-25", 'checked = "today"', "checked"),
        ("[non_emergency]", "[emergency]", "emergency"),
    ],
)
def test_a_wrong_file_is_refused_by_key(old: str, new: str, key: str) -> None:
    """With the place that is wrong."""
    assert GOOD.count(old) >= 1
    wrong = GOOD.replace(old, new, 1)
    if key == "emergency":
        wrong = 'source = "Ours"\nchecked = 2026-11-25\n[emergency]\ntimes = 1\n'
    with pytest.raises(BadFile) as refused:
        read_menus(tomllib.loads(wrong), LANGUAGES)
    assert refused.value.key == key


@pytest.mark.parametrize("choices", ["", 'choice = "1"'])
def test_a_menu_without_choices_is_refused(choices: str) -> None:
    """It would only make the caller wait."""
    head = 'source = "Ours"\nchecked = 2026-11-25\n[non_emergency]\n'
    data = tomllib.loads(f"{head}times = 1\nwait = 6\nspeech = false\n{choices}\n")
    with pytest.raises(BadFile, match="at least one"):
        read_menus(data, LANGUAGES)


def test_a_file_without_tables_leaves_every_line_without_a_menu() -> None:
    """Whoever wants none takes the table out."""
    assert read_menus(tomllib.loads('source = "Ours"\nchecked = 2026-11-25'), LANGUAGES) == {}
