"""The command ``search index``: what was written before there was a search is found as well."""

from __future__ import annotations

from collections.abc import Callable

import click

from console.people_commands import Refusing

Index = Callable[[], int]
"""Puts what an older release wrote into the index; returns how many rows."""


def search_commands(put_in: Index) -> click.Group:
    """Make the group ``search``."""

    @click.group("search", help="Finding calls and people by what was written.")
    def search() -> None:
        pass

    @search.command("index", cls=Refusing)
    def index() -> None:
        """Put what an older release wrote into the index. May be stopped and run again."""
        click.echo(f"{put_in()} put into the index")

    return search
