"""The pages about people: who is on record, adding somebody, one person and what is known of them.

Every look is logged, and opening somebody who is not one's own work asks why first. What was
typed is kept when it is refused; a name or a number stands in no address and no log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console import words
from console.audited import audited, tidy
from console.guard import doors, for_right, holder
from console.merging import add_merging
from console.opening import SHORTEST_REASON, way_back
from console.person_changes import add_changes
from console.person_page import (
    AWAY,
    EXTENSION,
    LABELS,
    REFUSED,
    PersonPages,
    Section,
    Work,
    ask_why,
    back_to,
    sentence,
    typed_of,
)
from console.search import OF_PERSON
from incidents.indexing import words_of
from incidents.persons import LONGEST_NAME, Facts, NoSuchPerson, Person
from incidents.searching import LONGEST_TERMS, number_of
from incidents.searching_people import FoundPeople
from incidents.told_facts import LONGEST_FACT, contact_of, facts_of
from incidents.transactions import StoreUnavailable
from incidents.working import Conflict, Unfit

FACTS: Final = tuple(Facts.__dataclass_fields__)
NEW: Final = ("name", "number", "number_safe", "safe_hours", "repeat")
SAFE_WORDS: Final = {"unknown": "Not known", "safe": "Safe", "never": "Never call it"}


def blueprint(work: Work, sections: Sequence[Section] = ()) -> Blueprint:
    """Make the blueprint. ``sections`` of other modules stand on a person's page."""
    pages = Blueprint("persons", __name__)
    shown = PersonPages(work, sections)
    pages.record_once(lambda state: state.app.extensions.update({EXTENSION: shown}))

    @pages.get("/people")
    @for_right("people")
    def everybody() -> ResponseReturnValue:
        """List the repeat victims, and those the reader works with."""
        return _list_page(work, {}, {}, None)

    @pages.post("/people/find")
    @for_right("people")
    def find() -> ResponseReturnValue:
        """List whoever has a number, or these words in their name or an address."""
        typed = typed_of("who")
        try:
            found = _found(work, typed["who"])
        except Unfit as unfit:
            return _list_page(work, typed, {"who": str(unfit)}, None), REFUSED
        return _list_page(work, typed, {}, found)

    @pages.get("/people/new")
    @for_right("people")
    def new() -> ResponseReturnValue:
        """Show the form for somebody new."""
        return _new_page({}, {})

    @pages.post("/people/new")
    @for_right("people")
    def add() -> ResponseReturnValue:
        """Add somebody, with a number if there is one."""
        typed = typed_of(*NEW)
        try:
            contact = contact_of(typed.__getitem__)
            made = work.numbers.add_person(
                typed["name"],
                typed["number"],
                contact,
                by=holder().name,
                now=doors().clock(),
                repeat=typed["repeat"] == "yes",
            )
        except Unfit as unfit:
            faults = {unfit.field: sentence(unfit)}
            return _new_page(typed, faults), REFUSED
        except StoreUnavailable:
            return _new_page(typed, {"state": AWAY}), 503
        return back_to(made, "known" if typed["number"] else "added")

    @pages.get("/people/<id_>")
    @for_right("people")
    def one(id_: str) -> ResponseReturnValue:
        """Show a person; of somebody who is not one's own work, ask why first."""
        return shown.show(id_)

    @pages.post("/people/<id_>/open")
    @for_right("people")
    def open_person(id_: str) -> ResponseReturnValue:
        """Keep why somebody is opened, and go there."""
        try:
            first = work.persons.one(id_).id
        except NoSuchPerson:
            abort(404)
        reason = tidy(request.form.get("reason", ""))
        if len(reason) < SHORTEST_REASON:
            say = "Say in a few words why you open this person."
            return ask_why(id_, reason, say), REFUSED
        audited().keep_reason(holder(), first, reason)
        return redirect(way_back() or url_for("persons.one", id_=first), 303)

    @pages.get("/people/<id_>/facts")
    @for_right("people")
    def facts(id_: str) -> ResponseReturnValue:
        """Show the form for name and facts."""
        if not shown.may_open(id_, "opened the facts of a person"):
            return ask_why(id_)
        own = work.changes.own(id_)
        typed = {**_written(own.person), "as_read": own.as_read}
        return _facts_page(own.person.id, typed, {}, 200)

    @pages.post("/people/<id_>/facts")
    @for_right("people")
    def change_facts(id_: str) -> ResponseReturnValue:
        """Write name and facts anew."""
        if not shown.may_open(id_, "went to change a person"):
            return ask_why(id_), REFUSED
        typed = typed_of("name", "as_read", *FACTS)
        try:
            work.changes.change(
                id_,
                typed["name"],
                facts_of(typed.__getitem__),
                typed["as_read"],
                by=holder().name,
                now=doors().clock(),
            )
        except Unfit as unfit:
            return _facts_page(id_, typed, {unfit.field: sentence(unfit)}, REFUSED)
        except Conflict as conflict:
            return _facts_page(id_, typed, {"state": str(conflict)}, 409)
        except StoreUnavailable:
            return _facts_page(id_, typed, {"state": AWAY}, 503)
        return back_to(id_, "changed")

    @pages.post("/people/<id_>/repeat")
    @for_right("people")
    def repeat(id_: str) -> ResponseReturnValue:
        """Say that a person is known as a repeat victim, or is no longer."""
        known = request.form.get("known") == "yes"

        def act() -> None:
            work.persons.repeat(id_, known, by=holder().name, now=doors().clock())

        return shown.change(id_, act, "repeat" if known else "no_repeat", {})

    add_changes(pages, work, shown)
    add_merging(pages, work, shown)

    @pages.app_context_processor
    def furnish() -> dict[str, object]:
        return {"safes": SAFE_WORDS}

    return pages


