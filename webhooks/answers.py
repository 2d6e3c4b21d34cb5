"""From a signed request to what is recorded and what is said. No I/O: it only decides."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from callflow import actions
from callflow.call import BadToken, Call, Stage
from callflow.events import AnswerFailed, CallArrived, CallEnded, Event, KeysPressed, SoundHeard
from callflow.flow import Outcome, Setting, step
from callflow.keys import from_url, to_url
from callflow.lines import Line, profile_for
from callflow.profiles import Profile
from config.policy import Policy
from incidents.proof import PARAMETER, is_proof
from incidents.recorded import Recorded, call_key, event_key
from incidents.sealed import Keys
from webhooks import parameters
from webhooks.documents import Documents

_STEP = "/voice/step/"
_CALL_KEY = re.compile(r"[0-9a-f]{40}\Z")
_KINDS = {
    "CallArrived": "call_arrived",
    "KeysPressed": "keys_pressed",
    "SoundHeard": "sound_heard",
    "NothingHeard": "nothing_heard",
    "BridgeEnded": "bridge_ended",
    "AnswerFailed": "answer_failed",
    "CallEnded": "call_ended",
}
_PROMPTS = {
    actions.AskService: "service",
    actions.AskAnyKey: "any_key",
    actions.AskForSignal: "signal",
    actions.LetGo: "goodbye",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What to put on the disk first, and what to say then. ``document`` is empty for a 204."""

    events: Sequence[Recorded]
    document: bytes
    unwritten: bool
    """Whether that may be said although the events could not be written anywhere. Where not, the
    control room is rung, or the line held: a caller nobody wrote down is never let go."""


@dataclass(frozen=True, slots=True)
class _Caller:
    """What one request says about who calls which line."""

    params: dict[str, str]
    line: Line
    profile: Profile
    base: dict[str, object]
    call_key: str
    call_sid: str


