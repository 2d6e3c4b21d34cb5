"""What the fold says of questions, answers and connections, from calls really answered."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from incidents.fold import Answer
from tests.incidents.answering import CONTROL_ROOM, Calling


def asked() -> Calling:
    """A caller who pressed a 7 and is asked something now."""
    return Calling().arrives().presses("7").is_ordered("ask")


def told(call: Calling) -> list[tuple[str | None, str]]:
    """Each answer, and its keys."""
    return [(answer.answer, answer.keys) for answer in call.incident.answers]


ANSWERS: dict[str, tuple[Callable[[], Calling], list[tuple[str | None, str]]]] = {
    "being spoken": (asked, [(None, "")]),
    "two presses": (lambda: asked().presses("88"), [("yes", "88")]),
    "one press": (lambda: asked().presses("8"), [("no", "8")]),
    "nothing": (lambda: asked().stays_silent(), [("none", "")]),
    "three presses, asked again": (
        lambda: asked().presses("888"),
        [("unclear", "888"), (None, "")],
    ),
    "three presses, then two": (
        lambda: asked().presses("888").presses("88"),
        [("unclear", "888"), ("yes", "88")],
    ),
    "three presses, then nothing": (
        lambda: asked().presses("888").stays_silent(),
        [("unclear", "888"), ("none", "")],
    ),
    "three presses twice": (
        lambda: asked().presses("888").presses("888"),
        [("unclear", "888"), ("unclear", "888")],
    ),
    "the caller hangs up under it": (lambda: asked().ends(), [("line_dropped", "")]),
    "the caller hangs up under the second try": (
        lambda: asked().presses("888").ends(),
        [("unclear", "888"), ("line_dropped", "")],
    ),
    "overtaken by another question": (
        lambda: asked().is_ordered("ask", question="injured", text="Are you hurt?").presses("8"),
        [("none", ""), ("no", "8")],
    ),
    "overtaken by hold": (lambda: asked().is_ordered("hold"), [("none", "")]),
    "overtaken, and then the caller hangs up": (
        lambda: asked().is_ordered("hold").ends(),
        [("none", "")],
    ),
    "our answer failed, and the keys came with the fallback": (
        lambda: _failed_with("88"),
        [("yes", "88")],
    ),
    "our answer failed, and no keys came": (lambda: asked().fails(), [("none", "")]),
    "the same question twice": (
        lambda: asked().presses("8").is_ordered("ask").presses("88"),
        [("no", "8"), ("yes", "88")],
    ),
}


def _failed_with(digits: str) -> Calling:
    call = asked()
    url = "https://quietline.example/voice/" + "/".join(call.place)
    params = call.parameters(ErrorCode="11200", ErrorUrl=url, Digits=digits)
    call.events.extend(call.answers.fallback(params, call.now).events)
    return call


@pytest.mark.parametrize("situation", ANSWERS)
def test_answers_are_told_apart_and_never_merged(situation: str) -> None:
    """Yes, no, unclear, none, line dropped; one entry for each time it was spoken."""
    play, expected = ANSWERS[situation]
    assert told(play()) == expected


def test_an_answer_says_what_was_asked_and_when() -> None:
    """Asked when it was spoken, answered when the keys came."""
    call = asked()
    spoken = call.now
    call.presses("88")
    (answer,) = call.incident.answers
    assert answer == Answer("danger_now", "Are you in danger now?", "yes", "88", spoken, call.now)


def test_the_second_try_was_asked_when_the_first_was_not_understood() -> None:
    """Each has its own moments."""
    call = asked().presses("888")
    unclear = call.now
    first, second = call.presses("8").incident.answers
    assert (first.answered_at, second.asked_at, second.answered_at) == (unclear, unclear, call.now)


def test_keys_of_an_answer_are_not_the_calls_keys() -> None:
    """They belong to the answer; the signal counts them all the same."""
    call = asked().presses("5").is_ordered("ask").presses("55")
    assert (call.incident.keys, call.incident.signal) == ("7", "confirmed")
    assert call.incident.reasons[0] == "55 pressed"


def test_an_answer_survives_as_json() -> None:
    """The store keeps it so."""
    (answer,) = asked().presses("88").incident.answers
    assert Answer.read(answer.as_json()) == answer
    (waiting,) = asked().incident.answers
    assert Answer.read(waiting.as_json()) == waiting
    assert waiting.as_json()["answered_at"] is None


def test_an_answer_asks_for_no_handler_but_one_that_confirms_does() -> None:
    """Whoever asked has the call; a full signal alerts whoever closed it meanwhile."""
    call = asked()
    before = call.incident.alerted_at
    assert call.presses("8").incident.alerted_at == before
    call.is_ordered("ask").presses("55")
    assert call.incident.alerted_at == call.now


def test_an_answer_with_the_whole_signal_asks_for_a_handler_again() -> None:
    """Rule 5: 55 alerts again on a closed incident, also where it was pressed before."""
    call = asked().presses("55")
    before = call.incident.alerted_at
    assert call.is_ordered("ask").presses("55").incident.alerted_at == call.now
    assert call.now != before


def test_a_late_key_asks_for_a_handler_again() -> None:
    """Any key on hold, also long after."""
    call = asked().presses("88").presses("3")
    assert call.incident.alerted_at == call.now


@pytest.mark.parametrize(
    ("play", "bridged"),
    [
        (lambda: asked(), ""),
        (lambda: asked().is_ordered("connect"), "anna"),
        (lambda: asked().is_ordered("conference"), "a muted conference"),
        (lambda: asked().is_ordered("connect").posts(DialCallStatus="completed"), ""),
        (lambda: asked().is_ordered("connect").is_ordered("hold"), ""),
        (lambda: asked().is_ordered("connect").ends(), ""),
        (
            lambda: (
                Calling(control_room=CONTROL_ROOM)
                .arrives()
                .presses("7")
                .stays_silent_until(b"<Dial")
            ),
            "control room",
        ),
    ],
)
def test_the_incident_says_who_the_caller_is_joined_to(
    play: Callable[[], Calling], bridged: str
) -> None:
    """Meanwhile no key is heard, and the screen must say so."""
    assert play().incident.bridged == bridged


def test_the_incident_knows_the_line_that_was_called_and_the_language() -> None:
    """Who is rung sees the line's number; questions are spoken in the call's language."""
    call = asked()
    assert (call.incident.called, call.incident.language) == ("+441632960999", "en-GB")
    assert call.is_ordered("language", language="cy-GB").incident.language == "cy-GB"
    assert call.stays_silent(3).incident.language == "cy-GB"


def test_an_order_s_step_lies_above_every_step_before_it() -> None:
    """So it sorts last, and never collides."""
    call = asked()
    steps = [event.step for event in call.events]
    assert call.incident.last_step == max(steps) == steps[-1]


def test_the_timeline_tells_what_was_said_and_answered() -> None:
    """Who gave the order wrote that; here stands what the caller heard and did."""
    call = asked().presses("888").presses("88").is_ordered("reassure").is_ordered("let_go")
    kinds = [
        (entry.kind, entry.data.get("prompt") or entry.data.get("answer"))
        for entry in call.folded.entries
    ]
    assert kinds[-6:] == [
        ("prompt_played", "question"),
        ("question_answered", "unclear"),
        ("prompt_played", "question"),
        ("question_answered", "yes"),
        ("prompt_played", "reassure"),
        ("prompt_played", "goodbye"),
    ]
    answered = next(e for e in call.folded.entries if e.kind == "question_answered")
    assert set(answered.data) == {"question", "text", "answer", "keys"}


def test_a_connection_that_was_ordered_is_no_escalation_of_ours() -> None:
    """It is told as connected when the other side has picked up."""
    call = asked().is_ordered("connect")
    path = call.document.partition(b"/voice/whisper/")[2].partition(b'"')[0].decode()
    call.events.extend(call.answers.whisper(path, {"ParentCallSid": call.sid}, call.now).events)
    entries = [(entry.kind, entry.data) for entry in call.folded.entries]
    assert ("connected", {"to": "anna"}) in entries
    assert "escalated" not in [kind for kind, _ in entries]


def test_the_backstop_is_told_as_an_escalation() -> None:
    """The phone side rang the control room by itself."""
    call = Calling(control_room=CONTROL_ROOM).arrives().presses("7").stays_silent_until(b"<Dial")
    kinds = [entry.kind for entry in call.folded.entries]
    assert "escalated" in kinds
