"""Tells the events of a call as a person would: what happened, and what it meant.

Only the caller's side and what our answers did; what handlers did stands in the store.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from incidents.history import ALERTING, CONTROL_ROOM, History
from incidents.recorded import Recorded, as_text

_TOLD: Final = {
    "question_answered": ("question", "text", "answer", "keys"),
    "connected": ("to",),
    "page_answered": ("name",),
    "marker_matched": ("name", "high_risk", "grade"),
    "person_matched": ("officers", "how"),
    "code_typed": ("recognised",),
    "not_taken": ("who", "status"),
}
_TOLD_ELSE: Final = ("keys", "words", "confidence", "status", "duration", "code", "nth", "seconds")
_UNTOLD: Final = ("order_reached",)
"""Kinds that stand on the timeline only by what was said: who gave the order wrote the rest."""
_FOUND: Final = ("repeat_seen", "marker_matched", "person_matched")
"""Kinds the engine adds when it has looked at other records."""
_QUIET_STAGES: Final = ("hold", "asked")


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


def timeline(
    history: History, *, confirmed_at: datetime | None, connection: str
) -> Iterator[Entry]:
    """Yield the entries of a call, oldest first.

    ``confirmed_at``: when the full signal was given, or None.
    """
    confirmed = alerted = False
    for event in sorted(history.events, key=_place):
        short = event.key[:16]
        # A held line reports silence every few seconds: kept, but not told.
        quiet = event.kind == "nothing_heard" and event.data.get("stage") in _QUIET_STAGES
        if not quiet and event.kind not in _UNTOLD:
            yield Entry(f"{short}.{event.kind}", event.at, _word(event, connection), _facts(event))
        if event.at == confirmed_at and not confirmed:
            confirmed = True
            yield Entry(f"{short}.signal_confirmed", event.at, "signal_confirmed")
        if _alerts(event) and not alerted:
            alerted = True
            yield Entry(f"{short}.alert_raised", event.at, "alert_raised")
        prompt = event.data.get("prompt")
        if prompt:
            yield Entry(f"{short}.prompt_played", event.at, "prompt_played", {"prompt": prompt})
        if event.data.get("next") == "reach" and event.data.get("to"):
            rung = {"to": event.data["to"]}
            yield Entry(f"{short}.contact_rung", event.at, "contact_rung", rung)
        if event.data.get("next") == "bridged" and event.kind != "order_reached":
            yield Entry(f"{short}.escalated", event.at, "escalated", {"to": CONTROL_ROOM})


def _place(event: Recorded) -> tuple[datetime, bool, int, str]:
    # What the engine found about a call counts from its start, and is told after its arrival.
    return event.at, event.kind in _FOUND, event.step, event.key


def _alerts(event: Recorded) -> bool:
    if event.kind == "marker_matched":
        return bool(event.data["high_risk"])
    return event.kind in (*ALERTING, "repeat_seen") or bool(event.data.get("held"))


def _word(event: Recorded, connection: str) -> str:
    if event.kind == "call_ended" and connection == "dropped":
        return "line_dropped"
    return event.kind


def _facts(event: Recorded) -> dict[str, Any]:
    told = _TOLD.get(event.kind, _TOLD_ELSE)
    return {name: event.data[name] for name in told if name in event.data}
