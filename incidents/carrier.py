"""Carries orders out: one request to Twilio's REST API each, and what became of it on record.

Never two requests for one order at a time, and never two for one call: Twilio does what it hears
last, and a claim's slow hold must not cut off the question that followed it. An order whose
process died before it was sent is found again (``sweep``): what keeps or connects a caller is sent
late, a question never is, for it would be spoken into a call that has moved on. A hold that Twilio
does not take is sent again for minutes, for a timer may let a claimed caller go without it. It
decides no order itself.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLong
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, select, update

from incidents.orders import CallOver, LiveCalls, NotCarriedOut
from incidents.placing import FAILED, SENT, WAITING, Placed, place_of, placed_in
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import incidents, orders
from incidents.transactions import StoreUnavailable, next_revision, reading, writing
from incidents.working import write_entry

log = logging.getLogger(__name__)

LEFT_FOR: Final = timedelta(seconds=2)
"""An order that waits for longer was left behind by a process that died."""
TOO_LATE: Final = timedelta(seconds=60)
"""After this neither a connection nor a ring is sent late: the ladder has gone on."""
TOUCH_EVERY: Final = 0.7
"""Seconds after which an order that is still being sent says so to other processes' sweeps."""
AT_ONCE: Final = 16
"""Requests under way at once; the others wait for their turn."""
MOST_TRIES: Final = 30
"""Times an order is taken up again: each time the process that took it died, or it would be sent
or failed. An engine that is killed again and again must not cost a caller the bridge."""
HOLD_FOR: Final = timedelta(minutes=10)
"""For so long a hold is tried, however often Twilio refuses it (rule 10)."""
LONGEST_PAUSE: Final = timedelta(seconds=15)
"""Between two tries of a refused hold, which come ever more seldom."""
LATE: Final = ("hold", "connect", "page")
_LONGEST_PROBLEM: Final = 200
UNREAD: Final = "it cannot be read"
"""Why an order is not sent whose record is damaged. The ladder goes on without it."""

