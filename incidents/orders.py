"""An order to a live call: what it says, how it travels, and who carries it out.

An order travels sealed in the address that Twilio is told to fetch, so that the phone
side can speak a question without asking the store, and nobody who reads an address
learns what was asked. This module rings nobody and decides nothing.
"""

import base64
import binascii
import json
from dataclasses import asdict, dataclass, fields
from typing import Final, Literal, Protocol, get_args

from callflow.call import Call, Stage
from callflow.keys import shorten
from callflow.profiles import Profile
from incidents.fold import Incident
from incidents.sealed import CannotOpen, Keys

What = Literal[
    "hold", "ask", "reassure", "language", "connect", "conference", "let_go", "page", "callback"
]
WHATS: Final[tuple[What, ...]] = get_args(What)
ORDER_PATH: Final = "/voice/order/"
"""Followed by the call's state and the sealed order: what Twilio is told to fetch."""
PAGE_PATH: Final = "/voice/page/"
"""Followed by the sealed order: what somebody of ours hears when they are rung."""
CALL_BACK_PATH: Final = "/voice/call-back/"
"""Followed by the sealed order: what the officer who asked for a call-back hears."""
STEPS_APART: Final = 1000
"""An order's step lies at least so far above every step before it, so that no key pressed on the
document it interrupts is ever taken for one pressed after it."""
MUTED: Final = "a muted conference"
"""Who a caller is with whom we only listen to. Nobody can speak to them there, and whether anybody
listens is not known: the ladder does not count it as somebody."""
_PLACE: Final = "order"


class BadOrder(ValueError):
    """A sealed order cannot be read: it is not of our making, or was cut."""


class CallOver(Exception):
    """The call an order was meant for is over (Twilio's error 21220, or no such call)."""


class NotCarriedOut(Exception):
    """Twilio did not carry an order out, after every try. ``str`` says why, without a number."""


@dataclass(frozen=True, slots=True)
class Order:
    """One order. Fields that an order of its kind does not need are empty.

    ``language``: to speak in, such as ``en-GB``. ``question``: its id in questions.toml, or
    ``free``. ``text``: the words to say. ``to``: E.164, who is rung. ``label``: who that is, in
    words for the timeline. ``room``: the conference's name. ``say``: the prompt that begins a hold.
    ``call_key`` and ``name``: of a ``page``, the call it is about and the person who is rung.
    ``service``: id of the service outside that is rung; empty: ``to`` is a phone of ours.
    ``shown``: of a ``callback``, the line's number that the person who is rung sees.
    ``until``: from when it is not safe to ring them, UTC; empty: the order's age alone bounds it.
    """

    id: str
    what: What
    language: str
    question: str = ""
    text: str = ""
    to: str = ""
    label: str = ""
    room: str = ""
    say: str = ""
    call_key: str = ""
    name: str = ""
    service: str = ""
    shown: str = ""
    until: str = ""

    def seal(self, keys: Keys) -> str:
        """Write the order for an address: unreserved ASCII, about 1.4 characters a byte."""
        plain = {name: value for name, value in asdict(self).items() if value}
        sealed = keys.seal(json.dumps(plain, separators=(",", ":")).encode(), _PLACE)
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    @classmethod
    def open(cls, token: str, keys: Keys) -> "Order":
        """Read what ``seal`` wrote. Raises ``BadOrder`` on anything else."""
        try:
            sealed = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            if base64.urlsafe_b64encode(sealed).decode().rstrip("=") != token:
                # The last character has bits that say nothing: one order has one address.
                raise BadOrder("not written by us")
            plain = json.loads(keys.open(sealed, _PLACE))
            known = {field.name for field in fields(cls)}
            order = cls(**{name: plain[name] for name in known & plain.keys()})
        except (CannotOpen, binascii.Error, ValueError, TypeError, AttributeError) as error:
            raise BadOrder("not of our making") from error
        if order.what not in WHATS:
            raise BadOrder("an order of a later release")
        return order


class LiveCalls(Protocol):
    """The door to Twilio's REST API. ``webhooks.livecalls`` is the real one.

    Every method may take seconds and is safe to repeat. ``path`` begins with a slash and is put
    behind the public URL.
    """

    def play(self, call_sid: str, path: str) -> None:
        """Have a live call fetch the document at ``path`` at once.

        Raises ``CallOver`` and ``NotCarriedOut``.
        """

    def ring(self, to: str, caller_id: str, path: str) -> str:
        """Ring ``to`` (E.164, staff or the control room only) and play it the document at ``path``.

        Returns the new call's SID. Raises ``NotCarriedOut``, also for an emergency number.
        """

    def status(self, call_sid: str) -> str:
        """Return the call's status at Twilio, such as ``in-progress`` or ``completed``.

        Raises ``CallOver`` when Twilio knows no such call, and ``NotCarriedOut``.
        """


def state_after(incident: Incident, step: int, profile: Profile, *, claimed: bool = True) -> Call:
    """Return the state from which an order's document goes on, made from what the record says.

    ``claimed``: a person has the caller, so the hold is without limit (rule 10) and nobody is rung
    by a timer. A caller whom only the ladder joins to somebody is not let go either, but the phone
    side's backstop still stands behind: the engine may be gone when that ends. All keys so
    far come along, those of answers too, so that the second 5 is known as the second; and how often
    something was asked, so that how to answer is told with the first question.
    """
    pressed = [answer.keys for answer in incident.answers]
    return Call(
        stage=Stage.HOLD,
        step=step,
        began=int(incident.started_at.timestamp()),
        asked=min(len(incident.answers), 9),
        keys=shorten("".join((incident.keys, *pressed)), profile.signal),
        heard=incident.signal != "nothing",
        claimed=claimed,
        lost=not claimed,
        language=incident.language or "",
    )


def order_path(call: Call, order: Order, keys: Keys) -> str:
    """Return the path of an order's document."""
    return f"{ORDER_PATH}{call.write()}/{order.seal(keys)}"


def call_back_path(order: Order, keys: Keys) -> str:
    """Return the path of what the officer who asked for a call-back hears."""
    return f"{CALL_BACK_PATH}{order.seal(keys)}"


def page_path(order: Order, keys: Keys) -> str:
    """Return the path of what the person who is rung hears."""
    return f"{PAGE_PATH}{order.seal(keys)}"
