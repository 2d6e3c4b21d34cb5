"""Calls that have been silent for minutes: is the caller still there, or did the end never come?

Twilio's report of a call's end may never arrive. After minutes without an event Twilio itself is
asked; a call that is over there is recorded as over here. It ends no call.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from incidents.carrier import utc_now
from incidents.drain import Drain
from incidents.fold import Incident
from incidents.ladder_open import Unfinished
from incidents.orders import CallOver, LiveCalls, NotCarriedOut
from incidents.recorded import Recorded, event_key, seal
from incidents.sealed import Keys
from incidents.transactions import StoreUnavailable

log = logging.getLogger(__name__)

SILENT_MS: Final = 180_000
"""A held line reports every few seconds; one silent for so long has ended, or something is wrong
(telephony.md: ask the REST API about calls silent for minutes)."""
AT_ONCE: Final = 5
NAMED: Final = 3
"""Calls the alarm names: an alarm of four lines takes the room of a call's questions."""
OVER: Final = frozenset(("completed", "busy", "failed", "no-answer", "canceled"))
GONE: Final = "gone"
"""Status recorded of a call that Twilio knows nothing of."""


class SilentCalls:
    """Finds them among what is not over, asks, and records ends."""

    def __init__(
        self,
        unfinished: Unfinished,
        calls: LiveCalls,
        drain: Drain,
        keys: Keys,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._unfinished = unfinished
        self._calls = calls
        self._drain = drain
        self._keys = keys
        self._clock = clock
        self._asked: dict[str, int] = {}
        self._trouble: dict[str, tuple[int, str]] = {}
        self._unknown: set[str] = set()
        """Calls Twilio did not know when asked last: once may be a mistake of its own."""

    @property
    def troubled(self) -> bool:
        """Whether any call is silent though it is not over."""
        return bool(self._trouble)

    def look(self, ms: int, run: Callable[[Callable[[], None]], None]) -> Iterable[str]:
        """Have silent calls asked about through ``run``. Returns what stands out, in words."""
        known = dict(self._unfinished.calls)
        silent = {
            call: one
            for call, one in known.items()
            if one.incident.connection == "open" and ms - one.ms >= SILENT_MS
        }
        for call in self._asked.keys() - silent.keys():
            self._asked.pop(call, None)
        self._unknown &= silent.keys()
        for call in list(self._trouble):
            if call not in silent:
                self._trouble.pop(call, None)
        due = [
            one.incident
            for call, one in silent.items()
            if ms - self._asked.get(call, ms - SILENT_MS) >= SILENT_MS
        ][:AT_ONCE]
        if due:
            for incident in due:
                self._asked[incident.call_key] = ms
            run(lambda: self._ask(due, ms))
        if not self._trouble:
            return []
        named = sorted(text for _, text in self._trouble.values())
        told = ", ".join(named[:NAMED])
        if len(named) > NAMED:
            told += f" and {len(named) - NAMED} more"
        return [f"A line is open but silent for minutes: {told}. Speak to the caller or look."]

    def _ask(self, silent: Iterable[Incident], ms: int) -> None:
        for incident in silent:
            call = incident.call_key
            try:
                status = self._calls.status(incident.call_sid)
            except CallOver:
                status = GONE
            except NotCarriedOut as error:
                log.warning("a silent call could not be asked about: %s", error)
                self._trouble[call] = ms, f"{incident.reference} (Twilio does not answer)"
                continue
            if status == GONE and call not in self._unknown:
                self._unknown.add(call)
                self._trouble[call] = ms, f"{incident.reference} (Twilio does not know it)"
                continue
            self._unknown.discard(call)
            if status in OVER or status == GONE:
                self._trouble.pop(call, None)
                try:
                    ended = seal(self._ended(incident, status), self._keys)
                    if self._drain.record_each([ended]):
                        self._trouble[call] = ms, f"{incident.reference} (its end is not recorded)"
                except StoreUnavailable as error:
                    log.warning("the end of a call could not be recorded: %s", error)
            elif incident.bridged:
                # Joined to somebody: they talk, and nothing is expected of the caller.
                self._trouble.pop(call, None)
            else:
                self._trouble[call] = ms, incident.reference

    def _ended(self, incident: Incident, status: str) -> Recorded:
        at = self._clock()
        return Recorded(
            key=event_key(self._keys, incident.call_key, 0, "call_ended", "asked"),
            call_key=incident.call_key,
            call_sid=incident.call_sid,
            month=incident.started_at.strftime("%Y-%m"),
            step=0,
            kind="call_ended",
            at=at.replace(microsecond=at.microsecond // 1000 * 1000),
            data={
                "line": incident.line,
                "profile": incident.profile,
                "purpose": incident.purpose,
                "number": incident.number,
                "withheld": incident.withheld,
                "called": incident.called,
                "language": incident.language,
                "status": status,
                "asked": True,
            },
        )
