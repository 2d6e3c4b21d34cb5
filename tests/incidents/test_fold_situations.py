"""What each situation reads: the table of the domain, row by row, from calls really answered."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from incidents.fold import Incident
from tests.incidents.answering import CONTROL_ROOM, LANDLINE, Calling, marked, repeated


def read(incident: Incident) -> tuple[str, int, str, str]:
    """Return the four values a situation is read by."""
    return incident.signal, incident.urgency, incident.state, incident.connection


def with_repeat(call: Calling, nth: int) -> Calling:
    """Add that this is the ``nth`` call, as profile gb ranks it."""
    call.events.append(repeated(call, nth, {2: 3}.get(nth, 2)))
    return call


def with_marker(call: Calling, *, high_risk: bool = True) -> Calling:
    """Add that the number carries a marker."""
    call.events.append(marked(call, high_risk=high_risk))
    return call


SITUATIONS: dict[str, tuple[Callable[[], Calling], tuple[str, int, str, str]]] = {
    "just arrived": (lambda: Calling().arrives(), ("nothing", 4, "waiting", "open")),
    "prompts running": (
        lambda: Calling().arrives().stays_silent(2),
        ("nothing", 4, "waiting", "open"),
    ),
    "any key": (
        lambda: Calling().arrives().stays_silent().presses("7"),
        ("someone_there", 2, "waiting", "open"),
    ),
    "a single 5": (
        lambda: Calling().arrives().presses("5"),
        ("someone_there", 2, "waiting", "open"),
    ),
    "a voice": (lambda: Calling().arrives().says("hello"), ("heard", 2, "waiting", "open")),
    "full signal": (
        lambda: Calling().arrives().stays_silent(2).presses("55"),
        ("confirmed", 1, "waiting", "open"),
    ),
    "full signal from a landline": (
        lambda: Calling(number=LANDLINE).arrives().presses("55"),
        ("confirmed", 1, "waiting", "open"),
    ),
    "full signal in Ireland: any key": (
        lambda: Calling("ie").arrives().presses("#"),
        ("confirmed", 1, "waiting", "open"),
    ),
    "full signal in Massachusetts: 2": (
        lambda: Calling("us-ma").arrives().presses("2"),
        ("confirmed", 1, "waiting", "open"),
    ),
    "a 5 now and a 5 later": (
        lambda: Calling().arrives().presses("5").stays_silent(12).presses("5"),
        ("confirmed", 1, "waiting", "open"),
    ),
    "a key, then a voice": (
        lambda: Calling().arrives().presses("7").says("no"),
        ("someone_there", 2, "waiting", "open"),
    ),
    "goodbye is being said": (
        lambda: Calling().arrives().stays_silent_until(b"Goodbye"),
        ("nothing", 4, "waiting", "open"),
    ),
    "mobile silence, we let go": (
        lambda: Calling().arrives().is_let_go(),
        ("nothing", 4, "review", "ended"),
    ),
    "mobile silence, we let go, second call": (
        lambda: with_repeat(Calling().arrives().is_let_go(), 2),
        ("nothing", 3, "review", "ended"),
    ),
    "mobile silence, we let go, third call": (
        lambda: with_repeat(Calling().arrives().is_let_go(), 3),
        ("nothing", 2, "review", "ended"),
    ),
    "a key during the goodbye": (
        lambda: Calling().arrives().stays_silent_until(b"Goodbye").presses("5"),
        ("someone_there", 2, "waiting", "open"),
    ),
    "landline silence": (
        lambda: Calling(number=LANDLINE).arrives().stays_silent(4),
        ("nothing", 2, "waiting", "open"),
    ),
    "high-risk marker, just arrived": (
        lambda: with_marker(Calling().arrives()),
        ("nothing", 1, "waiting", "open"),
    ),
    "high-risk marker, hang-up without a sign": (
        lambda: with_marker(Calling().arrives().ends()),
        ("nothing", 1, "waiting", "dropped"),
    ),
    "high-risk marker, mobile silence, we let go": (
        lambda: with_marker(Calling().arrives().is_let_go()),
        ("nothing", 1, "waiting", "ended"),
    ),
    "high-risk marker, any key": (
        lambda: with_marker(Calling().arrives().presses("7")),
        ("someone_there", 1, "waiting", "open"),
    ),
    "another marker, hang-up without a sign": (
        lambda: with_marker(Calling().arrives().ends(), high_risk=False),
        ("nothing", 4, "review", "dropped"),
    ),
    "landline silence for long": (
        lambda: Calling(number=LANDLINE).arrives().stays_silent(60),
        ("nothing", 2, "waiting", "open"),
    ),
    "silence in Massachusetts": (
        lambda: Calling("us-ma").arrives().stays_silent(4),
        ("nothing", 2, "waiting", "open"),
    ),
    "hang-up without a sign": (
        lambda: Calling().arrives().stays_silent(2).ends(),
        ("nothing", 4, "review", "dropped"),
    ),
    "hang-up during the first prompt": (
        lambda: Calling().arrives().ends("canceled"),
        ("nothing", 4, "review", "dropped"),
    ),
    "hang-up during the goodbye": (
        lambda: Calling().arrives().stays_silent_until(b"Goodbye").ends(),
        ("nothing", 4, "review", "dropped"),
    ),
    "hang-up without a sign, second call": (
        lambda: with_repeat(Calling().arrives().ends(), 2),
        ("nothing", 3, "review", "dropped"),
    ),
    "hang-up without a sign, third call": (
        lambda: with_repeat(Calling().arrives().ends(), 3),
        ("nothing", 2, "review", "dropped"),
    ),
    "hang-up after a key": (
        lambda: Calling().arrives().presses("5").ends(),
        ("someone_there", 2, "waiting", "dropped"),
    ),
    "hang-up after a voice": (
        lambda: Calling().arrives().says("help").ends(),
        ("heard", 2, "waiting", "dropped"),
    ),
    "hang-up after the full signal": (
        lambda: Calling().arrives().presses("55").ends(),
        ("confirmed", 1, "waiting", "dropped"),
    ),
    "our own failure": (
        lambda: Calling().arrives().fails(),
        ("nothing", 2, "waiting", "open"),
    ),
    "our own failure after the full signal": (
        lambda: Calling().arrives().presses("55").fails(),
        ("confirmed", 1, "waiting", "open"),
    ),
    "our own failure, then hang-up": (
        lambda: Calling().arrives().fails().ends(),
        ("nothing", 2, "waiting", "dropped"),
    ),
    "our own failure, line held long": (
        lambda: Calling().arrives().fails().stays_silent(60),
        ("nothing", 2, "waiting", "open"),
    ),
    "bridged to the control room by the backstop": (
        lambda: (
            Calling(control_room=CONTROL_ROOM).arrives().presses("7").stays_silent_until(b"<Dial")
        ),
        ("someone_there", 2, "waiting", "open"),
    ),
    "asked, and not answered yet": (
        lambda: Calling().arrives().is_ordered("ask"),
        ("nothing", 4, "waiting", "open"),
    ),
    "asked, and answered by one key": (
        lambda: Calling().arrives().is_ordered("ask").presses("7"),
        ("someone_there", 2, "waiting", "open"),
    ),
    "asked, and answered by 55": (
        lambda: Calling().arrives().is_ordered("ask").presses("55"),
        ("confirmed", 1, "waiting", "open"),
    ),
    "a 5 before, and a 5 as the answer": (
        lambda: Calling().arrives().presses("5").is_ordered("ask").presses("5"),
        ("confirmed", 1, "waiting", "open"),
    ),
    "a 5 in one answer, and a 5 in another": (
        lambda: Calling().arrives().is_ordered("ask").presses("5").is_ordered("ask").presses("5"),
        ("confirmed", 1, "waiting", "open"),
    ),
    "asked, and nothing came": (
        lambda: Calling().arrives().is_ordered("ask").stays_silent(),
        ("nothing", 4, "waiting", "open"),
    ),
    "let go by a person after a key": (
        lambda: Calling().arrives().presses("7").is_ordered("let_go").stays_silent().ends(),
        ("someone_there", 2, "waiting", "ended"),
    ),
    "hang-up during a person's goodbye": (
        lambda: Calling().arrives().presses("7").is_ordered("let_go").ends(),
        ("someone_there", 2, "waiting", "dropped"),
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_situation_reads_as_the_domain_says(situation: str) -> None:
    """Signal, urgency, state and connection: the contract's values."""
    play, expected = SITUATIONS[situation]
    assert read(play().incident) == expected


