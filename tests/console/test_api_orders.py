"""Orders over the JSON API as a program, and a page, give them: done, refused, raced, repeated."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from console.deeds import deeds
from incidents.tables import audit
from incidents.transactions import reading
from tests.console.callers import hangs_up, passes, presses, waiting
from tests.console.site import Console
from tests.databases import sqlite_at
from tests.incidents.desks import rules
from tests.incidents.joining import joined
from tests.waiting import eventually

LIST = "/api/v1/incidents"
Post = Callable[..., Any]


@pytest.fixture
def console(data: Path, store_url: str) -> Iterator[Console]:
    """An empty console over each kind of store."""
    made = Console(data, store_url)
    yield made
    made.close()


@pytest.fixture
def small(data: Path, sqlite_url: str) -> Iterator[Console]:
    """An empty console over SQLite: for what the kind of store cannot change."""
    made = Console(data, sqlite_url)
    yield made
    made.close()


def poster(client: FlaskClient, reference: str) -> Post:
    """Give orders to one incident as ``client``."""

    def post(deed: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.post(f"{LIST}/{reference}/{deed}", json=body or {}, headers=named)

    return post


def told(answer: Any, status: int = 200) -> dict[str, Any]:
    """Check the status of an answer and return what it says."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    said: dict[str, Any] = answer.get_json()
    return said


def refused(answer: Any, status: int) -> str:
    """Check that an answer is a refusal, and return its sentence."""
    sentence: str = told(answer, status)["error"]
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


@dataclass(frozen=True, slots=True)
class Busy:
    """A console with one call that anna's program has claimed, for tests of what is refused."""

    console: Console
    client: FlaskClient
    reference: str


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Busy]:
    """One for all: what is refused changes nothing."""
    folder = tmp_path_factory.mktemp("busy")
    made = Console(folder, sqlite_at(folder / "quietline.db"))
    _, reference = waiting(made)
    client = made.program("anna", role="handler")
    told(poster(client, reference)("claim"))
    yield Busy(made, client, reference)
    made.close()


@pytest.fixture
def claimed(console: Console) -> tuple[str, str, Post]:
    """A call that anna's program has claimed: its SID, its reference, and her way to post."""
    sid, reference = waiting(console)
    post = poster(console.program("anna", role="handler"), reference)
    told(post("claim"))
    eventually(lambda: len(console.calls.played) == 1, 10)  # the hold, in the background
    passes(console, 1)
    return sid, reference, post


def timeline(console: Console, reference: str, kind: str) -> list[dict[str, Any]]:
    """The data of the entries of one kind."""
    return [one.data for one in console.store.timeline(reference) if one.kind == kind]


# -- a call worked to its end -----------------------------------------------------------


def test_a_call_is_worked_to_its_end_over_the_api(console: Console) -> None:
    """Claim, ask, write, locate, grade, let go, close: each answer is the incident as it stands."""
    sid, reference = waiting(console)
    anna = console.program("anna", role="handler")
    post = poster(anna, reference)

    said = told(post("claim"))
    assert (said["state"], said["handler"]) == ("claimed", "anna")
    eventually(lambda: [sid] == [one for one, _ in console.calls.played], 10)

    passes(console, 2)
    assert told(post("ask", {"question": "danger_now"}))["answers"] == []
    told(post("ask", {"text": "Are you upstairs?"}))
    told(post("repeat"))
    told(post("reassure"))
    told(post("language", {"language": "cy-GB"}))
    told(post("hold"))
    assert len(console.calls.played) == 7
    assert {one for one, _ in console.calls.played} == {sid}
    assert all(path.startswith("/voice/order/") for _, path in console.calls.played)

    told(post("notes", {"text": "Crying in the background.\nA door."}))
    told(post("details", {"field": "heard", "text": "please"}))
    (note,) = [one for one in console.store.timeline(reference) if one.kind == "note_added"]
    told(post("corrections", {"entry": note.id, "text": "A window, not a door."}))
    told(post("location", {"text": "Flat 2, 1 Mill Lane"}))
    assert told(post("grade", {"grade": "immediate"}))["grade"] == "immediate"
    assert told(post("urgency", {"urgency": 1}))["urgency"] == 1
    told(post("let-go"))

    hangs_up(console, sid)
    console.drain()
    passes(console, 1)
    said = told(post("close", {"outcome": "police_attended"}))
    assert (said["state"], said["outcome"]) == ("closed", "police_attended")
    kinds = [one.kind for one in console.store.timeline(reference)]
    for kind in ("claimed", "question_asked", "caller_reassured", "language_switched", "corrected"):
        assert kind in kinds
    assert said == anna.get(f"{LIST}/{reference}").get_json()


