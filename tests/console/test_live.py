"""``/live``: what a screen is told, and when it is let go."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from console.doors import COOKIE, Doors
from console.feed import MOST_PENDING
from console.live import Live
from incidents.wake import Bell
from tests.browser.calls import Exchange
from tests.console.asgi import Request
from tests.console.forms import PASSWORD, send
from tests.console.site import Console


class Open:
    """A console whose live feed is running."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.doors = Doors(console.accounts, console.clock)
        self.live = Live(console.watch, self.doors)
        self.bell = Bell(console.data / "wake")
        (console.data / "keys").write_text(base64.urlsafe_b64encode(bytes(32)).decode())
        self.exchange = Exchange(console.data)
        token = console.accounts.add_token("screen", now=console.now)
        self.bearer = f"Bearer {token}"

    def ask(self, **headers: str) -> Request:
        """Open a feed with a token."""
        query = headers.pop("query", "")
        return Request(self.live, "/live", query=query, authorization=self.bearer, **headers)

    def call(self, keys: str = "55") -> str:
        """Journal a call; the watch, not the test, must find it. Returns the reference."""
        call = self.exchange.call()
        return (call.presses(keys) if keys else call).reference


@asynccontextmanager
async def opened(console: Console) -> AsyncIterator[Open]:
    """Run the console's watch for a test."""
    async with console.watch.running():
        yield Open(console)


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console with a store and a journal, both empty."""
    return Console(data, sqlite_url)


def events(body: str) -> list[tuple[str, str | None, dict[str, Any]]]:
    """The events of a stream: name, id and data."""
    found = []
    for block in body.split("\n\n"):
        fields = dict(
            line.split(": ", 1) for line in block.splitlines() if not line.startswith(":")
        )
        if "event" in fields:
            found.append((fields["event"], fields.get("id"), json.loads(fields["data"])))
    return found


def test_a_stranger_hears_nothing(console: Console) -> None:
    """401 without a good cookie or token; a bad token is not saved by a good cookie."""

    async def run() -> None:
        async with opened(console) as feed:
            user = console.accounts.add_user("anna", now=console.now, password="x" * 12)
            found = console.accounts.check_password("anna", user)
            assert found is not None
            secret = console.accounts.begin_session(found, now=console.now)
            for headers in (
                {},
                {"cookie": f"{COOKIE}=made-up"},
                {"authorization": "Bearer made-up"},
                {"authorization": "Bearer made-up", "cookie": f"{COOKIE}={secret}"},
            ):
                answer = await Request(feed.live, "/live", **headers).finish()
                assert answer.status == 401
            answer = await Request(feed.live, "/live", method="POST").finish()
            assert answer.status == 405
            asked = Request(feed.live, "/live", cookie=f"other=1; {COOKIE}={secret}")
            await asked.answer.until("event: snapshot")
            await asked.leave()

    asyncio.run(run())


def test_a_screen_that_joins_hears_of_everything_on_the_board(console: Console) -> None:
    """Beat, then each incident, then the list of them; only the list carries the place."""

    async def run() -> None:
        async with opened(console) as feed:
            references = {feed.call("55"), feed.call("")}
            watcher = feed.ask()
            for reference in references:
                await watcher.answer.until(reference)
            await watcher.leave()
            asked = feed.ask()
            told = events(await asked.answer.until("event: snapshot"))
            assert asked.answer.headers["content-type"].startswith("text/event-stream")
            assert told[0][0] == "beat"
            incidents = [event for event in told if event[0] == "incident"]
            assert {one["reference"] for _, _, one in incidents} == references
            assert all(place is None for _, place, _ in incidents)
            name, place, listing = told[-1]
            assert (name, set(listing["references"])) == ("snapshot", references)
            assert place is not None
            await asked.leave()

    asyncio.run(run())


def test_a_new_alert_is_told_to_every_screen_as_the_contract_says(console: Console) -> None:
    """The incident's own JSON, with the place in the feed."""

    async def run() -> None:
        async with opened(console) as feed:
            asked = [feed.ask() for _ in range(3)]
            for one in asked:
                await one.answer.until("event: snapshot")
            reference = feed.call()
            for one in asked:
                body = await one.answer.until('"confirmed"')
                name, place, incident = events(body)[-1]
                assert (name, incident["reference"]) == ("incident", reference)
                assert place
                found = console.watch.incident(reference)
                assert found is not None
                assert incident == found.as_json()
                await one.leave()

    asyncio.run(run())


