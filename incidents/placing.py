"""Puts an order on record, inside the transaction that decides it.

An order is written before it is sent, so that one that was decided is never lost, and
its step lies above every step of the call before it. This module sends nothing.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, func, select

from callflow.profiles import Profile
from incidents.fold import Incident
from incidents.orders import STEPS_APART, Order, What, order_path, page_path, state_after
from incidents.recorded import milliseconds
from incidents.sealed import Keys
from incidents.tables import orders

WAITING: Final = "waiting"
"""On record and not sent yet."""
SENT: Final = "sent"
FAILED: Final = "failed"
LADDER: Final = "ladder"
"""Who gave an order that no person gave."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An order on record, ready to be carried out: a call to play to, or a number to ring.

    ``path``: behind the public URL, what Twilio fetches. ``to``: E.164 for a ``page``, else empty;
    then ``caller_id`` is the line's number that is shown to whoever is rung.
    """

    id: str
    call_key: str
    call_sid: str
    reference: str
    what: What
    by: str
    path: str
    to: str = ""
    caller_id: str = ""
    name: str = ""


def place(
    connection: Connection,
    keys: Keys,
    incident: Incident,
    order: Order,
    *,
    by: str,
    at: datetime,
    profile: Profile,
    once: str = "",
) -> Placed | None:
    """Write ``order`` for the call of ``incident``; inside ``transactions.writing`` only.

    ``by``: a person's name, or ``ladder``. ``once``: what makes the order one however often it is
    given (40 characters at most). Returns None when an order with this ``once`` is there already.
    """
    once = once or order.id
    if connection.scalar(select(orders.c.id).where(orders.c.once == once)) is not None:
        return None
    of_this_call = select(func.max(orders.c.step)).where(orders.c.call_key == incident.call_key)
    step = max(
        milliseconds(at),
        (connection.scalar(of_this_call) or 0) + STEPS_APART,
        incident.last_step + STEPS_APART if incident.last_step > STEPS_APART else 0,
    )
    rings = order.what == "page"
    placed = Placed(
        id=order.id,
        call_key=incident.call_key,
        call_sid=incident.call_sid,
        reference=incident.reference,
        what=order.what,
        by=by,
        path=page_path(order, keys)
        if rings
        else order_path(
            state_after(incident, step, profile, claimed=by != LADDER or bool(incident.handler)),
            order,
            keys,
        ),
        to=order.to if rings else "",
        caller_id=(incident.called or "") if rings else "",
        name=order.name,
    )
    told = {"placed": asdict(placed), "order": asdict(order)}
    sealed = keys.seal(json.dumps(told).encode(), f"orders|{order.id}|data")
    connection.execute(
        orders.insert().values(
            id=order.id,
            call_key=incident.call_key,
            by=by,
            what=order.what,
            step=step,
            once=once,
            data=sealed,
            state=WAITING,
            tries=0,
            at=at,
        )
    )
    return placed


def of_request(connection: Connection, call_key: str, by: str, at: datetime) -> list[Row[Any]]:
    """Return the orders that one request of a person led to, as they stand now."""
    query = select(orders).where(orders.c.call_key == call_key, orders.c.by == by)
    return list(connection.execute(query.where(orders.c.at == at).order_by(orders.c.step)))


def placed_in(row: Row[Any], keys: Keys) -> Placed:
    """Return the order in a row of ``orders``, to be carried out (again)."""
    return Placed(**_told(row, keys)["placed"])


def order_in(row: Row[Any], keys: Keys) -> Order:
    """Return what the order in a row of ``orders`` says."""
    return Order(**_told(row, keys)["order"])


def place_of(row: Row[Any]) -> str:
    """Return for which place the data of a row of ``orders`` is sealed."""
    return f"orders|{row.id}|data"


def _told(row: Row[Any], keys: Keys) -> Any:
    return json.loads(keys.open(row.data, place_of(row)))
