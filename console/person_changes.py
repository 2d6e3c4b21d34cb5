"""What of a person is added and ended from their page, each by one form: numbers and addresses.

A refusal stands on the page beside its field, with what was typed. Nothing is deleted.
"""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from console.guard import doors, for_right, holder
from console.person_page import PersonPages, Work, sentence, typed_of
from incidents.told_facts import contact_of
from incidents.working import Unfit


def add_changes(pages: Blueprint, work: Work, shown: PersonPages) -> None:
    """Add the routes to the blueprint of the pages about people."""

    @pages.post("/people/<id_>/numbers")
    @for_right("people")
    def add_number(id_: str) -> ResponseReturnValue:
        """Add a number."""
        typed = typed_of("number", "number_safe", "safe_hours")

        def act() -> None:
            contact = contact_of(typed.__getitem__)
            by, now = holder().name, doors().clock()
            work.numbers.add(id_, typed["number"], contact, by=by, now=now)

        return shown.change(id_, act, "number", typed)

    @pages.post("/people/<id_>/numbers/<place>/safe")
    @for_right("people")
    def say_safe(id_: str, place: str) -> ResponseReturnValue:
        """Say whether and when a number may be called."""
        told = typed_of("number_safe", "safe_hours")

        def act() -> None:
            try:
                contact = contact_of(told.__getitem__)
            except Unfit as unfit:  # beside this number, not beside the form for another
                raise Unfit(f"hours-{place}", sentence(unfit)) from None
            work.numbers.say(id_, place, contact, by=holder().name, now=doors().clock())

        return shown.change(id_, act, "changed", {f"hours-{place}": told["safe_hours"]})

    @pages.post("/people/<id_>/numbers/<place>/end")
    @for_right("people")
    def end_number(id_: str, place: str) -> ResponseReturnValue:
        """End a number."""

        def act() -> None:
            work.numbers.end(id_, place, by=holder().name, now=doors().clock())

        return shown.change(id_, act, "ended", {})

    @pages.post("/people/<id_>/addresses")
    @for_right("people")
    def add_address(id_: str) -> ResponseReturnValue:
        """Add an address."""
        typed = typed_of("address")

        def act() -> None:
            work.addresses.add(id_, typed["address"], by=holder().name, now=doors().clock())

        return shown.change(id_, act, "address", typed)

    @pages.post("/people/<id_>/addresses/<place>/end")
    @for_right("people")
    def end_address(id_: str, place: str) -> ResponseReturnValue:
        """End an address."""

        def act() -> None:
            work.addresses.end(id_, place, by=holder().name, now=doors().clock())

        return shown.change(id_, act, "address_ended", {})
