"""What is added and ended from a person's page, each by one form: numbers, addresses, merges.

A refusal stands on the page beside its field, with what was typed. Nothing is deleted.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from flask import Blueprint, abort
from flask.typing import ResponseReturnValue

from console.guard import doors, for_right, holder
from console.people import actor
from console.person_page import PersonPages, Work, sentence, typed_of
from incidents.merging import NoSuchMerge
from incidents.told_facts import contact_of
from incidents.working import Actor, Unfit


class End(Protocol):
    """Ends a row of a person, with a reason where a high-risk marker would match fewer calls."""

    def __call__(
        self, person: str, row: str, reason: str, /, *, by: Actor, now: datetime
    ) -> object: ...


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
        return end(work.numbers.end, id_, place, "ended")

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
        return end(work.addresses.end, id_, place, "address_ended")

    @pages.post("/people/<id_>/merge/<place>/undo")
    @for_right("people")
    def undo(id_: str, place: str) -> ResponseReturnValue:
        """Part two people who were joined."""
        return end(work.merges.undo, id_, place, "parted")

    def end(how: End, person: str, place: str, done: str) -> ResponseReturnValue:
        """End one of many on the page; what is wrong with the reason stands beside that one."""
        typed = typed_of("why")

        def act() -> None:
            try:
                how(person, place, typed["why"], by=actor(holder()), now=doors().clock())
            except NoSuchMerge:
                abort(404)
            except Unfit as unfit:
                raise Unfit(f"why-{place}", str(unfit)) from None

        return shown.change(person, act, done, {f"why-{place}": typed["why"]})
