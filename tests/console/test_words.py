"""The words and figures a handler reads."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console import telling, words
from incidents.fold import Entry, Incident

START = datetime(2026, 12, 22, 18, 3, tzinfo=UTC)
SCRIPT = Path(words.__file__).parent / "static" / "js" / "words.js"


@pytest.mark.parametrize(
    ("seconds", "read"),
    [
        (-5, "0:00"),
        (0, "0:00"),
        (7.9, "0:07"),
        (59, "0:59"),
        (60, "1:00"),
        (3599, "59:59"),
        (3600, "1 h 00 min"),
        (3840, "1 h 04 min"),
        (86_399, "23 h 59 min"),
        (86_400, "1 d 0 h"),
        (183_600, "2 d 3 h"),
    ],
)
def test_time_waiting_reads_at_a_glance(seconds: float, read: str) -> None:
    """Seconds while they matter, then minutes, then hours."""
    assert words.waiting(START, START + timedelta(seconds=seconds)) == read


@pytest.mark.parametrize(
    ("at", "clock", "zone"),
    [
        (datetime(2026, 12, 22, 18, 3, 11, tzinfo=UTC), "18:03:11", "GMT"),
        (datetime(2026, 7, 1, 18, 3, 11, tzinfo=UTC), "19:03:11", "BST"),
        (datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC), "00:59:59", "GMT"),
        (datetime(2026, 3, 29, 1, 0, 0, tzinfo=UTC), "02:00:00", "BST"),
        (datetime(2026, 10, 25, 1, 0, 0, tzinfo=UTC), "01:00:00", "GMT"),
    ],
)
def test_times_are_local_through_daylight_saving(at: datetime, clock: str, zone: str) -> None:
    """A handler reads the time on the wall; the zone says which of two one o'clocks."""
    assert (words.clock(at), words.zone(at)) == (clock, zone)


@pytest.mark.parametrize(
    ("at", "since", "read"),
    [
        ("2026-12-22T18:03Z", "2026-12-22T09:00Z", ""),
        ("2026-12-23T00:01Z", "2026-12-22T23:59Z", "23 Dec 2026"),
        # Half past midnight in summer: the day before in UTC.
        ("2026-06-30T23:30Z", "2026-06-30T22:30Z", "1 Jul 2026"),
        ("2026-10-25T01:10Z", "2026-10-25T00:50Z", "GMT"),
        ("2026-10-26T08:00Z", "2026-10-24T08:00Z", "26 Oct 2026 GMT"),
    ],
)
def test_a_time_of_another_day_says_so(at: str, since: str, read: str) -> None:
    """And one after the clocks changed, its zone: 01:10 may come after 01:50."""
    assert words.apart(datetime.fromisoformat(at), datetime.fromisoformat(since)) == read


def test_keys_are_spaced_out() -> None:
    """55 is two presses."""
    assert words.keys("55*") == "5 5 *"
    assert words.keys("") == "–"


@pytest.mark.parametrize(
    ("kind", "data", "what", "detail", "quote"),
    [
        ("keys_pressed", {"keys": "55"}, "Keys pressed", "5 5", ""),
        (
            "sound_heard",
            {"words": "who is it"},
            "Sound heard",
            "may be somebody else in the room",
            "who is it",
        ),
        ("note_added", {"text": "<b>", "by": "anna"}, "Note", "anna", "<b>"),
        (
            "marker_matched",
            {"name": "High risk", "high_risk": True, "grade": "immediate"},
            "Marker matched",
            "High risk",
            "",
        ),
        (
            "marker_set",
            {"by": "anna", "name": "High risk", "reason": "MARAC"},
            "Marker set",
            "High risk, anna",
            "MARAC",
        ),
        (
            "repeat_seen",
            {"nth": 3, "seconds": 700},
            "Call number 3 from here in 12 minutes",
            "",
            "",
        ),
        (
            "person_matched",
            {"officers": ["cara", "erin"]},
            "A known person's number",
            "told: cara, erin",
            "",
        ),
        (
            "person_matched",
            {"officers": []},
            "A known person's number",
            "nobody is their point of contact",
            "",
        ),
        (
            "person_matched",
            {"officers": ["cara"], "how": "part"},
            "A known person confirmed in this call",
            "told: cara",
            "",
        ),
        (
            "person_matched",
            {"officers": ["cara"], "how": "code"},
            "A known person's code",
            "told: cara",
            "",
        ),
        ("contact_seen", {"by": "cara"}, "Seen by the point of contact", "cara", ""),
        ("line_dropped", {"duration": 31}, "Line dropped", "after 31 s", ""),
        ("something_new", {}, "Something new", "", ""),
    ],
)
def test_a_timeline_entry_reads_as_one_would_say_it(
    kind: str, data: dict[str, object], what: str, detail: str, quote: str
) -> None:
    """And an entry of a later release reads as it is named."""
    assert telling.told(Entry("1", START, kind, data)) == telling.Told(what, detail, quote)


def test_the_screen_s_script_has_the_same_words() -> None:
    """The rules stand twice; the words must not differ."""
    script = SCRIPT.read_text(encoding="utf-8")
    for urgency in words.URGENCIES:
        said = f'{urgency.rank}: {{ word: "{urgency.word}", shape: "{urgency.shape}" }}'
        assert said in script
    for table in (words.CONNECTIONS, words.PURPOSES):
        told = ", ".join(f"{name}: {json.dumps(word)}" for name, word in table.items())
        assert re.search(re.escape("{ " + told + " }"), script)


@pytest.mark.parametrize(
    ("connection", "read"),
    [("open", "No sign yet"), ("dropped", "No sign"), ("ended", "No sign")],
)
def test_a_call_that_is_over_promises_no_sign_any_more(connection: str, read: str) -> None:
    """Rule 2: what lies in the review queue waits for a person, not for the caller."""
    incident = Incident(
        call_key="key",
        reference="QL-7K3M-9F2X-HC4",
        call_sid="CA" + "0" * 32,
        line="emergency",
        profile="gb",
        purpose="live",
        number=None,
        withheld=True,
        signal="nothing",
        keys="",
        urgency=4,
        reasons=(),
        state="review",
        connection=connection,
        started_at=START,
    )
    assert words.signal(incident) == read
