"""The part of a person's page about their personal code: give one, shown once, or take it back.

The code stands in the answer to that one request and in no address, log or record; the store
keeps its keyed hash. Nothing is sent to the person: an officer tells them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from console.guard import doors, for_right, holder
from console.person_page import AWAY, REFUSED, Section, ask_why, person_pages
from incidents.codes import Codes
from incidents.person_files import PersonFile
from incidents.persons import NoSuchPerson
from incidents.transactions import StoreUnavailable


def section(codes: Codes) -> Section:
    """Make the part of the page."""

    def show(file: PersonFile, _now: datetime) -> Mapping[str, object]:
        return {"has_code": codes.has_one(file.person.id)}

    done = {"no_code": "The code counts no more, within a few seconds."}
    return Section("_person_code.html", show, done)


def blueprint(codes: Codes) -> Blueprint:
    """Make the blueprint of what is done there."""
    pages = Blueprint("person_codes", __name__)

    @pages.post("/people/<id_>/code")
    @for_right("people")
    def give(id_: str) -> ResponseReturnValue:
        """Give a new code, and show it this once."""
        shown = person_pages()
        if not shown.may_open(id_, "went to change a person"):
            return ask_why(id_), REFUSED
        try:
            code = codes.give(id_, by=holder().name, now=doors().clock())
        except NoSuchPerson:
            abort(404)
        except StoreUnavailable:
            return shown.show(id_, {}, {"state": AWAY}, 503)
        return render_template("person_code.html", person=id_, code=code)

    @pages.post("/people/<id_>/code/end")
    @for_right("people")
    def take_back(id_: str) -> ResponseReturnValue:
        """Let the code count no more."""

        def act() -> None:
            codes.take_back(id_, by=holder().name, now=doors().clock())

        return person_pages().change(id_, act, "no_code", {})

    return pages
