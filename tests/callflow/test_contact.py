"""The line for known victims: a code or none, three turns of ringing, and then the hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import settings as examples

from callflow.actions import AskCode, AskService, HoldLine, RingStaff
from callflow.call import Call, Stage
from callflow.contact import contact_for, hidden, is_code
from callflow.events import BridgeEnded, CallNotTaken, CodeTyped, Event, NothingHeard
from callflow.flow import Setting, step
from tests.callflow import playing
from tests.callflow.playing import CONTACT, PROFILES, Playing


def called(*, rings: bool = True) -> Playing:
    """A caller who has just rung the line."""
    return Playing.arrived("gb", contact=CONTACT, rings=rings)


def rung(call: Playing) -> list[int]:
    """How long each turn rings, in order, while nobody takes the call."""
    seconds = []
    while isinstance(call.action, RingStaff):
        seconds.append(call.action.seconds)
        call.stays_silent()
    return seconds


@pytest.mark.parametrize("does", [NothingHeard(), CodeTyped("123467"), CodeTyped("1")])
def test_with_a_code_right_or_wrong_or_none_the_same_is_rung(does: Event) -> None:
    """These rules cannot tell a known caller from another; nothing could be heard of it."""
    call = called()
    assert call.action == AskCode(CONTACT)
    call.now += timedelta(seconds=CONTACT.said + CONTACT.ask.wait)
    assert rung(call.meets(does)) == [11, 12, 10]
    held = call.action
    assert isinstance(held, HoldLine)
    assert (call.call.stage, held.say) == (Stage.HOLD, "stay")


def test_nobody_more_is_rung_after_the_total_time() -> None:
    """A voicemail that answered twice has cost what the desk's ringing would have taken."""
    call = called().stays_silent()
    for voicemail in (14, 15):
        call.now += timedelta(seconds=voicemail)
        call.meets(CallNotTaken())
    assert call.action == RingStaff(5)
    call.now += timedelta(seconds=5)
    assert (call.now - playing.NOW).total_seconds() == CONTACT.total
    assert call.meets(CallNotTaken()).call.stage is Stage.HOLD


@pytest.mark.parametrize(
    ("spent", "turns"),
    [(11, [11, 12, 10]), (20, [11, 9, 5]), (26, [9, 5, 5]), (33, [7, 5]), (38, [7]), (41, [])],
)
def test_the_desk_is_rung_also_when_a_code_was_typed_slowly(spent: int, turns: list[int]) -> None:
    """It answers day and night: officers' turns are cut before its own, and left out before it."""
    call = called()
    call.now = playing.NOW + timedelta(seconds=spent)
    call.meets(CodeTyped("123467"))
    first = call.call.asked
    assert rung(call) == turns
    if turns:
        assert first == 4 - len(turns), "the last to be rung is the desk"
        assert (call.now - playing.NOW).total_seconds() <= CONTACT.total


def test_the_desk_is_rung_also_where_the_network_rings_longer_than_asked() -> None:
    """Twilio may add five seconds to every ring: the deputy's turn is cut, for the desk's."""
    call, seconds = called().stays_silent(), []
    while isinstance(call.action, RingStaff):
        seconds.append(call.action.seconds)
        call.now += timedelta(seconds=call.action.seconds + 5)
        call.meets(CallNotTaken())
    assert len(seconds) == 3
    assert seconds[0] == 11


@examples(max_examples=200, deadline=None)
@given(playing.moments)
def test_whatever_the_clock_says_no_ring_is_longer_than_its_turn(now: object) -> None:
    """One that jumps may send a caller to the hold early, where somebody is always next."""
    call = called()
    setting = Setting(PROFILES["gb"], False, now, contact=CONTACT, rings=True)  # type: ignore[arg-type]
    outcome = step(call.call, NothingHeard(), setting)
    if isinstance(outcome.action, RingStaff):
        assert 5 <= outcome.action.seconds <= 11
    else:
        assert outcome.call.stage is Stage.HOLD


@pytest.mark.parametrize("keys", ["5", "55"])
def test_rule_5_a_five_goes_the_silent_way_and_nobody_is_rung(keys: str) -> None:
    """Whoever cannot speak is not given to somebody who asks what they want."""
    call = called().presses(keys)
    assert isinstance(call.action, HoldLine)
    assert call.stays_silent(seconds=600).call.stage is Stage.HOLD
    assert call.presses("5").presses("5").confirmed


def test_a_code_typed_late_is_answered_with_how_to_ask_for_silent_help() -> None:
    """Not with "press 5 again": they pressed none."""
    call = called().stays_silent(seconds=60)
    assert call.call.stage is Stage.HOLD
    held = call.presses("**").action
    assert isinstance(held, HoldLine)
    assert held.say == "stray"


def test_a_silent_caller_of_this_line_is_never_let_go_by_a_timer() -> None:
    """Whoever rings it is known to be in danger, or may be: a handler is waited for."""
    call = called().stays_silent(seconds=3600)
    assert call.call.stage is Stage.HOLD
    assert not call.call.gave_a_sign()


def test_a_typed_code_stands_neither_in_the_keys_nor_in_the_url() -> None:
    """And yet it is a sign: somebody pressed it."""
    call = called().meets(CodeTyped("123467"))
    assert (call.call.keys, call.call.gave_a_sign()) == ("", True)
    assert "123467" not in call.call.write()


def test_after_the_call_was_taken_and_ended_the_line_is_held() -> None:
    """As after every connection: it may have broken off."""
    assert called().stays_silent().meets(BridgeEnded()).call.stage is Stage.HOLD


def test_in_an_exercise_the_caller_waits_as_long_and_nobody_is_rung() -> None:
    """Keys are heard meanwhile."""
    call = called(rings=False).stays_silent()
    waited = []
    while call.call.stage is Stage.REACH:
        assert isinstance(call.action, HoldLine)
        waited.append(call.action.seconds)
        call.stays_silent()
    assert waited == [11, 12, 10]
    assert called(rings=False).stays_silent().presses("55").confirmed


def test_nobody_who_was_held_is_rung_from_here_again() -> None:
    """Whatever comes: a code typed on hold is a key like any other."""
    held = replace(called().presses("7").call, stage=Stage.HOLD)
    setting = Setting(PROFILES["gb"], False, playing.NOW, contact=CONTACT, rings=True)
    for event in (CodeTyped("123467"), CallNotTaken()):
        assert step(held, event, setting).call.stage is Stage.HOLD


@pytest.mark.parametrize(
    ("keys", "code", "kept"),
    [("123467", True, "******"), ("55", False, "55"), ("1255", False, "**55"), ("", False, "")],
)
def test_what_may_be_a_code_and_what_is_kept_of_it(keys: str, code: bool, kept: str) -> None:
    """Any 5 is the silent way; beside it stands only that other keys were pressed."""
    assert (is_code(keys), hidden(keys)) == (code, kept)


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_only_where_the_signal_is_made_of_fives_is_a_code_asked_for(profile: str) -> None:
    """Elsewhere a code could be taken for the signal: the line asks as the emergency line does."""
    found = contact_for("contact", PROFILES[profile], CONTACT)
    assert (found is CONTACT) == (PROFILES[profile].signal.keys == "5")
    assert contact_for("emergency", PROFILES[profile], CONTACT) is None


def test_a_contact_line_of_a_site_without_its_rules_asks_which_service() -> None:
    """As before there were any."""
    assert Playing.arrived("gb").action == AskService()
    assert Call.starting(playing.NOW).stage is Stage.NEW
