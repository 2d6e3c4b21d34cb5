"""Signing in with a name and a password, and from there to the second factor.

A guesser is slowed per address and name; the duty team is never locked out: a
browser in which somebody signed in before is counted apart from strangers. It
never says which of name and password was wrong.
"""

from __future__ import annotations

import logging
import unicodedata
from typing import Any, Final

from flask import Blueprint, Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from werkzeug.wrappers import Response

from console import entry, second_step
from console.guard import doors, everyone, own_path
from console.people import people

log = logging.getLogger(__name__)

GUESSES: Final = "10 per minute"
"""Wrong passwords or codes for one name from one address, or from one known browser."""
GUESSES_OF_AN_ADDRESS: Final = "60 per minute"
"""Wrong ones from one address altogether: each password costs a deliberate 50 ms of work."""
REFUSED: Final = 422
SAID: Final = {
    "slow": "That took too long. Sign in once more.",
    "new": "Your password is set. Sign in with it.",
}
"""What the page says to whoever was led here, by the ``said`` of its address."""

signin = Blueprint("signin", __name__)


def _name() -> str:
    return unicodedata.normalize("NFKC", request.form.get("name", "")[:256]).strip().casefold()


def _guessed_name() -> str:
    """Return whose password or code is being tried."""
    if request.endpoint == "second_step.check":
        pending = second_step.pending()
        return pending.name if pending else ""
    return _name()


def _guesser() -> str:
    name = _guessed_name()
    known = entry.known_browser(name)
    return f"known {known}" if known else f"{request.remote_addr} {name}"


def _address() -> str:
    known = entry.known_browser(_guessed_name())
    return f"known {known}" if known else f"{request.remote_addr}"


def _was_wrong(answer: Response) -> bool:
    return answer.status_code == REFUSED


def slow_guessers(app: Flask, limiter: Limiter) -> None:
    """Put the limits on password and code. Only wrong ones count towards them."""
    for endpoint in ("signin.check", "second_step.check"):
        view: Any = app.view_functions[endpoint]
        for limit, key in ((GUESSES, _guesser), (GUESSES_OF_AN_ADDRESS, _address)):
            view = limiter.limit(limit, key_func=key, deduct_when=_was_wrong)(view)
        app.view_functions[endpoint] = view


@signin.get("/sign-in")
@everyone
def sign_in() -> ResponseReturnValue:
    """Show the form."""
    return _form("", None, 200)


@signin.post("/sign-in")
@everyone
def check() -> ResponseReturnValue:
    """Check name and password; then ask for a code, or begin a session in training."""
    name, password = _name(), request.form.get("password", "")[:1024]
    user = doors().accounts.check_password(name, password)
    now = doors().clock()
    if user is None:
        log.warning("sign-in refused")
        doors().accounts.note(name, "was refused at the sign-in", now=now)
        return _form(name, "The name or the password is not right.", REFUSED)
    after = own_path(request.form.get("next"))
    if people().training:
        return entry.let_in(user, after)
    return second_step.begin(user, after)


def _form(name: str, refusal: str | None, status: int) -> ResponseReturnValue:
    page = render_template(
        "signin.html",
        name=name,
        refusal=refusal,
        after=own_path(request.values.get("next")),
        bye=request.args.get("bye", ""),
        said=SAID.get(request.args.get("said", ""), ""),
    )
    return page, status
