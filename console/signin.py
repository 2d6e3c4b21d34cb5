"""Signing in and out with a name and a password.

A guesser is slowed per address and name; the duty team is never locked out: a
browser in which somebody signed in before is counted apart from strangers. It
never says which of name and password was wrong.
"""

from __future__ import annotations

import logging
import secrets
import unicodedata
from typing import Any, Final

from flask import (
    Blueprint,
    Flask,
    current_app,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from console.doors import COOKIE
from console.guard import doors, everyone, own_path, signed_in
from console.watch import Watch
from incidents.transactions import StoreUnavailable

log = logging.getLogger(__name__)

KNOWN: Final = "quietline_known"
"""Cookie of a browser in which a person signed in before; it opens nothing."""
KNOWN_FOR_S: Final = 180 * 86400
GUESSES: Final = "10 per minute"
"""Wrong passwords for one name from one address, or from one known browser."""
GUESSES_OF_AN_ADDRESS: Final = "60 per minute"
"""Wrong passwords from one address altogether: each costs a deliberate 50 ms of work."""
REFUSED: Final = 422

signin = Blueprint("signin", __name__)


def _name() -> str:
    return unicodedata.normalize("NFKC", request.form.get("name", "")[:256]).strip().casefold()


def _signer() -> URLSafeSerializer:
    secret = current_app.secret_key
    assert secret is not None
    return URLSafeSerializer(secret, salt="known browser")


def _known_browser(name: str) -> str | None:
    """Return the id of this browser if ``name`` signed in here before."""
    try:
        browser, known = _signer().loads(request.cookies.get(KNOWN, ""))
    except (BadSignature, ValueError, TypeError):
        return None
    return str(browser) if known == name else None


def _guesser() -> str:
    name = _name()
    known = _known_browser(name)
    return f"known {known}" if known else f"{request.remote_addr} {name}"


def _address() -> str:
    known = _known_browser(_name())
    return f"known {known}" if known else f"{request.remote_addr}"


def _was_wrong(answer: Response) -> bool:
    return answer.status_code == REFUSED


def slow_guessers(app: Flask, limiter: Limiter) -> None:
    """Put the limits on the sign-in view. Only wrong passwords count towards them."""
    view: Any = app.view_functions["signin.check"]
    for limit, key in ((GUESSES, _guesser), (GUESSES_OF_AN_ADDRESS, _address)):
        view = limiter.limit(limit, key_func=key, deduct_when=_was_wrong)(view)
    app.view_functions["signin.check"] = view


@signin.get("/sign-in")
@everyone
def sign_in() -> ResponseReturnValue:
    """Show the form."""
    return _form("", None, 200)


@signin.post("/sign-in")
@everyone
def check() -> ResponseReturnValue:
    """Check name and password, and begin a session with a secret never used before."""
    name, password = _name(), request.form.get("password", "")[:1024]
    user = doors().accounts.check_password(name, password)
    if user is None:
        log.warning("sign-in refused")
        return _form(name, "The name or the password is not right.", REFUSED)
    now = doors().clock()
    old = request.cookies.get(COOKIE)
    if old:
        _end(old)
    secret = doors().accounts.begin_session(user, now=now)
    session.clear()  # a new CSRF token too: nothing from before the sign-in stays good
    answer = redirect(own_path(request.form.get("next")), 303)
    https = bool(current_app.config["SESSION_COOKIE_SECURE"])
    answer.set_cookie(COOKIE, secret, secure=https, httponly=True, samesite="Strict", path="/")
    known = _known_browser(user.name) or secrets.token_urlsafe(12)
    answer.set_cookie(
        KNOWN,
        str(_signer().dumps([known, user.name])),
        max_age=KNOWN_FOR_S,
        secure=https,
        httponly=True,
        samesite="Strict",
        path="/sign-in",
    )
    return answer


@signin.post("/sign-out")
@signed_in
def sign_out() -> ResponseReturnValue:
    """End the session for good, here and on every screen that uses it.

    With the store down it cannot be ended for good; this browser forgets it all the same, and the
    next page says which of the two it was.
    """
    bye = "1"
    try:
        _end(request.cookies[COOKIE])
    except StoreUnavailable:
        bye = "here"
    session.clear()
    answer = redirect(url_for("signin.sign_in", bye=bye), 303)
    answer.delete_cookie(COOKIE, path="/")
    return answer


def _end(secret: str) -> None:
    watch: Watch = current_app.extensions["quietline_watch"]
    doors().accounts.end_session(secret, now=doors().clock())
    watch.end_feeds(secret)


def _form(name: str, refusal: str | None, status: int) -> ResponseReturnValue:
    after = own_path(request.values.get("next"))
    page = render_template(
        "signin.html", name=name, refusal=refusal, after=after, bye=request.args.get("bye", "")
    )
    return page, status
