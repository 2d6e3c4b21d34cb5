"""The words and figures a handler reads: urgencies, states, times, masked numbers.

The same rules stand in ``static/js/words.js`` for what arrives live; a browser
test holds the two together. It words nothing the incident does not say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from incidents import local
from incidents.fold import Incident

LOCAL: Final = local.LOCAL


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
ANSWERS: Final = {
    "yes": "yes",
    "no": "no",
    "unclear": "unclear",
    "none": "no answer",
    "line_dropped": "line dropped",
    None: "…",
}
LANGUAGES: Final = {"en-GB": "English", "cy-GB": "Welsh"}


def urgency(rank: int) -> Urgency:
    """Return the words and shape of a rank from 1 to 4."""
    return URGENCIES[rank - 1]


def order(incident: Incident) -> tuple[int, bool, bool, datetime, str]:
    """Give the place on the board.

    By urgency; calls before reviews; unclaimed, or with a holder who is away, before claimed;
    the longest waiting first.
    """
    return (
        incident.urgency,
        incident.state == "review",
        incident.handler is not None and incident.away_at is None,
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


def calendar(of: date) -> str:
    """Return a day that belongs to no moment, like ``4 Nov 2026``."""
    return f"{of.day} {of:%b %Y}"


def zone(at: datetime) -> str:
    """Return the short name of local time at that moment: GMT or BST."""
    return at.astimezone(LOCAL).strftime("%Z")


def apart(at: datetime, since: datetime) -> str:
    """Return the local day of ``at`` where it is another than that of ``since``, else nothing.

    With the zone where that changed: a clock time beside it could be an hour wrong. ``25 Nov
    2026``, ``25 Oct 2026 GMT``, ``GMT`` or nothing.
    """
    found = [day(at)] if day(at) != day(since) else []
    return " ".join([*found, zone(at)] if zone(at) != zone(since) else found)


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
        who = incident.handler or "claimed"
        return f"{who}, away" if incident.away_at is not None else who
    if incident.bridged and incident.connection == "open":
        return f"with {the(incident.bridged)}"
    return {"waiting": "", "review": "for review", "closed": "closed"}[incident.state]


def takes(incident: Incident) -> str:
    """Return how anyone may take it from the board: ``Claim``, ``Take over``, or not at all."""
    if incident.state == "claimed":
        return "Take over" if incident.away_at is not None else ""
    if incident.state == "closed" or (incident.bridged and incident.connection == "open"):
        return ""
    return "Claim"


def the(label: str) -> str:
    """Return who a caller is joined to, as it stands in a sentence."""
    return f"the {label}" if label in ("control room", "duty desk") else label


def remaining(until: datetime, now: datetime) -> str:
    """Return time left: ``14:12 left``, or by how much it is over: ``0:12 over``."""
    left = until - now
    if left < timedelta(0):
        return f"{waiting(until, now)} over"
    return f"{waiting(now, until)} left"


def ago(since: datetime, now: datetime) -> str:
    """Return how long ago: ``20 s ago``, then minutes and hours."""
    seconds = max(0, int((now - since) / timedelta(seconds=1)))
    return f"{seconds} s ago" if seconds < 120 else f"{waiting(since, now)} ago"


def plain(name: str) -> str:
    """Return a name of ours without its underscores."""
    return name.replace("_", " ")
