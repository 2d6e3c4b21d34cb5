"""Every look is logged, and a closed record that is not one's own work asks why first (rule 11)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from console.audited import REASON_HOLDS, REASON_NEEDED, SAME_LOOK
from console.doors import Doors
from console.live import Live
from incidents.audit_reading import Logged, Reading, Wanted
from incidents.desk import Actor
from tests.console.asgi import Request
from tests.console.callers import hangs_up, presses, waiting
from tests.console.forms import send
from tests.console.site import NOW, Console
from tests.waiting import eventually

API = "/api/v1/incidents"
BEN = Actor("ben", "handler")
ASKS = "Why do you open this record?"


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Iterator[Console]:
    """A console over an empty store."""
    made = Console(data, sqlite_url)
    yield made
    made.close()


def log(console: Console, **wanted: str) -> list[Logged]:
    """The audit log, oldest first."""
    found = Reading(console.store.engine, console.keys).every(Wanted(**wanted))  # type: ignore[arg-type]
    return list(reversed(list(found)))


def looks(console: Console, person: str = "anna") -> list[tuple[str, str, str]]:
    """What somebody looked at: the words, the record and the reason."""
    return [
        (entry.what, entry.record, entry.reason)
        for entry in log(console, person=person)
        if entry.operation in ("consultation", "disclosure") and entry.record != "sign-in"
    ]


def closed(console: Console) -> str:
    """A call that ben worked and closed. Returns its reference."""
    sid, reference = waiting(console)
    console.desk.claim(reference, by=BEN, now=console.now)
    hangs_up(console, sid)
    console.drain()
    console.now += timedelta(minutes=1)
    console.desk.grade(reference, "none", "", by=BEN, now=console.now)
    console.desk.close(reference, "no_trace", "", by=BEN, now=console.now)
    console.now += timedelta(minutes=1)
    console.refresh()
    return reference


@pytest.mark.parametrize(
    ("open_it", "what", "record"),
    [
        (lambda client, _: client.get("/"), "opened the board", "board"),
        (lambda client, _: client.get("/review"), "opened the review queue", "review"),
        (lambda client, ref: client.get(f"/incidents/{ref}"), "viewed the record", "{ref}"),
        (
            lambda client, ref: client.get(f"/incidents/{ref}/record"),
            "went on viewing the record",
            "{ref}",
        ),
        (lambda client, ref: client.get(f"{API}/{ref}"), "viewed the record", "{ref}"),
        (lambda client, ref: client.get(f"{API}/{ref}/timeline"), "viewed the timeline", "{ref}"),
        (lambda client, _: client.get(API), "listed incidents", "incidents"),
        (
            lambda client, _: client.get(f"{API}?signal=confirmed&call_sid=CA1"),
            "searched incidents by call_sid, signal",
            "incidents",
        ),
    ],
)
def test_every_look_is_logged(
    console: Console,
    open_it: Callable[[FlaskClient, str], object],
    what: str,
    record: str,
) -> None:
    """Once, with who, what and which; never by which value somebody searched."""
    _, reference = waiting(console)
    open_it(console.handler(), reference)
    assert looks(console) == [(what, record.format(ref=reference), "")]
    assert {entry.at for entry in log(console)} <= {NOW, console.now}


def test_a_program_is_logged_under_its_own_name(console: Console) -> None:
    """As the user that it acts as."""
    _, reference = waiting(console)
    console.program("wallboard").get(f"{API}/{reference}")
    assert looks(console, "wallboard") == [("viewed the record", reference, "")]


def test_what_nobody_may_see_or_what_is_not_there_is_no_look(console: Console) -> None:
    """A refused role saw nothing; a wrong reference is no record."""
    _, reference = waiting(console)
    console.handler("olga", role="analyst").get(f"/incidents/{reference}")
    console.handler().get("/incidents/QL-2222-2222-222")
    assert looks(console, "olga") == []
    assert looks(console) == []


def test_a_page_that_fetches_its_own_part_again_and_again_is_one_look(console: Console) -> None:
    """One entry for five minutes; a page opened again is a look of its own."""
    _, reference = waiting(console)
    client = console.handler()
    client.get(f"/incidents/{reference}")
    for _ in range(5):
        client.get(f"/incidents/{reference}/record")
    assert len(looks(console)) == 1
    console.now += SAME_LOOK
    client.get(f"/incidents/{reference}/record")
    client.get(f"/incidents/{reference}/record")
    client.get(f"/incidents/{reference}")
    assert [what for what, _, _ in looks(console)] == [
        "viewed the record",
        "went on viewing the record",
        "viewed the record",
    ]


def test_an_opened_feed_is_logged_and_waits_for_nothing(console: Console) -> None:
    """The log may be slow; an alert must not be."""
    token = console.accounts.add_token("screen", now=console.now)

    async def run() -> None:
        async with console.watch.running():
            live = Live(console.watch, Doors(console.accounts, console.clock), audit=console.audit)
            feed = Request(live, "/live", authorization=f"Bearer {token}")
            await feed.answer.until("event:")
            await asyncio.to_thread(eventually, lambda: looks(console, "screen"))
            await feed.leave()

    asyncio.run(run())
    assert looks(console, "screen") == [("opened the live feed", "board", "")]


# -- why somebody opens a closed record ---------------------------------------------


def test_a_closed_record_of_somebody_else_asks_why(console: Console) -> None:
    """The page shows nothing of it before; the reason stands in the log, sealed."""
    reference = closed(console)
    client = console.handler()
    page = client.get(f"/incidents/{reference}")
    assert ASKS in page.text
    assert reference in page.text
    assert "0123" not in page.text
    assert "ben" not in page.text
    assert client.get(f"/incidents/{reference}/record").status_code == 403
    assert looks(console) == []
    answer = send(
        client, f"/incidents/{reference}", f"/incidents/{reference}/open", reason="the caller rang"
    )
    assert answer.status_code == 303
    page = client.get(answer.headers["Location"])
    assert ASKS not in page.text
    assert "0123" in page.text
    assert client.get(f"/incidents/{reference}/record").status_code == 200
    assert looks(console) == [("viewed the record", reference, "the caller rang")]


@pytest.mark.parametrize("reason", ["", "   ", "look", "\r\n\t a  b \n"])
def test_no_reason_is_no_reason(console: Console, reason: str) -> None:
    """What was typed comes back with a sentence; the record stays shut."""
    reference = closed(console)
    client = console.handler()
    answer = send(client, f"/incidents/{reference}", f"/incidents/{reference}/open", reason=reason)
    assert answer.status_code == 422
    assert "Say in a few words why" in answer.text
    assert ASKS in client.get(f"/incidents/{reference}").text


def test_a_reason_holds_half_an_hour_for_that_record_and_session(console: Console) -> None:
    """Not for another record, not at another desk, not for somebody else."""
    reference, other = closed(console), closed(console)
    client = console.handler()
    where = f"/incidents/{reference}"
    send(client, where, f"{where}/open", reason="complaint 1234")
    assert ASKS not in client.get(where).text
    assert ASKS in client.get(f"/incidents/{other}").text
    assert ASKS in console.handler("carol").get(where).text
    again = console.app.test_client()
    user = console.accounts.check_password("anna", "a long enough password")
    assert user is not None
    again.set_cookie("quietline_session", console.accounts.begin_session(user, now=console.now))
    assert ASKS in again.get(where).text
    console.now += REASON_HOLDS - timedelta(seconds=1)
    assert ASKS not in client.get(where).text
    console.now += timedelta(seconds=1)
    assert ASKS in client.get(where).text
    assert client.get(f"{where}/record").status_code == 403


def test_a_program_sends_its_reason_each_time(console: Console) -> None:
    """403 with a sentence that says how; the reason is logged with the look."""
    reference = closed(console)
    program = console.program("probe", role="handler")
    for path in (f"{API}/{reference}", f"{API}/{reference}/timeline"):
        refused = program.get(path)
        assert (refused.status_code, refused.json) == (403, {"error": REASON_NEEDED})
        assert program.get(path, headers={"X-Reason": "statistics"}).status_code == 200
        assert program.get(path).status_code == 403
    assert [reason for _, _, reason in looks(console, "probe")] == ["statistics"] * 2


def test_a_reason_given_on_the_page_counts_for_what_the_page_fetches(console: Console) -> None:
    """The same session reads the same record through the interface."""
    reference = closed(console)
    client = console.handler()
    assert client.get(f"{API}/{reference}").status_code == 403
    where = f"/incidents/{reference}"
    send(client, where, f"{where}/open", reason="complaint 1234")
    assert client.get(f"{API}/{reference}").status_code == 200


def test_ones_own_work_opens_at_once(console: Console) -> None:
    """The handler who had it, and whoever wrote on it before it was closed."""
    _, reference = waiting(console)
    console.desk.note(reference, "heard it, too", by=Actor("carol", "handler"), now=console.now)
    console.desk.claim(reference, by=BEN, now=console.now)
    console.desk.let_go(reference, by=BEN, now=console.now)
    console.desk.close(reference, "no_trace", "all is well", by=BEN, now=console.now)
    console.refresh()
    for name, asked in (("ben", False), ("carol", False), ("anna", True)):
        page = console.handler(name).get(f"/incidents/{reference}").text
        assert (ASKS in page) == asked, name


def test_a_note_written_after_the_closing_makes_it_nobodys_own_work(console: Console) -> None:
    """It would be the way round the question."""
    reference = closed(console)
    anna = Actor("anna", "handler")
    console.desk.note(reference, "let me in", by=anna, now=console.now)
    console.refresh()
    assert ASKS in console.handler().get(f"/incidents/{reference}").text


def test_a_closed_call_that_asks_again_opens_at_once(console: Console) -> None:
    """A caller who presses again is no record: nobody is asked anything."""
    _, reference = waiting(console)
    console.desk.claim(reference, by=BEN, now=console.now)
    console.desk.close(reference, "no_trace", "a mistake", by=BEN, now=console.now)
    console.refresh()
    client = console.handler()
    assert ASKS in client.get(f"/incidents/{reference}").text
    sid = console.store.incident(reference).call_sid  # type: ignore[union-attr]
    console.now += timedelta(seconds=30)
    presses(console, sid, "55", 9)
    console.drain()
    assert ASKS not in client.get(f"/incidents/{reference}").text
