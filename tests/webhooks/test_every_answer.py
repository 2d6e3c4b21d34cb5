"""Every document we can ever send is valid, small, quiet, and keeps the caller."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callflow import actions
from callflow.call import Call, Stage
from callflow.lines import Kind, Line
from config.policy import FOLDER, Policy, load_policy
from incidents.sealed import Keys
from tests.webhooks import requests, twimlrules
from tests.webhooks.phoneside import settings_under
from webhooks.answers import Answer, Answers
from webhooks.documents import Documents

NOW = datetime(2026, 12, 22, 18, 3, 11, tzinfo=UTC)
PUBLIC_URL = "https://phone.example:8443/quiet/line"
LINES = tuple(
    f"+44163296{profile:02}{language:02}" for profile, language in product(range(20), range(10))
)
ROOMS = (None, requests.CONTROL_ROOM)
rooms = pytest.mark.parametrize("room", ROOMS, ids=["no control room", "a control room"])
SIGNS = ("SpeechResult", "'Digits': '1", "'Digits': '5", "'Digits': '7", "'Digits': '*")


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """All policy as it ships, with a line of each kind for every profile and language."""
    shipped = load_policy(settings_under(tmp_path_factory.mktemp("policy")), Path(FOLDER))
    kinds: tuple[Kind, ...] = ("emergency", "non_emergency", "contact")
    lines = {
        LINES[10 * p + 3 * v + k]: Line(LINES[10 * p + 3 * v + k], kind, profile, voice, "", "live")
        for p, profile in enumerate(sorted(shipped.profiles))
        for v, voice in enumerate(sorted(shipped.voices))
        for k, kind in enumerate(kinds)
    }
    return replace(shipped, lines=lines)


def answers_of(policy: Policy, room: str | None) -> Answers:
    """Build answers for a site with or without a control room."""
    documents = Documents(policy.voices, policy.questions, PUBLIC_URL, room)
    return Answers(policy, Keys(b"k" * 32), documents, room)


INPUTS: tuple[dict[str, str], ...] = (
    {},
    {"Digits": ""},
    {"Digits": "5"},
    {"Digits": "7"},
    {"Digits": "1"},
    {"Digits": "55"},
    {"Digits": "*"},
    {"SpeechResult": "help"},
    {"DialCallStatus": "no-answer"},
    {"DialCallStatus": "completed", "DialBridged": "false"},
    {"DialCallStatus": "completed"},
)
"""What can come of one document, as far as our answers can tell it apart."""


def faults(answer: Answer) -> list[str]:
    """Check an answer's document, also as the one that is sent when no disk takes the events."""
    wrong = twimlrules.faults(answer.document, PUBLIC_URL)
    if answer.unwritten:
        wrong += twimlrules.keeps_the_caller(answer.document, PUBLIC_URL)
    return wrong


def step(answers: Answers, path: str, params: dict[str, str], now: datetime) -> Answer:
    """Take the step a document's URL asks for."""
    if path.startswith("/voice/reach/"):
        token, _, sealed = path.removeprefix("/voice/reach/").partition("/")
        return answers.reach(token, sealed, params, now)
    assert path.startswith("/voice/step/"), f"{path} is no step"
    return answers.next_step(token_of(path), params, now)


def token_of(path: str) -> str:
    """Return the call's state in the address of its next step."""
    return path.removeprefix("/voice/reach/").removeprefix("/voice/step/").partition("/")[0]


def shape(token: str) -> tuple[object, ...]:
    """What of a call can decide its next document; counters in steps of the shortest wait."""
    call = Call.read(token)
    return (
        call.stage, call.asked, min(call.keys.count("5"), 2), min(len(call.keys), 2), call.heard,
        call.lost, call.held // 8, call.quiet // 8, call.waited // 8, call.listen,
    )  # fmt: skip


def _pause(path: str) -> int:
    return 6 if "hold" in path else 10


def walk(answers: Answers, line: str, most: int) -> Iterator[tuple[str, Answer]]:
    """Walk every state that can be reached, breadth first; yield each way and its answer."""
    base = dict(requests.call(To=line, Called=line))
    first = answers.incoming(base, NOW)
    yield "incoming", first
    waiting: deque[tuple[str, bytes, datetime]] = deque([("", first.document, NOW)])
    seen: set[tuple[object, ...]] = set()
    while waiting and len(seen) < most:
        way, document, now = waiting.popleft()
        path = twimlrules.next_path(document, PUBLIC_URL)
        if path is None:
            continue
        token = token_of(path)
        if shape(token) in seen:
            continue
        seen.add(shape(token))
        later = now + timedelta(seconds=_pause(path))
        for params in INPUTS:
            answer = step(answers, path, {**base, **params}, later)
            yield f"{way} {params}", answer
            waiting.append((f"{way} {params}", answer.document, later))


@dataclass(frozen=True, slots=True)
class Met:
    """One answer met on a walk."""

    line: Line
    way: str
    answer: Answer


