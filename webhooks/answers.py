"""From a signed request to what is recorded and what is said. No I/O: it only decides."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from callflow import actions
from callflow.call import BadToken, Call, Stage
from callflow.contact import contact_for
from callflow.events import (
    AnswerFailed,
    CallArrived,
    CallEnded,
    CodeTyped,
    Event,
)
from callflow.flow import Outcome, Setting, step
from callflow.keys import to_url
from callflow.menus import menu_for
from callflow.profiles import Profile
from config.policy import Policy
from incidents.orders import Order
from incidents.recorded import Recorded
from incidents.sealed import Keys
from webhooks import hearing, ordered, parameters
from webhooks.callbacks import CallBackDocuments
from webhooks.documents import Documents
from webhooks.reaching import Find, Reach, Reaching, Take, told_of
from webhooks.records import Caller, Records, decided
from webhooks.staffside import Answer, StaffSide

__all__ = ("Answer", "Answers")

_PLACE: Final = re.compile(r"/voice/(step|order|answer|reach)/([^/?#]*)/?([^/?#]*)")
_NOTHING: Final = "-"
"""Stands in an address where there is nothing to say."""


def _nobody(_hashed: str) -> None:
    """Find nobody: a site without a routing snapshot."""


class Answers(StaffSide):
    """Answers for one site. ``find``: who is rung for whom, by keyed hash."""

    def __init__(
        self,
        policy: Policy,
        keys: Keys,
        documents: Documents,
        control_room: str | None,
        find: Find = _nobody,
    ) -> None:
        self._policy = policy
        self._keys = keys
        self._documents = documents
        self._control_room = control_room
        self._records = Records(policy, keys)
        self._call_backs = CallBackDocuments(policy.callbacks, keys, documents, self._records)
        self._contact = policy.contact.line
        self._desk = policy.contact.duty_desk or control_room
        self._reaching = Reaching(keys, find, self._desk)

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

    def reach(self, token: str, sealed: str, params: dict[str, str], now: datetime) -> Answer:
        """Somebody was rung on the line for known victims, and that has ended."""
        reach = Reach.open(sealed, self._keys)
        try:
            call = Call.read(token)
        except BadToken:
            return self.lost(params, now, f"{token}/{sealed}")
        if reach is None:
            happened = [*hearing.heard(call.stage, params), AnswerFailed()]
            return self._answer(call, happened, params, now)
        happened = [parameters.happened(call.stage, params)]
        return self._answer(call, happened, params, now, reach=reach)

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
        ours = params.get("Direction", "inbound") == "inbound" and not params.get("ParentCallSid")
        if not parameters.over(params) or not ours:
            return Answer([], b"", unwritten=True)
        call = Call.starting(now)
        caller = self._records.caller(call, params)
        ended = self._records.record(caller, call, CallEnded(), now, {})
        return Answer([ended], b"", unwritten=True)

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
        reach: Reach | None = None,
    ) -> Answer:
        caller = self._records.caller(call, params)
        setting = self._setting(caller, now)
        records = []
        events = hearing.coded(call, hearing.chosen(call, happened, setting.menu), setting)
        for event in events:
            outcome = step(call, event, setting)
            # What was decided last becomes the document, and a caller who has gone hears nothing.
            played = event is events[-1] and not parameters.over(params)
            told = decided(outcome, caller, setting, played=played)
            if outcome.call.stage is Stage.REACH and reach is None:
                typed = event.code if isinstance(event, CodeTyped) else ""
                reach = self._reaching.of(parameters.caller(params).number, typed)
            if reach is not None:
                told |= told_of(call, event, outcome, reach, played=played)
            theirs = order if type(event) in ordered.OF_ORDERS else None
            records.append(
                self._records.record(caller, call, event, now, told, place=place, order=theirs)
            )
            call = outcome.call
        if reach is not None and isinstance(outcome.action, actions.RingStaff):
            document = self._ring(outcome.call, outcome.action.seconds, caller, reach)
        else:
            document = self._document(outcome, caller, order, sealed)
        # With no disk left a handler sees nothing of the call any more, claimed or not.
        holds = not setting.control_room and outcome.call.stage is not Stage.ENDED
        return Answer(records, document, unwritten=holds)

    def _setting(self, caller: Caller, now: datetime) -> Setting:
        kind, profile = caller.line.kind, caller.profile
        return Setting(
            profile,
            self._may_ring(caller.purpose),
            now,
            menu_for(kind, profile, self._policy.menus),
            contact_for(kind, profile, self._contact),
            rings=caller.purpose == "live" and self._desk is not None,
        )

    def _ring(self, call: Call, seconds: int, caller: Caller, reach: Reach) -> bytes:
        """Return the document that rings whose turn it is, and asks them to press 1."""
        whom, language = reach.turn(call.asked), caller.line.language
        take = Take(caller.call_key, call.step, language, whom.name).seal(self._keys)
        back = f"{call.write()}/{reach.seal(self._keys)}"
        shown = str(caller.base["called"] or "")
        return self._documents.reach(whom.number, shown, seconds, back, take)

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


def _whisper_word(call: Call, profile: Profile) -> str:
    if call.confirmed(profile):
        return "confirmed"
    if call.keys:
        return "someone"
    return "heard" if call.heard else "nothing"
