"""An incident is a fold of its events, and the fold does not care about order or repeats.

``fold`` takes any events of one call, in any order and any number of times, and
gives the same incident. Learning more can only raise: no event added to a set
lowers the urgency (rule 3), and whatever signal was once shown stays shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from callflow import urgency
from callflow.keys import Signal
from callflow.urgency import Reason, SignalShown
from incidents.recorded import Recorded, earlier

KINDS = (
    "call_arrived",
    "keys_pressed",
    "sound_heard",
    "nothing_heard",
    "answer_failed",
    "connected",
    "bridge_ended",
    "call_ended",
    "repeat_seen",
)
"""Kinds of event the fold reads; it passes over others, so that an older release may meet newer."""


_NAMELESS = ("connected", "repeat_seen")
"""Kinds that do not say whose call it is."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One question as it was spoken, and what came back. ``answer`` is None while it is awaited.

    ``question``: its id, or ``free``. ``answer``: yes, no, unclear, none or line_dropped.
    """

    question: str
    text: str
    answer: str | None
    keys: str
    asked_at: datetime
    answered_at: datetime | None

    def as_json(self) -> dict[str, object]:
        """The answer as the contract's JSON object."""
        return {
            "question": self.question,
            "text": self.text,
            "answer": self.answer,
            "keys": self.keys,
            "asked_at": as_text(self.asked_at),
            "answered_at": as_text(self.answered_at),
        }

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> "Answer":
        """Read what ``as_json`` wrote."""
        answered = told["answered_at"]
        return cls(
            told["question"],
            told["text"],
            told["answer"],
            told["keys"],
            datetime.fromisoformat(told["asked_at"]),
            None if answered is None else datetime.fromisoformat(answered),
        )


@dataclass(frozen=True, slots=True)
class Incident:
    """The record of one call and what was done about it, as the contract shows it."""

    call_key: str
    reference: str
    call_sid: str
    line: str
    profile: str
    purpose: str
    number: str | None
    withheld: bool
    signal: SignalShown
    keys: str
    urgency: int
    reasons: tuple[str, ...]
    state: str
    connection: str
    started_at: datetime
    signal_at: datetime | None = None
    ended_at: datetime | None = None
    answers: tuple[Answer, ...] = ()
    bridged: str = ""
    last_step: int = 0
    alerted_at: datetime | None = None
    called: str | None = None
    language: str = ""
    handler: str | None = None
    grade: str | None = None
    outcome: str | None = None
    claimed_at: datetime | None = None
    closed_at: datetime | None = None
    graded_at: datetime | None = None
    set_urgency: int | None = None
    set_urgency_at: datetime | None = None
    away_at: datetime | None = None
    rung: int | None = None

    def as_json(self) -> dict[str, object]:
        """The incident as the contract's JSON object."""
        return {
            "reference": self.reference,
            "call_sid": self.call_sid,
            "line": self.line,
            "profile": self.profile,
            "purpose": self.purpose,
            "caller": {"number": self.number, "withheld": self.withheld},
            "signal": self.signal,
            "keys": self.keys,
            "urgency": self.urgency,
            "reasons": list(self.reasons),
            "state": self.state,
            "connection": self.connection,
            "handler": self.handler,
            "grade": self.grade,
            "outcome": self.outcome,
            "started_at": as_text(self.started_at),
            "signal_at": as_text(self.signal_at),
            "claimed_at": as_text(self.claimed_at),
            "ended_at": as_text(self.ended_at),
            "closed_at": as_text(self.closed_at),
            "answers": [answer.as_json() for answer in self.answers],
        }


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an incident's timeline."""

    id: str
    at: datetime
    kind: str
    data: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The entry as the contract's JSON object."""
        return {"id": self.id, "at": as_text(self.at), "kind": self.kind, "data": self.data}


@dataclass(frozen=True, slots=True)
class Folded:
    """An incident and its timeline, oldest first."""

    incident: Incident
    entries: tuple[Entry, ...]


