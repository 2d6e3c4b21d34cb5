"""From a signed request to what is recorded and what is said. No I/O: it only decides."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from callflow import actions
from callflow.call import BadToken, Call, Stage
from callflow.events import (
    AnswerFailed,
    CallArrived,
    CallEnded,
    Event,
)
from callflow.flow import Outcome, Setting, step
from callflow.keys import from_url, to_url
from callflow.menus import menu_for
from callflow.profiles import Profile
from config.policy import Policy
from incidents.orders import Order
from incidents.recorded import Recorded
from incidents.sealed import Keys
from webhooks import hearing, ordered, parameters
from webhooks.callbacks import CallBackDocuments
from webhooks.documents import HANG_UP, Documents
from webhooks.records import Caller, Records, decided

_PLACE: Final = re.compile(r"/voice/(step|order|answer)/([^/?#]*)/?([^/?#]*)")
_CALL_KEY: Final = re.compile(r"[0-9a-f]{40}\Z")
_NOTHING: Final = "-"
"""Stands in an address where there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What to put on the disk first, and what to say then. ``document`` is empty for a 204."""

    events: Sequence[Recorded]
    document: bytes
    unwritten: bool
    """Whether that may be said although the events could not be written anywhere. Where not, the
    control room is rung, or the line held: a caller nobody wrote down is never let go."""


class Answers:
    """Answers for one site."""

    def __init__(
        self, policy: Policy, keys: Keys, documents: Documents, control_room: str | None
    ) -> None:
        self._policy = policy
        self._keys = keys
        self._documents = documents
        self._control_room = control_room
        self._records = Records(policy, keys)
        self._call_backs = CallBackDocuments(policy.callbacks, keys, documents, self._records)

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

    def order(self, token: str, sealed: str, params: dict[str, str], now: datetime) -> Answer:
        """A handler, or the ladder, interrupts the call. An order we cannot open: hold the line."""
        order = ordered.opened(sealed, self._keys)
        try:
            call = Call.read(token)
        except BadToken:
            return self.lost(params, now, f"{token}/{sealed}")
        happened = hearing.heard(call.stage, params)
        event = None if order is None else ordered.event(order)
        if event is None:
            return self._answer(call, [*happened, AnswerFailed()], params, now)
        return self._answer(call, [*happened, event], params, now, order=order, sealed=sealed)

    def answer(self, token: str, sealed: str, params: dict[str, str], now: datetime) -> Answer:
        """A question has been spoken, and this is what was pressed."""
        order = ordered.opened(sealed, self._keys)
        try:
            call = Call.read(token)
        except BadToken:
            return self.lost(params, now, f"{token}/{sealed}")
        if order is None:
            happened = [*hearing.heard(call.stage, params), AnswerFailed()]
            return self._answer(call, happened, params, now)
        profile = self._records.caller(call, params).profile
        event = ordered.answered(profile.replies, params)
        return self._answer(call, [event], params, now, order=order, sealed=sealed)

    def fallback(self, params: dict[str, str], now: datetime) -> Answer:
        """An answer of ours failed. What the caller did meanwhile may come with this request."""
        url = params.get("ErrorUrl", "")
        place, token, sealed = (_PLACE.findall(url) or [("", "", "")])[-1]
        try:
            call = Call.read(token)
        except BadToken:
            if not url.endswith("/voice/incoming"):
                return self.lost(params, now, url)
            call = Call.starting(now)
        happened = hearing.heard(call.stage, params)
        order = ordered.opened(sealed, self._keys) if place == "answer" else None
        if order is not None and params.get("Digits"):
            profile = self._records.caller(call, params).profile
            happened = [ordered.answered(profile.replies, params)]
        return self._answer(call, [*happened, AnswerFailed()], params, now, order=order)

    def lost(self, params: dict[str, str], now: datetime, where: str) -> Answer:
        """The state is gone: hold the line, under a step no earlier document can have had.

        ``where``: what was asked for. It stands for the step in the events' keys, so that a retried
        5 stays one 5 here as well.
        """
        call = replace(Call.starting(now), step=int(now.timestamp() * 1000))
        happened = [*hearing.heard(Stage.NEW, params), AnswerFailed()]
        return self._answer(call, happened, params, now, place=f"lost|{where}")

    def status(self, params: dict[str, str], now: datetime) -> Answer:
        """The network reports on the call; only its end is of interest, and only the caller's."""
        over = params.get("CallStatus") in parameters.OVER
        ours = params.get("Direction", "inbound") == "inbound" and not params.get("ParentCallSid")
        if not over or not ours:
            return Answer([], b"", unwritten=True)
        call = Call.starting(now)
        caller = self._records.caller(call, params)
        ended = self._records.record(caller, call, CallEnded(), now, {})
        return Answer([ended], b"", unwritten=True)

    def whisper(self, path: str, params: dict[str, str], now: datetime) -> Answer:
        """Somebody has picked up: tell that side, and that side only, what this is."""
        word, language, call, signal, step_text, claimed, sealed, *_ = [
            *path.split("/"),
            *[""] * 7,
        ]
        order = ordered.opened(sealed, self._keys)
        if order is not None and order.service:
            # Outside nobody is told what was pressed, nor that the police have the call.
            document = self._documents.whisper("service", language, "")
        else:
            document = self._documents.whisper(
                word, language, _spaced(signal), claimed=claimed == ordered.CLAIMED
            )
        if not _CALL_KEY.match(call) or not step_text.isascii() or not step_text.isdigit():
            return Answer([], document, unwritten=True)
        connected = self._records.beside(
            "connected",
            call,
            int(step_text[:18]),
            now,
            ordered.joined(order),
            place=step_text,
            call_sid=parameters.short(params, "ParentCallSid"),
        )
        return Answer([connected], document, unwritten=True)

    def page(self, sealed: str, params: dict[str, str], now: datetime) -> Answer:
        """Somebody of ours is rung: a call waits, or a conference is to be listened to."""
        order = self._page(sealed)
        if order is None:
            return self._no_page(sealed, params, now)
        if not order.room:
            return Answer([], self._documents.page(order.language, sealed), unwritten=True)
        told = ordered.joined(order)
        joined = self._records.beside("connected", order.call_key, 0, now, told, place=order.id)
        document = self._documents.listen(order.language, order.room)
        return Answer([joined], document, unwritten=True)

    def page_answer(self, sealed: str, params: dict[str, str], now: datetime) -> Answer:
        """Somebody who was rung pressed a key: 1 says that they take the call."""
        order = self._page(sealed)
        if order is None:
            return self._no_page(sealed, params, now)
        keys = parameters.keys(params)
        if ordered.TAKE not in keys:
            return Answer([], HANG_UP, unwritten=True)
        told = {"order": order.id, "name": order.name, "keys": keys}
        taken = self._records.beside("page_answered", order.call_key, 0, now, told, place=order.id)
        return Answer([taken], self._documents.taken(order.language), unwritten=True)

    def call_back(self, sealed: str, part: str, params: dict[str, str], now: datetime) -> Answer:
        """An officer's own phone is rung, then a known person's; what is not ours rings nobody."""
        order = self._call_backs.order(sealed)
        if order is None:
            return self._no_page(sealed, params, now)
        events, document = self._call_backs.told(order, sealed, part, params, now)
        return Answer(events, document, unwritten=True)

    def last_resort(self, now: datetime | None = None) -> bytes:
        """Keep the caller whatever has gone wrong: ring the control room, or hold the line."""
        now = now or datetime.now(UTC)
        call = replace(
            Call.starting(now), stage=Stage.HOLD, step=int(now.timestamp() * 1000), lost=True
        )
        profile = self._policy.profiles[self._policy.other.profile]
        if self._may_ring(self._policy.other.purpose):
            bridged = replace(call, stage=Stage.BRIDGED)
            return self._documents.connect(profile.hold.ring, bridged.write(), "nothing/en-GB")
        listening = profile.hold.listening
        hold = actions.HoldLine("", listening.wait, listening.keys)
        return self._documents.render(hold, profile, "en-GB", call.write(), "")

    def failure(self, event: Recorded) -> Recorded:
        """Return the record that the answer to ``event`` was not the one decided."""
        return self._records.failure(event)

    def _may_ring(self, purpose: str) -> bool:
        """Say whether the phone side may ring the control room by itself: for live calls only."""
        return self._control_room is not None and purpose == "live"

    def _page(self, sealed: str) -> Order | None:
        order = ordered.opened(sealed, self._keys)
        good = order is not None and order.what == "page" and _CALL_KEY.match(order.call_key)
        return order if good else None

    def _no_page(self, sealed: str, params: dict[str, str], now: datetime) -> Answer:
        if parameters.outbound(params):
            return Answer([], HANG_UP, unwritten=True)
        return self.lost(params, now, sealed)  # whoever rings us is a caller, and is kept

    def _answer(
        self,
        call: Call,
        happened: Sequence[Event],
        params: dict[str, str],
        now: datetime,
        *,
        place: str = "",
        order: Order | None = None,
        sealed: str = "",
    ) -> Answer:
        caller = self._records.caller(call, params)
        menu = menu_for(caller.line.kind, caller.profile, self._policy.menus)
        setting = Setting(caller.profile, self._may_ring(caller.purpose), now, menu)
        records = []
        for event in hearing.chosen(call, happened, menu):
            outcome = step(call, event, setting)
            told = decided(outcome, caller)
            theirs = order if type(event) in ordered.OF_ORDERS else None
            records.append(
                self._records.record(caller, call, event, now, told, place=place, order=theirs)
            )
            call = outcome.call
        document = self._document(outcome, caller, order, sealed)
        # With no disk left a handler sees nothing of the call any more, claimed or not.
        holds = not setting.control_room and outcome.call.stage is not Stage.ENDED
        return Answer(records, document, unwritten=holds)

    def _document(
        self, outcome: Outcome, caller: Caller, order: Order | None, sealed: str
    ) -> bytes:
        call, action, token = outcome.call, outcome.action, outcome.call.write()
        language = call.language or caller.line.language
        if order is not None:
            match action:
                case actions.AskQuestion():
                    where = f"{token}/{sealed}"
                    replies = caller.profile.replies
                    return self._documents.ask(action, order.text, replies, language, where)
                case actions.ConnectStaff(ring):
                    whisper = self._whisper(call, caller, language, sealed)
                    return self._documents.connect(ring, token, whisper, order.to)
                case actions.JoinConference():
                    return self._documents.conference(token, order.room)
        whisper = ""
        if isinstance(action, actions.ConnectControlRoom):
            whisper = self._whisper(call, caller, language, "")
        return self._documents.render(action, caller.profile, language, token, whisper)

    def _whisper(self, call: Call, caller: Caller, language: str, sealed: str) -> str:
        """Return what follows ``/voice/whisper/`` for whoever is rung."""
        signal = caller.profile.signal.keys * caller.profile.signal.presses
        if len(caller.profile.signal.keys) > 1:
            signal = next((key for key in call.keys if key in caller.profile.signal.keys), "")
        word, pressed = _whisper_word(call, caller.profile), to_url(signal) or _NOTHING
        parts = [word, language, caller.call_key, pressed, str(call.step)]
        if sealed:
            parts += [ordered.CLAIMED if call.claimed else _NOTHING, sealed]
        return "/".join(parts)


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