def test_what_was_just_done_is_read_back_at_once(console: Console) -> None:
    """A program that claims and looks sees its claim, though the board has not looked yet."""
    _, reference = waiting(console)
    anna = console.program("anna", role="handler")
    told(poster(anna, reference)("claim"))
    assert anna.get(f"{LIST}/{reference}").get_json()["handler"] == "anna"
    told(poster(anna, reference)("release"))
    assert anna.get(f"{LIST}/{reference}").get_json()["handler"] is None


def test_a_key_that_is_on_the_board_only_is_not_lost_by_reading_back(console: Console) -> None:
    """The journal may know more of the caller than the store does."""
    sid, reference = waiting(console, keys="5")
    anna = console.program("anna", role="handler")
    told(poster(anna, reference)("claim"))
    presses(console, sid, "5", 90)
    said = anna.get(f"{LIST}/{reference}").get_json()
    assert said["signal"] == "confirmed"


def test_a_reference_read_out_in_a_hurry_is_understood(small: Console) -> None:
    """As for reading."""
    _, reference = waiting(small)
    anna = small.program("anna", role="handler")
    said = told(poster(anna, reference.lower().replace("-", ""))("claim"))
    assert said["reference"] == reference


# -- who has it -------------------------------------------------------------------------


def test_the_second_who_claims_is_told_who_has_it(console: Console) -> None:
    """409 with a sentence and the name; the same handler again is no conflict."""
    _, reference = waiting(console)
    anna = poster(console.program("anna", role="handler"), reference)
    ben = poster(console.program("ben", role="handler"), reference)
    told(anna("claim"))
    passes(console, 3)
    answer = ben("claim")
    assert refused(answer, 409).startswith("anna has this call, claimed 3 seconds ago")
    said = answer.get_json()
    assert (said["handler"], said["state"], said["connection"]) == ("anna", "claimed", "open")
    assert said["claimed_at"] == "2026-12-22T18:03:21.042Z"
    told(anna("claim"))
    assert "anna has this call" in refused(ben("ask", {"question": "danger_now"}), 409)
    assert "anna has this call" in refused(ben("release"), 409)


def test_a_call_is_taken_over_with_a_reason_and_handed_over(console: Console) -> None:
    """Twenty seconds are free; then a reason, or 422 which asks for it."""
    _, reference = waiting(console)
    anna = poster(console.program("anna", role="handler"), reference)
    ben = poster(console.program("ben", role="handler"), reference)
    told(anna("claim"))
    passes(console, 21)
    answer = ben("take-over")
    assert "Say why you take it over." in refused(answer, 422)
    assert answer.get_json()["field"] == "reason"
    assert told(ben("take-over", {"reason": "anna was taken ill"}))["handler"] == "ben"
    assert "nobody called" in refused(ben("hand-over", {"to": "ghost"}), 422)


def test_a_caller_is_joined_to_a_handlers_phone_and_brought_back(
    claimed: Any, console: Console
) -> None:
    """Keys are not heard meanwhile, so nothing can be asked; nobody unknown is ever rung."""
    sid, _, post = claimed
    assert "No control room is set" in refused(post("connect", {"to": "control_room"}), 422)
    assert "nobody else is ever rung" in refused(post("connect", {"to": "me"}), 422)
    joined(console.accounts, "anna", now=console.now)
    console.staff.set_phone("anna", "+447700900201", by="tests", now=console.now)
    told(post("connect", {"to": "me"}))
    passes(console, 1)
    sentence = refused(post("ask", {"question": "danger_now"}), 409)
    assert sentence.startswith("The caller is with anna and keys are not heard")
    assert "put the line back to hold" in refused(post("release"), 409)
    told(post("hold"))
    passes(console, 1)
    told(post("ask", {"question": "danger_now"}))
    assert [one for one, _ in console.calls.played] == [sid] * 4
    assert console.calls.rung == []  # the call itself dials; no call of ours is placed


