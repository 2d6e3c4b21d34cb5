"""Orders as the phone side meets them: from a sealed order to an event of the rules.

An order that cannot be opened, or that rings a number it must not, is no event: the line
is then held. Nothing here is decided about the call.
"""

import re
from typing import Final

from callflow.events import (
    ConnectionOrdered,
    Event,
    HoldOrdered,
    PartingOrdered,
    QuestionAnswered,
    QuestionOrdered,
)
from callflow.lines import E164
from callflow.questions import Replies
from incidents.history import CONTROL_ROOM
from incidents.orders import BadOrder, Order
from incidents.sealed import Keys
from webhooks import parameters

CLAIMED: Final = "claimed"
"""Stands in a whisper's address when a handler has the call."""
TAKE: Final = "1"
"""The key with which somebody who is rung takes the call."""
OF_ORDERS: Final = frozenset(
    (HoldOrdered, QuestionOrdered, ConnectionOrdered, PartingOrdered, QuestionAnswered)
)
"""Kinds of event that come of an order, so that their records tell which."""
_SEALED: Final = re.compile(r"[A-Za-z0-9_-]{1,4000}\Z")
_ROOM: Final = re.compile(r"[A-Za-z0-9-]{1,64}\Z")


def opened(sealed: str, keys: Keys) -> Order | None:
    """Return the order in an address, or None where it is not of our making."""
    if not _SEALED.match(sealed):
        return None
    try:
        return Order.open(sealed, keys)
    except BadOrder:
        return None


def event(order: Order) -> Event | None:
    """Return the event an order is to the rules; None where nothing can be made of it."""
    match order.what:
        case "hold":
            return HoldOrdered("stay" if order.say == "stay" else "")
        case "reassure":
            return HoldOrdered("reassure", order.language)
        case "language":
            return HoldOrdered("stay", order.language)
        case "ask" if order.text:
            return QuestionOrdered(order.language)
        case "connect" if E164.match(order.to):
            return ConnectionOrdered(conference=False)
        case "conference" if _ROOM.match(order.room):
            return ConnectionOrdered(conference=True)
        case "let_go":
            return PartingOrdered()
    return None


def answered(replies: Replies, params: dict[str, str]) -> QuestionAnswered:
    """Return what a question's Gather brought, by the profile's way to answer."""
    if not params.get("Digits"):
        return QuestionAnswered("none", "")
    keys = parameters.keys(params)
    return QuestionAnswered(replies.read(keys), keys)


def joined(order: Order | None) -> dict[str, object]:
    """Say for the record who was joined to the caller."""
    if order is None:
        return {"to": CONTROL_ROOM}
    return {"to": order.label or CONTROL_ROOM, "order": order.id}
