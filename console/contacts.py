"""The pages of points of contact: who lacks a SPOC, what each officer carries, absences, hand-over.

Names of people stand here, so every look is logged. What was typed is kept when it is
refused. Nobody is called, written to or chosen from here: a supervisor appoints.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console.audited import audited
from console.guard import MayNot, doors, for_right, holder
from console.person_page import Section, ask_why, person_pages, typed_of
from incidents.absences import Absences, NoSuchAbsence
from incidents.audit import Audit
from incidents.contact_lists import ContactLists, Load
from incidents.contacts import LONGEST_REASON, Contacts
from incidents.local import local_day
from incidents.persons import NoSuchPerson, Persons
from incidents.roles import Roles
from incidents.sealed import Keys
from incidents.standing import Standing
from incidents.store import Store
from incidents.transactions import StoreUnavailable
from incidents.working import Conflict, Unfit

REFUSED: Final = 422
DONE: Final = {
    "assigned": "Saved. It stands from today on.",
    "planned": "Saved. Until that day it stays as it is now.",
    "taken_back": "Taken back. Who stands here now stays.",
    "ended": "Nobody is this person's point of contact any more.",
    "absent": "The absence is entered.",
    "back": "The absence is over from today on.",
}
"""What a page says after a change, by the ``done`` of its address."""
FAULTS: Final = {
    "no_spoc": "no SPOC",
    "spoc_left": "the SPOC has left",
    "two_spocs": "two SPOCs, after a merge",
    "nobody_acts": "nobody acts today",
    "no_deputy": "no deputy",
}

SECTION: Final = Section("_contact_of_person.html", lambda _file, _now: {})
"""The part of a person's page about who stands for them."""


@dataclass(frozen=True, slots=True)
class Work:
    """What the pages work with."""

    contacts: Contacts
    absences: Absences
    lists: ContactLists
    persons: Persons


def work(store: Store, keys: Keys, audit: Audit, roles: Roles) -> Work:
    """Put together what the pages work with."""
    return Work(
        Contacts(store, keys, audit, roles),
        Absences(store, audit, roles),
        ContactLists(store, keys, roles),
        Persons(store, keys, audit),
    )