def test_a_take_over_stands_even_when_its_hold_comes_too_late(console: Console) -> None:
    """The caller hung up meanwhile: it is mine all the same, to grade and to close."""
    sid, reference = waiting(console)
    console.calls.over.add(sid)
    post = poster(console.program("anna", role="handler"), reference)
    assert told(post("take-over"))["handler"] == "anna"
    eventually(lambda: len(timeline(console, reference, "order_failed")) == 1, 10)


def test_an_order_for_a_call_nobody_has_asks_to_claim_it_first(small: Console) -> None:
    """409, and what to do."""
    _, reference = waiting(small)
    post = poster(small.program("anna", role="handler"), reference)
    for deed, body in (("ask", {"question": "danger_now"}), ("hold", {}), ("let-go", {})):
        assert refused(post(deed, body), 409) == "Claim this call first: nobody has it."
    assert small.calls.played == []


# -- races ------------------------------------------------------------------------------


def test_a_caller_who_hung_up_is_told_plainly(claimed: Any, console: Console) -> None:
    """The order came too late: 409, no 5xx, and what happened when."""
    sid, _, post = claimed
    hangs_up(console, sid)
    console.drain()
    passes(console, 2)
    answer = post("ask", {"question": "danger_now"})
    assert refused(answer, 409) == "The caller hung up 2 seconds ago, or the line dropped."
    assert answer.get_json()["connection"] == "dropped"


def test_a_caller_who_hangs_up_while_the_order_is_sent_is_told_too(
    claimed: Any, console: Console
) -> None:
    """Twilio knows first; the board may know a moment later."""
    sid, reference, post = claimed
    console.calls.over.add(sid)
    assert refused(post("ask", {"question": "danger_now"}), 409) == "The caller hung up just now."
    hangs_up(console, sid, console.now - timedelta(seconds=1))  # on the board, not in the store
    answer = post("ask", {"question": "danger_now"})
    assert refused(answer, 409).startswith("The caller hung up 1 second ago")
    assert answer.get_json()["connection"] == "dropped"
    eventually(lambda: len(timeline(console, reference, "order_failed")) == 2, 10)


def test_an_order_twilio_did_not_take_can_be_sent_again_under_its_key(
    claimed: Any, console: Console
) -> None:
    """503 says that nothing was said; the same key then does it, once."""
    _, reference, post = claimed
    console.calls.refuses.add("play")
    question = {"question": "danger_now"}
    answer = post("ask", question, Idempotency_Key="one")
    assert "Twilio did not carry it out" in refused(answer, 503)
    assert answer.headers["Retry-After"] == "1"
    eventually(lambda: len(timeline(console, reference, "order_failed")) == 1, 10)
    console.calls.refuses.clear()
    passes(console, 1)
    before = len(console.calls.played)
    for _ in range(3):
        told(post("ask", question, Idempotency_Key="one"))
        passes(console, 1)
    assert len(console.calls.played) == before + 1
    assert len(timeline(console, reference, "question_asked")) == 2


