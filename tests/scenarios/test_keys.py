"""Callers who press something: 55 in every variant, and everything that means somebody is there."""

from __future__ import annotations

import pytest

from simulator.caller import Caller
from simulator.exchange import Exchange, Incident


def confirmed(incident: Incident) -> bool:
    """Whether the incident reads as domain.md says for the full signal."""
    read = (incident.signal, incident.urgency, incident.state, incident.connection)
    return read == ("confirmed", 1, "waiting", "open")


def someone_there(incident: Incident) -> bool:
    """Whether the incident reads as domain.md says for any key."""
    read = (incident.signal, incident.urgency, incident.state, incident.connection)
    return read == ("someone_there", 2, "waiting", "open")


def test_a_caller_who_leans_on_the_keypad_reaches_a_handler(
    exchange: Exchange, mobile: str
) -> None:
    """555 is 55 held too long; it counts."""
    call = exchange.call(mobile, line="emergency")
    call.hears("which service").stays_silent().hears("any key").presses("555")
    call.hears("stay on the line")
    assert exchange.incident(call).signal == "confirmed"


@pytest.mark.parametrize("keys", ["55", "555", "5555555", "*55", "5#5", "515", "5*0#5", "12355"])
@pytest.mark.parametrize("stage", ["which service", "any key", "the signal", "stay on the line"])
def test_two_fives_confirm_whatever_stands_between_them_and_at_any_stage(
    exchange: Exchange, mobile: str, keys: str, stage: str
) -> None:
    """Rule 5: key presses add up, at any moment we can hear keys."""
    call = exchange.call(mobile).stays_silent(until=stage).presses(keys).stays_silent(8)
    incident = exchange.incident(call)
    assert confirmed(incident)
    assert incident.keys == keys
    assert "55 pressed" in " ".join(incident.reasons)


def test_a_five_now_and_a_five_a_minute_later_confirm(exchange: Exchange, mobile: str) -> None:
    """Rule 5: however long it takes."""
    call = exchange.call(mobile).stays_silent(until="the signal").presses("5").hears("one more")
    assert someone_there(exchange.incident(call))
    call.stays_silent(60).is_still_on_the_line().presses("5").settles()
    assert confirmed(exchange.incident(call))


def test_a_five_at_the_first_prompt_and_one_at_the_last_confirm(
    exchange: Exchange, mobile: str
) -> None:
    """Rule 5: across stages."""
    call = exchange.call(mobile).starts_to_hear("which service").presses("5")
    call.stays_silent(120).presses("5").settles()
    assert confirmed(exchange.incident(call))


@pytest.mark.parametrize("key", list("0123467890*#"))
def test_any_key_means_somebody_is_there(exchange: Exchange, mobile: str, key: str) -> None:
    """Any other key means somebody is there: a handler must look."""
    call = exchange.call(mobile).hears("which service").stays_silent().hears("any key")
    call.presses(key).stays_silent(8)
    incident = exchange.incident(call)
    assert someone_there(incident)
    assert incident.keys == key
    assert incident.reasons


def test_one_five_is_asked_for_one_more_and_never_called_wrong(
    exchange: Exchange, mobile: str
) -> None:
    """The caller is quietly asked for one more 5."""
    call = exchange.call(mobile).hears("which service").presses("5").hears("one more")
    assert someone_there(exchange.incident(call))
    assert not any("wrong" in words or "sorry" in words.lower() for words in call.heard)


def test_a_key_stops_the_prompt_at_once(exchange: Exchange, mobile: str) -> None:
    """A frightened caller presses 55 before the first sentence is over."""
    call = exchange.call(mobile).starts_to_hear("which service").presses("55")
    call.hears("stay on the line")
    assert call.call.clock.now() < 6
    assert confirmed(exchange.incident(call))


def test_a_late_55_on_hold_alerts_again(exchange: Exchange, mobile: str) -> None:
    """Rule 5: at any moment we can hear keys, minutes into the hold too."""
    call = exchange.call(mobile).hears("which service").presses("7").settles()
    assert someone_there(exchange.incident(call))
    call.stays_silent(300).is_on_hold().presses("55").settles()
    assert confirmed(exchange.incident(call))


def test_a_caller_who_gave_a_sign_is_never_let_go(exchange: Exchange, mobile: str) -> None:
    """Rule 10 and the profile: only those who gave no sign are let go by a timer."""
    call = exchange.call(mobile).hears("which service").presses("7").stays_silent(400)
    call.is_still_on_the_line().is_on_hold()
    assert someone_there(exchange.incident(call))


def test_a_caller_once_connected_is_never_sent_back_to_a_prompt(
    exchange: Exchange, mobile: str
) -> None:
    """After 55 there is only the hold: quiet, with a soft repeat."""
    call = exchange.call(mobile).hears("which service").presses("55").hears("stay on the line")
    before = len(call.heard)
    call.presses("1").stays_silent(120).presses("9").stays_silent(120)
    assert set(call.heard[before:]) <= {"Please stay on the line."}


