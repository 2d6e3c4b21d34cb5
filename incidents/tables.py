"""The store's tables. Alembic's first migration makes exactly these.

Handlers' columns of ``incidents`` and the fold's are apart: the drain writes only
the fold's. Nothing about a person stands here in the clear (see ``sealed``).
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)

KEY = 40
"""Hex digits of a keyed hash."""
ID = 36
"""Characters of a UUID."""
WORD = 40
NAME = 200


class Moment(TypeDecorator[datetime]):
    """An aware UTC moment. SQLite keeps no zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse a naive moment: it could be anyone's local time."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs its zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[str]:
    return Column("id", String(ID), primary_key=True)


def _moment(name: str, *, needed: bool = True) -> Column[datetime]:
    return Column(name, Moment(), nullable=not needed)


FULL_TEXT = "searchable_fts"
"""What finds ``searchable.words``: an FTS5 table on SQLite, an index on PostgreSQL. Each is its
database's own, so the migration makes it and the tables here do not describe it."""


def described(_item: object, name: str | None, *_: object) -> bool:
    """Say whether the tables here describe what a database has, as Alembic asks it."""
    return not (name or "").startswith(FULL_TEXT)


events = Table(
    "events",
    metadata,
    _id(),
    Column("key", String(KEY), nullable=False, unique=True),
    Column("call_key", String(KEY), nullable=False, index=True),
    Column("call_sid", String(NAME), nullable=False),
    Column("month", String(7), nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", String(WORD), nullable=False),
    Column("data", LargeBinary, nullable=False),
)

numbers = Table(
    "numbers",
    metadata,
    _id(),
    Column("number", LargeBinary, nullable=False),
    Column("look_up", String(KEY), nullable=False, unique=True),
)

incidents = Table(
    "incidents",
    metadata,
    Column("call_key", String(KEY), primary_key=True),
    Column("reference", String(16), nullable=False, index=True),
    Column("call_sid", String(NAME), nullable=False, index=True),
    Column("month", String(7), nullable=False),
    Column("line", String(WORD), nullable=False),
    Column("profile", String(WORD), nullable=False),
    Column("purpose", String(WORD), nullable=False),
    Column("number_id", String(ID), ForeignKey("numbers.id"), nullable=True),
    Column("withheld", Boolean, nullable=False),
    Column("signal", String(WORD), nullable=False),
    Column("keys", Text, nullable=False),
    Column("urgency", SmallInteger, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("line_state", String(WORD), nullable=False),
    Column("connection", String(WORD), nullable=False),
    _moment("started_at"),
    _moment("signal_at", needed=False),
    _moment("ended_at", needed=False),
    # The line we answered, the language it is in now, who the caller is joined to:
    Column("called", String(WORD)),
    Column("language", String(WORD)),
    Column("bridged", String(NAME)),
    # The number of the latest document, and the latest thing that asks for a handler:
    Column("last_step", BigInteger, nullable=False, server_default="0"),
    _moment("alerted_at", needed=False),
    Column("answers", LargeBinary),
    # Written by handlers and by the engine's ladder, never by the drain:
    Column("handler", String(NAME)),
    Column("grade", String(WORD)),
    Column("outcome", String(WORD)),
    _moment("claimed_at", needed=False),
    _moment("closed_at", needed=False),
    _moment("graded_at", needed=False),
    # An urgency a person set, when, and whether it was raised or lowered by that:
    Column("set_urgency", SmallInteger),
    _moment("set_urgency_at", needed=False),
    # Since when the handler's screen has been silent, and how loud the ladder is:
    _moment("away_at", needed=False),
    Column("rung", SmallInteger),
    # Of the fold: people the caller may be, officers to be told, the grade a marker proposes,
    # what was chosen from a menu:
    Column("people", JSON(none_as_null=True)),
    Column("contacts", JSON(none_as_null=True)),
    Column("proposed_grade", String(WORD)),
    Column("chosen", String(WORD)),
    # Grows with every change of the row, so that a reader sees each change once:
    Column("revision", BigInteger, nullable=False, index=True),
    Index("ix_incidents_started_at_call_key", "started_at", "call_key"),
    Index("ix_incidents_number_id_started_at", "number_id", "started_at"),
    Index("ix_incidents_line_state_started_at", "line_state", "started_at"),
    # What somebody holds: asked before anybody is signed out.
    Index("ix_incidents_handler_closed_at", "handler", "closed_at"),
)

timeline = Table(
    "timeline",
    metadata,
    _id(),
    Column("call_key", String(KEY), nullable=False, index=True),
    _moment("at"),
    Column("kind", String(WORD), nullable=False),
    Column("data", LargeBinary, nullable=False),
)

people = Table(
    "people",
    metadata,
    _id(),
    Column("name", LargeBinary, nullable=False),
    Column("look_up", String(KEY), nullable=False, index=True),
    Column("facts", LargeBinary, nullable=False),
    _moment("created_at"),
    _moment("erased_at", needed=False),
    Column("created_by", String(NAME)),
    # Keyed hash of the personal code they may type on any phone:
    Column("code", String(KEY), unique=True),
    # Since when they are known as a repeat victim; empty: they are not.
    _moment("repeat_at", needed=False),
    # Another row that stands for the same person; empty again when the merge is undone.
    Column("merged_into", String(ID), ForeignKey("people.id"), index=True),
)

person_numbers = Table(
    "person_numbers",
    metadata,
    _id(),
    Column("person_id", String(ID), ForeignKey("people.id"), nullable=False, index=True),
    Column("number_id", String(ID), ForeignKey("numbers.id"), nullable=False, index=True),
    # Whether and when it is safe to call it:
    Column("data", LargeBinary, nullable=False),
    Column("by", String(NAME), nullable=False),
    _moment("at"),
    _moment("ended_at", needed=False),
)

addresses = Table(
    "addresses",
    metadata,
    _id(),
    Column("person_id", String(ID), ForeignKey("people.id"), nullable=False, index=True),
    # Keyed hash of the address in its one form: people who share one are a household.
    Column("look_up", String(KEY), nullable=False, index=True),
    Column("address", LargeBinary, nullable=False),
    Column("by", String(NAME), nullable=False),
    _moment("at"),
    _moment("ended_at", needed=False),
)

parts = Table(
    "parts",
    metadata,
    _id(),
    Column("call_key", String(KEY), ForeignKey("incidents.call_key"), nullable=False, index=True),
    Column("person_id", String(ID), ForeignKey("people.id"), nullable=False, index=True),
    # victim, suspect, witness or caller; confirmed or refused by a person.
    Column("part", String(WORD), nullable=False),
    Column("state", String(WORD), nullable=False),
    Column("by", String(NAME), nullable=False),
    _moment("at"),
    _moment("ended_at", needed=False),
)

merges = Table(
    "merges",
    metadata,
    _id(),
    Column("kept_id", String(ID), ForeignKey("people.id"), nullable=False, index=True),
    Column("merged_id", String(ID), ForeignKey("people.id"), nullable=False, index=True),
    Column("by", String(NAME), nullable=False),
    Column("reason", LargeBinary, nullable=False),
    _moment("at"),
    _moment("undone_at", needed=False),
    Column("undone_by", String(NAME)),
)

markers = Table(
    "markers",
    metadata,
    _id(),
    Column("person_id", String(ID), ForeignKey("people.id")),
    Column("number_id", String(ID), ForeignKey("numbers.id")),
    Column("kind", String(WORD), nullable=False),
    Column("action", LargeBinary, nullable=False),
    Column("owner", String(NAME), nullable=False),
    _moment("created_at"),
    _moment("expires_at"),
    _moment("ended_at", needed=False),
    Column("created_by", String(NAME)),
    Column("ended_by", String(NAME)),
    # Keyed hash of an address, as in ``addresses``:
    Column("address", String(KEY), index=True),
    Index("ix_markers_person_id", "person_id"),
    Index("ix_markers_number_id", "number_id"),
)

contacts = Table(
    "contacts",
    metadata,
    _id(),
    Column("person_id", String(ID), ForeignKey("people.id"), nullable=False, index=True),
    Column("user_id", String(ID), ForeignKey("users.id"), nullable=False),
    # spoc or deputy.
    Column("part", String(WORD), nullable=False),
    Column("from_day", Date, nullable=False),
    Column("to_day", Date),
    Column("by", String(NAME)),
    _moment("at", needed=False),
    Column("reason", LargeBinary),
    Index("ix_contacts_user_id", "user_id"),
)

absences = Table(
    "absences",
    metadata,
    _id(),
    Column("user_id", String(ID), ForeignKey("users.id"), nullable=False, index=True),
    Column("from_day", Date, nullable=False),
    Column("to_day", Date, nullable=False),
    # Who stands in; empty: the deputies do.
    Column("cover_id", String(ID), ForeignKey("users.id")),
    Column("by", String(NAME), nullable=False),
    _moment("at"),
    _moment("ended_at", needed=False),
)

callbacks = Table(
    "callbacks",
    metadata,
    _id(),
    Column("person_id", String(ID), ForeignKey("people.id"), nullable=False, index=True),
    Column("number_id", String(ID), ForeignKey("numbers.id"), nullable=False),
    Column("call_key", String(KEY), ForeignKey("incidents.call_key")),
    Column("by", String(NAME), nullable=False),
    Column("state", String(WORD), nullable=False),
    Column("outcome", String(WORD)),
    # Why a supervisor has it called although it is not marked safe now; and notes:
    Column("data", LargeBinary, nullable=False),
    _moment("at"),
    _moment("ended_at", needed=False),
)

operations = Table(
    "operations",
    metadata,
    _id(),
    Column("name", String(NAME), nullable=False, unique=True),
    Column("from_day", Date, nullable=False),
    Column("to_day", Date, nullable=False),
    # Area, rules, baseline, aims:
    Column("scope", JSON, nullable=False),
    Column("created_by", String(NAME)),
    _moment("created_at", needed=False),
    _moment("closed_at", needed=False),
)

in_scope = Table(
    "in_scope",
    metadata,
    _id(),
    Column("operation_id", String(ID), ForeignKey("operations.id"), nullable=False, index=True),
    Column("person_id", String(ID), ForeignKey("people.id"), nullable=False, index=True),
    # victim or offender; found by a rule, or put in by hand.
    Column("part", String(WORD), nullable=False),
    Column("how", String(WORD), nullable=False),
    Column("by", String(NAME), nullable=False),
    _moment("at"),
    _moment("removed_at", needed=False),
    Column("removed_by", String(NAME)),
)

follow_ups = Table(
    "follow_ups",
    metadata,
    _id(),
    Column("kind", String(WORD), nullable=False),
    Column("call_key", String(KEY), ForeignKey("incidents.call_key")),
    Column("person_id", String(ID), ForeignKey("people.id")),
    Column("operation_id", String(ID), ForeignKey("operations.id")),
    Column("owner_id", String(ID), ForeignKey("users.id")),
    _moment("due_at"),
    _moment("closed_at", needed=False),
    Column("outcome", String(WORD)),
    Column("data", LargeBinary, nullable=False),
    Column("created_by", String(NAME)),
    _moment("created_at", needed=False),
    Column("closed_by", String(NAME)),
    # The rule that made it, and what makes it one however often the rule is asked:
    Column("rule", String(WORD)),
    Column("once", String(KEY), unique=True),
    Index("ix_follow_ups_owner_id_closed_at", "owner_id", "closed_at"),
    Index("ix_follow_ups_closed_at_due_at", "closed_at", "due_at"),
    Index("ix_follow_ups_person_id", "person_id"),
    Index("ix_follow_ups_call_key", "call_key"),
    Index("ix_follow_ups_operation_id", "operation_id"),
)

reviews = Table(
    "reviews",
    metadata,
    _id(),
    Column("call_key", String(KEY), ForeignKey("incidents.call_key"), nullable=False, index=True),
    Column("by", String(NAME), nullable=False),
    Column("decision", String(WORD), nullable=False),
    _moment("at"),
    # Whether a specialist is asked to look at it as well, and what they found.
    Column("sampled", Boolean, nullable=False),
    Column("second_by", String(NAME)),
    Column("second_decision", String(WORD)),
    _moment("second_at", needed=False),
    Column("data", LargeBinary),
    Index("ix_reviews_sampled_second_at", "sampled", "second_at"),
)

searchable = Table(
    "searchable",
    metadata,
    # In the order of writing, so that the newest come first without sorting:
    Column("number", Integer, primary_key=True),
    # entry, person or address, and the id of its row:
    Column("kind", String(WORD), nullable=False),
    Column("row", String(ID), nullable=False, unique=True),
    Column("call_key", String(KEY), index=True),
    Column("person_id", String(ID), index=True),
    _moment("at"),
    # Keyed hashes of its words, in order, with a space between. FULL_TEXT finds them.
    Column("words", Text, nullable=False),
    # The newest of a kind, however many of another were written since.
    *(
        Index(name, "number", sqlite_where=text(kind), postgresql_where=text(kind))
        for name, kind in (
            ("ix_searchable_newest_entries", "kind = 'entry'"),
            ("ix_searchable_newest_people", "kind IN ('person', 'address')"),
        )
    ),
)

# Planned in the first tables and empty: which services a call may be joined to is policy, read from
# config/services.toml with its sources and review dates (decision 0027).
services = Table(
    "services",
    metadata,
    Column("id", String(WORD), primary_key=True),
    Column("name", String(NAME), nullable=False),
    Column("contact", String(NAME), nullable=False),
    Column("source", Text, nullable=False),
    Column("checked", Date, nullable=False),
    Column("review", Date, nullable=False),
)

users = Table(
    "users",
    metadata,
    _id(),
    Column("name", String(NAME), nullable=False, unique=True),
    Column("role", String(WORD), nullable=False),
    Column("password_hash", Text, nullable=False),
    _moment("created_at"),
    _moment("disabled_at", needed=False),
    # The second factor, and the number of the last code that was used:
    Column("totp", LargeBinary),
    Column("totp_step", BigInteger),
    # A phone of the service's own, on which this person may be rung:
    Column("phone", LargeBinary),
    # Local hours, such as 07:00-19:00; empty: at any hour.
    Column("shift", String(11)),
    Column("invitation", String(64), unique=True),
    _moment("invited_until", needed=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("user_id", String(ID), ForeignKey("users.id"), nullable=False, index=True),
    _moment("created_at"),
    _moment("seen_at"),
    _moment("ended_at", needed=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(NAME), nullable=False, unique=True),
    Column("user_id", String(ID), ForeignKey("users.id")),
    Column("role", String(WORD), nullable=False),
    _moment("created_at"),
    _moment("ended_at", needed=False),
)

presence = Table(
    "presence",
    metadata,
    Column("name", String(NAME), primary_key=True),
    Column("role", String(WORD), nullable=False),
    _moment("heard_at"),
    # When a live feed of this person was last heard from; empty: there was none.
    _moment("feed_at", needed=False),
)

orders = Table(
    "orders",
    metadata,
    _id(),
    Column("call_key", String(KEY), nullable=False, index=True),
    # Who gave it: a person's name, or "ladder".
    Column("by", String(NAME), nullable=False),
    Column("what", String(WORD), nullable=False),
    Column("step", BigInteger, nullable=False),
    # What makes it one order however often it is given: the ladder names its rungs here.
    Column("once", String(KEY), nullable=False, unique=True),
    Column("data", LargeBinary, nullable=False),
    Column("state", String(WORD), nullable=False),
    Column("tries", SmallInteger, nullable=False),
    Column("problem", Text),
    _moment("at"),
    _moment("done_at", needed=False),
    Index("ix_orders_state_at", "state", "at"),
)

requests = Table(
    "requests",
    metadata,
    # Keyed hash of who asked and their Idempotency-Key.
    Column("id", String(KEY), primary_key=True),
    Column("content", String(KEY), nullable=False),
    _moment("at"),
)

proposals = Table(
    "proposals",
    metadata,
    # The timeline entry that proposed it.
    _id(),
    Column("call_key", String(KEY), nullable=False, index=True),
    Column("by", String(NAME), nullable=False),
    Column("what", String(WORD), nullable=False),
    Column("value", String(WORD), nullable=False),
    _moment("at"),
    _moment("decided_at", needed=False),
    Column("decided_by", String(NAME)),
)

handovers = Table(
    "handovers",
    metadata,
    _id(),
    Column("by", String(NAME), nullable=False),
    Column("text", LargeBinary, nullable=False),
    _moment("at"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("call_key", String(KEY), primary_key=True),
    Column("rung", SmallInteger, nullable=False),
    Column("round", Integer, nullable=False),
    _moment("due_at"),
    # Never set: one engine at a time holds the lock, and the transactions decide (decision 0018).
    Column("lease", String(NAME)),
    _moment("leased_until", needed=False),
    # One climb: its name, why it began, and when, by the clock that nobody can set.
    Column("climb", String(ID), nullable=False, server_default=""),
    Column("why", String(WORD), nullable=False, server_default="waiting"),
    Column("boot", String(ID), nullable=False, server_default=""),
    Column("began_ms", BigInteger, nullable=False, server_default="0"),
)

rungs = Table(
    "rungs",
    metadata,
    # Keyed hash of climb, round and rung: a rung fired twice is one row.
    Column("id", String(KEY), primary_key=True),
    Column("call_key", String(KEY), nullable=False, index=True),
    Column("climb", String(ID), nullable=False),
    Column("round", Integer, nullable=False),
    Column("rung", SmallInteger, nullable=False),
    Column("name", String(WORD), nullable=False),
    _moment("at"),
)

audit = Table(
    "audit",
    metadata,
    _id(),
    # The place in the chain, from 1 without a gap.
    Column("number", BigInteger, nullable=False, unique=True),
    _moment("at"),
    Column("actor", String(NAME), nullable=False),
    Column("operation", String(WORD), nullable=False),
    Column("what", String(NAME), nullable=False),
    Column("record", String(NAME), nullable=False),
    Column("reason", LargeBinary),
    Column("previous", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False, unique=True),
    Index("ix_audit_at", "at"),
    Index("ix_audit_actor_at", "actor", "at"),
    Index("ix_audit_record_at", "record", "at"),
)

drained = Table(
    "drained",
    metadata,
    Column("segment", String(WORD), primary_key=True),
    Column("position", BigInteger, nullable=False),
)

set_aside = Table(
    "set_aside",
    metadata,
    Column("key", String(KEY), primary_key=True),
    Column("segment", String(WORD), nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("problem", Text, nullable=False),
    _moment("at"),
)
