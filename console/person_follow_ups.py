"""The part of a person's page about follow-ups: what is to be done for them, and making more.

What is made here names the person, and an operation if one is chosen: its visits are counted
there. Who may open the person is asked as for every change of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from flask import Blueprint
from flask.typing import ResponseReturnValue

from console.follow_ups import local_moment
from console.guard import doors, for_right, holder
from console.person_page import Section, person_pages, typed_of
from incidents.follow_ups import LONGEST_TEXT, FollowUps
from incidents.operations import Operations
from incidents.person_files import PersonFile
from incidents.working import Unfit

_FIELDS: Final = ("kind", "text", "owner", "due", "operation")


def section(follow_ups: FollowUps, operations: Operations) -> Section:
    """Make the part of the page."""

    def show(file: PersonFile, _now: datetime) -> Mapping[str, object]:
        made = follow_ups.of_person(file.ids)
        return {
            "follow_ups": made,
            "follow_up_names": follow_ups.names(made),
            "follow_up_owners": follow_ups.owners(),
            "open_operations": [one for one in operations.all() if one.closed_at is None],
            "longest_follow_up": LONGEST_TEXT,
        }

    done = {"follow_up": "The follow-up was made."}
    return Section("_person_follow_ups.html", show, done)


def blueprint(follow_ups: FollowUps) -> Blueprint:
    """Make the blueprint of what is done there."""
    pages = Blueprint("person_follow_ups", __name__)

    @pages.post("/people/<id_>/follow-ups")
    @for_right("people")
    def make(id_: str) -> ResponseReturnValue:
        """Make one for a person."""
        typed = typed_of(*(_on_page(name) for name in _FIELDS))
        of = {name: typed[_on_page(name)] for name in _FIELDS}

        def act() -> None:
            try:
                follow_ups.make(
                    of["kind"],
                    of["text"],
                    owner=of["owner"],
                    due_at=local_moment(of["due"]) if of["due"] else None,
                    by=holder().name,
                    now=doors().clock(),
                    person=id_,
                    operation=of["operation"] or None,
                )
            except Unfit as unfit:
                raise Unfit(_on_page(unfit.field), str(unfit)) from None

        return person_pages().change(id_, act, "follow_up", typed)

    return pages


def _on_page(field: str) -> str:
    """Return what a field is called among all the forms of a person's page."""
    return f"follow_up_{field}"