def test_urgency_never_falls(exchange: Exchange, mobile: str) -> None:
    """Rule 3: machines only raise. Silence, other keys and the end of the call change nothing."""
    call = exchange.call(mobile).hears("which service").presses("55").hears("stay on the line")
    call.stays_silent(90).presses("1").stays_silent(30).hangs_up()
    incident = exchange.incident(call)
    assert (incident.signal, incident.urgency) == ("confirmed", 1)
    assert (incident.state, incident.connection) == ("waiting", "dropped")


@pytest.mark.parametrize(
    ("keys", "signal", "urgency"), [("55", "confirmed", 1), ("7", "someone_there", 2)]
)
def test_a_hang_up_after_a_sign_keeps_what_the_caller_has_shown(
    exchange: Exchange, mobile: str, keys: str, signal: str, urgency: int
) -> None:
    """Hang-up after a sign: kept, kept, waiting, dropped."""
    call = exchange.call(mobile).hears("which service").presses(keys).stays_silent(8).hangs_up()
    incident = exchange.incident(call)
    assert (incident.signal, incident.urgency) == (signal, urgency)
    assert (incident.state, incident.connection) == ("waiting", "dropped")


def test_a_withheld_number_that_presses_55_is_as_urgent_as_any(exchange: Exchange) -> None:
    """Who calls does not matter to the signal."""
    call = exchange.call("anonymous").hears("which service").presses("55").hears("stay")
    assert confirmed(exchange.incident(call))


def test_a_landline_that_presses_55_is_confirmed_too(exchange: Exchange, landline: str) -> None:
    """The profile gb-landline has the same signal."""
    call = exchange.call(landline).hears("which service").presses("55").hears("stay")
    assert confirmed(exchange.incident(call))


@pytest.mark.parametrize("said", ["police please", "she is in the other room", "x"])
def test_a_voice_at_the_first_prompt_is_heard_and_kept_as_a_note(
    exchange: Exchange, mobile: str, said: str
) -> None:
    """Speech: heard, urgency 2; what was heard may be somebody else in the room."""
    call = exchange.call(mobile).hears("which service").says(said).hears("stay on the line")
    incident = exchange.incident(call)
    assert (incident.signal, incident.urgency) == ("heard", 2)
    assert (incident.state, incident.connection) == ("waiting", "open")
    assert said not in str(incident.fields["reasons"])


def test_55_after_a_voice_is_confirmed(exchange: Exchange, mobile: str) -> None:
    """A shouting room does not outrank the caller's keys."""
    call = exchange.call(mobile).hears("which service").says("get off that phone", lasting=20)
    call.hears("stay on the line").presses("55").settles()
    assert confirmed(exchange.incident(call))


def test_speech_is_listened_for_in_the_first_stage_only(exchange: Exchange, mobile: str) -> None:
    """From then on keys alone, because speech can mask keys for up to a minute."""
    call = exchange.call(mobile).hears("which service").stays_silent().hears("any key")
    call.says("help me", lasting=30).presses("55").hears("stay on the line")
    assert confirmed(exchange.incident(call))


def test_ireland_takes_any_key_as_the_full_signal(exchange: Exchange, mobile: str) -> None:
    """Profile ie: 55 has no special meaning."""
    call = exchange.call(mobile, line="ie").stays_silent().presses("7").stays_silent(8)
    incident = exchange.incident(call)
    assert confirmed(incident)
    assert incident.profile == "ie"


@pytest.mark.parametrize("key", list("123"))
def test_massachusetts_takes_1_2_or_3_as_the_full_signal(
    exchange: Exchange, mobile: str, key: str
) -> None:
    """Profile us-ma: 1 police, 2 fire, 3 ambulance; one is enough."""
    call = exchange.call(mobile, line="us-ma").stays_silent().presses(key).stays_silent(8)
    assert confirmed(exchange.incident(call))


def test_massachusetts_takes_another_key_as_somebody_there(exchange: Exchange, mobile: str) -> None:
    """Profile us-ma: 4 is no signal, but somebody pressed it."""
    call = exchange.call(mobile, line="us-ma").stays_silent().presses("4").stays_silent(8)
    assert someone_there(exchange.incident(call))


@pytest.mark.parametrize(("line", "times"), [("nz", 2), ("au", 3), ("emergency", 2)])
def test_the_signal_is_asked_for_as_often_as_the_profile_says(
    exchange: Exchange, mobile: str, line: str, times: int
) -> None:
    """New Zealand twice, Australia three times."""
    call: Caller = exchange.call(mobile, line=line).stays_silent(300)
    assert sum("Press 5 5 now" in words for words in call.heard) == times


def test_a_welsh_line_speaks_welsh_and_counts_the_same_keys(
    exchange: Exchange, mobile: str
) -> None:
    """The language is the line's; the signal is the profile's."""
    call = exchange.call(mobile, line="welsh").hears("heddlu").presses("55").hears("Arhoswch")
    languages = {note.detail.get("language") for note in call.call.notes if note.kind == "heard"}
    assert languages == {"cy-GB"}
    assert confirmed(exchange.incident(call))
