"""The review queue as people work it: one call at a time beside the list, and the second look.

A decision takes two steps, by keys or as a plain form, and the next call stands there. Who
comes second is told who was first, and what was typed stays. Nothing here reaches a caller.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Final

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console import pages as call_pages
from console.audited import audited
from console.guard import doors, for_right, holder
from console.people import actor
from console.record import record
from console.watch import Watch
from incidents.reviewing import LONGEST_SAID, Queue, Queued, Reviewing
from incidents.sealed import is_reference
from incidents.second_look import Sampled, SecondLook
from incidents.store import NoSuchIncident, Store
from incidents.transactions import StoreUnavailable
from incidents.working import Conflict, Unfit

A_PAGE: Final = 50
SECOND_LOOKS: Final = 20
LATEST_PAGE: Final = 100_000
LOOKING_HOLDS: Final = timedelta(minutes=2)
"""For so long a call that somebody has before them is not given to another as the next."""
AWAY: Final = "The store cannot be reached: nothing is decided. What you typed stays here."
REFUSED: Final = 422


class Looking:
    """Who has which call before them: two people who begin at once get two calls.

    It reserves nothing: whoever opens a call may decide on it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at: dict[str, tuple[str, datetime]] = {}

    def shown(self, reference: str, name: str, now: datetime) -> None:
        """Remember that ``name`` has a call before them, and no other any more."""
        with self._lock:
            kept = {
                call: (who, at)
                for call, (who, at) in self._at.items()
                if who != name and now - at < LOOKING_HOLDS
            }
            kept.setdefault(reference, (name, now))
            self._at = kept

    def others(self, name: str, now: datetime) -> dict[str, str]:
        """Return who else has which call before them."""
        with self._lock:
            return {
                call: who
                for call, (who, at) in self._at.items()
                if who != name and now - at < LOOKING_HOLDS
            }


def blueprint(reviewing: Reviewing, second: SecondLook) -> Blueprint:
    """Make the blueprint of the review queue."""
    pages = Blueprint("reviewing", __name__)
    looking = Looking()

    @pages.get("/review")
    @for_right("read")
    def queue() -> ResponseReturnValue:
        """Show the call that is best looked at next, or the one asked for, and the list."""
        return _page(request.args.get("call", ""))

    @pages.post("/review/<reference>")
    @for_right("work")
    def decide(reference: str) -> ResponseReturnValue:
        """Decide on a call; the next one follows."""
        typed = {name: request.form.get(name, "") for name in ("decision", "said", "seen")}
        try:
            reviewing.decide(
                reference,
                typed["decision"],
                typed["said"],
                seen=typed["seen"],
                by=actor(holder()),
                now=doors().clock(),
            )
        except NoSuchIncident:
            abort(404)
        except Unfit as unfit:
            return _page(reference, typed, {unfit.field: str(unfit)}), REFUSED
        except Conflict as conflict:
            return _page(reference, typed, {"state": str(conflict)}), 409
        except StoreUnavailable:
            return _form_alone(reference, typed), 503
        _look_now()
        return redirect(url_for("reviewing.queue", done=reference), 303)

    @pages.get("/review/second")
    @for_right("second_look")
    def second_looks() -> ResponseReturnValue:
        """Show the call that waits longest for a second look."""
        return _second_page({}, {})

    @pages.post("/review/second/<reference>")
    @for_right("second_look")
    def look_again(reference: str) -> ResponseReturnValue:
        """Say what a second look found; the next one follows."""
        typed = {name: request.form.get(name, "") for name in ("finding", "said")}
        try:
            second.look(
                reference,
                typed["finding"],
                typed["said"],
                by=actor(holder()),
                now=doors().clock(),
            )
        except NoSuchIncident:
            abort(404)
        except Unfit as unfit:
            return _second_page(typed, {unfit.field: str(unfit)}, reference), REFUSED
        except Conflict as conflict:
            return _second_page(typed, {"state": str(conflict)}, reference), 409
        except StoreUnavailable:
            return _form_alone(reference, typed, second_look=True), 503
        _look_now()
        return redirect(url_for("reviewing.second_looks"), 303)

    def _page(
        asked: str, typed: dict[str, str] | None = None, refusals: dict[str, str] | None = None
    ) -> str:
        now, page = doors().clock(), request.args.get("page", 1, type=int)
        page = min(max(page, 1), LATEST_PAGE)
        listed = reviewing.queue(now, limit=A_PAGE, skip=(page - 1) * A_PAGE)
        audited().looked(holder(), "opened the review queue", "review")
        others = looking.others(holder().name, now)
        one = reviewing.queued(asked, now) if is_reference(asked) else None
        gone = asked if asked and one is None else ""
        if one is None:
            one = _next(listed, others, page)
        found = None if one is None else record(one.incident.reference, *_sources())
        if found is not None and one is not None:
            audited().may_open(found, holder(), what="viewed the record in review")
            looking.shown(one.incident.reference, holder().name, now)
        done = request.args.get("done", "")
        return render_template(
            "review.html",
            listed=listed,
            page=page,
            pages=max(1, -(-listed.count // A_PAGE)),
            one=one,
            others=others,
            gone=gone,
            asked=asked,
            done=_told(done) if is_reference(done) else "",
            typed=typed or {},
            refusals=refusals or {},
            again=_second_count(),
            **_about(),
            **({} if found is None else call_pages.shown(found)),
        )

    def _told(reference: str) -> str:
        """Say in a sentence what was decided on a call."""
        try:
            last = reviewing.last(reference)
        except NoSuchIncident:
            return ""
        name = "" if last is None else reviewing.policy.name(last.decision)
        return f"{reference}: {name}." if name else ""

    def _second_count() -> int:
        may = holder().may("second_look")
        return second.waiting(holder().name, limit=1)[1] if may else 0

    def _second_page(typed: dict[str, str], refusals: dict[str, str], reference: str = "") -> str:
        waiting, count = second.waiting(holder().name, limit=SECOND_LOOKS)
        audited().looked(holder(), "opened the second looks", "review")
        asked = [one for one in waiting if one.incident.reference == reference]
        one: Sampled | None = next(iter([*asked, *waiting]), None)
        found = None if one is None else record(one.incident.reference, *_sources())
        if found is not None:
            audited().may_open(
                found,
                holder(),
                "chosen for a second look",
                what="viewed the record for a second look",
            )
        return render_template(
            "second_look.html",
            one=one,
            asked=reference,
            count=count,
            typed=typed,
            refusals=refusals,
            decision=reviewing.policy.name(one.decided.decision) if one else "",
            **_about(),
            **({} if found is None else call_pages.shown(found)),
        )

    def _form_alone(reference: str, typed: dict[str, str], *, second_look: bool = False) -> str:
        """Give back what was typed while nothing else can be shown."""
        return render_template(
            "review_again.html",
            reference=reference,
            typed=typed,
            refusals={"state": AWAY},
            second_look=second_look,
            **_about(),
        )

    def _about() -> dict[str, object]:
        return {"review": reviewing.policy, "masked": True, "longest": LONGEST_SAID}

    return pages


def _next(listed: Queue, others: dict[str, str], page: int) -> Queued | None:
    """Return the call best looked at next: one that nobody else has before them, if there is."""
    free = [one for one in listed.shown if one.incident.reference not in others]
    return next(iter([*(free if page == 1 else ()), *listed.shown]), None)


def _sources() -> tuple[Watch, Store]:
    kept = current_app.extensions
    return kept["quietline_watch"], kept["quietline_store"]


def _look_now() -> None:
    watch: Watch = current_app.extensions["quietline_watch"]
    watch.look_now()
