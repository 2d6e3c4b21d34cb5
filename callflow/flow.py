"""The whole call flow: one literal table of stage and event.

Where a call goes next is decided by the row of this table, and each row says which
stages it may lead to. ``docs/callflow.svg`` is drawn from ``RULES``. What keeps a caller
safe here: no rule leads from ``HOLD``, ``ASKED``, ``BRIDGED`` or ``REACH`` back to a prompt of the
beginning. Only a caller who gave no sign at all is let go by a profile, and only if it
sends silence to review; anybody else is let go by a person alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from callflow.call import Call, Stage
from callflow.decisions import (
    Outcome,
    Setting,
    answer,
    ask_on,
    ask_question,
    back_to_hold,
    choose,
    connect,
    end,
    hang_up,
    hear_answer,
    hear_keys,
    hear_sound,
    hold_as_ordered,
    keep,
    part,
    recover,
    wait_on,
)
from callflow.events import (
    AnswerFailed,
    BridgeEnded,
    CallArrived,
    CallEnded,
    CallNotTaken,
    CodeTyped,
    ConnectionOrdered,
    Event,
    HoldOrdered,
    KeysPressed,
    MenuChosen,
    NothingHeard,
    PartingOrdered,
    QuestionAnswered,
    QuestionOrdered,
    SoundHeard,
)
from callflow.reaching import reach, ring_on

__all__ = ("RULES", "NoRule", "Outcome", "Rule", "Setting", "step")


class NoRule(LookupError):
    """The table has no row for this stage and event; the edge keeps the caller on the line."""


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


_S = Stage
_HOLD, _ASKED, _BRIDGED, _ENDED = (_S.HOLD,), (_S.ASKED,), (_S.BRIDGED,), (_S.ENDED,)
_REACHED = (_S.REACH, _S.HOLD)
RULES: dict[tuple[Stage, type[Event]], Rule] = {
    (_S.NEW, CallArrived): Rule(answer, (_S.SERVICE, _S.MENU, _S.CODE)),
    (_S.NEW, KeysPressed): Rule(keep, _HOLD),
    (_S.NEW, MenuChosen): Rule(choose, _HOLD),
    (_S.NEW, CodeTyped): Rule(keep, _HOLD),
    (_S.NEW, SoundHeard): Rule(keep, _HOLD),
    (_S.NEW, NothingHeard): Rule(keep, _HOLD),
    (_S.NEW, BridgeEnded): Rule(keep, _HOLD),
    (_S.NEW, CallNotTaken): Rule(keep, _HOLD),
    (_S.NEW, AnswerFailed): Rule(recover, _HOLD),
    (_S.NEW, CallEnded): Rule(end, _ENDED),
    (_S.NEW, QuestionAnswered): Rule(keep, _HOLD),
    (_S.NEW, HoldOrdered): Rule(hold_as_ordered, _HOLD),
    (_S.NEW, QuestionOrdered): Rule(ask_question, _ASKED),
    (_S.NEW, ConnectionOrdered): Rule(connect, _BRIDGED),
    (_S.NEW, PartingOrdered): Rule(part, _ENDED),
    #
    (_S.MENU, CallArrived): Rule(keep, _HOLD),
    (_S.MENU, KeysPressed): Rule(hear_keys, _HOLD),
    (_S.MENU, MenuChosen): Rule(choose, _HOLD),
    (_S.MENU, CodeTyped): Rule(keep, _HOLD),
    (_S.MENU, SoundHeard): Rule(hear_sound, _HOLD),
    (_S.MENU, NothingHeard): Rule(ask_on, (_S.MENU, _S.ANY_KEY)),
    (_S.MENU, BridgeEnded): Rule(keep, _HOLD),
    (_S.MENU, CallNotTaken): Rule(keep, _HOLD),
    (_S.MENU, AnswerFailed): Rule(recover, _HOLD),
    (_S.MENU, CallEnded): Rule(end, _ENDED),
    (_S.MENU, QuestionAnswered): Rule(keep, _HOLD),
    (_S.MENU, HoldOrdered): Rule(hold_as_ordered, _HOLD),
    (_S.MENU, QuestionOrdered): Rule(ask_question, _ASKED),
    (_S.MENU, ConnectionOrdered): Rule(connect, _BRIDGED),
    (_S.MENU, PartingOrdered): Rule(part, _ENDED),
    #
    (_S.CODE, CallArrived): Rule(keep, _HOLD),
    (_S.CODE, KeysPressed): Rule(hear_keys, _HOLD),
    (_S.CODE, MenuChosen): Rule(choose, _HOLD),
    (_S.CODE, CodeTyped): Rule(reach, _REACHED),
    (_S.CODE, SoundHeard): Rule(hear_sound, _HOLD),
    (_S.CODE, NothingHeard): Rule(reach, _REACHED),
    (_S.CODE, BridgeEnded): Rule(keep, _HOLD),
    (_S.CODE, CallNotTaken): Rule(keep, _HOLD),
    (_S.CODE, AnswerFailed): Rule(recover, _HOLD),
    (_S.CODE, CallEnded): Rule(end, _ENDED),
    (_S.CODE, QuestionAnswered): Rule(keep, _HOLD),
    (_S.CODE, HoldOrdered): Rule(hold_as_ordered, _HOLD),
    (_S.CODE, QuestionOrdered): Rule(ask_question, _ASKED),
    (_S.CODE, ConnectionOrdered): Rule(connect, _BRIDGED),
    (_S.CODE, PartingOrdered): Rule(part, _ENDED),
    #
    (_S.SERVICE, CallArrived): Rule(keep, _HOLD),
    (_S.SERVICE, KeysPressed): Rule(hear_keys, _HOLD),
    (_S.SERVICE, MenuChosen): Rule(choose, _HOLD),
    (_S.SERVICE, CodeTyped): Rule(keep, _HOLD),
    (_S.SERVICE, SoundHeard): Rule(hear_sound, _HOLD),
    (_S.SERVICE, NothingHeard): Rule(ask_on, (_S.SERVICE, _S.ANY_KEY)),
    (_S.SERVICE, BridgeEnded): Rule(keep, _HOLD),
    (_S.SERVICE, CallNotTaken): Rule(keep, _HOLD),
    (_S.SERVICE, AnswerFailed): Rule(recover, _HOLD),
    (_S.SERVICE, CallEnded): Rule(end, _ENDED),
    (_S.SERVICE, QuestionAnswered): Rule(keep, _HOLD),
    (_S.SERVICE, HoldOrdered): Rule(hold_as_ordered, _HOLD),
    (_S.SERVICE, QuestionOrdered): Rule(ask_question, _ASKED),
    (_S.SERVICE, ConnectionOrdered): Rule(connect, _BRIDGED),
    (_S.SERVICE, PartingOrdered): Rule(part, _ENDED),
    #
    (_S.ANY_KEY, CallArrived): Rule(keep, _HOLD),
    (_S.ANY_KEY, KeysPressed): Rule(hear_keys, _HOLD),
    (_S.ANY_KEY, MenuChosen): Rule(choose, _HOLD),
    (_S.ANY_KEY, CodeTyped): Rule(keep, _HOLD),
    (_S.ANY_KEY, SoundHeard): Rule(hear_sound, _HOLD),
    (_S.ANY_KEY, NothingHeard): Rule(ask_on, (_S.ANY_KEY, _S.SIGNAL)),
    (_S.ANY_KEY, BridgeEnded): Rule(keep, _HOLD),
    (_S.ANY_KEY, CallNotTaken): Rule(keep, _HOLD),
    (_S.ANY_KEY, AnswerFailed): Rule(recover, _HOLD),
    (_S.ANY_KEY, CallEnded): Rule(end, _ENDED),
    (_S.ANY_KEY, QuestionAnswered): Rule(keep, _HOLD),
    (_S.ANY_KEY, HoldOrdered): Rule(hold_as_ordered, _HOLD),
    (_S.ANY_KEY, QuestionOrdered): Rule(ask_question, _ASKED),
    (_S.ANY_KEY, ConnectionOrdered): Rule(connect, _BRIDGED),
    (_S.ANY_KEY, PartingOrdered): Rule(part, _ENDED),
    #
    (_S.SIGNAL, CallArrived): Rule(keep, _HOLD),
    (_S.SIGNAL, KeysPressed): Rule(hear_keys, _HOLD),
    (_S.SIGNAL, MenuChosen): Rule(choose, _HOLD),
    (_S.SIGNAL, CodeTyped): Rule(keep, _HOLD),
    (_S.SIGNAL, SoundHeard): Rule(hear_sound, _HOLD),
    (_S.SIGNAL, NothingHeard): Rule(ask_on, (_S.SIGNAL, _S.HOLD)),
    (_S.SIGNAL, BridgeEnded): Rule(keep, _HOLD),
    (_S.SIGNAL, CallNotTaken): Rule(keep, _HOLD),
    (_S.SIGNAL, AnswerFailed): Rule(recover, _HOLD),
    (_S.SIGNAL, CallEnded): Rule(end, _ENDED),
    (_S.SIGNAL, QuestionAnswered): Rule(keep, _HOLD),
    (_S.SIGNAL, HoldOrdered): Rule(hold_as_ordered, _HOLD),
    (_S.SIGNAL, QuestionOrdered): Rule(ask_question, _ASKED),
    (_S.SIGNAL, ConnectionOrdered): Rule(connect, _BRIDGED),
    (_S.SIGNAL, PartingOrdered): Rule(part, _ENDED),
    #
    (_S.ASKED, CallArrived): Rule(keep, _HOLD),
    (_S.ASKED, KeysPressed): Rule(keep, _HOLD),
    (_S.ASKED, MenuChosen): Rule(choose, _HOLD),
    (_S.ASKED, CodeTyped): Rule(keep, _HOLD),
    (_S.ASKED, SoundHeard): Rule(keep, _HOLD),
    (_S.ASKED, NothingHeard): Rule(keep, _HOLD),
    (_S.ASKED, BridgeEnded): Rule(keep, _HOLD),
    (_S.ASKED, CallNotTaken): Rule(keep, _HOLD),
    (_S.ASKED, AnswerFailed): Rule(recover, _HOLD),
    (_S.ASKED, CallEnded): Rule(end, _ENDED),
    (_S.ASKED, QuestionAnswered): Rule(hear_answer, (_S.ASKED, _S.HOLD)),
    (_S.ASKED, HoldOrdered): Rule(hold_as_ordered, _HOLD),
    (_S.ASKED, QuestionOrdered): Rule(ask_question, _ASKED),
    (_S.ASKED, ConnectionOrdered): Rule(connect, _BRIDGED),
    (_S.ASKED, PartingOrdered): Rule(part, _ENDED),
    #
    (_S.REACH, CallArrived): Rule(keep, _HOLD),
    (_S.REACH, KeysPressed): Rule(hear_keys, _HOLD),
    (_S.REACH, MenuChosen): Rule(choose, _HOLD),
    (_S.REACH, CodeTyped): Rule(keep, _HOLD),
    (_S.REACH, SoundHeard): Rule(hear_sound, _HOLD),
    (_S.REACH, NothingHeard): Rule(ring_on, _REACHED),
    (_S.REACH, BridgeEnded): Rule(back_to_hold, _HOLD),
    (_S.REACH, CallNotTaken): Rule(ring_on, _REACHED),
    (_S.REACH, AnswerFailed): Rule(recover, _HOLD),
    (_S.REACH, CallEnded): Rule(end, _ENDED),
    (_S.REACH, QuestionAnswered): Rule(keep, _HOLD),
    (_S.REACH, HoldOrdered): Rule(hold_as_ordered, _HOLD),
    (_S.REACH, QuestionOrdered): Rule(ask_question, _ASKED),
    (_S.REACH, ConnectionOrdered): Rule(connect, _BRIDGED),
    (_S.REACH, PartingOrdered): Rule(part, _ENDED),
    #
    (_S.HOLD, CallArrived): Rule(keep, _HOLD),
    (_S.HOLD, KeysPressed): Rule(hear_keys, _HOLD),
    (_S.HOLD, MenuChosen): Rule(choose, _HOLD),
    (_S.HOLD, CodeTyped): Rule(keep, _HOLD),
    (_S.HOLD, SoundHeard): Rule(hear_sound, _HOLD),
    (_S.HOLD, NothingHeard): Rule(wait_on, (_S.HOLD, _S.BRIDGED, _S.ENDED)),
    (_S.HOLD, BridgeEnded): Rule(back_to_hold, _HOLD),
    (_S.HOLD, CallNotTaken): Rule(keep, _HOLD),
    (_S.HOLD, AnswerFailed): Rule(recover, _HOLD),
    (_S.HOLD, CallEnded): Rule(end, _ENDED),
    (_S.HOLD, QuestionAnswered): Rule(keep, _HOLD),
    (_S.HOLD, HoldOrdered): Rule(hold_as_ordered, _HOLD),
    (_S.HOLD, QuestionOrdered): Rule(ask_question, _ASKED),
    (_S.HOLD, ConnectionOrdered): Rule(connect, _BRIDGED),
    (_S.HOLD, PartingOrdered): Rule(part, _ENDED),
    #
    (_S.BRIDGED, CallArrived): Rule(keep, _HOLD),
    (_S.BRIDGED, KeysPressed): Rule(keep, _HOLD),
    (_S.BRIDGED, MenuChosen): Rule(choose, _HOLD),
    (_S.BRIDGED, CodeTyped): Rule(keep, _HOLD),
    (_S.BRIDGED, SoundHeard): Rule(keep, _HOLD),
    (_S.BRIDGED, NothingHeard): Rule(keep, _HOLD),
    (_S.BRIDGED, BridgeEnded): Rule(back_to_hold, _HOLD),
    (_S.BRIDGED, CallNotTaken): Rule(keep, _HOLD),
    (_S.BRIDGED, AnswerFailed): Rule(recover, _HOLD),
    (_S.BRIDGED, CallEnded): Rule(end, _ENDED),
    (_S.BRIDGED, QuestionAnswered): Rule(keep, _HOLD),
    (_S.BRIDGED, HoldOrdered): Rule(hold_as_ordered, _HOLD),
    (_S.BRIDGED, QuestionOrdered): Rule(ask_question, _ASKED),
    (_S.BRIDGED, ConnectionOrdered): Rule(connect, _BRIDGED),
    (_S.BRIDGED, PartingOrdered): Rule(part, _ENDED),
    #
    # We have said goodbye, and yet something came: hold the line again.
    (_S.ENDED, CallArrived): Rule(keep, _HOLD),
    (_S.ENDED, KeysPressed): Rule(keep, _HOLD),
    (_S.ENDED, MenuChosen): Rule(choose, _HOLD),
    (_S.ENDED, CodeTyped): Rule(keep, _HOLD),
    (_S.ENDED, SoundHeard): Rule(keep, _HOLD),
    (_S.ENDED, NothingHeard): Rule(hang_up, (_S.ENDED, _S.HOLD)),
    (_S.ENDED, BridgeEnded): Rule(back_to_hold, _HOLD),
    (_S.ENDED, CallNotTaken): Rule(keep, _HOLD),
    (_S.ENDED, AnswerFailed): Rule(recover, _HOLD),
    (_S.ENDED, CallEnded): Rule(end, _ENDED),
    (_S.ENDED, QuestionAnswered): Rule(keep, _HOLD),
    (_S.ENDED, HoldOrdered): Rule(hold_as_ordered, _HOLD),
    (_S.ENDED, QuestionOrdered): Rule(ask_question, _ASKED),
    (_S.ENDED, ConnectionOrdered): Rule(connect, _BRIDGED),
    (_S.ENDED, PartingOrdered): Rule(part, _ENDED),
}
