"""The pages a handler works with: the live board and one incident.

Pages show and take notes. They decide nothing about a call and never send
anything to a caller.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from flask import (
    Blueprint,
    abort,
    current_app,
    jsonify,
    redirect,
    render_template,
    request,
    send_from_directory,
    url_for,
)
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from console import asking, markers, strip, telling, words
from console.answers import written_out
from console.audited import REASON_NEEDED, audited
from console.guard import doors, everyone, for_right, holder
from console.opening import ask_why
from console.people import people
from console.record import Record, record
from console.told_calls import note_seen
from console.watch import Watch
from incidents.desk import Actor, Desk
from incidents.fold import Incident
from incidents.known import Known, known
from incidents.marker_kinds import Marker
from incidents.parts import PARTS
from incidents.patterns import Matched, matched
from incidents.sealed import is_reference
from incidents.store import NoSuchIncident, Store
from incidents.together import groups_of
from incidents.transactions import StoreUnavailable

log = logging.getLogger(__name__)

pages = Blueprint("pages", __name__)

LONGEST_NOTE: Final = 4000
A_YEAR_S: Final = 31536000
EARLIER_SHOWN: Final = 3


def _watch() -> Watch:
    watch: Watch = current_app.extensions["quietline_watch"]
    return watch


def _store() -> Store:
    store: Store = current_app.extensions["quietline_store"]
    return store


def _desk() -> Desk:
    desk: Desk = current_app.extensions["quietline_desk"]
    return desk


@pages.get("/")
@for_right("read")
def board() -> ResponseReturnValue:
    """Show the live board."""
    return _board()


def _board(refusal: str = "") -> str:
    view = _watch().view()
    audited().looked(holder(), "opened the board", "board")
    return render_template(
        "board.html",
        incidents=view.incidents,
        beyond=view.beyond,
        counts=words.counts(view.incidents, view.beyond),
        refusal=refusal,
    )


@pages.get("/incidents/<reference>")
@for_right("read")
def incident(reference: str) -> ResponseReturnValue:
    """Show one incident; of a closed one that is not one's own work, ask why first."""
    return _incident_page(_found(reference))


@pages.get("/incidents/<reference>/record")
@for_right("read")
def incident_record(reference: str) -> ResponseReturnValue:
    """Give the part of an incident's page that grows, for the page itself."""
    found = _found(reference)
    if not audited().may_go_on(found, holder()):
        return jsonify(error=REASON_NEEDED), 403
    return render_template("_record.html", **shown(found))


@pages.post("/incidents/<reference>/notes")
@for_right("note")
def add_note(reference: str) -> ResponseReturnValue:
    """Write a note on the timeline, or refuse it and give the text back."""
    text = request.form.get("text", "").replace("\r\n", "\n").strip()
    try:
        refusal = _refuse_note(text)
        if refusal is None:
            at = doors().clock()
            done = _desk().note(reference, text, by=Actor(holder().name, holder().role), now=at)
    except NoSuchIncident:
        # The board can know a call a moment before the store does.
        found = _watch().incident(reference)
        if found is None:
            raise NotFound from None
        refusal = ("The call is not in the store yet. Save again in a moment.", 503)
    except StoreUnavailable:
        log.warning("a note could not be saved: the store is unavailable")
        refusal = ("The store cannot be reached: the note is not saved. It stays here.", 503)
    if refusal is None:
        _watch().look_now()
    if request.headers.get("X-Requested-With") == "fetch":
        if refusal is not None:
            return jsonify(error=refusal[0]), refusal[1]
        return jsonify(id=done.entry), 201
    if refusal is not None:
        return _incident_page(_found(reference), text=text, refusal=refusal[0]), refusal[1]
    return redirect(url_for("pages.incident", reference=reference, _anchor="note"), 303)


def _refuse_note(text: str) -> tuple[str, int] | None:
    if not text:
        return "Write something before you save the note.", 422
    if len(text) > LONGEST_NOTE:
        over = len(text) - LONGEST_NOTE
        return f"A note has at most {LONGEST_NOTE} characters; this has {over} too many.", 422
    return None


@pages.get("/find")
@for_right("read")
def find() -> ResponseReturnValue:
    """Go to the incident whose reference was typed, however it was written down."""
    typed = request.args.get("reference", "")
    if typed.strip():
        audited().looked(holder(), "searched by reference", "board")
    reference = written_out("".join(typed.split()))
    if is_reference(reference) and record(reference, _watch(), _store()) is not None:
        return redirect(url_for("pages.incident", reference=reference), 303)
    shown = " ".join(typed.split())[:40]
    sentence = f"There is no incident with the reference “{shown}”." if shown else ""
    return _board(sentence), 404 if shown else 200