def fold(events: Iterable[Recorded], reference: str) -> Folded:
    """Fold the events of one call. Raises ``NothingToFold`` when none says whose call it is."""
    history = _History(events)
    signal, signal_at = history.signal()
    ended_at = history.ended_at()
    connection = history.connection()
    over = connection != "open"
    reasons = history.reasons(signal, over=over)
    rank, words = urgency.rank(reasons)
    unseen = signal == "nothing" and not history.raised()
    first = history.first
    incident = Incident(
        call_key=first.call_key,
        reference=reference,
        call_sid=first.call_sid,
        line=first.data["line"],
        profile=first.data["profile"],
        purpose=first.data["purpose"],
        number=first.data["number"],
        withheld=first.data["withheld"],
        signal=signal,
        keys=history.keys(),
        urgency=rank,
        reasons=words,
        state="review" if over and unseen else "waiting",
        connection=connection,
        started_at=min(event.at for event in history.events),
        signal_at=signal_at,
        ended_at=ended_at,
    )
    return Folded(incident, tuple(_timeline(history, incident)))


class NothingToFold(ValueError):
    """No event of the phone is here yet that names the line and the caller: wait for one."""


class _History:
    """The distinct events of one call in the order in which they happened."""

    def __init__(self, events: Iterable[Recorded]) -> None:
        distinct: dict[str, Recorded] = {}
        for event in events:
            if event.kind in KINDS:
                known = distinct.get(event.key)
                distinct[event.key] = event if known is None else earlier(known, event)
        if not distinct:
            raise NothingToFold("no events")
        self.events = sorted(distinct.values(), key=lambda event: (event.step, event.at, event.key))
        # Every webhook names the line and the caller, so any of them can stand
        # for a missing first one; what the engine adds does not.
        self.steps = [event for event in self.events if event.kind not in _NAMELESS]
        if not self.steps:
            raise NothingToFold("no event from the phone")
        self.first = self.steps[0]

    def of(self, kind: str) -> list[Recorded]:
        return [event for event in self.events if event.kind == kind]

    def pressed(self) -> list[Recorded]:
        """One event a step: of two lengths of keys for one step the longer counts."""
        by_step: dict[int, Recorded] = {}
        for event in self.of("keys_pressed"):
            known = by_step.get(event.step)
            if known is None or _size(known) < _size(event):
                by_step[event.step] = event
        return list(by_step.values())

    def keys(self) -> str:
        return "".join(event.data["keys"] for event in self.pressed())

    def signal(self) -> tuple[SignalShown, datetime | None]:
        """The strongest signal shown, and when it was first shown."""
        confirmed_at = self.confirmed_at()
        if confirmed_at is not None:
            return "confirmed", confirmed_at
        for kind, shown in (("keys_pressed", "someone_there"), ("sound_heard", "heard")):
            events = self.of(kind)
            if events:
                return _shown(shown), min(event.at for event in events)
        return "nothing", None

    def confirmed_at(self) -> datetime | None:
        """When the presses of the signal first added up to enough, or None.

        Each event carries its own rule, and of several deliveries for one step the one
        with the most presses counts, so that no later delivery takes a 55 back.
        """
        events = self.of("keys_pressed")
        for spelled in sorted({event.data["signal"] for event in events}):
            signal = Signal.read(spelled)
            presses: dict[int, int] = {}
            for event in events:
                known = presses.get(event.step, 0)
                presses[event.step] = max(known, signal.count(event.data["keys"]))
                if sum(presses.values()) >= signal.presses:
                    return event.at
        return None

    def raised(self) -> bool:
        """Say whether something other than the caller's signal keeps the call before a handler."""
        return bool(self.of("answer_failed")) or any(event.data.get("held") for event in self.steps)

    def let_go(self) -> Recorded | None:
        """The event after which we hung up ourselves, if nothing came after it.

        The goodbye alone is no end: the line is open while it is said, and a caller who goes
        meanwhile has hung up.
        """
        last = max(
            self.steps,
            key=lambda event: (
                event.kind != "call_ended",
                event.step,
                event.data.get("next") != "ended",
            ),
        )
        hung_up = last.data.get("stage") == last.data.get("next") == "ended"
        return last if hung_up and last.kind != "call_ended" else None

    def connection(self) -> str:
        if self.let_go():
            return "ended"
        return "dropped" if self.of("call_ended") else "open"

    def ended_at(self) -> datetime | None:
        let_go = self.let_go()
        ends = self.of("call_ended") + ([let_go] if let_go else [])
        return min((event.at for event in ends), default=None)

    def reasons(self, signal: SignalShown, *, over: bool) -> list[Reason]:
        reasons = []
        held = next((event.data["held"] for event in self.steps if event.data.get("held")), None)
        if signal == "confirmed":
            reasons.append(urgency.because_confirmed(self.what_confirmed()))
        elif signal != "nothing" or not self.raised():
            reasons.append(urgency.because_of_signal(signal, over=over))
        if signal == "nothing" and held:
            reasons.append(urgency.because_held(held))
        if self.of("answer_failed"):
            reasons.append(urgency.because_we_failed())
        repeats = self.of("repeat_seen")
        if repeats:
            most = max(repeats, key=lambda event: (event.data["nth"], event.data["seconds"]))
            least = min(event.data["urgency"] for event in repeats)
            data = most.data
            reasons.append(urgency.because_repeated(data["nth"], data["seconds"], least))
        return reasons

    def what_confirmed(self) -> str:
        """Name what was pressed: the full signal, or the meaning the profile gives the key."""
        events = self.of("keys_pressed")
        signal = Signal.read(min(event.data["signal"] for event in events))
        for event in events:
            for key in event.data["keys"]:
                meaning = event.data.get("meanings", {}).get(key)
                if meaning:
                    return f"{key} ({meaning})"
        if len(signal.keys) > 1:
            return "a key"
        return signal.keys * signal.presses


