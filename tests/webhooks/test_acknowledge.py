"""``QUIETLINE_ACKNOWLEDGE=store``: wait for the store a little, answer anyway, and count it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable

import pytest

from incidents.tail import Tail
from incidents.wake import DRAINED, Bell
from tests.waiting import eventually
from tests.webhooks import requests, twimlrules
from tests.webhooks.phoneside import Answered, PhoneSide, break_folder
from tests.webhooks.requests import FORM, call, form, signature
from webhooks.acknowledge import WAIT

Start = Callable[..., PhoneSide]
SLACK = 0.3
"""Seconds a busy test machine may add."""


@pytest.fixture
def storing(start: Start) -> PhoneSide:
    """A phone side that waits for the store."""
    return start(QUIETLINE_ACKNOWLEDGE="store")


def positions(phone: PhoneSide) -> dict[str, int]:
    """Return how far each journal file goes: what an engine that kept up would tell."""
    tail = Tail(phone.settings.journals)
    try:
        return {name: at for name, at, _ in tail.read()}
    finally:
        tail.close()


def tell(phone: PhoneSide, stored: dict[str, int]) -> None:
    """Tell, as the engine does, what is in the store."""
    Bell(phone.settings.wake).ring(DRAINED + json.dumps(stored).encode())


def timed(phone: PhoneSide, sid: str) -> float:
    """Post a call and return the seconds until its answer."""
    began = time.monotonic()
    answer = phone.post("/voice/incoming", call(sid=sid))
    assert twimlrules.keeps_the_caller(answer.body, requests.PUBLIC_URL) == []
    return time.monotonic() - began


def test_without_a_store_the_caller_waits_300_ms_and_no_longer(storing: PhoneSide) -> None:
    """Contract: "store also waits, up to 300 ms"; then the caller is answered all the same."""
    assert WAIT == 0.3
    assert WAIT * 0.9 < timed(storing, "CA1") < WAIT + SLACK


def test_what_was_answered_without_the_store_is_marked_until_it_is_there(
    storing: PhoneSide,
) -> None:
    """Contract: "marked journal_only until drained, and counted"."""
    for at in range(3):
        timed(storing, f"CA{at}")
    beat = storing.beat()
    assert beat["gauges"]["journal_only"] == 3
    assert beat["counters"]["answered_journal_only"] == 3
    ((file, last),) = positions(storing).items()
    tell(storing, {file: last - 1})
    eventually(lambda: storing.beat()["gauges"]["journal_only"] == 1)
    tell(storing, {file: last})
    eventually(lambda: storing.beat()["gauges"]["journal_only"] == 0)
    assert storing.beat()["counters"]["answered_journal_only"] == 3


def test_news_of_another_file_acknowledges_nothing(storing: PhoneSide) -> None:
    """Another worker's journal is another worker's."""
    timed(storing, "CA1")
    tell(storing, {"0" * 32: 99})
    tell(storing, {})
    assert storing.beat()["gauges"]["journal_only"] == 1


def test_the_answer_goes_out_as_soon_as_the_store_has_the_call(storing: PhoneSide) -> None:
    """With an engine that keeps up nobody waits 300 ms."""

    async def engine() -> None:
        while not positions(storing):
            await asyncio.sleep(0.005)
        tell(storing, positions(storing))

    async def both() -> tuple[Answered, float]:
        began = time.monotonic()
        drained = asyncio.ensure_future(engine())
        made = signature(f"{requests.PUBLIC_URL}/voice/incoming", call())
        headers = [("X-Twilio-Signature", made), ("Content-Type", FORM)]
        answer = await storing.asend("/voice/incoming", form(call()), headers)
        took = time.monotonic() - began
        await drained
        return answer, took

    answer, took = storing.runner.run(both())
    assert answer.status == 200
    assert took < WAIT
    beat = storing.beat()
    assert beat["gauges"]["journal_only"] == 0
    assert beat["counters"]["answered_journal_only"] == 0


def test_a_repeated_request_that_is_long_in_the_store_is_answered_at_once(
    storing: PhoneSide,
) -> None:
    """A retry adds nothing to wait for."""
    timed(storing, "CA1")
    tell(storing, positions(storing))
    eventually(lambda: storing.beat()["gauges"]["journal_only"] == 0)
    assert timed(storing, "CA1") < WAIT


def test_with_no_disk_nobody_waits_for_the_store_as_well(start: Start) -> None:
    """The caller's second is not spent twice."""
    probe = start()
    for folder in probe.settings.journals:
        break_folder(folder)
    phone = start(QUIETLINE_ACKNOWLEDGE="store")
    assert timed(phone, "CA1") < 1
    assert phone.beat()["gauges"]["journal_only"] == 0


def test_the_default_waits_for_the_journal_only(phone: PhoneSide) -> None:
    """Contract: "QUIETLINE_ACKNOWLEDGE=journal (default) answers once the journal has it"."""
    assert timed(phone, "CA1") < WAIT
    assert phone.beat()["gauges"]["journal_only"] == 0


def test_a_stopped_engine_does_not_make_every_later_caller_wait_longer(
    storing: PhoneSide,
) -> None:
    """Forty callers at once wait the same 300 ms side by side, not one after the other."""

    async def all_at_once() -> list[Answered]:
        sent = []
        for at in range(40):
            pairs = call(sid=f"CA{at}")
            made = signature(f"{requests.PUBLIC_URL}/voice/incoming", pairs)
            headers = [("X-Twilio-Signature", made), ("Content-Type", FORM)]
            sent.append(storing.asend("/voice/incoming", form(pairs), headers))
        return await asyncio.gather(*sent)

    began = time.monotonic()
    assert {answer.status for answer in storing.runner.run(all_at_once())} == {200}
    assert time.monotonic() - began < WAIT + 2 * SLACK
    assert storing.beat()["gauges"]["journal_only"] == 40
