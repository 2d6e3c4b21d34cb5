"""The table is whole: a rule for everything, and every rule keeps to what it declares."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import get_args
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import settings as examples

from callflow import actions
from callflow.actions import Action
from callflow.call import Call, Stage
from callflow.events import (
    CodeTyped,
    ConnectionOrdered,
    Event,
    HoldOrdered,
    KeysPressed,
    MenuChosen,
    NothingHeard,
    QuestionAnswered,
)
from callflow.flow import RULES, NoRule, Rule, Setting, step
from tests.callflow import playing
from tests.incidents.answering import POLICY
from webhooks.documents import Documents


def unruled(rules: Mapping[tuple[Stage, type[Event]], Rule]) -> set[tuple[Stage, type[Event]]]:
    """Return the pairs of stage and event that no rule covers, or that do not exist."""
    return set(rules) ^ set(product(Stage, get_args(Event)))


def strays(rule: Rule, call: Call, event: Event, setting: Setting) -> bool:
    """Say whether ``rule`` leads somewhere it does not declare."""
    return rule.decide(call, event, setting).call.stage not in rule.to


def test_every_stage_has_a_rule_for_every_event() -> None:
    """Whatever happens, whenever: something safe is decided."""
    assert unruled(RULES) == set()


def test_a_missing_rule_is_noticed() -> None:
    """The check above can fail: one row taken out is found."""
    row = Stage.HOLD, NothingHeard
    assert unruled({key: rule for key, rule in RULES.items() if key != row}) == {row}


@examples(max_examples=500, deadline=None)
@given(playing.any_calls, playing.any_events, playing.settings)
def test_no_rule_leads_where_it_does_not_declare(
    call: Call, event: Event, setting: Setting
) -> None:
    """``docs/callflow.svg`` shows the declared stages, so they must be true."""
    assert not strays(RULES[call.stage, type(event)], call, event, setting)


def test_a_rule_that_strays_is_noticed() -> None:
    """The check above can fail: a row that declares too little is found."""
    call = playing.Playing.at(Stage.HOLD, "gb").call
    rule = Rule(RULES[Stage.HOLD, NothingHeard].decide, (Stage.BRIDGED,))
    setting = Setting(playing.PROFILES["gb"], False, playing.NOW)
    assert strays(rule, call, NothingHeard(), setting)


@examples(max_examples=300, deadline=None)
@given(playing.any_calls, playing.any_events, playing.settings)
def test_every_document_has_a_number_of_its_own(call: Call, event: Event, setting: Setting) -> None:
    """The step grows with every document, so that a retry is told from a second press."""
    assert step(call, event, setting).call.step == call.step + 1


def test_an_event_of_another_kind_has_no_rule() -> None:
    """``NoRule`` is what the edge sees; it then keeps the caller on the line."""
    call = Call.starting(playing.NOW)
    setting = Setting(playing.PROFILES["gb"], False, playing.NOW)
    with pytest.raises(NoRule, match="str"):
        step(call, "55", setting)  # type: ignore[arg-type]


MADE: dict[type[Event], list[Event]] = {
    KeysPressed: [KeysPressed("5")],
    MenuChosen: [MenuChosen(one.key, one) for one in playing.MENU.choices],
    CodeTyped: [CodeTyped("123467")],
    QuestionAnswered: [QuestionAnswered("unclear", "555"), QuestionAnswered("none", "")],
    HoldOrdered: [HoldOrdered("stay"), HoldOrdered("reassure", "cy-GB")],
    ConnectionOrdered: [ConnectionOrdered(True), ConnectionOrdered(False)],
}


def test_every_action_is_ordered_by_some_rule() -> None:
    """An action nobody orders would be dead words."""
    ordered: set[type[Action]] = set()
    lines = ((None, None), (playing.MENU, None), (None, playing.CONTACT))
    for control_room, profile, line in product((0, 1), playing.PROFILES.values(), lines):
        for stage, event in product(Stage, (kind for kind in get_args(Event))):
            call = Call(stage, 1, int(playing.NOW.timestamp()), listen=60)
            setting = Setting(profile, bool(control_room), playing.NOW, *line, rings=True)
            for made in MADE.get(event) or [event()]:
                ordered.add(type(step(call, made, setting).action))
    for stage in (Stage.SERVICE, Stage.ANY_KEY):
        call = Call(stage, 1, 0, asked=9)
        setting = Setting(playing.PROFILES["gb"], False, playing.NOW)
        ordered.add(type(step(call, NothingHeard(), setting).action))
    assert ordered == set(get_args(actions.Action))


EVERY_ACTION: tuple[Action, ...] = (
    actions.AskService(),
    actions.AskMenu(playing.MENU),
    actions.AskCode(playing.CONTACT),
    actions.AskAnyKey(),
    actions.AskForSignal(),
    *(actions.HoldLine(say, 5, 2) for say in get_args(actions.HoldWords)),
    actions.ConnectControlRoom(20),
    actions.LetGo(4, 2),
    actions.HangUp(),
    actions.Nothing(),
)
ORDERED: tuple[Action, ...] = (
    actions.AskQuestion(False, True, 4, 3),
    actions.ConnectStaff(20),
    actions.JoinConference(),
    actions.RingStaff(11),
)
"""What an order says, or whom it rings, comes with the order; who stands for a caller is found."""


def test_every_action_is_in_the_list_that_is_rendered_below() -> None:
    """An action added to the union must be rendered too."""
    assert {type(action) for action in (*EVERY_ACTION, *ORDERED)} == set(get_args(actions.Action))


@pytest.mark.parametrize("language", sorted(POLICY.voices))
@pytest.mark.parametrize("profile", sorted(playing.PROFILES))
@pytest.mark.parametrize("action", EVERY_ACTION, ids=str)
def test_every_action_renders(action: Action, profile: str, language: str) -> None:
    """As TwiML, in every profile and language; only the end of a call has none."""
    documents = Documents(
        POLICY.voices, POLICY.questions, "https://quietline.example", "+441632960055"
    )
    token = Call.starting(playing.NOW).write()
    twiml = documents.render(action, playing.PROFILES[profile], language, token, "nothing/en-GB")
    tag = ElementTree.fromstring(twiml).tag if twiml else ""
    assert tag == ("" if isinstance(action, actions.Nothing) else "Response")


@pytest.mark.parametrize("language", sorted(POLICY.voices))
@pytest.mark.parametrize("profile", sorted(playing.PROFILES))
def test_every_ordered_action_renders(profile: str, language: str) -> None:
    """As TwiML, with what the order says."""
    documents = Documents(
        POLICY.voices, POLICY.questions, "https://quietline.example", "+441632960055"
    )
    token, replies = Call.starting(playing.NOW).write(), playing.PROFILES[profile].replies
    asking = actions.AskQuestion(True, True, 4, 3)
    made = (
        documents.ask(asking, "Is the door <open> & unlocked?", replies, language, f"{token}/x"),
        documents.connect(20, token, "nothing/en-GB", "+447700900123"),
        documents.conference(token, "QL-7K3M-9F2X-HC4-1"),
        documents.reach("+447700900123", "+441632960103", 11, f"{token}/x", "x"),
        documents.take(playing.CONTACT, language, "x"),
        documents.took(playing.CONTACT, language),
    )
    assert {ElementTree.fromstring(twiml).tag for twiml in made} == {"Response"}


@pytest.mark.parametrize("action", ORDERED, ids=str)
def test_an_ordered_action_without_its_order_is_refused(action: Action) -> None:
    """Better an error that keeps the caller than a document that asks nothing."""
    documents = Documents(POLICY.voices, POLICY.questions, "https://quietline.example", None)
    with pytest.raises(ValueError, match="not known here"):
        documents.render(action, playing.PROFILES["gb"], "en-GB", "hold", "")
