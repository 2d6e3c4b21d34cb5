"""``flask simulate`` as somebody at a terminal meets it."""

from __future__ import annotations

from click.testing import CliRunner, Result

from simulator.command import simulate_command
from simulator.scenarios import SCENARIOS
from tests.simulator.product import ACCOUNT, PUBLIC_URL, TOKEN, Product

HOLD = '<Gather action="/told" finishOnKey="" timeout="5" actionOnEmptyResult="true">{}</Gather>'


def run(product: Product, *arguments: str) -> Result:
    """Run the command with the defaults an application would pass in."""
    defaults = {
        "url": product.url,
        "public_url": PUBLIC_URL,
        "auth_token": TOKEN,
        "account": ACCOUNT,
    }
    return CliRunner().invoke(simulate_command(lambda: defaults), arguments)


def test_the_list_names_every_scenario_and_what_the_caller_does(product: Product) -> None:
    """--list needs no running product."""
    printed = run(product, "--list").output
    for scenario in SCENARIOS.values():
        assert scenario.name in printed
        assert scenario.about in printed
    assert product.posted == []


def test_one_scenario_prints_the_call_as_it_happens(product: Product) -> None:
    """A transcript in plain English, a result, and what was not checked."""
    product.answers["/voice/incoming"] = HOLD.format("<Say>Press 5 twice.</Say>")
    product.answers["/told"] = HOLD.format("<Say>Stay.</Say>")
    done = run(product, "silent-then-55", "--from", "+447700900999")
    assert done.exit_code == 0
    assert "hears “Press 5 twice.”" in done.output
    assert "1 of 1 as expected" in done.output
    assert "give --token" in done.output
    assert product.form("/voice/incoming")["From"] == "+447700900999"


def test_a_scenario_can_be_played_many_times(product: Product) -> None:
    """--count: one line each, every call from a number of its own."""
    product.answers["/voice/incoming"] = HOLD.format("<Say>Press 5 twice.</Say>")
    product.answers["/told"] = HOLD.format("")
    done = run(product, "silent-then-55", "--count", "3")
    assert "3 of 3 as expected" in done.output
    assert product.paths().count("/voice/incoming") == 3


def test_a_product_that_lets_a_silent_caller_go_unasked_fails(product: Product) -> None:
    """The exit code is 1, and the transcript shows why."""
    product.answers["/voice/incoming"] = "<Say>Goodbye.</Say><Hangup/>"
    done = run(product, "silent-then-55")
    assert done.exit_code == 1
    assert "never heard" in done.output


def test_a_product_that_speaks_twiml_twilio_refuses_fails(product: Product) -> None:
    """Faults count even where the caller got through."""
    product.answers["/voice/incoming"] = '<Gather numDigits="2"/>'
    product.answers["/voice/fallback"] = HOLD.format("<Say>Press 5</Say>")
    product.answers["/told"] = HOLD.format("")
    done = run(product, "silent-then-55")
    assert done.exit_code == 1
    assert "Twilio would have complained: 12200" in done.output


def test_an_unknown_scenario_is_named(product: Product) -> None:
    """And the way to the list is shown."""
    done = run(product, "shouting")
    assert done.exit_code == 2
    assert "no scenario 'shouting'; see --list" in done.output
