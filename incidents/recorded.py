"""One recorded event: what the journal, the store and the feed all hold.

A key is made from the account, the call, the step (or order) and a keyed digest
of the content. A retried webhook therefore makes the same key however often it
comes, and a retried 5 can never become 55.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from incidents.sealed import Keys

_THOUSAND = 1000
_1970 = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event of one call.

    ``key``: unique. ``call_key``: keyed hash of account and call. ``step``: number of the document
    it answers. ``at``: when it reached us, UTC, whole milliseconds. ``month``: month of the call's
    start. ``data``: what was sent and what we decided, in the clear only in memory.
    """

    key: str
    call_key: str
    call_sid: str
    month: str
    step: int
    kind: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sealed:
    """The same event as it stands on a disk."""

    key: str
    call_key: str
    call_sid: str
    month: str
    step: int
    kind: str
    at_ms: int
    data: bytes


def call_key(keys: Keys, account: str, call_sid: str) -> str:
    """Return the name by which a call is known inside: account and call, hashed."""
    return keys.look_up(f"call|{len(account)}|{account}|{call_sid}")


def event_key(keys: Keys, call: str, step: int | str, kind: str, content: str) -> str:
    """Return the key of an event of ``call``: same step, kind and content, same key."""
    return keys.look_up(f"event|{call}|{step}|{kind}|{content}")


def seal(event: Recorded, keys: Keys) -> Sealed:
    """Encrypt an event for a disk."""
    plain = json.dumps(event.data, separators=(",", ":")).encode()
    return Sealed(
        event.key,
        event.call_key,
        event.call_sid,
        event.month,
        event.step,
        event.kind,
        milliseconds(event.at),
        keys.seal(plain, _place(event.key)),
    )


def unseal(sealed: Sealed, keys: Keys) -> Recorded:
    """Decrypt an event from a disk. Raises ``sealed.CannotOpen``, or ``ValueError``."""
    data = json.loads(keys.open(sealed.data, _place(sealed.key)))
    if not isinstance(data, dict):
        raise ValueError("an event's data must be an object")
    at = from_milliseconds(sealed.at_ms)
    return Recorded(
        sealed.key,
        sealed.call_key,
        sealed.call_sid,
        sealed.month,
        sealed.step,
        sealed.kind,
        at,
        data,
    )


def earlier(one: Recorded, other: Recorded) -> Recorded:
    """Join two deliveries of one event: of two times the earlier counts.

    A retry may have been decided otherwise, because the clock went on; what was decided first
    stands, whichever of the two is met first.
    """
    return min(one, other, key=_moment)


def _moment(event: Recorded) -> tuple[datetime, int, str]:
    return event.at, event.step, json.dumps(event.data, sort_keys=True)


def milliseconds(at: datetime) -> int:
    """Whole milliseconds since 1970, rounded down. In whole numbers: a float may lose one."""
    return (at - _1970) // _MILLISECOND


def from_milliseconds(at_ms: int) -> datetime:
    """The moment ``at_ms`` milliseconds after 1970, aware UTC."""
    seconds, rest = divmod(at_ms, _THOUSAND)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * _THOUSAND)


def as_text(at: datetime | None) -> str | None:
    """Write a moment as ``2026-12-22T18:03:11.042Z``, or None."""
    if at is None:
        return None
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _place(key: str) -> str:
    return f"events|{key}|data"
