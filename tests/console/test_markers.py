"""Markers on the console: set from a call, shown on its page, reviewed and ended."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from console.markers import last_day, until_of
from incidents.addresses import Addresses
from incidents.numbers import number_row
from incidents.persons import Persons
from incidents.transactions import writing
from incidents.working import Actor, Unfit
from tests.console.forms import send
from tests.console.site import NOW, NUMBER, Console
from tests.console.test_audited import closed
from tests.incidents.joining import joined
from tests.incidents.test_marking import wanted


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console of the test's own, with the officer who owns markers."""
    console = Console(data, sqlite_url)
    joined(console.accounts, "cara", "contact_officer", now=NOW)
    return console


FORM = {
    "kind": "high_risk",
    "action": "Send <a unit> & ring nobody",
    "owner": "cara",
    "until": "2027-06-30",
    "reason": "MARAC of 4 November",
}


def marked(console: Console, until: datetime | None = None) -> str:
    """Have the tests' number carry a marker; returns its id."""
    with writing(console.store.engine) as connection:
        row = number_row(connection, console.keys, NUMBER, NOW)
        return console.markers.put(connection, wanted(until=until), "cara", NOW, number_id=row)


def test_a_marker_set_from_a_call_stands_on_the_next_ones_page(console: Console) -> None:
    """With its action and owner; the next silent call of the number is at the top of the board."""
    first = console.reference(console.call("7"))
    console.drain()
    anna = console.handler("anna")
    page = f"/incidents/{first}/markers"
    assert "Set the first one here" in anna.get(page).text
    assert send(anna, page, **FORM).status_code == 303
    assert "Marker set" in anna.get(f"/incidents/{first}").text
    other = console.reference(console.call("55", number="+447700900777"))
    silent = console.reference(console.call(at=NOW + timedelta(minutes=50)))
    console.drain()
    shown = anna.get(f"/incidents/{silent}").text
    assert "High risk of domestic abuse" in shown
    assert "Send &lt;a unit&gt; &amp; ring nobody" in shown
    assert "until 30 Jun 2027" in shown
    assert "A marker proposes immediate." in shown
    assert '<option value="immediate" selected>' in shown
    board = anna.get("/").text
    assert board.index(other) > 0
    assert "high-risk marker" in board
    assert console.store.incident(silent).urgency == 1  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "none"}, "kind"),
        ({"action": ""}, "action"),
        ({"owner": "nobody"}, "owner"),
        ({"until": "soon"}, "until"),
        ({"until": "2026-12-21"}, "until"),
        ({"reason": " "}, "reason"),
    ],
)
def test_a_refused_marker_keeps_what_was_typed(
    console: Console, change: dict[str, str], field: str
) -> None:
    """What is wrong stands above and beside its field; nothing is set."""
    reference = console.reference(console.call("7"))
    console.drain()
    anna = console.handler("anna")
    typed = {**FORM, "reason": "kept <words>", **change}
    answer = send(anna, f"/incidents/{reference}/markers", **typed)
    assert answer.status_code == 422
    assert f'id="{field}-fault"' in answer.text
    assert f'href="#{field}"' in answer.text
    if "reason" not in change:
        assert "kept &lt;words&gt;" in answer.text
    assert console.markers.listed(NOW).many == 0


def test_a_withheld_number_offers_no_form(console: Console) -> None:
    """It says why; sent all the same, it is refused."""
    reference = console.reference(console.call("7", number=None))
    console.drain()
    anna = console.handler("anna")
    page = f"/incidents/{reference}/markers"
    assert "no marker can reach it" in anna.get(page).text
    assert send(anna, "/sign-out", page, **FORM).status_code == 409


def test_the_list_puts_those_for_review_first_and_says_what_to_do_when_empty(
    console: Console,
) -> None:
    """Past its last day, it raises nothing and asks."""
    anna = console.handler("anna")
    assert "Set one from the page of a call" in anna.get("/markers").text
    marker = marked(console, until=NOW + timedelta(minutes=1))
    page = anna.get("/markers").text
    assert "Standing 1</h2>" in page
    assert "For review" not in page
    console.now = NOW + timedelta(minutes=2)
    page = anna.get("/markers").text
    assert "For review 1</h2>" in page
    assert "passed: review it" in page
    assert f'href="/markers/{marker}"' in page


def test_a_review_and_an_end_are_told_on_its_page(console: Console) -> None:
    """In local time, with who and why; a handler cannot end a high-risk one, a supervisor can."""
    one = f"/markers/{marked(console)}"
    cara, sue = (
        console.handler("dora", role="contact_officer"),
        console.handler("sue", role="supervisor"),
    )
    typed = {"action": "Ring the SPOC", "owner": "dora", "until": "2027-12-01", "reason": "Met her"}
    assert send(cara, one, f"{one}/review", **typed).status_code == 303
    page = cara.get(one).text
    assert "dora reviewed it, to stand until 1 Dec 2027, owner dora. Why: Met her" in page
    assert "ended by a supervisor" in page
    answer = send(cara, one, f"{one}/end", why="Kept words")
    assert answer.status_code == 409
    assert "A high-risk marker is ended by a supervisor" in answer.text
    refused = send(sue, one, f"{one}/end", why="")
    assert refused.status_code == 422
    assert 'id="why-fault"' in refused.text
    assert send(sue, one, f"{one}/end", why="Moved away").status_code == 303
    assert "sue ended it. Why: Moved away" in sue.get(one).text
    assert send(cara, one, f"{one}/review", **typed).status_code == 409


