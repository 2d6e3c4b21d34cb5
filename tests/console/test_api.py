"""The JSON API as a program meets it: contract, refusals, odd input, outages."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Response
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from console.api import for_readers
from console.doors import COOKIE
from console.filters import NAMES
from incidents.desk import Actor
from incidents.tables import tokens
from incidents.transactions import writing
from tests.console.site import NOW, NUMBER, Console
from tests.databases import sqlite_at

LIST = "/api/v1/incidents"
CONTRACT = {
    *("reference", "call_sid", "line", "profile", "purpose", "caller", "signal", "keys"),
    *("urgency", "reasons", "state", "connection", "handler", "grade", "outcome"),
    *("started_at", "signal_at", "claimed_at", "ended_at", "closed_at", "answers"),
}


@pytest.fixture
def console(data: Path, store_url: str) -> Iterator[Console]:
    """An empty console over each kind of store."""
    made = Console(data, store_url)
    yield made
    made.close()


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A console over SQLite with a few calls, for tests that change nothing."""
    folder = tmp_path_factory.mktemp("busy")
    made = Console(folder, sqlite_at(folder / "quietline.db"))
    for minutes in range(5):
        made.call("55" if minutes % 2 else "", at=NOW + timedelta(minutes=minutes), number=None)
    made.drain()
    yield made
    made.close()


@pytest.fixture(scope="module")
def program(busy: Console) -> FlaskClient:
    """A program with a token at the busy console."""
    return busy.program()


def refused(answer: Any, status: int) -> str:
    """Check that an answer is a refusal as the contract has it, and return its sentence."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == "application/json"
    told = json.loads(answer.get_data())
    assert set(told) == {"error"}
    sentence: str = told["error"]
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


# -- what is read -----------------------------------------------------------------


def test_an_incident_reads_exactly_as_the_contract_has_it(console: Console) -> None:
    """Every name and value of the contract, and no other name."""
    sid = console.call("55")
    console.drain()
    reference = console.reference(sid)
    answer = console.program().get(f"{LIST}/{reference}")
    assert answer.status_code == 200
    assert answer.get_json() == {
        "reference": reference,
        "call_sid": sid,
        "line": "emergency",
        "profile": "gb",
        "purpose": "training",
        "caller": {"number": NUMBER, "withheld": False},
        "signal": "confirmed",
        "keys": "55",
        "urgency": 1,
        "reasons": ["55 pressed"],
        "state": "waiting",
        "connection": "open",
        "handler": None,
        "grade": None,
        "outcome": None,
        "started_at": "2026-12-22T18:03:11.042Z",
        "signal_at": "2026-12-22T18:03:13.042Z",
        "claimed_at": None,
        "ended_at": None,
        "closed_at": None,
        "answers": [],
    }


def test_the_list_is_newest_first(program: FlaskClient) -> None:
    """The call that came last stands first, each with the contract's names."""
    told = program.get(LIST).get_json()
    assert set(told) == {"incidents", "next"}
    starts = [incident["started_at"] for incident in told["incidents"]]
    assert starts == sorted(starts, reverse=True)
    assert len(starts) == 5
    assert all(set(incident) == CONTRACT for incident in told["incidents"])
    assert told["next"] is None


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 1000])
def test_pages_together_are_the_whole_list(program: FlaskClient, limit: int) -> None:
    """Following ``next`` meets each incident once, whatever the page."""
    whole = [each["reference"] for each in program.get(LIST).get_json()["incidents"]]
    seen: list[str] = []
    query: dict[str, str | int] = {"limit": limit}
    while True:
        told = program.get(LIST, query_string=query).get_json()
        assert len(told["incidents"]) <= limit
        seen += [each["reference"] for each in told["incidents"]]
        if told["next"] is None:
            break
        query["cursor"] = told["next"]
    assert seen == whole


def test_a_call_that_comes_between_two_pages_moves_nothing(console: Console) -> None:
    """A cursor names a place, not a count: nothing is missed and nothing comes twice."""
    for minutes in range(4):
        console.call(at=NOW + timedelta(minutes=minutes), number=None)
    console.drain()
    program = console.program()
    first = program.get(LIST, query_string={"limit": 2}).get_json()
    console.call(at=NOW + timedelta(minutes=9), number=None)
    console.drain()
    query = {"limit": 2, "cursor": first["next"]}
    second = program.get(LIST, query_string=query).get_json()
    starts = [each["started_at"][14:16] for each in first["incidents"] + second["incidents"]]
    assert starts == ["06", "05", "04", "03"]


