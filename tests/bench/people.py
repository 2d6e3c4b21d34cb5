"""Handlers with tokens, their keep-alive connections, and a Twilio that notes when it was asked.

What is measured is the console's; nobody here waits for anything but its answers.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

from config.policy import load_policy
from config.settings import load
from incidents.accounts import Accounts
from incidents.audit import Audit
from incidents.sealed import Keys
from incidents.store import Store
from tests import running
from tests.bench import traffic
from tests.bench.figures import Untrue
from tests.waiting import eventually

LIST: Final = "/api/v1/incidents"
_CALL: Final = re.compile(r"/Calls/(CA[0-9a-f]{32})")
_LATER: Final = re.compile(rb'<(?:Gather|Dial)[^>]*? action="([^"]+)"')


class Twilio:
    """Twilio's REST API, as far as orders to live calls go. ``asked``: for each call, when."""

    def __init__(self) -> None:
        self.asked: dict[str, list[float]] = defaultdict(list)
        asked = self.asked

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                found = _CALL.search(self.path)
                if found:
                    asked[found[1]].append(time.monotonic())
                self.rfile.read(int(self.headers.get("content-length") or 0))
                sid = found[1] if found else "CA" + "f" * 32
                body = json.dumps({"sid": sid, "status": "in-progress"}).encode()
                self.send_response(200 if found else 201)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def staffed(settings: dict[str, str]) -> Iterator[tuple[running.Quietline, Twilio]]:
    """Run Quietline with orders going to a Twilio of ours."""
    twilio = Twilio()
    try:
        with running.quietline({**settings, "TWILIO_API_URL": twilio.url}) as quietline:
            yield quietline, twilio
    finally:
        twilio.close()


def accounts_of(settings: dict[str, str], data: Any) -> Accounts:
    """Open the accounts of a site."""
    read = load(settings, data)
    keys = Keys(read.key_material)
    engine = Store(read.database_url, keys).engine
    roles = load_policy(read).roles
    return Accounts(engine, keys, roles, audit=Audit(engine, keys))


def tokens(quietline: running.Quietline, names: Sequence[str]) -> list[str]:
    """Make each of ``names`` a handler's token."""
    accounts = accounts_of(quietline.settings, quietline.data)
    now = datetime.now(UTC)
    return [accounts.add_token(name, now=now, role="handler") for name in names]


def session(quietline: running.Quietline, name: str) -> str:
    """Sign somebody in as a handler and return the session's cookie."""
    accounts = accounts_of(quietline.settings, quietline.data)
    now = datetime.now(UTC)
    password = accounts.add_user(name, None, now=now)
    user = accounts.check_password(name, password)
    assert user is not None
    return accounts.begin_session(user, now=now)


class Handler:
    """One handler's program, with a connection that stays open."""

    def __init__(self, quietline: running.Quietline, token: str) -> None:
        place = urlsplit("http://" + quietline.settings["QUIETLINE_CONSOLE_BIND"])
        self._connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=20)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._lock = threading.Lock()

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any, float]:
        """Send one request. Returns status, content and how many milliseconds it took."""
        sent = None if body is None else json.dumps(body)
        with self._lock:
            began = time.monotonic()
            self._connection.request(method, path, sent, self._headers)
            answer = self._connection.getresponse()
            content = answer.read()
            took = (time.monotonic() - began) * 1000
        return answer.status, json.loads(content), took

    def reference(self, call_sid: str) -> str:
        """Return the reference of a call, once the store has it."""

        def found() -> Any:
            _, told, _ = self.ask("GET", f"{LIST}?call_sid={call_sid}")
            return told["incidents"]

        eventually(lambda: bool(found()), 20)
        return str(found()[0]["reference"])


class Caller:
    """A caller who follows the documents and presses keys."""

    def __init__(self, site: traffic.Site, series: int, number: int) -> None:
        self.sid = traffic.call_sid(series, number)
        self._site = site
        self._number = traffic.caller(number)
        self._next = "/voice/incoming"
        self._does((("CallStatus", "ringing"),))

    def press(self, keys: str) -> float:
        """Press keys. Returns when the request was sent, by the steady clock."""
        return self._does((("Digits", keys), ("msg", "Gather End")))

    def _does(self, fields: traffic.Fields) -> float:
        step = traffic.Step(self._next, fields)
        sent = traffic.request(self._site, step, self.sid, self._number)
        began = time.monotonic()
        document = traffic.exchange(self._site, sent)
        found = _LATER.search(document)
        if found is None:
            raise Untrue(f"a caller was not kept: {document[:200]!r}")
        self._next = urlsplit(found[1].decode().replace("&amp;", "&")).path
        return began


def site_of(quietline: running.Quietline) -> traffic.Site:
    """Return where callers reach this Quietline."""
    return traffic.Site(quietline.phone_url, quietline.account_sid, quietline.auth_token)
