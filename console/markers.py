"""The pages of markers: all that stand, those of a call's number, one with its review and its end.

A marker set from a call stands on the number the call came from. What was typed is kept when
it is refused. Every look is logged; nobody is called from here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from flask import Blueprint, abort, current_app, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from console import words
from console.audited import audited
from console.follow_ups import local
from console.guard import doors, for_right, holder
from console.opening import ask_why
from console.people import actor
from console.person_page import Section, person_pages, typed_of
from console.person_page import ask_why as why_person
from console.record import Record, record
from console.watch import Watch
from incidents.follow_ups import FollowUps
from incidents.marker_kinds import Change, Marker, Wanted
from incidents.markers import LONGEST_ACTION, LONGEST_REASON, Markers, NoSuchMarker
from incidents.person_files import PersonFile
from incidents.store import NoSuchIncident
from incidents.transactions import StoreUnavailable
from incidents.working import Conflict, Unfit

EXTENSION: Final = "quietline_markers"
REFUSED: Final = 422
FIELDS: Final = ("kind", "action", "owner", "until", "reason")
AWAY: Final = "The store cannot be reached: nothing is saved. What you typed stays here."
DAYS_A_MONTH: Final = 30
_MOMENT: Final = timedelta(seconds=1)
Typed = dict[str, str]
Faults = dict[str, str]


def last_day(until: datetime) -> date:
    """Return the local day on which a marker stands for the last time."""
    return (until - _MOMENT).astimezone(words.LOCAL).date()


def until_of(typed: str) -> datetime:
    """Read the last day of a form as the moment it is over, in UTC. Raises ``Unfit``."""
    try:
        after = date.fromisoformat(typed) + timedelta(days=1)
        return datetime.combine(after, time(), words.LOCAL).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unfit("until", "Enter a day, such as 2027-03-01.") from None


def told_change(change: Change) -> str:
    """Tell a change of a marker in a line, in local time."""
    said = f"{local(datetime.fromisoformat(change.at))}: {change.by} {change.what} it"
    if not change.until:
        return said
    day = words.calendar(last_day(datetime.fromisoformat(change.until)))
    return f"{said}, to stand until {day}, owner {change.owner}"


def blueprint(markers: Markers, follow_ups: FollowUps) -> Blueprint:
    """Make the blueprint. ``follow_ups`` knows who may own one."""
    pages = Blueprint("markers", __name__)

    @pages.record
    def keep(state: object) -> None:
        state.app.extensions[EXTENSION] = markers  # type: ignore[attr-defined]

    @pages.get("/markers")
    @for_right("people")
    def everything() -> ResponseReturnValue:
        """List what nobody ended, those that ask for a review first."""
        now = doors().clock()
        listed = markers.listed(now)
        audited().looked(holder(), "opened the list of markers", "markers")
        asks = [one.id for one in listed.shown if one.asks(now)]
        return render_template("markers.html", listed=listed, asks=asks)

    @pages.get("/incidents/<reference>/markers")
    @for_right("people")
    def of_call(reference: str) -> ResponseReturnValue:
        """Show the markers that reach a call, with the form for another on its number."""
        return _call_page(reference, _blank(), {}, 200)

    @pages.post("/incidents/<reference>/markers")
    @for_right("people")
    def set_one(reference: str) -> ResponseReturnValue:
        """Set a marker on the number of a call."""
        typed = typed_of(*FIELDS)
        if not _may_open(_found(reference)):
            return ask_why(reference), REFUSED

        def act() -> None:
            made = markers.set_on_call(
                reference, _wanted(typed), by=holder().name, now=doors().clock()
            )
            audited().looked(holder(), "viewed a marker", made)

        try:
            refused = _try(act)
        except NoSuchIncident:
            refused = {"state": "The call is not in the store yet. Try again in a moment."}, 503
        if refused:
            return _call_page(reference, typed, *refused)
        _look_now()
        return redirect(url_for("markers.of_call", reference=reference), 303)

    @pages.get("/people/<person>/markers")
    @for_right("people")
    def of_person(person: str) -> ResponseReturnValue:
        """Show the markers on a person and where they live, with the form for another."""
        return _person_page(person, _blank(), {}, 200)

    @pages.post("/people/<person>/markers")
    @for_right("people")
    def set_on_person(person: str) -> ResponseReturnValue:
        """Set a marker on a person, or on an address they have."""
        typed = typed_of(*FIELDS, "home")
        if not person_pages().may_open(person, "went to set a marker"):
            return why_person(person), REFUSED

        def act() -> None:
            markers.set_on_person(
                person,
                _wanted(typed),
                by=holder().name,
                now=doors().clock(),
                home=typed["home"],
            )

        refused = _try(act)
        if refused:
            return _person_page(person, typed, *refused)
        return redirect(url_for("markers.of_person", person=person), 303)

    @pages.get("/markers/<id_>")
    @for_right("people")
    def one(id_: str) -> ResponseReturnValue:
        """Show one, with its review and its end."""
        audited().looked(holder(), "viewed a marker", id_)
        return _page(id_, {}, {}, 200)

    @pages.post("/markers/<id_>/review")
    @for_right("people")
    def review(id_: str) -> ResponseReturnValue:
        """Say anew what is to be done, who owns it and until when."""
        typed = typed_of(*FIELDS)
        return _change(
            id_,
            typed,
            lambda: markers.review(id_, _wanted(typed), by=actor(holder()), now=doors().clock()),
        )

    @pages.post("/markers/<id_>/end")
    @for_right("people")
    def end(id_: str) -> ResponseReturnValue:
        """End it, with a reason."""
        typed = typed_of("why")
        return _change(
            id_,
            typed,
            lambda: markers.end(id_, typed["why"], by=actor(holder()), now=doors().clock()),
        )

    def _change(id_: str, typed: Typed, act: Callable[[], None]) -> ResponseReturnValue:
        try:
            refused = _try(act)
        except NoSuchMarker:
            abort(404)
        if refused:
            return _page(id_, typed, *refused)
        _look_now()
        return redirect(url_for("markers.one", id_=id_), 303)

    def _page(id_: str, typed: Typed, faults: Faults, status: int) -> ResponseReturnValue:
        try:
            found, owners = markers.one(id_), follow_ups.owners()
        except NoSuchMarker:
            abort(404)
        stood = {"action": found.action, "owner": found.owner}
        stood["until"] = last_day(found.expires_at).isoformat()
        shown = {**stood, **typed}
        page = render_template(
            "marker.html", one=found, owners=owners, typed=shown, refusals=faults, **_SIZES
        )
        return page, status

    def _call_page(
        reference: str, typed: Typed, faults: Faults, status: int
    ) -> ResponseReturnValue:
        found = _found(reference)
        if not _may_open(found):
            return ask_why(reference)
        there: tuple[Marker, ...] | None
        try:
            there, owners = markers.of_call(found.incident.call_key), follow_ups.owners()
        except StoreUnavailable:
            there, owners = None, [holder().name]
        page = render_template(
            "call_markers.html",
            incident=found.incident,
            there=there,
            owners=owners,
            typed=typed,
            refusals=faults,
            **_SIZES,
        )
        return page, status

    def _person_page(person: str, typed: Typed, faults: Faults, status: int) -> ResponseReturnValue:
        if not person_pages().may_open(person, "viewed the markers of a person"):
            return why_person(person)
        file = person_pages().file(person)
        page = render_template(
            "person_markers.html",
            person=file.person,
            homes=file.addresses,
            there=markers.of_person(person),
            owners=follow_ups.owners(),
            typed=typed,
            refusals=faults,
            **_SIZES,
        )
        return page, status

    def _blank() -> Typed:
        first = markers.kinds.all[0]
        typed = {"kind": first.id, "action": first.action, "owner": holder().name}
        return {**typed, "until": _offered(first.months)}

    @pages.app_context_processor
    def furnish() -> dict[str, object]:
        return {
            "marker_kinds": markers.kinds,
            "last_day": last_day,
            "told_change": told_change,
            "local": local,
        }

    return pages


def section(markers: Markers) -> Section:
    """Return the part of a person's page that tells of their markers."""

    def show(file: PersonFile, _: datetime) -> dict[str, object]:
        return {"person_markers": markers.of_person(file.person.id)}

    return Section("_person_markers.html", show)