Outcome = Literal["sent", "failed", "waiting"]


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of an order. ``waiting``: still being sent when patience ran out.

    ``over``: it failed because the call is over. ``problem``: why it failed, in words.
    """

    id: str
    state: Outcome
    over: bool = False
    problem: str = ""


def utc_now() -> datetime:
    """Return the time: aware UTC."""
    return datetime.now(UTC)


class Carrier:
    """Sends orders through ``calls`` on threads of its own, which never keep a process alive."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        calls: LiveCalls,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store = store
        self._keys = keys
        self._calls = calls
        self._clock = clock
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._under_way: dict[str, Future[Carried]] = {}
        self._began: dict[str, float] = {}
        # The latest order to each call: the next one is sent after it.
        self._latest: dict[str, Future[Carried]] = {}
        self._unwritten: dict[str, tuple[Placed, Carried]] = {}
        self._keeper: threading.Thread | None = None

    def carry(self, placed: Placed, *, patience: float) -> Carried:
        """Send an order and say what became of it, waiting at most ``patience`` seconds.

        An order that is under way already is waited for, not sent again. When patience runs out
        the sending goes on by itself.
        """
        try:
            return self._start(placed).result(patience)
        except TooLong:
            return Carried(placed.id, "waiting")

    def carry_later(self, several: Iterable[Placed]) -> None:
        """Send orders in the background."""
        for placed in several:
            self._start(placed)

    def drop(self, placed: Placed, problem: str) -> None:
        """Mark an order that must not be sent any more as failed; ``problem`` says why."""
        self._write(placed, Carried(placed.id, "failed", problem=problem))

    @property
    def under_way(self) -> int:
        """How many orders are being sent just now."""
        with self._lock:
            return len(self._under_way)

    def sweep(self, now: datetime) -> list[Placed]:
        """Take up orders that were left behind. Returns those that are sent now.

        Raises ``StoreUnavailable``. Of two engines that sweep at once one takes each order.
        """
        with self._lock:
            unwritten = list(self._unwritten.values())
        for placed, carried in unwritten:
            self._write(placed, carried)
        with reading(self._store.engine) as connection:
            left = connection.execute(select(orders).where(orders.c.state == WAITING)).all()
        taken = []
        for row in left:
            # Either way: a clock that was put back must not hide an order for an hour.
            pause = LEFT_FOR
            if row.problem is not None:
                pause = min(LEFT_FOR * max(1, row.tries), LONGEST_PAUSE)
            if abs(now - (row.done_at or row.at)) <= pause or self._knows(row.id):
                continue
            if (placed_late := self._take(row, now)) is not None:
                taken.append(placed_late)
        self.carry_later(taken)
        return taken

    def _knows(self, order: str) -> bool:
        with self._lock:
            return order in self._under_way or order in self._unwritten

    def _take(self, row: Row[Any], now: datetime) -> Placed | None:
        """Make an order left behind ours, or mark it failed; None: not to be sent."""
        with writing(self._store.engine) as connection:
            mine = connection.execute(
                update(orders)
                .where(
                    orders.c.id == row.id,
                    orders.c.state == WAITING,
                    orders.c.tries == row.tries,
                    orders.c.done_at.is_(None)
                    if row.done_at is None
                    else orders.c.done_at == row.done_at,
                )
                .values(done_at=now, tries=row.tries + 1)
            )
            if not mine.rowcount:
                return None
            unread = Placed(
                row.id, row.call_key, "", self._keys.reference(row.call_key), row.what, row.by, ""
            )
            placed = self._store.unread.attempt(
                row.data, place_of(row), lambda: placed_in(row, self._keys), unread
            )
            problem = UNREAD if placed is unread else _too_late(connection, row, now)
            if problem:
                _fail(connection, self._keys, placed, problem, now)
                return None
        return placed

    def _start(self, placed: Placed) -> Future[Carried]:
        with self._lock:
            known = self._under_way.get(placed.id)
            if known is not None:
                return known
            future: Future[Carried] = Future()
            self._under_way[placed.id] = future
            self._began[placed.id] = time.monotonic()
            before = None
            if placed.what != "page":  # a ring is a call of its own
                before = self._latest.get(placed.call_sid)
                self._latest[placed.call_sid] = future
            if self._keeper is None:
                self._keeper = threading.Thread(target=self._touch, daemon=True)
                self._keeper.start()
        threading.Thread(target=self._run, args=(placed, future, before), daemon=True).start()
        return future

    def _run(self, placed: Placed, future: Future[Carried], before: Future[Carried] | None) -> None:
        if before is not None:
            before.result()
        with self._turns:
            carried = self._send(placed)
        # Whoever waits is told first: the record follows within milliseconds.
        future.set_result(carried)
        try:
            self._write(placed, carried)
        finally:
            with self._lock:
                self._under_way.pop(placed.id, None)
                self._began.pop(placed.id, None)
                if self._latest.get(placed.call_sid) is future:
                    del self._latest[placed.call_sid]

    def _asked_since(self, placed: Placed) -> bool:
        """Say whether the caller has asked for a handler since they were to be let go."""
        with reading(self._store.engine) as connection:
            at = connection.scalar(select(orders.c.at).where(orders.c.id == placed.id))
            alerted_at = connection.scalar(
                select(incidents.c.alerted_at).where(incidents.c.call_key == placed.call_key)
            )
        return at is not None and alerted_at is not None and alerted_at > at

    def _send(self, placed: Placed) -> Carried:
        try:
            if placed.what == "page":
                if not placed.to:
                    raise NotCarriedOut("there is no number that can be read")
                self._calls.ring(placed.to, placed.caller_id, placed.path)
            elif placed.what == "let_go" and self._asked_since(placed):
                raise NotCarriedOut("the caller has pressed a key or was heard since")
            else:
                self._calls.play(placed.call_sid, placed.path)
        except CallOver:
            return Carried(placed.id, "failed", over=True, problem="the call is over")
        except NotCarriedOut as error:
            return Carried(placed.id, "failed", problem=str(error)[:_LONGEST_PROBLEM])
        except Exception as error:
            # Broad on purpose: an order that was given is sent or told as failed, never lost.
            log.exception("an order could not be sent")
            return Carried(placed.id, "failed", problem=f"our own fault ({type(error).__name__})")
        return Carried(placed.id, "sent")

    def _write(self, placed: Placed, carried: Carried) -> None:
        """Put on record what became of an order; kept for the next sweep if the store is down."""
        now = self._clock()
        try:
            with writing(self._store.engine) as connection:
                if carried.state == "failed" and placed.what == "hold" and not carried.over:
                    _put_off(connection, self._keys, placed, carried.problem, now)
                elif carried.state == "failed":
                    _fail(connection, self._keys, placed, carried.problem, now)
                else:
                    connection.execute(
                        update(orders)
                        .where(orders.c.id == placed.id, orders.c.state == WAITING)
                        .values(state=SENT, tries=orders.c.tries + 1, done_at=now, problem=None)
                    )
        except StoreUnavailable:
            with self._lock:
                self._unwritten[placed.id] = placed, carried
            return
        with self._lock:
            self._unwritten.pop(placed.id, None)

    def _touch(self) -> None:
        """Say of every order that takes long that it is still being sent."""
        pause = threading.Event()
        while True:
            pause.wait(TOUCH_EVERY)
            with self._lock:
                before = time.monotonic() - TOUCH_EVERY
                slow = [order for order, began in self._began.items() if began <= before]
                if not self._began:
                    self._keeper = None
                    return
            if not slow:
                continue
            try:
                with writing(self._store.engine) as connection:
                    connection.execute(
                        update(orders)
                        .where(orders.c.id.in_(slow), orders.c.state == WAITING)
                        .values(done_at=self._clock())
                    )
            except StoreUnavailable as error:
                log.warning("orders under way could not be marked: %s", error)


