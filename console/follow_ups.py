"""Follow-ups on the console: my day, everybody's overdue, making one, changing and closing it.

What was typed is kept when it is refused. The follow-ups of a closed call are opened as the
call itself is: with a reason, unless it is one's own work. Nothing here reaches a caller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console import words
from console.audited import audited
from console.guard import doors, for_right, holder
from console.opening import ask_why
from console.people import people
from console.person_page import ask_why as ask_why_of_person
from console.person_page import person_pages
from console.record import record
from console.watch import Watch
from incidents.callbacks import CallBacks
from incidents.follow_up_kinds import FollowUp, Move
from incidents.follow_ups import LONGEST_TEXT, FollowUps, NoSuchFollowUp
from incidents.known import known
from incidents.persons import NoSuchPerson
from incidents.store import NoSuchIncident, Store
from incidents.transactions import StoreUnavailable
from incidents.working import Conflict, Unfit

EXTENSION: Final = "quietline_follow_ups"
REFUSED: Final = 422
AWAY: Final = "The store cannot be reached: nothing is saved. What you typed stays here."
Act = Callable[[str, str, datetime], None]
"""(id, by, now) → done. Raises ``Conflict``, ``Unfit`` and ``StoreUnavailable``."""


def local_moment(typed: str) -> datetime:
    """Read a local date and time as a form sends it (``2026-12-23T17:00``), as UTC.

    Raises ``Unfit`` for the field ``due``.
    """
    try:
        moment = datetime.fromisoformat(typed)
    except ValueError:
        raise Unfit("due", "Give a date and a time, such as 2026-12-23 17:00.") from None
    if moment.tzinfo is not None:
        raise Unfit("due", "Give local time, without a zone.")
    try:
        return moment.replace(tzinfo=words.LOCAL).astimezone(UTC)
    except OverflowError:
        raise Unfit("due", "Give a date of these years.") from None


def for_form(at: datetime) -> str:
    """Return a moment as the form's field for date and time holds it, in local time."""
    return at.astimezone(words.LOCAL).strftime("%Y-%m-%dT%H:%M")


def local(at: datetime) -> str:
    """Return a local day and time of day with the zone: ``23 Dec 2026, 17:00 GMT``."""
    return f"{words.day(at)}, {at.astimezone(words.LOCAL):%H:%M} {words.zone(at)}"


def told_move(move: Move) -> str:
    """Tell a change of owner or time in a line."""
    came, went = move.came, move.went
    if move.what == "time":
        came, went = (local(datetime.fromisoformat(one)) for one in (came, went))
    at = local(datetime.fromisoformat(move.at))
    return f"{at}: {move.by} changed the {move.what} from {came} to {went}"


