"""The pages of whoever manages users: who there is, and what can be changed about them.

What was typed is kept when it is refused. A link is shown once and stands nowhere; a
phone shows its last digits. Nothing here shows a call.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console.audited import audited
from console.follow_ups import EXTENSION as FOLLOW_UPS
from console.guard import doors, everyone, for_right, holder
from console.people import actor, people
from console.watch import Watch
from incidents.follow_ups import FollowUps
from incidents.owners import OWNS
from incidents.passwords import AccountRefused
from incidents.people import Person
from incidents.staff import INVITED_FOR, InvitationOver

REFUSED: Final = 422
DONE: Final = {
    "role": "The role was changed. Their sessions were ended: they sign in again.",
    "phone": "The phone was changed.",
    "shift": "The shift hours were changed.",
    "factor": "The second factor was reset. They set up a new one at the next sign-in.",
    "left": "The account was ended, with its sessions and tokens.",
}
"""What the page says after a change, by the ``done`` of its address."""

users = Blueprint("users", __name__)

Change = Callable[[Person, str, str, datetime], str]
"""(person, what was typed, by, now) → the word for what was done. Raises ``AccountRefused``."""


@users.get("/users")
@for_right("users")
def everybody() -> ResponseReturnValue:
    """List everybody, those who left last."""
    found = people().staff.people(now=doors().clock())
    audited().looked(holder(), "opened the list of users", "users")
    done = DONE.get(request.args.get("done", ""), "")
    return render_template("users.html", people=found, roles=doors().accounts.roles, done=done)


@users.get("/users/invite")
@for_right("users")
def invitation() -> ResponseReturnValue:
    """Show the form."""
    return _invitation("", "handler", {}, 200)


@users.post("/users/invite")
@for_right("users")
def invite() -> ResponseReturnValue:
    """Add somebody and show their link, once."""
    name, role = request.form.get("name", "")[:256].strip(), request.form.get("role", "")[:64]
    now = doors().clock()
    try:
        secret = people().staff.invite(name, role, by=holder().name, now=now)
    except AccountRefused as refused:
        field = "name" if role in doors().accounts.roles.people else "role"
        return _invitation(name, role, {field: str(refused)}, REFUSED)
    return _link(name.casefold(), secret, now)


@users.get("/users/<name>")
@for_right("users")
def one(name: str) -> ResponseReturnValue:
    """Show one person with what can be changed."""
    person = _found(name)
    audited().looked(holder(), "viewed the user", person.name)
    return _page(person, {}, {}, 200)


@users.post("/users/<name>/role")
@for_right("users")
def role(name: str) -> ResponseReturnValue:
    """Give another role, and end their sessions and feeds."""

    def change(person: Person, typed: str, by: str, now: datetime) -> str:
        people().staff.change_role(person.name, typed, by=by, now=now)
        _watch().end_feeds_of(person.name)
        if not doors().accounts.roles.may(typed, "work"):
            _pass_on(person.name, now)
        if not doors().accounts.roles.may(typed, OWNS):
            _follow_ups().leaver(person.name, None, by=by, now=now)
        return "role"

    return _change(name, "role", change)


@users.post("/users/<name>/phone")
@for_right("users")
def phone(name: str) -> ResponseReturnValue:
    """Change the phone, or remove it."""

    def change(person: Person, typed: str, by: str, now: datetime) -> str:
        people().staff.set_phone(person.name, typed, by=by, now=now)
        return "phone"

    return _change(name, "phone", change)


@users.post("/users/<name>/shift")
@for_right("users")
def shift(name: str) -> ResponseReturnValue:
    """Change the hours in which this person works."""

    def change(person: Person, typed: str, by: str, now: datetime) -> str:
        people().staff.set_shift(person.name, typed, by=by, now=now)
        return "shift"

    return _change(name, "shift", change)


@users.post("/users/<name>/factor")
@for_right("users")
def reset_factor(name: str) -> ResponseReturnValue:
    """Forget a lost second factor."""

    def change(person: Person, _: str, by: str, now: datetime) -> str:
        people().staff.reset_factor(person.name, by=by, now=now)
        return "factor"

    return _change(name, "factor", change)


@users.post("/users/<name>/link")
@for_right("users")
def invite_again(name: str) -> ResponseReturnValue:
    """Make a new link: the first ran out, the password is forgotten, or somebody came back."""
    person, now = _found(name), doors().clock()
    secret = people().staff.invite_again(person.name, by=holder().name, now=now)
    return _link(person.name, secret, now)


@users.get("/users/<name>/leave")
@for_right("users")
def ask_to_leave(name: str) -> ResponseReturnValue:
    """Say what ends with an account, before it ends."""
    return _leaving(_found(name), None, 200)


@users.post("/users/<name>/leave")
@for_right("users")
def leave(name: str) -> ResponseReturnValue:
    """End an account: sessions, tokens and feeds at once; its calls pass to a supervisor, its
    follow-ups to whoever is named."""
    person, now = _found(name), doors().clock()
    receiver = request.form.get("receiver", "")[:256]
    if receiver and receiver not in _receivers(person):
        return _leaving(person, "Choose somebody who is here and may own follow-ups.", REFUSED)
    try:
        people().staff.leave(person.name, by=holder().name, now=now)
    except AccountRefused as refused:
        return _leaving(person, str(refused), REFUSED)
    _watch().end_feeds_of(person.name)
    _pass_on(person.name, now)
    _follow_ups().leaver(person.name, receiver or None, by=holder().name, now=now)
    return redirect(url_for("users.everybody", done="left"), 303)


@users.get("/invited/<secret>")
@everyone
def invited(secret: str) -> ResponseReturnValue:
    """Show the form for a password to whoever holds a good link."""
    name = people().staff.invited(secret, now=doors().clock())
    return _invited(name, None, 200 if name else 410)


@users.post("/invited/<secret>")
@everyone
def accept(secret: str) -> ResponseReturnValue:
    """Set the password; from there on to the sign-in."""
    now = doors().clock()
    password, again = (request.form.get(field, "")[:1024] for field in ("password", "again"))
    name = people().staff.invited(secret, now=now)
    if name is None:
        return _invited(None, None, 410)
    if password != again:
        return _invited(name, "The two passwords are not the same. Enter both again.", REFUSED)
    try:
        people().staff.accept(secret, password, now=now)
    except InvitationOver:
        return _invited(None, None, 410)
    except AccountRefused as refused:
        return _invited(name, str(refused), REFUSED)
    _watch().end_feeds_of(name)
    return redirect(url_for("signin.sign_in", said="new"), 303)


def _change(name: str, field: str, change: Change) -> ResponseReturnValue:
    person, typed = _found(name), request.form.get(field, "")[:256].strip()
    try:
        done = change(person, typed, holder().name, doors().clock())
    except AccountRefused as refused:
        return _page(person, {field: typed}, {field: str(refused)}, REFUSED)
    return redirect(url_for("users.one", name=person.name, done=done), 303)


def _pass_on(name: str, now: datetime) -> None:
    people().desk.leaver(name, by=actor(holder()), now=now)
    _watch().look_now()


def _follow_ups() -> FollowUps:
    found: FollowUps = current_app.extensions[FOLLOW_UPS]
    return found


def _receivers(person: Person) -> list[str]:
    """Return who may be given what somebody has open."""
    return [name for name in _follow_ups().owners() if name != person.name]


def _found(name: str) -> Person:
    person = people().staff.person(name, now=doors().clock())
    if person is None:
        abort(404)
    return person


def _watch() -> Watch:
    watch: Watch = current_app.extensions["quietline_watch"]
    return watch


def _page(
    person: Person, typed: dict[str, str], refusals: dict[str, str], status: int
) -> ResponseReturnValue:
    return _rendered(
        "user.html",
        status,
        person=person,
        typed={"role": person.role, "shift": person.shift, "phone": "", **typed},
        refusals=refusals,
        done=DONE.get(request.args.get("done", ""), ""),
        myself=person.name == holder().name,
    )


def _invitation(name: str, role: str, refusals: dict[str, str], status: int) -> ResponseReturnValue:
    return _rendered("user_invite.html", status, name=name, role=role, refusals=refusals)


def _link(name: str, secret: str, now: datetime) -> ResponseReturnValue:
    path = url_for("users.invited", secret=secret)
    link = f"{people().address.rstrip('/')}{path}"
    return _rendered("user_link.html", 200, name=name, link=link, until=now + INVITED_FOR)


def _leaving(person: Person, refusal: str | None, status: int) -> ResponseReturnValue:
    held = doors().accounts.held(person.name, now=doors().clock())
    return _rendered(
        "user_leave.html",
        status,
        person=person,
        held=held,
        owned=_follow_ups().of_owner(person.name).count,
        receivers=_receivers(person),
        chosen=request.form.get("receiver", ""),
        refusal=refusal,
    )


def _invited(name: str | None, refusal: str | None, status: int) -> ResponseReturnValue:
    return _rendered("invited.html", status, name=name, refusal=refusal)


def _rendered(template: str, status: int, **shown: Any) -> ResponseReturnValue:
    return render_template(template, roles=doors().accounts.roles, **shown), status
