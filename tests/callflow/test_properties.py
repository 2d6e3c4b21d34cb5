"""What keeps a caller safe, held against calls nobody would think of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from hypothesis import find, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from callflow.actions import (
    Action,
    AskAnyKey,
    AskCode,
    AskForSignal,
    AskMenu,
    AskQuestion,
    AskService,
    ConnectControlRoom,
    HangUp,
    HoldLine,
    LetGo,
)
from callflow.call import LONGEST_TOKEN, Call, Stage
from callflow.events import (
    CallEnded,
    Event,
    KeysPressed,
    MenuChosen,
    NothingHeard,
    QuestionAnswered,
)
from callflow.flow import Outcome, Setting, step
from callflow.profiles import SHORTEST_WAIT, Profile
from tests.callflow import playing

Happening = tuple[Event, datetime]
histories = st.lists(st.tuples(playing.events, playing.moments), max_size=25)
silences = st.lists(st.tuples(st.just(NothingHeard()), playing.moments), max_size=40)
PROMPTS = AskMenu | AskCode | AskService | AskAnyKey | AskForSignal
AWAY = LetGo | HangUp


def play(call: Call, profile: Profile, control_room: bool, what: list[Happening]) -> list[Outcome]:
    """Return every outcome of a call to a line with a menu; the clock jumps as ``what`` says.

    A call that stands where codes are typed is on the line for known victims.
    """
    outcomes = []
    codes = call.stage in (Stage.CODE, Stage.REACH)
    menu, contact = (None, playing.CONTACT) if codes else (playing.MENU, None)
    for event, now in what:
        outcome = step(call, event, Setting(profile, control_room, now, menu, contact, rings=True))
        outcomes.append(outcome)
        call = outcome.call
    return outcomes


def sent_back(outcomes: list[Outcome]) -> bool:
    """Say whether a connected caller was later sent to a prompt."""
    stages = [outcome.call.stage for outcome in outcomes]
    connected = [at for at, stage in enumerate(stages) if stage in playing.CONNECTED]
    return bool(connected) and any(
        stage in playing.PROMPTS or isinstance(outcome.action, PROMPTS)
        for stage, outcome in zip(stages[connected[0] :], outcomes[connected[0] :], strict=True)
    )


def let_go_after_a_sign(outcomes: list[Outcome]) -> bool:
    """Say whether a caller heard goodbye, or was hung up on, after a sign."""
    return any(
        outcome.call.gave_a_sign() and isinstance(outcome.action, AWAY) for outcome in outcomes
    )


@examples(max_examples=1000, deadline=None)
@given(playing.calls, playing.profiles, st.booleans(), histories)
def test_a_caller_once_connected_is_never_sent_back_to_a_prompt(
    call: Call, profile: Profile, control_room: bool, what: list[Happening]
) -> None:
    """Whatever happens, in whatever order, from whatever state."""
    assert not sent_back(play(call, profile, control_room, what))


def test_a_caller_sent_back_is_noticed() -> None:
    """The check above can fail: a prompt after hold is found."""
    held = playing.Playing.at(Stage.HOLD, "gb").call
    asked = playing.Playing.at(Stage.SIGNAL, "gb").call
    assert sent_back([Outcome(held, HoldLine("", 5, 2)), Outcome(asked, AskForSignal())])


@examples(max_examples=1000, deadline=None)
@given(playing.calls, playing.profiles, st.booleans(), histories)
def test_nobody_is_let_go_after_any_sign(
    call: Call, profile: Profile, control_room: bool, what: list[Happening]
) -> None:
    """By no timer, no clock that jumps and no event."""
    assert not let_go_after_a_sign(play(call, profile, control_room, what))


def test_a_caller_let_go_after_a_sign_is_noticed() -> None:
    """The check above can fail: a goodbye after a 5 is found."""
    call = playing.Playing.at(Stage.HOLD, "gb").presses("5").call
    assert let_go_after_a_sign([Outcome(call, LetGo(4, 2))])


@examples(max_examples=1000, deadline=None)
@given(playing.calls, playing.profiles, histories)
def test_rule_10_no_timer_lets_a_claimed_caller_go_or_rings_anybody(
    call: Call, profile: Profile, what: list[Happening]
) -> None:
    """With or without a sign, whatever the clock does; only the end of the call ends it."""
    outcomes = play(replace(call, claimed=True), profile, True, what)
    made = [outcome.action for outcome in outcomes]
    assert not any(isinstance(action, AWAY | ConnectControlRoom) for action in made)


@examples(max_examples=300, deadline=None)
@given(playing.calls, playing.profiles, playing.moments, playing.moments)
def test_a_clock_that_jumps_never_shortens_a_hold(
    call: Call, profile: Profile, one: datetime, other: datetime
) -> None:
    """Only the waits we asked for count towards letting go; without a control room, no clock.

    On the line for known victims a clock may shorten the ringing, after which the hold begins.
    """
    if call.stage in (Stage.CODE, Stage.REACH):
        call = replace(call, stage=Stage.HOLD)
    outcomes = {
        (outcome.action, outcome.call.stage)
        for now in (one, other)
        for outcome in play(call, profile, False, [(NothingHeard(), now)])
    }
    assert len(outcomes) == 1


def held_before_goodbye(profile: Profile, room: bool, what: list[Happening]) -> list[int]:
    """Return the seconds of hold a silent caller had when goodbye was said, if it was."""
    outcomes = play(Call(Stage.SIGNAL, 1, 0, asked=9), profile, room, what)
    return [outcome.call.held for outcome in outcomes if isinstance(outcome.action, LetGo)]


@examples(max_examples=300, deadline=None)
@given(playing.profiles, st.booleans(), silences)
def test_nobody_is_let_go_before_the_limit(
    profile: Profile, control_room: bool, what: list[Happening]
) -> None:
    """Within the shortest wait of it, whatever the clock says; and nobody where there is none."""
    limit = profile.hold.limit or 10**9
    held = held_before_goodbye(profile, control_room, what)
    assert all(limit - SHORTEST_WAIT < seconds for seconds in held)


@examples(max_examples=300, deadline=None)
@given(playing.profiles, silences)
def test_nobody_silent_is_held_beyond_the_limit(profile: Profile, what: list[Happening]) -> None:
    """Up to 45 s. (Where a control room is rung meanwhile, a caller may be kept longer.)"""
    held = held_before_goodbye(profile, False, what)
    assert all(seconds <= (profile.hold.limit or 0) for seconds in held)


@examples(max_examples=1000, deadline=None)
@given(playing.calls, playing.events, playing.settings)
def test_every_prompt_is_followed_by_at_least_four_seconds(
    call: Call, event: Event, setting: Setting
) -> None:
    """Silent callers need them, always."""
    assert listened(step(call, event, setting).action, setting.profile) >= SHORTEST_WAIT == 4


def listened(action: Action, profile: Profile) -> int:
    """Return how long a document listens after its prompt; one that says nothing, for ever."""
    match action:
        case AskService():
            return profile.service.wait
        case AskMenu(menu):
            return menu.ask.wait
        case AskAnyKey():
            return profile.any_key.wait
        case AskForSignal():
            return profile.ask_signal.wait
        case HoldLine(seconds=seconds) | LetGo(seconds=seconds) | AskQuestion(seconds=seconds):
            return seconds
    return 10**9


@examples(max_examples=500, deadline=None)
@given(playing.calls, playing.profiles, st.booleans(), histories)
def test_a_confirmed_signal_is_never_taken_back(
    call: Call, profile: Profile, control_room: bool, what: list[Happening]
) -> None:
    """Rule 5 over a whole call: once confirmed, always confirmed."""
    shown = [outcome.call.confirmed(profile) for outcome in play(call, profile, control_room, what)]
    assert shown == sorted(shown)


@examples(max_examples=500, deadline=None)
@given(playing.profiles, st.booleans(), histories)
def test_rule_5_the_presses_of_a_whole_call_add_up(
    profile: Profile, control_room: bool, what: list[Happening]
) -> None:
    """Whatever else happened between them."""
    pressing = KeysPressed | MenuChosen | QuestionAnswered
    pressed = "".join(event.keys for event, _ in what if isinstance(event, pressing))
    outcomes = play(Call.starting(playing.NOW), profile, control_room, what)
    assert not outcomes or (
        outcomes[-1].call.confirmed(profile) == profile.signal.given_by(pressed)
    )


@examples(max_examples=500, deadline=None)
@given(playing.calls, playing.profiles, histories)
def test_nobody_is_bridged_where_no_control_room_is_set(
    call: Call, profile: Profile, what: list[Happening]
) -> None:
    """There is nobody to ring."""
    outcomes = play(call, profile, False, what)
    assert not any(isinstance(outcome.action, ConnectControlRoom) for outcome in outcomes)


@examples(max_examples=500, deadline=None)
@given(playing.calls, playing.events, playing.settings)
def test_the_line_is_given_up_only_in_silence(call: Call, event: Event, setting: Setting) -> None:
    """Goodbye and hanging up follow nothing but silence."""
    action = step(call, event, setting).action
    assert not isinstance(action, AWAY) or isinstance(event, NothingHeard)


@examples(max_examples=500, deadline=None)
@given(playing.calls, playing.events, playing.settings)
def test_a_call_is_over_only_after_silence_or_its_end(
    call: Call, event: Event, setting: Setting
) -> None:
    """No key, no word and no failure of ours leads to the end."""
    ended = step(call, event, setting).call.stage is Stage.ENDED
    assert not ended or isinstance(event, NothingHeard | CallEnded)


@examples(max_examples=500, deadline=None)
@given(playing.profiles, st.booleans(), histories)
def test_the_state_of_every_call_fits_its_url_and_comes_back(
    profile: Profile, control_room: bool, what: list[Happening]
) -> None:
    """However long the call and however many the keys."""
    tokens = [
        (outcome.call.write(), outcome.call)
        for outcome in play(Call.starting(playing.NOW), profile, control_room, what)
    ]
    assert all(len(token) <= LONGEST_TOKEN and Call.read(token) == call for token, call in tokens)


def reached(wanted: Callable[[Outcome], bool]) -> bool:
    """Say whether the histories above ever lead to what is ``wanted``."""
    try:
        find(
            st.tuples(playing.profiles, st.booleans(), st.one_of(histories, silences)),
            lambda drawn: any(
                map(wanted, play(Call(Stage.SIGNAL, 1, 0, asked=9), *drawn)),
            ),
            settings=examples(max_examples=3000, deadline=None, derandomize=True, database=None),
        )
    except NoSuchExample:
        return False
    return True


def test_the_histories_above_reach_the_goodbye() -> None:
    """Otherwise "never let go" would hold of nothing."""
    assert reached(lambda outcome: isinstance(outcome.action, LetGo))


def test_the_histories_above_reach_a_bridge() -> None:
    """Otherwise "never sent back" would hold of hold alone."""
    assert reached(lambda outcome: isinstance(outcome.action, ConnectControlRoom))
