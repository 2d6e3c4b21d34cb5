"""Profiles and prompts are data: complete, sourced and quiet."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest

from callflow.lines import Line, profile_for
from config.policy import Policy

NAMES = ("au", "gb", "gb-landline", "ie", "nz", "us-ma")
PROMISES = re.compile(
    r"help is|on (its|the|their) way|are coming|is coming|we know|where you are|your location"
    r"|police (are|will)|will (come|be sent|call)|sending|dispatch|ar y ffordd|yn dod",
    re.IGNORECASE,
)
NAMING = re.compile(r"\{|\bname\b|\bagain\?|\blast time\b|\bprevious|\bMr\b|\bMrs\b", re.IGNORECASE)


def promising(words: str) -> bool:
    """Say whether ``words`` promise help, or that the place is known."""
    return PROMISES.search(words) is not None


def heard_by_the_caller(policy: Policy) -> dict[str, str]:
    """Return every text a caller can hear."""
    texts = {
        f"{language}.{name}": words
        for language, voice in policy.voices.items()
        for name, words in voice.prompts.items()
        if not name.startswith("whisper")
    }
    for profile in policy.profiles.values():
        texts |= {f"{profile.id}.{name}": words for name, words in profile.prompts.items()}
    return texts


def test_every_profile_of_the_domain_is_there(policy: Policy) -> None:
    """And no other."""
    assert tuple(sorted(policy.profiles)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_says_where_it_comes_from(name: str, policy: Policy) -> None:
    """Its source, in words."""
    assert len(policy.profiles[name].source) > 20


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_says_when_it_was_checked(name: str, policy: Policy) -> None:
    """A day that has been."""
    assert date(2026, 1, 1) < policy.profiles[name].checked <= date(2026, 11, 22)


@pytest.mark.parametrize("name", NAMES)
def test_no_profile_claims_that_an_authority_verified_it(name: str, policy: Policy) -> None:
    """None has."""
    assert policy.profiles[name].verified_by_authority is False


@pytest.mark.parametrize(
    ("name", "keys", "presses"),
    [
        ("gb", "5", 2),
        ("gb-landline", "5", 2),
        ("nz", "5", 2),
        ("au", "5", 2),
        ("ie", "0123456789*#", 1),
        ("us-ma", "123", 1),
    ],
)
def test_a_profile_has_the_signal_of_the_domain(
    name: str, keys: str, presses: int, policy: Policy
) -> None:
    """The table of profiles."""
    signal = policy.profiles[name].signal
    assert (signal.keys, signal.presses) == (keys, presses)


@pytest.mark.parametrize(
    ("name", "silence", "limit"),
    [
        ("gb", "review", 45),
        ("gb-landline", "held", None),
        ("nz", "review", 45),
        ("au", "review", 45),
        ("ie", "review", 45),
        ("us-ma", "held", None),
    ],
)
def test_a_profile_sends_silence_where_the_domain_says(
    name: str, silence: str, limit: int | None, policy: Policy
) -> None:
    """Review after 45 s, or held for a handler."""
    profile = policy.profiles[name]
    assert (profile.silence, profile.hold.limit) == (silence, limit)


@pytest.mark.parametrize("name", NAMES)
def test_a_second_call_within_half_an_hour_is_urgency_3_and_a_third_2(
    name: str, policy: Policy
) -> None:
    """The defaults for all."""
    repeats = policy.profiles[name].repeats
    assert (repeats.window, repeats.second, repeats.third) == (1800, 3, 2)


@pytest.mark.parametrize(
    ("number", "profile"),
    [
        ("+441632960123", "gb-landline"),
        ("+442079460123", "gb-landline"),
        ("+443069990123", "gb-landline"),
        ("+447700900123", "gb"),
        ("+448081570123", "gb"),
        ("+33123456789", "gb"),
        ("+4411", "gb-landline"),
        (None, "gb"),
    ],
)
def test_a_gb_landline_is_told_by_its_prefix(
    number: str | None, profile: str, policy: Policy
) -> None:
    """+441, +442, +443; anything else is treated as mobile, the drama ranges too."""
    assert profile_for(policy.other, number, policy.profiles).id == profile


def test_a_line_of_another_country_knows_no_gb_landline(policy: Policy) -> None:
    """The prefixes belong to the profile."""
    line = replace(policy.other, profile="ie")
    assert profile_for(line, "+441632960123", policy.profiles).id == "ie"


def test_rule_6_no_prompt_promises_anything(policy: Policy) -> None:
    """Never that help is coming, or that the location is known."""
    assert [name for name, words in heard_by_the_caller(policy).items() if promising(words)] == []


@pytest.mark.parametrize(
    "words",
    [
        "Help is coming.",
        "The police are on the way.",
        "We know where you are.",
        "Stay, it will come",
    ],
)
def test_a_promise_is_noticed(words: str) -> None:
    """The check above can fail."""
    assert promising(words)


def test_rule_6_no_prompt_names_anybody_or_any_history(policy: Policy) -> None:
    """No names, no "again", nothing filled in; known and unknown callers hear the same."""
    texts = heard_by_the_caller(policy)
    assert [name for name, words in texts.items() if NAMING.search(words)] == []


def test_rule_6_prompts_are_short(policy: Policy) -> None:
    """Each works if a stranger in the room hears it."""
    assert [name for name, words in heard_by_the_caller(policy).items() if len(words) > 120] == []


def test_the_words_are_those_of_the_starting_set(policy: Policy) -> None:
    """English, GB."""
    prompts = policy.voices["en-GB"].prompts
    assert (prompts["service"], prompts["any_key"], prompts["one_more"], prompts["stay"]) == (
        "Emergency. Do you need fire, police, ambulance or coastguard?",
        "If you can't speak, press any key on your phone.",
        "Please press 5 again.",
        "Please stay on the line.",
    )


def test_numbers_that_are_not_listed_are_an_emergency_line(policy: Policy) -> None:
    """With profile gb, in English, live."""
    assert policy.other == Line("", "emergency", "gb", "en-GB", "Emergency", "live")
