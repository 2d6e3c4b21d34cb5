"""What Twilio's parameters say about a call. Any text may stand in any of them."""

import re
from dataclasses import dataclass

from callflow.call import Stage
from callflow.events import (
    BridgeEnded,
    CallNotTaken,
    Event,
    KeysPressed,
    NothingHeard,
    SoundHeard,
)
from callflow.keys import read_keys
from callflow.lines import E164

_WORDS = ("", "anonymous", "unknown", "restricted", "unavailable", "private")
_SENTINELS = ("+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253")
WITHHELD = frozenset((*_WORDS, *_SENTINELS))
"""What stands in ``From`` when the number is withheld; the sentinels spell the words in keys."""
OVER = frozenset(("completed", "busy", "failed", "no-answer", "canceled"))
"""Call statuses after which nothing more comes."""
LONGEST_WORDS = 2000
"""Characters of speech kept; a note, however long somebody talked."""
_SID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_SHORT = 64


@dataclass(frozen=True, slots=True)
class Caller:
    """Who rings, as far as the network says. ``number`` is E.164 or None."""

    number: str | None
    withheld: bool


def caller(params: dict[str, str]) -> Caller:
    """Read ``From``: a number, withheld, or something that is neither."""
    given = params.get("From", "").strip()
    if given.lower() in WITHHELD:
        return Caller(None, withheld=True)
    return Caller(given if E164.match(given) else None, withheld=False)


def call_sid(params: dict[str, str]) -> str | None:
    """Return the call's identifier, or None when it is missing or no identifier at all."""
    given = params.get("CallSid", "")
    return given if _SID.match(given) else None


def account(params: dict[str, str]) -> str:
    """Return the account, cut to a sane length."""
    return params.get("AccountSid", "")[:_SHORT]


def happened(stage: Stage, params: dict[str, str]) -> Event:
    """Return what happened during the document that was playing."""
    if params.get("Digits"):
        return KeysPressed(keys(params))
    if params.get("SpeechResult", "").strip():
        return SoundHeard()
    if stage is Stage.BRIDGED:
        return BridgeEnded()
    if stage is Stage.REACH and params.get("DialCallStatus"):
        return BridgeEnded() if _joined(params) else CallNotTaken()
    return NothingHeard()


def _joined(params: dict[str, str]) -> bool:
    """Say whether whoever was rung was joined to the caller: pressing no 1 is no joining.

    Twilio calls a side that answered and was hung up on "completed" (?): what it says of the bridge
    itself counts first.
    """
    bridged = params.get("DialBridged")
    if bridged in ("true", "false"):
        return bridged == "true"
    return params.get("DialCallStatus") in ("completed", "answered")


def over(params: dict[str, str]) -> bool:
    """Say whether the call of this request is over: nobody hears what we answer."""
    return params.get("CallStatus") in OVER


def keys(params: dict[str, str]) -> str:
    """Return the keys pressed; empty where there are none we know."""
    return read_keys(params.get("Digits", ""))


def outbound(params: dict[str, str]) -> bool:
    """Say whether this is a call we placed, to somebody of ours."""
    return params.get("Direction", "").startswith("outbound")


def words(params: dict[str, str]) -> dict[str, object]:
    """Return what was heard, verbatim as a note, and how sure the recogniser was."""
    heard: dict[str, object] = {"words": params.get("SpeechResult", "").strip()[:LONGEST_WORDS]}
    try:
        confidence = float(params.get("Confidence", ""))
    except ValueError:
        return heard
    if 0 <= confidence <= 1:
        heard["confidence"] = confidence
    return heard


def short(params: dict[str, str], name: str) -> str:
    """Return a parameter cut to a sane length."""
    return params.get(name, "")[:_SHORT]


def number(params: dict[str, str], name: str) -> int | None:
    """Return a parameter as a whole number of sane size, or None."""
    given = params.get(name, "")
    if given.isascii() and given.isdigit() and len(given) < 10:
        return int(given)
    return None
