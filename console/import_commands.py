"""The command ``people import``: known victims from a file, looked at before they are added.

It prints how many and which lines were refused, with the reason; never a name or a number.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import BinaryIO

import click

from console.people_commands import Refusing
from incidents.accounts import COMMAND_LINE
from incidents.importing import LONGEST_FILE, Importing, read
from incidents.working import Unfit

OpenImporting = Callable[[], Importing]


def import_commands(opened: OpenImporting) -> click.Group:
    """Make the group ``people``."""

    @click.group("people", help="People a call may concern.")
    def group() -> None:
        pass

    @group.command("import", cls=Refusing)
    @click.argument("file", type=click.File("rb"))
    @click.option("--apply", is_flag=True, help="Add the good rows. Without it nothing is changed.")
    @click.pass_context
    def import_(context: click.Context, file: BinaryIO, apply: bool) -> None:
        """Look at a CSV file of known people; with --apply, add them.

        Every refused row is named with its line and the reason. The exit code is 1 when any was.
        """
        try:
            plan = read(file.read(LONGEST_FILE + 1))
        except Unfit as unfit:
            raise click.ClickException(str(unfit)) from None
        people = opened()
        if apply:
            found = people.apply(plan, by=COMMAND_LINE, now=datetime.now(UTC))
        else:
            found = people.look(plan)
        for one in found.refused:
            click.echo(f"line {one.line} refused: {one.reason}")
        click.echo(f"{len(found.good)} {'added' if apply else 'would be added'}, ", nl=False)
        click.echo(f"{len(found.refused)} refused")
        if not apply and found.good:
            click.echo("Nothing was changed. Run it again with --apply to add them.")
        if found.refused:
            context.exit(1)

    return group
