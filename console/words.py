"""The words and figures a handler reads: urgencies, states, times, masked numbers.

The same rules stand in ``static/js/words.js`` for what arrives live; a browser
test holds the two together. It words nothing the incident does not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from incidents.fold import Entry, Incident

LOCAL: Final = ZoneInfo("Europe/London")


@dataclass(frozen=True, slots=True)
class Urgency:
    """One of the four ranks: a word and a shape, besides its colour."""

    rank: int
    word: str
    shape: str


URGENCIES: Final = (
    Urgency(1, "NOW", "square"),
    Urgency(2, "SOON", "diamond"),
    Urgency(3, "WATCH", "circle"),
    Urgency(4, "REVIEW", "dash"),
)
PARTS: Final = (
    ("phone", "Phone", "silent"),
    ("store", "Store", "unavailable"),
    ("journal", "Journal", "unreadable"),
    ("engine", "Engine", "silent"),
)
"""The parts of the status strip: name, word, and the word for trouble with it."""
CONNECTIONS: Final = {"open": "open line", "dropped": "dropped", "ended": "ended"}
STATES: Final = {
    "waiting": "Waiting for a handler",
    "claimed": "A handler has it",
    "review": "For review",
    "closed": "Closed",
}
SIGNALS: Final = {
    "confirmed": "Full signal given",
    "someone_there": "Somebody is there",
    "heard": "Speech or sound heard",
    "nothing": "No sign yet",
}
PURPOSES: Final = {"live": "", "training": "TRAINING", "proof": "PROOF"}
KINDS: Final = {
    "call_arrived": "Call arrived",
    "prompt_played": "Prompt played",
    "keys_pressed": "Keys pressed",
    "sound_heard": "Sound heard",
    "nothing_heard": "Nothing heard",
    "signal_confirmed": "Full signal confirmed",
    "alert_raised": "Alert raised",
    "line_dropped": "Line dropped",
    "call_ended": "Call ended",
    "note_added": "Note",
    "answer_failed": "Our answer did not reach the caller",
    "connected": "Connected to the control room",
    "bridge_ended": "Control room left; the line is held here",
    "repeat_seen": "Repeat call",
    "escalated": "Connected",
    "marker_matched": "Marker matched",
    "closed": "Closed",
}


def urgency(rank: int) -> Urgency:
    """Return the words and shape of a rank from 1 to 4."""
    return URGENCIES[rank - 1]


def order(incident: Incident) -> tuple[int, bool, bool, datetime, str]:
    """Give the place on the board.

    By urgency; calls before reviews; unclaimed before claimed; the longest waiting first.
    """
    return (
        incident.urgency,
        incident.state == "review",
        incident.handler is not None,
        incident.started_at,
        incident.reference,
    )


def masked(incident: Incident) -> str:
    """Return the caller's number with all but the last four figures hidden."""
    if incident.withheld:
        return "withheld"
    return f"…{incident.number[-4:]}" if incident.number else "no number"


def signal(incident: Incident) -> str:
    """Return what the caller has shown; of a call that is over nothing more is to come."""
    if incident.signal == "nothing" and incident.connection != "open":
        return "No sign"
    return SIGNALS[incident.signal]


def keys(pressed: str) -> str:
    """Space the keys out, so that 55 reads as two presses."""
    return " ".join(pressed) if pressed else "–"


def waiting(since: datetime, now: datetime) -> str:
    """Return time waited: ``0:07``, ``59:59``, then ``1 h 04 min``, then ``2 d 3 h``."""
    seconds = max(0, int((now - since) / timedelta(seconds=1)))
    if seconds < 3600:
        return f"{seconds // 60}:{seconds % 60:02}"
    if seconds < 86400:
        return f"{seconds // 3600} h {seconds % 3600 // 60:02} min"
    return f"{seconds // 86400} d {seconds % 86400 // 3600} h"


def clock(at: datetime) -> str:
    """Return the local time of day, to the second."""
    return at.astimezone(LOCAL).strftime("%H:%M:%S")


def day(at: datetime) -> str:
    """Return the local date, like ``22 Dec 2026``."""
    local = at.astimezone(LOCAL)
    return f"{local.day} {local:%b %Y}"


def zone(at: datetime) -> str:
    """Return the short name of local time at that moment: GMT or BST."""
    return at.astimezone(LOCAL).strftime("%Z")


def utc(at: datetime) -> str:
    """Return the moment as the contract writes it: UTC with milliseconds and Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def counts(incidents: Iterable[Incident], beyond: Mapping[int, int]) -> dict[int, int]:
    """Count incidents per urgency, with those beyond what is listed."""
    found = {rank.rank: beyond.get(rank.rank, 0) for rank in URGENCIES}
    for incident in incidents:
        found[incident.urgency] += 1
    return found


def state(incident: Incident) -> str:
    """Return who has it, or that it is for review, in as few words as a row takes."""
    if incident.state == "claimed":
        return incident.handler or "claimed"
    return {"waiting": "", "review": "for review", "closed": "closed"}[incident.state]


def plain(name: str) -> str:
    """Return a name of ours without its underscores."""
    return name.replace("_", " ")


def kind(name: str) -> str:
    """Return a timeline kind in words; a kind of a later release reads as it is named."""
    return KINDS.get(name, name.replace("_", " ").capitalize())


@dataclass(frozen=True, slots=True)
class Told:
    """A timeline entry in words. ``quote``: what a caller or handler said, kept verbatim."""

    what: str
    detail: str = ""
    quote: str = ""


def told(entry: Entry) -> Told:
    """Tell a timeline entry the way a handler would say it aloud."""
    data = entry.data
    match entry.kind:
        case "keys_pressed":
            return Told("Keys pressed", keys(str(data.get("keys", ""))))
        case "sound_heard":
            return Told(
                "Sound heard", "may be somebody else in the room", str(data.get("words") or "")
            )
        case "prompt_played":
            return Told("Prompt played", str(data.get("prompt", "")).replace("_", " "))
        case "repeat_seen":
            minutes = max(1, -(-int(data.get("seconds", 0)) // 60))
            unit = "minute" if minutes == 1 else "minutes"
            return Told(f"Call number {data.get('nth', '?')} from here in {minutes} {unit}")
        case "escalated":
            return Told("Connected to", str(data.get("to", "the control room")))
        case "note_added":
            return Told("Note", str(data.get("by", "")), str(data.get("text", "")))
        case "call_ended" | "line_dropped" if data.get("duration"):
            return Told(kind(entry.kind), f"after {data['duration']} s")
        case _:
            return Told(kind(entry.kind))
