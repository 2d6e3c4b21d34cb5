"""A console with a real store, a real journal and a real board, and calls to put into them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from config.policy import Policy, load_policy
from config.settings import load
from console import (
    api,
    auditing,
    callbacks,
    contacts,
    figures,
    follow_ups,
    health,
    markers,
    operations,
    orders,
    people_api,
    person_codes,
    person_follow_ups,
    persons,
    reminders,
    reviewing,
    told_calls,
)
from console.doors import COOKIE, Doors
from console.operation_sheet import Sheets
from console.people import People
from console.person_page import Work as PersonWork
from console.rules import rules
from console.watch import Watch
from console.web import Site, create
from incidents.accounts import Accounts
from incidents.audit import Audit
from incidents.board import Board
from incidents.callbacks import CallBacks
from incidents.carrier import Carrier
from incidents.codes import Codes
from incidents.desk import Desk, Rules
from incidents.drain import Drain
from incidents.figures import Counting
from incidents.follow_ups import FollowUps
from incidents.lowering import Lowering
from incidents.markers import Markers
from incidents.operations import Operations
from incidents.person_files import PersonFiles
from incidents.presence import Presence
from incidents.recorded import Recorded, call_key, event_key, seal
from incidents.remembered import ASK_AGAIN_AFTER, FRESH_FOR
from incidents.reviewing import Reviewing
from incidents.sealed import Keys
from incidents.second_factor import SecondFactor
from incidents.second_look import SecondLook
from incidents.segment import Segment
from incidents.staff import Staff
from incidents.store import Store
from incidents.tail import Tail
from incidents.told_calls import ToldCalls
from incidents.visiting import Visiting
from incidents.wake import Ear
from tests.incidents.joining import joined
from tests.incidents.ladders import Calls

NOW = datetime(2026, 12, 22, 18, 3, 11, 42_000, tzinfo=UTC)
ACCOUNT = "AC" + "0" * 32
NUMBER = "+447700900123"


class Compiled(BytecodeCache):
    """The templates as compiled for one console, for the others of this run: all have the same."""

    def __init__(self) -> None:
        self._code: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template that was compiled before; jinja checks that its text is the same."""
        if bucket.key in self._code:
            bucket.bytecode_from_string(self._code[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template that was compiled now."""
        self._code[bucket.key] = bucket.bytecode_to_string()


_TEMPLATES: Final = Compiled()


@dataclass(slots=True)
class Console:
    """The Flask side of one console, over a data folder of its own and a migrated store."""

    data: Path
    url: str
    now: datetime = NOW
    training: bool = True
    keys: Keys = field(init=False)
    store: Store = field(init=False)
    board: Board = field(init=False)
    watch: Watch = field(init=False)
    audit: Audit = field(init=False)
    accounts: Accounts = field(init=False)
    staff: Staff = field(init=False)
    rules: Rules = field(init=False)
    desk: Desk = field(init=False)
    follow_ups: FollowUps = field(init=False)
    reviewing: Reviewing = field(init=False)
    second_look: SecondLook = field(init=False)
    contacts: contacts.Work = field(init=False)
    callbacks: CallBacks = field(init=False)
    markers: Markers = field(init=False)
    calls: Calls = field(init=False)
    app: Flask = field(init=False)
    _calls: itertools.count[int] = field(init=False)

    def __post_init__(self) -> None:
        self.keys = Keys(bytes(32))
        self.store = Store(self.url, self.keys)
        self.board = Board(self.store, self._folders, self.keys)
        self.watch = Watch(self.board, Ear(self.data / "wake", "console"), clock=self.clock)
        settings = load({"QUIETLINE_DATA": str(self.data)}, self.data)
        policy = load_policy(settings)
        self.audit = Audit(self.store.engine, self.keys)
        self.accounts = Accounts(self.store.engine, self.keys, policy.roles, audit=self.audit)
        doors = Doors(self.accounts, self.clock)
        self.staff = Staff(self.store.engine, self.keys, self.audit, self.accounts)
        self.rules = rules(policy, settings)
        self.desk = Desk(self.store, self.keys, self.audit, self.rules)
        self.follow_ups = FollowUps(
            self.store, self.keys, self.audit, policy.follow_ups, policy.roles
        )
        # Every call that is closed in review is looked at twice here.
        every = replace(policy.review, second_look_percent=100)
        self.reviewing = Reviewing(self.store, self.keys, self.audit, self.rules, every)
        self.second_look = SecondLook(self.store, self.keys, self.audit, self.rules, every)
        self.contacts = contacts.work(self.store, self.keys, self.audit, policy.roles)
        self.markers = Markers(self.store, self.keys, self.audit, policy.markers, policy.roles)
        self.calls = Calls()
        self.callbacks = CallBacks(
            self.store,
            self.keys,
            self.audit,
            self.calls,
            policy.callbacks,
            policy.roles,
            {"+441632960101": "non_emergency"},
            training=False,
        )
        codes = Codes(self.store, self.keys, self.audit, policy.contact.line.ask.keys)
        people = People(
            staff=self.staff,
            factor=SecondFactor(self.store.engine, self.keys, self.audit),
            presence=Presence(self.store.engine),
            desk=self.desk,
            keys=self.keys,
            address="http://localhost:8056",
            training=self.training,
        )
        carrier = Carrier(self.store, self.keys, self.calls, clock=self.clock)
        site = Site(
            self.watch,
            self.store,
            doors,
            "secret",
            False,
            True,
            False,
            people,
            self.desk,
            carrier,
            self.audit,
        )
        seasons = Operations(self.store, self.keys, self.audit)
        parts = [
            api.blueprint(self.store, self.watch, self.rules),
            orders.blueprint(orders.Work(self.desk, self.rules, carrier, self.watch, self.store)),
            health.blueprint(self.watch, self.store),
            auditing.blueprint(self.store.engine, self.keys, policy.unusual),
            figures.blueprint(
                Counting(self.store, policy.figures), policy.grades, training=self.training
            ),
            operations.blueprint(seasons, self._sheets(policy)),
            contacts.blueprint(self.contacts),
            told_calls.blueprint(ToldCalls(self.store, self.keys, self.audit)),
            follow_ups.blueprint(self.follow_ups, self.callbacks),
            person_codes.blueprint(codes),
            person_follow_ups.blueprint(self.follow_ups),
            callbacks.blueprint(self.callbacks),
            persons.blueprint(
                PersonWork.over(
                    self.store, self.keys, self.audit, Lowering(policy.markers, policy.roles)
                ),
                (
                    markers.section(self.markers),
                    contacts.SECTION,
                    person_codes.section(codes),
                    person_follow_ups.section(self.follow_ups, seasons),
                    callbacks.section(self.callbacks),
                ),
            ),
            people_api.blueprint(PersonFiles(self.store, self.keys), self.contacts.contacts),
            reviewing.blueprint(self.reviewing, self.second_look),
            reminders.blueprint(
                reminders.Reminders(self.store, self.follow_ups, self.reviewing, 30)
            ),
            markers.blueprint(self.markers, self.follow_ups),
        ]
        self.app = create(site, parts)
        self.app.jinja_env.bytecode_cache = _TEMPLATES
        self._calls = itertools.count(1)

    def _sheets(self, policy: Policy) -> Sheets:
        counting = Counting(self.store, policy.figures)
        given = (self.store, self.keys, self.audit, policy.roles, self.follow_ups)
        return Sheets(
            Visiting(*given, policy.figures), counting, policy.grades, training=self.training
        )

    def clock(self) -> datetime:
        """The time of this test, which stands still."""
        return self.now

    @property
    def _folders(self) -> tuple[Path, Path]:
        return self.data / "journal", self.data / "journal-spare"

    def call(
        self,
        keys: str = "",
        *,
        at: datetime = NOW,
        number: str | None = NUMBER,
        purpose: str = "training",
        sid: str | None = None,
        ends: bool = False,
    ) -> str:
        """Journal a call that pressed ``keys`` two seconds after it came. Returns its SID.

        ``ends``: the caller hangs up after 20 s.
        """
        sid = sid if sid is not None else f"CA{next(self._calls):032x}"
        call = call_key(self.keys, ACCOUNT, sid)
        facts: dict[str, object] = {
            "line": "emergency",
            "profile": "gb",
            "purpose": purpose,
            "number": number,
            "withheld": False,
        }
        told = [(1, "call_arrived", at, facts)]
        if keys:
            pressed = {**facts, "keys": keys, "signal": "5x2"}
            told.append((2, "keys_pressed", at + timedelta(seconds=2), pressed))
        if ends:
            told.append((3, "call_ended", at + timedelta(seconds=20), {**facts, "duration": 20}))
        recorded = [
            Recorded(
                event_key(self.keys, call, step, kind, keys),
                call,
                sid,
                f"{at:%Y-%m}",
                step,
                kind,
                when,
                data,
            )
            for step, kind, when, data in told
        ]
        # Straight into a file: the journal's own deadlines are for callers, not for busy tests.
        segment = Segment(self._folders[0])
        segment.append(seal(event, self.keys) for event in recorded)
        segment.close()
        self.refresh()
        return sid

    def close(self) -> None:
        """Let go of the store's connections."""
        self.store.engine.dispose()

    @contextmanager
    def store_away(self) -> Iterator[None]:
        """Make every new connection to the store fail for as long as the block runs."""

        def refuse(connection: Connection) -> None:
            # Back to the pool: left to the garbage collector, it may run dry meanwhile.
            connection.close()
            raise OperationalError("connect", None, ConnectionRefusedError())

        engine = self.store.engine
        event.listen(engine, "engine_connect", refuse)
        self.now += FRESH_FOR
        try:
            yield
        finally:
            event.remove(engine, "engine_connect", refuse)
            self.now += ASK_AGAIN_AFTER

    def refresh(self) -> None:
        """Let the board look at its sources once, as the live console does all the time."""
        self.watch.ask(lambda board: board.refresh(self.now))

    def drain(self) -> None:
        """Copy the journal to the store, as the engine does."""
        settings = load({"QUIETLINE_DATA": str(self.data)}, self.data)
        policy = load_policy(settings)
        tail = Tail(self._folders)
        Drain(self.store, tail, self.keys, policy.profiles, policy.markers, policy.roles).run_once()
        tail.close()
        self.refresh()

    def reference(self, sid: str) -> str:
        """The reference of a call."""
        return self.keys.reference(call_key(self.keys, ACCOUNT, sid))

    def stranger(self) -> FlaskClient:
        """A client that shows nothing."""
        return self.app.test_client()

    def program(self, name: str = "probe", *, role: str = "reader") -> FlaskClient:
        """A client that shows a token in every request."""
        client = self.app.test_client()
        token = self.accounts.add_token(name, now=self.now, role=role)
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client

    def handler(self, name: str = "anna", *, role: str = "handler") -> FlaskClient:
        """A client that shows the session cookie of somebody who signed in."""
        user = joined(self.accounts, name, role, now=self.now)
        client = self.app.test_client()
        client.set_cookie(COOKIE, self.accounts.begin_session(user, now=self.now))
        return client
