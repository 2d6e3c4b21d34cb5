"""What other processes say of themselves, and what their silence says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from console.beats import MOST_ALARMS, Alarm, Beats, read

NOW = datetime(2026, 12, 22, 18, 0, tzinfo=UTC)
SINCE = "2026-12-22T17:59:00.000Z"


def beat(process: str = "phone", pid: int = 1, *alarms: str) -> bytes:
    """A beat as a process sends it."""
    told = [{"id": one, "text": f"{one} is wrong", "since": SINCE} for one in alarms]
    return json.dumps({"process": process, "pid": pid, "at": SINCE, "alarms": told}).encode()


def hear(beats: Beats, datagram: bytes, now: datetime = NOW) -> None:
    """Take in a beat."""
    said = read(datagram, now)
    assert said is not None
    beats.hear(said, now)


def ids(beats: Beats, now: datetime = NOW) -> list[str]:
    """The ids of the alarms that stand."""
    return sorted(alarm.id for alarm in beats.alarms(now))


def test_an_alarm_stands_until_its_process_leaves_it_out() -> None:
    """A beat tells all alarms of its process each time."""
    beats = Beats(NOW)
    hear(beats, beat("phone", 1, "spare"))
    assert ids(beats) == ["spare"]
    hear(beats, beat("phone", 1))
    assert ids(beats) == []


def test_two_workers_with_one_trouble_make_one_alarm() -> None:
    """A handler reads it once."""
    beats = Beats(NOW)
    hear(beats, beat("phone", 1, "spare"))
    hear(beats, beat("phone", 2, "spare"))
    assert ids(beats) == ["spare"]
    hear(beats, beat("phone", 1))
    assert ids(beats) == ["spare"]


def test_a_silent_process_is_itself_an_alarm() -> None:
    """Ten seconds without a beat; also when none ever came."""
    beats = Beats(NOW)
    hear(beats, beat("engine"))
    assert ids(beats, NOW + timedelta(seconds=10)) == []
    late = NOW + timedelta(seconds=10.1)
    assert ids(beats, late) == ["silent-engine", "silent-phone"]
    hear(beats, beat("phone"), late)
    assert ids(beats, late) == ["silent-engine"]


def test_the_alarms_of_a_silent_process_stay() -> None:
    """Nothing has said that they are over."""
    beats = Beats(NOW)
    hear(beats, beat("phone", 1, "spare"))
    assert "spare" in ids(beats, NOW + timedelta(hours=1))


def test_a_replaced_worker_takes_its_alarms_with_it() -> None:
    """The phone restarted one worker; its old number will never beat again."""
    beats = Beats(NOW)
    hear(beats, beat("phone", 1, "spare"))
    later = NOW + timedelta(seconds=11)
    hear(beats, beat("phone", 2), later)
    hear(beats, beat("engine", 3), later)
    assert ids(beats, later) == []


@pytest.mark.parametrize(
    "datagram",
    [
        b"j",
        b"s",
        b"",
        b"{",
        b"{}",
        b"[]",
        b'{"process": "phone", "alarms": 5}',
        b'{"process": "phone", "alarms": ["x"]}',
        b'{"process": "phone", "pid": "one"}',
        b'{"process": "phone", "alarms": [{"id": "x"}]}',
        b"{" * 60_000,
    ],
)
def test_what_is_no_beat_is_no_beat(datagram: bytes) -> None:
    """Anything on the machine may write to the folder; nothing of it may stop the console."""
    assert read(datagram, NOW) is None


def test_a_beat_cannot_flood_the_screen() -> None:
    """Alarms are counted and cut."""
    said = read(beat("phone", 1, *(f"{'a' * 500}{n}" for n in range(500))), NOW)
    assert said is not None
    assert len(said.alarms) == MOST_ALARMS
    assert max(len(alarm.text) for alarm in said.alarms) <= 300


def test_an_alarm_reads_as_the_contract_says() -> None:
    """``id``, ``text``, ``since``, ``over``."""
    assert Alarm("a", "b", NOW).as_json(over=True) == {
        "id": "a",
        "text": "b",
        "since": "2026-12-22T18:00:00.000Z",
        "over": True,
    }
