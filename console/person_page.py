"""The page of one person, as whoever may see it now sees it: what every view about them shows.

Whoever has no work with the person is asked why first (``console.audited``). It changes
nothing: the views that do come back to it, with what was typed when they are refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from flask import abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console import words
from console.audited import LONGEST_REASON, audited
from console.guard import doors, holder
from console.opening import way_back
from incidents.addresses import Addresses
from incidents.audit import Audit
from incidents.lowering import Lowering
from incidents.merging import Merges
from incidents.person_changes import PersonChanges
from incidents.person_files import PersonFile, PersonFiles
from incidents.person_lists import PersonLists
from incidents.person_numbers import PersonNumbers
from incidents.persons import NoSuchPerson, Persons
from incidents.sealed import Keys
from incidents.searching_people import PeopleSearch
from incidents.store import Store
from incidents.transactions import StoreUnavailable
from incidents.working import Conflict, Unfit

EXTENSION: Final = "quietline_person_pages"
REFUSED: Final = 422
AWAY: Final = "The store cannot be reached: nothing is saved. What you typed stays here."
DONE: Final[dict[str, str]] = {
    "added": "The person was added. Add a number next, so that their calls are recognised.",
    "changed": "The change was saved.",
    "merged": "They are one person from now on, shown under this name.",
    "parted": "They are two people again, each with what was theirs.",
    "known": "The person was added, with their number: calls from it name them from now on.",
    "address": "The address was added.",
    "address_ended": "The address was ended. It makes nobody a household any more.",
    "number": "The number was added: calls from it name this person from now on.",
    "ended": "The number was ended. It no longer names this person.",
    "repeat": "Known as a repeat victim from now on.",
    "no_repeat": "No longer known as a repeat victim.",
}
"""What the page says after a change, by the ``done`` of its address. Sections add their own."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page that another module brings.

    ``template`` is included with what ``show`` gives of a file at a moment. ``done``: sentences for
    the ``done`` of the address after a change.
    """

    template: str
    show: Callable[[PersonFile, datetime], Mapping[str, object]]
    done: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Work:
    """What the pages about people work with."""

    persons: Persons
    changes: PersonChanges
    numbers: PersonNumbers
    addresses: Addresses
    merges: Merges
    files: PersonFiles
    lists: PersonLists
    search: PeopleSearch

    @classmethod
    def over(cls, store: Store, keys: Keys, audit: Audit, lowering: Lowering) -> Work:
        """Make it over one store. ``lowering``: who may have a marker match fewer calls."""
        return cls(
            Persons(store, keys, audit),
            PersonChanges(store, keys, audit),
            PersonNumbers(store, keys, audit, lowering),
            Addresses(store, keys, audit, lowering),
            Merges(store, keys, audit, lowering),
            PersonFiles(store, keys),
            PersonLists(store, keys),
            PeopleSearch(store, keys),
        )


class PersonPages:
    """Shows people. ``sections`` stand on the page in their order, below the facts."""

    def __init__(self, work: Work, sections: Sequence[Section]) -> None:
        self._work = work
        self._sections = tuple(sections)

    def may_open(self, person: str, what: str = "viewed a person", reason: str = "") -> bool:
        """Say whether the person may be seen now, and log the look if so. 404 when nobody is."""
        today = doors().clock().astimezone(words.LOCAL).date()
        try:
            own = self._work.files.own_work(person, holder().name, today)
            first = self._work.persons.one(person).id  # a reason for one row is one for all
        except NoSuchPerson:
            abort(404)
        return audited().may_open_person(first, holder(), reason, own=own, what=what)

    def file(self, person: str) -> PersonFile:
        """Return what is known of a person, for a page that has asked whether it may be seen."""
        return self._work.files.one(person)

    def show(
        self,
        person: str,
        typed: Mapping[str, str] | None = None,
        refusals: Mapping[str, str] | None = None,
        status: int = 200,
    ) -> ResponseReturnValue:
        """Show a person, or ask why; with what was typed and refused on the page, if anything."""
        if not self.may_open(person):
            return ask_why(person), REFUSED if refusals else 200
        now = doors().clock()
        file = self._work.files.one(person)
        if file.person.id != person:
            return redirect(url_for("persons.one", id_=file.person.id), 303)
        look_at_household(file)
        shown: dict[str, object] = {}
        done = dict(DONE)
        for section in self._sections:
            shown |= section.show(file, now)
            done |= section.done
        page = render_template(
            "person.html",
            **shown,
            file=file,
            grades=current_app.extensions["quietline_desk"].rules.grades,
            person=file.person,
            changes=self._work.changes.of(file.person.id),
            labels=LABELS,
            merges=self._work.merges.of(file.person.id),
            sections=[one.template for one in self._sections],
            typed=typed or {},
            refusals=refusals or {},
            done=done.get(request.args.get("done", ""), ""),
        )
        return page, status

    def change(
        self, person: str, act: Callable[[], object], done: str, typed: Mapping[str, str]
    ) -> ResponseReturnValue:
        """Change something of a person who may be seen; then show them, or what was refused.

        The refusal of a field stands beside it, and what was typed with it.
        """
        if not self.may_open(person, "went to change a person"):
            return ask_why(person), REFUSED
        try:
            act()
        except NoSuchPerson:
            abort(404)
        except Unfit as unfit:
            return self.show(person, typed, {unfit.field: sentence(unfit)}, REFUSED)
        except Conflict as conflict:
            return self.show(person, typed, {"state": str(conflict)}, 409)
        except StoreUnavailable:
            return self.show(person, typed, {"state": AWAY}, 503)
        return back_to(person, done)


def person_pages() -> PersonPages:
    """Return the app's."""
    found: PersonPages = current_app.extensions[EXTENSION]
    return found


def look_at_household(file: PersonFile) -> None:
    """Log that the others at a person's addresses were seen by name."""
    for mate in sorted({one.person for home in file.addresses for one in home.household}):
        audited().looked(holder(), "saw who lives at an address", mate)


def back_to(person: str, done: str) -> ResponseReturnValue:
    """Lead back to a person's page, which then says what was done."""
    return redirect(url_for("persons.one", id_=person, done=done), 303)


def ask_why(person: str, typed: str = "", refusal: str = "") -> str:
    """Write the form that asks why a person is opened. It shows nothing of them."""
    return render_template(
        "person_why.html",
        id_=person,
        typed=typed,
        refusal=refusal,
        longest=LONGEST_REASON,
        back=way_back(),
    )


def sentence(unfit: Unfit) -> str:
    """Word a refusal for a page: without the name the field has in a file, as a sentence."""
    text = str(unfit)
    name, colon, rest = text.partition(": ")
    if not colon or name != unfit.field:
        return text
    return f"{LABELS.get(name, name)}: {rest.rstrip('.')}."


LABELS: Final = {
    "name": "Name",
    "born": "Date of birth",
    "children": "Children",
    "code_word": "Code word",
    "key_pattern": "Agreed keys",
    "marac": "MARAC",
    "orders": "Orders and bail",
    "language": "Language",
    "safe_words": "Safe words",
    "never_call": "Never call",
    "notes": "Notes",
    "number": "Number",
    "address": "Address",
    "number_safe": "May it be called",
    "safe_hours": "Safe hours",
}
"""What the fields of a person are called on a page."""


def typed_of(*fields: str) -> dict[str, str]:
    """Return what a form holds for each field, trimmed."""
    return {name: request.form.get(name, "").strip() for name in fields}
