"""The whole call flow: one literal table of stage and event.

Everything that affects where a call goes next is in this file.
``docs/callflow.svg`` is drawn from ``RULES``. What keeps a caller safe here: no
rule leads from ``HOLD`` or ``BRIDGED`` back to a prompt, only a caller who gave no
sign at all may be let go, and only by a profile that sends silence to review.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from callflow.actions import (
    Action,
    AskAnyKey,
    AskForSignal,
    AskService,
    ConnectControlRoom,
    HangUp,
    HoldLine,
    HoldWords,
    LetGo,
    Nothing,
)
from callflow.call import Call, Stage
from callflow.events import (
    AnswerFailed,
    BridgeEnded,
    CallArrived,
    CallEnded,
    Event,
    KeysPressed,
    NothingHeard,
    SoundHeard,
)
from callflow.keys import shorten
from callflow.profiles import SHORTEST_WAIT, Profile


class NoRule(LookupError):
    """The table has no row for this stage and event; the edge keeps the caller on the line."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a decision depends on besides the call: profile, a control room to ring, the time."""

    profile: Profile
    control_room: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """The call as it now stands, and what the caller's phone does next."""

    call: Call
    action: Action


Decide = Callable[[Call, Event, Setting], Outcome]


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table: how to decide, and the only stages the decision may lead to."""

    decide: Decide
    to: tuple[Stage, ...]


def step(call: Call, event: Event, setting: Setting) -> Outcome:
    """Apply one event. Raises ``NoRule`` where the table has no row."""
    try:
        rule = RULES[call.stage, type(event)]
    except KeyError:
        raise NoRule(f"{call.stage} {type(event).__name__}") from None
    return rule.decide(replace(call, step=call.step + 1), event, setting)


def _ask_service(call: Call, _event: Event, _setting: Setting) -> Outcome:
    return Outcome(replace(call, stage=Stage.SERVICE, asked=1), AskService())


def _ask_on(call: Call, _event: Event, setting: Setting) -> Outcome:
    """Nothing came: say the same prompt again while the profile wants it, then the next one."""
    profile = setting.profile
    match call.stage:
        case Stage.SERVICE if call.asked < profile.service.times:
            return Outcome(replace(call, asked=call.asked + 1), AskService())
        case Stage.SERVICE:
            return Outcome(replace(call, stage=Stage.ANY_KEY, asked=1), AskAnyKey())
        case Stage.ANY_KEY if call.asked < profile.any_key.times:
            return Outcome(replace(call, asked=call.asked + 1), AskAnyKey())
        case Stage.ANY_KEY:
            return Outcome(replace(call, stage=Stage.SIGNAL, asked=1), AskForSignal())
        case Stage.SIGNAL if call.asked < profile.ask_signal.times:
            return Outcome(replace(call, asked=call.asked + 1), AskForSignal())
        case _:
            return _begin_hold(call, setting, "stay")


def _hear_keys(call: Call, event: Event, setting: Setting) -> Outcome:
    # A frightened caller may press one 5 now and the other after the next
    # prompt, or hold a key and send three. Keys add up; nothing is "wrong".
    assert isinstance(event, KeysPressed)
    signal = setting.profile.signal
    before = call.confirmed(setting.profile)
    heard = replace(call, keys=shorten(call.keys + event.keys, signal), heard=True)
    if before:
        say: HoldWords = ""
    else:
        say = "stay" if heard.confirmed(setting.profile) else "one_more"
    if call.stage is Stage.HOLD:
        return _hold_on(heard, setting, say)
    return _begin_hold(heard, setting, say)


def _hear_sound(call: Call, _event: Event, setting: Setting) -> Outcome:
    # A word may be somebody else's in the room. The line stays open and keys
    # are still heard, so the caller can say more with 55.
    heard = replace(call, heard=True)
    if call.stage is Stage.HOLD:
        return _hold_on(heard, setting, "")
    return _begin_hold(heard, setting, "stay")


def _wait_on(call: Call, _event: Event, setting: Setting) -> Outcome:
    """A stretch of hold went by in silence: count it, then ring, let go, or hold on."""
    hold = setting.profile.hold
    waited = replace(
        call,
        held=call.held + call.listen,
        quiet=call.quiet + call.listen,
        waited=call.waited + call.listen,
    )
    # Only the waits we asked for count towards letting go: a clock that jumps
    # must never end a call. Ringing early is harmless, so there the clock counts too.
    by_clock = int(setting.now.timestamp()) - call.since
    if setting.control_room and max(waited.waited, by_clock) >= hold.bridge:
        return Outcome(replace(waited, stage=Stage.BRIDGED), ConnectControlRoom(hold.ring))
    if not waited.gave_a_sign() and _time_is_up(waited, setting):
        ended = replace(waited, stage=Stage.ENDED)
        return Outcome(ended, LetGo(SHORTEST_WAIT, hold.listening.keys))
    return _hold_on(waited, setting, "stay" if waited.quiet >= hold.say_every else "")


def _time_is_up(call: Call, setting: Setting) -> bool:
    # The limit is "up to": when less than the shortest wait is left, it is now.
    limit = setting.profile.hold.limit
    return limit is not None and limit - call.held < SHORTEST_WAIT


def _back_to_hold(call: Call, _event: Event, setting: Setting) -> Outcome:
    return _begin_hold(call, setting, "stay")


def _keep(call: Call, event: Event, setting: Setting) -> Outcome:
    """Something came that this stage did not wait for: whatever it was, hold the line."""
    if isinstance(event, KeysPressed):
        return _hear_keys(call, event, setting)
    if isinstance(event, SoundHeard):
        return _hear_sound(call, event, setting)
    if call.stage is Stage.HOLD:
        return _hold_on(call, setting, "")
    return _begin_hold(call, setting, "")


def _recover(call: Call, _event: Event, setting: Setting) -> Outcome:
    # Our own failure: nothing is said. The caller may have pressed keys that we
    # lost, so the line is held without limit until a person has it.
    return _begin_hold(replace(call, lost=True), setting, "")


def _hang_up(call: Call, _event: Event, setting: Setting) -> Outcome:
    # Goodbye is only ever said to a caller who gave no sign. Should there be one
    # after all, or a profile that lets nobody go, the line is held.
    if call.gave_a_sign() or setting.profile.hold.limit is None:
        return _begin_hold(call, setting, "")
    return Outcome(replace(call, stage=Stage.ENDED), HangUp())


def _end(call: Call, _event: Event, _setting: Setting) -> Outcome:
    return Outcome(replace(call, stage=Stage.ENDED), Nothing())


def _begin_hold(call: Call, setting: Setting, say: HoldWords) -> Outcome:
    now = int(setting.now.timestamp())
    return _hold_on(replace(call, stage=Stage.HOLD, asked=0, waited=0, since=now), setting, say)


def _hold_on(call: Call, setting: Setting, say: HoldWords) -> Outcome:
    """Listen until the next thing is due, and not past it."""
    hold = setting.profile.hold
    ask = hold.confirmed if call.confirmed(setting.profile) else hold.listening
    words = hold.words if say else 0
    quiet = 0 if say else call.quiet
    due = [ask.wait, hold.say_every - quiet]
    if setting.control_room:
        due.append(hold.bridge - call.waited - words)
    if hold.limit is not None and not call.gave_a_sign():
        due.append(hold.limit - call.held - words)
    seconds = max(SHORTEST_WAIT, min(due))
    held = replace(call, stage=Stage.HOLD, listen=seconds + words, quiet=quiet)
    return Outcome(held, HoldLine(say, seconds, ask.keys))


_S = Stage
RULES: dict[tuple[Stage, type[Event]], Rule] = {
    (_S.NEW, CallArrived): Rule(_ask_service, (_S.SERVICE,)),
    (_S.NEW, KeysPressed): Rule(_keep, (_S.HOLD,)),
    (_S.NEW, SoundHeard): Rule(_keep, (_S.HOLD,)),
    (_S.NEW, NothingHeard): Rule(_keep, (_S.HOLD,)),
    (_S.NEW, BridgeEnded): Rule(_keep, (_S.HOLD,)),
    (_S.NEW, AnswerFailed): Rule(_recover, (_S.HOLD,)),
    (_S.NEW, CallEnded): Rule(_end, (_S.ENDED,)),
    #
    (_S.SERVICE, CallArrived): Rule(_keep, (_S.HOLD,)),
    (_S.SERVICE, KeysPressed): Rule(_hear_keys, (_S.HOLD,)),
    (_S.SERVICE, SoundHeard): Rule(_hear_sound, (_S.HOLD,)),
    (_S.SERVICE, NothingHeard): Rule(_ask_on, (_S.SERVICE, _S.ANY_KEY)),
    (_S.SERVICE, BridgeEnded): Rule(_keep, (_S.HOLD,)),
    (_S.SERVICE, AnswerFailed): Rule(_recover, (_S.HOLD,)),
    (_S.SERVICE, CallEnded): Rule(_end, (_S.ENDED,)),
    #
    (_S.ANY_KEY, CallArrived): Rule(_keep, (_S.HOLD,)),
    (_S.ANY_KEY, KeysPressed): Rule(_hear_keys, (_S.HOLD,)),
    (_S.ANY_KEY, SoundHeard): Rule(_hear_sound, (_S.HOLD,)),
    (_S.ANY_KEY, NothingHeard): Rule(_ask_on, (_S.ANY_KEY, _S.SIGNAL)),
    (_S.ANY_KEY, BridgeEnded): Rule(_keep, (_S.HOLD,)),
    (_S.ANY_KEY, AnswerFailed): Rule(_recover, (_S.HOLD,)),
    (_S.ANY_KEY, CallEnded): Rule(_end, (_S.ENDED,)),
    #
    (_S.SIGNAL, CallArrived): Rule(_keep, (_S.HOLD,)),
    (_S.SIGNAL, KeysPressed): Rule(_hear_keys, (_S.HOLD,)),
    (_S.SIGNAL, SoundHeard): Rule(_hear_sound, (_S.HOLD,)),
    (_S.SIGNAL, NothingHeard): Rule(_ask_on, (_S.SIGNAL, _S.HOLD)),
    (_S.SIGNAL, BridgeEnded): Rule(_keep, (_S.HOLD,)),
    (_S.SIGNAL, AnswerFailed): Rule(_recover, (_S.HOLD,)),
    (_S.SIGNAL, CallEnded): Rule(_end, (_S.ENDED,)),
    #
    (_S.HOLD, CallArrived): Rule(_keep, (_S.HOLD,)),
    (_S.HOLD, KeysPressed): Rule(_hear_keys, (_S.HOLD,)),
    (_S.HOLD, SoundHeard): Rule(_hear_sound, (_S.HOLD,)),
    (_S.HOLD, NothingHeard): Rule(_wait_on, (_S.HOLD, _S.BRIDGED, _S.ENDED)),
    (_S.HOLD, BridgeEnded): Rule(_back_to_hold, (_S.HOLD,)),
    (_S.HOLD, AnswerFailed): Rule(_recover, (_S.HOLD,)),
    (_S.HOLD, CallEnded): Rule(_end, (_S.ENDED,)),
    #
    (_S.BRIDGED, CallArrived): Rule(_keep, (_S.HOLD,)),
    (_S.BRIDGED, KeysPressed): Rule(_keep, (_S.HOLD,)),
    (_S.BRIDGED, SoundHeard): Rule(_keep, (_S.HOLD,)),
    (_S.BRIDGED, NothingHeard): Rule(_keep, (_S.HOLD,)),
    (_S.BRIDGED, BridgeEnded): Rule(_back_to_hold, (_S.HOLD,)),
    (_S.BRIDGED, AnswerFailed): Rule(_recover, (_S.HOLD,)),
    (_S.BRIDGED, CallEnded): Rule(_end, (_S.ENDED,)),
    #
    # We have said goodbye, and yet something came: hold the line again.
    (_S.ENDED, CallArrived): Rule(_keep, (_S.HOLD,)),
    (_S.ENDED, KeysPressed): Rule(_keep, (_S.HOLD,)),
    (_S.ENDED, SoundHeard): Rule(_keep, (_S.HOLD,)),
    (_S.ENDED, NothingHeard): Rule(_hang_up, (_S.ENDED, _S.HOLD)),
    (_S.ENDED, BridgeEnded): Rule(_back_to_hold, (_S.HOLD,)),
    (_S.ENDED, AnswerFailed): Rule(_recover, (_S.HOLD,)),
    (_S.ENDED, CallEnded): Rule(_end, (_S.ENDED,)),
}