class Answers:
    """Answers for one site."""

    def __init__(
        self, policy: Policy, keys: Keys, documents: Documents, control_room: str | None
    ) -> None:
        self._policy = policy
        self._keys = keys
        self._documents = documents
        self._control_room = control_room

    def incoming(self, params: dict[str, str], now: datetime) -> Answer:
        """A call comes in."""
        return self._answer(Call.starting(now), [CallArrived()], params, now)

    def next_step(self, token: str, params: dict[str, str], now: datetime) -> Answer:
        """A document of ours has been played. A state we cannot read is held as lost."""
        try:
            call = Call.read(token)
        except BadToken:
            return self.lost(params, now, token)
        return self._answer(call, [parameters.happened(call.stage, params)], params, now)

    def fallback(self, params: dict[str, str], now: datetime) -> Answer:
        """An answer of ours failed. What the caller did meanwhile may come with this request."""
        url = params.get("ErrorUrl", "")
        try:
            call = Call.read(url.partition(_STEP)[2].partition("?")[0].partition("#")[0])
        except BadToken:
            if not url.endswith("/voice/incoming"):
                return self.lost(params, now, url)
            call = Call.starting(now)
        heard = parameters.happened(call.stage, params)
        happened: list[Event] = [heard] if isinstance(heard, KeysPressed | SoundHeard) else []
        return self._answer(call, [*happened, AnswerFailed()], params, now)

    def lost(self, params: dict[str, str], now: datetime, where: str) -> Answer:
        """The state is gone: hold the line, under a step no earlier document can have had.

        ``where``: what was asked for. It stands for the step in the events' keys, so that a retried
        5 stays one 5 here as well.
        """
        call = replace(Call.starting(now), step=int(now.timestamp() * 1000))
        heard = parameters.happened(Stage.NEW, params)
        happened: list[Event] = [heard] if isinstance(heard, KeysPressed | SoundHeard) else []
        return self._answer(call, [*happened, AnswerFailed()], params, now, f"lost|{where}")

    def status(self, params: dict[str, str], now: datetime) -> Answer:
        """The network reports on the call; only its end is of interest, and only the caller's."""
        over = params.get("CallStatus") in parameters.OVER
        ours = params.get("Direction", "inbound") == "inbound" and not params.get("ParentCallSid")
        if not over or not ours:
            return Answer([], b"", unwritten=True)
        call = Call.starting(now)
        caller = self._caller(call, params)
        return Answer([self._record(caller, call, CallEnded(), now, {})], b"", unwritten=True)

    def whisper(self, path: str, params: dict[str, str], now: datetime) -> Answer:
        """The control room has picked up: tell that side, and that side only, what this is."""
        word, language, call, signal, step_text, *_ = [*path.split("/"), *[""] * 5]
        document = self._documents.whisper(word, language, _spaced(signal))
        if not _CALL_KEY.match(call) or not step_text.isascii() or not step_text.isdigit():
            return Answer([], document, unwritten=True)
        key = event_key(self._keys, call, step_text, "connected", "")
        connected = Recorded(
            key=key,
            call_key=call,
            call_sid=parameters.short(params, "ParentCallSid"),
            month=now.strftime("%Y-%m"),
            step=int(step_text[:18]),
            kind="connected",
            at=_milliseconds(now),
            data={"to": "control room"},
        )
        return Answer([connected], document, unwritten=True)

    def last_resort(self, now: datetime | None = None) -> bytes:
        """Keep the caller whatever has gone wrong: ring the control room, or hold the line."""
        now = now or datetime.now(UTC)
        call = replace(
            Call.starting(now), stage=Stage.HOLD, step=int(now.timestamp() * 1000), lost=True
        )
        profile = self._policy.profiles[self._policy.other.profile]
        if self._control_room:
            bridged = replace(call, stage=Stage.BRIDGED)
            return self._documents.connect(profile.hold.ring, bridged.write(), "nothing/en-GB")
        listening = profile.hold.listening
        hold = actions.HoldLine("", listening.wait, listening.keys)
        return self._documents.render(hold, profile, "en-GB", call.write(), "")

    def failure(self, event: Recorded) -> Recorded:
        """Return the record that the answer to ``event`` was not the one decided."""
        kind = _KINDS[AnswerFailed.__name__]
        base = ("line", "profile", "purpose", "number", "withheld", "stage")
        data = {name: event.data[name] for name in base} | {"next": Stage.HOLD.value}
        key = event_key(self._keys, event.call_key, event.step, kind, "unwritten")
        return replace(event, key=key, kind=kind, data=data)

    def _answer(
        self,
        call: Call,
        happened: Sequence[Event],
        params: dict[str, str],
        now: datetime,
        place: str = "",
    ) -> Answer:
        caller = self._caller(call, params)
        setting = Setting(caller.profile, self._control_room is not None, now)
        records = []
        for event in happened:
            outcome = step(call, event, setting)
            decided = _decided(outcome, caller)
            records.append(self._record(caller, call, event, now, decided, place))
            call = outcome.call
        document = self._document(outcome, caller)
        holds = self._control_room is None and outcome.call.stage is not Stage.ENDED
        return Answer(records, document, unwritten=holds)

    def _document(self, outcome: Outcome, caller: _Caller) -> bytes:
        call, profile = outcome.call, caller.profile
        whisper = ""
        if isinstance(outcome.action, actions.ConnectControlRoom):
            signal = profile.signal.keys * profile.signal.presses
            if len(profile.signal.keys) > 1:
                signal = next((key for key in call.keys if key in profile.signal.keys), "")
            word = _whisper_word(call, profile)
            pressed = to_url(signal) or "-"
            parts = (word, caller.line.language, caller.call_key, pressed, str(call.step))
            whisper = "/".join(parts)
        return self._documents.render(
            outcome.action, profile, caller.line.language, call.write(), whisper
        )

    def _caller(self, call: Call, params: dict[str, str]) -> _Caller:
        who = parameters.caller(params)
        line = self._policy.lines.get(params.get("To", ""), self._policy.other)
        profile = profile_for(line, who.number, self._policy.profiles)
        account = parameters.account(params)
        sid = parameters.call_sid(params)
        if sid is None:
            # No usable identifier: the caller and the second the call began make
            # one, so that its steps still belong together.
            seen = f"{params.get('CallSid')}|{params.get('From')}|{params.get('To')}|{call.began}"
            sid = f"unidentified-{self._keys.look_up(seen)[:16]}"
        # The watchman's own call, which proves that the whole way works.
        proven = is_proof(self._keys, sid, params.get(PARAMETER))
        base: dict[str, object] = {
            "line": line.kind,
            "profile": profile.id,
            "purpose": "proof" if proven else line.purpose,
            "number": who.number,
            "withheld": who.withheld,
        }
        return _Caller(params, line, profile, base, call_key(self._keys, account, sid), sid)

    def _record(
        self,
        caller: _Caller,
        call: Call,
        event: Event,
        now: datetime,
        decided: dict[str, object],
        place: str = "",
    ) -> Recorded:
        kind = _KINDS[type(event).__name__]
        facts = _facts(event, caller)
        content = _content(event, caller.params)
        return Recorded(
            key=event_key(self._keys, caller.call_key, place or call.step, kind, content),
            call_key=caller.call_key,
            call_sid=caller.call_sid,
            month=call.month(),
            step=call.step,
            kind=kind,
            at=_milliseconds(now),
            data={**caller.base, "stage": call.stage.value, **facts, **decided},
        )