def test_a_slow_twilio_is_said_and_the_order_goes_on(
    claimed: Any, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    """200 with a warning; the order arrives when it arrives, once."""
    _, _, post = claimed
    monkeypatch.setattr("console.orders.PATIENCE_S", 0.05)
    console.calls.hold = threading.Event()
    answer = post("reassure", Idempotency_Key="slow")
    told(answer)
    assert "still being sent" in answer.headers["Warning"]
    assert "Warning" in post("reassure", Idempotency_Key="slow").headers
    console.calls.hold.set()
    eventually(lambda: len(console.calls.played) == 2, 10)
    assert "Warning" not in post("reassure", Idempotency_Key="slow").headers
    assert len(console.calls.played) == 2


def test_nobody_is_rung_to_listen_to_a_caller_who_is_gone(claimed: Any, console: Console) -> None:
    """The conference is not there: its listener's phone stays silent."""
    sid, reference, post = claimed
    joined(console.accounts, "anna", now=console.now)
    console.staff.set_phone("anna", "+447700900201", by="tests", now=console.now)
    console.calls.over.add(sid)
    refused(post("conference"), 409)
    eventually(lambda: len(timeline(console, reference, "page_failed")) == 1, 10)
    assert console.calls.rung == []
    console.calls.over.clear()
    passes(console, 1)
    told(post("conference"))
    eventually(lambda: console.calls.rung == ["+447700900201"], 10)


def test_a_call_that_is_on_the_board_and_not_in_the_store_yet_is_asked_for_later(
    small: Console,
) -> None:
    """503 with when to come back; a reference nobody knows is 404."""
    reference = small.reference(small.call("55"))
    post = poster(small.program("anna", role="handler"), reference)
    answer = post("claim")
    assert "not in the store yet" in refused(answer, 503)
    assert answer.headers["Retry-After"] == "1"
    small.drain()
    told(post("claim"))
    stranger = poster(small.program("ben", role="handler"), "QL-7K3M-9F2X-HC5")
    refused(stranger("claim"), 404)


def test_with_the_store_away_an_order_says_so(small: Console) -> None:
    """Nothing is done by halves."""
    _, reference = waiting(small)
    post = poster(small.program("anna", role="handler"), reference)
    told(post("claim"))
    with small.store_away():
        answer = post("ask", {"question": "danger_now"})
        assert "store cannot be reached" in refused(answer, 503)
        assert answer.headers["Retry-After"]


# -- Idempotency-Key ----------------------------------------------------------------------


def test_a_key_makes_an_order_safe_to_send_again(claimed: Any, console: Console) -> None:
    """The same request once; another one under the same key is refused."""
    _, reference, post = claimed
    for _ in range(3):
        told(post("notes", {"text": "heard a child"}, Idempotency_Key="n-1"))
        told(post("ask", {"question": "danger_now"}, Idempotency_Key="q-1"))
        passes(console, 1)
    assert len(timeline(console, reference, "note_added")) == 1
    assert len(timeline(console, reference, "question_asked")) == 1
    again = post("notes", {"text": "heard two children"}, Idempotency_Key="n-1")
    assert "another request" in refused(again, 422)
    ben = poster(console.program("ben", role="handler"), reference)
    told(ben("notes", {"text": "heard a child"}, Idempotency_Key="n-1"))
    assert len(timeline(console, reference, "note_added")) == 2


def test_a_proposal_sent_again_is_still_pending(claimed: Any, console: Console) -> None:
    """202 both times, one proposal."""
    _, reference, post = claimed
    lower = {"urgency": 3, "reason": "It is the testing line"}
    for _ in range(2):
        assert told(post("urgency", lower, Idempotency_Key="u"), 202)["urgency"] == 1
    assert len(timeline(console, reference, "urgency_proposed")) == 1


@pytest.mark.parametrize("key", ["", "x" * 201, "a\tb", "schlüssel"])
def test_a_key_that_is_none_is_refused(busy: Busy, key: str) -> None:
    """1 to 200 printable characters; nothing is done."""
    before = len(busy.console.store.timeline(busy.reference))
    answer = poster(busy.client, busy.reference)("notes", {"text": "x"}, Idempotency_Key=key)
    assert "Idempotency-Key" in refused(answer, 422)
    assert len(busy.console.store.timeline(busy.reference)) == before


# -- the second person --------------------------------------------------------------------


def test_lowering_waits_for_a_second_person(claimed: Any, console: Console) -> None:
    """202, and 200 when another one approves; oneself is a conflict."""
    _, reference, post = claimed
    assert refused(post("urgency", {"urgency": 4}), 422).startswith("Say why")
    said = told(post("urgency", {"urgency": 4, "reason": "A known test"}), 202)
    assert said["urgency"] == 1
    (entry,) = console.desk.proposed(reference)
    assert "second person" in refused(post("approve", {"entry": entry}), 409)
    ben = poster(console.program("ben", role="handler"), reference)
    passes(console, 1)
    assert told(ben("approve", {"entry": entry}))["urgency"] == 4
    assert "approved this" in refused(ben("approve", {"entry": entry}), 409)
    assert "no proposal" in refused(ben("approve", {"entry": "nothing"}), 422)


# -- location -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (
            {"lt": 54.3, "lg": -2.7, "rd": 50, "top": "20261222180311", "lc": 90, "pm": "W"},
            {
                "lt": 54.3,
                "lg": -2.7,
                "rd": 50.0,
                "lc": 90.0,
                "pm": "W",
                "source": "AML",
                "top": "2026-12-22T18:03:11.000Z",
            },
        ),
        (
            {"lt": "+54.32690", "lg": "-002.74760", "rd": "8"},
            {"lt": 54.3269, "lg": -2.7476, "rd": 8.0, "source": "AML"},
        ),
        (
            {"lt": 54.3, "lg": -2.7, "rd": 50, "top": "2026-12-22T18:03:11Z", "pm": "N"},
            {"rd": 50.0, "top": "2026-12-22T18:03:11.000Z", "pm": "N", "no_fix": True},
        ),
        ({"pm": "N"}, {"pm": "N", "no_fix": True}),
        ({"lt": 0, "lg": 0, "rd": 5, "pm": "G"}, {"rd": 5.0, "pm": "G", "no_fix": True}),
        ({"lt": "+00.00000", "lg": "-000.00000"}, {"no_fix": True}),
        (
            {"name": "A Person", "address": "1 Mill Lane\nKendal", "postcode": "LA9 4AA"},
            {
                "name": "A Person",
                "address": "1 Mill Lane\nKendal",
                "postcode": "LA9 4AA",
                "source": "EISEC",
            },
        ),
        ({"text": "by the church"}, {"text": "by the church", "source": "typed"}),
        (
            {"text": "by the church", "source": "neighbour"},
            {"text": "by the church", "source": "neighbour"},
        ),
    ],
)
def test_a_location_is_kept_with_its_source_radius_and_time(
    busy: Busy, body: dict[str, Any], kept: dict[str, Any]
) -> None:
    """A fix that is none is kept as none and never as a position."""
    passes(busy.console, 1)
    told(poster(busy.client, busy.reference)("location", body))
    data = timeline(busy.console, busy.reference, "location_added")[-1]
    assert data == {"by": "anna", "source": "AML", **kept}


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({}, "location"),
        ({"source": "AML", "rd": 5}, "location"),
        ({"text": "", "address": ""}, "location"),
        ({"lt": 91, "lg": 0}, "lt"),
        ({"lt": 1, "lg": -180.5}, "lg"),
        ({"lt": 1}, "lg"),
        ({"lg": 1}, "lt"),
        ({"pm": "W"}, "lt"),
        ({"lt": True, "lg": 1}, "lt"),
        ({"lt": "north", "lg": 1}, "lt"),
        ({"lt": "1e3", "lg": 1}, "lt"),
        ({"lt": 1, "lg": 1, "rd": -1}, "rd"),
        ({"lt": 1, "lg": 1, "rd": 10**400}, "rd"),
        ({"lt": 1, "lg": 1, "lc": 101}, "lc"),
        ({"lt": 1, "lg": 1, "pm": "X"}, "pm"),
        ({"lt": 1, "lg": 1, "top": "yesterday"}, "top"),
        ({"lt": 1, "lg": 1, "top": "20261322180311"}, "top"),
        ({"lt": 1, "lg": 1, "altitude": 3}, "altitude"),
        ({"text": "x" * 501}, "text"),
        ({"text": "a\x00b"}, "text"),
        ({"postcode": "LA9\n4AA"}, "postcode"),
    ],
)
def test_a_location_that_makes_no_sense_is_refused(
    busy: Busy, body: dict[str, Any], names: str
) -> None:
    """422 with the field's name; nothing is kept."""
    before = len(timeline(busy.console, busy.reference, "location_added"))
    assert names in refused(poster(busy.client, busy.reference)("location", body), 422)
    assert len(timeline(busy.console, busy.reference, "location_added")) == before


