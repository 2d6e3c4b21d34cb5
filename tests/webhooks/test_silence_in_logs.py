"""No number and no word of a caller stands in a log, whatever fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.webhooks import requests
from tests.webhooks.failing import CANARY_NUMBER, CANARY_WORD
from tests.webhooks.phoneside import PhoneSide, break_folder
from tests.webhooks.requests import call
from tests.webhooks.test_guard import failing_answers, failing_journal
from webhooks.failures import told

Start = Callable[..., PhoneSide]
CANARY = call(
    number=CANARY_NUMBER, SpeechResult=CANARY_WORD, CallerName=CANARY_WORD, Digits="5",
    FromCity=CANARY_WORD, ErrorUrl=f"https://x/{CANARY_WORD}", CallStatus="completed",
)  # fmt: skip
PATHS = (
    "/voice/incoming", "/voice/status", "/voice/fallback", "/voice/unknown", "/voice/step/nonsense",
    "/voice/step/signal.4.1798000000.1.00.0.0.0.0.0-", "/voice/whisper/x",
)  # fmt: skip
TRACES = (CANARY_WORD, CANARY_NUMBER, CANARY_NUMBER[1:], CANARY_NUMBER[-6:])


@pytest.mark.parametrize("parts", [failing_answers, failing_journal, None])
def test_a_failing_answer_logs_no_number_and_no_word(
    start: Start,
    parts: Callable[..., dict[str, object]] | None,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Even at DEBUG, even though the exception itself quotes them."""
    phone = start(parts)
    with caplog.at_level(logging.DEBUG):
        for path in PATHS:
            assert phone.post(path, CANARY).status in (200, 204)
    out = capfd.readouterr()
    written = caplog.text + out.out + out.err
    assert [trace for trace in TRACES if trace in written] == []
    if parts:
        assert "failed" in caplog.text or "written" in caplog.text


def test_broken_disks_log_no_number_and_no_word(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """The loudest log lines there are, at the worst moment."""
    probe = start()
    for folder in probe.settings.journals:
        break_folder(folder)
    phone = start()
    with caplog.at_level(logging.DEBUG):
        for path in PATHS:
            phone.post(path, CANARY)
    assert "an event could not be written anywhere" in caplog.text
    assert [trace for trace in TRACES if trace in caplog.text] == []


def test_nothing_in_the_data_folder_holds_a_number_or_a_word_in_the_clear(
    phone: PhoneSide,
) -> None:
    """Journal, write-ahead log and lock files, byte by byte."""
    for path in PATHS:
        phone.post(path, CANARY)
    assert any(event.data.get("number") == CANARY_NUMBER for event in phone.events())
    files = [file for file in Path(phone.settings.data).rglob("*") if file.is_file()]
    assert len(files) >= 3
    for file in files:
        content = file.read_bytes()
        assert [trace for trace in TRACES if trace.encode() in content] == [], file.name
    assert requests.CONTROL_ROOM.encode() not in b"".join(file.read_bytes() for file in files)


def test_a_failure_is_told_by_kind_and_place_and_never_by_its_message() -> None:
    """A message may quote the caller; a line number cannot."""

    def fail() -> None:
        raise ValueError(CANARY_WORD)

    with pytest.raises(ValueError) as caught:
        fail()
    text = told(caught.value)
    assert text.startswith("ValueError in ")
    assert "fail (" in text
    assert CANARY_WORD not in text
