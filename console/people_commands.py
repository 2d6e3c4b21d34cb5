"""The commands ``users`` and ``tokens``: everything about people from a shell of this machine.

What a command makes goes to standard output and nothing else does. Whoever has the
shell has every right: these commands ask for no sign-in, and the audit says
"command line".
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import click

from console.filters import BadFilter
from incidents.accounts import COMMAND_LINE, Accounts
from incidents.desk import Actor, Desk
from incidents.follow_ups import FollowUps
from incidents.owners import OWNS
from incidents.passwords import AccountRefused
from incidents.staff import Staff
from incidents.transactions import StoreUnavailable


@dataclass(frozen=True, slots=True)
class Opened:
    """What the commands work with. ``desk`` and ``follow_ups`` pass on what a leaver had."""

    staff: Staff
    desk: Desk
    follow_ups: FollowUps

    @property
    def accounts(self) -> Accounts:
        """Users, sessions and tokens."""
        return self.staff.accounts


OpenPeople = Callable[[], Opened]


def pass_on(people: Opened, name: str, now: datetime) -> None:
    """Pass on every claim of somebody who no longer works on calls."""
    operator = Actor(COMMAND_LINE, "administrator")
    people.desk.leaver(people.staff.name(name), by=operator, now=now)


class Refusing(click.Command):
    """A command whose refusals are one line, not a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run it."""
        try:
            return super().invoke(ctx)
        except (AccountRefused, BadFilter) as refused:
            raise click.ClickException(str(refused)) from None
        except StoreUnavailable:
            raise click.ClickException("The store cannot be reached.") from None


def user_commands(opened: OpenPeople) -> click.Group:
    """Make the group ``users``."""

    @click.group("users", help="People who sign in at the console.")
    def users() -> None:
        pass

    @users.command("add", cls=Refusing)
    @click.argument("name")
    @click.option("--role", default="handler", show_default=True)
    @click.option("--phone", help="On which this person may be rung, like +447700900111.")
    @click.option(
        "--password-stdin",
        is_flag=True,
        help="Read the password from standard input instead of making one up.",
    )
    def add(name: str, role: str, phone: str | None, password_stdin: bool) -> None:
        """Add a user and print the password, once, if it was made up here."""
        given = sys.stdin.readline().rstrip("\r\n") if password_stdin else None
        people = opened()
        number = people.staff.phone_of(phone) if phone else ""
        password = people.accounts.add_user(name, given, now=_now(), role=role)
        if number:
            people.staff.set_phone(name, number, by=COMMAND_LINE, now=_now())
        if given is None:
            click.echo(password)

    @users.command("password", cls=Refusing)
    @click.argument("name")
    def password(name: str) -> None:
        """Set the password read from standard input, and end every session of the user."""
        given = sys.stdin.readline().rstrip("\r\n")
        opened().staff.change_password(name, given, now=_now())

    @users.command("role", cls=Refusing)
    @click.argument("name")
    @click.argument("role")
    def role(name: str, role: str) -> None:
        """Give a user another role, and end every session of the user."""
        people, now = opened(), _now()
        people.staff.change_role(name, role, by=COMMAND_LINE, now=now)
        if not people.accounts.roles.may(role, "work"):
            pass_on(people, name, now)
        if not people.accounts.roles.may(role, OWNS):
            people.follow_ups.leaver(people.staff.name(name), None, by=COMMAND_LINE, now=now)

    @users.command("phone", cls=Refusing)
    @click.argument("name")
    @click.argument("number", default="")
    def phone(name: str, number: str) -> None:
        """Set the number on which a user may be rung; without one it is removed."""
        opened().staff.set_phone(name, number, by=COMMAND_LINE, now=_now())

    @users.command("reset-factor", cls=Refusing)
    @click.argument("name")
    def reset_factor(name: str) -> None:
        """Forget a lost second factor: a new one is set up at the next sign-in."""
        opened().staff.reset_factor(name, by=COMMAND_LINE, now=_now())

    @users.command("disable", cls=Refusing)
    @click.argument("name")
    @click.option("--receiver", help="Who gets the open follow-ups; else supervisors see them.")
    def disable(name: str, receiver: str | None) -> None:
        """End an account: its sessions and tokens at once; its calls pass to a supervisor."""
        people, now = opened(), _now()
        if receiver and receiver not in people.follow_ups.owners():
            raise AccountRefused(f"{receiver} is nobody who may own follow-ups.")
        people.staff.leave(name, by=COMMAND_LINE, now=now)
        pass_on(people, name, now)
        leaver = people.staff.name(name)
        people.follow_ups.leaver(leaver, receiver or None, by=COMMAND_LINE, now=now)

    return users


def token_commands(opened: OpenPeople) -> click.Group:
    """Make the group ``tokens``."""

    @click.group("tokens", help="Tokens for programs that use the JSON interface.")
    def tokens() -> None:
        pass

    @tokens.command("add", cls=Refusing)
    @click.argument("name")
    @click.option("--role", default="reader", show_default=True)
    def add(name: str, role: str) -> None:
        """Add a token and print it, and nothing else. It is shown this once only."""
        click.echo(opened().accounts.add_token(name, now=_now(), role=role))

    @tokens.command("end", cls=Refusing)
    @click.argument("name")
    def end(name: str) -> None:
        """End a token: within seconds it opens nothing any more."""
        opened().accounts.end_token(name, now=_now())

    return tokens


def _now() -> datetime:
    return datetime.now(UTC)
