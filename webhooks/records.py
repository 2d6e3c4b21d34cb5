"""What is recorded of a request: who calls which line, what happened, what was decided.

It decides nothing and writes nothing; ``edge`` puts the records on the disk.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from callflow import actions
from callflow.call import Call, Stage
from callflow.events import (
    AnswerFailed,
    CallEnded,
    Event,
    KeysPressed,
    MenuChosen,
    QuestionAnswered,
    SoundHeard,
)
from callflow.flow import Outcome, Setting
from callflow.lines import E164, Line, Purpose, profile_for
from callflow.profiles import Profile
from config.policy import Policy
from incidents.orders import Order
from incidents.proof import PARAMETER, is_proof
from incidents.recorded import Recorded, call_key, event_key
from incidents.sealed import Keys
from webhooks import parameters

KINDS: Final = {
    "CallArrived": "call_arrived",
    "KeysPressed": "keys_pressed",
    "MenuChosen": "menu_chosen",
    "CodeTyped": "code_typed",
    "SoundHeard": "sound_heard",
    "NothingHeard": "nothing_heard",
    "BridgeEnded": "bridge_ended",
    "CallNotTaken": "not_taken",
    "AnswerFailed": "answer_failed",
    "CallEnded": "call_ended",
    "QuestionAnswered": "question_answered",
    "HoldOrdered": "order_reached",
    "QuestionOrdered": "order_reached",
    "ConnectionOrdered": "order_reached",
    "PartingOrdered": "order_reached",
}
_PROMPTS: Final = {
    actions.AskService: "service",
    actions.AskMenu: "menu",
    actions.AskCode: "code",
    actions.AskAnyKey: "any_key",
    actions.AskForSignal: "signal",
    actions.AskQuestion: "question",
    actions.LetGo: "goodbye",
}
_BASE: Final = (
    "line",
    "profile",
    "purpose",
    "number",
    "withheld",
    "called",
    "language",
    "stage",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """What one request says about who calls which line."""

    params: dict[str, str]
    line: Line
    profile: Profile
    purpose: Purpose
    base: dict[str, object]
    call_key: str
    call_sid: str


class Records:
    """Makes the records of one site."""

    def __init__(self, policy: Policy, keys: Keys) -> None:
        self._policy = policy
        self._keys = keys

    def caller(self, call: Call, params: dict[str, str]) -> Caller:
        """Return who calls, on which line."""
        who = parameters.caller(params)
        to = params.get("To", "")
        line = self._policy.lines.get(to, self._policy.other)
        profile = profile_for(line, who.number, self._policy.profiles)
        account = parameters.account(params)
        sid = parameters.call_sid(params)
        if sid is None:
            # No usable identifier: the caller and the second the call began make
            # one, so that its steps still belong together.
            seen = f"{params.get('CallSid')}|{params.get('From')}|{params.get('To')}|{call.began}"
            sid = f"unidentified-{self._keys.look_up(seen)[:16]}"
        # The watchman's own call, and nobody else's: it must not be taken for a caller.
        proof = PARAMETER in params and is_proof(self._keys, sid, params[PARAMETER])
        purpose: Purpose = "proof" if proof else line.purpose
        base: dict[str, object] = {
            "line": line.kind,
            "profile": profile.id,
            "purpose": purpose,
            "number": who.number,
            "withheld": who.withheld,
            "called": to if E164.match(to) else None,
            "language": call.language or line.language,
        }
        key = call_key(self._keys, account, sid)
        return Caller(params, line, profile, purpose, base, key, sid)

    def record(
        self,
        caller: Caller,
        call: Call,
        event: Event,
        now: datetime,
        decided: Mapping[str, object],
        *,
        place: str = "",
        order: Order | None = None,
    ) -> Recorded:
        """Return the record of ``event``, met by ``call``.

        ``place``: what stands for the step in the event's key where the step is lost. ``order``:
        what was ordered, of an order and of an answer.
        """
        kind = KINDS[type(event).__name__]
        facts = _facts(event, call, caller, order)
        content = _content(event, caller.params, order)
        return Recorded(
            key=event_key(self._keys, caller.call_key, place or call.step, kind, content),
            call_key=caller.call_key,
            call_sid=caller.call_sid,
            month=call.month(),
            step=call.step,
            kind=kind,
            at=milliseconds(now),
            data={**caller.base, "stage": call.stage.value, **facts, **decided},
        )

    def beside(
        self,
        kind: str,
        call: str,
        step: int,
        now: datetime,
        data: Mapping[str, object],
        **more: str,
    ) -> Recorded:
        """Return a record of ``call`` that is not made on the caller's own side.

        ``more``: ``place``, what tells it apart besides its step, and ``call_sid``.
        """
        return Recorded(
            key=event_key(self._keys, call, more.get("place") or step, kind, ""),
            call_key=call,
            call_sid=more.get("call_sid", ""),
            month=now.strftime("%Y-%m"),
            step=step,
            kind=kind,
            at=milliseconds(now),
            data=dict(data),
        )

    def failure(self, event: Recorded) -> Recorded:
        """Return the record that the answer to ``event`` was not the one decided."""
        kind = KINDS[AnswerFailed.__name__]
        data = {name: event.data[name] for name in _BASE} | {"next": Stage.HOLD.value}
        key = event_key(self._keys, event.call_key, event.step, kind, "unwritten")
        return replace(event, key=key, kind=kind, data=data)


def decided(
    outcome: Outcome, caller: Caller, setting: Setting, *, played: bool
) -> dict[str, object]:
    """What was decided, for the record: where the call went next and, ``played``, what was said."""
    call, action, profile = outcome.call, outcome.action, caller.profile
    told: dict[str, object] = {
        "next": call.stage.value,
        "language": call.language or caller.line.language,
    }
    prompt = action.say if isinstance(action, actions.HoldLine) else _PROMPTS.get(type(action), "")
    if prompt and played:
        told["prompt"] = prompt
    if call.stage is Stage.HOLD and not call.gave_a_sign():
        if setting.contact:
            told["held"] = setting.contact.reason
        elif profile.silence == "held":
            told["held"] = profile.silence_reason
    return told


def milliseconds(now: datetime) -> datetime:
    """Return ``now`` in whole milliseconds."""
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _facts(event: Event, call: Call, caller: Caller, order: Order | None) -> dict[str, object]:
    params = caller.params
    match event:
        case KeysPressed(keys):
            return {"keys": keys, **_signal(caller.profile)}
        case MenuChosen(keys, choice):
            told = {"keys": keys, "choice": choice.id, "words": choice.name}
            return {**told, **_signal(caller.profile)}
        case QuestionAnswered(answer, keys):
            facts = {"attempt": max(1, call.asked), "answer": answer, "keys": keys}
            return {**_told(order), **facts, **_signal(caller.profile)}
        case SoundHeard():
            return parameters.words(params)
        case AnswerFailed():
            return {"code": parameters.short(params, "ErrorCode")}
        case CallEnded():
            return {
                "status": parameters.short(params, "CallStatus"),
                "duration": parameters.number(params, "CallDuration"),
            }
    if order is not None:
        return {**_told(order), "what": order.what}
    status = parameters.short(params, "DialCallStatus")
    return {"status": status} if status else {}


def _signal(profile: Profile) -> dict[str, object]:
    """The profile's full signal, so that an event carries its own rule."""
    signal: dict[str, object] = {"signal": profile.signal.spelled()}
    return {**signal, "meanings": dict(profile.meanings)} if profile.meanings else signal


def _told(order: Order | None) -> dict[str, object]:
    if order is None:
        return {"order": "", "question": "", "text": ""}
    told = {"order": order.id, "question": order.question, "text": order.text, "to": order.label}
    return {name: value for name, value in told.items() if value}


def _content(event: Event, params: dict[str, str], order: Order | None) -> str:
    """What tells two events of one step and kind apart. Times and headers do not."""
    match event:
        case KeysPressed(keys) | MenuChosen(keys):
            return keys
        case QuestionAnswered(_, keys):
            return f"{order.id if order else ''}|{keys}"
        case SoundHeard():
            return params.get("SpeechResult", "")
        case AnswerFailed():
            return f"{params.get('ErrorCode')}|{params.get('ErrorUrl')}"
        case CallEnded():
            return parameters.short(params, "CallStatus")
    return order.id if order else ""
