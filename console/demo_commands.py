"""The command ``demo``: loads the worked example, in training mode and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import click

from config.policy import Policy
from console.people_commands import Refusing
from incidents.accounts import Accounts
from incidents.addresses import Addresses
from incidents.audit import Audit
from incidents.contacts import Contacts
from incidents.demo import Demo, Refused, Writers
from incidents.desk import Desk
from incidents.drain import Drain
from incidents.follow_ups import FollowUps
from incidents.markers import Markers
from incidents.operations import Operations
from incidents.person_numbers import PersonNumbers
from incidents.persons import Persons
from incidents.reviewing import Reviewing
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tail import Tail
from incidents.visiting import Visiting
from incidents.working import Rules

LIVE = (
    "This site takes live calls (TWILIO_AUTH_TOKEN is set): invented people never stand beside "
    "real ones. Take the token away, or use another data folder (QUIETLINE_DATA) without it."
)
OpenDemo = Callable[[Callable[[str], None]], Demo | None]
"""Open what loads it; None where the site is not in training mode."""


def demo_command(opened: OpenDemo) -> click.Command:
    """Make the command over what ``opened`` opens."""

    @click.command("demo", cls=Refusing)
    def demo() -> None:
        """Load Operation County as a worked example: invented people, calls and visits.

        In training mode alone. Run again it adds nothing. Best before work begins: its calls
        pass over the live board while they are loaded.
        """
        found = opened(lambda words: click.echo(f"… {words}", err=True))
        if found is None:
            raise click.ClickException(LIVE)
        try:
            loaded = found.load(datetime.now(UTC))
        except Refused as refused:
            raise click.ClickException(str(refused)) from None
        if loaded is None:
            click.echo("The worked example is here already: nothing was added.")
            return
        click.echo(
            f"Loaded {loaded.people} invented people, {loaded.calls} calls and {loaded.visits} "
            f"visits. Look at it under Operations: /operations/{loaded.operation}"
        )

    return demo


def writers(store: Store, keys: Keys, audit: Audit, policy: Policy, given: Rules) -> Writers:
    """Return what writes on a site."""
    work = FollowUps(store, keys, audit, policy.follow_ups, policy.roles)
    return Writers(
        store=store,
        keys=keys,
        audit=audit,
        accounts=Accounts(store.engine, keys, policy.roles, audit=audit),
        drain=Drain(store, Tail(()), keys, policy.profiles, policy.markers, policy.roles),
        desk=Desk(store, keys, audit, given),
        reviewing=Reviewing(store, keys, audit, given, policy.review),
        persons=Persons(store, keys, audit),
        numbers=PersonNumbers(store, keys, audit),
        addresses=Addresses(store, keys, audit),
        contacts=Contacts(store, keys, audit, policy.roles),
        markers=Markers(store, keys, audit, policy.markers, policy.roles),
        follow_ups=work,
        operations=Operations(store, keys, audit),
        visiting=Visiting(store, keys, audit, policy.roles, work, policy.figures),
    )
