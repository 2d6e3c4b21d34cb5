"""Pages on which a high-risk marker could come to match fewer calls: refused, or asked why."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from incidents.addresses import Addresses
from incidents.marker_kinds import Wanted
from incidents.merging import Merges
from incidents.person_numbers import PersonNumbers
from incidents.persons import Persons
from incidents.safe_contact import SafeContact
from tests.console.forms import send, words
from tests.console.site import NOW, NUMBER, Console

WHY = "It is <his> number"


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console of the test's own."""
    return Console(data, sqlite_url)


def marked(console: Console) -> tuple[str, dict[str, str]]:
    """Somebody who carries a high-risk marker; their id, and what ends each part of them."""
    given = (console.store, console.keys, console.audit)
    persons, wanted = Persons(*given), Wanted("Send a unit", "anna", NOW, "MARAC", "high_risk")
    mair, twin = (persons.add(name, by="anna", now=NOW) for name in ("Mair One", "Mair Two"))
    number = PersonNumbers(*given).add(twin, NUMBER, SafeContact(), by="anna", now=NOW)
    home = Addresses(*given).add(twin, "12 High Street", by="anna", now=NOW)
    merges = Merges(*given)
    merges.merge(mair, twin, "the same", by="anna", now=NOW)
    until = NOW + timedelta(days=300)
    for where in ("", home):
        marker = Wanted(wanted.action, wanted.owner, until, wanted.reason, wanted.kind)
        console.markers.set_on_person(mair, marker, by="anna", now=NOW, home=where)
    merge = merges.of(mair)[0].id
    page = f"/people/{mair}"
    return page, {
        f"{page}/numbers/{number}/end": "The number was ended.",
        f"{page}/addresses/{home}/end": "The address was ended.",
        f"{page}/merge/{merge}/undo": "They are two people again",
    }


def opened(client: FlaskClient, page: str) -> FlaskClient:
    """Say why somebody is opened, as whoever has no work with them does."""
    send(client, page, f"{page}/open", reason="looking into the marker")
    return client


def test_a_handler_is_told_who_may_and_why_and_keeps_what_was_typed(console: Console) -> None:
    """Nothing is changed: the number, the home and the merge still stand on the page."""
    anna = console.handler("anna")
    page, ends = marked(console)
    for end in ends:
        refused = send(anna, page, end, why=WHY)
        assert refused.status_code == 409
        assert "“High risk of domestic abuse” would match fewer calls" in words(refused)
        assert "Only a supervisor may do this, with a reason: ask one." in words(refused)
        assert "It is &lt;his&gt; number</textarea>" in refused.text
        assert f'action="{end}"' in anna.get(page).text


def test_a_supervisor_is_asked_why_beside_the_button_and_then_does_it(console: Console) -> None:
    """The reason stands in the audit; what was typed too long is kept."""
    anna = console.handler("anna")
    sue = console.handler("sue", role="supervisor")
    page, ends = marked(console)
    opened(sue, page)
    auditor = console.handler("olga", role="auditor")
    for end, done in ends.items():
        assert 'name="why"' not in sue.get(page).text
        asked = send(sue, page, end)
        assert asked.status_code == 422
        field = f"why-{end.split('/')[-2]}"
        assert f'href="#{field}"' in asked.text  # the summary leads to the field
        assert f'<textarea id="{field}" name="why"' in asked.text
        assert f'id="{field}-fault"' in asked.text
        assert f'action="{end}"' in asked.text
        long = send(sue, page, end, why="x" * 1001)
        assert long.status_code == 422
        assert "x" * 1001 in long.text
        answer = send(sue, page, end, why=WHY)
        assert answer.status_code == 303
        assert done in words(sue.get(answer.headers["Location"]))
        assert f'action="{end}"' not in anna.get(page).text
    log = words(auditor.get("/audit"))
    assert log.count("had a high-risk marker match fewer calls") >= len(ends)
    assert WHY in log
