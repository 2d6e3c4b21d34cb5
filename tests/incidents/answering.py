"""Calls played through ``webhooks.answers``, which decides without I/O, and folded.

Follows the TwiML as Twilio would: every answer names the next step's URL, and the caller's doing
is posted there.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from config.policy import Policy, load_policy
from config.settings import load
from incidents.fold import Folded, Incident, fold
from incidents.orders import STEPS_APART, Order, What, state_after
from incidents.recorded import Recorded, milliseconds
from incidents.sealed import Keys
from webhooks.answers import Answer, Answers
from webhooks.documents import Documents

ACCOUNT = "AC" + "0123456789abcdef" * 2
PUBLIC_URL = "https://quietline.example"
CONTROL_ROOM = "+441632960055"
MOBILE = "+447700900123"
LANDLINE = "+441632960123"
NOW = datetime(2026, 12, 22, 18, 3, 11, 42000, tzinfo=UTC)
KEYS = Keys(bytes(range(32)))
_NEXT = re.compile(rb'action="https://quietline\.example/voice/(step|answer)/([^"/]+)/?([^"]*)"')


def _policy() -> Policy:
    with tempfile.TemporaryDirectory() as folder:
        settings = {"TWILIO_AUTH_TOKEN": "f" * 32, "QUIETLINE_DATA": folder}
        return load_policy(load(settings, Path(folder)))


POLICY = _policy()


@dataclass(slots=True)
class Calling:
    """One call to one site. ``events``: everything recorded so far, in order of arrival."""

    profile: str = "gb"
    number: str = MOBILE
    sid: str = "CA" + "7" * 32
    control_room: str | None = None
    now: datetime = NOW
    events: list[Recorded] = field(default_factory=list)
    document: bytes = b""
    given: int = 0
    answers: Answers = field(init=False)

    def __post_init__(self) -> None:
        line = replace(POLICY.other, profile=self.profile)
        policy = replace(POLICY, other=line)
        documents = Documents(policy.voices, policy.questions, PUBLIC_URL, self.control_room)
        self.answers = Answers(policy, KEYS, documents, self.control_room)

    @property
    def place(self) -> tuple[str, str, str]:
        """Where the present document goes on: step or answer, the state, the sealed order."""
        found = _NEXT.search(self.document)
        assert found is not None, self.document
        kind, token, sealed = (part.decode() for part in found.groups())
        return kind, token, sealed

    @property
    def token(self) -> str:
        """The state in the URL that the present document names."""
        return self.place[1]

    @property
    def incident(self) -> Incident:
        """What the events so far fold to."""
        return self.folded.incident

    @property
    def folded(self) -> Folded:
        """The incident and its timeline."""
        call_key = self.events[0].call_key
        return fold(self.events, KEYS.reference(call_key))

    def parameters(self, **more: str) -> dict[str, str]:
        """Return what Twilio would send."""
        call = {"CallSid": self.sid, "AccountSid": ACCOUNT, "From": self.number}
        return {**call, "To": "+441632960999", "Direction": "inbound", **more}

    def arrives(self) -> Calling:
        """Ring, and be answered."""
        return self._met(self.answers.incoming(self.parameters(CallStatus="ringing"), self.now))

    def posts(self, **more: str) -> Calling:
        """Post to the next step's URL a few seconds later."""
        self.now += timedelta(seconds=3)
        kind, token, sealed = self.place
        if kind == "answer":
            params = self.parameters(**more)
            return self._met(self.answers.answer(token, sealed, params, self.now))
        return self._met(self.answers.next_step(token, self.parameters(**more), self.now))

    def is_ordered(self, what: What, **more: str) -> Calling:
        """Have a handler, or the ladder, interrupt the call."""
        self.now += timedelta(seconds=1)
        given = {"ask": {"question": "danger_now", "text": "Are you in danger now?"}}
        given |= {"connect": {"to": "+447700900777", "label": "anna"}}
        given |= {"conference": {"room": "QL-1", "label": "a muted conference"}}
        self.given += 1
        order = Order(str(self.given), what, **{"language": "en-GB", **given.get(what, {}), **more})
        profile = POLICY.profiles[self.profile]
        incident = self.incident
        step = max(milliseconds(self.now), incident.last_step + STEPS_APART)
        state = state_after(incident, step, profile)
        sealed = order.seal(KEYS)
        return self._met(self.answers.order(state.write(), sealed, self.parameters(), self.now))

    def presses(self, digits: str) -> Calling:
        """Press keys."""
        return self.posts(Digits=digits)

    def says(self, words: str) -> Calling:
        """Be heard saying something."""
        return self.posts(SpeechResult=words, Confidence="0.4")

    def stays_silent(self, times: int = 1) -> Calling:
        """Let documents run out."""
        for _ in range(times):
            self.posts(Digits="")
        return self

    def stays_silent_until(self, what: bytes) -> Calling:
        """Let documents run out until one holds ``what``."""
        for _ in range(40):
            if what in self.document:
                return self
            self.stays_silent()
        raise AssertionError(f"never came to {what!r}")

    def is_let_go(self) -> Calling:
        """Stay silent to the end: goodbye, and we hang up."""
        self.stays_silent_until(b"Goodbye")
        self.stays_silent()
        assert b"<Gather" not in self.document
        return self.ends()

    def ends(self, status: str = "completed") -> Calling:
        """The network reports the end of the call."""
        self.now += timedelta(seconds=1)
        return self._met(self.answers.status(self.parameters(CallStatus=status), self.now))

    def fails(self) -> Calling:
        """Our last answer did not reach the caller, and Twilio asks the fallback."""
        self.now += timedelta(seconds=1)
        url = "/".join((f"{PUBLIC_URL}/voice", *filter(None, self.place)))
        more = self.parameters(ErrorCode="11200", ErrorUrl=url)
        return self._met(self.answers.fallback(more, self.now))

    def _met(self, answer: Answer) -> Calling:
        self.events.extend(answer.events)
        if answer.document:
            self.document = answer.document
        return self


def matched(call: Calling, person: str, *officers: str) -> Recorded:
    """Return what the engine adds when the number is that of somebody with a point of contact."""
    data = {"person": person, "officers": list(officers)}
    key = f"person-{person}-{officers}"
    return replace(call.events[0], key=key, kind="person_matched", step=0, call_sid="", data=data)


def repeated(call: Calling, nth: int, urgency: int, seconds: int = 600) -> Recorded:
    """Return what the engine adds when this is the ``nth`` call from one number."""
    first = call.events[0]
    data = {"nth": nth, "seconds": seconds, "urgency": urgency}
    return replace(first, key=f"repeat-{nth}", kind="repeat_seen", step=0, call_sid="", data=data)


def marked(call: Calling, *, high_risk: bool) -> Recorded:
    """Return what the engine adds when the caller's number carries a marker."""
    first = call.events[0]
    grade = "immediate" if high_risk else ""
    data = {"marker": "m", "name": "Weapons", "high_risk": high_risk, "grade": grade}
    key = f"marker-{high_risk}"
    return replace(first, key=key, kind="marker_matched", step=0, call_sid="", data=data)
