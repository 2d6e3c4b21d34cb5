"""The commands of the console: users, tokens, incidents, audit, search, people and ``demo``.

Each brings the store's tables up to date first, so that it works in a data folder
that was never started. What a command makes goes to standard output and nothing
else does, so that ``TOKEN=$(flask --app app tokens add NAME)`` just works.
"""

from __future__ import annotations

import csv
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TextIO

import click
from sqlalchemy.exc import SQLAlchemyError

from config.policy import BadPolicy, Policy, load_policy, load_story
from config.settings import BadSetting, Settings, load
from console.audit_commands import OpenAudit, audit_commands
from console.cells import cell
from console.demo_commands import OpenDemo, demo_command, writers
from console.filters import PURPOSES, instant
from console.import_commands import (
    OpenImporting,
    OpenMarkers,
    import_commands,
    marker_commands,
)
from console.markers import until_of
from console.people_commands import Opened, OpenPeople, Refusing, token_commands, user_commands
from console.rules import rules
from console.search_commands import Index, search_commands
from console.words import LOCAL
from incidents.accounts import COMMAND_LINE, Accounts
from incidents.audit import Audit
from incidents.demo import Demo
from incidents.desk import Desk
from incidents.fold import Incident
from incidents.follow_ups import FollowUps
from incidents.importing import Importing
from incidents.indexing_earlier import index_earlier
from incidents.marker_import import MarkerImport
from incidents.markers import Markers
from incidents.migrate import upgrade
from incidents.sealed import Keys
from incidents.staff import Staff
from incidents.store import Store
from incidents.transactions import StoreUnavailable

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = 200

OpenStore = Callable[[], Store]


def open_store() -> Store:
    """Open the store of this site, its tables up to date. Raises ``click.ClickException``."""
    return _store(_settings())


def open_people() -> Opened:
    """Open the accounts of this site, as ``open_store`` does."""
    settings = _settings()
    policy = _policy(settings)
    store, keys = _store(settings), Keys(settings.key_material)
    audit = Audit(store.engine, keys, settings.data)
    accounts = Accounts(store.engine, keys, policy.roles, audit=audit)
    desk = Desk(store, keys, audit, rules(policy, settings))
    work = FollowUps(store, keys, audit, policy.follow_ups, policy.roles)
    return Opened(Staff(store.engine, keys, audit, accounts), desk, work)


def open_audit() -> Audit:
    """Open the audit log of this site, as ``open_store`` does."""
    settings = _settings()
    return Audit(_store(settings).engine, Keys(settings.key_material), settings.data)


def put_in_earlier() -> int:
    """Index what an older release of this site wrote; returns how many rows."""
    settings = _settings()
    return index_earlier(_store(settings), Keys(settings.key_material))


def open_importing() -> Importing:
    """Open what adds known people to this site, as ``open_store`` does."""
    settings = _settings()
    store, keys = _store(settings), Keys(settings.key_material)
    return Importing(store, keys, Audit(store.engine, keys, settings.data))


def open_markers() -> MarkerImport:
    """Open what sets markers from a file on this site, as ``open_store`` does."""
    settings = _settings()
    policy = _policy(settings)
    store, keys = _store(settings), Keys(settings.key_material)
    audit = Audit(store.engine, keys, settings.data)
    markers = Markers(store, keys, audit, policy.markers, policy.roles)
    return MarkerImport(store, keys, markers, until_of)


def _policy(settings: Settings) -> Policy:
    try:
        return load_policy(settings)
    except BadPolicy as bad:
        raise click.ClickException(str(bad)) from None


def open_demo(tell: Callable[[str], None]) -> Demo | None:
    """Open what loads the worked example, as ``open_store`` does; None outside training mode."""
    settings = _settings()
    if not settings.training:
        return None
    policy = _policy(settings)
    try:
        story = load_story()
    except BadPolicy as bad:
        raise click.ClickException(str(bad)) from None
    store, keys = _store(settings), Keys(settings.key_material)
    audit = Audit(store.engine, keys, settings.data)
    given = writers(store, keys, audit, policy, rules(policy, settings))
    return Demo(story, given, LOCAL, tell=tell)


