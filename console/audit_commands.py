"""The commands ``audit verify`` and ``audit head``.

They show no entry of the log: who may read it does so on its page, where the reading is
logged. ``verify`` ends with 1 when anything is wrong, so that a job can tell somebody.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

import click

from console.people_commands import Refusing
from incidents.audit import Audit
from incidents.audit_chain import BadHead, Head, Verdict

OpenAudit = Callable[[], Audit]


def audit_commands(opened: OpenAudit) -> click.Group:
    """Make the group ``audit``."""

    @click.group("audit", help="The log of who looked at what: is it whole?")
    def audit() -> None:
        pass

    @audit.command("verify", cls=Refusing)
    @click.option(
        "--head",
        "file",
        type=click.File(encoding="utf-8", errors="replace"),
        help="A head printed before by `audit head` and kept elsewhere; - reads standard input. "
        "Without it the head that the engine keeps in the data folder is used.",
    )
    def verify(file: TextIO | None) -> None:
        """Walk the whole log; end with 1 and name the first entry that is wrong."""
        log = opened()
        try:
            head = log.kept_head() if file is None else log.read_head(file.read())
        except BadHead as bad:
            click.echo(f"The head cannot be used. {bad}")
            sys.exit(1)
        verdict = log.verify(head)
        click.echo(told(verdict, head))
        if not verdict.sound:
            sys.exit(1)

    @audit.command("head", cls=Refusing)
    def head() -> None:
        """Print the signed head of the log as it is now, to be kept where nobody here can write."""
        click.echo(opened().head(datetime.now(UTC)).as_text())

    return audit


def told(verdict: Verdict, head: Head | None) -> str:
    """Say in words what the walk found."""
    count = "1 entry" if verdict.entries == 1 else f"{verdict.entries} entries"
    if not verdict.sound:
        before = f" Before it: {count}, as written." if verdict.entries else ""
        return f"Wrong at entry {verdict.number}. {verdict.problem}{before}"
    whole = f"The log is whole: {count}, as written."
    if head is None:
        return f"{whole} No head was compared: entries cut off at the end would not be missed."
    return f"{whole} It bears out the head of {head.at}, entry {head.number}."