Walks = dict[str | None, list[Met]]


@pytest.fixture(scope="module")
def walks(policy: Policy) -> Walks:
    """Every answer met, without and with a control room; the second language less deeply."""
    return {
        room: [
            Met(line, way, answer)
            for line in policy.lines.values()
            for way, answer in walk(
                answers_of(policy, room), line.number, 600 if line.language == "en-GB" else 60
            )
        ]
        for room in ROOMS
    }


@rooms
def test_every_document_on_every_way_through_a_call_is_valid(
    walks: Walks, room: str | None
) -> None:
    """Every profile in every language, every stage, every input, breadth first."""
    assert len(walks[room]) > 2000
    for met in walks[room]:
        assert faults(met.answer) == [], f"{met.line.profile}: {met.way}"


@rooms
def test_the_walk_meets_every_stage(walks: Walks, room: str | None) -> None:
    """What the test above walks is the whole flow, not a corner of it."""
    paths = [twimlrules.next_path(met.answer.document, PUBLIC_URL) for met in walks[room]]
    stages = {Call.read(token_of(path)).stage for path in paths if path}
    # Questions come by order alone; test_orders walks those.
    assert stages == set(Stage) - {Stage.NEW, Stage.ASKED} - (set() if room else {Stage.BRIDGED})
    assert any(twimlrules.hangs_up(met.answer.document) for met in walks[room])


@rooms
def test_only_the_goodbye_ends_a_call_and_only_for_a_caller_who_gave_no_sign(
    walks: Walks, policy: Policy, room: str | None
) -> None:
    """Rule 2: nothing ends unseen. A Hangup follows a goodbye and silence only."""
    for met in walks[room]:
        if twimlrules.hangs_up(met.answer.document):
            assert not any(sign in met.way for sign in SIGNS), met.way
            assert policy.profiles[met.line.profile].silence == "review"
            goodbye = policy.voices[met.line.language].prompts["goodbye"]
            assert twimlrules.spoken(met.answer.document) in ([goodbye], [])


KEYS = st.sampled_from(["", "5", "55", "7", "*", "#", "123", "5" * 100, "0", "٥", "ABCD"])
STEPS = st.fixed_dictionaries(
    {},
    optional={
        "Digits": KEYS,
        "SpeechResult": st.sampled_from(["", "help", "x" * 3000]),
        "DialCallStatus": st.sampled_from(["completed", "busy", "no-answer"]),
        "CallStatus": st.sampled_from(["in-progress", "completed"]),
    },
)


@given(
    at=st.integers(0, 10_000),
    room=st.sampled_from(ROOMS),
    number=st.sampled_from(["+447700900123", "+442079460123", "anonymous", "", "sip:a@b"]),
    steps=st.lists(st.tuples(STEPS, st.integers(-5, 90), st.booleans()), max_size=25),
)
@settings(max_examples=150, deadline=None)
def test_no_history_of_any_kind_leads_to_a_bad_document(
    policy: Policy,
    at: int,
    room: str | None,
    number: str,
    steps: list[tuple[dict[str, str], int, bool]],
) -> None:
    """Long random calls, with failures in between and clocks that jump."""
    answers = answers_of(policy, room)
    line = sorted(policy.lines)[at % len(policy.lines)]
    base = {**dict(requests.call(To=line)), "From": number}
    answer, now = answers.incoming(base, NOW), NOW
    for params, seconds, fails in steps:
        assert faults(answer) == []
        path = twimlrules.next_path(answer.document, PUBLIC_URL)
        if path is None:
            return
        now += timedelta(seconds=seconds)
        if fails:
            failed = {**base, **params, "ErrorUrl": PUBLIC_URL + path, "ErrorCode": "11200"}
            answer = answers.fallback(failed, now)
            assert not twimlrules.hangs_up(answer.document)
        else:
            answer = step(answers, path, {**base, **params}, now)
    assert faults(answer) == []


@rooms
@pytest.mark.parametrize(
    "url",
    ["", f"{PUBLIC_URL}/voice/incoming", f"{PUBLIC_URL}/voice/step/nonsense", "gopher://x", "\x00"],
)
def test_the_fallback_and_a_lost_call_are_held(policy: Policy, room: str | None, url: str) -> None:
    """ "A failure goes to hold": whatever the failed address was, in every language."""
    answers = answers_of(policy, room)
    for line in policy.lines:
        for params in INPUTS:
            given_params = {**dict(requests.call(To=line)), **params, "ErrorUrl": url}
            for answer in (
                answers.fallback(given_params, NOW),
                answers.lost(given_params, NOW, "x"),
                answers.next_step("nonsense", given_params, NOW),
            ):
                assert faults(answer) == []
                assert twimlrules.keeps_the_caller(answer.document, PUBLIC_URL) == []


