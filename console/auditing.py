"""The auditors' page: who looked at what, when and why, and which looks are unusual.

It shows entries and changes none. Reading it is logged before anything is shown, and so
is every file that leaves it. What stands out is told in sentences with the entries
behind them; it judges nobody and gives no score.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from typing import Final, get_args
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine

from console import words
from console.answers import written_out
from console.audited import audited
from console.cells import cell
from console.guard import doors, for_right, holder
from incidents.audit import Operation
from incidents.audit_reading import Logged, Reading, Wanted
from incidents.sealed import Keys, is_reference
from incidents.unusual import Finding, Found, unusual
from incidents.unusual_policy import Unusual

FIELDS: Final = ("person", "record", "operation", "from", "to")
OPERATIONS: Final = get_args(Operation)
LONGEST: Final = 200
UNUSUAL_DAYS: Final = 7
"""Of how many days what stands out is told when no day is asked for."""
SHOWN_BEHIND: Final = 20
"""Entries listed under a sentence; the filter shows them all."""
REFUSED: Final = 422
_YEARS: Final = range(2000, 2101)
_COLUMNS: Final = ("number", "at", "person", "operation", "what", "record", "reason")


@dataclass(frozen=True, slots=True)
class Asked:
    """The filter as it was typed, as it was understood, and what is wrong with it by field."""

    typed: dict[str, str]
    wanted: Wanted
    refusals: dict[str, str]

    def address(self, endpoint: str, **more: object) -> str:
        """Return the address of the same filter at another page of ours."""
        kept = {name: text for name, text in self.typed.items() if text}
        told = urlencode(kept | {name: str(value) for name, value in more.items()})
        path = url_for(endpoint)
        return f"{path}?{told}" if told else path

    def in_words(self) -> str:
        """Say by what it filters; by which values is in the entries themselves."""
        by = [name for name in FIELDS if self.typed[name]]
        return f", by {', '.join(by)}" if by else ""


def blueprint(engine: Engine, keys: Keys, rules: Unusual) -> Blueprint:
    """Make the blueprint over a site's store. ``rules``: what is unusual."""
    auditing = Blueprint("auditing", __name__)
    log = Reading(engine, keys)

    @auditing.get("/audit")
    @for_right("audit")
    def page() -> ResponseReturnValue:
        """Show the log, newest first, and what stands out in it."""
        asked = read_filter()
        before = request.args.get("before", "")
        if before and not (before.isascii() and before.isdigit() and len(before) < 16):
            return redirect(asked.address("auditing.page"), 303)
        if asked.refusals:
            return _rendered(log, asked, [], None, Found((), True), REFUSED)
        audited().looked(holder(), f"read the audit log{asked.in_words()}", "audit")
        entries, following = log.page(asked.wanted, int(before) if before else None)
        found = Found((), True)
        if not before:
            now = doors().clock()
            since = asked.wanted.since or now - timedelta(days=UNUSUAL_DAYS)
            until = asked.wanted.until or now + timedelta(days=1)
            person = asked.wanted.person
            found = unusual(engine, keys, rules, since, until, zone=words.LOCAL, person=person)
        return _rendered(log, asked, entries, following, found)

    @auditing.get("/audit.csv")
    @for_right("audit")
    def table() -> ResponseReturnValue:
        """Give what the filter finds as a table for a spreadsheet."""
        asked = read_filter()
        if asked.refusals:
            return redirect(asked.address("auditing.page"), 303)
        audited().gave_out(holder(), f"exported the audit log{asked.in_words()}", "audit")
        entries = log.every(asked.wanted)
        first = list(next_of(entries))  # a store that is away is told before the answer begins
        made = Response(written(chain(first, entries)), mimetype="text/csv")
        name = f"quietline-audit-{doors().clock().astimezone(words.LOCAL):%Y-%m-%d}.csv"
        made.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return made

    return auditing


def read_filter() -> Asked:
    """Read the filter of a request."""
    typed = {name: request.args.get(name, "")[:LONGEST].strip() for name in FIELDS}
    refusals: dict[str, str] = {}
    operation = typed["operation"]
    if operation and operation not in OPERATIONS:
        refusals["operation"] = "Choose one of the six operations, or any."
    since, until = _midnight("from", typed, refusals), _midnight("to", typed, refusals, after=True)
    if since and until and until <= since:
        refusals["to"] = "The last day must not be before the first one."
    wanted = Wanted(
        person=typed["person"].casefold() or None,
        record=_record(typed["record"]),
        operation=operation or None,
        since=since,
        until=until,
    )
    return Asked(typed, wanted, refusals)


def written(entries: Iterable[Logged]) -> Iterator[str]:
    """Write the entries as CSV, piece by piece. No cell can become a formula."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(_COLUMNS)
    for entry in entries:
        told = (entry.number, words.utc(entry.at), entry.person, entry.operation)
        rows.writerow([cell(one) for one in (*told, entry.what, entry.record, entry.reason)])
        if out.tell() > 32_768:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def next_of(entries: Iterator[Logged]) -> Iterator[Logged]:
    """Yield the next entry, if there is one."""
    for entry in entries:
        yield entry
        return


def _rendered(
    log: Reading,
    asked: Asked,
    entries: list[Logged],
    following: int | None,
    found: Found,
    status: int = 200,
) -> ResponseReturnValue:
    behind = {number: finding.rule for finding in found.findings for number in finding.entries}
    first = {n for finding in found.findings for n in finding.entries[:SHOWN_BEHIND]}
    page = render_template(
        "audit.html",
        asked=asked,
        entries=entries,
        following=following,
        found=found,
        behind=behind,
        told={entry.number: entry for entry in log.numbered(first)} if first else {},
        around=_around,
        shown_behind=SHOWN_BEHIND,
        days=UNUSUAL_DAYS,
        operations=OPERATIONS,
        names=log.names(),
    )
    return page, status


def _around(finding: Finding) -> str:
    """Return the address of everything the person did on the days of a finding."""
    days = [f"{at.astimezone(words.LOCAL):%Y-%m-%d}" for at in (finding.since, finding.until)]
    told = {"person": finding.person, "from": days[0], "to": days[1]}
    return f"{url_for('auditing.page')}?{urlencode(told)}"


def _midnight(
    name: str, typed: dict[str, str], refusals: dict[str, str], *, after: bool = False
) -> datetime | None:
    """Read a day as its first moment, or the one after its last, in local time."""
    if not typed[name]:
        return None
    try:
        day = date.fromisoformat(typed[name])
    except ValueError:
        day = date.min
    if day.year not in _YEARS:
        refusals[name] = f"{name.capitalize()} must be a day like 2026-12-22."
        return None
    if after:
        day += timedelta(days=1)
    return datetime.combine(day, time(), words.LOCAL).astimezone(UTC)


def _record(typed: str) -> str | None:
    """Bring a reference to its one form, however it was written; any other name as it is."""
    reference = written_out("".join(typed.split()))
    return reference if is_reference(reference) else typed or None
