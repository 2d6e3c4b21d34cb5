"""The table of TwiML: which verbs exist, what each may hold, and which values are allowed.

Written from Twilio's documentation, on purpose apart from the product's own table: two tables
written from one source catch each other's mistakes. Twilio only warns about some of these
faults and then leaves the verb out; here all are refused, because a verb left out is a caller
who hears nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Check = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Value:
    """The kind of value an attribute takes, in words for the one who got it wrong."""

    words: str
    allows: Check


@dataclass(frozen=True, slots=True)
class Element:
    """What one element may carry. ``text`` is none, some (optional) or must."""

    attributes: Mapping[str, Value]
    children: frozenset[str] = frozenset()
    text: str = "none"
    required: frozenset[str] = field(default_factory=frozenset)


def _pattern(words: str, pattern: str) -> Value:
    compiled = re.compile(pattern)
    return Value(words, lambda value: compiled.fullmatch(value) is not None)


def _one_of(*values: str) -> Value:
    return Value(" or ".join(values), lambda value: value in values)


def _whole(least: int, most: int) -> Value:
    def allows(value: str) -> bool:
        return value.isascii() and value.isdigit() and least <= int(value) <= most

    return Value(f"a whole number from {least} to {most}", allows)


def _some_of(*values: str) -> Value:
    return Value(
        "some of " + ", ".join(values),
        lambda value: bool(value) and set(value.split()) <= set(values),
    )


# Twilio takes true and false; Python's str(True) is "True", the commonest slip of its users.
BOOLEAN = _one_of("true", "false")
METHOD = _one_of("GET", "POST")
URL = Value(
    "a URL, absolute or relative", lambda value: bool(value) and not re.search(r"\s", value)
)
URL_OR_NONE = Value("a URL or empty", lambda value: not re.search(r"\s", value))
LANGUAGE = _pattern("a language tag such as en-GB", r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
VOICE = _pattern("a voice such as Polly.Amy", r"(man|woman|alice|[A-Z][A-Za-z]+\.[A-Za-z0-9-]+)")
TIMEOUT = _whole(1, 14_400)
KEYS = _pattern("keys 0-9, # and *, or empty", r"[0-9#*]*")
WORDS = Value("words", lambda value: True)
NAME = Value("a name", lambda value: bool(value.strip()))
SPEECH_TIMEOUT = Value(
    "a whole number of seconds or auto", lambda value: value == "auto" or TIMEOUT.allows(value)
)
BEEP = _one_of("true", "false", "onEnter", "onExit")
RECORD = _pattern("a kind of recording", r"(do-not-record|true|false|record-from-[a-z-]+)")
CALLER_ID = _pattern("a phone number", r"(\+[0-9]{5,15}|client:.+|sip:.+)")
_CALL_EVENTS = _some_of("initiated", "ringing", "answered", "completed")
_ROOM_EVENTS = _some_of(
    "start", "end", "join", "leave", "mute", "hold", "modify", "speaker", "announcement"
)

_CALLBACK = {
    "statusCallback": URL,
    "statusCallbackMethod": METHOD,
    "statusCallbackEvent": _CALL_EVENTS,
}
_WHISPER = {"url": URL, "method": METHOD, **_CALLBACK}
VERBS = (
    "Say", "Play", "Pause", "Redirect", "Gather", "Dial", "Hangup",
    "Reject", "Enqueue", "Leave", "Start", "Stop", "Connect",
)  # fmt: skip
_SPOKEN = frozenset({"Say", "Play", "Pause"})
_SSML = frozenset(
    {"break", "emphasis", "lang", "p", "phoneme", "prosody", "s", "say-as", "sub", "w"}
)

ELEMENTS: Mapping[str, Element] = {
    "Response": Element(
        {},
        frozenset(VERBS),
    ),
    "Say": Element(
        {"voice": VOICE, "language": LANGUAGE, "loop": _whole(0, 1000)}, _SSML, text="must"
    ),
    "Play": Element(
        {"loop": _whole(0, 1000), "digits": _pattern("keys or w", r"[0-9#*wW]+")}, text="some"
    ),
    "Pause": Element({"length": _whole(1, 14_400)}),
    "Redirect": Element({"method": METHOD}, text="must"),
    "Hangup": Element({}),
    "Reject": Element({"reason": _one_of("rejected", "busy")}),
    "Leave": Element({}),
    # Twilio: "Gather (children Say, Play, Pause only)", timeout "in whole seconds". Without an
    # action the keys go to the document's own URL: with us that is always a mistake, "Gather with
    # no action" stands among the bugs others shipped, so the action is required here.
    "Gather": Element(
        {
            "action": URL,
            "method": METHOD,
            "input": _some_of("dtmf", "speech"),
            "timeout": TIMEOUT,
            "numDigits": _whole(1, 128),
            "finishOnKey": _pattern("one key or empty", r"[0-9#*]?"),
            "actionOnEmptyResult": BOOLEAN,
            "bargeIn": BOOLEAN,
            "speechTimeout": SPEECH_TIMEOUT,
            "maxSpeechTime": _whole(1, 60),
            "speechModel": NAME,
            "language": LANGUAGE,
            "hints": WORDS,
            "profanityFilter": BOOLEAN,
            "enhanced": BOOLEAN,
            "dtmfDetection": NAME,
            "partialResultCallback": URL,
            "partialResultCallbackMethod": METHOD,
        },
        _SPOKEN,
        required=frozenset({"action"}),
    ),
    "Dial": Element(
        {
            "action": URL,
            "method": METHOD,
            "timeout": _whole(1, 600),
            "hangupOnStar": BOOLEAN,
            "timeLimit": _whole(1, 86_400),
            "callerId": CALLER_ID,
            "record": RECORD,
            "trim": _one_of("trim-silence", "do-not-trim"),
            "answerOnBridge": BOOLEAN,
            "ringTone": _pattern("a country code", r"[a-z]{2}(-old|-tel)?"),
            "sequential": BOOLEAN,
            "recordingStatusCallback": URL,
            "recordingStatusCallbackMethod": METHOD,
        },
        frozenset({"Number", "Sip", "Client", "Conference"}),
        text="some",
    ),
    "Number": Element(
        {
            **_WHISPER,
            "sendDigits": _pattern("keys or w", r"[0-9#*wW]+"),
            "machineDetection": _one_of("Enable", "DetectMessageEnd"),
            "machineDetectionTimeout": _whole(3, 60),
            "amdStatusCallback": URL,
            "amdStatusCallbackMethod": METHOD,
        },
        text="must",
    ),
    "Sip": Element({**_WHISPER, "username": NAME, "password": NAME}, text="must"),
    "Client": Element(dict(_WHISPER), frozenset({"Identity", "Parameter"}), text="some"),
    "Conference": Element(
        {
            "muted": BOOLEAN,
            "beep": BEEP,
            "startConferenceOnEnter": BOOLEAN,
            "endConferenceOnExit": BOOLEAN,
            "participantLabel": NAME,
            "maxParticipants": _whole(2, 250),
            "waitUrl": URL_OR_NONE,
            "waitMethod": METHOD,
            "record": _one_of("do-not-record", "record-from-start"),
            "coach": NAME,
            "statusCallback": URL,
            "statusCallbackMethod": METHOD,
            "statusCallbackEvent": _ROOM_EVENTS,
        },
        text="must",
    ),
    "Enqueue": Element(
        {
            "action": URL,
            "method": METHOD,
            "waitUrl": URL_OR_NONE,
            "waitUrlMethod": METHOD,
            "maxQueueSize": _whole(1, 5000),
        },
        text="some",
    ),
    "Start": Element({"action": URL, "method": METHOD}, frozenset({"Stream"})),
    "Stop": Element({}, frozenset({"Stream"})),
    "Connect": Element({"action": URL, "method": METHOD}, frozenset({"Stream"})),
    "Stream": Element(
        {
            "name": NAME,
            "url": _pattern("a wss URL", r"wss?://\S+"),
            "track": _one_of("inbound_track", "outbound_track", "both_tracks"),
            "statusCallback": URL,
            "statusCallbackMethod": METHOD,
        },
        frozenset({"Parameter"}),
    ),
    "Parameter": Element({"name": NAME, "value": WORDS}, required=frozenset({"name", "value"})),
    "Identity": Element({}, text="must"),
    "break": Element({"strength": NAME, "time": NAME}),
    "emphasis": Element({"level": NAME}, _SSML, text="some"),
    "lang": Element({"xml:lang": LANGUAGE}, _SSML, text="some"),
    "p": Element({}, _SSML, text="some"),
    "phoneme": Element({"alphabet": NAME, "ph": NAME}, text="some"),
    "prosody": Element({"volume": NAME, "rate": NAME, "pitch": NAME}, _SSML, text="some"),
    "s": Element({}, _SSML, text="some"),
    "say-as": Element({"interpret-as": NAME, "format": NAME}, text="some"),
    "sub": Element({"alias": NAME}, text="some"),
    "w": Element({"role": NAME}, text="some"),
}
