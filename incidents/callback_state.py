"""One call-back as it stands on record: its states, what is sealed of it, how it is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, select

from incidents.numbers import number_in
from incidents.sealed import Keys
from incidents.tables import callbacks, numbers

State = Literal["asked", "started", "failed", "finished"]
ASKED: Final = "asked"
"""Asked for, and not confirmed: nobody was rung."""
STARTED: Final = "started"
"""Confirmed: the officer's phone is rung, or was. Without a result it stands on their day."""
FAILED: Final = "failed"
"""The officer's phone could not be rung, so nobody was."""
FINISHED: Final = "finished"
STEPS: Final = (
    "callback_taken",
    "callback_not_taken",
    "callback_answered",
    "callback_machine",
    "callback_ended",
)
"""What the phone side tells of a call-back: the officer pressed 1, or did not; the person's phone
was picked up; by a machine; the call ended."""


class NoSuchCallBack(LookupError):
    """No call-back has this id."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is sealed of a call-back.

    ``token``: what the confirmation must show. ``override``: why a supervisor's reason was needed,
    in words, or empty; ``never``: it was a mark never to call. ``steps``: what the phone side told,
    by kind: ``at`` and more. ``confirmed_at``: since when the person has said who they are and that
    it is safe, UTC as text, or empty. ``problem``: why it failed.
    """

    token: str = ""
    reason: str = ""
    override: str = ""
    never: bool = False
    training: bool = False
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    confirmed_at: str = ""
    said: str = ""
    problem: str = ""

    def seal(self, keys: Keys, row: str) -> bytes:
        """Return it sealed for its row of ``callbacks``."""
        return keys.seal(json.dumps(asdict(self)).encode(), place_of(row))

    @classmethod
    def open(cls, keys: Keys, row: str, sealed: bytes) -> Sealed:
        """Read what ``seal`` wrote, by this release or another: fields nobody knows are left."""
        return cls.read(keys.open(sealed, place_of(row)))

    @classmethod
    def read(cls, plain: bytes) -> Sealed:
        """Read what was sealed."""
        told = json.loads(plain)
        return cls(**{name: told[name] for name in cls.__dataclass_fields__ if name in told})


@dataclass(frozen=True, slots=True)
class CallBack:
    """One call-back. ``reference``: of the call it comes from. ``outcome``: a result's id."""

    id: str
    person_id: str
    number_id: str
    number: str
    reference: str | None
    by: str
    state: str
    outcome: str | None
    at: datetime
    ended_at: datetime | None
    sealed: Sealed

    @property
    def confirmed(self) -> bool:
        """Say whether the person has said who they are and that it is safe."""
        return bool(self.sealed.confirmed_at)

    @property
    def dial_status(self) -> str:
        """Return how ringing the person ended, in Twilio's word, or an empty text."""
        return str(self.sealed.steps.get("callback_ended", {}).get("status") or "")


def row_of(connection: Connection, id_: str) -> Row[Any]:
    """Return the row of a call-back with its number. Raises ``NoSuchCallBack``."""
    row = connection.execute(rows().where(callbacks.c.id == id_)).first()
    if row is None:
        raise NoSuchCallBack(id_)
    return row


def rows() -> Any:
    """Return the query of call-backs with their numbers."""
    return select(callbacks, numbers.c.number).join(numbers, numbers.c.id == callbacks.c.number_id)


def callback_in(row: Row[Any], keys: Keys) -> CallBack:
    """Read a call-back out of a row of ``rows``."""
    return CallBack(
        id=row.id,
        person_id=row.person_id,
        number_id=row.number_id,
        number=number_in(row.number_id, row.number, keys),
        reference=keys.reference(row.call_key) if row.call_key else None,
        by=row.by,
        state=row.state,
        outcome=row.outcome,
        at=row.at,
        ended_at=row.ended_at,
        sealed=Sealed.open(keys, row.id, row.data),
    )


def place_of(row: str) -> str:
    """Return for which place the data of a row of ``callbacks`` is sealed."""
    return f"callbacks|{row}|data"