def _too_late(connection: Connection, row: Row[Any], now: datetime) -> str:
    """Say why an order that was left behind must not be sent any more; empty when it may."""
    if row.what not in LATE:
        return "it was left behind, and is not said into a call that has moved on"
    if row.tries >= MOST_TRIES and row.problem is None:
        return "it was tried too often"
    if row.problem is not None and now - row.at > HOLD_FOR:
        return "it was tried for too long"
    later = select(orders.c.id).where(
        orders.c.call_key == row.call_key,
        orders.c.what != "page",
        orders.c.step > row.step,
    )
    if row.what != "page" and connection.scalar(later.limit(1)) is not None:
        return "a later order took its place"
    if row.what != "hold" and now - row.at > TOO_LATE:
        return "it was left behind for too long"
    return ""


def _put_off(
    connection: Connection, keys: Keys, placed: Placed, problem: str, now: datetime
) -> None:
    """Leave a hold that was not taken to a later sweep, and tell the timeline, once."""
    mine = orders.c.id == placed.id, orders.c.state == WAITING
    before = connection.execute(select(orders.c.problem).where(*mine)).first()
    if before is None:
        return
    put_off = {"tries": orders.c.tries + 1, "done_at": now, "problem": problem}
    connection.execute(update(orders).where(*mine).values(put_off))
    if before.problem is None:
        _tell(connection, keys, placed, problem, now, again=True)


def _fail(connection: Connection, keys: Keys, placed: Placed, problem: str, now: datetime) -> None:
    """Mark an order failed and tell the timeline, once."""
    failed = connection.execute(
        update(orders)
        .where(orders.c.id == placed.id, orders.c.state == WAITING)
        .values(state=FAILED, tries=orders.c.tries + 1, done_at=now, problem=problem)
    )
    if failed.rowcount:
        _tell(connection, keys, placed, problem, now)


def _tell(
    connection: Connection, keys: Keys, placed: Placed, problem: str, now: datetime, **more: bool
) -> None:
    """Tell the timeline, and every screen, that an order was not carried out."""
    told = {"by": placed.by, "order": placed.id, "what": placed.what, "problem": problem, **more}
    if placed.what == "page":
        write_entry(
            connection, keys, placed.call_key, "page_failed", {**told, "name": placed.name}, at=now
        )
    else:
        write_entry(connection, keys, placed.call_key, "order_failed", told, at=now)
    connection.execute(
        update(incidents)
        .where(incidents.c.call_key == placed.call_key)
        .values(revision=next_revision(connection))
    )
