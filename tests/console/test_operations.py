"""The pages of operations, as a supervisor and an officer use them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from incidents.persons import Persons
from tests.console.forms import send, token, words
from tests.console.site import NOW, Console

GOOD = {
    "name": "Operation County 2026",
    "area": "Cumbria",
    "from_day": "2026-12-01",
    "to_day": "2027-01-04",
    "baseline_from": "2025-12-01",
    "baseline_to": "2026-01-04",
}


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console of the test's own."""
    return Console(data, sqlite_url)


@pytest.fixture
def sue(console: Console) -> FlaskClient:
    """A supervisor."""
    return console.handler("sue", role="supervisor")


def made(sue: FlaskClient) -> str:
    """Make the example; returns the address of its page."""
    answer = send(sue, "/operations/new", **GOOD)
    assert answer.status_code == 303
    return str(answer.headers["Location"]).partition("?")[0]


def add(console: Console, *names: str, repeat: bool = False) -> None:
    """Put people on record."""
    persons = Persons(console.store, console.keys, console.audit)
    for name in names:
        persons.add(name, by="cara", now=NOW, repeat=repeat)


def test_without_an_operation_the_page_says_what_to_do(console: Console, sue: FlaskClient) -> None:
    """To who may make one, and to who may not."""
    assert "Make one: give it a name" in words(sue.get("/operations"))
    cara = console.handler("cara", role="contact_officer")
    assert "A supervisor makes one." in words(cara.get("/operations"))


def test_a_supervisor_makes_an_operation_and_it_is_on_the_list(sue: FlaskClient) -> None:
    """Its page counts the days that are left and shows what it is compared with."""
    page = words(sue.get(made(sue)))
    for text in ("Operation County 2026", "1 Dec 2026 to 4 Jan 2027", "13 days left", "Cumbria"):
        assert text in page
    assert "1 Dec 2025 to 4 Jan 2026" in page
    assert "Nobody is in it yet." in page
    assert "Operation County 2026" in words(sue.get("/operations"))


def test_with_the_store_away_a_new_operation_is_not_lost(
    console: Console, sue: FlaskClient
) -> None:
    """The form comes back with what was typed, and says that nothing is saved."""
    sue.get("/operations/new")
    with console.store_away():
        answer = send(sue, "/sign-out", "/operations/new", **GOOD)
    assert (answer.status_code, GOOD["name"] in answer.text) == (503, True)


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("name", "", "Write its name first."),
        ("from_day", "soon", "Enter a day, such as 2026-12-01."),
        ("to_day", "", "Enter a day, such as 2026-12-01."),
        ("to_day", "2026-11-30", "It cannot end before it begins"),
        ("baseline_from", "", "Enter a day, such as 2026-12-01."),
        ("baseline_to", "2026-12-02", "The baseline must end before"),
    ],
)
def test_a_form_that_is_refused_keeps_what_was_typed(
    sue: FlaskClient, field: str, typed: str, sentence: str
) -> None:
    """The sentence stands above and beside its field, and nothing is made."""
    answer = send(sue, "/operations/new", **{**GOOD, field: typed})
    assert answer.status_code == 422
    assert answer.text.count(sentence) == 2
    for other, value in GOOD.items():
        if other != field:
            assert f'value="{value}"' in answer.text
    assert "There is no operation yet" in words(sue.get("/operations"))


def test_people_come_in_by_rule_and_by_hand_and_go_out(console: Console, sue: FlaskClient) -> None:
    """Each step says what happened."""
    add(console, "Ann One", repeat=True)
    add(console, "Dai Example")
    page = made(sue)
    answer = sue.get(send(sue, page, f"{page}/rule").headers["Location"])
    assert "Everybody known as a repeat victim is in." in words(answer)
    assert "Nobody new" in words(sue.get(send(sue, page, f"{page}/rule").headers["Location"]))
    send(sue, page, f"{page}/people", person="dai example", part="offender")
    shown = words(sue.get(page))
    assert "Ann One Victim by rule, sue" in shown
    assert "Dai Example Person responsible by hand, sue" in shown
    out = re.search(r'action="([^"]+/out)"', sue.get(page).text)
    assert out is not None
    send(sue, page, out[1])
    assert sue.get(page).text.count("/out") == 1


def test_a_name_nobody_has_is_refused_and_kept(sue: FlaskClient) -> None:
    """With what to do."""
    page = made(sue)
    answer = send(sue, page, f"{page}/people", person="No Body", part="victim")
    assert answer.status_code == 422
    assert 'value="No Body"' in answer.text
    assert "add the person first" in words(answer)


def test_a_closed_operation_can_be_read_and_takes_nobody(
    console: Console, sue: FlaskClient
) -> None:
    """Its forms are gone; a form that was open before is refused with the reason."""
    add(console, "Ann One", repeat=True)
    page = made(sue)
    given = token(sue, page)
    sue.post(f"{page}/rule", data={"csrf_token": given})
    (out,) = re.findall(r'action="([^"]+/out)"', sue.get(page).text)
    assert "was closed" in words(sue.get(send(sue, page, f"{page}/close").headers["Location"]))
    assert "/rule" not in sue.get(page).text
    for deed in ("rule", "close"):
        answer = sue.post(f"{page}/{deed}", data={"csrf_token": given})
        assert answer.status_code == 409
        assert "This operation is closed" in words(answer)
    answer = sue.post(out, data={"csrf_token": given})
    assert answer.status_code == 409
    assert "This operation is closed" in words(answer)
    assert "Ann One" in sue.get(page).text


def test_what_is_done_is_reached_past_any_number_of_people(
    console: Console, sue: FlaskClient
) -> None:
    """The list says how many they are; a link at the top leads below it, for as long as it may."""
    add(console, "Ann One", "Bea Two", repeat=True)
    page = made(sue)
    send(sue, page, f"{page}/rule")
    shown = sue.get(page).text
    assert "People in scope: 2</h2>" in shown
    assert shown.count("#put-in") == shown.count('id="put-in"') == 1
    assert "Put people in, plan visits" in words(sue.get(page))
    cara = console.handler("cara", role="contact_officer")
    assert "plan visits" not in words(cara.get(page))
    send(sue, page, f"{page}/close")
    assert "#put-in" not in sue.get(page).text


def test_an_operation_is_closed_in_two_steps(sue: FlaskClient) -> None:
    """It is not opened again: what ends it is folded away, without a script too."""
    page = sue.get(made(sue)).text
    before = page.partition('/close"')[0]
    assert before.count("<details") == before.count("</details>") + 1
    assert "Close the operation …</summary>" in before
    assert "not opened again" in before


def test_an_address_of_no_operation_is_not_found(sue: FlaskClient) -> None:
    """Whatever is asked of it."""
    given = token(sue, "/operations/new")
    assert sue.get("/operations/nothing").status_code == 404
    for deed in ("people", "rule", "close", "people/nobody/out"):
        data = {"csrf_token": given, "person": "Ann One", "part": "victim"}
        assert sue.post(f"/operations/nothing/{deed}", data=data).status_code == 404
