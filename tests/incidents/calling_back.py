"""A site whose officers call people back, over a real store and a Twilio written by hand."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from config.callbacks import read_callbacks
from config.roles import read_roles
from incidents.audit import Audit
from incidents.callback_policy import CallBackPolicy
from incidents.callbacks import CallBacks
from incidents.identity import uuid7
from incidents.numbers import number_row
from incidents.orders import CALL_BACK_PATH, NotCarriedOut, Order
from incidents.persons import Facts, Persons
from incidents.roles import Roles
from incidents.safe_contact import SafeContact
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import person_numbers, users
from incidents.transactions import writing
from incidents.working import Actor
from tests.incidents.making import KEYS, NOW

CONFIG: Final = Path(__file__).resolve().parents[2] / "config"
CARA: Final = Actor("cara", "contact_officer")
SUE: Final = Actor("sue", "supervisor")
PHONES: Final = {"cara": "+447700900301", "sue": "+447700900302"}
LINE: Final = "+441632960101"
THEIRS: Final = "+447700900123"
SAFE: Final = SafeContact("safe", "any time")


def policy() -> CallBackPolicy:
    """The policy as it is delivered."""
    return read_callbacks(tomllib.loads((CONFIG / "callbacks.toml").read_text("utf-8")))


def roles() -> Roles:
    """The roles as they are delivered."""
    return read_roles(tomllib.loads((CONFIG / "roles.toml").read_text("utf-8")))


@dataclass(slots=True)
class Rings:
    """Twilio, as far as ringing goes: ``rung`` holds who was rung, from which number, and where
    the document stands. ``refuses``: it rings nobody."""

    rung: list[tuple[str, str, str]] = field(default_factory=list)
    played: list[tuple[str, str]] = field(default_factory=list)
    refuses: bool = False

    def ring(self, to: str, caller_id: str, path: str) -> str:
        """Ring somebody."""
        if self.refuses:
            raise NotCarriedOut("Twilio answered 503, 4 times")
        self.rung.append((to, caller_id, path))
        return f"CA{len(self.rung):032x}"

    def play(self, call_sid: str, path: str) -> None:
        """Have a call fetch a document."""
        self.played.append((call_sid, path))

    def status(self, call_sid: str) -> str:
        """Say how a call is."""
        return "in-progress"


@dataclass(slots=True)
class Office:
    """Officers, people they know, and the call-backs of a site."""

    store: Store
    keys: Keys = KEYS
    training: bool = False
    rings: Rings = field(default_factory=Rings)
    callbacks: CallBacks = field(init=False)
    persons: Persons = field(init=False)

    def __post_init__(self) -> None:
        audit = Audit(self.store.engine, self.keys)
        self.persons = Persons(self.store, self.keys, audit)
        self.callbacks = CallBacks(
            self.store,
            self.keys,
            audit,
            self.rings,
            policy(),
            roles(),
            {LINE: "non_emergency"},
            training=self.training,
        )

    def officers(self) -> Office:
        """Have cara and sue registered, each with a phone."""
        for name, number in PHONES.items():
            self.officer(name, number)
        return self

    def officer(self, name: str, number: str | None) -> None:
        """Have somebody registered."""
        row = uuid7(NOW)
        phone = None
        if number is not None:
            phone = self.keys.seal(number.encode(), f"users|{row}|phone")
        with writing(self.store.engine) as connection:
            connection.execute(
                users.insert().values(
                    id=row,
                    name=name,
                    password_hash="",
                    role="handler",
                    created_at=NOW,
                    phone=phone,
                )
            )

    def person(
        self,
        contact: SafeContact = SAFE,
        *,
        number: str = THEIRS,
        name: str = "Ada Example",
        by: str = "anna",
        facts: Facts | None = None,
    ) -> tuple[str, str]:
        """Have a person known with a number; returns their id and the number's row."""
        person = self.persons.add(name, facts, by=by, now=NOW)
        return person, self.number(person, contact, number=number)

    def number(
        self, person: str, contact: SafeContact, *, number: str = THEIRS, at: datetime = NOW
    ) -> str:
        """Give a person a number."""
        with writing(self.store.engine) as connection:
            row, theirs = number_row(connection, self.keys, number, at), uuid7(at)
            connection.execute(
                person_numbers.insert().values(
                    id=theirs,
                    person_id=person,
                    number_id=row,
                    data=contact.sealed(self.keys, theirs),
                    by="anna",
                    at=at,
                )
            )
        return row

    def asked(self, contact: SafeContact = SAFE, *, by: Actor = CARA, reason: str = "") -> str:
        """Have a call-back asked for."""
        person, number = self.person(contact)
        return self.callbacks.ask(person, number, reason, by=by, now=NOW)

    def started(self, *, by: Actor = CARA, now: datetime = NOW) -> str:
        """Have a call-back asked for and confirmed."""
        id_ = self.asked(by=by)
        self.start(id_, by=by, now=now)
        return id_

    def start(self, id_: str, *, by: Actor = CARA, now: datetime = NOW) -> None:
        """Confirm one with its own token."""
        token = self.callbacks.one(id_).sealed.token
        self.callbacks.start(id_, token, by=by, now=now)

    def order(self) -> Order:
        """Return the only order that rang an officer."""
        ((_, _, path),) = self.rings.rung
        return Order.open(path.removeprefix(CALL_BACK_PATH), self.keys)
