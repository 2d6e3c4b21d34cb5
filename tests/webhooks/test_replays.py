"""The same request any number of times is the same harmless thing; nobody learns who called."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.policy import Policy, load_policy
from incidents.fold import fold
from incidents.recorded import Recorded
from incidents.sealed import Keys
from tests.webhooks import requests, twimlrules
from tests.webhooks.phoneside import PhoneSide, settings_under
from tests.webhooks.requests import call
from webhooks.answers import Answer, Answers
from webhooks.documents import Documents

NOW = datetime(2026, 12, 22, 18, 3, 11, tzinfo=UTC)
STEP = "/voice/step/signal.4.1798000000.1.00.0.0.0.0.0-"
CLOCK = re.compile(r"\b1[0-9]{9,12}\b")
"""The moments in a document: when the call began, when the hold began."""


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """All policy as it ships."""
    return load_policy(settings_under(tmp_path_factory.mktemp("policy")))


def answers_of(policy: Policy, room: str | None = None) -> Answers:
    """Build answers."""
    documents = Documents(policy.voices, policy.questions, requests.PUBLIC_URL, room)
    return Answers(policy, Keys(b"k" * 32), documents, room)


PATHS = (
    "/voice/incoming", STEP, "/voice/fallback", "/voice/unknown", "/voice/step/nonsense",
    "/voice/order/hold.4.1798000000.0.1010.0.0.0.0.0-7/x", "/voice/page/x",
    "/voice/answer/asked.4.1798000000.1.1010.0.0.0.0.0-7/x",
    "/voice/status", f"/voice/whisper/nothing/en-GB/{'a' * 40}/-/7",
)  # fmt: skip


# Twilio: a webhook is retried on a connection failure, so the same request may arrive twice.
@pytest.mark.parametrize("path", PATHS)
def test_a_request_repeated_five_times_is_one_event_and_one_answer(
    phone: PhoneSide, path: str
) -> None:
    """A retried 5 never becomes 55; a replay gets the same 200 and changes nothing."""
    pairs = call(Digits="5", CallStatus="completed")
    answers = [phone.post(path, pairs) for _ in range(5)]
    assert {answer.status for answer in answers} <= {200, 204}
    assert len({CLOCK.sub("", answer.text) for answer in answers}) == 1
    kinds = [event.kind for event in phone.events()]
    assert len(kinds) == len(set(kinds))


@pytest.mark.parametrize(
    "header", ["I-Twilio-Idempotency-Token", "User-Agent", "X-Home-Region", "Date"]
)
def test_a_retry_with_other_headers_is_still_the_same_event(phone: PhoneSide, header: str) -> None:
    """Design: "the same step with the same content is one event, whatever the headers say"."""
    for at in range(3):
        phone.post(STEP, call(Digits="5"), headers=[(header, str(at))])
    assert [event.data["keys"] for event in phone.events()] == ["5"]


@pytest.mark.parametrize("path", PATHS)
def test_the_same_state_gives_the_same_bytes(policy: Policy, path: str) -> None:
    """Nothing in a document but the state: no counter, no chance, no name."""
    params = dict(call(Digits="5"))

    def ask() -> Answer:
        answers = answers_of(policy, requests.CONTROL_ROOM)
        match path.split("/")[2:]:
            case ["incoming"]:
                return answers.incoming(params, NOW)
            case ["fallback"]:
                return answers.fallback(params, NOW)
            case ["status"]:
                return answers.status(params, NOW)
            case ["step", token]:
                return answers.next_step(token, params, NOW)
            case ["order", token, sealed]:
                return answers.order(token, sealed, params, NOW)
            case ["answer", token, sealed]:
                return answers.answer(token, sealed, params, NOW)
            case ["page", sealed]:
                return answers.page(sealed, params, NOW)
            case ["whisper", *rest]:
                return answers.whisper("/".join(rest), params, NOW)
            case _:
                return answers.lost(params, NOW, path)

    first = ask()
    assert all(ask() == first for _ in range(5))


def signed_call(answers: Answers, presses: list[str]) -> list[tuple[str, dict[str, str]]]:
    """Play one call through and return its requests."""
    sent = [("/voice/incoming", dict(call()))]
    document = answers.incoming(dict(call()), NOW).document
    for at, keys in enumerate(presses):
        path = twimlrules.next_path(document, requests.PUBLIC_URL)
        if path is None:
            break
        params = dict(call(Digits=keys))
        sent.append((path, params))
        token = path.removeprefix("/voice/step/")
        document = answers.next_step(token, params, NOW + timedelta(seconds=6 * at)).document
    return sent


@given(
    st.lists(st.sampled_from(["", "5", "7", "55", "*"]), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
)
@settings(max_examples=100, deadline=None)
def test_any_order_and_any_repetition_folds_to_the_same_incident(
    policy: Policy, presses: list[str], chance: random.Random
) -> None:
    """Each request one to five times, shuffled, at other moments: one and the same incident."""
    answers = answers_of(policy)
    sent = signed_call(answers, presses)

    def events(requests_sent: list[tuple[str, dict[str, str]]]) -> dict[str, object]:
        happened: list[Recorded] = []
        for path, params in requests_sent:
            if path == "/voice/incoming":
                happened += answers.incoming(params, NOW).events
            else:
                token = path.removeprefix("/voice/step/")
                happened += answers.next_step(token, params, NOW).events
        incident = fold(happened, "QL-TEST").incident
        return incident.as_json()

    shuffled = [each for each in sent for _ in range(chance.randint(1, 5))]
    chance.shuffle(shuffled)
    assert events(shuffled) == events(sent)


def test_of_two_lengths_of_keys_for_one_step_the_longer_counts(policy: Policy) -> None:
    """A retry may bring more of what was typed; never less."""
    answers = answers_of(policy)
    token = STEP.removeprefix("/voice/step/")
    short = answers.next_step(token, dict(call(Digits="5")), NOW).events
    long = answers.next_step(token, dict(call(Digits="55")), NOW).events
    for order in ([*short, *long], [*long, *short]):
        assert fold(order, "QL-TEST").incident.keys == "55"


NUMBERS = (
    "+447700900123", "+447911123456", "+33612345678", "+14155550123", "anonymous", "",
    "+266696687", "sip:alice@example.com", "999", "unknown", "<script>", "+4477009001230000000000",
)  # fmt: skip


@pytest.mark.parametrize("room", [None, requests.CONTROL_ROOM])
@pytest.mark.parametrize("digits", ["", "5", "55", "7"])
def test_known_and_unknown_numbers_hear_the_same_bytes(
    policy: Policy, room: str | None, digits: str
) -> None:
    """Rule 6: the line cannot be used to find out whether somebody called before."""
    answers = answers_of(policy, room)
    tokens = [
        STEP.removeprefix("/voice/step/"),
        "service.1.1798000000.1.00.0.0.0.0.0-",
        "hold.9.1798000000.0.00.5.10.9.14.1798000000-",
        "bridged.9.1798000000.0.00.5.10.9.14.1798000000-5",
    ]
    for token in tokens:
        documents = {
            answers.next_step(token, dict(call(number=number, Digits=digits)), NOW).document
            for number in NUMBERS
        }
        assert len(documents) == 1
    assert len({answers.incoming(dict(call(number=n)), NOW).document for n in NUMBERS}) == 1


def test_calling_again_and_again_changes_no_answer(phone: PhoneSide) -> None:
    """The tenth call of a number hears what the first heard."""
    heard = {
        CLOCK.sub("", phone.post("/voice/incoming", call(sid=f"CA{at}")).text) for at in range(10)
    }
    assert len(heard) == 1
    assert len({event.call_key for event in phone.events()}) == 10
