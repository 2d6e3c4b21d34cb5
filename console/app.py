"""The console's ASGI application: the live feed natively, all pages through Flask.

One process. The feed runs on the event loop, so that open screens cost no thread;
pages run on a few threads, so that a slow page never holds up an alert. It refuses
to touch the phone side.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from a2wsgi import WSGIMiddleware
from flask import Flask
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from config.policy import Policy
from config.settings import Settings
from console import (
    api,
    auditing,
    callbacks,
    contacts,
    figures,
    follow_ups,
    health,
    markers,
    operations,
    orders,
    people_api,
    person_codes,
    person_follow_ups,
    persons,
    reminders,
    reviewing,
    supervising,
    told_calls,
)
from console.doors import Doors
from console.headers import Headers, headers
from console.heard import Heard
from console.live import PATHS, Live
from console.mounted import ForSignedIn
from console.operation_sheet import Sheets
from console.people import People
from console.person_page import Work as PersonWork
from console.rules import rules
from console.watch import Watch, utc_now
from console.web import Site, create
from incidents.accounts import Accounts
from incidents.audit import Audit
from incidents.board import Board
from incidents.callbacks import CallBacks
from incidents.carrier import Carrier
from incidents.codes import Codes
from incidents.desk import Desk
from incidents.figures import Counting
from incidents.follow_ups import FollowUps
from incidents.lowering import Lowering
from incidents.markers import Markers
from incidents.operations import Operations
from incidents.orders import LiveCalls
from incidents.person_files import PersonFiles
from incidents.presence import Presence
from incidents.reviewing import Reviewing
from incidents.sealed import Keys
from incidents.second_factor import SecondFactor
from incidents.second_look import SecondLook
from incidents.staff import Staff
from incidents.store import Store
from incidents.told_calls import ToldCalls
from incidents.visiting import Visiting
from incidents.wake import Bell, Ear

PAGE_THREADS: Final = 8
PRACTICE: Final = "/practice"


def application(
    settings: Settings,
    policy: Policy,
    calls: LiveCalls,
    *,
    extra_mounts: Mapping[str, ASGIApp] = MappingProxyType({}),
    clock: Callable[[], datetime] = utc_now,
) -> LiveFirst:
    """Make the console.

    ``calls``: the door to live calls. ``extra_mounts``: applications by path, for whoever is
    signed in.
    """
    keys = Keys(settings.key_material)
    store = Store(settings.database_url, keys)
    journals = (settings.data / "journal", settings.journal_spare)
    ear, bell = Ear(settings.wake, "console"), Bell(settings.wake)
    watch = Watch(Board(store, journals, keys), ear, clock=clock, bell=bell)
    audit = Audit(store.engine, keys, settings.data)
    accounts = Accounts(store.engine, keys, policy.roles, audit=audit)
    given = rules(policy, settings)
    desk, carrier = Desk(store, keys, audit, given), Carrier(store, keys, calls, clock=clock)
    doors = Doors(accounts, clock)
    https = settings.console_url.startswith("https:")
    site = Site(
        watch=watch,
        store=store,
        doors=doors,
        secret=keys.look_up("console|cookies"),
        https=https,
        training=settings.training,
        practice=PRACTICE in extra_mounts,
        people=People(
            staff=Staff(store.engine, keys, audit, accounts),
            factor=SecondFactor(store.engine, keys, audit),
            presence=Presence(store.engine),
            desk=desk,
            keys=keys,
            address=settings.console_url,
            training=settings.training,
        ),
        desk=desk,
        carrier=carrier,
        audit=audit,
    )
    calling_back = CallBacks(
        store,
        keys,
        audit,
        calls,
        policy.callbacks,
        policy.roles,
        {number: line.kind for number, line in policy.lines.items() if line.purpose == "live"},
        training=settings.training,
    )
    seasons = Operations(store, keys, audit)
    queue = Reviewing(store, keys, audit, given, policy.review)
    codes = Codes(store, keys, audit, policy.contact.line.ask.keys)
    work = FollowUps(store, keys, audit, policy.follow_ups, policy.roles)
    warnings = Markers(store, keys, audit, policy.markers, policy.roles)
    stands = contacts.work(store, keys, audit, policy.roles)
    parts = (
        api.blueprint(store, watch, given),
        orders.blueprint(orders.Work(desk, given, carrier, watch, store)),
        health.blueprint(watch, store),
        auditing.blueprint(store.engine, keys, policy.unusual),
        figures.blueprint(
            Counting(store, policy.figures), policy.grades, training=settings.training
        ),
        operations.blueprint(
            seasons,
            Sheets(
                Visiting(store, keys, audit, policy.roles, work, policy.figures),
                Counting(store, policy.figures),
                policy.grades,
                training=settings.training,
            ),
        ),
        # What others know of a person stands on their page as a ``person_page.Section``.
        persons.blueprint(
            PersonWork.over(store, keys, audit, Lowering(policy.markers, policy.roles)),
            sections=(
                markers.section(warnings),
                contacts.SECTION,
                person_codes.section(codes),
                person_follow_ups.section(work, seasons),
                callbacks.section(calling_back),
            ),
        ),
        people_api.blueprint(PersonFiles(store, keys), stands.contacts),
        contacts.blueprint(stands),
        told_calls.blueprint(ToldCalls(store, keys, audit)),
        supervising.blueprint(desk, Presence(store.engine), watch, policy.ladder),
        follow_ups.blueprint(work, calling_back),
        person_codes.blueprint(codes),
        person_follow_ups.blueprint(work),
        callbacks.blueprint(calling_back),
        markers.blueprint(warnings, work),
        reminders.blueprint(reminders.Reminders(store, work, queue)),
        reviewing.blueprint(
            queue,
            SecondLook(store, keys, audit, given, policy.review),
        ),
    )
    flask = create(site, parts)
    heard = Heard(Presence(store.engine), clock)
    flask.extensions["quietline_heard"] = heard
    live = Live(watch, doors, headers(https=https), heard, audit)
    mounts: list[BaseRoute] = []
    for path, app in extra_mounts.items():
        mounts += [Route(path, _to_folder), Mount(path, app=ForSignedIn(app, doors))]
    wsgi: Any = flask.wsgi_app
    pages: Any = WSGIMiddleware(wsgi, workers=PAGE_THREADS)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        # What is loaded by now stays: looking through it for garbage again and
        # again would hold up every screen's alert for tens of milliseconds.
        gc.collect()
        gc.freeze()
        async with watch.running(), live.keeping_sessions(), heard.writing():
            yield

    rest = Starlette(routes=[*mounts, Mount("/", app=pages)], lifespan=lifespan)
    return LiveFirst(live, Headers(rest, https=https), flask)


async def _to_folder(request: Request) -> RedirectResponse:
    """Lead ``/practice`` to ``/practice/``, where its own addresses are right."""
    return RedirectResponse(request.url.path + "/", 308)


class LiveFirst:
    """Take ``/live`` past all layers: each would cost every message to every screen.

    The start and stop of the process go the other way. ``pages``: the Flask application inside.
    """

    def __init__(self, live: ASGIApp, rest: ASGIApp, pages: Flask) -> None:
        self.pages = pages
        self._live = live
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        live = scope["type"] == "http" and scope["path"] in PATHS
        await (self._live if live else self._rest)(scope, receive, send)
