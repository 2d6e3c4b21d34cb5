"""Hand-written parts that fail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from incidents.journal import Journal
from incidents.recorded import Sealed
from webhooks.answers import Answer, Answers

CANARY_NUMBER = "+447700900987"
CANARY_WORD = "hyacinth"


class FailingAnswers(Answers):
    """Decides nothing: every entry raises, with the caller's own words in the message."""

    last_resort_fails = False

    def _fail(self, params: dict[str, str]) -> NoReturn:
        raise ValueError(f"cannot answer {params.get('From')} who said {params}")

    def incoming(self, params: dict[str, str], now: datetime) -> Answer:
        """Fail."""
        self._fail(params)

    def next_step(self, token: str, params: dict[str, str], now: datetime) -> Answer:
        """Fail."""
        self._fail(params)

    def fallback(self, params: dict[str, str], now: datetime) -> Answer:
        """Fail."""
        self._fail(params)

    def lost(self, params: dict[str, str], now: datetime, where: str) -> Answer:
        """Fail."""
        self._fail(params)

    def status(self, params: dict[str, str], now: datetime) -> Answer:
        """Fail."""
        self._fail(params)

    def whisper(self, path: str, params: dict[str, str], now: datetime) -> Answer:
        """Fail."""
        self._fail(params)

    def order(self, token: str, sealed: str, params: dict[str, str], now: datetime) -> Answer:
        """Fail."""
        self._fail(params)

    def answer(self, token: str, sealed: str, params: dict[str, str], now: datetime) -> Answer:
        """Fail."""
        self._fail(params)

    def page(self, sealed: str, params: dict[str, str], now: datetime) -> Answer:
        """Fail."""
        self._fail(params)

    def page_answer(self, sealed: str, params: dict[str, str], now: datetime) -> Answer:
        """Fail."""
        self._fail(params)

    def last_resort(self, now: datetime | None = None) -> bytes:
        """Fail too, once told to."""
        if self.last_resort_fails:
            raise MemoryError
        return super().last_resort(now)


class FailingSteps(Answers):
    """Fails at every step of a call, and nowhere else."""

    def next_step(self, token: str, params: dict[str, str], now: datetime) -> Answer:
        """Fail."""
        raise ValueError(f"cannot answer {params}")


class FailingJournal(Journal):
    """Fails with whatever it was told to fail with."""

    error: BaseException = RuntimeError(f"cannot keep {CANARY_NUMBER}, {CANARY_WORD}")

    def __init__(self, first: Path, spare: Path, wake: Path) -> None:
        super().__init__(first, spare, wake)

    async def keep(self, events: Sequence[Sealed]) -> tuple[str, int]:
        """Fail."""
        raise self.error