@pytest.mark.parametrize(
    ("query", "minutes"),
    [
        ({"signal": "confirmed"}, [3, 1]),
        ({"signal": "nothing"}, [4, 2, 0]),
        ({"signal": "heard"}, []),
        ({"urgency": "1"}, [3, 1]),
        ({"urgency": "4"}, [4, 2, 0]),
        ({"state": "waiting"}, [4, 3, 2, 1, 0]),
        ({"state": "closed"}, []),
        ({"purpose": "training"}, [4, 3, 2, 1, 0]),
        ({"purpose": "live"}, []),
        ({"since": "2026-12-22T18:06:11.042Z"}, [4, 3]),
        ({"until": "2026-12-22T18:04:11.042Z"}, [0]),
        ({"since": "2026-12-22T19:06:11.042+01:00"}, [4, 3]),
        ({"since": "2026-12-22T19:06:11.042 01:00"}, [4, 3]),
        ({"call_sid": "CA" + "0" * 31 + "2"}, [1]),
        ({"call_sid": "' OR 1=1 --"}, []),
        ({"signal": "confirmed", "until": "2026-12-22T18:05:00Z"}, [1]),
        (dict.fromkeys(NAMES, ""), [4, 3, 2, 1, 0]),
    ],
)
def test_filters_narrow_the_list(
    program: FlaskClient, query: dict[str, str], minutes: list[int]
) -> None:
    """Each filter of the contract, alone and together; an empty one is none."""
    told = program.get(LIST, query_string=query).get_json()
    assert [int(each["started_at"][14:16]) - 3 for each in told["incidents"]] == minutes


def test_an_unescaped_plus_in_an_offset_is_understood(program: FlaskClient) -> None:
    """A query string turns + into a space; the moment meant is plain all the same."""
    told = program.get(f"{LIST}?since=2026-12-22T19:06:11.042+01:00").get_json()
    assert len(told["incidents"]) == 2


def test_proof_calls_are_listed_only_when_asked_for(console: Console) -> None:
    """A call that proves the way is open must not stand among people."""
    person, proof = console.call("55"), console.call("55", purpose="proof", number=None)
    console.drain()
    program = console.program()

    def listed(**query: str) -> list[str]:
        found = program.get(LIST, query_string=query).get_json()["incidents"]
        return [each["call_sid"] for each in found]

    assert listed() == [person]
    assert listed(purpose="proof") == [proof]


def test_a_call_can_be_read_before_it_is_in_the_store(console: Console) -> None:
    """A program that heard of it over /live may ask at once."""
    reference = console.reference(console.call("55"))
    program = console.program()
    assert program.get(f"{LIST}/{reference}").get_json()["signal"] == "confirmed"
    kinds = [e["kind"] for e in program.get(f"{LIST}/{reference}/timeline").get_json()["entries"]]
    assert kinds[0] == "call_arrived"
    assert "signal_confirmed" in kinds


def test_the_timeline_is_oldest_first_with_notes_among_the_facts(console: Console) -> None:
    """What happened and what people wrote, in one order."""
    sid = console.call("55")
    console.drain()
    reference = console.reference(sid)
    at = NOW + timedelta(seconds=1)
    console.desk.note(reference, "breathing heard", by=Actor("anna", "handler"), now=at)
    console.refresh()
    entries = console.program().get(f"{LIST}/{reference}/timeline").get_json()["entries"]
    assert all(set(entry) == {"id", "at", "kind", "data"} for entry in entries)
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)
    kinds = [entry["kind"] for entry in entries]
    assert kinds.index("call_arrived") < kinds.index("note_added") < kinds.index("keys_pressed")
    note = entries[kinds.index("note_added")]
    assert note["data"] == {"text": "breathing heard", "by": "anna"}
    assert len({entry["id"] for entry in entries}) == len(entries)


