"""Twilio's REST API for calls, as far as a live call needs it; the product's ``TWILIO_API_URL``.

It answers GET, list, update and create of calls, and fails to order. It never reaches anybody:
a call that the product places is handed to the exchange, which plays the far end, and is kept
in ``outbound`` for a test to look at. It refuses to ring an emergency number.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit

from simulator.call import Call, new_sid
from simulator.moments import Ordered, Request
from simulator.people import is_emergency

_ROUTE = re.compile(
    r"/2010-04-01/Accounts/(?P<account>[^/]+)/Calls(?:/(?P<call>[^/]+?))?(?:\.json)?/?"
)
PAGE_SIZE = 50
LONGEST_SHOWN = 64


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer; ``hangs`` seconds pass before it comes."""

    status: int
    body: Mapping[str, object]
    hangs: float = 0.0

    @property
    def content(self) -> bytes:
        """The JSON text."""
        return json.dumps(self.body).encode()


def failure(status: int, code: int, message: str) -> Reply:
    """Return an error as Twilio words it."""
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Reply(status, {"code": code, "message": message, "more_info": more, "status": status})


NO_SUCH_THING = failure(404, 20404, "The requested resource was not found")
WRONG_TOKEN = failure(401, 20003, "Authenticate")
TOO_MANY_REQUESTS = failure(429, 20429, "Too Many Requests")
INTERNAL_ERROR = failure(500, 20500, "Internal Server Error")
# "error 21220 when the call is over".
CALL_IS_OVER = failure(400, 21220, "Call is not in-progress. Cannot redirect.")
BAD_URL = failure(400, 21205, "Url is not a valid URL")
NO_ONE_TO_RING = failure(400, 21201, "No 'To' number specified")
NO_CALLER = failure(400, 21213, "'From' phone number required")
_RUNG = re.compile(r"\+?[0-9]{3,15}|client:\S+|sip:\S+")
_ABSOLUTE = re.compile(r"https?://[^/\s]+\S*")


def no_answer(seconds: float) -> Reply:
    """Return an answer that comes too late for a client with a shorter timeout."""
    return Reply(503, {"code": 20503, "message": "Service Unavailable", "status": 503}, seconds)


@dataclass(frozen=True, slots=True)
class Outbound:
    """A call the product placed. Rule 7: it may do so only because a person decided it."""

    sid: str
    form: Mapping[str, str]

    @property
    def to(self) -> str:
        """The number that is rung."""
        return self.form["To"]

    @property
    def caller(self) -> str:
        """The number that is shown to whoever is rung: ``From``."""
        return self.form["From"]

    @property
    def url(self) -> str:
        """Where the document stands that is played to whoever answers."""
        return self.form.get("Url", "")


# Takes up a call that was created; returns it, and what starts it once the order is answered.
Placing = Callable[[str, Mapping[str, str]], tuple[Call, Callable[[], None]]]


