"""Hold, bridge and goodbye: who is kept, how long, and who is rung."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from callflow.actions import ConnectControlRoom, HangUp, HoldLine, LetGo
from callflow.call import Stage
from callflow.events import AnswerFailed, BridgeEnded, CallArrived, CallEnded, NothingHeard
from tests.callflow.playing import CONNECTED, PROFILES, Playing

REVIEWED = ("au", "gb", "ie", "nz")
HELD = ("gb-landline", "us-ma")


@pytest.mark.parametrize("profile", REVIEWED)
def test_rule_2_a_silent_mobile_is_held_for_up_to_45_seconds(profile: str) -> None:
    """Neither cut short nor drawn out: within the shortest wait of 45 s."""
    call = Playing.at(Stage.ENDED, profile)
    assert 45 - 4 < call.call.held <= 45


@pytest.mark.parametrize("profile", REVIEWED)
def test_rule_2_a_silent_mobile_is_let_go_with_a_goodbye_that_listens(profile: str) -> None:
    """A key during the goodbye still counts, so the goodbye waits for one."""
    action = Playing.at(Stage.ENDED, profile).action
    assert isinstance(action, LetGo)
    assert action.seconds >= 4


def test_the_call_ends_after_a_goodbye_without_an_answer() -> None:
    """Only then do we hang up."""
    assert Playing.at(Stage.ENDED, "gb").stays_silent().action == HangUp()


@pytest.mark.parametrize("keys", ["5", "55", "7", "#", ""])
def test_a_key_during_the_goodbye_keeps_the_caller(keys: str) -> None:
    """The line is held again, without limit."""
    call = Playing.at(Stage.ENDED, "gb").presses(keys).stays_silent(seconds=3600)
    assert call.call.stage is Stage.HOLD


def test_a_word_during_the_goodbye_keeps_the_caller() -> None:
    """Should speech reach us there, it counts too."""
    assert Playing.at(Stage.ENDED, "gb").speaks().call.stage is Stage.HOLD


@pytest.mark.parametrize("profile", HELD)
def test_a_silent_landline_is_held_for_a_handler_without_limit(profile: str) -> None:
    """And so is a silent call where the profile says held."""
    call = Playing.at(Stage.HOLD, profile).stays_silent(seconds=24 * 3600)
    assert call.call.stage is Stage.HOLD


@pytest.mark.parametrize(("profile", "keys"), [*product(REVIEWED, ("5", "55", "0", "#"))])
def test_a_caller_who_pressed_a_key_is_never_let_go_by_a_timer(profile: str, keys: str) -> None:
    """A day on hold is a day on hold."""
    call = Playing.at(Stage.SIGNAL, profile).presses(keys).stays_silent(seconds=24 * 3600)
    assert call.call.stage is Stage.HOLD


def test_a_caller_who_said_something_is_never_let_go_by_a_timer() -> None:
    """It may have been somebody else in the room, and it may not."""
    call = Playing.at(Stage.SERVICE, "gb").speaks().stays_silent(seconds=24 * 3600)
    assert call.call.stage is Stage.HOLD


def test_a_caller_whose_answer_failed_is_never_let_go_by_a_timer() -> None:
    """The keys may have been lost with the answer."""
    call = Playing.at(Stage.SIGNAL, "gb").meets(AnswerFailed()).stays_silent(seconds=24 * 3600)
    assert call.call.stage is Stage.HOLD


def test_a_failure_of_our_own_is_answered_with_silence_and_hold() -> None:
    """Nothing is said: an error message would be spoken into the room."""
    action = Playing.at(Stage.SIGNAL, "gb").meets(AnswerFailed()).action
    assert isinstance(action, HoldLine)
    assert action.say == ""


def test_nobody_who_gave_a_sign_is_hung_up_on_even_after_the_goodbye() -> None:
    """A state that should not be: ended, and yet there was a sign. The line is held."""
    call = Playing.at(Stage.SIGNAL, "gb").presses("5").meets(CallEnded())
    assert call.meets(NothingHeard()).call.stage is Stage.HOLD


@pytest.mark.parametrize("profile", HELD)
def test_nobody_whose_silence_is_held_is_hung_up_on_even_after_the_goodbye(profile: str) -> None:
    """The profile of a call may change while it runs; the line is then held."""
    call = Playing.at(Stage.HOLD, profile)
    call.call = replace(call.call, stage=Stage.ENDED)
    assert call.meets(NothingHeard()).call.stage is Stage.HOLD


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_the_backstop_rings_a_control_room_after_90_seconds_of_hold(profile: str) -> None:
    """Should no ladder have done it; within the shortest wait, and the words of the soft repeat."""
    call = Playing.arrived(profile, control_room=True).presses("9")
    held = 0
    while call.call.stage is Stage.HOLD:
        held += call.call.listen
        call.stays_silent()
    assert (isinstance(call.action, ConnectControlRoom), 90 <= held <= 90 + 4 + 2) == (True, True)


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_without_a_control_room_nobody_is_rung(profile: str) -> None:
    """Not after an hour."""
    call = Playing.at(Stage.SIGNAL, profile).presses("5").stays_silent(seconds=3600)
    assert not any(isinstance(action, ConnectControlRoom) for action in call.actions)


def test_a_caller_who_pressed_55_is_bridged_too() -> None:
    """55 pressed or not: with nobody to claim the call, the control room is somebody."""
    call = Playing.arrived("gb", control_room=True).presses("55")
    while call.call.stage is Stage.HOLD:
        call.stays_silent()
    assert call.call.stage is Stage.BRIDGED


def test_a_caller_who_keeps_pressing_is_still_bridged_in_time() -> None:
    """Keys must not put the control room off for ever."""
    call = Playing.arrived("gb", control_room=True).presses("5")
    began = call.now
    while call.call.stage is Stage.HOLD:
        call.presses("5") if len(call.call.keys) < 20 else call.stays_silent()
    assert (call.now - began).total_seconds() < 120


def test_the_line_comes_back_to_hold_when_the_bridge_ends() -> None:
    """The control room hung up or never answered; the caller is asked to stay."""
    call = Playing.at(Stage.BRIDGED, "gb").meets(BridgeEnded())
    assert isinstance(call.action, HoldLine)
    assert (call.call.stage, call.action.say) == (Stage.HOLD, "stay")


def test_the_control_room_is_rung_again_90_seconds_after_a_bridge_ended() -> None:
    """Someone is always next (rule 8)."""
    call = Playing.at(Stage.BRIDGED, "gb-landline").meets(BridgeEnded())
    held = 0
    while call.call.stage is Stage.HOLD:
        held += call.call.listen
        call.stays_silent()
    assert (call.call.stage, 90 <= held <= 90 + 4 + 2) == (Stage.BRIDGED, True)


@pytest.mark.parametrize("stage", [stage for stage in Stage if stage is not Stage.NEW])
def test_an_arrival_that_comes_late_keeps_the_line(stage: Stage) -> None:
    """Whatever comes out of turn: hold."""
    call = Playing.at(stage, "gb").meets(CallArrived())
    assert call.call.stage is Stage.HOLD


@pytest.mark.parametrize("stage", CONNECTED)
def test_the_end_of_the_call_is_the_end(stage: Stage) -> None:
    """Nothing more is said to a line that is gone."""
    assert Playing.at(stage, "gb").meets(CallEnded()).call.stage is Stage.ENDED


def test_a_soft_repeat_comes_about_every_20_seconds_of_hold() -> None:
    """``screens-and-words``: then quiet; a soft repeat every 20 s."""
    call = Playing.at(Stage.SIGNAL, "gb").presses("55")
    gaps, quiet = [], 0
    for _ in range(40):
        quiet += call.listened()
        call.stays_silent()
        assert isinstance(call.action, HoldLine)
        if call.action.say:
            gaps.append(quiet)
            quiet = 0
    assert all(16 <= gap <= 24 for gap in gaps), gaps


def test_one_key_on_hold_is_reported_alone_after_a_few_seconds() -> None:
    """``numDigits`` 2 waits for a second key, and not longer than the profile's wait."""
    action = Playing.at(Stage.HOLD, "gb").action
    assert isinstance(action, HoldLine)
    assert (action.keys, action.seconds <= 5) == (2, True)
