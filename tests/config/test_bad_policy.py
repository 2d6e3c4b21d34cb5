"""More than fifty wrong files, each refused with a line that names the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.policy import BadPolicy, load_policy
from config.settings import Settings

MUTATIONS: list[tuple[str, str, str, str]] = [
    ("profiles/gb.toml", 'id = "gb"', 'id = "uk"', "id"),
    ("profiles/gb.toml", 'id = "gb"', "id = 5", "id"),
    ("profiles/gb.toml", 'id = "gb"\n', "", "id"),
    ("profiles/gb.toml", 'name = "Great Britain, mobile"', 'name = ""', "name"),
    ("profiles/gb.toml", "name = ", "nmae = ", "name"),
    ("profiles/gb.toml", "source = ", "sauce = ", "source"),
    ("profiles/gb.toml", "checked = 2026-11-22", 'checked = "today"', "checked"),
    ("profiles/gb.toml", "checked = 2026-11-22", "checked = 2026-13-45", "file"),
    ("profiles/gb.toml", "authority = false", 'authority = "no"', "verified_by_authority"),
    ("profiles/gb.toml", "verified_by_authority = false\n", "", "verified_by_authority"),
    ("profiles/gb.toml", '[signal]\nkeys = "5"', '[signal]\nkeys = "E"', "signal.keys"),
    ("profiles/gb.toml", '[signal]\nkeys = "5"', "[signal]\nkeys = 5", "signal.keys"),
    ("profiles/gb.toml", '[signal]\nkeys = "5"', '[signal]\nkeys = ""', "signal.keys"),
    ("profiles/gb.toml", "presses = 2", "presses = 0", "signal.presses"),
    ("profiles/gb.toml", "presses = 2", "presses = 10", "signal.presses"),
    ("profiles/gb.toml", "presses = 2", "presses = 2.0", "signal.presses"),
    ("profiles/gb.toml", "presses = 2", "presses = true", "signal.presses"),
    ("profiles/gb.toml", "presses = 2", "preses = 2", "signal.presses"),
    ("profiles/gb.toml", "presses = 2", "presses = 2\nextra = 1", "signal.extra"),
    ("profiles/gb.toml", "[signal]", "[signals]", "signal"),
    ("profiles/gb.toml", "[stages]", "[stage]", "stages"),
    ("profiles/gb.toml", "service = { times = 1", "service = { times = 0", "stages.service.times"),
    ("profiles/gb.toml", "service = { times = 1", "service = { times = 6", "stages.service.times"),
    (
        "profiles/gb.toml",
        "any_key = { times = 1, wait = 5",
        "any_key = { times = 1, wait = 3",
        "stages.any_key.wait",
    ),
    (
        "profiles/gb.toml",
        "any_key = { times = 1, wait = 5",
        "any_key = { times = 1, wait = 61",
        "stages.any_key.wait",
    ),
    ("profiles/gb.toml", "any_key = ", "anykey = ", "stages.any_key"),
    (
        "profiles/gb.toml",
        "wait = 6, keys = 2, speech = false",
        "wait = 6, keys = 2, speech = true",
        "stages.signal.speech",
    ),
    ("profiles/gb.toml", "wait = 6, keys = 2", "wait = 6, keys = 0", "stages.signal.keys"),
    ("profiles/gb.toml", "wait = 6, keys = 2", "wait = 6, kesy = 2", "stages.signal.keys"),
    (
        "profiles/gb.toml",
        "wait = 6, keys = 2",
        "wait = 6, keys = 2, louder = 1",
        "stages.signal.louder",
    ),
    ("profiles/gb.toml", "limit = 45", "limit = 0", "hold.limit"),
    ("profiles/gb.toml", "limit = 45", "limit = -1", "hold.limit"),
    ("profiles/gb.toml", "limit = 45", "limit = 601", "hold.limit"),
    ("profiles/gb-landline.toml", "limit = 0", "limit = 45", "hold.limit"),
    ("profiles/gb.toml", "say_every = 20", "say_every = 4", "hold.say_every"),
    ("profiles/gb.toml", "words = 2", "words = 11", "hold.words"),
    ("profiles/gb.toml", "bridge = 90", "bridge = 0", "hold.bridge"),
    ("profiles/gb.toml", "bridge = 90", "bridge = 30", "hold.bridge"),
    ("profiles/gb.toml", "ring = 20", "ring = 61", "hold.ring"),
    (
        "profiles/gb.toml",
        "listening = { times = 1, wait = 5",
        "listening = { times = 1, wait = 1",
        "hold.listening.wait",
    ),
    (
        "profiles/gb.toml",
        "wait = 20, keys = 1, speech = false",
        "wait = 20, keys = 1, speech = true",
        "hold.confirmed.speech",
    ),
    ("profiles/gb.toml", 'leads_to = "review"', 'leads_to = "hang-up"', "silence.leads_to"),
    ("profiles/gb.toml", 'reason = "nothing was heard"', 'reason = " "', "silence.reason"),
    ("profiles/gb.toml", "window_minutes = 30", "window_minutes = 0", "repeats.window_minutes"),
    ("profiles/gb.toml", "second = 3", "second = 5", "repeats.second"),
    ("profiles/gb.toml", "third = 2", "third = 0", "repeats.third"),
    ("profiles/gb.toml", "yes = { presses = 2 }", "yes = 2", "answers.yes"),
    ("profiles/gb.toml", "yes = { presses = 2 }", "yes = { presses = 4 }", "answers.yes.presses"),
    ("profiles/gb.toml", "yes = { presses = 2 }", "yes = { prsses = 2 }", "answers.yes.presses"),
    ("profiles/gb.toml", "no = { presses = 1 }\n", "", "answers.no"),
    ("profiles/gb.toml", "no = { presses = 1 }", "no = { presses = 2 }", "answers.no"),
    ("profiles/gb.toml", "no = { presses = 1 }", 'no = { key = "1" }', "answers.no"),
    ("profiles/gb.toml", "[answers]\nwait = 4", "[answers]\nwait = 3", "answers.wait"),
    ("profiles/us-ma.toml", 'yes = { key = "4" }', 'yes = { key = "44" }', "answers.yes.key"),
    ("questions.toml", "source = ", "sauce = ", "sauce"),
    ("questions.toml", "checked = 2026-11-25", 'checked = "x"', "checked"),
    ("questions.toml", "[words.cy-GB]", "[words.cy-XX]", "words.cy-GB"),
    ("questions.toml", "{yes}", "{yeah}", "words.en-GB.how_presses"),
    ("questions.toml", "reassure = ", "reasure = ", "words.en-GB.reasure"),
    ("questions.toml", 'times = ["once", ', "times = [", "words.en-GB.times"),
    ("questions.toml", 'id = "danger_now"', 'id = "danger now"', "question 1: id"),
    ("questions.toml", 'id = "danger_now"', 'id = "free"', "question 1: id"),
    ("questions.toml", 'id = "injured"', 'id = "danger_now"', "question 3: id"),
    ("questions.toml", 'name = "danger now"', 'name = ""', "question 1: name"),
    ("questions.toml", 'en-GB = "Are you in danger now?"\n', "", "question 1: en-GB"),
    ("questions.toml", 'cy-GB = "Ydych chi mewn perygl nawr?"\n', "", "question 1: cy-GB"),
    (
        "questions.toml",
        'en-GB = "Are you in danger now?"',
        'en-GB = "' + "a" * 201 + '"',
        "question 1: en-GB",
    ),
    ("questions.toml", 'yes = ["other_person"', 'yes = ["other_persn"', "question 1: yes"),
    ("questions.toml", 'no = ["injured"', 'no = ["danger_now"', "question 1: no"),
    ("questions.toml", "start = true", "start = 1", "question 1: start"),
    ("questions.toml", "start = true", "strat = true", "question 1: strat"),
    ("profiles/gb.toml", 'profile = "gb-landline"', 'profile = "gb-land"', "landline.profile"),
    ("profiles/gb.toml", '"+441"', '"441"', "landline.prefixes"),
    ("profiles/gb.toml", "[landline]", "[landlines]", "landlines"),
    ("profiles/us-ma.toml", '1 = "police"', '4 = "police"', "signal.meanings.4"),
    ("profiles/us-ma.toml", '1 = "police"', "1 = 7", "signal.meanings.1"),
    ("profiles/ie.toml", "one_more = ", "onemore = ", "prompts.onemore"),
    ("profiles/ie.toml", '"Please stay on the line."', '"a\\u0000b"', "prompts.one_more"),
    ("profiles/gb.toml", "[signal]", "[signal", "file"),
    ("prompts.toml", "source = ", "sauce = ", "source"),
    ("prompts.toml", "checked = 2026-11-22", 'checked = "x"', "checked"),
    ("prompts.toml", "[en-GB]", "[en-XX]", "en-GB"),
    ("prompts.toml", 'stay = "Please', 'stya = "Please', "en-GB.stay"),
    ("prompts.toml", 'goodbye = "Thank you. Goodbye."', 'goodbye = ""', "en-GB.goodbye"),
    (
        "prompts.toml",
        'goodbye = "Thank you. Goodbye."',
        'goodbye = "' + "a" * 201 + '"',
        "en-GB.goodbye",
    ),
    (
        "prompts.toml",
        'voice = "Polly.Amy"',
        'voice = "Polly.Amy"\nvolume = "x-loud"',
        "en-GB.volume",
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "key"), MUTATIONS)
def test_a_wrong_file_is_refused_with_a_line_that_names_the_key(
    file: str, old: str, new: str, key: str, folder: Path, settings: Settings
) -> None:
    """The file, the key and what to do, before any caller can meet it."""
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadPolicy) as refused:
        load_policy(settings, folder)
    assert str(refused.value).startswith(f"{path.name}: {key}: ")


def test_at_least_fifty_wrong_files_are_tried() -> None:
    """``faults``: 50 mutated files, each refused."""
    assert len(MUTATIONS) >= 50


def test_the_files_are_not_refused_unspoilt(folder: Path, settings: Settings) -> None:
    """The check above can fail: the copy itself is good."""
    assert tuple(sorted(load_policy(settings, folder).profiles)) == (
        "au",
        "gb",
        "gb-landline",
        "ie",
        "nz",
        "us-ma",
    )


@pytest.mark.parametrize("name", ["gb", "gb-landline"])
def test_a_profile_that_is_needed_and_gone_is_named(
    name: str, folder: Path, settings: Settings
) -> None:
    """The embedded default needs both."""
    (folder / "profiles" / f"{name}.toml").unlink()
    with pytest.raises(BadPolicy, match=f"gb.toml: .*{name}"):
        load_policy(settings, folder)


def test_a_file_that_is_not_utf_8_is_refused(folder: Path, settings: Settings) -> None:
    """Saved by an editor in another encoding."""
    (folder / "prompts.toml").write_bytes(b'source = "\xff"')
    with pytest.raises(BadPolicy, match=r"prompts\.toml: file: is not TOML"):
        load_policy(settings, folder)
