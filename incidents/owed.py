"""Events that were answered and that no disk has yet: held in memory until one takes them.

A disk that was full for a minute, or only slow, must not cost a caller's key or leave a line open
on every screen for good. It refuses to grow without bound and to hold what no disk can ever take.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence

from incidents.recorded import Sealed

MOST = 20_000
"""Webhooks held: minutes of a very busy night, in tens of megabytes. The first to come stay: of
each call they say that there was one."""
AT_ONCE = 2_000
"""Webhooks paid in one go, so that callers who come meanwhile do not wait long."""

Submit = Callable[[Sequence[Sealed]], "asyncio.Future[tuple[str, int]]"]


class Owed:
    """The events of webhooks, each together.

    ``hopeless``: the failure that no other disk and no later time can mend.
    """

    def __init__(self, hopeless: type[Exception]) -> None:
        self._hopeless = hopeless
        self._webhooks: list[Sequence[Sealed]] = []

    def __len__(self) -> int:
        return len(self._webhooks)

    def add(self, events: Sequence[Sealed], why: BaseException | None) -> None:
        """Hold the events of one webhook that was answered without a disk, because of ``why``."""
        if len(self._webhooks) < MOST and not isinstance(why, self._hopeless):
            self._webhooks.append(events)

    async def pay(self, submit: Submit) -> None:
        """Write what is held through ``submit``; what fails again stays, for the next time.

        What a slow disk wrote after all is written twice. The keys are the same: no harm.
        """
        paying = self._webhooks[:AT_ONCE]
        results = await asyncio.gather(*map(submit, paying), return_exceptions=True)
        left = [
            events
            for events, result in zip(paying, results, strict=True)
            if isinstance(result, TimeoutError | sqlite3.Error | OSError)
            and not isinstance(result, self._hopeless)
        ]
        self._webhooks[: len(paying)] = left

    def hand_over(self, submit: Submit) -> None:
        """Give all to a writer that is about to stop; it commits what it was given first."""
        for events in self._webhooks:
            submit(events)