def test_a_withheld_number_is_null_and_said_to_be_withheld() -> None:
    """Withheld is a fact about the call, not an unknown."""
    incident = Calling(number="anonymous").arrives().incident
    assert (incident.number, incident.withheld) == (None, True)


def test_what_is_no_number_is_null_and_not_withheld() -> None:
    """A sip address, a formula."""
    incident = Calling(number="sip:somebody@example.com").arrives().incident
    assert (incident.number, incident.withheld) == (None, False)


@pytest.mark.parametrize(
    ("call", "reasons"),
    [
        (lambda: Calling().arrives().presses("515"), ("55 pressed",)),
        (lambda: Calling("us-ma").arrives().presses("1"), ("1 (police) pressed",)),
        (lambda: Calling("ie").arrives().presses("8"), ("a key pressed",)),
        (lambda: Calling().arrives().presses("5"), ("a key was pressed",)),
        (lambda: Calling().arrives(), ("nothing heard yet",)),
        (
            lambda: with_repeat(Calling().arrives().presses("55"), 3),
            ("55 pressed", "third silent call in 10 minutes"),
        ),
        (lambda: Calling().arrives().fails(), ("our answer failed",)),
        (
            lambda: Calling(number=LANDLINE).arrives().stays_silent(4),
            ("silent landline call, held for a handler",),
        ),
    ],
)
def test_rule_3_a_rank_says_why_in_words(
    call: Callable[[], Calling], reasons: tuple[str, ...]
) -> None:
    """The strongest reason first."""
    assert call().incident.reasons == reasons


