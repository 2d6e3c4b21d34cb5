"""The strict reader: every fault planted here is caught, and good documents pass."""

from __future__ import annotations

import pytest

from simulator.twiml import Refused, read

XML = "text/xml; charset=utf-8"


def document(inside: str) -> bytes:
    """Return a document holding ``inside``."""
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inside}</Response>'.encode()


GATHER = '<Gather action="/next" {}>{}</Gather>'
FAULTS = {
    "Dial in Gather": GATHER.format("", "<Dial>+441632960000</Dial>"),
    "Gather in Gather": GATHER.format("", '<Gather action="/a"/>'),
    "Redirect in Gather": GATHER.format("", "<Redirect>/a</Redirect>"),
    "unknown attribute": GATHER.format('beep="false"', ""),
    "attribute in Python's spelling": GATHER.format('num_digits="2"', ""),
    "True for true": GATHER.format('actionOnEmptyResult="True"', ""),
    "Gather without action": "<Gather/>",
    "timeout of half a second": GATHER.format('timeout="0.5"', ""),
    "timeout None": GATHER.format('timeout="None"', ""),
    "numDigits 0": GATHER.format('numDigits="0"', ""),
    "two finishing keys": GATHER.format('finishOnKey="5#"', ""),
    "input that does not exist": GATHER.format('input="dtmf,speech"', ""),
    "Arabic digits": GATHER.format('timeout="٥"', ""),
    "unknown verb": "<Shout>help</Shout>",
    "verb in small letters": "<say>help</say>",
    "empty Say": "<Say></Say>",
    "voice of nobody": '<Say voice="">Hello</Say>',
    "language by name": '<Say language="English">Hello</Say>',
    "Say of 5,000 characters": f"<Say>{'a' * 5000}</Say>",
    "text in Hangup": "<Hangup>now</Hangup>",
    "text between verbs": "hello <Hangup/>",
    "Pause of nothing": '<Pause length="0"/>',
    "empty Redirect": "<Redirect/>",
    "number of words": "<Dial><Number>the police</Number></Dial>",
    "empty Dial": "<Dial/>",
    "Number outside Dial": "<Number>+441632960000</Number>",
    "waitUrl on Dial": '<Dial waitUrl="">+441632960000</Dial>',
    "conference beep no": '<Dial><Conference beep="no">a</Conference></Dial>',
    "stray ampersand": "<Say>fire & rescue</Say>",
    "control character": "<Say>a\x08b</Say>",
    "unclosed": "<Say>help",
    "doubled attribute": '<Gather action="/a" action="/b"/>',
}


@pytest.mark.parametrize("inside", FAULTS.values(), ids=FAULTS.keys())
def test_a_planted_fault_is_refused(inside: str) -> None:
    """The Python package would send each of these; Twilio would not play it."""
    with pytest.raises(Refused):
        read(document(inside), XML)


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (document("<Hangup/>"), "application/json", 12300),
        (document("<Hangup/>"), "", 12300),
        (document("<Say>" + "a " * 33_000 + "</Say>"), XML, 11750),
        (document("<Say>caf\u00e9</Say>").decode().encode("latin-1"), XML, 12100),
        (document("<Say>help</Say>").decode().encode("utf-16"), XML, 12100),
        (document("<Hangup/>"), "text/xml; charset=utf-16", 12100),
        (b"", XML, 12100),
        (b" " + document("<Hangup/>"), XML, 12100),
        (b"<html><body>Error</body></html>", XML, 12100),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><Response>&b;</Response>', XML, 12100),
        (b"<Response/><Response/>", XML, 12100),
        (document("<Dial><Number>nobody</Number></Dial>"), XML, 13223),
    ],
)
def test_a_bad_answer_is_refused_with_twilios_number(
    body: bytes, content_type: str, code: int
) -> None:
    """Content type, size, encoding and form each have their own error."""
    with pytest.raises(Refused) as refused:
        read(body, content_type)
    assert refused.value.code == code


def test_the_documents_we_use_are_read() -> None:
    """A Gather loop, a bridge with a whisper, a quiet conference."""
    verbs = read(
        document(
            '<Gather input="dtmf speech" action="https://a.example/x" actionOnEmptyResult="true"'
            ' numDigits="2" timeout="4" finishOnKey="" speechTimeout="auto" language="en-GB">'
            '<Say voice="Polly.Amy" language="en-GB">Press <emphasis>5</emphasis> twice.</Say>'
            '<Pause length="1"/></Gather>'
            '<Dial action="/after" answerOnBridge="true" timeout="20">'
            '<Number url="/whisper">+441632960000</Number></Dial>'
            '<Dial><Conference beep="false" waitUrl="">room</Conference></Dial>'
            '<Redirect method="POST">/next</Redirect><Hangup/>'
        ),
        XML,
    )
    assert [verb.name for verb in verbs] == ["Gather", "Dial", "Dial", "Redirect", "Hangup"]
    assert verbs[0].children[0].text == "Press 5 twice."


def test_plain_text_is_read_aloud() -> None:
    """text/plain that is not TwiML is read aloud, markup and all."""
    say, aloud = read(b"<Response><Hangup/></Response>", "text/plain")
    assert say.text == "<Response><Hangup/></Response>"
    assert aloud.name == "ReadAloud"
