"""The tests' own table of TwiML, and a checker that says what is wrong with a document.

Written from Twilio's reference pages for Voice and from telephony.md, apart from the simulator's
table and from the product. Twilio passes over what it does not understand, and then a caller
hears nothing; so whatever is not in this table is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit
from xml.etree import ElementTree

LARGEST = 64_000
"""Bytes. Twilio: a TwiML document may have 64 kB."""
SHORTEST_WAIT = 4
_UNRESERVED = re.compile(r"[A-Za-z0-9._~/-]*")
"""RFC 3986, section 2.3, and the slash between segments."""

Judge = Callable[[str], bool]


def _among(*values: str) -> Judge:
    return lambda value: value in values


def _number(least: int, most: int) -> Judge:
    def judge(value: str) -> bool:
        return re.fullmatch(r"[0-9]{1,6}", value) is not None and least <= int(value) <= most

    return judge


def _like(pattern: str) -> Judge:
    return lambda value: re.fullmatch(pattern, value) is not None


_FLAG = _among("true", "false")
_METHOD = _among("GET", "POST")
_URL = _like(r"https?://[^\s#?]+")
_LANGUAGE = _like(r"[a-z]{2,3}-[A-Z]{2}")
_VOICE = _like(r"Polly\.[A-Z][a-z]+(-Neural)?")


@dataclass(frozen=True, slots=True)
class Rule:
    """What one element may hold. ``text``: "" for none, else a pattern the text must match."""

    attributes: Mapping[str, Judge]
    children: tuple[str, ...] = ()
    text: str = ""
    needs: tuple[str, ...] = ()


RULES: Mapping[str, Rule] = {
    "Response": Rule({}, ("Say", "Play", "Pause", "Gather", "Redirect", "Dial", "Hangup")),
    "Say": Rule(
        {"voice": _VOICE, "language": _LANGUAGE, "loop": _number(1, 10)},
        text=r"(?s).*\S.*",
        needs=("voice", "language"),
    ),
    "Play": Rule({"loop": _number(1, 10)}, text=r"https?://\S+\.wav"),
    "Pause": Rule({"length": _number(1, 60)}),
    # Twilio, Gather: input dtmf | speech | "dtmf speech"; timeout a positive integer; numDigits a
    # positive integer; finishOnKey 0-9 # * or empty; speechTimeout a positive integer or auto.
    "Gather": Rule(
        {
            "input": _among("dtmf", "dtmf speech"),
            "timeout": _number(SHORTEST_WAIT, 60),
            "numDigits": _number(1, 8),
            # "#" is the default and would be cut off; "5" would end 55 with no digits at all.
            "finishOnKey": _among(""),
            "actionOnEmptyResult": _among("true"),
            "action": _URL,
            "method": _among("POST"),
            "speechTimeout": _like(r"auto|[1-9][0-9]?"),
            "profanityFilter": _FLAG,
            "language": _LANGUAGE,
        },
        ("Say", "Play", "Pause"),
        needs=("input", "timeout", "numDigits", "finishOnKey", "actionOnEmptyResult", "action"),
    ),
    "Redirect": Rule({"method": _METHOD}, text=r"https?://[^\s#?]+"),
    # Twilio, Dial: timeout up to 600 seconds; answerOnBridge true | false; action a URL. The
    # timeout is of ringing: a conference rings nobody. Of a caller's Dial the action is demanded
    # below; a listener of ours has nothing to come back to.
    "Dial": Rule(
        {
            "timeout": _number(5, 600),
            "answerOnBridge": _FLAG,
            # The line's own number: never an officer's, and for staff not the caller's.
            "callerId": _like(r"\+[1-9][0-9]{6,14}"),
            "action": _URL,
            "method": _among("POST"),
        },
        ("Number", "Conference"),
    ),
    # Twilio, Number: machineDetection Enable | DetectMessageEnd; the result goes to the callback.
    "Number": Rule(
        {
            "url": _URL,
            "method": _METHOD,
            "machineDetection": _among("Enable"),
            "amdStatusCallback": _URL,
        },
        text=r"\+[1-9][0-9]{6,14}",
        needs=("url",),
    ),
    # Twilio, Conference: beep and hold music are on unless beep="false" and waitUrl="".
    "Conference": Rule(
        {
            "beep": _among("false"),
            "waitUrl": _among(""),
            "muted": _among("true"),
            "startConferenceOnEnter": _FLAG,
            "endConferenceOnExit": _FLAG,
        },
        text=r"[A-Za-z0-9-]+",
        # When one side has gone the other must not be left alone in a silent room.
        needs=("beep", "waitUrl", "endConferenceOnExit"),
    ),
    "Hangup": Rule({}),
}


def faults(document: bytes, public_url: str, content_type: str = "text/xml") -> list[str]:
    """Return everything that is wrong with a document, in words; nothing when it is good."""
    wrong = []
    if content_type.partition(";")[0].strip() != "text/xml":
        wrong.append(f"content type {content_type}: anything else is read aloud or refused")
    if len(document) > LARGEST:
        wrong.append(f"{len(document)} bytes; the limit is 64 kB")
    try:
        document.decode("utf-8")
        root = ElementTree.fromstring(document)
    except (UnicodeDecodeError, ElementTree.ParseError) as error:
        return [*wrong, f"not well-formed UTF-8 XML: {error}"]
    if root.tag != "Response":
        wrong.append(f"the root is {root.tag}")
    wrong += _walk(root)
    wrong += _addresses(root, public_url)
    wrong += _ends(root)
    return wrong


def _walk(element: ElementTree.Element) -> Iterator[str]:
    rule = RULES.get(element.tag)
    if rule is None:
        yield f"{element.tag} is no element of the table"
        return
    for name, value in element.attrib.items():
        judge = rule.attributes.get(name)
        if judge is None:
            yield f"{element.tag} has no attribute {name}"
        elif not judge(value):
            yield f'{element.tag} {name}="{value}" is not allowed'
    for name in rule.needs:
        if name not in element.attrib:
            yield f"{element.tag} lacks {name}"
    text = "".join([element.text or "", *(child.tail or "" for child in element)])
    if not rule.text and text.strip():
        yield f"{element.tag} holds text"
    elif rule.text and not re.fullmatch(rule.text, text):
        yield f"{element.tag} holds {text!r}"
    if element.tag == "Dial":
        yield from _dials(element)
    for child in element:
        if child.tag not in rule.children:
            yield f"{child.tag} stands inside {element.tag}"
        yield from _walk(child)


def _dials(dial: ElementTree.Element) -> Iterator[str]:
    """A caller comes back from a Dial; only somebody of ours who listens in does not."""
    listens = [child.attrib.get("muted") for child in dial] == ["true"]
    if not listens and "action" not in dial.attrib:
        yield "Dial lacks action"
    if "timeout" not in dial.attrib and dial.find("Number") is not None:
        yield "Dial lacks timeout"


def _addresses(root: ElementTree.Element, public_url: str) -> Iterator[str]:
    base = urlsplit(public_url)
    found = [
        value
        for element in root.iter()
        for name, value in element.attrib.items()
        if name in ("action", "url")
    ]
    found += [element.text or "" for element in root.iter("Redirect")]
    for url in found:
        parts = urlsplit(url)
        if (parts.scheme, parts.netloc) != (base.scheme, base.netloc):
            yield f"{url} is not under {public_url}"
        if not parts.path.startswith(f"{base.path}/voice/"):
            yield f"{url} leads nowhere of ours"
        if not _UNRESERVED.fullmatch(parts.path) or parts.query or parts.fragment:
            yield f"{url} holds more than unreserved ASCII"


def _ends(root: ElementTree.Element) -> Iterator[str]:
    """Nothing may let the caller go but a goodbye: a Hangup, or a document that just stops."""
    verbs = [child.tag for child in root]
    if not verbs:
        yield "the document is empty, so the call ends"
    elif verbs[-1] not in ("Redirect", "Hangup", "Say"):
        yield f"the document stops after {verbs[-1]}, so the call ends"
    if "Hangup" in verbs[:-1]:
        yield "something stands behind a Hangup"


def hangs_up(document: bytes) -> bool:
    """Say whether the document can end the caller's call."""
    root = ElementTree.fromstring(document)
    return root.find("Hangup") is not None or root[-1].tag != "Redirect"


def keeps_the_caller(document: bytes, public_url: str) -> list[str]:
    """Return why a caller could be lost over this document; nothing when it keeps them."""
    wrong = faults(document, public_url)
    if wrong:
        return wrong
    root = ElementTree.fromstring(document)
    if hangs_up(document):
        wrong.append("it can end the call")
    if root.find("Gather") is None and root.find("Dial") is None:
        wrong.append("nobody listens and nobody is rung")
    return wrong


def rings(document: bytes, number: str) -> bool:
    """Say whether the document rings ``number``."""
    return [found.text for found in ElementTree.fromstring(document).iter("Number")] == [number]


def spoken(document: bytes) -> list[str]:
    """Return what is said aloud."""
    return [found.text or "" for found in ElementTree.fromstring(document).iter("Say")]


def next_path(document: bytes, public_url: str) -> str | None:
    """Return the path the caller's phone asks for next, without the public address."""
    for element in ElementTree.fromstring(document):
        url = element.attrib.get("action") or (element.text if element.tag == "Redirect" else None)
        if url:
            return url.removeprefix(public_url)
    return None


def whisper_url(document: bytes) -> str:
    """Return the address of what the answering side hears first."""
    return next(ElementTree.fromstring(document).iter("Number")).attrib["url"]
