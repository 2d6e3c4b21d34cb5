"""Signing out, and the calls somebody must let go of first.

Nobody leaves a caller behind: while a live call is held, signing out is refused with a
page that offers to release it or to hand it over.
"""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from console.doors import COOKIE
from console.entry import end
from console.guard import doors, for_right, holder, signed_in
from console.people import actor, live_calls, people
from incidents.desk import Conflict, Unfit
from incidents.store import NoSuchIncident
from incidents.transactions import StoreUnavailable

leaving = Blueprint("leaving", __name__)


@leaving.get("/sign-out")
@signed_in
def ask() -> ResponseReturnValue:
    """Show what is held, or ask whether to sign out."""
    return _page(None, 200)


@leaving.post("/sign-out")
@signed_in
def sign_out() -> ResponseReturnValue:
    """End the session for good, here and on every screen that uses it.

    With the store down it cannot be ended for good; this browser forgets it all the same, and the
    next page says which of the two it was.
    """
    now = doors().clock()
    if live_calls(holder(), now):
        return _page(None, 409)
    bye = "1"
    doors().accounts.note(holder().name, "signed out", now=now)
    try:
        end(request.cookies[COOKIE])
    except StoreUnavailable:
        bye = "here"
    session.clear()
    answer = redirect(url_for("signin.sign_in", bye=bye), 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


@leaving.post("/sign-out/<reference>/release")
@for_right("work")
def release(reference: str) -> ResponseReturnValue:
    """Give a call back, on the way out."""
    return _let_go(reference, "", doors().clock())


@leaving.post("/sign-out/<reference>/hand-over")
@for_right("work")
def hand_over(reference: str) -> ResponseReturnValue:
    """Hand a call to a colleague, on the way out."""
    to = request.form.get("to", "")[:64]
    return _let_go(reference, to, doors().clock()) if to else _page("Choose a colleague.", 422)


def _let_go(reference: str, to: str, now: datetime) -> ResponseReturnValue:
    desk, by = people().desk, actor(holder())
    try:
        if to:
            desk.hand_over(reference, to, "end of shift", by=by, now=now)
        else:
            desk.release(reference, by=by, now=now)
    except (Conflict, NoSuchIncident) as changed:
        return _page(str(changed) or "This call is gone.", 409)
    except Unfit as unfit:
        return _page(str(unfit), 422)
    return redirect(url_for("leaving.ask"), 303)


def _page(refusal: str | None, status: int) -> ResponseReturnValue:
    now, me = doors().clock(), holder()
    held = live_calls(me, now)
    colleagues: list[str] = []
    if held:
        roles = doors().accounts.roles.with_right("work")
        try:
            on_duty = people().presence.on_duty(now, roles)
        except StoreUnavailable:
            on_duty = []
        colleagues = [one.name for one in on_duty if one.name != me.name]
    page = render_template("leaving.html", held=held, colleagues=colleagues, refusal=refusal)
    return page, status
