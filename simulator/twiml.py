"""Read TwiML as strictly as the exchange does, and say in words what is wrong with it.

Reads text; fetches and plays nothing. A document that is refused never reaches the caller:
Twilio takes the fallback URL or, where there is none, speaks an error aloud.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from xml.parsers import expat

from simulator.grammar import ELEMENTS, Element

LARGEST_DOCUMENT = 64 * 1024
LONGEST_SPEECH = 4096

# Twilio's error numbers, as it puts them in ErrorCode and in its debugger.
HTTP_RETRIEVAL_FAILURE = 11200
HTTP_CONNECTION_FAILURE = 11205
BODY_TOO_LARGE = 11750
DOCUMENT_PARSE_FAILURE = 12100
SCHEMA_VIOLATION = 12200
INVALID_CONTENT_TYPE = 12300
INVALID_NUMBER = 13223
INVALID_SPEECH = 13520


class Refused(Exception):
    """Twilio would not carry out this answer; ``code`` is Twilio's error number."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Verb:
    """One element of a document: a verb, or a noun inside one."""

    name: str
    attributes: Mapping[str, str]
    children: tuple[Verb, ...]
    text: str

    def get(self, attribute: str, default: str = "") -> str:
        """Return the value of ``attribute``, or ``default`` where it is absent."""
        return self.attributes.get(attribute, default)

    def flag(self, attribute: str, default: bool = False) -> bool:
        """Return a boolean attribute."""
        value = self.attributes.get(attribute)
        return default if value is None else value == "true"

    def whole(self, attribute: str, default: int) -> int:
        """Return a whole number."""
        return int(self.attributes.get(attribute, default))


def read(body: bytes, content_type: str) -> tuple[Verb, ...]:
    """Return the verbs of an HTTP answer. Raises ``Refused``, which carries Twilio's code."""
    media, charset = _media_type(content_type)
    # Twilio: "text/plain that is not TwiML is read aloud. Always Content-Type: text/xml."
    if media == "text/plain":
        spoken = body.decode("utf-8", "replace").strip()[:LONGEST_SPEECH] or "(nothing)"
        return (Verb("Say", {}, (), spoken), Verb("ReadAloud", {}, (), ""))
    if media not in ("text/xml", "application/xml"):
        raise Refused(INVALID_CONTENT_TYPE, f"the content type is {content_type or 'missing'!r}")
    # Twilio: "Limit 64 kB."
    if len(body) > LARGEST_DOCUMENT:
        raise Refused(BODY_TOO_LARGE, f"the document has {len(body)} bytes, more than 64 kB")
    root = _parse(body, charset)
    if root.name != "Response":
        raise Refused(DOCUMENT_PARSE_FAILURE, f"the document is a <{root.name}>, not a <Response>")
    _check(root, None)
    return root.children


def _media_type(content_type: str) -> tuple[str, str]:
    message = Message()
    message["Content-Type"] = content_type or "application/octet-stream"
    charset = message.get_param("charset", "utf-8")
    return message.get_content_type(), str(charset).lower()


def _parse(body: bytes, charset: str) -> Verb:
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise Refused(DOCUMENT_PARSE_FAILURE, f"the document is said to be {charset}, not UTF-8")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(DOCUMENT_PARSE_FAILURE, f"the document is not UTF-8: {error}") from None
    if text != text.lstrip():
        raise Refused(DOCUMENT_PARSE_FAILURE, "white space stands before the document")
    return _Builder().build(text)


class _Builder:
    """Builds the tree; refuses a document type, for entities have no business in a phone call."""

    def __init__(self) -> None:
        self._open: list[tuple[str, dict[str, str], list[Verb], list[str]]] = []
        self._root: Verb | None = None

    def build(self, text: str) -> Verb:
        parser = expat.ParserCreate("utf-8")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._doctype
        try:
            parser.Parse(text.encode(), True)
        except expat.ExpatError as error:
            raise Refused(DOCUMENT_PARSE_FAILURE, f"not well-formed XML: {error}") from None
        if self._root is None:
            raise Refused(DOCUMENT_PARSE_FAILURE, "the document is empty")
        return self._root

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._open.append((name, attributes, [], []))

    def _characters(self, text: str) -> None:
        self._open[-1][3].append(text)

    def _end(self, _name: str) -> None:
        name, attributes, children, texts = self._open.pop()
        verb = Verb(name, attributes, tuple(children), " ".join("".join(texts).split()))
        if self._open:
            self._open[-1][2].append(verb)
            if name in SPOKEN_INSIDE and verb.text:
                self._open[-1][3].append(f" {verb.text} ")
        else:
            self._root = verb

    def _doctype(self, *_: object) -> None:
        raise Refused(DOCUMENT_PARSE_FAILURE, "a document type is not allowed")


SPOKEN_INSIDE = ELEMENTS["Say"].children


def _check(verb: Verb, parent: str | None) -> None:
    for fault in _faults(verb, parent):
        raise Refused(SCHEMA_VIOLATION, fault)
    if verb.name == "Say" and len(verb.text) > LONGEST_SPEECH:
        raise Refused(INVALID_SPEECH, "<Say> holds more than 4096 characters")
    if verb.name == "Number" and not re.fullmatch(r"\+?[0-9][0-9 ()-]{1,20}", verb.text):
        raise Refused(INVALID_NUMBER, f"{verb.text!r} is no phone number")
    for child in verb.children:
        _check(child, verb.name)


def _faults(verb: Verb, parent: str | None) -> Iterator[str]:
    element = ELEMENTS.get(verb.name)
    if element is None:
        yield f"there is no verb <{verb.name}>"
        return
    if parent is not None and verb.name not in ELEMENTS[parent].children:
        yield f"<{verb.name}> is not allowed inside <{parent}>"
    yield from _attribute_faults(verb, element)
    if element.text == "none" and verb.text:
        yield f"<{verb.name}> holds text: {verb.text[:40]!r}"
    if element.text == "must" and not verb.text:
        yield f"<{verb.name}> is empty"
    if verb.name == "Play" and not (verb.text or "digits" in verb.attributes):
        yield "<Play> has neither a URL nor digits"
    if verb.name == "Dial" and not (verb.text or verb.children):
        yield "<Dial> rings nobody"
    if verb.name == "Reject" and parent != "Response":
        yield "<Reject> must stand in <Response>"


def _attribute_faults(verb: Verb, element: Element) -> Iterator[str]:
    for name, value in verb.attributes.items():
        kind = element.attributes.get(name)
        if kind is None:
            yield f"<{verb.name}> has no attribute {name}"
        elif not kind.allows(value):
            yield f"<{verb.name} {name}={value!r}> should be {kind.words}"
    for name in sorted(element.required - set(verb.attributes)):
        yield f"<{verb.name}> needs {name}"
