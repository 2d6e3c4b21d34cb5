"""A timeline in words: what happened, told the way a handler would say it aloud.

It words nothing the entry does not say, and keeps what a caller or a handler said
verbatim. A kind of a later release reads as it is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from console import told_callbacks, words
from incidents.fold import Entry
from incidents.grades import Grades

KINDS: Final = {
    "call_arrived": "Call arrived",
    "prompt_played": "Prompt played",
    "keys_pressed": "Keys pressed",
    "menu_chosen": "Chosen from the menu",
    "code_typed": "Code typed",
    "contact_rung": "Rung for this call",
    "not_taken": "Not taken",
    "sound_heard": "Sound heard",
    "nothing_heard": "Nothing heard",
    "signal_confirmed": "Full signal confirmed",
    "alert_raised": "Alert raised",
    "line_dropped": "Line dropped",
    "call_ended": "Call ended",
    "note_added": "Note",
    "answer_failed": "Our answer did not reach the caller",
    "connected": "Connected by voice",
    "bridge_ended": "Voice connection ended; the line is held here",
    "repeat_seen": "Repeat call",
    "marker_matched": "Marker matched",
    "marker_set": "Marker set",
    "escalated": "Alert went up",
    "closed": "Closed",
    "claimed": "Claimed",
    "released": "Released",
    "taken_over": "Taken over",
    "handed_over": "Handed over",
    "detail_set": "Detail",
    "corrected": "Correction",
    "question_asked": "Asked",
    "question_answered": "Answer",
    "order_reached": "Spoken to the caller",
    "caller_reassured": "Caller reassured",
    "language_switched": "Language",
    "connection_ordered": "Connecting the caller to",
    "conference_ordered": "Putting the caller into a muted conference",
    "hold_ordered": "Line put back to hold",
    "let_go_ordered": "Line let go",
    "order_failed": "Order did not reach the call",
    "location_added": "Location",
    "grade_set": "Graded",
    "grade_proposed": "Lower grade proposed",
    "urgency_set": "Urgency set",
    "urgency_proposed": "Lower urgency proposed",
    "approved": "Approved by a second person",
    "paged": "Rung for this alert",
    "page_answered": "Took the alert by phone",
    "page_failed": "Could not be rung",
    "holder_away": "Holder's screen is silent: away",
    "holder_back": "Holder is back",
    "part_confirmed": "Part of a person confirmed",
    "part_refused": "Said not to be in this call: a person on record",
    "person_matched": "A known person's number",
    "contact_seen": "Seen by the point of contact",
    "follow_up_made": "Follow-up made",
    "follow_up_moved": "Follow-up changed",
    "follow_up_closed": "Follow-up closed",
    "reviewed": "Reviewed",
    "reviewed_again": "Second look",
    **told_callbacks.KINDS,
}
CORRECTABLE: Final = (
    "note_added",
    "detail_set",
    "location_added",
    "sound_heard",
    "grade_set",
    "closed",
    "corrected",
)
"""Kinds of entry that people wrote, or a machine may have misheard: these offer a correction."""


@dataclass(frozen=True, slots=True)
class Told:
    """A timeline entry in words. ``quote``: what a caller or handler said, kept verbatim."""

    what: str
    detail: str = ""
    quote: str = ""


def kind(name: str) -> str:
    """Return a timeline kind in words; a kind of a later release reads as it is named."""
    return KINDS.get(name, name.replace("_", " ").capitalize())


def told(entry: Entry, grades: Grades | None = None) -> Told:
    """Tell a timeline entry; ``grades`` gives grades, outcomes and details their names."""
    data, names = entry.data, grades or Grades()
    what, by = kind(entry.kind), str(data.get("by") or "")
    match entry.kind:
        case "keys_pressed":
            return Told(what, words.keys(str(data.get("keys", ""))))
        case "menu_chosen":
            pressed = words.keys(str(data.get("keys", "")))
            return Told(what, f"“{data.get('words', '')}”, key {pressed}")
        case "code_typed":
            return Told(what, "one we know" if data.get("recognised") else "not one we know")
        case "contact_rung":
            return Told(what, words.the(str(data.get("to") or "")))
        case "not_taken":
            return Told(what, f"by {words.the(str(data['who']))}" if data.get("who") else "")
        case "sound_heard":
            return Told(what, "may be somebody else in the room", str(data.get("words") or ""))
        case "prompt_played":
            return Told(what, str(data.get("prompt", "")).replace("_", " "))
        case "marker_matched":
            proposed = names.grade(str(data.get("grade") or ""))
            grade = f"grade {proposed.name.lower()} proposed" if proposed else ""
            return Told(what, ", ".join(one for one in (str(data.get("name", "")), grade) if one))
        case "marker_set":
            return Told(what, _joined(str(data.get("name", "")), by), str(data.get("reason") or ""))
        case "repeat_seen":
            minutes = max(1, -(-int(data.get("seconds", 0)) // 60))
            unit = "minute" if minutes == 1 else "minutes"
            return Told(f"Call number {data.get('nth', '?')} from here in {minutes} {unit}")
        case "call_ended" | "line_dropped" if data.get("duration"):
            return Told(what, f"after {data['duration']} s")
        case "escalated" if not by:
            return Told("Connected", f"to {words.the(str(data.get('to') or 'control room'))}")
        case "escalated":
            return Told(what, f"to {words.the(str(data.get('to') or 'the next rung'))}")
        case "question_asked" | "question_answered" | "order_reached" | "order_failed":
            return _question(entry.kind, data, by)
        case "connected":
            label = data.get("to") or data.get("label")
            return Told(what, f"to {words.the(str(label))}" if label else "")
        case "connection_ordered":
            return Told(what, _joined(words.the(str(data.get("to", ""))), by))
        case "language_switched":
            language = str(data.get("language", ""))
            return Told(what, _joined(words.LANGUAGES.get(language, language), by))
        case "taken_over" | "handed_over" | "released" if data.get("from") or data.get("to"):
            ways = (("from", data.get("from")), ("to", data.get("to")), ("by", by))
            return Told(
                what,
                " ".join(f"{way} {who}" for way, who in ways if who),
                str(data.get("reason") or ""),
            )
        case "detail_set":
            field = str(data.get("field", ""))
            named = dict(names.details).get(field, words.plain(field).capitalize())
            return Told(named, by, str(data.get("text", "")))
        case "grade_set" | "grade_proposed":
            found = names.grade(str(data.get("grade", "")))
            name = found.name if found else str(data.get("grade", ""))
            return Told(what, _joined(name, _with_second(data, by)), str(data.get("reason") or ""))
        case "urgency_set" | "urgency_proposed":
            name = _rank(data.get("urgency"))
            return Told(what, _joined(name, _with_second(data, by)), str(data.get("reason") or ""))
        case "closed":
            outcome = names.outcome(str(data.get("outcome", "")))
            name = outcome.name if outcome else str(data.get("outcome") or "")
            return Told(what, _joined(name, by), str(data.get("reason") or ""))
        case "location_added":
            source = data.get("source")
            return Told(what, _joined(by, f"source: {source}" if source else ""), place(data))
        case "part_confirmed":
            return Told(what, _joined(str(data.get("part") or ""), by))
        case "follow_up_made" | "follow_up_moved" | "follow_up_closed":
            return Told(what, _joined(*_follow_up(data), by), str(data.get("reason") or ""))
        case "reviewed":
            until = data.get("until")
            kept = f"until {_minute(str(until))}" if until else ""
            detail = _joined(str(data.get("decision") or ""), kept, by)
            return Told(what, detail, str(data.get("text") or ""))
        case "reviewed_again":
            finding = FINDINGS.get(str(data.get("finding")), str(data.get("finding") or ""))
            return Told(what, _joined(finding, by), str(data.get("text") or ""))
        case "person_matched":
            told_of = ", ".join(str(one) for one in data.get("officers") or ())
            known = _HOW_KNOWN.get(str(data.get("how")), what)
            return Told(
                known, f"told: {told_of}" if told_of else "nobody is their point of contact"
            )
        case callback if callback in told_callbacks.KINDS:
            return Told(what, *told_callbacks.told(callback, data))
        case "paged" | "page_failed" | "page_answered":
            return Told(what, str(data.get("name") or ""), str(data.get("problem") or ""))
        case _:
            return Told(what, by, str(data.get("text") or data.get("reason") or ""))


_HOW_KNOWN: Final = {
    "code": "A known person's code",
    "part": "A known person confirmed in this call",
}


def _follow_up(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is to be done, for whom, until when, and how it ended, as far as it is told."""
    yield str(data.get("what") or "")
    if owner := data.get("owner"):
        yield f"for {owner}"
    if due := data.get("due"):
        yield f"due {_minute(str(due))}"
    yield str(data.get("outcome") or "")