_SIZES: Final = {"longest": LONGEST_ACTION, "longest_reason": LONGEST_REASON}


def of_call(call_key: str) -> tuple[Marker, ...]:
    """Return the markers that reach a call, for its page. Raises ``StoreUnavailable``."""
    markers: Markers = current_app.extensions[EXTENSION]
    return markers.of_call(call_key)


def _try(act: Callable[[], None]) -> tuple[Faults, int] | None:
    """Do it. Returns what is wrong, by field, and the status; None when it is done."""
    try:
        act()
    except Unfit as unfit:
        return {unfit.field: str(unfit)}, REFUSED
    except Conflict as conflict:
        return {"state": str(conflict)}, 409
    except StoreUnavailable:
        return {"state": AWAY}, 503
    return None


def _wanted(typed: Typed) -> Wanted:
    return Wanted(
        typed["action"], typed["owner"], until_of(typed["until"]), typed["reason"], typed["kind"]
    )


def _offered(months: int) -> str:
    today = doors().clock().astimezone(words.LOCAL).date()
    return (today + timedelta(days=months * DAYS_A_MONTH)).isoformat()


def _found(reference: str) -> Record:
    kept = current_app.extensions
    found = record(reference, kept["quietline_watch"], kept["quietline_store"])
    if found is None:
        abort(404)
    return found


def _may_open(found: Record) -> bool:
    return audited().may_open(found, holder(), what="viewed the markers")


def _look_now() -> None:
    watch: Watch = current_app.extensions["quietline_watch"]
    watch.look_now()
