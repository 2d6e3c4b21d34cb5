"""The JSON API's reading of one person, under the rules of their page: right, reason, look.

It lists nobody and finds nobody by name: a program reads whom a call or a person gave it.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, request

from console import words
from console.answers import PREFIX, as_read, for_api, refusal, word_refusals
from console.audited import PERSON_REASON, audited
from console.guard import authorised_by, doors, holder
from console.person_page import look_at_household
from incidents.contacts import Contacts
from incidents.fold import as_text
from incidents.person_files import Earlier, PersonFile, PersonFiles
from incidents.persons import NoSuchPerson
from incidents.standing import Standing


def blueprint(files: PersonFiles, contacts: Contacts) -> Blueprint:
    """Make the blueprint. The app it joins has ``console.guard``'s doors."""
    api = Blueprint("people_api", __name__, url_prefix=f"{PREFIX}/people")

    @api.get("/<id_>", provide_automatic_options=False)
    @authorised_by(for_api("people"))
    def person(id_: str) -> Response:
        """Give one person's file; of somebody who is not one's own work, with a reason only."""
        today = doors().clock().astimezone(words.LOCAL).date()
        try:
            file = files.one(id_)
            own = files.own_work(id_, holder().name, today)
        except NoSuchPerson:
            return refusal(404, "There is no person with this id.")
        reason = request.headers.get("X-Reason", "")
        record = file.person.id
        if not audited().may_open_person(record, holder(), reason, own=own, what="viewed a person"):
            return refusal(403, PERSON_REASON)
        look_at_household(file)
        return as_read({**as_json(file), "contact": _contact(contacts.standing(record, today))})

    word_refusals(api)
    return api


def as_json(file: PersonFile) -> dict[str, Any]:
    """Return a file as the API tells it."""
    person, facts = file.person, file.person.facts
    return {
        "id": person.id,
        "ids": list(file.ids),
        "name": person.name,
        "repeat_at": as_text(person.repeat_at),
        "created_at": as_text(person.created_at),
        "facts": {
            **asdict(facts),
            "born": facts.born.isoformat() if facts.born else None,
            "marac": [day.isoformat() for day in facts.marac],
        },
        "numbers": [
            {
                "id": one.id,
                "number": one.number,
                "safe": one.contact.safe,
                "hours": one.contact.hours,
                "by": one.by,
                "at": as_text(one.at),
            }
            for one in file.numbers
        ],
        "addresses": [
            {
                "id": one.id,
                "address": one.text,
                "household": [{"id": mate.person, "name": mate.name} for mate in one.household],
                "by": one.by,
                "at": as_text(one.at),
            }
            for one in file.addresses
        ],
        "calls": [_call(one) for one in file.calls],
        "call_count": file.call_count,
    }


def _contact(stands: Standing) -> dict[str, Any]:
    acting = stands.acting
    return {
        "spocs": [place.officer.name for place in stands.spocs],
        "deputies": [place.officer.name for place in stands.deputies],
        "acting": acting.name if acting else None,
        "why": acting.why if acting else None,
    }


def _call(one: Earlier) -> dict[str, Any]:
    return {
        "reference": one.reference,
        "started_at": as_text(one.started_at),
        "signal": one.signal,
        "connection": one.connection,
        "state": one.state,
        "grade": one.grade,
        "outcome": one.outcome,
        "part": one.part or None,
    }