def _list_page(
    work: Work, typed: Mapping[str, str], refusals: Mapping[str, str], found: FoundPeople | None
) -> str:
    today = doors().clock().astimezone(words.LOCAL).date()
    if found is None:
        audited().looked(holder(), "opened the list of people", "people")
    return render_template(
        "people.html",
        repeat=work.lists.repeat_victims(),
        mine=work.lists.of(holder().name, today),
        found=found,
        typed=typed,
        refusals=refusals,
        longest=LONGEST_TERMS,
        of_person=OF_PERSON,
    )


def _found(work: Work, typed: str) -> FoundPeople:
    """Find by a whole number, or by words of names and addresses. Raises ``Unfit``."""
    number = number_of(typed)
    if number is None and not words_of(typed):
        raise Unfit("who", "Type a name, words of an address, or a whole number.")
    by = "words" if number is None else "number"
    found = work.search.words(typed) if number is None else work.search.number(number)
    audited().looked(holder(), f"searched people by {by}", "people")
    return found


def _new_page(typed: Mapping[str, str], refusals: Mapping[str, str]) -> str:
    return render_template("person_new.html", typed=typed, refusals=refusals)


def _facts_page(
    person: str, typed: Mapping[str, str], refusals: Mapping[str, str], status: int
) -> ResponseReturnValue:
    page = render_template(
        "person_facts.html",
        id_=person,
        typed=typed,
        refusals=refusals,
        labels=LABELS,
        longest=LONGEST_FACT,
        longest_name=LONGEST_NAME,
    )
    return page, status


def _written(person: Person) -> dict[str, str]:
    """Return a person's name and facts as the form holds them."""
    facts = person.facts
    return {
        "name": person.name,
        "born": facts.born.isoformat() if facts.born else "",
        "children": facts.children,
        "code_word": facts.code_word,
        "key_pattern": facts.key_pattern,
        "marac": "; ".join(day.isoformat() for day in facts.marac),
        "orders": facts.orders,
        "language": facts.language,
        "safe_words": facts.safe_words,
        "never_call": "yes" if facts.never_call else "",
        "notes": facts.notes,
    }