def test_a_reference_read_out_in_a_hurry_is_understood(console: Console) -> None:
    """Small letters, no dashes, no QL: it still has its check character."""
    reference = console.reference(console.call())
    program = console.program()
    for said in (reference.lower(), reference.replace("-", ""), reference[3:].replace("-", "")):
        assert program.get(f"{LIST}/{said}").get_json()["reference"] == reference


# -- who may read -----------------------------------------------------------------


@pytest.mark.parametrize("path", [LIST, f"{LIST}/QL-7K3M-9F2X-HC4", f"{LIST}/x/timeline"])
def test_without_a_good_token_nothing_is_told(console: Console, path: str) -> None:
    """401 with a challenge, whether or not the incident exists."""
    stranger = console.stranger()
    answer = stranger.get(path)
    refused(answer, 401)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Quietline"'
    good = console.accounts.add_token("probe", now=NOW)
    for header in (
        "",
        "Bearer",
        "Bearer ",
        f"Basic {good}",
        good,
        f"Bearer {good}x",
        "Bearer \xff",
    ):
        answer = stranger.get(path, headers={"Authorization": header})
        refused(answer, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_the_scheme_may_be_written_small(console: Console) -> None:
    """RFC 9110, section 11.1: the scheme's case does not matter."""
    token = console.accounts.add_token("probe", now=NOW)
    answer = console.stranger().get(LIST, headers={"Authorization": f"bearer {token}"})
    assert answer.status_code == 200


def test_a_signed_in_handler_reads_with_the_cookie(console: Console) -> None:
    """The console's own pages read the same API."""
    assert console.handler().get(LIST).status_code == 200


def test_a_bad_token_is_refused_even_beside_a_good_cookie(console: Console) -> None:
    """Nobody who tests a token in a browser is fooled by the cookie."""
    handler = console.handler()
    refused(handler.get(LIST, headers={"Authorization": "Bearer qlt_wrong"}), 401)


def test_an_ended_session_reads_nothing(console: Console) -> None:
    """The planted fault: signed out is out."""
    handler = console.handler()
    cookie = handler.get_cookie(COOKIE)
    assert cookie is not None
    console.accounts.end_session(cookie.value, now=NOW)
    refused(handler.get(LIST), 401)


def test_a_role_that_may_not_read_gets_403(console: Console) -> None:
    """Known, and still not allowed; the sentence names the role."""
    program = console.program()
    with writing(console.store.engine) as connection:
        connection.execute(sa.update(tokens).values(role="auditor"))
    assert "auditor" in refused(program.get(LIST), 403)


# -- refusals ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("signal", bad) for bad in ("55", "CONFIRMED", "confirmed,heard", "\x00", "nothing ")),
        *(("state", bad) for bad in ("open", "Waiting", "waiting\x00")),
        *(("purpose", bad) for bad in ("real", "*", "%")),
        *(("urgency", bad) for bad in ("0", "5", "-1", "1.0", "1e0", "NaN", "١", "１", "9" * 5000)),
        *(("limit", bad) for bad in ("0", "1001", "-1", "", "inf", "0x1", " 5", "1_0", "9" * 5000)),
        *(("since", bad) for bad in ("yesterday", "2026-12-22", "0000-01-01T00:00:00Z", "NaN")),
        *(("since", bad) for bad in ("2026-02-30T00:00:00Z", "2026-12-22T25:00:00Z", "1766426591")),
        *(("since", bad) for bad in ("2026-12-22T18:03:11", "2026-12-22T18:03:11+24:00")),
        *(("until", bad) for bad in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00")),
        *(("until", bad) for bad in ("２０２６-12-22T18:03:11Z", "10000-01-01T00:00:00Z", "-1")),
        *(("call_sid", bad) for bad in ("\x00", "CA\x00", "a\nb", "x" * 401, "\u202e")),
        *(
            ("cursor", bad)
            for bad in ("1", "\x00", "x" * 401, "bm90LmE", "LTk5OTk5OTk5OTk5OTk5OS4w")
        ),
        *((bad, "1") for bad in ("urgencies", "Signal", "", "\x00", "x" * 5000, "état", "page")),
    ],
)
def test_a_bad_filter_is_refused_with_a_sentence_that_names_it(
    program: FlaskClient, name: str, value: str
) -> None:
    """422: a filter that was guessed at could hide an incident."""
    answer = program.get(LIST, query_string={name: value})
    if name == "limit" and value == "":
        assert answer.status_code == 200  # an empty filter is none, see the list above
        return
    sentence = refused(answer, 422)
    assert name[:40].encode("unicode_escape").decode() in sentence
    assert len(sentence) < 300


