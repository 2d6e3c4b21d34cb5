"""Callers on the non-emergency line: its menu, and the silent way that is open at any moment."""

from __future__ import annotations

import pytest

from simulator.exchange import Exchange

CHOICES = {
    "1": "Report a crime",
    "2": "News on an earlier report",
    "3": "Domestic-abuse support",
    "4": "Your point of contact",
    "6": "Help to change your own behaviour",
    "0": "Speak to someone",
}


@pytest.mark.parametrize("key", sorted(CHOICES))
def test_a_choice_by_key_waits_for_a_handler_who_reads_it(
    exchange: Exchange, mobile: str, key: str
) -> None:
    """The line is held, and nobody is let go."""
    call = exchange.call(mobile, line="non emergency").hears("the menu").presses(key)
    call.hears("stay on the line").stays_silent(60).is_still_on_the_line()
    incident = exchange.incident(call)
    assert (incident.line, incident.signal, incident.urgency) == (
        "non_emergency",
        "someone_there",
        2,
    )
    assert f"chose “{CHOICES[key]}”" in incident.reasons


@pytest.mark.parametrize("keys", ["55", "515", "155", "5#5", "*55"])
def test_rule_5_two_fives_at_the_menu_are_the_silent_signal(
    exchange: Exchange, mobile: str, keys: str
) -> None:
    """The menu does not use 5, so nothing is mistaken for a choice."""
    call = exchange.call(mobile, line="non emergency").hears("the menu").presses(keys).settles()
    incident = exchange.incident(call.stays_silent(8))
    assert (incident.signal, incident.urgency, incident.keys) == ("confirmed", 1, keys)


def test_rule_5_one_five_at_the_menu_asks_for_the_other(exchange: Exchange, mobile: str) -> None:
    """A first 5 is no choice: the caller is asked to press it again."""
    call = exchange.call(mobile, line="non emergency").hears("the menu").presses("5")
    call.hears("one more").presses("5").settles()
    assert exchange.incident(call).signal == "confirmed"


def test_rule_5_two_fives_after_a_choice_are_the_silent_signal(
    exchange: Exchange, mobile: str
) -> None:
    """At any moment, also when the menu was answered with somebody listening."""
    call = exchange.call(mobile, line="non emergency").hears("the menu").presses("1")
    call.hears("stay on the line").presses("55").settles()
    incident = exchange.incident(call)
    assert (incident.signal, incident.keys) == ("confirmed", "155")


def test_silence_at_the_menu_becomes_the_silent_way(exchange: Exchange, mobile: str) -> None:
    """Said twice, then as on the emergency line; what nobody answers is reviewed (rule 2)."""
    call = exchange.call(mobile, line="non emergency").hears("the menu").stays_silent()
    call.hears("the menu").stays_silent().hears("any key").is_let_go()
    incident = exchange.incident(call)
    assert (incident.signal, incident.state) == ("nothing", "review")


def test_speech_at_the_menu_is_heard(exchange: Exchange, mobile: str) -> None:
    """Whoever speaks is held for a handler."""
    call = exchange.call(mobile, line="non emergency").hears("the menu").says("hello")
    assert exchange.incident(call.settles()).signal == "heard"


def test_the_menu_is_said_in_welsh_on_a_welsh_line(exchange: Exchange, mobile: str) -> None:
    """The words are data, by language."""
    call = exchange.call(mobile, line="welsh menu").hears("the welsh menu").presses("3").settles()
    assert "chose “Domestic-abuse support”" in exchange.incident(call).reasons


def test_a_line_whose_signal_is_not_made_of_fives_has_no_menu(
    exchange: Exchange, mobile: str
) -> None:
    """There 1 is the full signal, and must never be a choice."""
    call = (
        exchange.call(mobile, line="menu elsewhere").hears("police, fire or ambulance").presses("1")
    )
    assert exchange.incident(call.settles()).signal == "confirmed"
