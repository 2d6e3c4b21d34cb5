"""Who is at work, as the console hears it: requests, open feeds, a page's pings."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from console.doors import COOKIE, Doors
from console.heard import Heard
from console.live import HEARD, Live
from console.openapi import document as described
from incidents.holders import Holder
from incidents.presence import Presence
from incidents.transactions import writing
from tests.console.asgi import Request
from tests.console.site import NOW, Console
from tests.incidents.desks import rules
from tests.waiting import eventually

ANNA = Holder("anna", "handler", None, "session")
BEN = Holder("ben", "handler", None, "token")


class Hearing:
    """A console that hears, with both clocks in the test's hand."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.seconds = 0.0
        self.presence = Presence(console.store.engine)
        self.heard = Heard(self.presence, self.now, lambda: self.seconds)
        self.live = Live(console.watch, Doors(console.accounts, console.clock), heard=self.heard)

    def now(self) -> datetime:
        """The time on the wall."""
        return NOW + timedelta(seconds=self.seconds)

    def on_duty(self) -> list[str]:
        """Who is on duty."""
        return [one.name for one in self.presence.on_duty(self.now(), ["handler", "reader"])]

    def passes(self, seconds: int) -> None:
        """Let time pass; the console looks every second."""
        for _ in range(seconds):
            self.seconds += 1
            self.heard.write()


@pytest.fixture
def hearing(data: Path, sqlite_url: str) -> Hearing:
    """A console over SQLite."""
    return Hearing(Console(data, sqlite_url))


def test_a_request_is_a_sign_of_life_and_no_feed(hearing: Hearing) -> None:
    """Whoever asks for a page is there; on duty is who sees alerts come."""
    hearing.heard.asked(ANNA)
    assert hearing.heard.write()
    assert hearing.presence.silent(["anna"], hearing.now()) == set()
    assert hearing.on_duty() == []
    hearing.passes(26)
    assert hearing.presence.silent(["anna"], hearing.now()) == {"anna"}


def test_a_programs_open_feed_counts_for_as_long_as_it_is_open(hearing: Hearing) -> None:
    """It never pings."""
    hearing.heard.opened("secret", BEN)
    hearing.passes(60)
    assert hearing.on_duty() == ["ben"]
    hearing.heard.closed("secret", BEN)
    hearing.passes(26)
    assert hearing.on_duty() == []


def test_a_frozen_browser_is_lost_within_25_seconds(hearing: Hearing) -> None:
    """Its socket stays open and it pings no more: 25 s after the last ping, not after a write."""
    hearing.heard.opened("cookie", ANNA)
    for _ in range(6):
        hearing.heard.pinged("cookie", ANNA)
        hearing.passes(5)
    assert hearing.on_duty() == ["anna"]
    hearing.passes(19)
    assert hearing.on_duty() == ["anna"]
    hearing.passes(2)
    assert hearing.on_duty() == []
    assert hearing.presence.silent(["anna"], hearing.now()) == {"anna"}
    hearing.heard.pinged("cookie", ANNA)
    hearing.passes(1)
    assert hearing.on_duty() == ["anna"]


def test_somebody_new_is_written_down_at_once_and_then_every_few_seconds(
    hearing: Hearing,
) -> None:
    """One batch for everybody: a hundred screens are no more work than one."""
    hearing.heard.opened("one", ANNA)
    assert hearing.heard.write()
    wrote = 0
    for _ in range(20):
        hearing.seconds += 1
        wrote += hearing.heard.write()
    assert wrote == 5
    hearing.heard.opened("two", BEN)
    assert hearing.heard.write()


def test_two_screens_of_one_person_are_one_person(hearing: Hearing) -> None:
    """She closes one of them, and is still there."""
    hearing.heard.opened("one", ANNA)
    hearing.heard.opened("one", ANNA)
    hearing.heard.closed("one", ANNA)
    hearing.passes(30)
    assert hearing.on_duty() == ["anna"]


def test_what_the_store_could_not_take_is_written_later(hearing: Hearing) -> None:
    """Presence is kept in memory while the store is away."""
    with writing(hearing.console.store.engine) as connection:
        connection.execute(text("ALTER TABLE presence RENAME TO elsewhere"))
    hearing.heard.asked(ANNA)
    assert not hearing.heard.write()
    with writing(hearing.console.store.engine) as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO presence"))
    hearing.passes(5)
    assert hearing.presence.silent(["anna"], NOW) == set()


def test_a_ping_needs_a_session_the_header_and_a_post(hearing: Hearing) -> None:
    """No page of another site can keep somebody on duty with their cookie."""
    accounts = hearing.console.accounts
    accounts.add_user("anna", now=hearing.console.now, password="x" * 12)
    user = accounts.check_password("anna", "x" * 12)
    assert user is not None
    secret = accounts.begin_session(user, now=hearing.console.now)
    cookie = f"{COOKIE}={secret}"

    async def ping(method: str = "POST", **headers: str) -> int:
        return (await Request(hearing.live, HEARD, method=method, **headers).finish()).status

    async def run() -> None:
        async with hearing.console.watch.running():
            fetched = {"x_requested_with": "fetch"}
            assert await ping("GET", cookie=cookie) == 405
            answered = {
                403: await ping(cookie=cookie),
                401: await ping(**fetched),
                204: await ping(cookie=cookie, **fetched),
            }
            assert await ping(cookie=f"{COOKIE}=made-up", **fetched) == 401
            assert all(expected == status for expected, status in answered.items())
            told = described(rules())["paths"][HEARD]["post"]
            assert {*map(str, answered), "503"} == told["responses"].keys()
            (header,) = told["parameters"]
            assert {header["name"]: header["schema"]["const"]} == {"X-Requested-With": "fetch"}
            feed = Request(hearing.live, "/live", cookie=cookie)
            await feed.answer.until("event: snapshot")
            assert await ping(cookie=cookie, **fetched) == 204
            assert [sign.feed_at for sign in hearing.heard.signs()] == [NOW]
            hearing.seconds += 26
            # Its socket is open, and yet: it pinged once and is frozen now.
            assert [sign.feed_at for sign in hearing.heard.signs()] == [None]
            await feed.leave()

    asyncio.run(run())


def test_the_console_writes_by_itself(hearing: Hearing) -> None:
    """For as long as it runs, on a thread of its own."""

    async def run() -> None:
        async with hearing.heard.writing():
            hearing.heard.opened("one", ANNA)
            await asyncio.to_thread(lambda: eventually(lambda: hearing.on_duty() == ["anna"]))

    asyncio.run(run())