@rooms
def test_the_last_resort_keeps_the_caller_and_says_nothing(
    policy: Policy, room: str | None
) -> None:
    """Our own failure: nothing is said; the caller is connected, or held where nobody can be."""
    document = answers_of(policy, room).last_resort(NOW)
    assert twimlrules.keeps_the_caller(document, PUBLIC_URL) == []
    assert twimlrules.spoken(document) == []
    assert twimlrules.rings(document, requests.CONTROL_ROOM) is (room is not None)


@rooms
def test_what_follows_a_last_resort_is_valid_too(policy: Policy, room: str | None) -> None:
    """A call that began with a failure goes on for as long as the caller wants."""
    answers = answers_of(policy, room)
    document, now = answers.last_resort(NOW), NOW
    for params in INPUTS * 6:
        path = twimlrules.next_path(document, PUBLIC_URL)
        assert path is not None
        now += timedelta(seconds=5)
        answer = step(answers, path, {**dict(requests.call()), **params}, now)
        assert faults(answer) == []
        assert not twimlrules.hangs_up(answer.document)
        document = answer.document


WORDS = ("confirmed", "someone", "heard", "nothing", "", "unknown", "\x00")
SIGNALS = ("55", "1", "-", "", "s", "<script>", "\x00", "é", "5" * 500)


def test_every_whisper_is_valid_and_only_speaks(policy: Policy) -> None:
    """The side that answers hears one sentence, and is then joined to the caller."""
    answers = answers_of(policy, requests.CONTROL_ROOM)
    languages = (*policy.voices, "xx-XX", "")
    for word, language, signal in product(WORDS, languages, SIGNALS):
        path = f"{word}/{language}/{'a' * 40}/{signal}/7"
        answer = answers.whisper(path, {"ParentCallSid": "CA1"}, NOW)
        assert twimlrules.faults(answer.document, PUBLIC_URL) == []
        assert len(twimlrules.spoken(answer.document)) == 1


def test_the_whisper_a_document_names_says_what_was_pressed(walks: Walks, policy: Policy) -> None:
    """Issue: "the answering side hears a whisper first: silent caller, 55 pressed or not"."""
    answers = answers_of(policy, requests.CONTROL_ROOM)
    heard = set()
    for met in walks[requests.CONTROL_ROOM]:
        if met.line.language == "en-GB" and b"<Number" in met.answer.document:
            url = twimlrules.whisper_url(met.answer.document)
            path = url.removeprefix(f"{PUBLIC_URL}/voice/whisper/")
            if path == url:
                continue  # on the line for known victims a 1 is asked for instead
            said = twimlrules.spoken(answers.whisper(path, {}, NOW).document)
            heard.add((path.partition("/")[0], *said))
    start, end = "Silent caller.", "Do not speak until you know it is safe."
    assert heard >= {
        ("confirmed", f"{start} 5 5 was pressed. {end}"),
        ("someone", f"{start} A key was pressed. {end}"),
        ("heard", f"{start} Something was heard. {end}"),
        ("nothing", f"{start} Nothing was pressed. {end}"),
    }


def test_the_whisper_of_a_profile_with_several_signals_names_the_key_that_counted(
    policy: Policy,
) -> None:
    """In Massachusetts a 9 before the 1 changes nothing: 1 was pressed, and 1 is said."""
    answers = answers_of(policy, requests.CONTROL_ROOM)
    line = next(n for n, each in policy.lines.items() if each.profile == "us-ma")
    base = dict(requests.call(To=line))
    waited = Call(Stage.HOLD, 4, int(NOW.timestamp()), keys="*91", heard=True, waited=60)
    answer = answers.next_step(waited.write(), base, NOW)
    path = twimlrules.whisper_url(answer.document).partition("/voice/whisper/")[2]
    assert path.split("/")[3] == "1"


def test_every_action_has_a_document(policy: Policy) -> None:
    """Completeness: what the rules can order, the phone side can say."""
    documents = Documents(policy.voices, policy.questions, PUBLIC_URL, requests.CONTROL_ROOM)
    made: dict[object, list[actions.Action]] = {
        actions.AskMenu: [actions.AskMenu(menu) for menu in policy.menus.values()],
        actions.AskCode: [actions.AskCode(policy.contact.line)],
        actions.HoldLine: [actions.HoldLine(say, 5, 2) for say in get_args(actions.HoldWords)],
        actions.ConnectControlRoom: [actions.ConnectControlRoom(20)],
        actions.LetGo: [actions.LetGo(4, 2)],
    }
    ordered = (
        actions.AskQuestion,
        actions.ConnectStaff,
        actions.JoinConference,
        actions.RingStaff,
    )
    for kind, language, profile in product(
        set(get_args(actions.Action)) - set(ordered), policy.voices, policy.profiles.values()
    ):
        for action in made.get(kind) or [kind()]:
            document = documents.render(action, profile, language, "hold.1", "nothing/en-GB")
            if kind is actions.Nothing:
                assert document == b""
            else:
                assert twimlrules.faults(document, PUBLIC_URL) == []