def _settings() -> Settings:
    try:
        return load(os.environ, ROOT)
    except BadSetting as bad:
        raise click.ClickException(str(bad)) from None


def _store(settings: Settings) -> Store:
    # Alembic tells what it does at INFO; a command's output is for whoever ran it.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        upgrade(settings.database_url)
    except (SQLAlchemyError, StoreUnavailable, OSError) as trouble:
        # The driver's own text may quote the address with its password: the kind is enough.
        kind = type(getattr(trouble, "orig", None) or trouble).__name__
        raise click.ClickException(
            f"QUIETLINE_DATABASE_URL: the store cannot be used ({kind})."
        ) from None
    return Store(settings.database_url, Keys(settings.key_material))


def make(
    opened: OpenStore,
    people: OpenPeople,
    audits: OpenAudit,
    put_in: Index = put_in_earlier,
    importings: OpenImporting = open_importing,
    markers: OpenMarkers = open_markers,
    demos: OpenDemo = open_demo,
) -> tuple[click.Command, ...]:
    """Make the commands over what these open."""
    return (
        user_commands(people),
        token_commands(people),
        _incidents(opened, audits),
        audit_commands(audits),
        search_commands(put_in),
        import_commands(importings),
        marker_commands(markers),
        demo_command(demos),
    )


def _incidents(opened: OpenStore, audits: OpenAudit) -> click.Group:
    @click.group("incidents", help="The record of the calls.")
    def incidents() -> None:
        pass

    @incidents.command("export", cls=Refusing)
    @click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl")
    @click.option("--since", help="Started at this moment or later, like 2026-12-22T18:00:00Z.")
    @click.option("--until", help="Started before this moment.")
    @click.option("--purpose", type=click.Choice(PURPOSES), help="Proof calls only when asked for.")
    def export(form: str, since: str | None, until: str | None, purpose: str | None) -> None:
        """Write the incidents to standard output, newest first.

        They hold callers' numbers in the clear: send them only where the numbers may be.
        """
        wanted: dict[str, Any] = {
            "since": instant("since", since) if since else None,
            "until": instant("until", until) if until else None,
            "purpose": purpose,
        }
        now = datetime.now(UTC)
        audits().note(COMMAND_LINE, "disclosure", "exported incidents", "incidents", at=now)
        found = _every(opened(), wanted)
        if form == "csv":
            write_csv(found, sys.stdout)
        else:
            write_json_lines(found, sys.stdout)

    return incidents


def _every(store: Store, wanted: dict[str, Any]) -> Iterator[Incident]:
    cursor: str | None = None
    while True:
        page, cursor = store.incidents(**wanted, limit=PAGE, cursor=cursor)
        yield from page
        if cursor is None:
            return


def write_json_lines(found: Iterator[Incident], out: TextIO) -> None:
    """Write each incident as the contract's JSON object, one a line."""
    for incident in found:
        out.write(json.dumps(incident.as_json()) + "\n")


COLUMNS: Final = (
    *("reference", "call_sid", "line", "profile", "purpose", "number", "withheld", "signal"),
    *("keys", "urgency", "reasons", "state", "connection", "handler", "grade", "outcome"),
    *("started_at", "signal_at", "claimed_at", "ended_at", "closed_at"),
)


def write_csv(found: Iterator[Incident], out: TextIO) -> None:
    """Write each incident as a row under a header. No cell can become a formula."""
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    for incident in found:
        told = incident.as_json()
        values: dict[str, object] = {
            **told,
            "number": incident.number,
            "withheld": incident.withheld,
            "reasons": "; ".join(incident.reasons),
        }
        rows.writerow([cell(values[column]) for column in COLUMNS])


commands: Final = make(open_store, open_people, open_audit)