# -- bodies -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("deed", "raw", "names"),
    [
        ("claim", b'{"reason": "x"}', "There is no field called “reason”"),
        ("claim", b"[]", "JSON object"),
        ("claim", b"null", "JSON object"),
        ("claim", b"{", "not JSON"),
        ("claim", b"reason=x", "not JSON"),
        ("claim", b"\xff\xfe", "UTF-8"),
        ("notes", b"", "text is missing"),
        ("notes", b'{"text": null}', "text is missing"),
        ("notes", b'{"text": 5}', "text must be a text"),
        ("notes", b'{"text": "  "}', "Write the note first"),
        ("notes", b'{"text": "a", "text": "b"}', "twice"),
        ("notes", b'{"text": "\\ud800"}', "half a character"),
        ("notes", b'{"text": "\\u0000"}', "control characters"),
        ("notes", json.dumps({"text": "x" * 4001}).encode(), "text: at most 4000"),
        ("details", b'{"field": "shoe_size", "text": "9"}', "field must be one of: heard"),
        ("ask", b"{}", "Ask either"),
        ("ask", b'{"question": "danger_now", "text": "Are you there?"}', "Ask either"),
        ("ask", b'{"question": "favourite_colour"}', "question must be one of"),
        ("ask", json.dumps({"text": "x" * 201}).encode(), "text: at most 200"),
        ("language", b'{"language": "tlh"}', "language must be one of: en-GB"),
        ("connect", b"{}", "to is missing"),
        ("connect", b'{"to": "999"}', "nobody else is ever rung"),
        ("connect", b'{"to": "+447700900123"}', "nobody else is ever rung"),
        ("grade", b'{"grade": "urgent"}', "grade must be one of: immediate"),
        ("urgency", b'{"urgency": 5}', "urgency must be a whole number from 1 to 4"),
        ("urgency", b'{"urgency": true}', "urgency must be a whole number"),
        ("urgency", b'{"urgency": NaN}', "NaN"),
        ("urgency", b'{"urgency": "1"}', "urgency must be a whole number"),
        ("close", b'{"outcome": "fine"}', "outcome must be one of: police_attended"),
        ("close", b'{"outcome": "no_trace"}', "The line is still open"),
        ("take-over", json.dumps({"reason": "x" * 501}).encode(), "reason: at most 500"),
        ("approve", b'{"entry": "a\\nb"}', "entry must stand on one line"),
        ("notes", b"[" * 60_000, "nested|JSON"),
    ],
)
def test_a_body_that_is_not_understood_is_refused_by_name(
    busy: Busy, deed: str, raw: bytes, names: str
) -> None:
    """422, a sentence that names what, and nothing done."""
    before = len(busy.console.store.timeline(busy.reference))
    where = f"{LIST}/{busy.reference}/{deed}"
    answer = busy.client.post(where, data=raw, content_type="application/json")
    assert re.search(names, refused(answer, 422)), answer.get_json()
    assert len(busy.console.store.timeline(busy.reference)) == before