def _minute(written: str) -> str:
    """Return a moment, as the contract writes it, as a local day and minute with the zone."""
    at = datetime.fromisoformat(written)
    return f"{words.day(at)} {words.clock(at)[:5]} {words.zone(at)}"


FINDINGS: Final = {"agrees": "may stay closed", "differs": "a handler must look"}
"""What a second look found, in words."""
ORDERS: Final = {
    "ask": "question",
    "reassure": "reassurance",
    "language": "language",
    "connect": "connection",
    "conference": "conference",
    "hold": "hold",
    "let_go": "goodbye",
    "page": "call to a colleague",
}


def _question(kind_of: str, data: Mapping[str, Any], by: str) -> Told:
    text = str(data.get("text") or "")
    match kind_of:
        case "question_answered":
            answer = data.get("answer")
            pressed = str(data.get("keys") or "")
            keys = f"(pressed {words.keys(pressed)})" if pressed else ""
            return Told("Answer:", f"{words.ANSWERS.get(answer, str(answer))} {keys}".strip(), text)
        case "order_failed":
            what = ORDERS.get(str(data.get("what")), str(data.get("what") or "order"))
            return Told(kind(kind_of), what, str(data.get("problem") or ""))
        case "order_reached":
            return Told(kind(kind_of), ORDERS.get(str(data.get("what")), ""), text)
        case _:
            return Told(kind(kind_of), by, text)


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _with_second(data: Mapping[str, Any], by: str) -> str:
    proposed = data.get("proposed_by")
    return f"proposed by {proposed}, approved by {by}" if proposed else by


