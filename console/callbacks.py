"""Calling a known person back: asked for, shown once more, confirmed, the script, the result.

Until the person has said who they are and that it is safe, the page that is read from holds no
name, no number and no history: an officer reads aloud what stands before them. Nothing is rung by
opening a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console.audited import audited
from console.follow_ups import local
from console.guard import doors, for_right, holder
from console.person_page import Section, ask_why, person_pages
from console.watch import Watch
from incidents.callback_checks import LONGEST_TEXT
from incidents.callback_state import ASKED, FAILED, FINISHED, CallBack, NoSuchCallBack
from incidents.callbacks import CallBacks
from incidents.person_files import PersonFile
from incidents.persons import NoSuchPerson
from incidents.sealed import is_reference
from incidents.store import NoSuchIncident
from incidents.transactions import StoreUnavailable
from incidents.working import Actor, Conflict, Unfit

REFUSED: Final = 422
AWAY: Final = "The store cannot be reached: nothing was done and nobody was rung."
ENDED: Final = {
    "completed": "The call is over.",
    "answered": "The call is over.",
    "busy": "Their phone was busy.",
    "no-answer": "Nobody answered.",
    "failed": "Their phone could not be rung.",
    "canceled": "You put the phone down before anybody answered.",
}


def told_state(found: CallBack) -> str:
    """Say where a call-back stands, in a sentence or two."""
    steps = found.sealed.steps
    if found.state == ASKED:
        return "It was not confirmed: nobody was rung."
    if found.state == FAILED:
        return f"Your phone could not be rung ({found.sealed.problem}), so nobody was."
    if found.sealed.training:
        return "Training: nobody is rung. Go through the script as if somebody had answered."
    if "callback_machine" in steps:
        return "A machine answered. The call was ended and no message was left."
    if found.dial_status:
        return ENDED.get(found.dial_status, "The call is over.")
    if steps.get("callback_not_taken", {}).get("late"):
        return "It was too late, or the hour no longer safe: theirs was not rung. Ask again."
    if "callback_not_taken" in steps:
        return "Your phone was answered without a 1: theirs was not rung."
    if "callback_answered" in steps:
        return "Somebody has picked up. Wait for a voice, then begin."
    if "callback_taken" in steps:
        return "Their phone is being rung."
    return "Your own phone is being rung. Press 1 there, and theirs rings."


def section(callbacks: CallBacks) -> Section:
    """Return the part of a person's page that tells of their call-backs."""

    def show(file: PersonFile, _: datetime) -> Mapping[str, object]:
        return {"call_backs": callbacks.of_person(file.person.id)}

    return Section("_person_call_backs.html", show)