@dataclass(slots=True)
class Rest:
    """One account's calls. ``faults`` are played first, one for each request."""

    account_sid: str
    auth_token: str
    calls: dict[str, Call] = field(default_factory=dict)
    outbound: list[Outbound] = field(default_factory=list)
    orders: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    faults: deque[Reply] = field(default_factory=deque)
    # Plays a call that is created; None: it is only recorded.
    place: Placing | None = None
    # What was asked for and must never be, such as a call to 999.
    complaints: list[str] = field(default_factory=list)

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request; ``target`` is its path with the query."""
        if not self.authorised(headers.get("authorization", "")):
            return WRONG_TOKEN
        if self.faults:
            return self.faults.popleft()
        path, query = urlsplit(target).path, urlsplit(target).query
        place = _ROUTE.fullmatch(path)
        if place is None or place["account"] != self.account_sid:
            return NO_SUCH_THING
        # StatusCallbackEvent comes once for each event; the names are kept with spaces between.
        form = {
            name: " ".join(values) if name == "StatusCallbackEvent" else values[-1]
            for name, values in parse_qs(body.decode("utf-8", "replace"), True).items()
        }
        if place["call"] is None:
            if method == "POST":
                return self._create(form)
            filters = {name: values[-1] for name, values in parse_qs(query).items()}
            return self._list(path, filters)
        call = self.calls.get(place["call"])
        if call is None:
            return NO_SUCH_THING
        return self._update(call, form) if method == "POST" else Reply(200, resource(call))

    def authorised(self, header: str) -> bool:
        """Whether an ``Authorization`` header carries the account's name and token."""
        kind, _, value = header.partition(" ")
        try:
            given = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        wanted = f"{self.account_sid}:{self.auth_token}"
        return kind.lower() == "basic" and hmac.compare_digest(given.encode(), wanted.encode())

    def _update(self, call: Call, form: Mapping[str, str]) -> Reply:
        """Carry out ``client.calls(sid).update(...)``, which "interrupts at once"."""
        self.orders.append((call.sid, form))
        # A call that we place and that still rings can be cancelled, not sent elsewhere.
        early = call.leg.direction == "outbound-api" and call.leg.status in ("queued", "ringing")
        if call.over or (early and "Status" not in form):
            return CALL_IS_OVER
        if form.get("Status") in ("completed", "canceled"):
            request = None
        elif form.get("Twiml"):
            request = Request("", twiml=form["Twiml"])
        elif _ABSOLUTE.fullmatch(form.get("Url", "")):
            request = Request(form["Url"])
        else:
            return BAD_URL
        call.note("order", f"a REST order arrives: {_shortened(form)}")
        reply = Reply(200, resource(call))
        # Twilio answers the order first and then asks for the document. Orders are lined up
        # here, so that of two orders the later one also comes later.
        call.announce(Ordered(request))
        threading.Thread(target=call.carry_out, daemon=True).start()
        return reply

    def _create(self, form: Mapping[str, str]) -> Reply:
        to = form.get("To", "")
        if not to:
            return NO_ONE_TO_RING
        if not form.get("From"):
            return NO_CALLER
        if is_emergency(to):
            self.complaints.append(f"21211: a call to the emergency number {to} was asked for")
        if is_emergency(to) or not _RUNG.fullmatch(to):
            return failure(
                400, 21211, f"The phone number you are attempting to call, {to}, is not valid."
            )
        if not form.get("Twiml") and not _ABSOLUTE.fullmatch(form.get("Url", "")):
            return BAD_URL
        sid = new_sid("CA")
        self.outbound.append(Outbound(sid, form))
        if self.place is not None:
            call, start = self.place(sid, form)
            reply = Reply(201, resource(call))
            start()
            return reply
        body = {"sid": sid, "account_sid": self.account_sid, "to": to, "from": form["From"]}
        return Reply(201, {**body, "status": "queued", "direction": "outbound-api"})

    def _list(self, path: str, filters: Mapping[str, str]) -> Reply:
        size = min(1000, int(filters.get("PageSize", PAGE_SIZE)))
        page = int(filters.get("Page", 0))
        found = [
            call
            for call in reversed(list(self.calls.values()))
            if filters.get("Status", call.leg.status) == call.leg.status
            and filters.get("From", call.leg.caller) == call.leg.caller
            and filters.get("To", call.leg.called) == call.leg.called
            and _in_time(call, filters)
        ]
        more = f"{path}?PageSize={size}&Page={page + 1}" if len(found) > (page + 1) * size else None
        shown = found[page * size : (page + 1) * size]
        return Reply(
            200,
            {
                "calls": [resource(call) for call in shown],
                "page": page,
                "page_size": size,
                "first_page_uri": f"{path}?PageSize={size}&Page=0",
                "next_page_uri": more,
                "previous_page_uri": None,
                "uri": path,
                "start": page * size,
                "end": page * size + max(0, len(shown) - 1),
            },
        )


def _shortened(form: Mapping[str, str]) -> str:
    """Say what an order wants; a URL may hold a whole sealed order, which nobody can read."""
    text = form.get("Url") or form.get("Status") or "TwiML"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _in_time(call: Call, filters: Mapping[str, str]) -> bool:
    started = call.started_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    after, before = filters.get("StartTime>", ""), filters.get("StartTime<", "9999")
    return after <= started and started[: len(before)] <= before


def resource(call: Call) -> dict[str, object]:
    """Return a call as Twilio's API shows it."""
    leg = call.leg
    ended = None if call.ended_at is None else call.started_at + timedelta(seconds=call.ended_at)
    return {
        "sid": leg.sid,
        "account_sid": leg.account_sid,
        "parent_call_sid": None,
        "to": leg.called,
        "to_formatted": leg.called,
        "from": leg.caller,
        "from_formatted": leg.caller,
        "phone_number_sid": "",
        "status": leg.status,
        "direction": leg.direction,
        "api_version": "2010-04-01",
        "start_time": format_datetime(call.started_at),
        "end_time": None if ended is None else format_datetime(ended),
        "duration": str(call.duration) if call.over else None,
        "date_created": format_datetime(call.started_at),
        "date_updated": format_datetime(call.started_at),
        "price": None,
        "price_unit": "USD",
        "uri": f"/2010-04-01/Accounts/{leg.account_sid}/Calls/{leg.sid}.json",
    }


Answering = Callable[[str, str, Mapping[str, str], bytes], Reply]
