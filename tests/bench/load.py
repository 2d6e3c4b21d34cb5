"""The load generator: a process of its own, raw sockets, bounded in count and in time.

``python -m tests.bench.load`` reads one task as JSON on standard input, builds every request
before the clock starts, and writes what it saw as JSON. It runs anywhere Python runs. It talks to
the loopback address only, checks every answer, and follows nothing.
"""

from __future__ import annotations

import gc
import ipaddress
import json
import select
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Final, Literal

from tests.bench import traffic
from tests.running import ROOT

STUCK_SECONDS: Final = 10.0
"""Seconds without any answer after which a run is given up."""
LONGEST_SECONDS: Final = 60.0
MOST_CALLS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Task:
    """What to send. ``rate`` 0: each connection sends as soon as it was answered (closed loop).

    ``steps`` empty: the bare route. ``calls``: how many are built; the run ends when they are used
    up or ``seconds`` have passed. With a ``rate``, requests leave on the clock's tick whether or
    not earlier ones were answered, and their time counts from the tick.
    """

    site: traffic.Site
    steps: tuple[traffic.Step, ...]
    series: int
    seconds: float
    connections: int = 32
    rate: float = 0.0
    calls: int = 0


@dataclass(slots=True)
class Seen:
    """What came back. Times in milliseconds."""

    answered: int = 0
    failed: int = 0
    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    first_failure: str = ""

    @property
    def per_second(self) -> float:
        """Good answers a second."""
        return self.answered / self.seconds if self.seconds else 0.0


def run(task: Task) -> Seen:
    """Run one task in a process of its own and return what it saw."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load"],
        cwd=ROOT,
        input=json.dumps(asdict(task)),
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS * 3,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the load generator failed: {done.stderr[-2000:]}")
    return Seen(**json.loads(done.stdout))


def read_task(text: str) -> Task:
    """Read a task written as JSON. Raises ``ValueError`` for what this must not do."""
    given = json.loads(text)
    site = traffic.Site(**given.pop("site"))
    steps = tuple(
        traffic.Step(step["path"], tuple((k, v) for k, v in step["fields"]))
        for step in given.pop("steps")
    )
    task = Task(site=site, steps=steps, **given)
    if not ipaddress.ip_address(task.site.address[0]).is_loopback:
        raise ValueError("load is sent to the loopback address only")
    if task.seconds > LONGEST_SECONDS or task.calls > MOST_CALLS:
        raise ValueError("a run is bounded in time and in count")
    return task


class Queue:
    """Hands out requests: one call's steps in order, each connection a call of its own."""

    def __init__(self, task: Task) -> None:
        self._calls = iter(traffic.calls(task.site, task.steps, task.calls, task.series))
        self._bare = None if task.steps else traffic.hello(task.site)
        self._left: dict[int, list[bytes]] = {}

    def next(self, connection: int) -> bytes | None:
        """Return the next request for a connection, or None when all calls are used up."""
        if self._bare is not None:
            return self._bare
        left = self._left.get(connection)
        if not left:
            left = list(reversed(next(self._calls, [])))
            self._left[connection] = left
        return left.pop() if left else None


