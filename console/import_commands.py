"""The commands ``people import`` and ``markers import``: files looked at before they count.

They print how many rows are good and which lines were refused, with the reason; never a name,
a number or an address.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import BinaryIO, Protocol

import click

from console.people_commands import Refusing
from incidents.accounts import COMMAND_LINE
from incidents.file_rows import LONGEST_FILE, Refused
from incidents.importing import Importing, read
from incidents.marker_import import MarkerImport
from incidents.working import Unfit

OpenImporting = Callable[[], Importing]
OpenMarkers = Callable[[], MarkerImport]


class Found(Protocol):
    """What a file would do, or did."""

    @property
    def good(self) -> Collection[object]: ...

    @property
    def refused(self) -> Collection[Refused]: ...


Run = Callable[[bytes, bool], Found]
"""(file, whether it counts) → what it would do, or did. Raises ``Unfit``."""


def import_commands(opened: OpenImporting) -> click.Group:
    """Make the group ``people``."""

    def run(data: bytes, apply: bool) -> Found:
        plan, importing = read(data), opened()
        if apply:
            return importing.apply(plan, by=COMMAND_LINE, now=datetime.now(UTC))
        return importing.look(plan)

    group = click.Group("people", help="People a call may concern.")
    told = "Look at a CSV file of known people; with --apply, add them."
    group.add_command(_import(run, told, "added"))
    return group


def marker_commands(opened: OpenMarkers) -> click.Group:
    """Make the group ``markers``."""

    def run(data: bytes, apply: bool) -> Found:
        importing = opened()
        does = importing.apply if apply else importing.look
        return does(importing.read(data), by=COMMAND_LINE, now=datetime.now(UTC))

    group = click.Group("markers", help="Markers on numbers and addresses.")
    told = "Look at a CSV file of markers; with --apply, set them."
    group.add_command(_import(run, told, "set"))
    return group


def _import(run: Run, told: str, done: str) -> click.Command:
    """Make the command. ``done``: what happens to a good row, as a participle."""

    @click.command("import", cls=Refusing, help=f"{told}\n\nRefused rows are named by line.")
    @click.argument("file", type=click.File("rb"))
    @click.option("--apply", is_flag=True, help="Let it count. Without it nothing is changed.")
    @click.pass_context
    def import_(context: click.Context, file: BinaryIO, apply: bool) -> None:
        try:
            found = run(file.read(LONGEST_FILE + 1), apply)
        except Unfit as unfit:
            raise click.ClickException(str(unfit)) from None
        for one in found.refused:
            click.echo(f"line {one.line} refused: {one.reason}")
        click.echo(f"{len(found.good)} {done if apply else f'would be {done}'}, ", nl=False)
        click.echo(f"{len(found.refused)} refused")
        if not apply and found.good:
            what = {"added": "add"}.get(done, done)
            click.echo(f"Nothing was changed. Run it again with --apply to {what} them.")
        if found.refused:
            context.exit(1)

    return import_
