"""The checker catches what was planted for it: a check that cannot fail proves nothing."""

from __future__ import annotations

import pytest

from tests.webhooks.twimlrules import faults, hangs_up, keeps_the_caller

URL = "https://phone.example"
STEP = f"{URL}/voice/step/hold.1.1.0.00.0.0.0.0.0-"
SAY = '<Say voice="Polly.Amy" language="en-GB">Please stay on the line.</Say>'
GATHER = (
    f'<Gather input="dtmf" timeout="5" numDigits="2" finishOnKey="" actionOnEmptyResult="true" '
    f'action="{STEP}" method="POST">{SAY}</Gather>'
)
REDIRECT = f'<Redirect method="POST">{STEP}</Redirect>'


def document(inside: str) -> bytes:
    """Wrap verbs in a document."""
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inside}</Response>'.encode()


GOOD = document(GATHER + REDIRECT)

PLANTED = {
    "the default finishOnKey, which strips #": GOOD.replace(b' finishOnKey=""', b""),
    "# as finishOnKey": GOOD.replace(b'finishOnKey=""', b'finishOnKey="#"'),
    "5 as finishOnKey: 55 would end with no digits": GOOD.replace(
        b'finishOnKey=""', b'finishOnKey="5"'
    ),
    "silence that never reaches us": GOOD.replace(b' actionOnEmptyResult="true"', b""),
    "Python's True for Twilio's true": GOOD.replace(
        b'actionOnEmptyResult="true"', b'actionOnEmptyResult="True"'
    ),
    "less than four seconds to answer": GOOD.replace(b'timeout="5"', b'timeout="3"'),
    "a timeout that is no whole number": GOOD.replace(b'timeout="5"', b'timeout="5.0"'),
    "a Gather without an action": GOOD.replace(f' action="{STEP}"'.encode(), b""),
    "a Dial inside a Gather": GOOD.replace(
        b"<Say", b'<Dial timeout="20" action="x"><Number>+441632960055</Number></Dial><Say'
    ),
    "an attribute nobody knows": GOOD.replace(b"numDigits", b"numberOfDigits"),
    "a verb nobody knows": document("<Gatherer/>" + REDIRECT),
    "text between verbs": document("Please stay." + GATHER + REDIRECT),
    "an empty Say": GOOD.replace(b"Please stay on the line.", b""),
    "a relative address": GOOD.replace(URL.encode(), b""),
    "another host": GOOD.replace(b"phone.example", b"127.0.0.1:8055"),
    "a wildcard address, as Twilio was once told": GOOD.replace(
        b"https://phone.example", b"http://[::]:8081"
    ),
    "a percent sign in an address": GOOD.replace(b"-</Redirect>", b"-%35</Redirect>"),
    "a query in an address": GOOD.replace(b"-</Redirect>", b"-?keys=5</Redirect>"),
    "a fragment in an address": GOOD.replace(b"-</Redirect>", b"-#ct=1000</Redirect>"),
    "control characters": GOOD.replace(b"Please", b"Plea\x01se"),
    "broken UTF-8": GOOD.replace(b"Please", b"Plea\xffse"),
    "unclosed XML": GOOD.replace(b"</Gather>", b""),
    "more than 64 kB": GOOD.replace(b"Please", b"Please" * 11_000),
    "an HTML page": b"<!doctype html><html><body>Internal Server Error</body></html>",
    "an empty document": document(""),
    "a document that just stops after listening": document(GATHER),
    "something behind a Hangup": document(GATHER + "<Hangup/>" + REDIRECT),
    "a conference with its beep": document(
        f'<Dial timeout="20" action="{STEP}"><Conference waitUrl="">a</Conference></Dial>{REDIRECT}'
    ),
    "a conference with music": document(
        f'<Dial timeout="20" action="{STEP}"><Conference beep="false">a</Conference></Dial>'
        + REDIRECT
    ),
    "a conference the caller does not come back from": document(
        '<Dial><Conference beep="false" waitUrl="" endConferenceOnExit="true">a</Conference>'
        f"</Dial>{REDIRECT}"
    ),
    "a conference that is left running with one in it": document(
        f'<Dial action="{STEP}"><Conference beep="false" waitUrl="">a</Conference></Dial>{REDIRECT}'
    ),
    "a listener who may speak": document(
        '<Dial><Conference beep="false" waitUrl="" endConferenceOnExit="true" muted="false">a'
        "</Conference></Dial><Hangup/>"
    ),
    "a number that rings for ever": document(
        f'<Dial action="{STEP}"><Number url="{URL}/voice/whisper/a">+441632960055</Number></Dial>'
        + REDIRECT
    ),
    "a queue with music": document("<Enqueue>support</Enqueue>" + REDIRECT),
    "a Dial that never comes back": document(
        f'<Dial timeout="20"><Number url="{URL}/voice/whisper/a">+441632960055</Number></Dial>'
        + REDIRECT
    ),
    "an unknown voice": GOOD.replace(b"Polly.Amy", b"alice!"),
}


def test_a_good_document_has_no_faults() -> None:
    """The checker lets the right thing pass, or it would prove nothing about the wrong."""
    assert faults(GOOD, URL) == []
    assert keeps_the_caller(GOOD, URL) == []


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found(name: str) -> None:
    """Every fault others have shipped is found when it is planted."""
    assert PLANTED[name] != GOOD
    assert faults(PLANTED[name], URL) != []


@pytest.mark.parametrize("kind", ["text/plain", "text/html", "application/json", ""])
def test_another_content_type_is_found(kind: str) -> None:
    """Twilio: "text/plain that is not TwiML is read aloud"."""
    assert faults(GOOD, URL, kind) != []


def test_a_document_that_hangs_up_is_found() -> None:
    """A Hangup, or a document that just ends, lets the caller go."""
    assert hangs_up(document(GATHER + "<Hangup/>"))
    assert hangs_up(document(SAY))
    assert not hangs_up(GOOD)
    assert keeps_the_caller(document("<Hangup/>"), URL) != []
    assert keeps_the_caller(document(REDIRECT), URL) != []
