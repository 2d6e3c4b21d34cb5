"""The command ``search index``: what was written before there was a search is found as well."""

from __future__ import annotations

from collections.abc import Callable

import click

from console.people_commands import Refusing
from incidents.searching import Search

OpenSearch = Callable[[], Search]


def search_commands(opened: OpenSearch) -> click.Group:
    """Make the group ``search``."""

    @click.group("search", help="Finding calls by the words of what was written.")
    def search() -> None:
        pass

    @search.command("index", cls=Refusing)
    def index() -> None:
        """Put what an older release wrote into the index. May be stopped and run again."""
        click.echo(f"{opened().index_earlier()} put into the index")

    return search
