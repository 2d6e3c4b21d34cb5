"""Bad transport, against the real server on a real port, as ``run.py`` starts it."""

from __future__ import annotations

import gzip
import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from incidents.recorded import Recorded, unseal
from incidents.sealed import Keys, read_secret
from incidents.tail import Tail
from tests.running import ACCOUNT_SID, AUTH_TOKEN, ROOT, environment, live_settings
from tests.waiting import eventually
from tests.webhooks import twimlrules
from tests.webhooks.requests import FORM, Pairs, call, form, signature

STEP = "/voice/step/signal.4.1798000000.1.00.0.0.0.0.0-"
Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer from the wire."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Server:
    """The phone process, running."""

    settings: dict[str, str]

    @property
    def url(self) -> str:
        """The public address, as configured."""
        return self.settings["QUIETLINE_PUBLIC_URL"]

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, _, port = self.settings["QUIETLINE_PHONE_BIND"].rpartition(":")
        return host, int(port)

    def connect(self) -> socket.socket:
        """Open a connection of one's own."""
        return socket.create_connection(self.address, timeout=15)

    def send(self, path: str, body: bytes, headers: Headers, method: str = "POST") -> Reply:
        """Send one request exactly as given and return the answer."""
        connection = http.client.HTTPConnection(*self.address, timeout=15)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", "phone")
            for name, value in headers:
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            found = {k.lower(): v for k, v in answer.getheaders()}
            return Reply(answer.status, found, answer.read())
        finally:
            connection.close()

    def sign(self, path: str, pairs: Pairs) -> tuple[str, str]:
        """Return the signature header for a request."""
        return "X-Twilio-Signature", signature(self.url + path, pairs, AUTH_TOKEN)

    def post(self, path: str, pairs: Pairs, headers: Headers | None = None) -> Reply:
        """Post a signed form."""
        given = [self.sign(path, pairs), ("Content-Type", FORM), *(headers or [])]
        return self.send(path, form(pairs), given)

    def events(self) -> list[Recorded]:
        """Return every event once: a slow disk's one may be in the spare journal as well."""
        data = Path(self.settings["QUIETLINE_DATA"])
        keys = Keys(read_secret((data / "keys").read_text(encoding="ascii")))
        tail = Tail([data / "journal", data / "journal-spare"])
        try:
            found = {event.key: event for _, _, event in tail.read(100_000)}
            return [unseal(event, keys) for event in found.values()]
        finally:
            tail.close()

    def keeps(self, reply: Reply) -> list[str]:
        """Return why a caller could be lost over this answer."""
        if reply.status != 200:
            return [f"status {reply.status}"]
        kind = reply.headers.get("content-type", "")
        wrong = twimlrules.faults(reply.body, self.url, kind)
        return wrong + twimlrules.keeps_the_caller(reply.body, self.url)


