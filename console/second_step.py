"""The second step of a sign-in: setting up the second factor, then its code each time.

The picture is drawn here and fetched like any image, so that the content policy needs
no exception. It never says more about a code than that it is wrong or was used.
"""

from __future__ import annotations

import io
import logging
from typing import Final

import segno
from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console import pending as sealed
from console.entry import let_in, set_cookie
from console.guard import doors, everyone, own_path
from console.pending import Pending
from console.people import people
from incidents.accounts import User
from incidents.second_factor import address, in_groups, new_secret

log = logging.getLogger(__name__)

REFUSED: Final = 422
WORDS: Final = {
    "wrong": "This code is not right. Enter the six digits your app shows now.",
    "used": "This code was used already. Wait for the next one, at most 30 seconds.",
}
PATH: Final = "/sign-in"

second_step = Blueprint("second_step", __name__)


def begin(user: User, after: str) -> ResponseReturnValue:
    """Ask somebody who gave the right password for a code, or to set the factor up."""
    secret = "" if user.has_factor else new_secret()
    waiting = Pending.at(user.id, user.name, user.stamp, secret, doors().clock())
    answer = redirect(url_for("second_step.code", next=after), 303)
    set_cookie(answer, sealed.COOKIE, sealed.write(waiting, people().keys), path=PATH)
    return answer


def pending() -> Pending | None:
    """Return whose sign-in waits for a code in this browser, or None."""
    return sealed.read(request.cookies.get(sealed.COOKIE), people().keys, doors().clock())


@second_step.get("/sign-in/code")
@everyone
def code() -> ResponseReturnValue:
    """Show the form for a code, with the picture for whoever sets the factor up."""
    waiting = pending()
    return _begin_again() if waiting is None else _form(waiting, "", None, 200)


@second_step.get("/sign-in/code.svg")
@everyone
def picture() -> ResponseReturnValue:
    """Draw the picture an authenticator app scans."""
    waiting = pending()
    if waiting is None or not waiting.secret:
        abort(404)
    drawn = io.BytesIO()
    made = segno.make(address(waiting.name, waiting.secret), error="m", micro=False)
    made.save(drawn, kind="svg", scale=4, border=4, dark="#000", light="#fff", svgclass=None)
    return Response(drawn.getvalue(), mimetype="image/svg+xml")


@second_step.post("/sign-in/code")
@everyone
def check() -> ResponseReturnValue:
    """Use the code up and begin the session, or refuse it."""
    waiting = pending()
    user = doors().accounts.user(waiting.user_id, waiting.stamp) if waiting else None
    if waiting is None or user is None or bool(waiting.secret) is user.has_factor:
        return _begin_again()
    typed, now = request.form.get("code", "")[:64], doors().clock()
    if waiting.secret:
        found = people().factor.enrol(user.id, user.name, waiting.secret, typed, now=now)
    else:
        found = people().factor.check(user.id, typed, now=now)
    if found != "accepted":
        log.warning("a code was refused")
        doors().accounts.note(user.name, "gave a wrong code at the sign-in", now=now)
        return _form(waiting, typed, WORDS[found], REFUSED)
    answer = let_in(user, own_path(request.form.get("next")))
    answer.delete_cookie(sealed.COOKIE, path=PATH)
    return answer


def _begin_again() -> ResponseReturnValue:
    after = own_path(request.values.get("next"))
    answer = redirect(url_for("signin.sign_in", next=after, said="slow"), 303)
    answer.delete_cookie(sealed.COOKIE, path=PATH)
    return answer


def _form(waiting: Pending, typed: str, refusal: str | None, status: int) -> ResponseReturnValue:
    page = render_template(
        "second_factor.html",
        name=waiting.name,
        secret=in_groups(waiting.secret),
        typed=typed,
        refusal=refusal,
        after=own_path(request.values.get("next")),
    )
    return page, status
