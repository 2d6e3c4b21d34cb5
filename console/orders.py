"""The JSON API's orders: whatever the console can do to a call, under the same roles.

Each address is a row of ``console.deeds``. The desk decides and records; what it orders is
carried out here, for most of it while the request waits, so that a race is told plainly ("The
caller hung up 2 seconds ago."). A claim answers at once and its hold follows behind. This module
decides nothing about a call.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, current_app, request
from flask_wtf.csrf import CSRFProtect

from console.answers import (
    PREFIX,
    answer,
    for_api,
    refusal,
    unknown,
    word_refusals,
    written_out,
)
from console.api import why
from console.bodies import idempotency_key, read_body
from console.deed import Deed, How
from console.deeds import deeds
from console.guard import authorised_by, doors, holder
from console.record import record
from console.watch import Watch
from incidents.carrier import Carried, Carrier
from incidents.desk import Actor, Conflict, Desk, Done, Rules, Unfit
from incidents.fold import Incident, as_text
from incidents.store import NoSuchIncident, Store
from incidents.transactions import StoreUnavailable
from incidents.working import how_it_ended

View = Callable[[str], Response]

PATIENCE_S: Final = 2.5
"""How long a request waits for Twilio to take an order; then the order goes on by itself."""
AT_ONCE: Final = 4
"""Requests that may wait for Twilio at once: a slow Twilio must leave threads for the pages."""
NO_PATIENCE_S: Final = 0.1
PAUSES_S: Final = (0.05, 0.1, 0.2)
"""A call is on the board before it is in the store, by some tens of milliseconds."""
AGAIN_SECONDS: Final = 1
STILL_SENDING: Final = '199 Quietline "the order is still being sent"'


@dataclass(frozen=True, slots=True)
class Work:
    """What the orders work with."""

    desk: Desk
    rules: Rules
    carrier: Carrier
    watch: Watch
    store: Store


def blueprint(work: Work) -> Blueprint:
    """Make the blueprint of all orders. The app it joins has ``console.guard``'s doors."""
    orders = Blueprint("orders", __name__, url_prefix=f"{PREFIX}/incidents")
    waiting = threading.BoundedSemaphore(AT_ONCE)
    # Whoever shows a token cannot be made to send anything by another site's page; whoever shows
    # a cookie can, and is asked for the page's own token below.
    orders.record_once(lambda state: state.app.extensions["csrf"].exempt(orders))
    for deed in deeds(work.rules):
        orders.add_url_rule(
            f"/<reference>/{deed.path}",
            deed.path.replace("-", "_"),
            _view(work, deed, waiting),
            methods=["POST"],
            provide_automatic_options=False,
        )
    word_refusals(orders)

    @orders.errorhandler(Unfit)
    def unfit(refused: Unfit) -> Response:
        return refusal(422, str(refused), field=refused.field)

    return orders


def _view(work: Work, deed: Deed, waiting: threading.BoundedSemaphore) -> View:
    @authorised_by(for_api(deed.right))
    def view(reference: str) -> Response:
        raw = request.get_data()
        if holder().by == "session":
            csrf: CSRFProtect = current_app.extensions["csrf"]
            csrf.protect()
        key = idempotency_key(request.headers.get("Idempotency-Key"))
        told = read_body(raw, deed.fields)
        where, now = written_out(reference), doors().clock()
        by = Actor(holder().name, holder().role)
        if deed.closed and (refused := _why(work, where)) is not None:
            return refused
        how: How = {"by": by, "now": now, "request": key}
        try:
            done = _done(work, deed, where, told, how)
        except NoSuchIncident:
            return _not_there(work, where)
        except Conflict as conflict:
            return _conflict(work, where, str(conflict))
        work.watch.look_now()
        return _carried_out(work, deed, done, waiting)

    return view


def _why(work: Work, reference: str) -> Response | None:
    """Ask why somebody writes on a closed record that is not their own work: it is read with it."""
    shown = work.watch.incident(reference)
    if shown is not None and shown.state != "closed":
        return None
    found = record(reference, work.watch, work.store)
    return None if found is None else why(found)


def _done(work: Work, deed: Deed, where: str, told: Mapping[str, Any], how: How) -> Done:
    """Do the deed; a call that the board shows and the store has not yet is waited for."""
    for pause in PAUSES_S:
        try:
            return deed.act(work.desk, where, told, how)
        except NoSuchIncident:
            if work.watch.incident(where) is None:
                raise
            threading.Event().wait(pause)
    return deed.act(work.desk, where, told, how)


def _carried_out(
    work: Work, deed: Deed, done: Done, waiting: threading.BoundedSemaphore
) -> Response:
    headers = {}
    if not deed.waits:
        work.carrier.carry_later(done.orders)
    else:
        first, rest = done.orders[:1], done.orders[1:]
        for placed in first:
            patient = waiting.acquire(blocking=False)
            try:
                patience = PATIENCE_S if patient else NO_PATIENCE_S
                carried = work.carrier.carry(placed, patience=patience)
            finally:
                if patient:
                    waiting.release()
            if carried.state == "failed":
                for other in rest:  # nobody is rung to listen to a caller who is gone
                    work.carrier.drop(other, "the order before it failed")
                return _not_carried_out(work, done.incident, carried)
            if carried.state == "waiting":
                headers["Warning"] = STILL_SENDING
        work.carrier.carry_later(rest)
    return answer(done.incident.as_json(), 202 if done.pending else 200, headers)


def _not_carried_out(work: Work, before: Incident, carried: Carried) -> Response:
    work.watch.look_now()
    if carried.over:
        now = doors().clock()
        after = work.watch.newest(before.reference) or before
        ended = how_it_ended(after, now) if after.ended_at else "The caller hung up just now."
        return _changed(after, ended)
    made = refusal(503, f"Twilio did not carry it out: {carried.problem}. Send it again.")
    made.headers["Retry-After"] = str(AGAIN_SECONDS)
    return made


def _not_there(work: Work, reference: str) -> Response:
    if work.watch.incident(reference) is None:
        return unknown()
    # The board can know a call a moment before the store does.
    made = refusal(503, "The call is not in the store yet. Send it again in a moment.")
    made.headers["Retry-After"] = str(AGAIN_SECONDS)
    return made


def _conflict(work: Work, reference: str, sentence: str) -> Response:
    after = None
    with suppress(StoreUnavailable):  # it answered a moment ago; the sentence says enough
        after = work.store.incident(reference)
    return refusal(409, sentence) if after is None else _changed(after, sentence)


def _changed(incident: Incident, sentence: str) -> Response:
    return refusal(
        409,
        sentence,
        handler=incident.handler,
        state=incident.state,
        connection=incident.connection,
        claimed_at=as_text(incident.claimed_at),
        ended_at=as_text(incident.ended_at),
        closed_at=as_text(incident.closed_at),
    )