def test_a_filter_given_twice_is_refused(program: FlaskClient) -> None:
    """Which of the two was meant? Nobody knows."""
    sentence = refused(program.get(f"{LIST}?urgency=1&urgency=4"), 422)
    assert sentence == "The filter urgency was given 2 times; give it once."


def test_the_leap_second_is_a_moment(program: FlaskClient) -> None:
    """RFC 3339 knows second 60."""
    assert program.get(LIST, query_string={"since": "2016-12-31T23:59:60Z"}).status_code == 200


@pytest.mark.parametrize(
    "reference",
    [
        "QL-7K3M-9F2X-HC5",
        "QL",
        "1",
        "..",
        "%00",
        "%2e%2e%2f",
        "x" * 5000,
        "%F0%9F%92%A3",
        "'--",
        "%ED%A0%80",
    ],
)
def test_an_unknown_reference_is_404(program: FlaskClient, reference: str) -> None:
    """Whatever stands where a reference should."""
    refused(program.get(f"{LIST}/{reference}"), 404)
    refused(program.get(f"{LIST}/{reference}/timeline"), 404)


def test_a_good_reference_of_no_incident_is_404(program: FlaskClient, busy: Console) -> None:
    """The check character fits, and still nobody has it."""
    reference = busy.reference("CA" + "f" * 32)
    refused(program.get(f"{LIST}/{reference}"), 404)
    refused(program.get(f"{LIST}/{reference}/timeline"), 404)


@pytest.mark.parametrize(
    "path", ["/api/v1", "/api/v1/", "/api/v1/x", f"{LIST}/", f"{LIST}/a/b/c", "/api/v1//incidents"]
)
def test_an_address_that_is_not_there_is_404_in_json(program: FlaskClient, path: str) -> None:
    """A program gets JSON, never a page."""
    refused(program.get(path), 404)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "ODD"])
def test_whatever_is_not_reading_is_405(program: FlaskClient, method: str) -> None:
    """Nothing is changed here; the answer says what is allowed."""
    for path in (LIST, f"{LIST}/QL-7K3M-9F2X-HC4", "/api/v1/openapi.json"):
        answer = program.open(path, method=method)
        refused(answer, 405)
        assert answer.headers["Allow"] == "GET, HEAD"


def test_no_answer_may_be_kept_by_a_cache(program: FlaskClient) -> None:
    """Good and bad ones alike."""
    for path in (LIST, f"{LIST}?x=1", f"{LIST}/none", "/api/v1/none", "/api/v1/openapi.json"):
        answer = program.get(path)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Authorization" in answer.headers["Vary"]


def test_a_program_that_looks_again_is_told_that_nothing_changed(console: Console) -> None:
    """304 while it is so; the whole answer as soon as it is not."""
    sid = console.call()
    program = console.program()
    path = f"{LIST}/{console.reference(sid)}"
    etag = program.get(path).headers["ETag"]
    assert program.get(path, headers={"If-None-Match": etag}).status_code == 304
    console.call("55", sid=sid)
    assert program.get(path, headers={"If-None-Match": etag}).status_code == 200


# -- odd input --------------------------------------------------------------------

_text = st.text(st.characters(codec=None), max_size=60)
_odd = st.sampled_from(
    ["\x00", "NaN", "inf", "-0", "1" * 400, "2026-12-22T18:03:11Z", "0000-00-00T00:00:00Z"]
)


@settings(max_examples=150, deadline=None)
@given(
    query=st.lists(st.tuples(st.sampled_from(NAMES) | _text, _text | _odd), max_size=12),
)
def test_no_query_whatever_is_a_failure_of_ours(
    program: FlaskClient, query: list[tuple[str, str]]
) -> None:
    """Any names and values: the list, or a sentence; never a 5xx."""
    encoded = "&".join(f"{_escaped(name)}={_escaped(value)}" for name, value in query)
    answer = program.get(f"{LIST}?{encoded}")
    assert answer.status_code in (200, 422)
    if answer.status_code == 422:
        refused(answer, 422)


