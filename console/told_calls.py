"""Tells officers on the console of calls of their people: on any page, and on their day.

The live feed says that something changed; what an officer has not seen yet is always asked
of the store, so that a notice comes to whoever signs in later, too, and goes from every
screen once it was opened or put away. It reaches nobody outside the console.
"""

from __future__ import annotations

import logging
from typing import Final

from flask import Blueprint, abort, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue

from console.audited import audited
from console.guard import doors, for_right, holder, own_path
from console.watch import Watch
from incidents.fold import Incident
from incidents.store import NoSuchIncident
from incidents.told_calls import ToldCall, ToldCalls
from incidents.transactions import StoreUnavailable

log = logging.getLogger(__name__)

EXTENSION: Final = "quietline_told_calls"
MOST_NOTICES: Final = 1
"""Notices on a page at once, the newest: more would push down a live call. How many more there are
is said in it."""


def blueprint(told: ToldCalls) -> Blueprint:
    """Make the blueprint."""
    pages = Blueprint("told_calls", __name__)
    pages.record_once(lambda state: state.app.extensions.update({EXTENSION: told}))

    @pages.get("/contacts/calls")
    @for_right("contact")
    def notices() -> ResponseReturnValue:
        """Give the notices of calls this officer has not seen, for the page they are on."""
        unseen = [one for one in told.of(holder().name, doors().clock()) if one.waits]
        if unseen and not audited().seen_lately(holder(), "told calls"):
            audited().looked(holder(), "was told of calls of their people", "contacts")
        return render_template(
            "_told_calls.html", calls=unseen[:MOST_NOTICES], more=len(unseen) - MOST_NOTICES
        )

    @pages.post("/contacts/calls/<reference>/seen")
    @for_right("contact")
    def seen(reference: str) -> ResponseReturnValue:
        """Put a notice away: this officer knows of the call."""
        try:
            mine = told.see(reference, by=holder().name, now=doors().clock())
        except NoSuchIncident:
            abort(404)
        if mine == "not told":
            abort(404)
        watch: Watch = current_app.extensions["quietline_watch"]
        watch.look_now()
        if request.headers.get("X-Requested-With") == "fetch":
            return "", 204
        return redirect(own_path(request.form.get("next")), 303)

    def my_calls() -> tuple[ToldCall, ...] | None:
        """Return the calls of the last days, for one's day; None: they cannot be read now."""
        try:
            return told.of(holder().name, doors().clock())
        except StoreUnavailable:
            return None

    @pages.app_context_processor
    def furnish() -> dict[str, object]:
        return {"my_calls": my_calls}

    return pages


def note_seen(incident: Incident) -> bool:
    """Write down that whoever opens a call has seen it, if they are told of it. True: it is new."""
    if holder().name not in incident.contacts or not holder().may("contact"):
        return False
    told: ToldCalls = current_app.extensions[EXTENSION]
    try:
        return told.see(incident.reference, by=holder().name, now=doors().clock()) == "now"
    except (StoreUnavailable, NoSuchIncident):
        log.warning("it could not be noted that an officer has seen a call: the notice stays")
        return False
