"""Log lines: one JSON object each, and nothing that looks like a number."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from app import LogLines


def line(text: str, *arguments: object, plain: bool = False, error: bool = False) -> str:
    """Return what one log call becomes."""
    record = logging.LogRecord(
        "library",
        logging.ERROR,
        "library.py",
        1,
        text,
        arguments,
        sys.exc_info() if error else None,
    )
    return LogLines("phone", plain=plain).format(record)


def test_a_line_is_one_json_object() -> None:
    """For whatever collects logs: when, how bad, which process, from where, what."""
    told = json.loads(line("the store does not answer"))
    assert told["process"] == "phone"
    assert told["level"] == "error"
    assert told["text"] == "the store does not answer"
    assert told["at"].endswith("+00:00")


@pytest.mark.parametrize(
    "number",
    ["+447700900123", "07700 900 123", "%2B447700900123", "+44 1632 960055", "sip:a@example.org"],
)
@pytest.mark.parametrize("plain", [True, False])
def test_a_number_never_reaches_the_log(number: str, plain: bool) -> None:
    """Whoever logs it, as text or as an argument."""
    assert number not in line(f"From={number} refused", plain=plain)
    assert number not in line("From=%s refused", number, plain=plain)
    assert "refused" in line("From=%s refused", number, plain=plain)


@pytest.mark.parametrize("plain", [True, False])
def test_a_number_in_a_traceback_never_reaches_the_log(plain: bool) -> None:
    """The database's driver quotes the values it was given."""
    try:
        raise ValueError("bad value '+447700900123'")
    except ValueError:
        told = line("it failed", error=True, plain=plain)
    assert "+447700900123" not in told
    assert "ValueError" in told


def test_times_and_counts_stay_readable() -> None:
    """Only what looks like a number people dial is taken out."""
    text = "batch of 120000 events in 1234.5 ms, pid 4242"
    assert json.loads(line(text))["text"] == text