@pytest.mark.parametrize("how", ["header", "query"])
def test_a_screen_that_comes_back_hears_what_it_missed_and_no_more(
    console: Console, how: str
) -> None:
    """``Last-Event-ID``, or ``?after=`` where a page cannot send headers."""

    async def run() -> None:
        async with opened(console) as feed:
            seen = feed.call()
            first = feed.ask()
            await first.answer.until(seen)
            await first.answer.until("event: snapshot")
            place = [place for _, place, _ in events(first.answer.text) if place][-1]
            await first.leave()
            missed = feed.call()
            watcher = feed.ask()
            await watcher.answer.until(missed)
            await watcher.leave()
            back = {"last_event_id": place} if how == "header" else {"query": f"after={place}"}
            again = feed.ask(**back)
            told = events(await again.answer.until(missed))
            assert [one["reference"] for name, _, one in told if name == "incident"] == [missed]
            assert "snapshot" not in [name for name, _, _ in told]
            await again.leave()

    asyncio.run(run())


@pytest.mark.parametrize("place", ["elsewhere-1", "x", "1-2-3", "é", "a" * 5000])
def test_a_place_that_is_not_known_gets_the_whole_board(console: Console, place: str) -> None:
    """Of another start of the console, or nonsense."""

    async def run() -> None:
        async with opened(console) as feed:
            reference = feed.call()
            asked = feed.ask(last_event_id=place)
            await asked.answer.until("event: snapshot")
            await asked.answer.until(reference)
            await asked.leave()

    asyncio.run(run())


def test_an_alarm_is_told_to_all_and_again_to_whoever_comes_later(console: Console) -> None:
    """And its end, too."""

    async def run() -> None:
        async with opened(console) as feed:
            early = feed.ask()
            await early.answer.until("event: snapshot")
            alarm = {"id": "spare", "text": "Spare in use", "since": "2026-12-22T18:00:00.000Z"}
            feed.bell.ring(json.dumps({"process": "phone", "pid": 7, "alarms": [alarm]}).encode())
            await early.answer.until("Spare in use")
            assert ("alarm", None, {**alarm, "over": False}) in events(early.answer.text)
            late = feed.ask()
            await late.answer.until("Spare in use")
            feed.bell.ring(json.dumps({"process": "phone", "pid": 7, "alarms": []}).encode())
            for one in (early, late):
                await one.answer.until('"over":true')
                await one.leave()

    asyncio.run(run())


def test_a_slow_screen_is_let_go_and_the_others_hear_on(console: Console) -> None:
    """It comes back by itself and catches up."""

    async def run() -> None:
        async with opened(console) as feed:
            slow, quick = feed.ask(), feed.ask()
            for one in (slow, quick):
                await one.answer.until("event: snapshot")
            slow.stuck.clear()
            for _ in range(MOST_PENDING + 2):
                console.watch.feed.publish(b": filler\n\n")
                await asyncio.sleep(0)
            reference = feed.call()
            await quick.answer.until(reference)
            await slow.finish()
            assert not slow.answer.over
            await quick.leave()

    asyncio.run(run())


def test_signing_out_ends_the_feed(console: Console) -> None:
    """At once, with a proper end."""

    async def run() -> None:
        async with opened(console) as feed:
            console.accounts.add_user("anna", now=console.now, password="x" * 12)
            user = console.accounts.check_password("anna", "x" * 12)
            assert user is not None
            secret = console.accounts.begin_session(user, now=console.now)
            asked = Request(feed.live, "/live", cookie=f"{COOKIE}={secret}")
            await asked.answer.until("event: snapshot")
            console.watch.end_feeds(secret)
            answer = await asked.finish()
            assert answer.over

    asyncio.run(run())


def test_a_leaver_loses_every_open_feed_at_once(console: Console) -> None:
    """Those of a session and those of a token of the name, and nobody else's."""

    async def run() -> None:
        async with opened(console) as feed:
            token = console.accounts.add_token("anna", now=console.now)
            theirs = Request(feed.live, "/live", authorization=f"Bearer {token}")
            await theirs.answer.until("event: snapshot")
            other = feed.ask()
            await other.answer.until("event: snapshot")
            kim = console.handler("kim", role="administrator")
            console.accounts.add_user("anna", now=console.now, password=PASSWORD)
            answer = await asyncio.to_thread(send, kim, "/users/anna/leave")
            assert answer.status_code == 303
            assert (await theirs.finish()).over
            assert not other.answer.over
            await other.leave()

    asyncio.run(run())


def test_an_open_feed_outlives_its_session_but_not_its_end(console: Console) -> None:
    """A handler is never signed out under alerts; somebody whose account is shut is."""
    console.accounts.add_user("anna", now=console.now, password="x" * 12)
    user = console.accounts.check_password("anna", "x" * 12)
    assert user is not None
    cookies = {COOKIE: console.accounts.begin_session(user, now=console.now)}
    doors = Doors(console.accounts, console.clock)
    assert not doors.shut(None, cookies)
    console.now += timedelta(days=2)
    assert doors.session(cookies) is None
    assert not doors.shut(None, cookies)
    console.staff.leave("anna", now=console.now)
    assert doors.shut(None, cookies)
    assert doors.shut("Bearer made-up", cookies)