def _size(event: Recorded) -> tuple[int, str]:
    keys: str = event.data["keys"]
    return len(keys), keys


def _shown(text: str) -> SignalShown:
    return next(shown for shown in urgency.STRENGTH if shown == text)


def _timeline(history: _History, incident: Incident) -> Iterable[Entry]:
    """Tell the events as a person would: what happened, and what it meant."""
    confirmed = alerted = False
    for event in sorted(history.events, key=lambda event: (event.at, event.step, event.key)):
        short = event.key[:16]
        # A held line reports silence every few seconds: kept, but not told.
        if event.kind != "nothing_heard" or event.data.get("stage") != "hold":
            yield Entry(f"{short}.{event.kind}", event.at, _word(event, incident), _facts(event))
        if event.at == incident.signal_at and incident.signal == "confirmed" and not confirmed:
            confirmed = True
            yield Entry(f"{short}.signal_confirmed", event.at, "signal_confirmed")
        if (event.kind in _ALERTING or event.data.get("held")) and not alerted:
            alerted = True
            yield Entry(f"{short}.alert_raised", event.at, "alert_raised")
        prompt = event.data.get("prompt")
        if prompt:
            yield Entry(f"{short}.prompt_played", event.at, "prompt_played", {"prompt": prompt})
        if event.data.get("next") == "bridged":
            yield Entry(f"{short}.escalated", event.at, "escalated", {"to": "control room"})


_ALERTING = ("keys_pressed", "sound_heard", "answer_failed", "repeat_seen")
_TOLD = ("keys", "words", "confidence", "status", "duration", "code", "nth", "seconds")


def _word(event: Recorded, incident: Incident) -> str:
    if event.kind == "call_ended" and incident.connection == "dropped":
        return "line_dropped"
    return event.kind


def _facts(event: Recorded) -> dict[str, Any]:
    return {name: event.data[name] for name in _TOLD if name in event.data}


def as_text(at: datetime | None) -> str | None:
    """Write a moment as ``2026-12-22T18:03:11.042Z``, or None."""
    if at is None:
        return None
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
