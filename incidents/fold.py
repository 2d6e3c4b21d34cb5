"""An incident is a fold of its events, and the fold does not care about order or repeats.

``fold`` takes any events of one call, in any order and any number of times, and
gives the same incident. Learning more can only raise: no event added to a set
lowers the urgency (rule 3), and whatever signal was once shown stays shown.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from callflow import urgency
from callflow.urgency import SignalShown
from incidents.answers import Answer, answers
from incidents.history import KINDS, History, NothingToFold
from incidents.recorded import Recorded, as_text
from incidents.telling import Entry, timeline

__all__ = ("KINDS", "Answer", "Entry", "Folded", "Incident", "NothingToFold", "as_text", "fold")


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
    chosen: str | None = None
    proposed_grade: str | None = None
    people: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()

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
class Folded:
    """An incident and its timeline, oldest first."""

    incident: Incident
    entries: tuple[Entry, ...]


def fold(events: Iterable[Recorded], reference: str) -> Folded:
    """Fold the events of one call. Raises ``NothingToFold`` when none says whose call it is."""
    history = History(events)
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
        answers=answers(history.steps, ended_at if over else None),
        bridged="" if over else history.bridged(),
        last_step=history.last_step(),
        alerted_at=history.alerted_at(),
        called=history.latest("called"),
        language=history.latest("language") or "",
        chosen=history.choice(),
        proposed_grade=history.proposed_grade(),
        people=history.people(),
        contacts=history.contacts(),
    )
    entries = timeline(history, confirmed_at=history.confirmed_at, connection=connection)
    return Folded(incident, tuple(entries))