def blueprint(work: Work) -> Blueprint:
    """Make the blueprint."""
    pages = Blueprint("contacts", __name__)

    def overview(typed: dict[str, str], faults: dict[str, str], status: int) -> ResponseReturnValue:
        now, day = doors().clock(), today()
        supervises, officer = holder().may("supervise"), holder().may("contact")
        audited().looked(holder(), "opened the points of contact", "contacts")
        page = render_template(
            "contacts.html",
            to_mend=work.lists.to_mend(day) if supervises else None,
            mine=work.lists.people_of(holder().name, day) if officer else None,
            mine_later=work.lists.coming_to(holder().name, day) if officer else (),
            load=work.lists.load(day, now),
            absences=work.absences.coming(day),
            officers=work.contacts.officers(),
            today=day,
            faults=FAULTS,
            typed={"officer": holder().name, **typed},
            refusals=faults,
            done=DONE.get(request.args.get("done", ""), ""),
        )
        return page, status

    def person_page(
        person: str, typed: dict[str, str], faults: dict[str, str], status: int
    ) -> ResponseReturnValue:
        try:
            found = work.persons.one(person)
            stands = work.contacts.standing(person, today())
            coming = work.contacts.coming(person, today())
            history = work.contacts.history(person)
        except NoSuchPerson:
            abort(404)
        audited().looked(holder(), "viewed a point of contact", found.id)
        first = {
            part: places[0].officer.name if places else ""
            for part, places in (("spoc", stands.spocs), ("deputy", stands.deputies))
        }
        page = render_template(
            "contact.html",
            person=found,
            stands=stands,
            coming=coming,
            today=today(),
            history=history,
            load=work.lists.load(today(), doors().clock()),
            typed={**first, "starts": today().isoformat(), **typed},
            refusals=faults,
            longest=LONGEST_REASON,
            done=DONE.get(request.args.get("done", ""), ""),
        )
        return page, status

    @pages.get("/contacts")
    @for_right("people")
    def everything() -> ResponseReturnValue:
        """Show what is to be mended, one's own people, the load and the absences."""
        return overview({}, {}, 200)

    @pages.get("/contacts/people/<id_>")
    @for_right("people")
    def one(id_: str) -> ResponseReturnValue:
        """Show who stands for one person, and who did.

        A supervisor mends what is wrong with it for anybody; others open a person by their work.
        """
        if not holder().may("supervise") and not person_pages().may_open(id_):
            return ask_why(id_)
        return person_page(id_, {}, {}, 200)

    @pages.post("/contacts/people/<id_>")
    @for_right("supervise")
    def assign(id_: str) -> ResponseReturnValue:
        """Appoint SPOC and deputy, or hand over."""
        typed = typed_of("spoc", "deputy", "reason", "seen", "starts")
        try:
            starts = _day("starts", typed["starts"]) if typed["starts"] else today()
            work.contacts.assign(
                id_,
                typed["spoc"],
                typed["deputy"],
                typed["reason"],
                by=holder().name,
                now=doors().clock(),
                day=today(),
                starts=starts,
                seen=typed["seen"].split(),
            )
        except NoSuchPerson:
            abort(404)
        except Unfit as unfit:
            return person_page(id_, typed, {unfit.field: str(unfit)}, REFUSED)
        except Conflict as conflict:
            return person_page(id_, typed, {"stands": str(conflict)}, 409)
        done = "planned" if starts > today() else "assigned"
        return redirect(url_for("contacts.one", id_=id_, done=done), 303)

    @pages.post("/contacts/people/<id_>/take-back")
    @for_right("supervise")
    def take_back(id_: str) -> ResponseReturnValue:
        """Take a planned hand-over back."""
        typed = typed_of("reason")
        shown = {"back-reason": typed["reason"]}
        by, now = holder().name, doors().clock()
        try:
            work.contacts.take_back(id_, typed["reason"], by=by, now=now, day=today())
        except NoSuchPerson:
            abort(404)
        except Unfit as unfit:
            return person_page(id_, shown, {"back-reason": str(unfit)}, REFUSED)
        except Conflict as conflict:
            return person_page(id_, shown, {"stands": str(conflict)}, 409)
        return redirect(url_for("contacts.one", id_=id_, done="taken_back"), 303)

    @pages.post("/contacts/people/<id_>/end")
    @for_right("supervise")
    def end(id_: str) -> ResponseReturnValue:
        """Leave the person without a point of contact."""
        typed = typed_of("reason", "seen")
        shown = {"end-reason": typed["reason"]}
        try:
            work.contacts.end(
                id_,
                typed["reason"],
                by=holder().name,
                now=doors().clock(),
                day=today(),
                seen=typed["seen"].split(),
            )
        except NoSuchPerson:
            abort(404)
        except Unfit as unfit:
            return person_page(id_, shown, {"end-reason": str(unfit)}, REFUSED)
        except Conflict as conflict:
            return person_page(id_, shown, {"stands": str(conflict)}, 409)
        return redirect(url_for("contacts.one", id_=id_, done="ended"), 303)

    @pages.post("/contacts/absences")
    @for_right("contact")
    def enter() -> ResponseReturnValue:
        """Enter an absence: one's own, or for a supervisor anybody's."""
        typed = typed_of("officer", "from_day", "to_day", "cover")
        name = typed["officer"] if holder().may("supervise") else holder().name
        try:
            first, last = _days(typed)
            work.absences.enter(
                name,
                first,
                last,
                typed["cover"],
                by=holder().name,
                now=doors().clock(),
                day=today(),
            )
        except _Wrong as wrong:
            return overview(typed, wrong.faults, REFUSED)
        except Unfit as unfit:
            return overview(typed, {unfit.field: str(unfit)}, REFUSED)
        return redirect(url_for("contacts.everything", done="absent"), 303)

    @pages.post("/contacts/absences/<id_>/end")
    @for_right("contact")
    def back(id_: str) -> ResponseReturnValue:
        """End an absence: one's own, or for a supervisor anybody's."""
        try:
            if work.absences.one(id_).officer != holder().name and not holder().may("supervise"):
                raise MayNot("supervise")
            work.absences.end(id_, by=holder().name, now=doors().clock(), day=today())
        except NoSuchAbsence:
            abort(404)
        except Conflict as conflict:
            return overview({}, {"absences": str(conflict)}, 409)
        return redirect(url_for("contacts.everything", done="back"), 303)

    def standing_of(person: str) -> Standing | None:
        """Return who stands for a person today; None: it cannot be read now."""
        try:
            return work.contacts.standing(person, today())
        except (StoreUnavailable, NoSuchPerson):
            return None

    def coming_of(person: str) -> tuple[Standing, ...]:
        """Return who stands for a person from each later day that changes it, as far as known."""
        try:
            return work.contacts.coming(person, today())
        except (StoreUnavailable, NoSuchPerson):
            return ()

    def carries(name: str) -> Load | None:
        """Return what a user carries, in numbers alone; None: it cannot be read now."""
        try:
            return work.lists.load_of(name, today(), doors().clock())
        except StoreUnavailable:
            return None

    @pages.app_context_processor
    def furnish() -> dict[str, object]:
        return {"standing_of": standing_of, "coming_of": coming_of, "carries": carries}

    return pages


def today() -> date:
    """Return the local day."""
    return local_day(doors().clock())


class _Wrong(Exception):
    """What was typed is no day; ``faults`` by field."""

    def __init__(self, faults: dict[str, str]) -> None:
        super().__init__("wrong")
        self.faults = faults


def _days(typed: dict[str, str]) -> tuple[date, date]:
    found, faults = [], {}
    for field in ("from_day", "to_day"):
        try:
            found.append(_day(field, typed[field]))
        except Unfit as unfit:
            faults[field] = str(unfit)
    if faults:
        raise _Wrong(faults)
    return found[0], found[1]


def _day(field: str, typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise Unfit(field, "Enter a day, such as 2026-12-23.") from None