def test_a_body_that_is_too_large_is_refused(small: Console) -> None:
    """413, before it is read."""
    _, reference = waiting(small)
    anna = small.program("anna", role="handler")
    answer = anna.post(f"{LIST}/{reference}/notes", data=b"x" * 70_000)
    assert "64 kB" in refused(answer, 413)


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
_names = st.sampled_from(
    ["odd", *sorted({field.name for deed in deeds(rules()) for field in deed.fields})]
)


@settings(max_examples=200, deadline=None)
@given(
    deed=st.sampled_from([one.path for one in deeds(rules())]),
    body=st.dictionaries(_names, _json, max_size=3) | _json,
)
def test_no_body_whatever_is_a_failure_of_ours(busy: Busy, deed: str, body: Any) -> None:
    """Done, or a sentence; never a 5xx."""
    raw = json.dumps(body)
    where = f"{LIST}/{busy.reference}/{deed}"
    answer = busy.client.post(where, data=raw, content_type="application/json")
    assert answer.status_code in (200, 202, 409, 422)
    if answer.status_code >= 400:
        refused(answer, answer.status_code)


@settings(max_examples=60, deadline=None)
@given(raw=st.binary(max_size=80))
def test_no_bytes_whatever_are_a_failure_of_ours(busy: Busy, raw: bytes) -> None:
    """Not even text."""
    answer = busy.client.post(f"{LIST}/{busy.reference}/notes", data=raw)
    assert answer.status_code in (200, 422)


# -- who may ------------------------------------------------------------------------------