@pages.get("/static/<version>/<path:name>")
@everyone
def static(version: str, name: str) -> ResponseReturnValue:
    """Serve a style, script or icon. Its address changes with its content, so it may be kept."""
    folder = current_app.root_path + "/static"
    lasting = version == current_app.extensions["quietline_assets"]
    answer = send_from_directory(folder, name, max_age=A_YEAR_S if lasting else 0)
    answer.cache_control.no_cache = None if lasting else True
    answer.cache_control.immutable = lasting
    return answer


def _found(reference: str) -> Record:
    found = record(reference, _watch(), _store())
    if found is None:
        abort(404)
    return found


def shown(found: Record) -> dict[str, object]:
    """Return everything on a call's page that grows, as its templates take it."""
    incident, entries, rules = found.incident, found.entries, _desk().rules
    until = incident.ended_at or doors().clock()
    grade = rules.grades.grade(incident.grade or "")
    due = None
    if grade is not None and grade.target is not None and incident.graded_at is not None:
        due = incident.graded_at + timedelta(seconds=grade.target)
    earlier, earlier_count = _earlier(found)
    bank = rules.questions.all
    return {
        "incident": incident,
        "entries": entries,
        "complete": found.complete,
        "strip": strip.presses(found, _at_least(incident.started_at, until)),
        "tell": partial(telling.told, grades=rules.grades),
        "telling": telling,
        "correctable": telling.CORRECTABLE,
        "grades": rules.grades,
        "due": None if incident.state == "closed" else due,
        "answers": asking.summary(bank, incident.answers),
        "offers": asking.offers(bank, incident.answers, asking.ordered(entries, incident.answers)),
        "unaskable": asking.unaskable(incident, holder().name),
        "locations": [entry for entry in entries if entry.kind == "location_added"][-2:],
        "details": {
            entry.data.get("field"): entry for entry in entries if entry.kind == "detail_set"
        },
        "proposals": asking.proposals(incident, entries),
        "earlier": earlier,
        "earlier_count": earlier_count,
        "patterns": _patterns(found),
        "known": _known(found),
        "part_names": PARTS,
        "markers": _markers(found),
        "languages": rules.languages,
        "control_room": rules.control_room,
        "services": rules.services.all,
        "reachable": [one for one in rules.services.all if one.number],
    }


def _earlier(found: Record) -> tuple[list[Incident] | None, int]:
    """Earlier calls of the same number, and how many there are; None when nobody can tell."""
    try:
        return _store().earlier(found.incident, EARLIER_SHOWN)
    except StoreUnavailable:
        return None, 0


def _patterns(found: Record) -> tuple[Matched, ...]:
    """What repeats among the calls of this number, its people and their household."""
    rules, incident = _desk().rules, found.incident
    back = max((one.within for one in rules.patterns), default=timedelta())
    try:
        groups = groups_of(_store(), incident, back, rules.visits)
        return matched(rules.patterns, groups, incident.started_at, words.day)
    except StoreUnavailable:
        return ()  # the list of earlier calls says that it cannot be read now


def _known(found: Record) -> tuple[Known, ...]:
    """Who may be calling, for those who may read about people; each is logged as a look."""
    if not holder().may("people"):
        return ()
    try:
        there = known(_store(), people().keys, found.incident)
    except StoreUnavailable:
        return ()
    for one in there:
        if not audited().seen_lately(holder(), one.person.id):
            audited().looked(holder(), "saw who may be calling", one.person.id)
    return there


def _markers(found: Record) -> tuple[Marker, ...] | None:
    """The markers that reach this call, for those who may read them; None: they cannot be read."""
    if not holder().may("people"):
        return ()
    try:
        return markers.of_call(found.incident.call_key)
    except StoreUnavailable:
        return None


def _at_least(start: datetime, until: datetime) -> datetime:
    return max(until, start + timedelta(seconds=30))


def _incident_page(found: Record, *, text: str = "", refusal: str | None = None) -> str:
    if not audited().may_open(found, holder()):
        return ask_why(found.incident.reference)
    if note_seen(found.incident):
        found = _found(found.incident.reference)
    return render_template("incident.html", text=text, refusal=refusal, **shown(found))
