"""Calling a known person back, over the real product: the officer's own phone first (rule 7)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from simulator.exchange import Exchange
from simulator.moments import FarEnd
from tests.scenarios.conftest import LINES, Site, sites
from tests.scenarios.officers import Officer
from tests.waiting import eventually

CARA = "+447700900801"
SUE = "+447700900802"
ADA = "+447700900811"
BEA = "+447700900812"
DAN = "+447700900813"
PEOPLE = (
    "name,number,number_safe,safe_hours\n"
    f"Ada Example,{ADA},safe,any time\n"
    f"Bea Example,{BEA},safe,{{hours}}\n"
    f"Dan Example,{DAN},never,any time\n"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that knows three people: safe at any time, at no hour of today, and never."""
    folder = tmp_path_factory.mktemp("calling-back")
    for made in sites(folder):
        known = folder / "known.csv"
        known.write_text(PEOPLE.format(hours=_another_hour()), encoding="utf-8")
        made.quietline.command("people", "import", str(known), "--apply")
        yield made


def _another_hour() -> str:
    """Hours of one day of the week only, half a week away from now."""
    return (datetime.now(UTC) + timedelta(days=3)).strftime("%A 10:00-11:00")


@pytest.fixture(scope="module")
def cara(site: Site) -> Officer:
    """A contact officer."""
    return Officer.signs_in(site, "cara", "contact_officer", CARA)


@pytest.fixture(scope="module")
def sue(site: Site) -> Officer:
    """A supervisor."""
    return Officer.signs_in(site, "sue", "supervisor", SUE)


@pytest.fixture
def exchange(site: Site) -> Iterator[Exchange]:
    """An exchange in front of it, in which Twilio has nothing to complain of."""
    exchange = site.exchange()
    yield exchange
    for call in exchange.calls:
        call.hang_up()
    assert exchange.faults == []


def person(site: Site, place: int) -> str:
    """The page to call back the person in a row of the file, from 0."""
    with closing(sqlite3.connect(site.quietline.data / "quietline.db")) as store:
        rows = store.execute("SELECT id FROM people ORDER BY created_at, rowid").fetchall()
    return f"/people/{rows[place][0]}/call-back"


def asked(officer: Officer, page: str, reason: str = "") -> tuple[int, str]:
    """Ask for a call-back; returns the status and its page."""
    if "Why do you open this person?" in officer.opens(page):
        why = "Asked for by the inspector"
        officer.sends(page.replace("call-back", "open"), reason=why)
        officer.opens(page)
    return officer.sends(page, number=officer.value_of("number"), reason=reason)


def confirmed(officer: Officer, one: str) -> None:
    """Confirm it on the page that asks once more."""
    officer.opens(one)
    status, _ = officer.sends(f"{one}/start", token=officer.value_of("token"))
    assert status == 303, officer.words


def finished(officer: Officer, one: str, result: str) -> None:
    """Say how it ended."""
    officer.opens(one)
    status, _ = officer.sends(f"{one}/result", result=result, said="")
    assert status == 303, officer.words


def test_the_officer_presses_1_and_then_the_person_is_rung(
    site: Site, exchange: Exchange, cara: Officer
) -> None:
    """By REST only the officer is rung, from our line; the person hears nothing of ours."""
    exchange.far_ends[CARA] = FarEnd(presses="1")
    status, one = asked(cara, person(site, 0))
    assert status == 303
    assert exchange.rest.outbound == []
    confirmed(cara, one)
    rung = exchange.rings(CARA)
    eventually(lambda: rung.call.connected_to == ADA, 10)
    (placed,) = exchange.rest.outbound
    assert (placed.to, placed.caller) == (CARA, LINES["non emergency"])
    assert ADA not in json.dumps(dict(placed.form))
    assert "press 1" in " ".join(rung.heard)
    assert not [note for note in rung.call.notes if note.kind == "whispered"]
    eventually(lambda: "Somebody has picked up" in cara.opens(one), 10)
    rung.the_other_side_hangs_up()
    eventually(lambda: rung.over)
    eventually(lambda: "The call is over" in cara.opens(one), 10)
    finished(cara, one, "wrong_voice")
    assert "Wrong voice" in cara.opens(one)


@pytest.mark.parametrize("officer", [FarEnd(), FarEnd(outcome="no-answer"), FarEnd(presses="9")])
def test_an_officers_voicemail_takes_no_call_back(
    site: Site, exchange: Exchange, cara: Officer, officer: FarEnd
) -> None:
    """It presses no 1, so nobody else is rung; it learns nothing."""
    exchange.far_ends[CARA] = officer
    _, one = asked(cara, person(site, 0))
    confirmed(cara, one)
    rung = exchange.rings(CARA)
    eventually(lambda: rung.over, 10)
    assert not [note for note in rung.call.notes if note.detail.get("number") == ADA]
    finished(cara, one, "not_rung")


def test_a_machine_that_answers_gets_no_message(
    site: Site, exchange: Exchange, cara: Officer
) -> None:
    """The call is ended as soon as Twilio says so, whatever the officer does."""
    exchange.far_ends[CARA] = FarEnd(presses="1")
    exchange.far_ends[ADA] = FarEnd(machine=True)
    _, one = asked(cara, person(site, 0))
    confirmed(cara, one)
    rung = exchange.rings(CARA)
    eventually(lambda: rung.over, 10)
    assert rung.ended_by_us
    eventually(lambda: "A machine answered" in cara.opens(one), 10)
    finished(cara, one, "machine")


def test_an_hour_that_is_not_safe_is_refused(site: Site, exchange: Exchange, cara: Officer) -> None:
    """To an officer, whatever they say; nobody is rung."""
    status, _ = asked(cara, person(site, 1), "I think it is fine")
    assert status == 422
    assert "This is no safe hour" in cara.words
    assert exchange.rest.outbound == []


@pytest.mark.parametrize(("place", "number"), [(1, BEA), (2, DAN)])
def test_a_supervisor_with_a_reason_may(
    site: Site, exchange: Exchange, sue: Officer, place: int, number: str
) -> None:
    """At an hour that is not safe, and against "never call", which is said loudly."""
    exchange.far_ends[SUE] = FarEnd(presses="1")
    assert asked(sue, person(site, place))[0] == 422
    status, one = asked(sue, person(site, place), "Threat to life")
    assert status == 303
    confirmed(sue, one)
    rung = exchange.rings(SUE)
    eventually(lambda: rung.call.connected_to == number, 10)
    rung.hangs_up()
    finished(sue, one, "no_answer")
