"""Questions on the real product, both sides played: each way to answer, and each answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulator.exchange import Exchange
from simulator.handler import Handler
from simulator.questioned import QUESTIONED
from tests import running
from tests.scenarios.conftest import Site

QUESTION = "Is anybody with you who can hear this?"
TRAINING_NAMES = [scenario.name for scenario in QUESTIONED]


@pytest.fixture(scope="module")
def token(site: Site) -> str:
    """A token of somebody who may work calls."""
    return site.quietline.token("both-sides", "--role", "handler")


@pytest.fixture
def handler(exchange: Exchange, token: str) -> Handler:
    """A handler who works the calls of this exchange."""
    exchange.target = replace(exchange.target, api_token=token)
    return Handler(exchange)


@pytest.mark.parametrize("line", ["emergency", "welsh", "us-ma"])
@pytest.mark.parametrize("answer", ["yes", "no"])
def test_a_caller_answers_as_the_line_tells_them_to(
    exchange: Exchange, handler: Handler, mobile: str, line: str, answer: str
) -> None:
    """Two presses or one, key 4 or key 5, told in the language of the line."""
    call = exchange.call(mobile, line=line).stays_silent().presses("7").settles()
    handler.claims(call).asks(call, QUESTION)
    call.is_asked(QUESTION).answers(answer).is_on_hold()  # type: ignore[arg-type]
    exchange.incident(call, state="claimed", answers=(answer,), keys="7")


def test_a_bank_question_is_asked_by_its_id_and_a_hang_up_is_no_answer(
    exchange: Exchange, handler: Handler, mobile: str
) -> None:
    """The line drops while the question is spoken: line_dropped, and the call stays claimed."""
    call = exchange.call(mobile).stays_silent().presses("7").settles()
    handler.claims(call).asks_from_the_bank(call, "danger_now")
    call.waits_for_order().hangs_up()
    incident = exchange.incident(call, answers=("line_dropped",), connection="dropped")
    assert incident.answers[0]["question"] == "danger_now"


def test_a_newcomer_plays_both_sides_from_the_terminal(site: Site) -> None:
    """In training mode orders find their way back to the terminal's own calls."""
    data = site.quietline.data.parent / "training"
    with running.quietline(running.training_settings(data)) as quietline:
        token = quietline.token("terminal", "--role", "handler")
        printed = quietline.command("simulate", *TRAINING_NAMES, "--token", token)
    assert f"{len(TRAINING_NAMES)} of {len(TRAINING_NAMES)} as expected." in printed
    assert "Nobody worked" not in printed
