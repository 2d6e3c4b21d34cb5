"""A session begins and ends: its cookie, and the cookie of a browser that is known.

Every sign-in has a secret never used before. It refuses to let go of anybody who holds
a live call; that is asked before, in ``console.leaving``.
"""

from __future__ import annotations

import secrets
from typing import Final

from flask import current_app, redirect, request, session
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from console.doors import COOKIE
from console.guard import doors
from console.places import home
from console.watch import Watch
from incidents.accounts import User

KNOWN: Final = "quietline_known"
"""Cookie of a browser in which a person signed in before; it opens nothing."""
KNOWN_FOR_S: Final = 180 * 86400


def let_in(user: User, after: str) -> Response:
    """Begin a session, and lead to ``after`` or else to the page this person starts on."""
    now = doors().clock()
    old = request.cookies.get(COOKIE)
    if old:
        end(old)
    secret = doors().accounts.begin_session(user, now=now)
    session.clear()  # a new CSRF token too: nothing from before the sign-in stays good
    found = doors().accounts.session(secret, now=now)
    answer = redirect(home(found) if found and after == "/" else after, 303)
    set_cookie(answer, COOKIE, secret, path="/")
    known = known_browser(user.name) or secrets.token_urlsafe(12)
    value = str(_signer().dumps([known, user.name]))
    set_cookie(answer, KNOWN, value, path="/sign-in", max_age=KNOWN_FOR_S)
    return answer


def end(secret: str) -> None:
    """End a session and the feeds it opened. Raises ``StoreUnavailable``."""
    watch: Watch = current_app.extensions["quietline_watch"]
    doors().accounts.end_session(secret, now=doors().clock())
    watch.end_feeds(secret)


def set_cookie(
    answer: Response, name: str, value: str, *, path: str, max_age: int | None = None
) -> None:
    """Set a cookie that no script reads and no other site sends."""
    https = bool(current_app.config["SESSION_COOKIE_SECURE"])
    answer.set_cookie(
        name, value, max_age=max_age, secure=https, httponly=True, samesite="Strict", path=path
    )


def known_browser(name: str) -> str | None:
    """Return the id of this browser if ``name`` signed in here before."""
    try:
        browser, known = _signer().loads(request.cookies.get(KNOWN, ""))
    except (BadSignature, ValueError, TypeError):
        return None
    return str(browser) if known == name else None


def _signer() -> URLSafeSerializer:
    secret = current_app.secret_key
    assert secret is not None
    return URLSafeSerializer(secret, salt="known browser")
