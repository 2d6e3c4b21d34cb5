"""The state of a call travels in the URL: nothing is lost on the way, and nothing else gets in."""

from __future__ import annotations

import string
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from callflow.call import LONGEST_TOKEN, BadToken, Call, Stage
from tests.callflow import playing

UNRESERVED = set(string.ascii_letters + string.digits + "-._~")
"""RFC 3986, section 2.3: what no proxy rewrites, so that the signature holds."""
pieces = st.sampled_from(
    [*(stage.value for stage in Stage), *".-", "0", "1", "55", "s", "h", "99999999999999999999"]
)


@examples(max_examples=1000, deadline=None)
@given(playing.any_calls)
def test_a_call_comes_back_from_its_token_as_it_went_in(call: Call) -> None:
    """Any worker on any machine takes the next step."""
    assert Call.read(call.write()) == call


@examples(max_examples=300, deadline=None)
@given(playing.any_calls)
def test_a_token_holds_unreserved_characters_only(call: Call) -> None:
    """A proxy that rewrote a character would break the signature."""
    assert set(call.write()) <= UNRESERVED


@examples(max_examples=300, deadline=None)
@given(playing.any_calls)
def test_a_token_is_short(call: Call) -> None:
    """At most ``LONGEST_TOKEN`` characters, whatever was pressed."""
    assert len(call.write()) <= LONGEST_TOKEN


def test_two_states_never_share_a_token() -> None:
    """Each field changes the token."""
    call = Call(Stage.HOLD, 3, 10, 1, "55", False, False, 7, 8, 9, 10, 11)
    changes: dict[str, Any] = {
        "stage": Stage.SIGNAL,
        "step": 4,
        "began": 11,
        "asked": 2,
        "keys": "5#",
        "heard": True,
        "lost": True,
        "listen": 1,
        "held": 1,
        "quiet": 1,
        "waited": 1,
        "since": 1,
        "claimed": True,
        "parting": True,
        "language": "cy-GB",
    }
    tokens = {replace(call, **{name: value}).write() for name, value in changes.items()}
    assert len(tokens | {call.write()}) == len(changes) + 1


@examples(max_examples=1000, deadline=None)
@given(st.one_of(st.text(max_size=40), st.lists(pieces, max_size=30).map("".join)))
def test_a_token_that_is_not_ours_raises_bad_token_and_nothing_else(token: str) -> None:
    """The edge then holds the line as lost; an error of another kind would be a failed answer."""
    with suppress(BadToken):
        Call.read(token)


@examples(max_examples=500, deadline=None)
@given(playing.any_calls, st.data())
def test_a_garbled_token_raises_bad_token_or_is_another_call(
    call: Call, data: st.DataObject
) -> None:
    """Whatever is read can be written again and has a month, so that it can be recorded."""
    token = call.write()
    at = data.draw(st.integers(0, len(token) - 1))
    garbled = token[:at] + data.draw(st.sampled_from("0123456789.-abcsh\x00٥")) + token[at + 1 :]
    with suppress(BadToken):
        read = Call.read(garbled)
        assert (Call.read(read.write()), len(read.month())) == (read, 7)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "hold",
        "hold.1.2.0.00.0.0.0.0.0",
        "hold.1.2.0.0.0.0.0.0.0-55",
        "hold.1.2.0.001.0.0.0.0.0-55",
        "hold.1.2.0.00.0.0.0.0-55",
        "hold.-1.2.0.00.0.0.0.0.0-55",
        "hold.1.2.0.00.0.0.0.0.0-5x5",
        "hold.1.2.0.00.0.0.0.0.0.0-55",
        "hold.1.99999999999999.0.00.0.0.0.0.0-55",
        "nowhere.1.2.0.00.0.0.0.0.0-55",
        "HOLD.1.2.0.00.0.0.0.0.0-55",
        "hold.1.2.0.00000.0.0.0.0.0-55",
        "hold.1.2.0.000.0.0.0.0.0-55",
        "hold.1.2.0.0000.0.0.0.0.0.welsh-55",
        "hold.1.2.0.0000.0.0.0.0.0.cy_GB.1-55",
        "hold.1.2.0.0000.0.0.0.0.0.cy-GB-55",
        "hold.٣.2.0.00.0.0.0.0.0-55",
        "hold.1.2.0.00.0.0.0.0.0-" + "5" * 300,
    ],
)
def test_a_broken_token_is_refused(token: str) -> None:
    """Too short, too long, of another stage, negative, in another script, beyond the calendar."""
    with pytest.raises(BadToken):
        Call.read(token)


def test_the_same_token_is_not_refused_unbroken() -> None:
    """The check above can fail: the good token behind those is read."""
    assert Call.read("hold.1.2.0.00.0.0.0.0.0-55").keys == "55"


def test_a_token_of_the_release_before_is_still_read() -> None:
    """Ten fields and two flags: a call that began before a deploy goes on after it."""
    before = Call.read("hold.7.1798000000.0.10.5.12.3.12.1798000020-5s")
    assert (before.stage, before.step, before.heard, before.keys) == (Stage.HOLD, 7, True, "5*")
    assert (before.claimed, before.parting, before.language) == (False, False, "")


@examples(max_examples=300, deadline=None)
@given(playing.calls)
def test_a_call_nobody_touched_is_written_as_the_release_before_wrote_it(call: Call) -> None:
    """A deploy that is rolled back loses no caller either."""
    token = replace(call, claimed=False, language="").write()
    state = token.partition("-")[0].split(".")
    assert (len(state), len(state[4])) == (10, 2)


def test_the_month_is_of_the_calls_start_in_utc() -> None:
    """Half past midnight on 1 January in Berlin is still December."""
    at = datetime(2027, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    assert Call.starting(at).month() == "2026-12"


def test_a_call_nobody_has_answered_stands_before_the_first_document() -> None:
    """Step 0, from which the first document makes 1."""
    at = datetime(2026, 12, 22, 18, 3, 11, 42000, tzinfo=UTC)
    assert Call.starting(at) == Call(Stage.NEW, 0, 1_797_962_591)
