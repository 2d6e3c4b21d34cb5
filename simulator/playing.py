"""Plays one call: asks the product for documents and carries them out, verb by verb.

A generator with no threads and no clock of its own: it yields how long it waits and is sent what
happens. It knows Twilio's rules for a call; the verbs that gather and dial
stand in their own modules.
"""

from __future__ import annotations

from email.utils import format_datetime
from urllib.parse import urljoin

from simulator.call import Call, Leg
from simulator.clock import speaking_seconds
from simulator.dialling import dial
from simulator.ending import finish, tell_late
from simulator.gathering import gather
from simulator.moments import (
    CallerGone,
    Elapsed,
    Ended,
    EndedBy,
    Interruption,
    Key,
    Noise,
    Ordered,
    Playing,
    Request,
    Spoke,
    Stimulus,
    Wait,
    WaitKind,
)
from simulator.recordings import recording_seconds
from simulator.twiml import INVALID_CONTENT_TYPE, SCHEMA_VIOLATION, Refused, Verb, read

MOST_DOCUMENTS_IN_A_HURRY = 30
LONGEST_TWIML_ORDER = 4000
SPOKEN_ERROR = "We're sorry, an application error has occurred. Goodbye."


class Player:
    """Carries out documents for one leg of a call."""

    def __init__(self, call: Call, leg: Leg, *, whisper: bool = False) -> None:
        self.call = call
        self.leg = leg
        self.whisper = whisper
        self.late: list[tuple[Request, list[tuple[str, str]]]] = []
        self._hurried = 0

    def play(self) -> Playing[None]:
        """Play a call somebody placed to us: from ringing to the status callback."""
        target = self.call.network.target
        self.call.note("rings", "the phone rings")
        request = Request(
            target.public(target.voice_path),
            (
                ("CallToken", f'{{"parentCallInfoToken":"{self.leg.sid}"}}'),
                ("StirVerstat", "No-TN-Validation"),
            ),
        )
        yield from self.to_its_end(self.documents(request))

    def to_its_end(self, playing: Playing[None]) -> Playing[None]:
        """Play on, through whatever orders come, and tell the product of the end."""
        by: EndedBy = "us"
        why = "the document ended"
        while True:
            try:
                yield from playing
                break
            except Ordered as ordered:
                # Twilio: "interrupts at once and runs new TwiML; keys half typed are lost (?)".
                self.call.orders_taken += 1
                if ordered.request is None:
                    by, why = "us", "ended by a REST order"
                    break
                playing = self.documents(ordered.request)
            except CallerGone:
                by, why = "caller", "the caller hangs up"
                break
            except Ended as ended:
                by, why = ended.by, ended.why
                break
        finish(self, by, why)

    def documents(self, request: Request | None) -> Playing[None]:
        """Run a document and those that follow it, until one ends without a successor."""
        while request is not None:
            url, verbs = yield from self._document(request)
            request = yield from self._run(verbs, url)

    def _document(self, request: Request) -> Playing[tuple[str, tuple[Verb, ...]]]:
        delay = self.call.network.knobs.delay + request.late
        if delay > 0:
            try:
                yield from self.let_pass("in_flight", delay)
            except Interruption:
                # The keys are under way already: they arrive though nobody hears the answer.
                self.late.append((request, [*self.leg.parameters(), *request.extra]))
                raise
        if not self.call.network.knobs.reorder:
            tell_late(self)
        self._hurried += 1
        try:
            if self._hurried > MOST_DOCUMENTS_IN_A_HURRY:
                raise Refused(SCHEMA_VIOLATION, "documents follow each other without end")
            verbs = self._ask(request)
            place = request.url
        except Refused as refused:
            place, verbs = self._fall_back(request, refused)
        # An order that came while we waited for this answer takes its place.
        self.call.overtaken()
        tell_late(self)
        return place, verbs

    def _ask(self, request: Request, *, fallback: bool = False) -> tuple[Verb, ...]:
        if request.twiml:
            if len(request.twiml) > LONGEST_TWIML_ORDER:
                raise Refused(SCHEMA_VIOLATION, "an order's TwiML is longer than 4,000 characters")
            return read(request.twiml.encode(), "text/xml")
        parameters = [*self.leg.parameters(), *request.extra]
        self.call.requests_made += 1
        answer = self.call.network.post(request.url, parameters, fallback=fallback)
        self.delivered(request)
        verbs = read(answer.body, answer.content_type)
        if verbs and verbs[-1].name == "ReadAloud":
            self.fault(INVALID_CONTENT_TYPE, "text/plain is read aloud to the caller")
        return verbs

    def delivered(self, request: Request) -> None:
        """Remember what the product has taken."""
        for name, value in request.extra:
            if name == "Digits" and not self.whisper:
                self.call.keys_delivered += value
            elif name == "SpeechResult" and value and not self.whisper:
                self.call.speech_delivered.append(value)

    def _fall_back(self, request: Request, refused: Refused) -> tuple[str, tuple[Verb, ...]]:
        """Take the fallback URL.

        Twilio: "If a voice URL fails (non-2xx, 15 s timeout, unreadable XML) and there is no
        working fallback URL, Twilio speaks an error message aloud and ends the call. That fallback
        request carries ErrorCode and ErrorUrl."
        """
        self.fault(refused.code, refused.reason)
        if not self.call.fallback_url:
            raise self._spoken_error()
        fallback = Request(
            self.call.fallback_url,
            (
                *request.extra,
                ("ErrorCode", str(refused.code)),
                ("ErrorUrl", request.url.partition("#")[0]),
            ),
        )
        self.call.note("told", f"the fallback URL is asked, with ErrorCode {refused.code}")
        try:
            return fallback.url, self._ask(fallback, fallback=True)
        except Refused as again:
            self.fault(again.code, again.reason)
            raise self._spoken_error() from None

    def _spoken_error(self) -> Ended:
        self.call.note("error", f"hears an error spoken aloud: “{SPOKEN_ERROR}”", say=SPOKEN_ERROR)
        return Ended("error", "the exchange ends the call after its error")

    def fault(self, code: int, reason: str) -> None:
        """Note what Twilio would refuse or complain of."""
        self.call.faults.append(f"{code}: {reason}")
        self.call.note("fault", f"fault {code}: {reason}", code=str(code))

    def complain(self, reason: str) -> None:
        """Note what Twilio does without a word and a silent caller must never hear."""
        self.call.faults.append(reason)
        self.call.note("fault", reason)

    def stamp(self) -> str:
        """Return the time as a callback carries it."""
        return format_datetime(self.call.clock.today())

    def _run(self, verbs: tuple[Verb, ...], url: str) -> Playing[Request | None]:
        for verb in verbs:
            self._answer(verb)
            following = yield from self._carry_out(verb, url)
            if following is not None:
                return following
        # Twilio: when a document ends and nothing follows, the call is hung up.
        return None

    def _answer(self, verb: Verb) -> None:
        # Twilio picks up at the first verb, save that Reject refuses the call, and a Pause or a
        # Redirect in front lets it ring on.
        if self.leg.status != "ringing" or verb.name in ("Reject", "Pause", "Redirect"):
            return
        self.leg.status = "in-progress"
        if not self.whisper:
            self.call.answered_at = self.call.clock.now()
            self.call.note("answered", "answered")

    def _carry_out(self, verb: Verb, url: str) -> Playing[Request | None]:
        match verb.name:
            case "Say" | "Play" | "Pause":
                kind, seconds = self.sound(verb, url)
                yield from self.let_pass("pause" if kind == "pause" else "speaking", seconds)
            case "Gather":
                return (yield from gather(self, verb, url))
            case "Redirect":
                return Request(urljoin(url, verb.text))
            case "Dial":
                return (yield from dial(self, verb, url))
            case "Hangup":
                raise Ended("us", "we hang up")
            case "Reject":
                reason = verb.get("reason", "rejected")
                self.leg.status = "busy" if reason == "busy" else "no-answer"
                raise Ended("us", f"the call is refused ({reason})")
            case "ReadAloud":
                raise Ended("error", "the exchange ends the call")
            case "Enqueue":
                self.call.note("room", f"waits in the queue {verb.text!r} and hears music")
                yield from self.let_pass("queue", 14_400)
            case "Leave":
                raise Ended("us", "leaves the queue")
            case "Start" | "Stop":
                self.call.note("told", f"{verb.name.lower()}s a one-way stream")
            case _:
                raise Ended("error", f"the simulator does not play <{verb.name}>")
        return None

    def side(self, leg: Leg) -> Player:
        """Return the player of somebody who was rung, and who hears a whisper."""
        return Player(self.call, leg, whisper=True)

    def sound(self, verb: Verb, url: str) -> tuple[str, float]:
        """Begin a Say, Play or Pause; return its kind and how long it takes in seconds."""
        if verb.name == "Pause":
            return "pause", float(verb.whole("length", 1))
        times = verb.whole("loop", 1) or 1000
        if verb.name == "Say":
            language = verb.get("language", "en-US")
            if self.whisper:
                self.call.note("whispered", f"{self.leg.called} hears “{verb.text}”", say=verb.text)
            else:
                said = f"hears “{verb.text}”"
                self.call.note("heard", said, say=verb.text, language=language)
            return "say", times * speaking_seconds(verb.text)
        seconds = recording_seconds(self, urljoin(url, verb.text)) if verb.text else 0.3
        self.call.note("sound", f"hears a recording ({verb.text or 'keys'})", url=verb.text)
        return "play", times * seconds

    def let_pass(self, kind: WaitKind, seconds: float) -> Playing[None]:
        """Let time pass; whatever the caller does meanwhile goes unheard."""
        deadline = self.call.clock.now() + seconds
        while True:
            stimulus = yield self.wait(kind, deadline - self.call.clock.now())
            if isinstance(stimulus, Elapsed):
                return
            self.lost(stimulus, "no Gather runs")

    def wait(self, kind: WaitKind, seconds: float) -> Wait:
        """Return a wait; one that takes time shows that the documents are not in a hurry."""
        if seconds > 0:
            self._hurried = 0
        return Wait(kind, max(0.0, seconds))

    def lost(self, stimulus: Stimulus, why: str) -> None:
        """Note what nobody heard: "Keys pressed while no Gather runs are lost"."""
        match stimulus:
            case Key(key):
                self.call.note("lost", f"presses {key}: lost, {why}", key=key)
            case Spoke(words):
                self.call.note("lost", f"says “{words}”: unheard, {why}")
            case Noise(what):
                self.call.note("spoke", f"{what} (a Gather does not report that)")
            case _:
                pass

    def tell(self, url: str, parameters: list[tuple[str, str]]) -> bool:
        """Post a callback, whose answer changes nothing; return whether it was taken."""
        try:
            self.call.network.post(url, parameters)
        except Refused as refused:
            self.fault(refused.code, refused.reason)
            return False
        return True
