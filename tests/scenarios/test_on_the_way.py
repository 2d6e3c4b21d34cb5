"""What the telephone network does to our requests, and the caller must never notice."""

from __future__ import annotations

import pytest

from simulator.exchange import Exchange


def test_every_request_five_times_is_still_one_call_and_one_key(
    exchange: Exchange, mobile: str
) -> None:
    """A retried 5 never becomes 55."""
    exchange.knobs.duplicates = 5
    call = exchange.call(mobile).hears("which service").presses("5").hears("one more")
    incident = exchange.incident(call)
    assert (incident.keys, incident.signal) == ("5", "someone_there")
    call.presses("5").settles().hangs_up()
    incident = exchange.incident(call)
    assert (incident.keys, incident.signal) == ("55", "confirmed")
    listed = exchange.get(f"/api/v1/incidents?call_sid={call.sid}")["incidents"]
    assert len(listed) == 1


def test_the_end_of_the_call_may_overtake_the_last_keys(exchange: Exchange, mobile: str) -> None:
    """A bug others shipped: `completed` before the last keys. They count, and a handler looks."""
    call = exchange.call(mobile).stays_silent(until="the signal")
    exchange.knobs.reorder = True
    exchange.knobs.delay = 0.5
    call.presses("55").hangs_up()
    incident = exchange.incident(call, signal="confirmed")
    assert (incident.urgency, incident.state, incident.connection) == (1, "waiting", "dropped")


def test_a_key_in_the_gap_between_two_documents_costs_only_that_key(
    exchange: Exchange, mobile: str
) -> None:
    """Keys pressed while no Gather runs are lost; the caller is asked again."""
    call = exchange.call(mobile).presses_in_the_gap("5").stays_silent(until="the signal")
    call.presses("55").hears("stay on the line")
    incident = exchange.incident(call)
    assert (incident.signal, incident.keys) == ("confirmed", "55")


@pytest.mark.parametrize("empty", ["empty", "absent"])
def test_silence_reads_the_same_with_empty_digits_or_none(
    exchange: Exchange, mobile: str, empty: str
) -> None:
    """On an empty result Digits may be empty or absent (?): both readings work."""
    exchange.knobs.empty_digits = empty  # type: ignore[assignment]
    call = exchange.call(mobile).stays_silent().hears("any key").stays_silent().hears("the signal")
    assert exchange.incident(call).signal == "nothing"


def test_new_parameters_change_nothing(exchange: Exchange, mobile: str) -> None:
    """New parameters may appear at any time and are all signed."""
    exchange.knobs.extra = [("BrandNew", "naïve ☃"), ("Aardvark", ""), ("zebra", "a=b&c")]
    call = exchange.call(mobile).hears("which service").presses("55").hears("stay on the line")
    assert exchange.incident(call).signal == "confirmed"


def test_a_late_speech_result_still_counts(exchange: Exchange, mobile: str) -> None:
    """Speech results arrive up to 60 s late."""
    call = exchange.call(mobile).hears("which service").says("help", late=55)
    call.stays_silent(90)
    incident = exchange.incident(call)
    assert (incident.signal, incident.urgency) == ("heard", 2)


def test_a_status_callback_that_never_comes_leaves_the_alert_standing(
    exchange: Exchange, mobile: str
) -> None:
    """One may never come: a caller who pressed 55 is waiting all the same."""
    exchange.knobs.lose_status = True
    call = exchange.call(mobile).hears("which service").presses("55").hears("stay").hangs_up()
    incident = exchange.incident(call)
    assert (incident.signal, incident.urgency, incident.state) == ("confirmed", 1, "waiting")


def test_a_refused_connection_is_tried_again_and_nobody_notices(
    troubled_exchange: Exchange, mobile: str
) -> None:
    """Twilio's default: one retry on connect failure."""
    troubled_exchange.knobs.refuse_connections = 1
    call = troubled_exchange.call(mobile).hears("which service").presses("55").hears("stay")
    assert troubled_exchange.incident(call).signal == "confirmed"
    assert troubled_exchange.faults == []


def test_when_the_first_answer_fails_the_fallback_keeps_the_caller(
    troubled_exchange: Exchange, mobile: str
) -> None:
    """Our own failure, fallback reached: urgency 2, waiting, open; nothing is said of it."""
    troubled_exchange.knobs.primary_down = True
    call = troubled_exchange.call(mobile)
    troubled_exchange.knobs.primary_down = False
    call.stays_silent(120).is_still_on_the_line().is_on_hold()
    incident = troubled_exchange.incident(call, urgency=2)
    assert (incident.state, incident.connection) == ("waiting", "open")
    assert "our answer failed" in " ".join(incident.reasons).lower()
    assert not any("error" in words for words in call.heard)


def test_55_after_the_fallback_is_confirmed(troubled_exchange: Exchange, mobile: str) -> None:
    """Keys count on the fallback's hold as on any other."""
    troubled_exchange.knobs.primary_down = True
    call = troubled_exchange.call(mobile)
    troubled_exchange.knobs.primary_down = False
    call.presses("55").settles().stays_silent(5)
    incident = troubled_exchange.incident(call)
    assert (incident.signal, incident.urgency) == ("confirmed", 1)


def test_an_answer_lost_after_55_still_reaches_the_board(
    troubled_exchange: Exchange, mobile: str
) -> None:
    """The keys were on disk before the answer was lost; the fallback holds the caller."""
    call = troubled_exchange.call(mobile).hears("which service")
    troubled_exchange.knobs.lose_answers = 1
    call.presses("55").settles().is_still_on_the_line().is_on_hold()
    incident = troubled_exchange.incident(call, signal="confirmed")
    assert (incident.urgency, incident.keys) == (1, "55")


def test_a_failure_in_mid_call_keeps_the_signal(troubled_exchange: Exchange, mobile: str) -> None:
    """Urgency never falls, whatever fails on our side."""
    call = troubled_exchange.call(mobile).hears("which service").presses("55").hears("stay")
    troubled_exchange.knobs.primary_down = True
    call.stays_silent(30)
    troubled_exchange.knobs.primary_down = False
    call.stays_silent(60).is_on_hold()
    incident = troubled_exchange.incident(call)
    assert (incident.signal, incident.urgency) == ("confirmed", 1)
