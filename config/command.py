"""The ``doctor`` command: gathers what is seen, has it judged, and prints it.

The only module of config/ that looks at the store, and only while the command runs.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import select

from config import doctor as judge
from config import seen
from config.doctor import Finding
from config.policy import BadPolicy, load_policy
from config.settings import SETTINGS, BadSetting, load
from incidents.migrate import revisions
from incidents.roles import Roles
from incidents.tables import users
from incidents.transactions import StoreUnavailable, connect, reading

ROOT = Path(__file__).resolve().parent.parent


def examine(environ: Mapping[str, str], root: Path) -> list[Finding]:
    """Look at this installation; the doctor judges. A bad setting is all there is to say then."""
    try:
        settings = load(environ, root)
        rules = load_policy(settings)
    except (BadSetting, BadPolicy) as refused:
        return [Finding("fail", "settings", str(refused), "Correct it and ask again.")]
    journal, spare = settings.journals
    for folder in settings.journals:
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    today = datetime.now(UTC).date()
    unverified = [p.id for p in rules.profiles.values() if not p.verified_by_authority]
    return [
        judge.check_unknown_settings(environ, [setting.name for setting in SETTINGS]),
        judge.check_mode(settings.training),
        judge.check_profiles(unverified),
        judge.check_keys(settings.data / "keys", seen.mode(settings.data / "keys")),
        judge.check_disk("disk", settings.data, seen.free_bytes(settings.data)),
        judge.check_clock(seen.adjtimex(), seen.newest_ahead_seconds(settings.data)),
        judge.check_writable("journal", journal, seen.write_error(journal)),
        judge.check_writable("spare journal", spare, seen.write_error(spare)),
        judge.check_disk("spare disk", spare, seen.free_bytes(spare)),
        judge.check_spare(same_disk=seen.same_disk(journal, spare)),
        *_examine_store(settings.database_url, rules.roles),
        judge.check_console(settings.console_bind[0], settings.console_url),
        judge.check_control_room(settings.control_room),
        judge.check_services([one.id for one in rules.services.all if one.stale(today)]),
        judge.check_heartbeat(settings.heartbeat_url),
        judge.check_public_url(settings.public_url),
        judge.check_reach(settings.public_url, seen.reach_error(settings.public_url)),
        *judge.what_cannot_be_seen(),
    ]


def _examine_store(url: str, roles: Roles) -> list[Finding]:
    try:
        present, newest = revisions(url)
    except StoreUnavailable as error:
        return [judge.check_store(type(error.__cause__ or error).__name__)]
    found = [judge.check_store(None), judge.check_migrations(present, newest)]
    return found if present != newest else [*found, *judge.check_people(*_people(url, roles))]


def _people(url: str, roles: Roles) -> tuple[int, int, int]:
    """Count supervisors, those of them with a phone, and administrators."""
    engine = connect(url)
    with reading(engine) as connection:
        rows = connection.execute(
            select(users.c.role, users.c.phone.is_not(None).label("phone")).where(
                users.c.disabled_at.is_(None)
            )
        ).all()
    engine.dispose()
    supervisors = [row for row in rows if roles.may(row.role, "supervise")]
    administrators = [row for row in rows if roles.may(row.role, "users")]
    return len(supervisors), sum(bool(row.phone) for row in supervisors), len(administrators)


@click.command("doctor")
def doctor() -> None:
    """Look at this installation and say what to do about it."""
    findings = examine(os.environ, ROOT)
    for finding in findings:
        click.echo(str(finding))
    click.echo(judge.summary(findings))
    sys.exit(judge.verdict(findings))
