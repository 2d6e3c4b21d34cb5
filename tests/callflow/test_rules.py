"""The rules of the domain that concern the call, each named, in every stage and profile."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from callflow.actions import (
    AskAnyKey,
    AskForSignal,
    AskService,
    HoldLine,
)
from callflow.call import Stage
from callflow.events import BridgeEnded
from callflow.keys import KEYPAD
from tests.callflow.playing import LISTENING, PROFILES, Playing

FIVES = ("55", "555", "*55", "5#5", "515")
FIVE_PROFILES = ("au", "gb", "gb-landline", "nz")


@pytest.mark.parametrize(("profile", "stage", "keys"), [*product(FIVE_PROFILES, LISTENING, FIVES)])
def test_rule_5_two_fives_confirm_in_every_stage(profile: str, stage: Stage, keys: str) -> None:
    """However they are pressed, and whatever was asked."""
    call = Playing.at(stage, profile).presses(keys)
    assert (call.confirmed, call.call.stage) == (True, Stage.HOLD)


@pytest.mark.parametrize(("stage", "keys"), [*product(Stage, FIVES)])
def test_rule_5_two_fives_confirm_even_where_none_are_expected(stage: Stage, keys: str) -> None:
    """Before the first word, after the goodbye, during a bridge: they count if they reach us."""
    call = Playing.arrived("gb")
    call.call = replace(call.call, stage=stage)
    assert (call.presses(keys).confirmed, call.call.stage) == (True, Stage.HOLD)


@pytest.mark.parametrize(("profile", "stage"), [*product(FIVE_PROFILES, LISTENING)])
def test_rule_5_a_five_now_and_a_five_a_minute_later_confirm(profile: str, stage: Stage) -> None:
    """However long it takes."""
    call = Playing.at(stage, profile).presses("5").stays_silent(seconds=60).presses("5")
    assert call.confirmed


@pytest.mark.parametrize(("first", "second"), [*product(LISTENING, LISTENING)])
def test_rule_5_a_five_in_one_stage_and_a_five_in_another_confirm(
    first: Stage, second: Stage
) -> None:
    """The keys are the call's, not the stage's."""
    call = Playing.at(first, "gb").presses("5")
    call.call = replace(call.call, stage=second)
    assert call.presses("5").confirmed


@pytest.mark.parametrize("profile", FIVE_PROFILES)
def test_rule_5_a_55_during_the_goodbye_is_heard(profile: str) -> None:
    """At any moment we can hear keys, and the goodbye listens too."""
    call = Playing.at(Stage.HOLD, profile)
    call.call = replace(call.call, stage=Stage.ENDED)
    assert call.presses("55").confirmed


@pytest.mark.parametrize("profile", FIVE_PROFILES)
def test_rule_5_fives_before_and_after_a_bridge_add_up(profile: str) -> None:
    """No key is heard while bridged; what was pressed before still counts after."""
    call = Playing.at(Stage.BRIDGED, profile)
    call.call = replace(call.call, keys="5")
    assert call.meets(BridgeEnded()).presses("5").confirmed


def test_rule_5_the_nz_message_for_55_is_said_twice() -> None:
    """As the profile says."""
    assert asked_for_signal("nz") == 2


def test_rule_5_the_gb_message_for_55_is_said_again_once() -> None:
    """``screens-and-words``: said again once."""
    assert asked_for_signal("gb") == 2


def test_rule_5_au_asks_for_55_three_times() -> None:
    """As the profile says."""
    assert asked_for_signal("au") == 3


def asked_for_signal(profile: str) -> int:
    """Return how often a silent caller is asked for the full signal."""
    return Playing.at(Stage.HOLD, profile).actions.count(AskForSignal())


@pytest.mark.parametrize(("stage", "key"), [*product(LISTENING, "0123456789*#")])
def test_rule_5_in_ireland_any_key_is_the_full_signal(stage: Stage, key: str) -> None:
    """55 has no special meaning there."""
    assert Playing.at(stage, "ie").presses(key).confirmed


@pytest.mark.parametrize(("stage", "key"), [*product(LISTENING, "123")])
def test_rule_5_in_massachusetts_one_of_three_keys_is_enough(stage: Stage, key: str) -> None:
    """1 police, 2 fire, 3 ambulance."""
    assert Playing.at(stage, "us-ma").presses(key).confirmed


@pytest.mark.parametrize("keys", ["55", "4", "5", "*", "0"])
def test_rule_5_in_massachusetts_other_keys_mean_that_somebody_is_there(keys: str) -> None:
    """Not the full signal, and a sign."""
    call = Playing.at(Stage.HOLD, "us-ma").presses(keys)
    assert (call.confirmed, call.call.gave_a_sign()) == (False, True)


@pytest.mark.parametrize(("profile", "stage", "key"), [*product(FIVE_PROFILES, LISTENING, KEYPAD)])
def test_rule_5_one_key_is_a_sign_and_is_followed_by_one_quiet_request(
    profile: str, stage: Stage, key: str
) -> None:
    """A single 5 or any key: somebody is there, and is asked for one more 5.

    Where a menu does not have the key, or a code is asked for, "again" would make no sense after
    another key: 5 5 is named.
    """
    call = Playing.at(stage, profile).presses(key)
    said = call.action.say if isinstance(call.action, HoldLine) else None
    asked = "stray" if stage in (Stage.MENU, Stage.CODE) and key != "5" else "one_more"
    assert (call.call.gave_a_sign(), call.call.stage, said) == (True, Stage.HOLD, asked)


def test_one_more_five_is_not_asked_of_a_caller_who_has_confirmed() -> None:
    """Further keys are recorded and answered with silence: the phone may be overheard."""
    call = Playing.at(Stage.SIGNAL, "gb").presses("55").presses("7")
    assert isinstance(call.action, HoldLine)
    assert call.action.say == ""


def test_keys_that_are_no_keys_still_mean_that_somebody_is_there() -> None:
    """``Digits`` with nothing readable in it: something was pressed."""
    assert Playing.at(Stage.SIGNAL, "gb").presses("").call.gave_a_sign()


def test_a_caller_who_gave_the_signal_is_asked_to_stay_on_the_line() -> None:
    """Once, quietly."""
    action = Playing.at(Stage.SIGNAL, "gb").presses("55").action
    assert isinstance(action, HoldLine)
    assert action.say == "stay"


@pytest.mark.parametrize(("profile", "stage"), [*product(sorted(PROFILES), LISTENING)])
def test_speech_leads_to_hold_from_every_stage(profile: str, stage: Stage) -> None:
    """What was heard is only a note; the line stays open and keys are still heard."""
    call = Playing.at(stage, profile).speaks()
    assert (call.call.stage, call.call.gave_a_sign()) == (Stage.HOLD, True)


def test_speech_is_listened_for_in_the_first_stage_only() -> None:
    """In the combined mode a shouting room can mask keys for up to a minute."""
    speech = {
        profile.id: (profile.service.speech, profile.any_key.speech, profile.ask_signal.speech)
        for profile in PROFILES.values()
    }
    assert speech == dict.fromkeys(PROFILES, (True, False, False))


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_a_silent_caller_is_asked_for_service_then_any_key_then_the_signal(profile: str) -> None:
    """In this order, and then held."""
    asked = [type(action) for action in Playing.at(Stage.HOLD, profile).actions]
    times = asked.count(AskForSignal)
    assert asked == [AskService, AskAnyKey, *[AskForSignal] * times, HoldLine]