class Connections:
    """Open connections, each with at most one request under way."""

    def __init__(self, task: Task) -> None:
        self.seen = Seen()
        self._kind: Literal["hello", "call"] = "call" if task.steps else "hello"
        self._sockets: dict[int, socket.socket] = {}
        self._began: dict[int, float] = {}
        self._received: dict[int, bytes] = {}
        self.poll = select.poll()
        for _ in range(task.connections):
            one = socket.create_connection(task.site.address, timeout=5)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            one.setblocking(False)
            self._sockets[one.fileno()] = one
            self.poll.register(one, select.POLLIN)
        self.idle = list(self._sockets)

    def send(self, connection: int, request: bytes, at: float) -> None:
        """Send one request; its time counts from ``at``."""
        self._began[connection] = at
        self._received[connection] = b""
        if self._sockets[connection].send(request) != len(request):
            raise RuntimeError("a request did not fit into the socket's buffer")

    def under_way(self) -> int:
        """How many requests are not answered yet."""
        return len(self._began)

    def waiting(self) -> list[int]:
        """The connections on which an answer is to come."""
        return list(self._began)

    def receive(self, connection: int) -> bool:
        """Take what came. Returns whether the answer is complete."""
        piece = self._sockets[connection].recv(65536)
        received = self._received[connection]
        received = received + piece if received else piece
        whole = traffic.body_end(received)
        if piece and (whole is None or len(received) < whole):
            self._received[connection] = received
            return False
        took = time.perf_counter() - self._began.pop(connection)
        self._judge(received, took)
        if not piece:
            raise RuntimeError(f"the server closed a connection: {received[:200]!r}")
        return True

    def _judge(self, received: bytes, took: float) -> None:
        good = (
            received.startswith(b"HTTP/1.1 200") and received.endswith(b"</Response>")
            if self._kind == "call"
            else received.startswith(b"HTTP/1.1 200")
        )
        if good or (self._kind == "call" and received.startswith(b"HTTP/1.1 204")):
            self.seen.answered += 1
            self.seen.times.append(took * 1000)
            return
        self.seen.failed += 1
        self.seen.first_failure = self.seen.first_failure or repr(received[:300])

    def close(self) -> None:
        """Close every connection."""
        for one in self._sockets.values():
            one.close()


def closed_loop(task: Task) -> Seen:
    """Keep every connection busy until the time or the calls are over."""
    queue, connections = Queue(task), Connections(task)
    gc.disable()
    began = time.perf_counter()
    until, last = began + task.seconds, began
    for connection in connections.idle:
        if request := queue.next(connection):
            connections.send(connection, request, time.perf_counter())
    while connections.under_way():
        ready = connections.poll.poll(1000)
        now = time.perf_counter()
        if not ready and now - last > STUCK_SECONDS:
            connections.seen.failed += connections.under_way()
            connections.seen.first_failure = f"no answer for {STUCK_SECONDS} s"
            break
        for connection, _ in ready:
            if connections.receive(connection):
                last = now = time.perf_counter()
                request = queue.next(connection) if now < until else None
                if request is not None:
                    connections.send(connection, request, now)
    connections.seen.seconds = time.perf_counter() - began
    connections.close()
    return connections.seen


def open_loop(task: Task) -> Seen:
    """Send on the clock's tick; a request that finds no free connection waits, and its time runs.

    Lanes stand for calls: each keeps its steps in order, one at a time.
    """
    queue, connections = Queue(task), Connections(task)
    ticks = int(task.seconds * task.rate)
    late: list[float] = []
    idle = connections.idle
    gc.disable()
    began = last = time.perf_counter()
    sent = 0
    while sent < ticks or late or connections.under_way():
        now = time.perf_counter()
        while sent < ticks and began + sent / task.rate <= now:
            late.append(began + sent / task.rate)
            sent += 1
        while late and idle:
            connection = idle.pop(0)
            request = queue.next(connection)
            if request is None:
                raise RuntimeError("too few calls were built for this rate")
            connections.send(connection, request, late.pop(0))
        due = began + sent / task.rate - time.perf_counter() if sent < ticks else 1.0
        # select waits to the microsecond; poll only to the millisecond.
        ready, _, _ = select.select(connections.waiting(), [], [], max(0.0, due))
        for connection in ready:
            if connections.receive(connection):
                idle.append(connection)
                last = time.perf_counter()
        if time.perf_counter() - last > STUCK_SECONDS:
            connections.seen.failed += connections.under_way() + len(late)
            connections.seen.first_failure = f"no answer for {STUCK_SECONDS} s"
            break
    connections.seen.seconds = time.perf_counter() - began
    connections.close()
    return connections.seen


def main(arguments: Sequence[str]) -> int:
    """Do the task on standard input."""
    task = read_task(sys.stdin.read())
    seen = open_loop(task) if task.rate else closed_loop(task)
    json.dump(asdict(seen), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