def blueprint(follow_ups: FollowUps, callbacks: CallBacks) -> Blueprint:
    """Make the blueprint of the pages about follow-ups; a call-back without a result is due."""
    pages = Blueprint("follow_ups", __name__)
    pages.record_once(lambda state: state.app.extensions.update({EXTENSION: follow_ups}))

    @pages.get("/my-day")
    @for_right("people")
    def my_day() -> ResponseReturnValue:
        """Show what I have open: late, due today, later."""
        now = doors().clock()
        listed = follow_ups.of_owner(holder().name)
        names = follow_ups.names(listed.shown)
        calling = callbacks.open_of(holder().name)
        audited().looked(holder(), "opened the own day", "follow-ups")
        return render_template(
            "my_day.html",
            parts=_parts(listed.shown, now),
            listed=listed,
            names=names,
            calling=calling,
        )

    @pages.get("/overdue")
    @for_right("supervise")
    def overdue() -> ResponseReturnValue:
        """Show what nobody owns, and everybody's whose time has passed, the longest first."""
        listed, unowned = follow_ups.overdue(doors().clock()), follow_ups.nobodys()
        names = follow_ups.names([*listed.shown, *unowned.shown])
        audited().looked(holder(), "opened the overdue follow-ups", "follow-ups")
        return render_template("overdue.html", listed=listed, unowned=unowned, names=names)

    @pages.get("/incidents/<reference>/follow-ups")
    @for_right("people")
    def of_call(reference: str) -> ResponseReturnValue:
        """Show the follow-ups of a call, with the form for another."""
        typed = {"owner": holder().name}
        return _call_page(reference, typed, {})

    @pages.post("/incidents/<reference>/follow-ups")
    @for_right("people")
    def make(reference: str) -> ResponseReturnValue:
        """Make one for a call."""
        typed = _typed("kind", "text", "owner", "due", "person")
        if not _may_open(reference):
            return ask_why(reference), REFUSED
        try:
            made = follow_ups.make(
                typed["kind"],
                typed["text"],
                owner=typed["owner"],
                due_at=local_moment(typed["due"]) if typed["due"] else None,
                by=holder().name,
                now=doors().clock(),
                reference=reference,
                person=typed["person"] or None,
            )
        except (NoSuchIncident, NoSuchPerson):
            abort(404)
        except StoreUnavailable:
            return _call_page(reference, typed, {"state": AWAY}), 503
        except Unfit as unfit:
            return _call_page(reference, typed, {unfit.field: str(unfit)}), REFUSED
        _look_now()
        return redirect(url_for("follow_ups.one", id_=made), 303)

    @pages.get("/follow-ups/<id_>")
    @for_right("people")
    def one(id_: str) -> ResponseReturnValue:
        """Show one, with what can be done."""
        found = _found(id_)
        asked = _ask_first(found)
        return _page(found, {}, {}, 200) if asked is None else asked

    @pages.post("/follow-ups/<id_>/close")
    @for_right("people")
    def close(id_: str) -> ResponseReturnValue:
        """Close it with its outcome."""
        typed = _typed("outcome", "said")

        def act(id_: str, by: str, now: datetime) -> None:
            follow_ups.close(id_, typed["outcome"], typed["said"], by=by, now=now)

        return _change(id_, typed, act)

    @pages.post("/follow-ups/<id_>/owner")
    @for_right("people")
    def pass_on(id_: str) -> ResponseReturnValue:
        """Give it to somebody else."""
        typed = _typed("owner", "reason")

        def act(id_: str, by: str, now: datetime) -> None:
            follow_ups.pass_on(id_, typed["owner"], typed["reason"], by=by, now=now)

        return _change(id_, typed, act, {"reason": "owner-reason"})

    @pages.post("/follow-ups/<id_>/due")
    @for_right("people")
    def put_off(id_: str) -> ResponseReturnValue:
        """Give it another time."""
        typed = _typed("due", "reason")

        def act(id_: str, by: str, now: datetime) -> None:
            due = local_moment(typed["due"])
            follow_ups.put_off(id_, due, typed["reason"], by=by, now=now)

        return _change(id_, typed, act, {"reason": "due-reason"})

    def _change(
        id_: str, typed: Mapping[str, str], act: Act, named: Mapping[str, str] | None = None
    ) -> ResponseReturnValue:
        """Do it; refused, show the page with what was typed. ``named``: its fields there."""
        found, fields = _found(id_), named or {}
        if (asked := _ask_first(found)) is not None:
            return asked, REFUSED
        shown = {fields.get(name, name): text for name, text in typed.items()}
        try:
            act(id_, holder().name, doors().clock())
        except Unfit as unfit:
            field = fields.get(unfit.field, unfit.field)
            return _page(found, shown, {field: str(unfit)}, REFUSED)
        except Conflict as conflict:
            return _page(_found(id_), shown, {"state": str(conflict)}, 409)
        except StoreUnavailable:
            return _page(found, shown, {"state": AWAY}, 503)
        _look_now()
        return redirect(url_for("follow_ups.one", id_=id_), 303)

    def _found(id_: str) -> FollowUp:
        try:
            return follow_ups.one(id_)
        except NoSuchFollowUp:
            abort(404)

    def _page(
        found: FollowUp, typed: Mapping[str, str], refusals: Mapping[str, str], status: int
    ) -> ResponseReturnValue:
        try:
            owners = follow_ups.owners()
        except StoreUnavailable:
            owners = [found.owner] if found.owner else []
        page = render_template(
            "follow_up.html",
            one=found,
            names=follow_ups.names([found]),
            kind=follow_ups.kinds.get(found.kind),
            owners=owners,
            typed={"due": for_form(found.due_at), **typed},
            refusals=refusals,
            longest=LONGEST_TEXT,
        )
        return page, status

    def _call_page(reference: str, typed: Mapping[str, str], refusals: Mapping[str, str]) -> str:
        if not _may_open(reference):
            return ask_why(reference)
        made: Sequence[FollowUp] | None
        try:
            made, owners = follow_ups.of_call(reference), follow_ups.owners()
            persons = _persons(reference)
        except NoSuchIncident:
            abort(404)
        except StoreUnavailable:
            made, owners, persons = None, [holder().name], {}
        return render_template(
            "follow_ups.html",
            reference=reference,
            made=made,
            owners=owners,
            persons=persons,
            typed={"person": next(iter(persons)) if len(persons) == 1 else "", **typed},
            refusals=refusals,
            longest=LONGEST_TEXT,
        )

    @pages.app_context_processor
    def furnish() -> dict[str, object]:
        return {"follow_up_kinds": follow_ups.kinds, "told_move": told_move, "local": local}

    return pages