def _rank(value: Any) -> str:
    text = str(value or "")
    return words.urgency(int(text)).word if text in "1234" and text else text


def place(data: Mapping[str, Any]) -> str:
    """Word a location: what it says and its radius. A missing fix is said, never drawn."""
    said = str(data.get("text") or data.get("address") or "")
    spot = position(data)
    parts = [said, str(data.get("postcode") or "")]
    if spot is not None:
        parts.append(f"{spot[0]:.5f}, {spot[1]:.5f}")
    elif "pm" in data or "no_fix" in data:
        parts.append("no fix")
    radius = data.get("rd", data.get("radius"))
    if radius is not None and spot is not None:
        parts.append(f"within {float(radius):.0f} m")
    return _joined(*parts)


def fixed_at(entry: Entry) -> datetime:
    """Return when a location was true: its own time if it has one, else when it was added."""
    try:
        own = datetime.fromisoformat(str(entry.data["top"]))
    except (KeyError, ValueError):
        return entry.at
    return own if own.tzinfo is not None else entry.at


def position(data: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return latitude and longitude if there is a fix; ``pm=N`` and 0,0 are none."""
    latitude, longitude = data.get("lt"), data.get("lg")
    if latitude is None or longitude is None or data.get("pm") == "N" or data.get("no_fix"):
        return None
    if float(latitude) == 0 and float(longitude) == 0:
        return None
    return float(latitude), float(longitude)
