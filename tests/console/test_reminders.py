"""Reminders in the header: whose they are, what they count, and that no page waits for them."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from tests.console.forms import send
from tests.console.site import NOW, Console
from tests.console.test_follow_ups import made
from tests.console.test_reviewing import silent


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console of the test's own."""
    return Console(data, sqlite_url)


def badges(page: str) -> dict[str, tuple[str, str]]:
    """The numbers beside the pages' names that are shown, and what they are read as."""
    found = re.findall(r'data-badge="([^"]+)"><b>([^<]*)</b><span class="sr"> ([^<]*)</span>', page)
    return {path: (count, said) for path, count, said in found}


def test_what_is_due_today_stands_beside_my_day_on_every_page(console: Console) -> None:
    """One's own alone, and not what is due tomorrow; what is late is said."""
    cara = console.handler("cara", role="contact_officer")
    dan = console.handler("dan", role="contact_officer")
    for minutes in (10, 20, 1800):
        made(console, due_at=NOW + timedelta(minutes=minutes))
    for path in ("/", "/my-day", "/search"):
        assert badges(cara.get(path).text) == {"/my-day": ("2", "due today")}
    assert badges(dan.get("/").text) == {}
    console.now += timedelta(minutes=11)
    assert badges(cara.get("/").text) == {"/my-day": ("2", "due today, 1 of them late")}


def test_supervisors_see_what_is_overdue_and_what_nobody_has(console: Console) -> None:
    """Beside the list of them, which is folded under More."""
    console.handler("cara", role="contact_officer")
    sue = console.handler("sue", role="supervisor")
    made(console, due_at=NOW + timedelta(minutes=10))
    left = made(console, due_at=NOW + timedelta(hours=30))
    console.follow_ups.leaver("cara", None, by="sue", now=NOW)
    console.follow_ups.pass_on(left, "sue", "hers", by="sue", now=NOW)
    console.now += timedelta(minutes=11)
    said = "to see to: 1 overdue, 1 that nobody has"
    page = sue.get("/").text
    assert badges(page)["/overdue"] == ("2", said)
    assert page.count('data-badge="/overdue"') == 2


def test_a_call_that_waits_too_long_in_review_is_counted(console: Console) -> None:
    """Rule 8: for everybody who reads the queue."""
    silent(console, ago=50)
    anna = console.handler("anna")
    assert badges(anna.get("/").text) == {}
    console.now += timedelta(minutes=11)
    assert badges(anna.get("/").text) == {"/review": ("1", "overdue")}


def test_what_is_done_here_counts_at_once(console: Console) -> None:
    """And what is done elsewhere within seconds."""
    cara = console.handler("cara", role="contact_officer")
    row, other = (made(console, due_at=NOW + timedelta(hours=1)) for _ in range(2))
    page = f"/follow-ups/{row}"
    assert badges(cara.get(page).text)["/my-day"][0] == "2"
    send(cara, page, f"{page}/close", outcome="not_in", said="")
    assert badges(cara.get("/").text)["/my-day"][0] == "1"
    console.follow_ups.close(other, "not_in", "", by="dan", now=NOW)
    console.now += timedelta(seconds=16)
    assert badges(cara.get("/").text) == {}


def test_a_page_that_stays_open_can_ask_for_them(console: Console) -> None:
    """As JSON."""
    cara = console.handler("cara", role="contact_officer")
    made(console, due_at=NOW + timedelta(hours=1))
    answer = cara.get("/reminders")
    told = {"/my-day": {"count": 1, "words": "due today", "late": False}}
    assert answer.get_json() == told
    assert answer.headers["Cache-Control"] == "no-store"


def test_without_the_store_the_board_shows_none_and_is_there(console: Console) -> None:
    """Nobody waits for a number."""
    cara = console.handler("cara", role="contact_officer")
    made(console, due_at=NOW + timedelta(hours=1))
    cara.get("/")
    console.now += timedelta(seconds=16)
    with console.store_away():
        answer = cara.get("/")
    assert answer.status_code == 200
    assert badges(answer.text) == {}
