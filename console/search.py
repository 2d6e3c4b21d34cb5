"""The search page: a reference, a whole number, or words of what people wrote, names, addresses.

People are searched for those whose role reads about people, and for nobody else.

What somebody looks for is sent in the body of a request, so that it stands in no address
and no server's log; the audit says by what kind of thing was searched, never by which. It
shows where something was found, not what: a record opens under its own rules.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console.answers import written_out
from console.audited import audited
from console.guard import for_right, holder
from console.people import people
from console.record import record
from console.watch import Watch
from incidents.sealed import is_reference
from incidents.searching import LONGEST_TERMS, Result, Search, number_of
from incidents.searching_people import FoundPeople, PeopleSearch
from incidents.store import Store
from incidents.working import Unfit

search = Blueprint("search", __name__)

WHERE: Final = {
    "note_added": "note",
    "detail_set": "detail",
    "corrected": "correction",
    "location_added": "location",
}
"""The kinds of entry that are found by their words, as a handler names them."""

OF_PERSON: Final = {"person": "name", "address": "address", "number": "number"}
"""By what somebody was found."""


@search.get("/search")
@for_right("read")
def search_page() -> ResponseReturnValue:
    """Show the empty form."""
    return _page("")


@search.post("/search")
@for_right("read")
def search_for() -> ResponseReturnValue:
    """Go to the record whose reference was typed, or list what was found."""
    typed = request.form.get("terms", "")[: LONGEST_TERMS + 1]
    watch: Watch = current_app.extensions["quietline_watch"]
    store: Store = current_app.extensions["quietline_store"]
    reference = written_out("".join(typed.split()))
    if not is_reference(reference) and typed.strip().upper().startswith("QL-"):
        return _page(typed, "This reference has a mistake in it. Look at it again."), 422
    if is_reference(reference):
        audited().looked(holder(), "searched by reference", "search")
        if record(reference, watch, store) is not None:
            return redirect(url_for("pages.incident", reference=reference), 303)
        return _page(typed, "There is no incident with this reference."), 404
    found = Search(store, people().keys)
    try:
        number = number_of(typed)
        by = "words" if number is None else "number"
        result = found.words(typed) if number is None else found.number(number)
        named = _people(store, typed, number) if holder().may("people") else None
    except Unfit as unfit:
        return _page(typed, str(unfit)), 422
    audited().looked(holder(), f"searched by {by}", "search")
    if named is not None:
        audited().looked(holder(), f"searched people by {by}", "people")
    return _page(typed, by=by, result=result, named=named)


def _people(store: Store, typed: str, number: str | None) -> FoundPeople:
    found = PeopleSearch(store, people().keys)
    return found.words(typed) if number is None else found.number(number)


def _page(
    typed: str,
    refusal: str = "",
    *,
    by: str = "",
    result: Result | None = None,
    named: FoundPeople | None = None,
) -> str:
    return render_template(
        "search.html",
        typed=typed,
        refusals={"terms": refusal} if refusal else {},
        by=by,
        result=result,
        named=named,
        longest=LONGEST_TERMS,
        where=WHERE,
        of_person=OF_PERSON,
    )
