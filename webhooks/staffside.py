"""What is said to whoever is rung for a caller, and what is recorded of it. No I/O.

Their side hears what this is before anybody is joined to a caller; a caller who strays here is
kept on the line.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from callflow.contact import ContactLine
from callflow.keys import from_url
from incidents.orders import Order
from incidents.recorded import Recorded
from incidents.sealed import Keys
from webhooks import ordered, parameters
from webhooks.callbacks import CallBackDocuments
from webhooks.documents import HANG_UP, Documents
from webhooks.reaching import Take
from webhooks.records import Records

CALL_KEY: Final = re.compile(r"[0-9a-f]{40}\Z")


@dataclass(frozen=True, slots=True)
class Answer:
    """What to put on the disk first, and what to say then. ``document`` is empty for a 204."""

    events: Sequence[Recorded]
    document: bytes
    unwritten: bool
    """Whether that may be said although the events could not be written anywhere. Where not, the
    control room is rung, or the line held: a caller nobody wrote down is never let go."""


class StaffSide(ABC):
    """Answers to the phones of whoever is rung, for one site."""

    _keys: Keys
    _documents: Documents
    _records: Records
    _contact: ContactLine
    _call_backs: CallBackDocuments

    @abstractmethod
    def lost(self, params: dict[str, str], now: datetime, where: str) -> Answer:
        """Keep a caller who came to an address of ours that is not theirs."""

    def whisper(self, path: str, params: dict[str, str], now: datetime) -> Answer:
        """Somebody has picked up: tell that side, and that side only, what this is."""
        word, language, call, signal, step_text, claimed, sealed, *_ = [
            *path.split("/"),
            *[""] * 7,
        ]
        order = ordered.opened(sealed, self._keys)
        if order is not None and order.service:
            # Outside nobody is told what was pressed, nor that the police have the call.
            document = self._documents.whisper("service", language, "")
        else:
            document = self._documents.whisper(
                word, language, _spaced(signal), claimed=claimed == ordered.CLAIMED
            )
        if not CALL_KEY.match(call) or not step_text.isascii() or not step_text.isdigit():
            return Answer([], document, unwritten=True)
        connected = self._records.beside(
            "connected",
            call,
            int(step_text[:18]),
            now,
            ordered.joined(order),
            place=step_text,
            call_sid=parameters.short(params, "ParentCallSid"),
        )
        return Answer([connected], document, unwritten=True)

    def page(self, sealed: str, params: dict[str, str], now: datetime) -> Answer:
        """Somebody of ours is rung: a call waits, or a conference is to be listened to."""
        order = self._page(sealed)
        if order is None:
            return self._no_page(sealed, params, now)
        if not order.room:
            return Answer([], self._documents.page(order.language, sealed), unwritten=True)
        told = ordered.joined(order)
        joined = self._records.beside("connected", order.call_key, 0, now, told, place=order.id)
        document = self._documents.listen(order.language, order.room)
        return Answer([joined], document, unwritten=True)

    def page_answer(self, sealed: str, params: dict[str, str], now: datetime) -> Answer:
        """Somebody who was rung pressed a key: 1 says that they take the call."""
        order = self._page(sealed)
        if order is None:
            return self._no_page(sealed, params, now)
        keys = parameters.keys(params)
        if ordered.TAKE not in keys:
            return Answer([], HANG_UP, unwritten=True)
        told = {"order": order.id, "name": order.name, "keys": keys}
        taken = self._records.beside("page_answered", order.call_key, 0, now, told, place=order.id)
        return Answer([taken], self._documents.taken(order.language), unwritten=True)

    def take(self, sealed: str, params: dict[str, str], now: datetime) -> Answer:
        """Somebody has picked up on the line for known victims: do they take the call?"""
        asked = Take.open(sealed, self._keys)
        if asked is None:
            return self._no_page(sealed, params, now)
        return Answer(
            [], self._documents.take(self._contact, asked.language, sealed), unwritten=True
        )

    def take_answer(self, sealed: str, params: dict[str, str], now: datetime) -> Answer:
        """They pressed a key: 1 takes the call, and the two are joined."""
        asked = Take.open(sealed, self._keys)
        if asked is None:
            return self._no_page(sealed, params, now)
        if ordered.TAKE not in parameters.keys(params):
            return Answer([], HANG_UP, unwritten=True)
        connected = self._records.beside(
            "connected",
            asked.call_key,
            asked.step,
            now,
            {"to": asked.name},
            place=f"take|{asked.step}",
            call_sid=parameters.short(params, "ParentCallSid"),
        )
        return Answer(
            [connected], self._documents.took(self._contact, asked.language), unwritten=True
        )

    def call_back(self, sealed: str, part: str, params: dict[str, str], now: datetime) -> Answer:
        """An officer's own phone is rung, then a known person's; what is not ours rings nobody."""
        order = self._call_backs.order(sealed)
        if order is None:
            return self._no_page(sealed, params, now)
        events, document = self._call_backs.told(order, sealed, part, params, now)
        return Answer(events, document, unwritten=True)

    def _page(self, sealed: str) -> Order | None:
        order = ordered.opened(sealed, self._keys)
        good = order is not None and order.what == "page" and CALL_KEY.match(order.call_key)
        return order if good else None

    def _no_page(self, sealed: str, params: dict[str, str], now: datetime) -> Answer:
        if parameters.outbound(params):
            return Answer([], HANG_UP, unwritten=True)
        return self.lost(params, now, sealed)  # whoever rings us is a caller, and is kept


def _spaced(signal: str) -> str:
    """Write the keys of a whisper's URL as they are read out, one by one."""
    try:
        return " ".join(from_url(signal))
    except ValueError:
        return ""
