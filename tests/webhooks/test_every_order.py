"""Every order in every profile, language and stage; and whom the phone side never rings itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from callflow.call import Stage
from callflow.lines import Line
from config.policy import FOLDER, Policy, load_policy
from incidents.sealed import Keys
from tests.webhooks import requests, twimlrules
from tests.webhooks.ordering import HELD, NOW, ORDERS
from tests.webhooks.phoneside import settings_under
from tests.webhooks.requests import call
from webhooks.answers import Answer, Answers
from webhooks.documents import Documents


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """All policy as it ships."""
    return load_policy(settings_under(tmp_path_factory.mktemp("policy")), Path(FOLDER))


def reached(policy: Policy, room: str | None) -> Iterator[tuple[str, Answer]]:
    """Play every order in every profile, language and stage, and what may come of it."""
    keys = Keys(b"k" * 32)
    documents = Documents(policy.voices, policy.questions, requests.PUBLIC_URL, room)
    whats: dict[str, dict[str, Any]] = {what: {} for what in ORDERS}
    for profile, language in itertools.product(sorted(policy.profiles), policy.voices):
        line = Line("", "emergency", profile, language, "Line", "live")
        answers = Answers(replace(policy, other=line), keys, documents, room)
        for what, stage, pressed in itertools.product(whats, Stage, ("", "5", "123*")):
            order = replace(ORDERS[what], language=language)
            state = replace(HELD, stage=stage, keys=pressed, language=language, asked=0)
            token, sealed = state.write(), order.seal(keys)
            first = answers.order(token, sealed, dict(call()), NOW)
            yield f"{profile} {language} {what} at {stage}", first
            path = twimlrules.next_path(first.document, requests.PUBLIC_URL) or ""
            kind, *parts = path.removeprefix("/voice/").split("/")
            for digits in ("", "5", "55", "555", "4"):
                params = dict(call(Digits=digits))
                if kind == "answer":
                    yield f"{what} {digits}", answers.answer(parts[0], parts[1], params, NOW)
                else:
                    yield f"{what} {digits}", answers.next_step(parts[0], params, NOW)


@pytest.mark.parametrize("room", [None, requests.CONTROL_ROOM])
def test_every_document_of_every_order_is_valid(policy: Policy, room: str | None) -> None:
    """In every profile, language and stage, and after every answer; only letting go hangs up."""
    seen = 0
    for way, answer in reached(policy, room):
        seen += 1
        assert twimlrules.faults(answer.document, requests.PUBLIC_URL) == [], way
        if not way.startswith("let_go"):
            assert not twimlrules.hangs_up(answer.document), way
    assert seen > 5000


@pytest.mark.parametrize("purpose", ["training", "proof"])
def test_rule_7_no_call_but_a_live_one_rings_the_control_room_by_itself(
    policy: Policy, purpose: Any
) -> None:
    """An exercise pages nobody, however long it is left on hold."""
    documents = Documents(
        policy.voices, policy.questions, requests.PUBLIC_URL, requests.CONTROL_ROOM
    )
    line = replace(policy.other, purpose=purpose)
    answers = Answers(
        replace(policy, other=line), Keys(b"k" * 32), documents, requests.CONTROL_ROOM
    )
    waited = replace(HELD, claimed=False, waited=600)
    for document in (
        answers.next_step(waited.write(), dict(call()), NOW).document,
        answers.last_resort(NOW),
    ):
        assert not twimlrules.rings(document, requests.CONTROL_ROOM)


def test_rule_10_the_backstop_never_rings_for_a_claimed_caller(policy: Policy) -> None:
    """And does ring for one nobody has claimed."""
    room = requests.CONTROL_ROOM
    documents = Documents(policy.voices, policy.questions, requests.PUBLIC_URL, room)
    answers = Answers(policy, Keys(b"k" * 32), documents, room)
    waited = replace(HELD, waited=600, held=600)
    rung = [
        twimlrules.rings(answers.next_step(state.write(), dict(call()), NOW).document, room)
        for state in (waited, replace(waited, claimed=False))
    ]
    assert rung == [False, True]