def blueprint(callbacks: CallBacks) -> Blueprint:
    """Make the blueprint of the pages about call-backs."""
    pages = Blueprint("callbacks", __name__)

    @pages.get("/people/<person>/call-back")
    @for_right("people")
    def ask_page(person: str) -> ResponseReturnValue:
        """Show a person's numbers, and which may be called now."""
        call = _reference(request.args.get("call"))
        if not person_pages().may_open(person, "viewed a person's numbers to call back"):
            return ask_why(person)
        return _ask_page(person, {"call": call}, {}, 200)

    @pages.post("/people/<person>/call-back")
    @for_right("people")
    def ask(person: str) -> ResponseReturnValue:
        """Ask for a call-back. Nobody is rung yet."""
        if not person_pages().may_open(person, "went to call a person back"):
            return ask_why(person), REFUSED
        typed = _typed("number", "reason")
        typed["call"] = _reference(request.form.get("call"))
        try:
            made = callbacks.ask(
                person,
                typed["number"],
                typed["reason"],
                by=_me(),
                now=doors().clock(),
                reference=typed["call"] or None,
            )
        except (NoSuchPerson, NoSuchIncident):
            abort(404)
        except Unfit as unfit:
            return _ask_page(person, typed, {unfit.field: str(unfit)}, REFUSED)
        except StoreUnavailable:
            return _ask_page(person, typed, {"number": AWAY}, 503)
        _look_now()
        return redirect(url_for("callbacks.one", id_=made), 303)

    @pages.get("/call-backs/<id_>")
    @for_right("people")
    def one(id_: str) -> ResponseReturnValue:
        """Show what will happen, then the script, then how it ended."""
        found = _found(id_)
        if not _may_open(found, "viewed a call-back"):
            return ask_why(found.person_id)
        return _page(found, {}, {}, 200)

    @pages.post("/call-backs/<id_>/start")
    @for_right("people")
    def start(id_: str) -> ResponseReturnValue:
        """Confirm it: the officer's own phone rings."""
        token = request.form.get("token", "")
        return _change(
            id_,
            {},
            lambda by, now: callbacks.start(id_, token, by=by, now=now),
            {"number": "state"},
        )

    @pages.post("/call-backs/<id_>/confirmed")
    @for_right("people")
    def confirmed(id_: str) -> ResponseReturnValue:
        """Keep that the person said who they are and that it is safe."""
        typed = _typed("who", "safe")

        def act(by: Actor, now: datetime) -> None:
            callbacks.confirm(id_, who=bool(typed["who"]), safe=bool(typed["safe"]), by=by, now=now)

        return _change(id_, typed, act)

    @pages.post("/call-backs/<id_>/result")
    @for_right("people")
    def result(id_: str) -> ResponseReturnValue:
        """Finish it with a result."""
        typed = _typed("result", "said")

        def act(by: Actor, now: datetime) -> None:
            callbacks.finish(id_, typed["result"], typed["said"], by=by, now=now)

        return _change(id_, typed, act)

    def _change(
        id_: str,
        typed: Mapping[str, str],
        act: Callable[[Actor, datetime], None],
        named: Mapping[str, str] | None = None,
    ) -> ResponseReturnValue:
        """Do it; refused, show the page with what was typed. ``named``: its fields there."""
        found = _found(id_)
        if not _may_open(found, "went to change a call-back"):
            return ask_why(found.person_id), REFUSED
        try:
            act(_me(), doors().clock())
        except Unfit as unfit:
            field = (named or {}).get(unfit.field, unfit.field)
            return _page(found, typed, {field: str(unfit)}, REFUSED)
        except NoSuchPerson:
            abort(404)
        except Conflict as conflict:
            return _page(_found(id_), typed, {"state": str(conflict)}, 409)
        except StoreUnavailable:
            return _page(found, typed, {"state": AWAY}, 503)
        _look_now()
        return redirect(url_for("callbacks.one", id_=id_), 303)

    def _may_open(found: CallBack, what: str) -> bool:
        """Say whether one may be seen now, and log the look if so: another's as its person is."""
        if found.by != holder().name:
            return person_pages().may_open(found.person_id, what)
        audited().looked(holder(), what, found.reference or found.person_id)
        return True

    def _found(id_: str) -> CallBack:
        try:
            return callbacks.one(id_)
        except NoSuchCallBack:
            abort(404)

    def _page(
        found: CallBack, typed: Mapping[str, str], refusals: Mapping[str, str], status: int
    ) -> ResponseReturnValue:
        mine = found.by == holder().name
        shows_whom = found.state == ASKED or found.confirmed or found.state == FINISHED
        person, answering = callbacks.whom(found)
        page = render_template(
            "call_back_check.html" if found.state == ASKED else "call_back.html",
            one=found,
            mine=mine,
            state=told_state(found),
            person=person if shows_whom else None,
            begin=person.facts.safe_words if person else "",
            answering=answering,
            policy=callbacks.policy,
            token=found.sealed.token if mine and found.state == ASKED else "",
            typed=typed,
            refusals=refusals,
            longest=LONGEST_TEXT,
        )
        return page, status

    def _ask_page(
        person: str, typed: Mapping[str, str], refusals: Mapping[str, str], status: int
    ) -> ResponseReturnValue:
        try:
            found, numbers = callbacks.numbers(person, doors().clock())
            earlier = callbacks.of_person(person)
        except NoSuchPerson:
            abort(404)
        page = render_template(
            "call_back_ask.html",
            person=found,
            numbers=numbers,
            earlier=earlier,
            typed=typed,
            refusals=refusals,
            longest=LONGEST_TEXT,
        )
        return page, status

    @pages.app_context_processor
    def furnish() -> dict[str, object]:
        return {"callback_policy": callbacks.policy, "told_call_back": told_state, "local": local}

    return pages


def _reference(given: str | None) -> str:
    """Return the reference of the call it comes from, or an empty text."""
    if not given:
        return ""
    if not is_reference(given):
        abort(404)
    return given


def _me() -> Actor:
    return Actor(holder().name, holder().role)


def _typed(*fields: str) -> dict[str, str]:
    return {name: request.form.get(name, "") for name in fields}


def _look_now() -> None:
    watch: Watch = current_app.extensions["quietline_watch"]
    watch.look_now()
