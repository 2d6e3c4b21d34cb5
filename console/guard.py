"""Nothing runs unless something authorised it.

Every view says who may run it with one of the marks below; a view without a
mark is refused, however it came to be registered. This module decides no role's
rights: they are data (``incidents.roles``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import Forbidden

from console.doors import Doors
from incidents.accounts import Holder
from incidents.roles import Right

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
    """Return who is signed in. Only inside a view marked ``signed_in`` or ``for_right``."""
    found: Holder = g.holder
    return found


def doors() -> Doors:
    """Return the app's doors: who holds the session of a request."""
    found: Doors = current_app.extensions["quietline_doors"]
    return found


def by_session() -> Holder | None:
    """Find who is signed in: what a page asks."""
    return doors().session(request.cookies)


def by_token_or_session() -> Holder | None:
    """Find who shows a token, or else a session: what the JSON interface asks."""
    return doors().holder(request.headers.get("Authorization"), request.cookies)


class MayNot(Forbidden):
    """A role lacks a right. The description is a sentence for whoever asked."""

    def __init__(self, right: Right | None) -> None:
        super().__init__(MAY_NOT.get(right or "", "You are not allowed to do this."))


def page_refusal(found: Holder | None, right: Right | None) -> ResponseReturnValue:
    """Refuse a page: lead a stranger to the sign-in, tell the others what their role may not."""
    if found is None:
        if request.method in SAFE_METHODS and _wants_a_page():
            return redirect(url_for("signin.sign_in", next=request.full_path.rstrip("?")), 303)
        abort(401)
    g.holder = found  # whose page the refusal is: it leads back to where they may be
    raise MayNot(right)


MAY_NOT: Final[dict[str, str]] = {
    "read": "Your role does not read incidents.",
    "note": "Your role does not add to a record.",
    "work": "Your role does not work calls.",
    "approve": "Your role cannot be the second person.",
    "people": "Your role does not read about people.",
    "contact": "Your role cannot be a point of contact.",
    "second_look": "This page is for specialists.",
    "supervise": "This page is for supervisors.",
    "users": "This page is for those who manage users.",
    "audit": "This page is for auditors.",
    "figures": "Your role does not read figures.",
}
"""What a role that lacks a right is told, by right."""

Find = Callable[[], Holder | None]
Refuse = Callable[[Holder | None, Right | None], ResponseReturnValue]


@dataclass(frozen=True, slots=True)
class ForRight:
    """The check behind a mark. ``right`` None: whoever is signed in.

    Pages and the JSON interface differ in how they find a holder and how they word a refusal, and
    in nothing else: one role may do the same through both.
    """

    right: Right | None
    find: Find = by_session
    refuse: Refuse = page_refusal

    def __call__(self) -> ResponseReturnValue | None:
        """Let the request through for a holder with the right, and remember who it is."""
        found = self.find()
        if found is None or not (self.right is None or found.may(self.right)):
            return self.refuse(found, self.right)
        if (heard := current_app.extensions.get("quietline_heard")) is not None:
            heard.asked(found)
        g.holder = found
        return None


def for_right(
    right: Right, *, find: Find = by_session, refuse: Refuse = page_refusal
) -> Callable[[View], View]:
    """Mark a view for people whose role has ``right``."""
    return authorised_by(ForRight(right, find, refuse))


signed_in = authorised_by(ForRight(None))
"""Mark a view for whoever signed in, whatever the role."""


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
