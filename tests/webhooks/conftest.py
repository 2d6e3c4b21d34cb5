"""A phone side in this process, with and without a control room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from tests.webhooks import requests
from tests.webhooks.ordering import Sent
from tests.webhooks.phoneside import PhoneSide, settings_under

Parts = Callable[[Settings], dict[str, Any]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., PhoneSide]]:
    """Start a phone side: ``start(QUIETLINE_CONTROL_ROOM="+44…")``; all are closed after."""
    with ExitStack() as stack:

        def begin(parts: Parts | None = None, **environment: str) -> PhoneSide:
            settings = settings_under(tmp_path / "data", **environment)
            made = parts(settings) if parts else {}
            return stack.enter_context(closing(PhoneSide(settings, parts=made)))

        yield begin


@pytest.fixture
def phone(start: Callable[..., PhoneSide]) -> PhoneSide:
    """A phone side without a control room."""
    return start()


@pytest.fixture
def with_room(start: Callable[..., PhoneSide]) -> PhoneSide:
    """A phone side with a control room to ring."""
    return start(QUIETLINE_CONTROL_ROOM=requests.CONTROL_ROOM)


@pytest.fixture
def sent(phone: PhoneSide) -> Sent:
    """Orders to a phone side without a control room."""
    return Sent(phone)