def _may_open(reference: str, what: str = "viewed the follow-ups") -> bool:
    """Say whether the call may be opened now, as on its own page, and log the look if so."""
    kept = current_app.extensions
    found = record(reference, kept["quietline_watch"], kept["quietline_store"])
    if found is None:
        abort(404)
    return audited().may_open(found, holder(), what=what)


def _persons(reference: str) -> dict[str, str]:
    """Return the names of those who may be calling, by their ids; each is logged as a look."""
    store: Store = current_app.extensions["quietline_store"]
    incident = store.incident(reference)
    there = known(store, people().keys, incident) if incident else ()
    for one in there:
        if not audited().seen_lately(holder(), one.person.id):
            audited().looked(holder(), "saw who may be calling", one.person.id)
    return {one.person.id: one.person.name for one in there}


def _ask_first(found: FollowUp) -> str | None:
    """Return the form that asks why one is opened, or None when it may be; then log the look.

    One's own is what one owns or made. Of others a call that is not closed opens freely; a closed
    one, or a person without a call, as on their own pages.
    """
    what = "viewed a follow-up"
    if holder().name not in (found.owner, found.created_by):
        if found.reference:
            return None if _may_open(found.reference, what) else ask_why(found.reference)
        if found.person_id:
            opens = person_pages().may_open(found.person_id, what)
            return None if opens else ask_why_of_person(found.person_id)
    audited().looked(holder(), what, found.reference or found.id)
    return None


def _typed(*fields: str) -> dict[str, str]:
    return {name: request.form.get(name, "") for name in fields}


def _parts(shown: tuple[FollowUp, ...], now: datetime) -> list[tuple[str, list[FollowUp]]]:
    """Part open follow-ups by when they are due, by the local day."""
    today = now.astimezone(words.LOCAL).date()
    late = [one for one in shown if one.late(now)]
    rest = [one for one in shown if not one.late(now)]
    is_today = {one.id: one.due_at.astimezone(words.LOCAL).date() == today for one in rest}
    return [
        ("Overdue", late),
        ("Due today", [one for one in rest if is_today[one.id]]),
        ("Later", [one for one in rest if not is_today[one.id]]),
    ]


def _look_now() -> None:
    watch: Watch = current_app.extensions["quietline_watch"]
    watch.look_now()