def mine(sid: str, **more: str) -> Pairs:
    """Return a call of the account the server is set up for."""
    return call(sid=sid, AccountSid=ACCOUNT_SID, **more)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The phone process alone, with its two workers."""
    settings = live_settings(tmp_path_factory.mktemp("phone") / "data")
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "run.py"), "phone"],
        cwd=ROOT,
        env=environment(settings),
        stdin=subprocess.DEVNULL,
        process_group=0,
    )
    running = Server(settings)

    def ready() -> bool:
        assert process.poll() is None
        try:
            return running.send("/readyz", b"", [], "GET").status == 200
        except OSError:
            return False

    try:
        eventually(ready, 30)
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


KINDS = (
    None, "", FORM, f"{FORM}; charset=utf-7", f"{FORM}; charset=utf-16", "multipart/form-data",
    "multipart/form-data; boundary=x", "text/plain", "application/json", "nonsense",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_signed_55_is_heard_under_any_content_type(server: Server, kind: str | None) -> None:
    """faults.md: "wrong or missing content type, multipart, utf-7, utf-16"."""
    sid = f"CAkind{KINDS.index(kind)}"
    pairs = mine(sid, Digits="55")
    headers = [server.sign(STEP, pairs)]
    if kind is not None:
        headers.append(("Content-Type", kind))
    assert server.keeps(server.send(STEP, form(pairs), headers)) == []
    assert [e.data["keys"] for e in server.events() if e.call_sid == sid] == ["55"]


def test_an_unsigned_request_of_any_kind_is_refused_and_leaves_nothing(server: Server) -> None:
    """403, whatever the headers say."""
    for kind in KINDS:
        headers = [("Content-Type", kind)] if kind is not None else []
        for path in ("/voice/incoming", "/voice/status", "/voice/fallback", STEP, "/voice/x"):
            reply = server.send(path, form(mine("CAunsigned")), headers)
            assert (reply.status, reply.body) == (403, b"not signed\n")
    assert [event for event in server.events() if event.call_sid == "CAunsigned"] == []


def test_a_gzip_bomb_costs_nothing_and_a_gzipped_form_that_was_signed_is_read(
    server: Server,
) -> None:
    """A megabyte of nothing is unpacked at most; then it is no form of ours."""
    bomb = gzip.compress(b"Digits=" + b"5" * 200_000_000, 9)
    headers = [("Content-Encoding", "gzip"), ("Content-Type", FORM)]
    forged = ("X-Twilio-Signature", signature(server.url, [], AUTH_TOKEN))
    began = time.monotonic()
    assert server.send("/voice/incoming", bomb, [*headers, forged]).status == 403
    assert time.monotonic() - began < 1
    pairs = mine("CAgzip", Digits="55")
    good = server.send(STEP, gzip.compress(form(pairs)), [*headers, server.sign(STEP, pairs)])
    assert server.keeps(good) == []
    assert [e.data["keys"] for e in server.events() if e.call_sid == "CAgzip"] == ["55"]


@pytest.mark.parametrize("size", [65_536, 1_000_000])
def test_a_very_long_value_is_read(server: Server, size: int) -> None:
    """64 kB and 1 MB, plain and in another script; Flask alone refuses more than 500 kB."""
    for letter in ("a", "é"):
        pairs = mine("CAlong", SpeechResult=letter * (size // len(letter.encode())))
        assert server.keeps(server.post(STEP, pairs)) == []
        kinds = [e.kind for e in server.events() if e.call_sid == "CAlong"]
        assert "sound_heard" in kinds


def test_ten_thousand_fields_are_read(server: Server) -> None:
    """Flask alone refuses more than a thousand."""
    pairs = [*mine("CAfields"), *((f"f{at}", "x") for at in range(10_000))]
    assert server.keeps(server.post(STEP, pairs)) == []


def test_an_8_kb_cookie_changes_nothing(server: Server) -> None:
    """A header nobody asked for is not a reason to drop a caller."""
    pairs = mine("CAcookie")
    assert server.keeps(server.post(STEP, pairs, [("Cookie", "a=" + "b" * 8190)])) == []


def test_two_signature_headers_are_refused(server: Server) -> None:
    """Even two good ones."""
    pairs = mine("CAtwice")
    headers = [server.sign(STEP, pairs), server.sign(STEP, pairs), ("Content-Type", FORM)]
    assert server.send(STEP, form(pairs), headers).status == 403


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_any_method_but_post_is_refused(server: Server, method: str) -> None:
    """faults.md: "any method but POST: 405"."""
    for path in ("/voice/incoming", "/voice/status", "/voice/fallback", STEP, "/voice/x"):
        pairs = mine("CAmethod")
        headers = [server.sign(path, pairs), ("Content-Type", FORM)]
        assert server.send(path, form(pairs), headers, method).status == 405


# Twilio signs the address as it was written, so the server must hand it on undecoded.
@pytest.mark.parametrize(
    "path",
    [
        "/voice/incoming?a=1&b=2", "/voice/incoming?", "/voice/%7Etilde", "/voice/a%2Fb",
        "/voice/~tilde", "/voice//incoming", "/voice/%C3%A9", "/voice/incoming?x=%2F%7E",
        "/voice/incoming/", "/voice/%00", "/voice/%FF", "/voice/a;b=c", "/voice/../voice/incoming",
    ],
)  # fmt: skip
def test_the_address_is_checked_as_it_came_over_the_wire(server: Server, path: str) -> None:
    """``%7E`` stays ``%7E``, and a bare ``?`` does not matter."""
    assert server.keeps(server.post(path, mine("CAraw"))) == []
    forged = [server.sign(path + "x", mine("CAraw")), ("Content-Type", FORM)]
    assert server.send(path, form(mine("CAraw")), forged).status == 403


def test_spoofed_hosts_and_proxies_change_nothing(server: Server) -> None:
    """Neither a good request is lost by them, nor a bad one made good."""
    spoofed = [
        ("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-For", "1.2.3.4"), ("Forwarded", "host=evil.example"),
    ]  # fmt: skip
    assert server.keeps(server.post(STEP, mine("CAspoof"), spoofed)) == []
    made = ("X-Twilio-Signature", signature(f"https://evil.example{STEP}", mine("CA"), AUTH_TOKEN))
    assert server.send(STEP, form(mine("CA")), [made, *spoofed]).status == 403


def answered_within(server: Server, sid: str) -> float:
    """Return how long a caller waits for an answer."""
    began = time.monotonic()
    assert server.keeps(server.post("/voice/incoming", mine(sid))) == []
    return time.monotonic() - began


def test_sixty_slow_bodies_delay_nobody(server: Server) -> None:
    """Slow senders hold a connection each, never a worker."""
    head = (
        f"POST /voice/incoming HTTP/1.1\r\nHost: phone\r\nContent-Type: {FORM}\r\n"
        "Content-Length: 100000\r\n\r\nCallSid=CA1"
    )
    with ExitStack() as stack:
        slow = [stack.enter_context(server.connect()) for _ in range(60)]
        for connection in slow:
            connection.sendall(head.encode())
        for at in range(10):
            for connection in slow:
                connection.sendall(b"&")
            assert answered_within(server, f"CAslow{at}") < 1


def test_a_body_that_never_ends_is_given_up(server: Server) -> None:
    """After ten seconds; Twilio itself would have given up at fifteen."""
    with server.connect() as connection:
        connection.sendall(
            b"POST /voice/incoming HTTP/1.1\r\nHost: phone\r\nContent-Length: 9\r\n\r\nCall"
        )
        assert connection.recv(100).startswith(b"HTTP/1.1 408")


def test_a_slow_body_that_was_signed_is_answered(server: Server) -> None:
    """Slow is not wrong."""
    pairs = mine("CAdrip", Digits="55")
    body = form(pairs)
    name, value = server.sign(STEP, pairs)
    head = (
        f"POST {STEP} HTTP/1.1\r\nHost: phone\r\nContent-Type: {FORM}\r\n{name}: {value}\r\n"
        f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with server.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(head.encode())
        for at in range(0, len(body), 7):
            connection.sendall(body[at : at + 7])
        received = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert received.startswith(b"HTTP/1.1 200")
    assert b"stay on the line" in received


def test_a_stranger_who_sends_millions_of_fields_delays_nobody(server: Server) -> None:
    """Eight megabytes of ``a&`` once kept a worker busy for nine seconds."""
    forged = ("X-Twilio-Signature", signature(server.url, [], "forged"))
    bodies = (b"a&" * 3_500_000, b"%41=1&" * 1_200_000, b"SpeechResult=" + b"%C3%A9" * 1_200_000)
    headers = [forged, ("Content-Type", FORM)]
    with ThreadPoolExecutor() as pool:
        sent = [pool.submit(server.send, "/voice/incoming", body, headers) for body in bodies * 2]
        took = [answered_within(server, f"CAflood{at}") for at in range(10)]
        while not all(each.done() for each in sent):
            took.append(answered_within(server, f"CAflood{len(took)}"))
    assert max(took) < 1
    assert [each.result().status for each in sent] == [403] * 6


def test_more_than_any_caller_could_say_is_refused(server: Server) -> None:
    """There is a limit, far above a megabyte of speech."""
    with server.connect() as connection:
        connection.sendall(
            b"POST /voice/incoming HTTP/1.1\r\nHost: phone\r\nContent-Length: 99000000\r\n\r\n"
        )
        try:
            for _ in range(99):
                connection.sendall(b"a" * 1_000_000)
        except OSError:
            pass  # it hung up while we were still talking
        else:
            assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_after_all_that_the_phone_is_ready_and_nothing_was_lost(server: Server) -> None:
    """The last word of this file: every call that was answered is in the journal."""
    assert server.send("/readyz", b"", [], "GET").status == 200
    assert server.keeps(server.post("/voice/incoming", mine("CAlast"))) == []
    calls = {event.call_sid for event in server.events()}
    assert calls >= {"CAlast", "CAgzip", "CAlong", "CAfields", "CAcookie", "CAdrip", "CAslow9"}
    assert "CAtwice" not in calls
