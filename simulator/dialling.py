"""``<Dial>``: ringing somebody, whispering to them, and joining the caller to them or to a room.

It never rings an emergency number. Rooms are a module of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

from simulator.call import Leg, new_sid
from simulator.moments import (
    CallerGone,
    Elapsed,
    Ended,
    FarEnd,
    FarEndLeft,
    Interruption,
    Key,
    Playing,
    Request,
)
from simulator.people import is_emergency
from simulator.rooms import confer
from simulator.twiml import INVALID_NUMBER, Verb

if TYPE_CHECKING:
    from simulator.playing import Player


def dial(player: Player, verb: Verb, url: str) -> Playing[Request | None]:
    """Carry out a Dial. Returns the request for its action, or None to go on."""
    nouns = verb.children or (Verb("Number", {}, (), verb.text),)
    if nouns[0].name == "Conference":
        return (yield from _confer(player, verb, nouns[0], url))
    noun, far_end = min(
        ((noun, player.call.far_end(noun.text)) for noun in nouns),
        key=lambda pair: (pair[1].outcome != "completed", pair[1].after),
    )
    leg = Leg(
        new_sid("CA"),
        player.leg.account_sid,
        verb.get("callerId", player.leg.caller),
        noun.text,
        direction="outbound-dial",
        status="initiated",
        parent_sid=player.leg.sid,
    )
    began = player.call.clock.now()
    try:
        outcome = yield from _ring(player, verb, noun, leg, far_end, url)
    except Interruption as interruption:
        # Twilio posts the action of a Dial also when the caller hung up.
        duration = round(player.call.clock.now() - began)
        leg.status = "completed"
        _leg_event(player, noun, leg, "completed", url)
        _leave(player)
        _hung_up(player, interruption, _after(verb, url, "completed", leg.sid, duration))
        raise
    duration = round(player.call.clock.now() - began)
    return _after(verb, url, outcome, leg.sid, duration)


def _confer(player: Player, verb: Verb, noun: Verb, url: str) -> Playing[Request | None]:
    # Twilio: DialCallStatus is "answered" when a conference was dialled and joined.
    sid = new_sid("CF")
    began = player.call.clock.now()
    try:
        yield from confer(player, noun, sid, url)
    except Interruption as interruption:
        duration = round(player.call.clock.now() - began)
        _hung_up(player, interruption, _after(verb, url, "answered", sid, duration))
        raise
    return _after(verb, url, "answered", sid, round(player.call.clock.now() - began))


def _hung_up(player: Player, interruption: Interruption, after: Request | None) -> None:
    """Post the action of a Dial that the caller ended by hanging up; nobody hears the answer."""
    if isinstance(interruption, CallerGone) and after is not None:
        player.leg.status = "completed"
        player.tell(after.url, [*player.leg.parameters(), *after.extra])


def _after(verb: Verb, url: str, outcome: str, sid: str, duration: int) -> Request | None:
    # Twilio: "Dial action: DialCallStatus DialCallSid DialCallDuration". Without an action the
    # document goes on with its next verb.
    if not verb.get("action"):
        return None
    extra = [("DialCallStatus", outcome), ("DialCallSid", sid)]
    if outcome in ("completed", "answered"):
        extra += [("DialCallDuration", str(duration)), ("DialBridged", "true")]
    else:
        extra += [("DialBridged", "false")]
    return Request(urljoin(url, verb.get("action")), tuple(extra))


def _ring(
    player: Player, verb: Verb, noun: Verb, leg: Leg, far_end: FarEnd, url: str
) -> Playing[str]:
    if is_emergency(noun.text):
        # Nobody may build a machine that rings 999: the exchange refuses, and loudly.
        player.fault(INVALID_NUMBER, f"rings the emergency number {noun.text}: refused")
        return "failed"
    player.call.note("dialled", f"we ring {noun.text}", number=noun.text)
    leg.status = "ringing"
    for event in ("initiated", "ringing"):
        _leg_event(player, noun, leg, event, url)
    patience = float(verb.whole("timeout", 30))
    outcome = far_end.outcome
    if outcome == "completed" and far_end.after > patience:
        outcome = "no-answer"
    yield from player.let_pass("ringing", patience if outcome == "no-answer" else far_end.after)
    if outcome != "completed":
        player.call.note("unbridged", f"{noun.text}: {outcome}")
        leg.status = outcome
        _leg_event(player, noun, leg, "completed", url)
        return outcome
    leg.status = "in-progress"
    _leg_event(player, noun, leg, "answered", url)
    _detect(player, noun, leg, far_end, url)
    if noun.get("url") and not (yield from _whisper(player, noun, leg, far_end, url)):
        return "no-answer"
    yield from _talk(player, verb, noun, far_end)
    leg.status = "completed"
    _leg_event(player, noun, leg, "completed", url)
    return "completed"


def _detect(player: Player, noun: Verb, leg: Leg, far_end: FarEnd, url: str) -> None:
    """Tell who or what has answered, beside the call.

    Twilio, Number: with machineDetection "Enable" the result is posted to amdStatusCallback, while
    the two sides are joined without waiting for it.
    """
    if noun.get("machineDetection") and noun.get("amdStatusCallback"):
        answered = ("AnsweredBy", "machine_start" if far_end.machine else "human")
        player.tell(urljoin(url, noun.get("amdStatusCallback")), [*leg.parameters(), answered])


def _whisper(player: Player, noun: Verb, leg: Leg, far_end: FarEnd, url: str) -> Playing[bool]:
    """Play the whisper to the answering side; return whether the two are joined.

    Twilio: "url on Number = a whisper to the answering side before the two are joined". The
    caller hears ringing meanwhile; keys of the caller do not reach this document.
    """
    side = player.side(leg)
    playing = side.documents(Request(urljoin(url, noun.get("url"))))
    keys = list(far_end.presses)
    try:
        wait = next(playing)
        while True:
            if keys and wait.kind in ("prompt", "listening", "digits"):
                wait = playing.send(Key(keys.pop(0)))
                continue
            yield from player.let_pass("whisper", wait.seconds)
            wait = playing.send(Elapsed())
    except StopIteration:
        return True
    except Ended:
        player.call.note("unbridged", f"{noun.text} is not joined to the caller")
        return False


def _talk(player: Player, verb: Verb, noun: Verb, far_end: FarEnd) -> Playing[None]:
    """Join the two until one leaves: keys are not seen "during Dial"."""
    call = player.call
    call.connected_to = noun.text
    call.note("bridged", f"is connected to {noun.text}", number=noun.text)
    limit = float(verb.whole("timeLimit", 14_400))
    deadline = call.clock.now() + min(limit, limit if far_end.stays is None else far_end.stays)
    while True:
        stimulus = yield player.wait("bridged", deadline - call.clock.now())
        if isinstance(stimulus, Elapsed | FarEndLeft):
            break
        if stimulus == Key("*") and verb.flag("hangupOnStar"):
            call.note("pressed", "presses *, which ends the connection")
            break
        player.lost(stimulus, "the call is connected to somebody")
    _leave(player)


def _leave(player: Player) -> None:
    if player.call.connected_to:
        player.call.note("unbridged", f"is no longer connected to {player.call.connected_to}")
        player.call.connected_to = ""


def _leg_event(player: Player, noun: Verb, leg: Leg, event: str, url: str) -> None:
    """Post a status callback of the rung side, "SequenceNumber from 0"."""
    if not noun.get("statusCallback") or event not in noun.get("statusCallbackEvent", "completed"):
        return
    parameters = [
        *leg.parameters(),
        ("SequenceNumber", str(leg.sequence)),
        ("Timestamp", player.stamp()),
        ("CallbackSource", "call-progress-events"),
    ]
    leg.sequence += 1
    player.tell(urljoin(url, noun.get("statusCallback")), parameters)
