"""Many open live feeds in a process of their own, which note when each alert reached the last one.

``python -m tests.bench.feeds`` reads one task as JSON on the first line of standard input, opens
the feeds, writes ``open`` when every one was greeted, and at the next line (or when its time is
over) writes what it saw as JSON. It reads and never answers.
"""

from __future__ import annotations

import json
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import IO, Final
from urllib.parse import urlsplit

from tests.running import ROOT

LONGEST_SECONDS: Final = 240.0
MOST_FEEDS: Final = 2000
_ALERT: Final = re.compile(rb'"call_sid":"(CA[0-9a-f]{32})"[^\n]*?"signal":"confirmed"')


@dataclass(frozen=True, slots=True)
class Task:
    """Which feeds to open. ``tokens``: one for each feed in turn, when they are not all one's."""

    url: str
    token: str
    feeds: int
    seconds: float
    tokens: Sequence[str] = ()


@dataclass(slots=True)
class Heard:
    """What the feeds heard. ``reached``: for each call how many feeds, and when the last."""

    reached: dict[str, tuple[int, float]] = field(default_factory=dict)
    lost: int = 0
    """Feeds that were ended by the other side."""
    bytes: int = 0


class Listener:
    """One open feed."""

    __slots__ = ("connection", "rest", "seen")

    def __init__(self, task: Task, token: str) -> None:
        parts = urlsplit(task.url)
        self.rest = b""
        self.seen: set[bytes] = set()
        self.connection = socket.create_connection(
            (parts.hostname or "", parts.port or 80), timeout=10
        )
        self.connection.sendall(
            f"GET /live HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: text/event-stream\r\n"
            f"Authorization: Bearer {token}\r\n\r\n".encode()
        )

    def greeted(self) -> None:
        """Wait for the first message. Raises ``RuntimeError`` when the feed is refused."""
        greeting = b""
        while b"event: beat" not in greeting:
            piece = self.connection.recv(65536)
            if not piece or not (greeting + piece).startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"no feed: {(greeting + piece)[:200]!r}")
            greeting += piece
        self.connection.setblocking(False)

    def alerts(self, piece: bytes) -> list[bytes]:
        """Return the calls whose alert came whole with ``piece`` and for the first time."""
        text = self.rest + piece if self.rest else piece
        whole = text.rfind(b"\n\n") + 2
        self.rest = text[whole:] if whole > 1 else text
        found = dict.fromkeys(_ALERT.findall(text, 0, whole))
        new = [sid for sid in found if sid not in self.seen]
        self.seen.update(new)
        return new


def listen(task: Task, orders: IO[str], answers: IO[str]) -> Heard:
    """Open the feeds, say so, and listen until told to stop."""
    if task.feeds > MOST_FEEDS or task.seconds > LONGEST_SECONDS:
        raise ValueError("a run is bounded in count and in time")
    heard = Heard()
    listeners = {}
    waiting = select.poll()
    shown = task.tokens or (task.token,)
    for at in range(task.feeds):
        one = Listener(task, shown[at % len(shown)])
        one.greeted()
        listeners[one.connection.fileno()] = one
        waiting.register(one.connection, select.POLLIN)
    waiting.register(orders, select.POLLIN)
    print("open", file=answers, flush=True)
    until = time.monotonic() + task.seconds
    while time.monotonic() < until:
        for descriptor, _ in waiting.poll(200):
            if descriptor == orders.fileno():
                return heard
            one = listeners[descriptor]
            piece = one.connection.recv(262_144)
            now = time.monotonic()
            if not piece:
                heard.lost += 1
                waiting.unregister(descriptor)
                continue
            heard.bytes += len(piece)
            for sid in one.alerts(piece):
                count, _ = heard.reached.get(sid.decode(), (0, 0.0))
                heard.reached[sid.decode()] = count + 1, now
    return heard


class Listening:
    """The process with the feeds, from outside."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def stop(self) -> Heard:
        """Tell it to stop and return what it heard."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("stop\n")
        self._process.stdin.flush()
        given = json.loads(self._process.stdout.readline())
        given["reached"] = {sid: (count, at) for sid, (count, at) in given["reached"].items()}
        return Heard(**given)


@contextmanager
def listening(task: Task) -> Iterator[Listening]:
    """Keep the feeds open for as long as the block runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.feeds"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(json.dumps(asdict(task)) + "\n")
        process.stdin.flush()
        if process.stdout.readline() != "open\n":
            raise RuntimeError("the feeds could not be opened")
        yield Listening(process)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def main(arguments: Sequence[str]) -> int:
    """Do the task on standard input."""
    task = Task(**json.loads(sys.stdin.readline()))
    print(json.dumps(asdict(listen(task, sys.stdin, sys.stdout))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
