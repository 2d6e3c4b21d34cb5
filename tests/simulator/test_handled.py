"""Scenarios with a handler: both sides of the call, and orders to calls placed from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from click.testing import CliRunner, Result

from simulator.command import simulate_command
from simulator.elsewhere import registered
from simulator.exchange import Exchange
from simulator.handler import Handler
from simulator.questioned import QUESTIONED
from simulator.scenario import Scenario
from tests.simulator.desk import HANDLER, READER, Desk, desk
from tests.simulator.product import ACCOUNT, PUBLIC_URL, TOKEN, Product

NAMES = [scenario.name for scenario in QUESTIONED]
CALLER = "+447700900123"


@pytest.fixture
def training(product: Product) -> Iterator[Desk]:
    """A desk in training mode."""
    with desk(product) as made:
        yield made
    assert product.unsigned == []


def run(product: Product, console: str, *arguments: str) -> Result:
    """Run the command in front of a desk."""
    defaults = {
        "url": product.url,
        "public_url": PUBLIC_URL,
        "auth_token": TOKEN,
        "account": ACCOUNT,
        "console": console,
    }
    return CliRunner().invoke(simulate_command(lambda: defaults), arguments)


@pytest.mark.parametrize("scenario", QUESTIONED, ids=NAMES)
def test_both_sides_are_played_and_the_answers_are_judged(
    product: Product, training: Desk, scenario: Scenario
) -> None:
    """The handler claims and asks through the API; the caller hears the question and answers."""
    done = run(product, training.url, scenario.name, "--token", HANDLER)
    assert "1 of 1 as expected" in done.output, done.output
    assert "Nobody worked" not in done.output
    (incident,) = training.incidents.values()
    assert incident["state"] == "claimed"
    assert scenario.handled is not None
    wanted = scenario.handled.get("answers", ())
    assert tuple(asked["answer"] for asked in incident["answers"]) == wanted


def test_an_answer_other_than_the_callers_fails_the_scenario(
    product: Product, training: Desk
) -> None:
    """A product that takes two presses for no is found out."""

    def wrong(request: object) -> str:
        document = training.answered(request)
        for incident in training.incidents.values():
            incident["answers"][-1]["answer"] = "no"
        return document

    product.answers["/answer"] = wrong
    defaults = (product, training.url, "answers-yes", "--token", HANDLER, "--patience", "0.2")
    done = run(*defaults)
    assert done.exit_code == 1
    assert "answers is ('no', 'no'), not ('yes', 'yes')" in done.output


def test_a_token_that_may_only_read_plays_the_caller_alone_and_says_so(
    product: Product, training: Desk
) -> None:
    """403: what the caller can do alone is still checked."""
    done = run(product, training.url, *NAMES, "--token", READER)
    assert f"{len(NAMES)} of {len(NAMES)} as expected" in done.output, done.output
    assert "Nobody worked the calls that ask for a handler: the token may not claim." in done.output


def test_without_a_token_the_caller_is_played_alone_and_it_says_so(
    product: Product, training: Desk
) -> None:
    """No token: nothing is judged but the call itself."""
    done = run(product, training.url, *NAMES)
    assert f"{len(NAMES)} of {len(NAMES)} as expected" in done.output, done.output
    assert "Nobody worked the calls that ask for a handler: there is no --token." in done.output


def test_outside_training_mode_no_order_reaches_a_practice_call(product: Product) -> None:
    """There is no practice phone: nobody claims a call that could not be spoken to."""
    with desk(product, training=False) as live:
        done = run(product, live.url, "answers-yes", "--token", HANDLER)
        assert "1 of 1 as expected" in done.output, done.output
        assert "the console has no practice phone to bring orders." in done.output
        assert [one["state"] for one in live.incidents.values()] == ["waiting"]


@pytest.fixture
def elsewhere(product: Product, training: Desk) -> Iterator[Exchange]:
    """An exchange in this process, beside the practice phone's."""
    exchange = Exchange(
        product.url, PUBLIC_URL, TOKEN, ACCOUNT, training.url, HANDLER, serve_rest=True
    )
    yield exchange
    for call in exchange.calls:
        call.hang_up()
    exchange.close()


def order(training: Desk, sid: str) -> requests.Response:
    """Send an order by way of the practice phone's exchange."""
    calls = f"{training.url}/practice/twilio/2010-04-01/Accounts/{ACCOUNT}/Calls"
    url = {"Url": f"{PUBLIC_URL}/hold"}
    return requests.post(f"{calls}/{sid}.json", data=url, auth=(ACCOUNT, TOKEN), timeout=5)


def test_orders_are_passed_on_while_an_exchange_is_registered_and_not_after(
    training: Desk, elsewhere: Exchange
) -> None:
    """404 before, the call's own answers meanwhile (21220 when it is over), 404 afterwards."""
    call = elsewhere.call(CALLER).hears("press 5")
    assert order(training, call.sid).status_code == 404
    with registered(elsewhere) as known:
        assert known
        assert order(training, call.sid).json()["sid"] == call.sid
        call.waits_for_order().hears("stay on the line").hangs_up()
        assert order(training, call.sid).json()["code"] == 21220
        assert order(training, "CA" + "0" * 32).json()["code"] == 20404
    assert order(training, call.sid).status_code == 404


def test_an_exchange_that_died_is_forgotten(training: Desk, elsewhere: Exchange) -> None:
    """Orders to its calls are 404, and those of others still arrive."""
    place = f"{training.url}/practice/twilio/exchanges"
    dead = {"url": "http://127.0.0.1:9"}
    call = elsewhere.call(CALLER)
    with registered(elsewhere):
        assert requests.put(place, json=dead, auth=(ACCOUNT, TOKEN), timeout=5).ok
        assert order(training, call.sid).status_code == 200


@pytest.mark.parametrize(
    ("url", "token", "status"),
    [
        ("http://127.0.0.1:9", "wrong", 401),
        ("http://192.0.2.1:80", TOKEN, 422),
        ("http://127.0.0.1:80/console", TOKEN, 422),
        ("file:///etc/passwd", TOKEN, 422),
        (None, TOKEN, 422),
    ],
)
def test_only_a_port_of_this_machine_is_registered_by_whoever_has_the_token(
    training: Desk, url: str | None, token: str, status: int
) -> None:
    """Nobody makes the console call other places."""
    place = f"{training.url}/practice/twilio/exchanges"
    answer = requests.put(place, json={"url": url}, auth=(ACCOUNT, token), timeout=5)
    assert answer.status_code == status


def test_a_test_may_play_both_sides_step_by_step(training: Desk, elsewhere: Exchange) -> None:
    """The handler and the caller as objects: a call that reads as a conversation."""
    with registered(elsewhere):
        call = elsewhere.call(CALLER).hears("press 5").presses("55").settles()
        handler = Handler(elsewhere).claims(call)
        handler.asks(call, "Is the other person in the room?")
        call.is_asked("other person").answers("no")
        handler.asks(call, "Can you speak?")
        call.is_asked("can you speak").stays_silent().settles()
        incident = elsewhere.incident(call, state="claimed", answers=("no", "none"))
    assert incident.keys == "55"
