"""The watchman: proves every minute that the whole way works, and tells what stands out.

It makes a silent call of its own through the public address, marked as a proof, which must reach
the live feed of a console; it sees alerts that are stuck, calls whose end never came, and empty
desks. Whatever it finds is an alarm on every screen, and stops the outside heartbeat. It ends no
call and claims nothing.
"""

import json
import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from incidents.carrier import utc_now
from incidents.fold import as_text
from incidents.ladder import Climber
from incidents.ladder_turns import LadderTurns
from incidents.proof import NotProved, Prover
from incidents.recorded import call_key
from incidents.sealed import Keys
from incidents.silent_calls import SilentCalls
from incidents.steady import Steady, steady
from incidents.transactions import StoreUnavailable

log = logging.getLogger(__name__)

PROVE_EVERY_MS: Final = 60_000
"""The whole way is proved so often (issue text, The watchman)."""
PROVED_WITHIN_MS: Final = 10_000
"""A proof call is on the feed within this, or the way is not proved."""
TRY_AGAIN_MS: Final = 15_000
"""A proof that failed is tried again after this, so that its alarm ends soon."""
FIRST_MS: Final = 4_000
START_MS: Final = 40_000
"""While everything starts, a proof may fail without an alarm."""
MINUTE_MS: Final = 60_000
LADDER_SILENT_MS: Final = 15_000
NOBODY_MS: Final = 5_000
LAG_SECONDS: Final = 10.0
PHONE_SILENT_MS: Final = 10_000
_SHOWN: Final = 3


def in_background(name: str, work: Callable[[], None]) -> None:
    """Run ``work`` on a thread that keeps nothing alive."""
    threading.Thread(target=work, name=name, daemon=True).start()


