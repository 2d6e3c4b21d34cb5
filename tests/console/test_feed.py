"""One message, many screens; and a screen that does not keep up."""

from __future__ import annotations

import asyncio
import json

import pytest

from console.feed import MOST_PENDING, Feed, message


def test_a_message_is_one_event_on_the_wire() -> None:
    """Whatever a caller said, it cannot break out of its line."""
    wire = message("incident", {"words": "a\n\nevent: alarm\r\u2028"}, "b-1").decode()
    lines = wire.split("\n")
    assert lines[:2] == ["id: b-1", "event: incident"]
    assert lines[3:] == ["", ""]
    assert json.loads(lines[2].removeprefix("data: "))["words"].startswith("a\n\nevent")


def test_everyone_gets_everything_in_order() -> None:
    """Five hundred feeds, twenty messages."""

    async def run() -> None:
        feed = Feed()
        everyone = [feed.join(None) for _ in range(500)]
        for number in range(1, 21):
            feed.publish(b"%d;" % number, number)
        told = {await subscriber.take() for subscriber in everyone}
        assert told == {b"".join(b"%d;" % number for number in range(1, 21))}

    asyncio.run(run())


def test_what_a_snapshot_told_is_not_told_again() -> None:
    """An older state must never follow a newer one."""

    async def run() -> None:
        feed = Feed()
        subscriber = feed.join(None)
        for number in (1, 2, 3):
            feed.publish(b"%d;" % number, number)
        feed.publish(b"beat;")
        subscriber.starts_after = 2
        assert await subscriber.take() == b"3;beat;"

    asyncio.run(run())


@pytest.mark.parametrize("size", [1, 300_000])
def test_a_slow_reader_is_let_go_and_nobody_waits_for_it(size: int) -> None:
    """By number of messages, or by bytes."""

    async def run() -> None:
        feed = Feed()
        slow, quick = feed.join(None), feed.join(None)
        for _ in range(MOST_PENDING + 1):
            feed.publish(b"x" * size)
            assert len(await quick.take()) == size
        assert slow.gone.result() == "slow"
        assert not quick.gone.done()
        feed.leave(slow)
        assert (len(feed), feed.let_go_slow) == (1, 1)

    asyncio.run(run())


def test_signing_out_ends_the_feeds_of_that_session_only() -> None:
    """Every page of it; no page of another."""

    async def run() -> None:
        feed = Feed()
        ours, also_ours, theirs = feed.join("a"), feed.join("a"), feed.join("b")
        feed.end("a")
        assert ours.gone.result() == also_ours.gone.result() == "signed out"
        assert not theirs.gone.done()

    asyncio.run(run())
