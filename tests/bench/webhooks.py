"""Goals 1 and 2: how many signed, durable webhooks a second, and how late at a hundred a second.

Each slice of ours stands beside a slice of each rival, seconds apart, on servers that all run the
whole time, so that a busy moment of the machine falls on all of them. A run is thrown away when
an answer was wrong or an answered webhook is not in the journal.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.bench import load, servers, traffic
from tests.bench.figures import Measured, Untrue, Verdict, median, percentile

CONNECTIONS: Final = 32
RATE: Final = 100.0
SHARE_OF_BARE: Final = 0.25
TIMES_THE_ORM_WAY: Final = 8.0
LATER_THAN_BARE_MS: Final = 3.0
_FASTEST: Final = 8000
"""Webhooks a second for which calls are built; more than any machine of two cores answers."""


def throughput(data: Path, rounds: int, seconds: float) -> Measured:
    """Measure goal 1 in ``rounds`` rounds of four slices of ``seconds`` each."""
    measured = Measured(
        "Signed, durable webhooks",
        head=("round", "bare", "bare behind an edge", "ORM way", "ours", "ours p50", "ours p99"),
    )
    per_second: dict[str, list[float]] = {"bare": [], "edge": [], "orm": [], "phone": []}
    with servers.field(data, "bare", "edge", "orm") as sites:
        steps = {name: tuple(traffic.learn(sites[name])) for name in ("orm", "phone")}
        count = len(steps["phone"]) - 1  # learning plays all but the end of the call
        for number in range(1, rounds + 1):
            seen = {}
            for name, site in sites.items():
                calls = int(_FASTEST * seconds / len(steps["phone"])) if name in steps else 0
                task = load.Task(
                    site, steps.get(name, ()), number, seconds, CONNECTIONS, calls=calls
                )
                seen[name] = checked(load.run(task), name)
                per_second[name].append(seen[name].per_second)
            count += seen["phone"].answered
            measured.rows.append(
                (
                    str(number),
                    *(f"{seen[name].per_second:,.0f}/s" for name in ("bare", "edge", "orm")),
                    f"{seen['phone'].per_second:,.0f}/s",
                    f"{percentile(seen['phone'].times, 0.5):.1f} ms",
                    f"{percentile(seen['phone'].times, 0.99):.1f} ms",
                )
            )
        durable(data / "phone", count)
    measured.verdicts = [
        Verdict(
            "signed, durable webhooks a second, as a share of the bare Flask route",
            share(per_second["phone"], per_second["bare"]),
            SHARE_OF_BARE,
            "",
            at_most=False,
        ),
        Verdict(
            "the same, as a multiple of library validator + ORM + VoiceResponse",
            share(per_second["phone"], per_second["orm"]),
            TIMES_THE_ORM_WAY,
            " times",
            at_most=False,
        ),
    ]
    behind = share(per_second["phone"], per_second["edge"])
    measured.said = [
        (
            f"{CONNECTIONS} connections, keep-alive, each playing whole calls (arrival, two "
            "prompts in silence, 55, a stretch of hold, the end), every call with an "
            "identifier of its own. All four on granian with 2 workers, HTTP/1; the bare "
            "route and the ORM way as WSGI with 16 threads a worker, ours as ASGI as `run.py` "
            "starts it. The ORM way writes one durable row a webhook (SQLite, WAL, "
            "`synchronous=FULL`) and looks nothing up. The bare route is `GET /` answered "
            "`hello`: no body, no signature, no disk."
        ),
        f"Of the bare route behind an ASGI edge like ours it is {behind:.2f}.",
        f"Afterwards the journal held every one of the {count:,} answered webhooks.",
        (
            "Ratios are the medians of the rounds' own ratios. The load generator runs on the "
            "same cores and takes its part of them from every server alike."
        ),
    ]
    return measured


def latency(data: Path, slices: int, seconds: float) -> Measured:
    """Measure goal 2 in ``slices`` pairs of slices of ``seconds`` each."""
    measured = Measured(
        "At 100 webhooks a second",
        head=("slice", "bare p50", "bare p99", "ours p50", "ours p99", "later at p99"),
    )
    later: list[float] = []
    with servers.field(data, "bare") as sites:
        steps = tuple(traffic.learn(sites["phone"]))
        calls = int(RATE * seconds) + CONNECTIONS
        for number in range(1, slices + 1):
            times = {}
            # Who goes first changes, so that a slowing machine favours neither.
            for name in sorted(sites, reverse=bool(number % 2)):
                ours = name == "phone"
                task = load.Task(
                    sites[name],
                    steps if ours else (),
                    number,
                    seconds,
                    CONNECTIONS,
                    RATE,
                    calls if ours else 0,
                )
                times[name] = checked(load.run(task), name).times
            late = percentile(times["phone"], 0.99) - percentile(times["bare"], 0.99)
            later.append(late)
            measured.rows.append(
                (
                    str(number),
                    *(
                        f"{percentile(times[name], part):.2f} ms"
                        for name in ("bare", "phone")
                        for part in (0.5, 0.99)
                    ),
                    f"{late:+.2f} ms",
                )
            )
    measured.verdicts = [
        Verdict(
            "at 100 a second, p99 later than the bare route's p99",
            median(later),
            LATER_THAN_BARE_MS,
            " ms",
            at_most=True,
        )
    ]
    measured.said = [
        (
            "Requests leave on the clock's tick whether or not earlier ones were answered, "
            "and their time counts from the tick. Slices of the bare route and ours "
            "alternate; the figure is the median of the slices' own differences."
        )
    ]
    return measured


def checked(seen: load.Seen, name: str) -> load.Seen:
    """Return ``seen``, or raise ``Untrue`` when an answer was wrong or none came."""
    if seen.failed or not seen.answered:
        raise Untrue(f"{name}: {seen.failed} answers were wrong; the first: {seen.first_failure}")
    return seen


def durable(data: Path, answered: int) -> None:
    """Raise ``Untrue`` unless exactly the webhooks that were answered are in the journal."""
    kept = servers.kept(data)
    if kept != answered:
        raise Untrue(f"{answered} webhooks were answered and {kept} are in the journal")


def share(ours: list[float], theirs: list[float]) -> float:
    """Return the median of the rounds' ratios."""
    return median([mine / other for mine, other in zip(ours, theirs, strict=True)])
