"""Callers who say and press nothing: what they hear, and who looks at them afterwards."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simulator.clock import speaking_seconds
from simulator.exchange import Exchange


def test_a_silent_mobile_hears_every_prompt_and_is_let_go_into_the_review_queue(
    exchange: Exchange, mobile: str
) -> None:
    """Rule 2: nothing ends unseen; no key and no sound leads to a human review queue."""
    call = exchange.call(mobile, line="emergency")
    call.hears("which service").stays_silent().hears("any key").stays_silent()
    call.hears("the signal").stays_silent().hears("the signal").stays_silent()
    call.hears("stay on the line").stays_silent(until="goodbye").is_let_go()
    incident = exchange.incident(call)
    assert (incident.signal, incident.urgency) == ("nothing", 4)
    assert (incident.state, incident.connection) == ("review", "ended")


def test_a_silent_mobile_is_held_for_most_of_a_minute_after_the_prompts(
    exchange: Exchange, mobile: str
) -> None:
    """The profile: line held up to 45 s."""
    call = exchange.call(mobile).stays_silent(until="stay on the line")
    held_from = call.call.clock.now()
    call.stays_silent(until="goodbye")
    assert 38 <= call.call.clock.now() - held_from <= 50


def test_at_least_four_seconds_to_answer_follow_every_prompt(
    exchange: Exchange, mobile: str
) -> None:
    """Silent callers need at least 4 seconds after each prompt."""
    call = exchange.call(mobile).is_let_go()
    asked = [note for note in call.call.notes if note.kind == "heard"]
    silent_at = [note.at for note in call.call.notes if note.kind == "silence"]
    assert len(asked) >= 5
    for note in asked:
        spoken = note.at + speaking_seconds(note.detail["say"])
        assert min(at for at in silent_at if at > note.at) - spoken >= 4


def test_a_silent_landline_is_held_for_a_handler(exchange: Exchange, landline: str) -> None:
    """Landline silence: urgency 2, line held for a handler."""
    call = exchange.call(landline).stays_silent(400).is_still_on_the_line().is_on_hold()
    incident = exchange.incident(call, urgency=2)
    assert (incident.signal, incident.profile) == ("nothing", "gb-landline")
    assert (incident.state, incident.connection) == ("waiting", "open")


def test_a_call_that_just_arrived_is_on_the_board(exchange: Exchange, mobile: str) -> None:
    """Rule 1: every call is on durable storage before the caller hears the first word."""
    call = exchange.call(mobile).starts_to_hear("which service")
    incident = exchange.incident(call)
    assert (incident.signal, incident.urgency) == ("nothing", 4)
    assert (incident.state, incident.connection) == ("waiting", "open")
    assert incident.caller == {"number": mobile, "withheld": False}


def test_a_hang_up_in_the_first_word_is_reviewed(exchange: Exchange, mobile: str) -> None:
    """Rules 1 and 2: hang-ups too. The caller's side went, so the line dropped."""
    call = exchange.call(mobile).starts_to_hear("which service").hangs_up()
    incident = exchange.incident(call)
    assert (incident.signal, incident.urgency) == ("nothing", 4)
    assert (incident.state, incident.connection) == ("review", "dropped")


def test_a_cough_is_not_heard_by_the_exchange_and_still_reviewed(
    exchange: Exchange, mobile: str
) -> None:
    """Coughs and taps need live sound, a later issue; until then nobody is lost for it."""
    call = exchange.call(mobile).hears("which service").coughs().taps().is_let_go()
    assert exchange.incident(call).state == "review"


def test_repeated_silent_calls_from_one_number_rise_with_the_reason_in_words(
    exchange: Exchange, mobile: str
) -> None:
    """A second silent call within 30 minutes has urgency 3, a third 2, each with its reason."""
    for urgency, word in ((4, ""), (3, "second"), (2, "third")):
        call = exchange.call(mobile).hears("which service").hangs_up()
        incident = exchange.incident(call, urgency=urgency)
        assert incident.state == "review"
        assert word in " ".join(incident.reasons)


def test_withheld_callers_never_match_each_other(exchange: Exchange) -> None:
    """Two withheld callers are two strangers."""
    for withheld in ("anonymous", "anonymous", "+266696687", ""):
        call = exchange.call(withheld).hears("which service").hangs_up()
        incident = exchange.incident(call)
        assert incident.caller == {"number": None, "withheld": True}
        assert incident.urgency == 4


def test_known_and_unknown_callers_hear_the_same_words_at_the_same_time(
    exchange: Exchange, mobile: str
) -> None:
    """Rule 6: same words, same timing; nobody can find out whether somebody called before."""
    calls = [exchange.call(mobile).is_let_go() for _ in range(3)]
    heard = {tuple((note.at, note.text) for note in call.call.notes) for call in calls}
    assert len(heard) == 1


def test_nothing_is_promised_and_nobody_is_named(exchange: Exchange, mobile: str) -> None:
    """Rule 6: never promise that help is coming or that the location is known."""
    call = exchange.call(mobile).is_let_go()
    said = " ".join(call.heard).lower()
    for promise in ("on the way", "coming", "location", "know where", "sent", "officer", mobile):
        assert promise not in said


def test_every_caller_of_a_flood_is_answered(exchange: Exchange, mobile: str) -> None:
    """Rule 9: refuse no caller; no limit, no block list, no busy signal."""
    for _ in range(30):
        exchange.call(mobile).starts_to_hear("which service")
    assert all(call.leg.status == "in-progress" for call in exchange.calls)


def test_the_timeline_tells_the_call_in_order(
    exchange: Exchange, mobile: str, timeline: Callable[[str], list[str]]
) -> None:
    """What happened stands in the incident, oldest first, in the past tense."""
    call = exchange.call(mobile).hears("which service").presses("55").hears("stay").hangs_up()
    kinds = timeline(exchange.incident(call).reference)
    assert kinds[0] == "call_arrived"
    for kind in ("keys_pressed", "signal_confirmed"):
        assert kind in kinds
    assert kinds.index("keys_pressed") <= kinds.index("signal_confirmed")
    assert {"line_dropped", "call_ended"} & set(kinds)


@pytest.mark.parametrize("line", ["emergency", "welsh", "nz", "au", "ie", "us-ma"])
def test_silence_on_any_line_is_never_the_end_without_a_look(
    exchange: Exchange, mobile: str, line: str
) -> None:
    """Rule 2, for every profile: let go into review, or held and waiting."""
    call = exchange.call(mobile, line=line).stays_silent(300)
    incident = exchange.incident(call)
    seen = (incident.state, incident.connection)
    assert seen == (("review", "ended") if call.over else ("waiting", "open"))