def test_an_unknown_marker_is_not_there(console: Console) -> None:
    """404, whatever is asked of it."""
    sue = console.handler("sue", role="supervisor")
    assert sue.get("/markers/no-such").status_code == 404
    assert send(sue, "/sign-out", "/markers/no-such/end", why="x").status_code == 404


def test_a_closed_call_is_opened_for_its_markers_with_a_reason(console: Console) -> None:
    """As its own page is, when it is not one's own work."""
    reference = closed(console)
    anna = console.handler("anna")
    assert "Why" in anna.get(f"/incidents/{reference}/markers").text
    assert "New marker on" not in anna.get(f"/incidents/{reference}/markers").text
    answer = send(anna, "/sign-out", f"/incidents/{reference}/markers", **FORM)
    assert answer.status_code == 422
    assert console.markers.listed(NOW).many == 0


def test_with_the_store_away_nothing_typed_is_lost(console: Console) -> None:
    """The page says so."""
    reference = console.reference(console.call("7"))
    console.drain()
    anna = console.handler("anna")
    anna.get(f"/incidents/{reference}/markers")
    with console.store_away():
        answer = send(anna, "/sign-out", f"/incidents/{reference}/markers", **FORM)
    assert (answer.status_code, "MARAC" in answer.text) == (503, True)


@pytest.mark.parametrize(
    ("typed", "until"),
    [
        ("2027-06-30", datetime(2027, 6, 30, 23, 0, tzinfo=UTC)),
        ("2027-01-31", datetime(2027, 2, 1, 0, 0, tzinfo=UTC)),
    ],
)
def test_a_last_day_is_over_at_local_midnight(typed: str, until: datetime) -> None:
    """In summer an hour before midnight in UTC."""
    assert until_of(typed) == until
    assert last_day(until) == date.fromisoformat(typed)


@pytest.mark.parametrize("typed", ["", "tomorrow", "9999-12-31", "2027-02-30"])
def test_a_day_that_is_none_is_refused(typed: str) -> None:
    """With what to type."""
    with pytest.raises(Unfit, match="Enter a day"):
        until_of(typed)


def person(console: Console) -> tuple[str, str]:
    """Somebody on record with a home; returns their id and the home's."""
    store, keys, audit = console.store, console.keys, console.audit
    mair = Persons(store, keys, audit).add("Mair Example", by="anna", now=NOW)
    home = Addresses(store, keys, audit).add(mair, "12 High Street", by="anna", now=NOW)
    return mair, home


@pytest.mark.parametrize(("where", "on"), [("person", "Mair Example"), ("home", "12 High Street")])
def test_a_marker_stands_on_a_person_or_where_they_live(
    console: Console, where: str, on: str
) -> None:
    """It is shown on the person's page and on the list, with what it stands on."""
    mair, home = person(console)
    anna = console.handler("anna")
    page = f"/people/{mair}/markers"
    assert "Set the first one here" in anna.get(page).text
    typed = {**FORM, "home": home if where == "home" else ""}
    assert send(anna, page, **typed).status_code == 303
    assert "Send &lt;a unit&gt;" in anna.get(f"/people/{mair}").text
    assert on in anna.get("/markers").text
    again = send(anna, page, **{**typed, "reason": "kept <words>"})
    assert again.status_code == 422
    assert "review that one" in again.text
    assert "kept &lt;words&gt;" in again.text


def test_a_marker_cannot_be_set_on_somebody_else_s_home(console: Console) -> None:
    """Nor on an address that was ended meanwhile."""
    mair, home = person(console)
    anna = console.handler("anna")
    Addresses(console.store, console.keys, console.audit).end(
        mair, home, by=Actor("anna", "handler"), now=NOW
    )
    answer = send(anna, f"/people/{mair}/markers", **{**FORM, "home": home})
    assert answer.status_code == 422
    assert 'id="home-fault"' in answer.text


def test_somebody_who_is_not_one_s_own_work_is_opened_with_a_reason(console: Console) -> None:
    """For their markers too, and to set one."""
    mair, _ = person(console)
    ben = console.handler("ben")
    assert "New marker" not in ben.get(f"/people/{mair}/markers").text
    assert send(ben, "/sign-out", f"/people/{mair}/markers", **FORM, home="").status_code == 422
    assert console.markers.listed(NOW).many == 0