def test_a_stranger_gives_no_orders(small: Console) -> None:
    """401 with a challenge, whether or not the incident exists."""
    for deed in deeds(rules()):
        where = f"{LIST}/QL-7K3M-9F2X-HC4/{deed.path}"
        for header in ({}, {"Authorization": "Bearer qlt_wrong"}):
            answer = small.stranger().post(where, json={}, headers=header)
            refused(answer, 401)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_a_role_that_may_only_read_gives_no_orders(small: Console) -> None:
    """403 names the role; the incident is as it was."""
    _, reference = waiting(small)
    post = poster(small.program("probe", role="reader"), reference)
    assert refused(post("claim"), 403) == "The role reader may not work calls."
    officer = poster(small.program("officer", role="contact_officer"), reference)
    told(officer("notes", {"text": "I know this person"}))
    assert "work calls" in refused(officer("ask", {"question": "danger_now"}), 403)


def page_token(client: FlaskClient) -> str:
    """The token a page carries for its own orders."""
    found = re.search(r'<meta name="csrf" content="([^"]+)"', client.get("/").text)
    assert found is not None
    return found[1]


def test_a_session_needs_the_token_of_its_own_page(small: Console) -> None:
    """Another site's page can send a cookie, and not the token; a program sends neither."""
    _, reference = waiting(small)
    anna = small.handler("anna")
    post = poster(anna, reference)
    assert "reload" in refused(post("claim"), 400)
    assert "reload" in refused(post("claim", X_CSRFToken="made up"), 400)
    assert small.store.incident(reference).handler is None  # type: ignore[union-attr]
    token = page_token(anna)
    assert told(post("claim", X_CSRFToken=token))["handler"] == "anna"
    other = poster(small.handler("ben"), reference)
    refused(other("claim", X_CSRFToken=token), 400)


def test_a_token_acts_as_the_person_of_its_name(small: Console) -> None:
    """What anna's program claimed, anna's screen works on."""
    _, reference = waiting(small)
    anna = small.handler("anna")
    told(poster(small.program("anna", role="handler"), reference)("claim"))
    post = poster(anna, reference)
    told(post("ask", {"question": "danger_now"}, X_CSRFToken=page_token(anna)))


# -- closed records and the audit ------------------------------------------------------------


def test_a_closed_record_that_is_not_ones_own_opens_with_a_reason(console: Console) -> None:
    """Reading it, and writing on it, which shows it too; the reason is in the audit log."""
    sid, reference = waiting(console)
    anna = console.program("anna", role="handler")
    told(poster(anna, reference)("claim"))
    hangs_up(console, sid)
    console.drain()
    passes(console, 1)
    told(poster(anna, reference)("close", {"outcome": "no_trace"}))
    console.refresh()
    ben = console.program("ben", role="handler")
    post = poster(ben, reference)
    for answer in (
        ben.get(f"{LIST}/{reference}"),
        ben.get(f"{LIST}/{reference}/timeline"),
        post("notes", {"text": "x"}),
    ):
        assert "X-Reason" in refused(answer, 403)
    why = {"X-Reason": "Complaint 12"}
    assert told(ben.get(f"{LIST}/{reference}", headers=why))["state"] == "closed"
    told(post("notes", {"text": "x"}, X_Reason="Complaint 12"))
    assert anna.get(f"{LIST}/{reference}").status_code == 200
    refused(post("claim"), 409)


def test_every_deed_is_in_the_audit_log(claimed: Any, console: Console) -> None:
    """Who did what to which record; the chain holds."""
    _, reference, post = claimed
    told(post("ask", {"question": "danger_now"}))
    told(post("notes", {"text": "x"}))
    with reading(console.store.engine) as connection:
        rows = connection.execute(select(audit).order_by(audit.c.number)).all()
    mine = [row.what for row in rows if row.actor == "anna" and row.record == reference]
    assert mine == ["claimed", "asked a question", "wrote a note"]


def test_methods_other_than_post_are_405(small: Console) -> None:
    """The answer says what is allowed."""
    anna = small.program("anna", role="handler")
    for method in ("GET", "PUT", "DELETE", "OPTIONS"):
        answer = anna.open(f"{LIST}/QL-7K3M-9F2X-HC4/claim", method=method)
        assert refused(answer, 405) == "This address takes orders: use POST."
        assert answer.headers["Allow"] == "POST"
