"""How soon a handler's order is at Twilio, and how soon a claim is answered among a hundred others.

The real processes, each handler with a connection and a live feed of their own. A run is thrown
away when two won a claim, nobody did, or an order went missing.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from tests import running
from tests.bench import feeds
from tests.bench.figures import Measured, Untrue, Verdict, percentile
from tests.bench.people import (
    LIST,
    Caller,
    Handler,
    Twilio,
    site_of,
    staffed,
    tokens,
)
from tests.waiting import eventually

HANDLERS: Final = 100
CLAIMS_A_SECOND: Final = 10.0
AT_ONCE: Final = 3
"""Handlers who claim one call in the same moment."""
CALLS_ASKED: Final = 10
ASK_MS: Final = 150.0
CLAIM_MS: Final = 50.0
_ASKED: Final = 0xA5C
_CLAIMED: Final = 0xC1A1


def asks(data: Path, count: int) -> Measured:
    """Measure how soon after a handler asks Twilio has the order, ``count`` times."""
    with staffed(running.live_settings(data)) as (quietline, twilio):
        (token,) = tokens(quietline, ["asker"])
        handler = Handler(quietline, token)
        callers = [Caller(site_of(quietline), _ASKED, at) for at in range(CALLS_ASKED)]
        references = []
        for caller in callers:
            caller.press("55")
            references.append(handler.reference(caller.sid))
            expect(handler.ask("POST", f"{LIST}/{references[-1]}/claim"), 200)
        eventually(lambda: all(len(twilio.asked[one.sid]) == 1 for one in callers), 30)
        took, answered = [], []
        for at in range(count):
            caller, reference = callers[at % CALLS_ASKED], references[at % CALLS_ASKED]
            before = len(twilio.asked[caller.sid])
            began = time.monotonic()
            where = f"{LIST}/{reference}/ask"
            answered.append(expect(handler.ask("POST", where, {"question": "danger_now"}), 200))
            arrived = twilio.asked[caller.sid][before:]
            if len(arrived) != 1:
                raise Untrue(f"an order reached Twilio {len(arrived)} times")
            took.append((arrived[0] - began) * 1000)
            threading.Event().wait(0.05)
    measured = Measured("A handler asks → Twilio has the order")
    measured.verdicts = [
        Verdict(
            "ask sent → REST order received, p99",
            percentile(took, 0.99),
            ASK_MS,
            " ms",
            at_most=True,
        )
    ]
    measured.head = ("asks", "p50", "p90", "p99", "slowest", "answer to the handler, p99")
    figures = [percentile(took, part) for part in (0.5, 0.9, 0.99, 1.0)]
    answer = percentile(answered, 0.99)
    measured.rows = [(str(count), *(f"{one:.1f} ms" for one in figures), f"{answer:.1f} ms")]
    measured.said = [
        (
            "From just before `POST …/ask` until the order arrives at an endpoint that stands in "
            "Twilio's place on the same machine; Twilio's own time is not in it. In between: one "
            "durable transaction with the order, the timeline's entry and the audit's, then one "
            "request through Twilio's client."
        )
    ]
    return measured


def claims(data: Path, seconds: float, people: int = HANDLERS) -> Measured:
    """Measure claims among ``people`` handlers with open feeds; three go for each call."""
    count = int(CLAIMS_A_SECOND * seconds)
    with staffed(running.live_settings(data)) as (quietline, twilio):
        secrets = tokens(quietline, [f"handler{at}" for at in range(people)])
        handlers = [Handler(quietline, one) for one in secrets]
        url = "http://" + quietline.settings["QUIETLINE_CONSOLE_BIND"]
        task = feeds.Task(url, secrets[0], people, seconds + 110, tuple(secrets))
        with feeds.listening(task) as listening:
            waiting = _waiting(quietline, handlers[0], count)
            for one in handlers:
                expect(one.ask("GET", f"{LIST}?limit=1"), 200)
            took = _claim(handlers, [reference for _, reference in waiting])
            held = [sid for sid, _ in waiting]
            eventually(lambda: all(twilio.asked.get(sid) for sid in held), 30)
            heard = listening.stop()
        held_once(twilio, held)
    if heard.lost:
        raise Untrue(f"{heard.lost} feeds were ended by the console")
    measured = Measured(f"Claims among {people} handlers with open feeds")
    measured.verdicts = [
        Verdict(
            f"claim answered, p99, {people} handlers signed in with open feeds",
            percentile(took, 0.99),
            CLAIM_MS,
            " ms",
            at_most=True,
        )
    ]
    measured.head = ("claims", "p50", "p90", "p99", "slowest")
    figures = [percentile(took, part) for part in (0.5, 0.9, 0.99, 1.0)]
    measured.rows = [(str(len(took)), *(f"{one:.1f} ms" for one in figures))]
    measured.said = [
        (
            f"{CLAIMS_A_SECOND:.0f} calls a second, each claimed by {AT_ONCE} handlers in the same "
            "moment: one wins, the others are told who. Every claim is told to every feed, and "
            "every caller is put on hold through Twilio's client meanwhile. The ladder climbs for "
            "whatever still waits."
        )
    ]
    return measured


def _waiting(quietline: running.Quietline, handler: Handler, count: int) -> list[tuple[str, str]]:
    """Have ``count`` callers press 55. Returns their SIDs and references."""
    site = site_of(quietline)
    sids = []
    for at in range(count):
        caller = Caller(site, _CLAIMED, at)
        caller.press("55")
        sids.append(caller.sid)
    references: dict[str, str] = {}

    def all_there() -> bool:
        _, told, _ = handler.ask("GET", f"{LIST}?limit=1000&signal=confirmed")
        references.update({one["call_sid"]: one["reference"] for one in told["incidents"]})
        return all(sid in references for sid in sids)

    eventually(all_there, 30)
    return [(sid, references[sid]) for sid in sids]


def _claim(handlers: list[Handler], references: list[str]) -> list[float]:
    took: list[float] = []
    with ThreadPoolExecutor(AT_ONCE * 16) as threads:
        began = time.monotonic() + 0.2
        for at, reference in enumerate(references):
            threading.Event().wait(max(0.0, began + at / CLAIMS_A_SECOND - time.monotonic()))
            asked = [
                threads.submit(one.ask, "POST", f"{LIST}/{reference}/claim")
                for one in (
                    handlers[(at * AT_ONCE + more) % len(handlers)] for more in range(AT_ONCE)
                )
            ]
            answers = [one.result() for one in asked]
            statuses = sorted(status for status, _, _ in answers)
            if statuses != [200, *[409] * (AT_ONCE - 1)]:
                raise Untrue(f"a claim of {AT_ONCE} was answered with {statuses}")
            took += [milliseconds for _, _, milliseconds in answers]
    return took


def held_once(twilio: Twilio, sids: list[str]) -> None:
    """Raise ``Untrue`` unless each claimed caller was put on hold once."""
    often = [sid for sid in sids if len(twilio.asked[sid]) != 1]
    if often:
        raise Untrue(f"{len(often)} callers were not put on hold exactly once")


def expect(answer: tuple[int, Any, float], status: int) -> float:
    """Raise ``Untrue`` for another status; returns how long the answer took."""
    if answer[0] != status:
        raise Untrue(f"answered with {answer[0]}: {answer[1]}")
    return answer[2]