def test_the_keys_are_as_pressed_in_order() -> None:
    """Every key, not only those that count."""
    assert Calling().arrives().presses("*5").stays_silent(3).presses("#5").incident.keys == "*5#5"


def test_the_signal_has_the_time_of_the_press_that_completed_it() -> None:
    """The first time, and not the last key's."""
    call = Calling().arrives().presses("5").stays_silent(2).presses("5")
    completed = call.now
    assert call.presses("5").incident.signal_at == completed


def test_a_retried_press_is_one_press() -> None:
    """Twilio posts the same 5 again: never 55."""
    call = Calling().arrives()
    token = call.token
    for _ in range(3):
        answer = call.answers.next_step(token, call.parameters(Digits="5"), call.now)
        call.events.extend(answer.events)
    assert (call.incident.keys, call.incident.signal) == ("5", "someone_there")


def test_a_press_that_comes_again_through_the_fallback_is_one_press() -> None:
    """The answer failed after the key was recorded; the fallback brings the key again."""
    call = Calling().arrives()
    token = call.token
    call.presses("5")
    url = f"https://quietline.example/voice/step/{token}"
    more = call.parameters(Digits="5", ErrorCode="11200", ErrorUrl=url)
    call.events.extend(call.answers.fallback(more, call.now).events)
    assert (call.incident.keys, call.incident.signal) == ("5", "someone_there")


def test_of_two_lengths_of_keys_for_one_step_the_longer_counts() -> None:
    """A request cut short and sent whole the second time."""
    call = Calling().arrives()
    token = call.token
    for digits in ("5", "55"):
        answer = call.answers.next_step(token, call.parameters(Digits=digits), call.now)
        call.events.extend(answer.events)
    assert (call.incident.keys, call.incident.signal) == ("55", "confirmed")


def test_of_two_times_of_one_event_the_earlier_counts() -> None:
    """The retry comes later and changes nothing."""
    call = Calling().arrives()
    began = call.now
    call.posts(Digits="").events.extend(
        call.answers.incoming(call.parameters(), call.now).events,
    )
    assert call.incident.started_at == began


def test_the_contract_s_object_has_exactly_its_fields() -> None:
    """Tests and users rely on it."""
    assert list(Calling().arrives().incident.as_json()) == [
        "reference",
        "call_sid",
        "line",
        "profile",
        "purpose",
        "caller",
        "signal",
        "keys",
        "urgency",
        "reasons",
        "state",
        "connection",
        "handler",
        "grade",
        "outcome",
        "started_at",
        "signal_at",
        "claimed_at",
        "ended_at",
        "closed_at",
        "answers",
    ]


def test_times_are_utc_with_milliseconds() -> None:
    """``2026-12-22T18:03:11.042Z``."""
    assert Calling().arrives().incident.as_json()["started_at"] == "2026-12-22T18:03:11.042Z"


def test_the_timeline_tells_the_call_in_the_past_tense() -> None:
    """Oldest first, in the contract's words."""
    call = Calling().arrives().stays_silent().presses("55").ends()
    assert [entry.kind for entry in call.folded.entries] == [
        "call_arrived",
        "prompt_played",
        "nothing_heard",
        "prompt_played",
        "keys_pressed",
        "signal_confirmed",
        "alert_raised",
        "prompt_played",
        "line_dropped",
    ]


def test_a_call_we_ended_is_told_as_ended_and_not_as_dropped() -> None:
    """A handler who reviews it must know who hung up."""
    kinds = [entry.kind for entry in Calling().arrives().is_let_go().folded.entries]
    assert ("call_ended" in kinds, "line_dropped" in kinds) == (True, False)
