"""``flask simulate``: place practice calls from a terminal and read them in plain words.

It calls nobody: every request goes to the product whose address and token it is given. Some
scenarios need a handler: with ``--token`` of somebody who may work calls the handler's side is
played too, through the JSON API. The orders that makes come back as REST orders; in training mode
the practice phone passes them on to here (``simulator.elsewhere`` tells how). Without such a token,
or outside training mode, those scenarios are played as a caller alone, and it says so.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from simulator.call import Call
from simulator.caller import Caller, CallWentWrong
from simulator.elsewhere import registered
from simulator.exchange import Exchange
from simulator.handler import Handler
from simulator.moments import Note
from simulator.network import Knobs
from simulator.people import LINE_DRAMA
from simulator.scenario import Scenario
from simulator.scenarios import SCENARIOS

TRAINING_ACCOUNT: Final = "AC" + "5" * 32
BAR: Final = 24
NAME: Final = 23


def from_environment() -> dict[str, str]:
    """Return the defaults of the options, from the settings in the environment."""
    token = os.environ.get("TWILIO_AUTH_TOKEN", "")
    made = Path(os.environ.get("QUIETLINE_DATA", "") or "var") / "training-token"
    if not token and made.is_file():
        token = made.read_text(encoding="ascii").strip()
    bind = os.environ.get("QUIETLINE_PHONE_BIND", "") or "127.0.0.1:8055"
    return {
        "url": f"http://{bind}",
        "public_url": os.environ.get("QUIETLINE_PUBLIC_URL", "") or "http://127.0.0.1:8055",
        "auth_token": token,
        "account": os.environ.get("TWILIO_ACCOUNT_SID", "") or TRAINING_ACCOUNT,
        "console": os.environ.get("QUIETLINE_CONSOLE_URL", "") or "http://localhost:8056",
        "to": LINE_DRAMA,
    }


def simulate_command(defaults: Callable[[], Mapping[str, str]]) -> click.Command:
    """Return the command; ``defaults`` gives url, public_url, auth_token, account, console, token
    and to for whatever is not said on the command line."""

    @click.command("simulate")
    @click.argument("names", nargs=-1, metavar="[SCENARIO]...")
    @click.option("--list", "listing", is_flag=True, help="Show the scenarios and stop.")
    @click.option("--all", "everything", is_flag=True, help="Play every scenario.")
    @click.option(
        "--real-time/--fast", default=False, help="Wait as a caller would. Default: fast."
    )
    @click.option("--from", "caller", metavar="NUMBER", help="The caller's number.")
    @click.option("--to", metavar="NUMBER", help="The line that is called.")
    @click.option("--count", default=1, type=click.IntRange(1, 10_000), help="Play this often.")
    @click.option("--url", help="Where the phone side listens.")
    @click.option("--public-url", help="The public address that is signed.")
    @click.option("--auth-token", help="The token requests are signed with.")
    @click.option("--account", help="The account the calls belong to.")
    @click.option("--console", help="Where the console listens.")
    @click.option(
        "--token",
        help="A token of the console's API: the handler's side is checked too, and played too "
        "where the token may work calls (tokens add NAME --role handler).",
    )
    @click.option(
        "--patience",
        default=10.0,
        type=click.FloatRange(0.1, 120),
        help="Seconds the console has to show what is expected.",
    )
    @click.option("--quiet", is_flag=True, help="Results only, no transcripts.")
    def simulate(
        names: tuple[str, ...],
        listing: bool,
        everything: bool,
        real_time: bool,
        caller: str | None,
        count: int,
        quiet: bool,
        patience: float,
        **given: str | None,
    ) -> None:
        """Place practice calls: a caller who says nothing, presses 55, hangs up, and more."""
        if listing:
            for one in SCENARIOS.values():
                both = " (both sides, with --token)" if one.handled is not None else ""
                click.echo(f"  {one.name:<{NAME}} {one.about}{both}")
            return
        settings = {**defaults(), **{name: value for name, value in given.items() if value}}
        chosen = _chosen(names, everything)
        exchange = Exchange(
            settings["url"],
            settings["public_url"],
            _required(settings, "auth_token"),
            settings["account"],
            settings.get("console", ""),
            settings.get("token", ""),
            settings.get("to") or LINE_DRAMA,
            virtual=not real_time,
            serve_rest=True,
            patience=patience,
        )
        plan = [scenario for scenario in chosen for _ in range(count)]
        show = not quiet and len(plan) == 1
        with _handler_for(exchange, plan):
            played = _play_all(exchange, plan, caller, show=show, quiet=quiet)
            failed = [why for why in played if why]
        exchange.close()
        if not exchange.target.api_token:
            click.echo("The handler's side was not checked: give --token to check it too.")
        if exchange.unhandled and any(one.handled is not None for one in plan):
            click.echo(f"Nobody worked the calls that ask for a handler: {exchange.unhandled}.")
        click.echo(f"{len(plan) - len(failed)} of {len(plan)} as expected.")
        sys.exit(1 if failed else 0)

    return simulate


@contextmanager
def _handler_for(exchange: Exchange, plan: list[Scenario]) -> Iterator[None]:
    """Give the exchange a handler, where the plan needs one and orders can reach its calls."""
    if all(one.handled is None for one in plan):
        yield
    elif not exchange.target.api_token:
        exchange.no_handler_because("there is no --token")
        yield
    else:
        with registered(exchange) as known:
            if known:
                exchange.handler = Handler(exchange)
            else:
                exchange.no_handler_because("the console has no practice phone to bring orders")
            yield


def _chosen(names: tuple[str, ...], everything: bool) -> list[Scenario]:
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        raise click.UsageError(f"no scenario {unknown[0]!r}; see --list")
    if not names and not everything:
        raise click.UsageError("name a scenario, or --all; --list shows them")
    return list(SCENARIOS.values()) if everything else [SCENARIOS[name] for name in names]


def _required(settings: Mapping[str, str], name: str) -> str:
    value = settings.get(name, "")
    if not value:
        raise click.UsageError(
            f"--{name.replace('_', '-')} is needed: start Quietline once, or say it"
        )
    return value


def _play_all(
    exchange: Exchange, plan: list[Scenario], caller: str | None, *, show: bool, quiet: bool
) -> Iterator[str]:
    with _progress(len(plan)) as progress:
        for done, scenario in enumerate(plan):
            progress(done, scenario.name)
            began = time.monotonic()
            why, call = _play(exchange, scenario, caller, show=show)
            took = time.monotonic() - began
            progress(None, "")
            mark = click.style("failed", fg="red") if why else click.style("ok", fg="green")
            click.echo(f"{scenario.name:<{NAME}} {mark}  {took:5.1f} s  {scenario.about}")
            if why:
                click.echo(f"    {why}")
                if call is not None and not show and not quiet:
                    click.echo(_indented(call.transcript()))
            yield why


def _play(
    exchange: Exchange, scenario: Scenario, caller: str | None, *, show: bool
) -> tuple[str, Call | None]:
    """Play one scenario; return why it went otherwise than expected, or an empty string."""
    exchange.observe = _echo if show else lambda _: None
    exchange.knobs = Knobs()
    before = len(exchange.calls)
    played: Caller | None = None
    why = ""
    try:
        number = caller if caller is not None else scenario.number()
        played = scenario.play(exchange, number)
        handled = scenario.handled if exchange.handler is not None else None
        if exchange.target.api_token:
            exchange.incident(played, **(scenario.expected if handled is None else handled))
    except CallWentWrong as wrong:
        why = str(wrong).partition("\n")[0]
    except (OSError, ValueError) as error:
        why = f"the console could not be asked: {error}"
    finally:
        calls = exchange.calls[before:]
        for call in calls:
            call.hang_up()
    faults = [fault for call in calls for fault in call.faults]
    if not why and faults and not scenario.name.startswith("fallback"):
        why = f"Twilio would have complained: {faults[0]}"
    return why, calls[-1] if calls else None


def _echo(note: Note) -> None:
    click.echo(f"  {note}")


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int | None, str], None]]:
    """Show how far we are on a terminal: a bar, the count and the scenario being played."""
    shown = sys.stderr.isatty() and total > 1

    def progress(done: int | None, name: str) -> None:
        if not shown:
            return
        line = ""
        if done is not None:
            full = done * BAR // total
            line = f"[{'█' * full}{'░' * (BAR - full)}] {done}/{total}  {name}"
        click.echo(f"\r{line:<70}\r" if not line else f"\r{line:<70}", err=True, nl=False)

    yield progress
    progress(None, "")


simulate = simulate_command(from_environment)