def _facts(event: Event, caller: _Caller) -> dict[str, object]:
    params, profile = caller.params, caller.profile
    match event:
        case KeysPressed(keys):
            facts: dict[str, object] = {"keys": keys, "signal": profile.signal.spelled()}
            return {**facts, "meanings": dict(profile.meanings)} if profile.meanings else facts
        case SoundHeard():
            return parameters.words(params)
        case AnswerFailed():
            return {"code": parameters.short(params, "ErrorCode")}
        case CallEnded():
            return {
                "status": parameters.short(params, "CallStatus"),
                "duration": parameters.number(params, "CallDuration"),
            }
        case _:
            status = parameters.short(params, "DialCallStatus")
            return {"status": status} if status else {}


def _content(event: Event, params: dict[str, str]) -> str:
    """What tells two events of one step and kind apart. Times and headers do not."""
    match event:
        case KeysPressed(keys):
            return keys
        case SoundHeard():
            return params.get("SpeechResult", "")
        case AnswerFailed():
            return f"{params.get('ErrorCode')}|{params.get('ErrorUrl')}"
        case CallEnded():
            return parameters.short(params, "CallStatus")
        case _:
            return ""


def _decided(outcome: Outcome, caller: _Caller) -> dict[str, object]:
    """What was decided, for the record: where the call went next and what was said."""
    call, action, profile = outcome.call, outcome.action, caller.profile
    decided: dict[str, object] = {"next": call.stage.value}
    prompt = action.say if isinstance(action, actions.HoldLine) else _PROMPTS.get(type(action), "")
    if prompt:
        decided["prompt"] = prompt
    if call.stage is Stage.HOLD and profile.silence == "held" and not call.gave_a_sign():
        decided["held"] = profile.silence_reason
    return decided


def _spaced(signal: str) -> str:
    """Write the keys of a whisper's URL as they are read out, one by one."""
    try:
        return " ".join(from_url(signal))
    except ValueError:
        return ""


def _whisper_word(call: Call, profile: Profile) -> str:
    if call.confirmed(profile):
        return "confirmed"
    if call.keys:
        return "someone"
    return "heard" if call.heard else "nothing"


def _milliseconds(now: datetime) -> datetime:
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
