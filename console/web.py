"""The Flask application of the console: pages, sign-in, the JSON API and metrics.

Everything is put together here and nothing is decided here: what a request may
do stands at its view, and a view that says nothing is refused.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from flask import Blueprint, Flask, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException

from console import words
from console.again import form_again
from console.doors import Doors
from console.guard import MayNot, deny_by_default
from console.leaving import leaving
from console.opening import opening
from console.pages import pages
from console.people import EXTENSION, People
from console.places import home, parted, places
from console.search import search
from console.second_step import second_step
from console.signin import signin, slow_guessers
from console.start import start
from console.users import users
from console.watch import Watch
from incidents.accounts import Holder
from incidents.audit import Audit
from incidents.carrier import Carrier
from incidents.desk import Desk
from incidents.store import Store
from incidents.transactions import StoreUnavailable

log = logging.getLogger(__name__)

LARGEST_REQUEST = 64 * 1024
THEMES = ("dark", "light", "system")

SENTENCES = {
    400: "The request could not be understood.",
    401: "You are signed out. Sign in again; nothing you typed is lost.",
    403: "You are not allowed to do this.",
    404: "There is nothing at this address.",
    405: "This address does not take that kind of request.",
    413: "That is too much at once.",
    429: "Too many wrong passwords or codes. Wait a minute, then try again.",
    500: "Something went wrong here. It has been logged. New alerts still reach the live board.",
    503: "The store cannot be reached. New alerts still reach the live board.",
}


@dataclass(frozen=True, slots=True)
class Site:
    """What the pages work with."""

    watch: Watch
    store: Store
    doors: Doors
    secret: str
    https: bool
    training: bool
    practice: bool
    """Whether the practice phone is mounted beside the board."""
    people: People
    desk: Desk
    carrier: Carrier
    audit: Audit


def create(site: Site, parts: Sequence[Blueprint] = ()) -> Flask:
    """Make the Flask application. ``parts``: blueprints beside pages and sign-in."""
    app = Flask("console", root_path=str(Path(__file__).parent), static_folder=None)
    app.config.update(
        SECRET_KEY=site.secret,
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        SESSION_COOKIE_NAME="quietline_form",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=site.https,
        # A board stays open for a shift; its forms must still be good at the end.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=site.https,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=14),
        RATELIMIT_STORAGE_URI="memory://",
        RATELIMIT_HEADERS_ENABLED=False,
    )
    app.extensions["quietline_doors"] = site.doors
    app.extensions["quietline_watch"] = site.watch
    app.extensions["quietline_store"] = site.store
    app.extensions["quietline_desk"] = site.desk
    app.extensions["quietline_carrier"] = site.carrier
    app.extensions["quietline_audit"] = site.audit
    app.extensions[EXTENSION] = site.people
    app.extensions["quietline_assets"] = _version(Path(app.root_path) / "static")
    deny_by_default(app)
    CSRFProtect(app)
    for part in (pages, opening, search, signin, second_step, leaving, users, start, *parts):
        app.register_blueprint(part)
    slow_guessers(app, Limiter(lambda: request.remote_addr or "", app=app))
    _word_refusals(app)
    _furnish_templates(app, site)
    return app


def _version(folder: Path) -> str:
    """Name the content of all static files, so that a new release is never half cached."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def _word_refusals(app: Flask) -> None:
    def refuse(status: int, sentence: str | None = None) -> ResponseReturnValue:
        text = sentence or SENTENCES.get(status, SENTENCES[400 if status < 500 else 500])
        if request.headers.get("X-Requested-With") == "fetch":
            return jsonify(error=text), status
        return render_template("error.html", status=status, text=text), status

    @app.errorhandler(CSRFError)
    def form_too_old(_: CSRFError) -> ResponseReturnValue:
        return refuse(400, "This page is out of date. Go back, reload it and try again.")

    @app.errorhandler(HTTPException)
    def refused(refusal: HTTPException) -> ResponseReturnValue:
        if refusal.response is not None:
            return refusal.response  # a redirect, or an answer made on purpose
        sentence = refusal.description if isinstance(refusal, MayNot) else None
        answer = app.make_response(refuse(refusal.code or 500, sentence))
        for name, value in refusal.get_headers():
            if name.lower() in ("allow", "retry-after"):
                answer.headers[name] = value
        return answer

    @app.errorhandler(StoreUnavailable)
    @app.errorhandler(TimeoutError)
    def store_gone(trouble: Exception) -> ResponseReturnValue:
        log.warning("a page could not be shown: %s", type(trouble).__name__)
        again = form_again() if isinstance(trouble, StoreUnavailable) else None
        answer = app.make_response((again, 503) if again else refuse(503))
        answer.headers["Retry-After"] = "5"
        return answer

    @app.errorhandler(Exception)
    def failed(trouble: Exception) -> ResponseReturnValue:
        log.error("a page failed", exc_info=trouble)
        return refuse(500)


def _furnish_templates(app: Flask, site: Site) -> None:
    version = app.extensions["quietline_assets"]

    def asset(name: str) -> str:
        return f"/static/{version}/{name}"

    app.jinja_env.globals.update(asset=asset, words=words)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    @app.context_processor
    def furnish() -> dict[str, object]:
        chosen = request.cookies.get("quietline_theme")
        handler: Holder | None = g.get("holder")
        return {
            "theme": chosen if chosen in THEMES else None,
            "handler": handler,
            "places": parted(places(handler)) if handler else ([], []),
            "home": home(handler) if handler else "/",
            "now": site.doors.clock(),
            "training": site.training,
            "practice": site.practice,
            "status": site.watch.status(),
            "alarms": site.watch.alarms(),
        }
