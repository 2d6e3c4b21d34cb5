"""Whatever goes wrong inside, a signed caller hears an answer that keeps them."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from callflow.call import Call, Stage
from config.policy import load_policy
from config.settings import Settings
from incidents.fold import fold
from incidents.journal import Journal, JournalFailed
from incidents.recorded import Sealed
from incidents.sealed import Keys
from tests.waiting import eventually
from tests.webhooks import requests, twimlrules
from tests.webhooks.failing import FailingAnswers, FailingJournal, FailingSteps
from tests.webhooks.phoneside import PhoneSide, break_folder, mend_folder
from tests.webhooks.requests import call
from webhooks.documents import Documents

Start = Callable[..., PhoneSide]
STEP = "/voice/step/signal.4.1798000000.1.00.0.0.0.0.0-"
GOODBYE = "/voice/step/hold.9.1798000000.0.00.5.44.9.44.1798000000-"
ENDED = "/voice/step/ended.10.1798000000.0.00.5.49.9.49.1798000000-"
ENTRIES = (
    "/voice/incoming", "/voice/fallback", STEP, GOODBYE, ENDED, "/voice/step/nonsense",
    "/voice/whisper/confirmed/en-GB/x/55/7", "/voice/unknown", "/", "/voice/page/x",
    "/voice/order/hold.4.1798000000.0.1010.0.0.0.0.0-7/x",
    "/voice/answer/asked.4.1798000000.1.1010.0.0.0.0.0-7/x",
)  # fmt: skip
WITHIN = 1.0
"""Seconds. faults.md: "a caller always gets valid TwiML within 1 s"."""


def failing_answers(settings: Settings) -> dict[str, object]:
    """Build answers that always raise."""
    policy = load_policy(settings)
    documents = Documents(
        policy.voices, policy.questions, settings.public_url, settings.control_room
    )
    keys = Keys(settings.key_material)
    return {"answers": FailingAnswers(policy, keys, documents, settings.control_room)}


def failing_steps(settings: Settings) -> dict[str, object]:
    """Build answers that raise at every step."""
    policy = load_policy(settings)
    documents = Documents(
        policy.voices, policy.questions, settings.public_url, settings.control_room
    )
    keys = Keys(settings.key_material)
    return {"answers": FailingSteps(policy, keys, documents, settings.control_room)}


def failing_journal(_settings: Settings) -> dict[str, object]:
    """Keep nothing, ever."""
    return {"journal": FailingJournal}


def kept(phone: PhoneSide, path: str) -> bytes:
    """Post and return the document, which must keep the caller and come within a second."""
    began = time.monotonic()
    answer = phone.post(path)
    assert time.monotonic() - began < WITHIN
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/xml")
    assert answer.headers.get("content-length") in (None, str(len(answer.body)))
    assert b"Hangup" not in answer.body
    if "whisper" not in path:
        assert twimlrules.keeps_the_caller(answer.body, requests.PUBLIC_URL) == []
    return answer.body


# Twilio: "If there is an error retrieving or parsing the TwiML … Twilio speaks an error message and
# ends the call." So an error of ours is still a 200 with a document.
@pytest.mark.parametrize("path", ENTRIES)
def test_an_answer_that_raises_still_keeps_the_caller(start: Start, path: str) -> None:
    """At every entry, without a control room: the line is held."""
    phone = start(failing_answers)
    document = kept(phone, path)
    assert twimlrules.keeps_the_caller(document, requests.PUBLIC_URL) == []
    assert phone.post(path, signed=False).status == 403


def test_an_answer_that_raises_is_recorded_with_the_keys_that_came_with_it(start: Start) -> None:
    """Rule 1: nothing is lost. The alert says that our answer failed, and a 55 still confirms."""
    phone = start(failing_steps)
    kept(phone, "/voice/incoming")
    phone.post(STEP, call(Digits="55"))
    told = fold(phone.events(), "QL-TEST").incident
    assert (told.signal, told.keys, told.state) == ("confirmed", "55", "waiting")
    assert "our answer failed" in told.reasons
    assert phone.beat()["counters"]["webhooks_guarded"] == 1


@pytest.mark.parametrize("path", ENTRIES)
def test_an_answer_that_raises_rings_the_control_room_where_there_is_one(
    start: Start, path: str
) -> None:
    """At every entry: a person has the caller."""
    phone = start(failing_answers, QUIETLINE_CONTROL_ROOM=requests.CONTROL_ROOM)
    assert twimlrules.rings(kept(phone, path), requests.CONTROL_ROOM)


@pytest.mark.parametrize("path", ["/voice/page/x", "/voice/page/x/answer"])
def test_somebody_of_ours_who_was_rung_is_let_go_when_the_answer_raises(
    start: Start, path: str
) -> None:
    """They are no caller: the control room is not rung for them, and nothing is recorded."""
    phone = start(failing_answers, QUIETLINE_CONTROL_ROOM=requests.CONTROL_ROOM)
    answer = phone.post(path, call(Direction="outbound-api"))
    assert (answer.status, twimlrules.hangs_up(answer.body)) == (200, True)
    assert phone.events() == []


def test_a_status_report_is_answered_204_even_when_the_answer_raises(start: Start) -> None:
    """Twilio: a status callback needs no TwiML; anything but a 2xx is an error in its log."""
    answer = start(failing_answers).post("/voice/status", call(CallStatus="completed"))
    assert (answer.status, answer.body) == (204, b"")


def test_even_a_last_resort_that_raises_keeps_the_caller(start: Start) -> None:
    """There is a document made at the start for that."""
    parts: dict[str, FailingAnswers] = {}

    def both(settings: Settings) -> dict[str, object]:
        made = failing_answers(settings)
        answers = made["answers"]
        assert isinstance(answers, FailingAnswers)
        parts["answers"] = answers
        return made

    phone = start(both)
    parts["answers"].last_resort_fails = True
    kept(phone, "/voice/incoming")


@pytest.mark.parametrize(
    "error",
    [RuntimeError("x"), OSError(28, "No space left on device"), OverflowError(), MemoryError()],
)
@pytest.mark.parametrize("path", ENTRIES)
def test_a_journal_that_raises_anything_at_all_still_keeps_the_caller(
    start: Start, path: str, error: Exception
) -> None:
    """Not only the errors somebody foresaw."""
    phone = start(failing_journal)
    kept(phone, path)


@pytest.mark.parametrize("path", ENTRIES)
def test_a_journal_that_raises_rings_the_control_room_where_there_is_one(
    start: Start, path: str
) -> None:
    """What cannot be recorded must at least be heard by a person, and never ends."""
    phone = start(failing_journal, QUIETLINE_CONTROL_ROOM=requests.CONTROL_ROOM)
    document = kept(phone, path)
    if "whisper" not in path:
        assert twimlrules.rings(document, requests.CONTROL_ROOM)


@pytest.mark.parametrize("room", ["", requests.CONTROL_ROOM])
def test_with_no_disk_at_all_the_caller_is_answered_and_the_alarm_is_loud(
    start: Start, room: str
) -> None:
    """Design: "If both fail the caller is still answered and connected, and the alarm is loud"."""
    phone = start(QUIETLINE_CONTROL_ROOM=room)
    assert phone.ready() == 200
    assert phone.alarms() == set()
    for folder in phone.settings.journals:
        break_folder(folder)
    # What was open stays open on a disk that lost its folder: make the phone open new files.
    phone.close()
    phone = start(QUIETLINE_CONTROL_ROOM=room)
    for path in (*ENTRIES, *ENTRIES):
        document = kept(phone, path)
        if room and "whisper" not in path:
            assert twimlrules.rings(document, room)
    assert "journal-failed" in phone.alarms()
    assert phone.ready() == 503
    for folder in phone.settings.journals:
        mend_folder(folder)
    eventually(lambda: phone.beat() and phone.ready() == 200)
    assert phone.post("/voice/incoming").status == 200
    assert "call_arrived" in [event.kind for event in phone.events()]
    assert "journal-failed" not in phone.alarms()


def test_a_mended_disk_is_noticed_without_a_caller(start: Start) -> None:
    """A balancer that sends nobody to a phone that is not ready must see it ready again."""
    probe = start()
    for folder in probe.settings.journals:
        break_folder(folder)
    phone = start()
    kept(phone, "/voice/incoming")
    assert phone.ready() == 503
    for folder in phone.settings.journals:
        mend_folder(folder)
    eventually(lambda: phone.beat() and phone.ready() == 200)


def test_the_spare_journal_takes_over_and_says_so(start: Start) -> None:
    """Design: "a spare journal on another disk takes over when the first cannot write"."""
    probe = start()
    break_folder(probe.settings.journals[0])
    phone = start()
    assert phone.post("/voice/incoming").text.count("<Gather") == 1
    assert [folder for folder, _ in phone.kept()] == [phone.settings.journals[1].name]
    assert "journal-spare" in phone.alarms()
    assert phone.ready() == 200
    mend_folder(phone.settings.journals[0])

    def back() -> bool:
        phone.beat()
        phone.post("/voice/incoming", call(sid=f"CA{time.monotonic_ns()}"))
        return phone.settings.journals[0].name in {folder for folder, _ in phone.kept()}

    eventually(back, 5)


def test_without_its_folders_at_the_start_the_phone_answers_all_the_same(start: Start) -> None:
    """A restart on a full disk must not be the moment in which the line goes dead."""
    probe = start()
    wake = probe.settings.wake
    probe.close()
    for file in wake.iterdir():
        file.unlink()
    wake.rmdir()
    wake.write_text("in the way", encoding="ascii")
    settings = dataclasses.replace(probe.settings)
    ear_elsewhere = dataclasses.replace(settings, data=settings.data / "elsewhere")
    assert ear_elsewhere.wake != wake
    phone = PhoneSide(settings, ear_at=ear_elsewhere.wake)
    try:
        kept(phone, "/voice/incoming")
        assert phone.ready() == 503
        wake.unlink()
        assert phone.post("/voice/incoming").status == 200
        assert phone.ready() == 200
        assert len(phone.events()) == 1
    finally:
        phone.close()


def test_a_record_no_disk_can_hold_does_not_stop_those_behind_it(phone: PhoneSide) -> None:
    """faults.md, poison record: it never blocks those behind it."""
    for field in range(1, 10):
        for digits in (15, 19, 20, 60):
            fields = ["hold", "1", "1", "0", "00", *["0"] * 5]
            fields[field] = "9" * digits
            # One key, for a caller who was silent that long would rightly be let go.
            kept(phone, f"/voice/step/{'.'.join(fields)}-7")
    before = len(phone.events())
    kept(phone, "/voice/incoming")
    assert len(phone.events()) == before + 1
    assert phone.ready() == 200


def test_every_state_a_call_can_be_in_is_kept_when_nothing_can_be_written(start: Start) -> None:
    """Never a Hangup without a record: a goodbye nobody wrote down is not said."""
    phone = start(failing_journal)
    for stage in Stage:
        for lost in (False, True):
            state = Call(stage, 5, 1_798_000_000, asked=9, lost=lost, listen=9, held=500, quiet=99)
            kept(phone, f"/voice/step/{state.write()}")


def test_one_record_that_cannot_be_written_leaves_the_writer_alive(tmp_path: Path) -> None:
    """Its own caller is told; everybody else's events, queued with it or after it, are kept."""

    async def keep() -> list[object]:
        journal = Journal(tmp_path / "first", tmp_path / "spare", tmp_path / "wake")
        good = Sealed("key", "call", "CA1", "2026-12", 1, "call_arrived", 0, b"x")
        poison = dataclasses.replace(good, key="poison", step=2**70)
        others = [dataclasses.replace(good, key=f"key {at}") for at in range(5)]
        batch = [poison, *others]
        together = [journal.keep([event]) for event in batch]
        kept = await asyncio.gather(*together, return_exceptions=True)
        kept.append(await journal.keep([dataclasses.replace(good, key="after")]))
        journal.close()
        return list(kept)

    poisoned, *kept = asyncio.run(keep())
    assert isinstance(poisoned, JournalFailed)
    assert not any(isinstance(each, BaseException) for each in kept)
