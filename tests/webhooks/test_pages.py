"""Somebody of ours is rung: what they hear, and what it takes to take a call."""

from __future__ import annotations

import pytest

from incidents.orders import Order, page_path
from incidents.recorded import call_key
from incidents.sealed import Keys
from tests.webhooks import requests, twimlrules
from tests.webhooks.ordering import BAD, STAFF, Sent, an_order


def a_page(**more: str) -> Order:
    """Return a page as the ladder gives it."""
    key = call_key(Keys(b"k" * 32), requests.ACCOUNT, "CA" + "1" * 32)
    return an_order("page", to=STAFF, name="sue", call_key=key, **more)


OUTBOUND = {"Direction": "outbound-api", "sid": "CA" + "2" * 32}


def test_a_supervisor_who_is_rung_hears_twice_that_a_call_waits(sent: Sent) -> None:
    """Neutral, without a name or a number; nothing is recorded before 1 is pressed."""
    sent.fetch(page_path(a_page(), sent.keys), **OUTBOUND)
    assert sent.said == ["Quietline. A silent call is waiting. Press 1 to take it."] * 2
    assert sent.phone.events() == []


def test_1_takes_the_call_and_is_on_the_disk_first(sent: Sent) -> None:
    """Who took it stands in the record of the call it is about, not of the call we placed."""
    page = a_page()
    sent.fetch(page_path(page, sent.keys), **OUTBOUND).then(Digits="1", **OUTBOUND)
    (taken,) = sent.recorded("page_answered")
    assert taken.call_key == page.call_key
    assert taken.data == {"order": page.id, "name": "sue", "keys": "1"}
    assert sent.said == ["Open Quietline now. If somebody was faster, it shows their name."]


@pytest.mark.parametrize("digits", ["", "2", "55", "\x00"])
def test_anything_else_takes_nothing(sent: Sent, digits: str) -> None:
    """A voicemail presses no 1: the ladder goes on."""
    sent.fetch(page_path(a_page(), sent.keys), **OUTBOUND).then(Digits=digits, **OUTBOUND)
    assert sent.phone.events() == []
    assert twimlrules.hangs_up(sent.document)


def test_1_pressed_five_times_takes_it_once(sent: Sent) -> None:
    """A retried request is the same event."""
    path = f"{page_path(a_page(), sent.keys)}/answer"
    for _ in range(5):
        sent.fetch(path, Digits="1", **OUTBOUND)
    assert len(sent.recorded("page_answered")) == 1


def test_a_listener_joins_the_conference_muted_after_a_whisper(sent: Sent) -> None:
    """Only that side hears the whisper; it joins without a beep and cannot be heard."""
    page = a_page(room="QL-7K3M-9F2X-HC4-a1b2c3", label="a muted conference")
    sent.fetch(page_path(page, sent.keys), **OUTBOUND)
    assert sent.said == ["Silent caller. You are muted. Listen only."]
    assert b'muted="true"' in sent.document
    assert sent.recorded("connected")[0].data["to"] == "a muted conference"


@pytest.mark.parametrize("rest", ["", "/answer"])
@pytest.mark.parametrize("sealed", BAD)
def test_a_page_that_cannot_be_opened_lets_a_person_of_ours_go(
    sent: Sent, sealed: str, rest: str
) -> None:
    """There is nothing to tell them, and nobody is kept on the line for it."""
    sent.fetch(f"/voice/page/{sealed}{rest}", **OUTBOUND)
    assert (twimlrules.hangs_up(sent.document), sent.phone.events()) == (True, [])


def test_a_caller_who_lands_on_a_page_is_kept(sent: Sent) -> None:
    """A slip in the number's settings: whoever is signed and inbound is a caller."""
    sent.fetch("/voice/page/x")
    assert twimlrules.keeps_the_caller(sent.document, requests.PUBLIC_URL) == []
    assert [event.kind for event in sent.phone.events()] == ["answer_failed"]