@settings(max_examples=100, deadline=None)
@given(raw=st.binary(max_size=80))
def test_no_bytes_whatever_are_a_failure_of_ours(program: FlaskClient, raw: bytes) -> None:
    """Not even text: invalid UTF-8 in the path and the query."""
    escaped = "".join(f"%{byte:02x}" for byte in raw)
    assert program.get(f"{LIST}?{escaped}").status_code in (200, 422)
    assert program.get(f"{LIST}?cursor={escaped}").status_code in (200, 422)
    assert program.get(f"{LIST}/x{escaped}").status_code == 404


@settings(max_examples=100, deadline=None)
@given(header=st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=80))
def test_no_authorization_whatever_opens_or_fails(busy: Console, header: str) -> None:
    """Any header is a 401."""
    refused(busy.stranger().get(LIST, headers={"Authorization": header}), 401)


def _escaped(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    "cursor",
    ["MS4A", "MS7_", "LS4u", "MTc2NjQyNjU5MTA0Mi4A"],  # "1.\0" and the like
)
def test_a_made_up_cursor_is_refused_on_either_store(console: Console, cursor: str) -> None:
    """PostgreSQL takes no NUL in text: a cursor that hides one must never reach it."""
    console.call()
    console.drain()
    refused(console.program().get(LIST, query_string={"cursor": cursor}), 422)


def test_a_caller_cannot_break_the_json(console: Console) -> None:
    """What a caller controls comes out as text, whatever it is."""
    sid = console.call(sid="CA<script>\u202e'\"\\\ud7ff&", number=None)
    console.drain()
    answer = console.program().get(f"{LIST}/{console.reference(sid)}")
    assert answer.get_json()["call_sid"] == sid
    assert answer.get_data().isascii()


# -- outages ----------------------------------------------------------------------


def test_with_the_store_away_the_board_still_answers_for_one_incident(console: Console) -> None:
    """A token seen good before, an incident the board remembers."""
    reference = console.reference(console.call("55"))
    program = console.program()
    assert program.get(f"{LIST}/{reference}").status_code == 200
    with console.store_away():
        answer = program.get(f"{LIST}/{reference}")
        assert answer.status_code == 200
        assert program.get(f"{LIST}/{reference}/timeline").status_code == 200


def test_with_the_store_away_the_list_says_so(console: Console) -> None:
    """503 with a sentence and when to come back; never an empty list, which would be a lie."""
    program = console.program()
    assert program.get(LIST).status_code == 200
    with console.store_away():
        answer = program.get(LIST)
        assert "store" in refused(answer, 503)
        assert answer.headers["Retry-After"] == "2"
        refused(program.get(f"{LIST}/{console.reference('CA' + 'f' * 32)}"), 503)
    assert program.get(LIST).status_code == 200


def test_with_the_store_away_a_stranger_gets_no_answer(console: Console) -> None:
    """Neither in nor falsely out: 503, because nobody can say who it is."""
    stranger = console.stranger()
    with console.store_away():
        header = {"Authorization": "Bearer qlt_" + "A" * 43}
        refused(stranger.get(LIST, headers=header), 503)


def test_a_failure_of_ours_is_json_and_tells_nothing(
    console: Console, caplog: pytest.LogCaptureFixture
) -> None:
    """The planted fault: a view that breaks gives a sentence, and the log gets the cause."""
    program = console.program()

    def broken(**_: object) -> Response:
        raise RuntimeError(NUMBER)

    marked: Callable[..., Response] = for_readers(broken)
    console.app.view_functions["api.incidents"] = marked
    sentence = refused(program.get(LIST), 500)
    assert NUMBER not in sentence
    assert "api request failed" in caplog.text


def test_many_programs_may_read_at_once(console: Console) -> None:
    """Threads share one store and one memory of good tokens."""
    console.call("55")
    console.drain()
    token = console.accounts.add_token("probe", now=NOW)
    statuses: list[int] = []

    def read() -> None:
        for _ in range(5):
            answer = console.stranger().get(LIST, headers={"Authorization": f"Bearer {token}"})
            statuses.append(answer.status_code)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 40