class Watchman:
    """Looks after everything once a second. ``chores``: done once a minute, such as bringing in
    what was spooled; a sentence that one returns is an alarm. ``heartbeat``: tells somebody outside
    that all is well; raises ``OSError``."""

    name = "watchman"
    every = 1.0

    def __init__(
        self,
        *,
        keys: Keys,
        account: str,
        prover: Prover,
        climber: Climber,
        ladder: LadderTurns,
        silent_calls: SilentCalls,
        heartbeat: Callable[[], None] | None = None,
        chores: Sequence[Callable[[], object]] = (),
        training: bool = False,
        clock: Callable[[], datetime] = utc_now,
        steady: Callable[[], Steady] = steady,
        run: Callable[[str, Callable[[], None]], None] = in_background,
    ) -> None:
        self._keys = keys
        self._account = account
        self._prover = prover
        self._climber = climber
        self._ladder = ladder
        self._silent = silent_calls
        self._heartbeat = heartbeat
        self._chores = chores
        self._training = training
        self._clock = clock
        self._steady = steady
        self._run = run
        self._busy: set[str] = set()
        self._standing: dict[str, tuple[str, datetime]] = {}
        self._lock = threading.Lock()
        self._began_ms: int | None = None
        self._prove_at_ms = 0
        self._pending: tuple[str, int] | None = None
        self._came = False
        self._minute_ms = 0
        self._nobody_ms: int | None = None
        self._phones: dict[object, tuple[int, bool]] = {}

    # -- for the engine ----------------------------------------------------------

    def turn(self, behind: float) -> None:
        """Look after everything."""
        ms = self._steady().ms
        if self._began_ms is None:
            self._began_ms = ms
            self._prove_at_ms, self._minute_ms = ms + FIRST_MS, ms
        self._prove(ms)
        self._look_at_ladder(ms)
        self._look_for_people(ms)
        self._look_at_silent_calls(ms, behind)
        if ms - self._minute_ms >= MINUTE_MS:
            self._minute_ms = ms
            self._once("chores", self._do_chores)
            if self._heartbeat is not None and not self._serious(ms, behind):
                self._once("heartbeat", self._beat)

    def hear(self, datagram: bytes) -> None:
        """Take in a status beat: a console's may name proof calls that reached its feed."""
        if not datagram.startswith(b"{"):
            return
        try:
            said = json.loads(datagram)
            process = said.get("process")
            if process == "console":
                proved = [str(key) for key in said.get("proved", ())]
                with self._lock:
                    if self._pending is not None and self._pending[0] in proved:
                        self._came = True
            elif process == "phone":
                self._phones[said.get("pid")] = self._steady().ms, bool(said.get("alarms"))
        except (ValueError, TypeError, AttributeError):
            return  # not of our making

    def alarms(self) -> list[dict[str, Any]]:
        """Return the alarms that stand."""
        with self._lock:
            standing = list(self._standing.items())
        return [{"id": name, "text": text, "since": as_text(at)} for name, (text, at) in standing]

    # -- the proof ---------------------------------------------------------------

    def _prove(self, ms: int) -> None:
        with self._lock:
            pending, came = self._pending, self._came
            if pending is not None and came:
                self._pending, self._came = None, False
        if pending is not None and came:
            self._end("way-not-proved")
        elif pending is not None and ms - pending[1] > PROVED_WITHIN_MS:
            self._not_proved("a proof call did not reach the live feed within 10 s")
        elif pending is None and ms >= self._prove_at_ms:
            self._prove_at_ms = ms + PROVE_EVERY_MS
            call_sid = "CA" + secrets.token_hex(16)
            with self._lock:
                self._pending, self._came = (
                    (call_key(self._keys, self._account, call_sid), ms),
                    False,
                )
            self._once("proof", lambda: self._call(call_sid))

    def _call(self, call_sid: str) -> None:
        try:
            self._prover.prove(call_sid)
        except NotProved as error:
            self._not_proved(str(error))

    def _not_proved(self, reason: str) -> None:
        ms = self._steady().ms
        starting = self._began_ms is None or ms - self._began_ms < START_MS
        with self._lock:
            self._pending, self._came = None, False
        self._prove_at_ms = ms + (FIRST_MS if starting else TRY_AGAIN_MS)
        if not starting:
            self._raise(
                "way-not-proved",
                f"Calls may not reach this screen: {reason}. Tell the duty engineer.",
            )

    # -- alerts and people -------------------------------------------------------

    def _look_at_ladder(self, ms: int) -> None:
        past, overdue = self._climber.standing.past_the_last, self._climber.standing.overdue
        self._set(
            "alert-stuck",
            f"Nobody has {_named(past)}, and every rung of the ladder was climbed. Claim now.",
            bool(past),
        )
        self._set(
            "rung-overdue",
            f"The ladder is late for {_named(overdue)}. Claim now, and tell the duty engineer.",
            bool(overdue),
        )
        climbed = self._ladder.climbed_ms
        last = climbed if climbed is not None else self._began_ms
        self._set(
            "ladder-silent",
            "The ladder stands still: alerts do not climb. Watch the board.",
            last is not None and ms - last > LADDER_SILENT_MS,
        )

    def _look_at_silent_calls(self, ms: int, behind: float) -> None:
        climbed = self._ladder.climbed_ms
        if behind or climbed is None or ms - climbed > LADDER_SILENT_MS:
            return  # what is heard of calls does not reach the store: their silence says nothing
        for text in self._silent.look(ms, lambda work: self._once("silent calls", work)):
            self._raise("call-silent", text)
        if not self._silent.troubled:
            self._end("call-silent")

    def _look_for_people(self, ms: int) -> None:
        # In training the newcomer's own screen is the only one there is.
        if self._training or not self._climber.nobody:
            self._nobody_ms = None
            self._end("nobody-on-duty")
            return
        self._nobody_ms = ms if self._nobody_ms is None else self._nobody_ms
        if ms - self._nobody_ms >= NOBODY_MS:
            self._raise(
                "nobody-on-duty", "Nobody is on duty: alerts go to the control room at once."
            )

    # -- once a minute -----------------------------------------------------------

    def _do_chores(self) -> None:
        for chore in self._chores:
            try:
                told = chore()
            except StoreUnavailable as error:
                log.warning("a chore waits for the store: %s", error)
            except Exception as error:
                # Broad on purpose: one chore that fails must not keep the others from being done.
                log.error("a chore failed: %s", type(error).__name__, exc_info=True)
            else:
                if isinstance(told, str) and told:
                    self._raise("audit-log", f"{told} Ask whoever runs this system to look.")
                elif isinstance(told, str):
                    self._end("audit-log")

    def _serious(self, ms: int, behind: float) -> bool:
        """Say whether anything stands that somebody outside must notice."""
        with self._lock:
            own = self._standing.keys() - {"heartbeat-failed", "audit-log"}
        if own or behind > LAG_SECONDS:
            return True
        phones = list(self._phones.items())
        self._phones = {pid: one for pid, one in phones if ms - one[0] <= PHONE_SILENT_MS}
        heard = [alarmed for _, alarmed in self._phones.values()]
        return not heard or any(heard)

    def _beat(self) -> None:
        assert self._heartbeat is not None
        try:
            self._heartbeat()
        except OSError as error:
            log.warning("the heartbeat failed: %s", error.strerror or type(error).__name__)
            self._raise(
                "heartbeat-failed",
                "The outside heartbeat could not be sent: whoever watches it may call.",
            )
        else:
            self._end("heartbeat-failed")

    # -- alarms ------------------------------------------------------------------

    def _once(self, name: str, work: Callable[[], None]) -> None:
        """Run ``work`` in the background unless the same is still under way."""

        def run() -> None:
            try:
                work()
            finally:
                with self._lock:
                    self._busy.discard(name)

        with self._lock:
            if name in self._busy:
                return
            self._busy.add(name)
        self._run(name, run)

    def _set(self, name: str, text: str, standing: bool) -> None:
        if standing:
            self._raise(name, text)
        else:
            self._end(name)

    def _raise(self, name: str, text: str) -> None:
        with self._lock:
            since = self._standing.get(name, ("", self._clock()))[1]
            self._standing[name] = text, since

    def _end(self, name: str) -> None:
        with self._lock:
            self._standing.pop(name, None)


def _named(references: Sequence[str]) -> str:
    shown = ", ".join(references[:_SHOWN])
    more = len(references) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
