"""Nothing runs unless something authorised it.

Every view says who may run it with one of the marks below; a view without a
mark is refused, however it came to be registered. This module decides no role
beyond "signed in": finer rights belong to the views.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from console.doors import Doors
from incidents.accounts import Holder

View = TypeVar("View", bound=Callable[..., Any])
Check = Callable[[], ResponseReturnValue | None]
"""Return None to let the request through, or the answer that refuses it."""

MARK: Final = "__authorised_by__"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def authorised_by(check: Check) -> Callable[[View], View]:
    """Mark a view as guarded by ``check``, which is asked before every run."""

    def mark(view: View) -> View:
        setattr(view, MARK, check)
        return view

    return mark


def anybody() -> None:
    """Let everyone through: for signing in, health and the like."""


everyone = authorised_by(anybody)
"""Mark a view that needs no sign-in. Each is a decision; a test lists them all."""


def holder() -> Holder:
    """Return who is signed in. Only inside a view marked ``signed_in``."""
    found: Holder = g.holder
    return found


def doors() -> Doors:
    """Return the app's doors: who holds the session of a request."""
    found: Doors = current_app.extensions["quietline_doors"]
    return found


def _session() -> ResponseReturnValue | None:
    found = doors().session(request.cookies)
    if found is None:
        if request.method in SAFE_METHODS and _wants_a_page():
            return redirect(url_for("signin.sign_in", next=request.full_path.rstrip("?")), 303)
        abort(401)
    if not found.may_read:
        abort(403)
    g.holder = found
    return None


signed_in = authorised_by(_session)
"""Mark a view for people who signed in with a role that may read incidents."""


def _wants_a_page() -> bool:
    return request.headers.get("X-Requested-With") != "fetch"


def own_path(target: str | None) -> str:
    """Return ``target`` if it is a path on this console, else the board's path.

    A sign-in link that leads to another site would hand a fresh session to it.
    """
    if not target or not target.startswith("/") or target[1:2] in ("/", "\\"):
        return "/"
    if any(ord(character) < 0x20 for character in target):
        return "/"
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else "/"


def deny_by_default(app: Flask) -> None:
    """Refuse every request whose view carries no mark."""

    @app.before_request
    def _ask_the_mark() -> ResponseReturnValue | None:
        if request.endpoint is None:
            return None  # nothing to run: a 404 or a 405 follows
        check: Check | None = getattr(current_app.view_functions[request.endpoint], MARK, None)
        if check is None:
            abort(403)
        return check()
