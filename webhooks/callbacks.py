"""A call-back as the phone side plays it: the officer presses 1, then a known person's phone rings.

The number travels sealed in the order's address, and only an order of ours rings anybody. An
officer's voicemail presses nothing, so nobody is rung; an order that is too old rings nobody; and
nothing is ever said or left for whoever answers.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from callflow.lines import E164, EMERGENCY
from incidents.callback_policy import CallBackPolicy
from incidents.orders import Order
from incidents.recorded import Recorded
from incidents.sealed import Keys
from webhooks import ordered, parameters
from webhooks.documents import HANG_UP, NOTHING, Documents
from webhooks.records import Records

PARTS: Final = ("answer", "answered", "machine", "ended")
"""What follows a sealed order in an address: the officer's key, the person's phone was picked up,
by whom or what, the call is over."""
MACHINES: Final = ("machine", "fax")
"""How Twilio's word begins for what answered and is no person."""
CLOCKS_APART: Final = timedelta(minutes=1)
"""By so much the clock of the machine where it was asked for may go ahead of this one."""


class CallBackDocuments:
    """Answers for the call-backs of one site."""

    def __init__(
        self, policy: CallBackPolicy, keys: Keys, documents: Documents, records: Records
    ) -> None:
        self._policy = policy
        self._keys = keys
        self._documents = documents
        self._records = records

    def order(self, sealed: str) -> Order | None:
        """Return the order in an address, or None where it is none of ours or may not ring."""
        order = ordered.opened(sealed, self._keys)
        good = (
            order is not None
            and order.what == "callback"
            and E164.match(order.to)
            and E164.match(order.shown)
            and not EMERGENCY.match(order.to)
        )
        return order if good else None

    def told(
        self, order: Order, sealed: str, part: str, params: dict[str, str], now: datetime
    ) -> tuple[list[Recorded], bytes]:
        """Return what is recorded and said. ``part``: one of ``PARTS``, or empty at first."""
        told: dict[str, object]
        match part:
            case "answer":
                return self._pressed(order, sealed, params, now)
            case "answered":
                return [self._record("callback_answered", order, now)], NOTHING
            case "machine":
                by = parameters.short(params, "AnsweredBy")
                machine = by.startswith(MACHINES)
                told = {"answered_by": by}
                return [self._record("callback_machine", order, now, **told)] * machine, NOTHING
            case "ended":
                told = {"status": parameters.short(params, "DialCallStatus")}
                if (seconds := parameters.number(params, "DialCallDuration")) is not None:
                    told["duration"] = seconds
                return [self._record("callback_ended", order, now, **told)], HANG_UP
        if self._too_old(order, now):
            return [], HANG_UP
        words = self._policy.script.whisper
        return [], self._documents.call_back(order.language, words, sealed)

    def _pressed(
        self, order: Order, sealed: str, params: dict[str, str], now: datetime
    ) -> tuple[list[Recorded], bytes]:
        late = self._too_old(order, now)
        if late or ordered.TAKE not in parameters.keys(params):
            return [self._record("callback_not_taken", order, now, late=late)], HANG_UP
        ring = self._policy.ring_seconds
        document = self._documents.ring_out(sealed, order.to, order.shown, ring)
        # The officer's own leg: what ends the call should a machine answer.
        leg = parameters.call_sid(params) or ""
        return [self._record("callback_taken", order, now, leg=leg)], document

    def _too_old(self, order: Order, now: datetime) -> bool:
        """Say whether it was asked for too long ago, as its id (UUID version 7) tells, or whether
        the hour is safe no longer.
        """
        try:
            if order.until and now >= datetime.fromisoformat(order.until):
                return True
            asked_ms = int(order.id.replace("-", "")[:12], 16)
            asked = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=asked_ms)
        except (ValueError, OverflowError, TypeError):
            return True
        return (
            not timedelta()
            <= now - asked + timedelta(minutes=1)
            <= (self._policy.rings_within + timedelta(minutes=1))
        )

    def _record(self, kind: str, order: Order, now: datetime, **told: object) -> Recorded:
        # A name of its own: it is no caller's call, and no incident is made of it.
        call = self._keys.look_up(f"callback|{order.id}")
        data = {"callback": order.id, **told}
        return self._records.beside(kind, call, 0, now, data, place=order.id)
