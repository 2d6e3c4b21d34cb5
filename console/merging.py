"""Joining two people who are one, with a reason.

Who may be the same is named with what says so; the person at the console decides. Both rows
keep their own data.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from console.audited import audited
from console.guard import doors, for_right, holder
from console.person_page import (
    AWAY,
    REFUSED,
    PersonPages,
    Work,
    ask_why,
    back_to,
    sentence,
    typed_of,
)
from incidents.merging import LONGEST_REASON
from incidents.transactions import StoreUnavailable
from incidents.working import Conflict, Unfit


def add_merging(pages: Blueprint, work: Work, shown: PersonPages) -> None:
    """Add the routes to the blueprint of the pages about people."""

    @pages.get("/people/<id_>/merge")
    @for_right("people")
    def choose(id_: str) -> ResponseReturnValue:
        """Show who may be the same person, and the form to join them."""
        if not shown.may_open(id_, "looked for the same person on record"):
            return ask_why(id_)
        return page(id_, {}, {}, 200)

    @pages.post("/people/<id_>/merge")
    @for_right("people")
    def merge(id_: str) -> ResponseReturnValue:
        """Join them."""
        if not shown.may_open(id_, "went to join a person with another"):
            return ask_why(id_), REFUSED
        typed = typed_of("other", "name", "reason")
        try:
            kept = work.merges.merge(
                id_,
                typed["other"],
                typed["reason"],
                name=typed["name"],
                by=holder().name,
                now=doors().clock(),
            )
        except Unfit as unfit:
            return page(id_, typed, {unfit.field: sentence(unfit)}, REFUSED)
        except Conflict as conflict:
            return page(id_, typed, {"state": str(conflict)}, 409)
        except StoreUnavailable:
            return page(id_, typed, {"state": AWAY}, 503)
        return back_to(kept, "merged")

    def page(
        person: str, typed: Mapping[str, str], refusals: Mapping[str, str], status: int
    ) -> ResponseReturnValue:
        try:
            found, alike = work.persons.one(person), work.merges.alike(person)
        except StoreUnavailable:
            found, alike = None, ()
        for one in alike:
            audited().looked(holder(), "saw who may be the same person", one.person)
        made = render_template(
            "person_merge.html",
            id_=person,
            found=found,
            alike=alike,
            typed=typed,
            refusals=refusals,
            longest=LONGEST_REASON,
        )
        return made, status
