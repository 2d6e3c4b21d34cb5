"""What handlers have the caller's phone do: ask, reassure, connect, hold, let go."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from callflow.actions import (
    AskQuestion,
    ConnectControlRoom,
    ConnectStaff,
    HangUp,
    HoldLine,
    JoinConference,
    LetGo,
)
from callflow.call import Stage
from callflow.events import (
    AnswerFailed,
    BridgeEnded,
    ConnectionOrdered,
    HoldOrdered,
    NothingHeard,
    PartingOrdered,
    QuestionAnswered,
    QuestionOrdered,
)
from tests.callflow.playing import PROFILES, Playing

REVIEWED = ("au", "gb", "ie", "nz")
STAGES = tuple(Stage)


def claimed(profile: str = "gb", keys: str = "", *, control_room: bool = True) -> Playing:
    """Return a call a handler has: on hold, as the claim orders it."""
    call = Playing.arrived(profile, control_room=control_room)
    if keys:
        call.presses(keys)
    call.call = replace(call.call, stage=Stage.HOLD, claimed=True, asked=0)
    return call.meets(HoldOrdered(""))


@pytest.mark.parametrize(("profile", "keys"), [*product(sorted(PROFILES), ("", "7", "55"))])
def test_rule_10_a_claimed_caller_is_held_without_limit(profile: str, keys: str) -> None:
    """A day on hold, pressed or not; and the phone side rings nobody by itself."""
    call = claimed(profile, keys).stays_silent(seconds=24 * 3600)
    assert call.call.stage is Stage.HOLD
    assert not any(isinstance(action, ConnectControlRoom | LetGo) for action in call.actions)


@pytest.mark.parametrize(("stage", "profile"), [*product(STAGES, ("gb", "us-ma"))])
def test_a_question_interrupts_every_stage(stage: Stage, profile: str) -> None:
    """Whatever was playing: the question is spoken now."""
    call = Playing.arrived(profile)
    call.call = replace(call.call, stage=stage, asked=0)
    call.meets(QuestionOrdered())
    replies = PROFILES[profile].replies
    assert call.action == AskQuestion(False, True, replies.wait, replies.listened_for())
    assert call.call.stage is Stage.ASKED


def test_how_to_answer_is_told_with_the_first_question_only() -> None:
    """Later ones are short; the caller knows."""
    call = claimed()
    call.call = replace(call.call, asked=1)
    action = call.meets(QuestionOrdered()).action
    assert isinstance(action, AskQuestion)
    assert (action.how, action.again) == (False, False)


@pytest.mark.parametrize("keys", ["555", "", "123"])
def test_an_unclear_answer_is_asked_for_once_more_with_how_to_answer(keys: str) -> None:
    """Once, and then the line goes back to hold."""
    call = claimed().meets(QuestionOrdered()).meets(QuestionAnswered("unclear", keys))
    assert isinstance(call.action, AskQuestion)
    assert (call.action.again, call.action.how, call.call.stage) == (True, True, Stage.ASKED)
    call.meets(QuestionAnswered("unclear", keys))
    assert (isinstance(call.action, HoldLine), call.call.stage) == (True, Stage.HOLD)


@pytest.mark.parametrize(("answer", "keys"), [("yes", "77"), ("no", "7"), ("none", "")])
def test_after_an_answer_the_line_goes_back_to_quiet_hold(answer: str, keys: str) -> None:
    """Nothing is said: a handler decides what comes next."""
    call = claimed().meets(QuestionOrdered()).meets(QuestionAnswered(answer, keys))  # type: ignore[arg-type]
    assert isinstance(call.action, HoldLine)
    assert (call.call.stage, call.action.say, call.call.claimed) == (Stage.HOLD, "", True)


def test_rule_5_a_five_before_and_a_five_in_an_answer_confirm() -> None:
    """Wherever they were pressed."""
    call = claimed(keys="5").meets(QuestionOrdered()).meets(QuestionAnswered("no", "5"))
    assert call.confirmed


@pytest.mark.parametrize("stage", STAGES)
def test_rule_5_an_answer_that_comes_late_still_counts_its_presses(stage: Stage) -> None:
    """In every stage, and the line is held."""
    call = Playing.arrived("gb")
    call.call = replace(call.call, stage=stage, asked=2)
    call.meets(QuestionAnswered("yes", "55"))
    assert (call.confirmed, call.call.stage) == (True, Stage.HOLD)


@pytest.mark.parametrize("say", ["", "stay", "reassure"])
def test_a_hold_begins_with_the_words_that_were_ordered(say: str) -> None:
    """Nothing, the soft words, or the reassurance."""
    call = claimed().meets(HoldOrdered(say))  # type: ignore[arg-type]
    assert isinstance(call.action, HoldLine)
    assert call.action.say == say


def test_a_language_stays_switched() -> None:
    """Through questions, answers and a day of hold."""
    call = claimed().meets(HoldOrdered("stay", "cy-GB")).meets(QuestionOrdered())
    call.meets(QuestionAnswered("none", "")).stays_silent(seconds=3600)
    assert call.call.language == "cy-GB"


def test_the_caller_is_rung_through_to_a_person_and_comes_back_to_hold() -> None:
    """By number, or into a conference; afterwards keys are heard again."""
    call = claimed("gb", "5").meets(ConnectionOrdered(conference=False))
    assert (call.action, call.call.stage) == (ConnectStaff(20), Stage.BRIDGED)
    call.meets(BridgeEnded())
    assert (call.call.stage, call.call.claimed) == (Stage.HOLD, True)
    call.meets(ConnectionOrdered(conference=True))
    assert (call.action, call.call.stage) == (JoinConference(), Stage.BRIDGED)
    assert call.meets(BridgeEnded()).presses("5").confirmed


@pytest.mark.parametrize(("profile", "keys"), [*product(sorted(PROFILES), ("", "7", "123", "55"))])
def test_a_person_may_let_the_line_go_whatever_signs_were_given(profile: str, keys: str) -> None:
    """Goodbye listens; then, after silence, we hang up."""
    call = claimed(profile, keys).meets(PartingOrdered())
    assert isinstance(call.action, LetGo)
    assert call.action.seconds >= 4
    assert call.meets(NothingHeard()).action == HangUp()


@pytest.mark.parametrize("keys", ["5", "55", "7", ""])
def test_a_key_during_the_goodbye_of_a_person_keeps_the_caller_too(keys: str) -> None:
    """And nothing lets go later what was kept now."""
    call = claimed("gb", "7").meets(PartingOrdered()).presses(keys)
    assert (call.call.stage, call.call.parting) == (Stage.HOLD, False)
    assert call.stays_silent(seconds=3600).call.stage is Stage.HOLD


def test_a_failure_during_the_goodbye_keeps_the_caller() -> None:
    """A key may have been lost with our answer."""
    call = claimed("gb", "7").meets(PartingOrdered()).meets(AnswerFailed())
    assert (call.call.stage, call.call.parting) == (Stage.HOLD, False)


@pytest.mark.parametrize("profile", REVIEWED)
def test_a_claimed_silent_caller_is_not_hung_up_on_after_a_goodbye_by_timer(profile: str) -> None:
    """The claim came while goodbye was being said: the line is held."""
    call = Playing.at(Stage.ENDED, profile)
    call.call = replace(call.call, claimed=True)
    assert call.meets(NothingHeard()).call.stage is Stage.HOLD
