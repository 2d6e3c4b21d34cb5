"""Who was rung that must not be: what the simulated Twilio was asked for, held against rule 7."""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from simulator.caller import Caller
from simulator.exchange import Exchange
from tests.scenarios.conftest import LINES, Site
from tests.scenarios.handlers import Handler, Refused

CALLS: Final = re.compile(r"/2010-04-01/Accounts/AC[0-9a-f]{32}/Calls(/CA[0-9a-f]{32})?\.json")


def rung_outside(site: Site, exchange: Exchange, allowed: Collection[str]) -> list[str]:
    """Return everything that reached, or would have reached, somebody outside, in words.

    ``allowed``: numbers of staff and the control room. Looked at: every call placed over REST,
    every number a document rang, and every REST request that is no call at all, as a text is.
    """
    wrong = [f"a call to {one.to}" for one in exchange.rest.outbound if one.to not in allowed]
    wrong += [
        f"a document rang {note.detail['number']}"
        for call in exchange.calls
        for note in list(call.notes)
        if note.kind == "dialled" and note.detail.get("number") not in allowed
    ]
    wrong += [
        f"{method} {target}"
        for method, target in site.asked
        if method != "GET" and not CALLS.fullmatch(target)
    ]
    return wrong


@dataclass(slots=True)
class Evening:
    """Random incidents, the same for the same seed: who calls, which line, what they do."""

    site: Site
    exchange: Exchange
    handler: Handler
    known: Sequence[str]
    """Numbers of known people, some marked safe: nobody may ring these either."""
    seed: int
    more_lines: Sequence[str] = ()
    """Numbers of lines beside the usual ones."""

    def happens(self, many: int) -> None:
        """Let ``many`` calls come, one after another; lines left open stay open."""
        chance = random.Random(self.seed)
        for _ in range(many):
            self._call(chance)

    def _call(self, chance: random.Random) -> None:
        lines = [*(name for name in LINES if name != "proof"), *self.more_lines]
        call = self.exchange.call(self._number(chance), chance.choice(lines))
        for _ in range(chance.randint(0, 4)):
            if call.over:
                break
            self._does(call, chance)
        if chance.random() < 0.1:
            self._handled(call, chance)
        if chance.random() < 0.8:
            call.hangs_up()

    def _number(self, chance: random.Random) -> str:
        drawn = chance.random()
        if drawn < 0.1:
            return chance.choice(("anonymous", "", "+266696687"))
        if drawn < 0.4:
            return chance.choice(self.known)
        start = "+447700900" if drawn < 0.8 else "+441632960"
        return f"{start}{chance.randrange(500):03d}"

    def _does(self, call: Caller, chance: random.Random) -> None:
        match chance.randrange(4):
            case 0:
                call.presses("".join(chance.choices("0123456789*#", k=chance.randint(1, 4))))
            case 1:
                call.presses("55")
            case 2:
                call.says(chance.choice(("help", "hello", "ring me back on my number")))
            case _:
                call.stays_silent(chance.uniform(0.5, 40))

    def _handled(self, call: Caller, chance: random.Random) -> None:
        """Have a handler do what handlers do, but for connecting: that is a person's own order."""
        deeds: list[tuple[str, dict[str, Any]]]
        deeds = [("notes", {"text": "Ring back on 07700 900123"}), ("repeat", {})]
        deeds += [("ask", {"question": "danger_now"}), ("grade", {"grade": "priority"})]
        deeds += [("let-go", {}), ("release", {})]
        for what, body in [("claim", {}), *chance.sample(deeds, 3)]:
            try:
                self.handler.does(what, call, self.exchange, **body)
            except Refused:
                continue  # the line is closed, or the call is over: as it may be for anybody
