"""Asks the store on a thread of its own, and waits so long and not longer.

A store that is frozen answers neither yes nor no for seconds. Whoever shows alerts
must not wait with it: the journal of this machine has them.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, TypeVar

from incidents.store import Store
from incidents.transactions import StoreUnavailable

PATIENCE: Final = 2.0
"""Seconds an answer may take; a store that works takes a hundredth of it."""
PATIENCE_AT_FIRST: Final = 4.0
"""Seconds for the first look, which brings a whole board."""
REST: Final = 5.0
"""Seconds a store that hung is left alone, so that alerts wait for it seldom."""

Found = TypeVar("Found")


class Patient:
    """One reader of a store, with bounded patience."""

    def __init__(self, store: Store, patience: float = PATIENCE) -> None:
        self._store = store
        self._patience = patience
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._hanging: Future[Any] | None = None
        self._rested_at = 0.0

    def ask(self, question: Callable[[Store], Found], patience: float | None = None) -> Found:
        """Return the answer to ``question``.

        Raises ``StoreUnavailable`` when the store says so or takes longer than ``patience``
        seconds, and at once while an earlier question still hangs.
        """
        if self._hanging is not None and not self._hanging.done():
            raise StoreUnavailable("an earlier question still hangs")
        if time.monotonic() < self._rested_at:
            raise StoreUnavailable("it hung a moment ago")
        self._hanging = None
        asked = self._thread.submit(question, self._store)
        try:
            return asked.result(self._patience if patience is None else patience)
        except TimeoutError:
            self._hanging = asked
            self._rested_at = time.monotonic() + REST
            raise StoreUnavailable("no answer in time") from None
