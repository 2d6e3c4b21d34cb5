"""Named calls: what a caller does, in order, and what a handler must then see.

They know no prompt of ours beyond what every profile shares: that a 5 is asked for.
"""

from __future__ import annotations

from typing import Final

from simulator.caller import Caller
from simulator.exchange import Exchange
from simulator.people import made_up_landline
from simulator.questioned import QUESTIONED
from simulator.scenario import Play, Scenario


def _silent_then_55(exchange: Exchange, number: str) -> Caller:
    return exchange.call(number).stays_silent(until="5").presses("55").settles()


def _keys(keys: str) -> Play:
    def play(exchange: Exchange, number: str) -> Caller:
        return exchange.call(number).stays_silent(until="5").presses(keys).settles()

    return play


def _five_then_five_later(exchange: Exchange, number: str) -> Caller:
    call = exchange.call(number).stays_silent(until="5").presses("5").settles()
    return call.stays_silent(25).presses("5").settles()


def _any_key(exchange: Exchange, number: str) -> Caller:
    return exchange.call(number).stays_silent().presses("7").settles()


def _speaks(exchange: Exchange, number: str) -> Caller:
    return exchange.call(number).stays_silent(3).says("hello, can anybody hear me").settles()


def _cough(exchange: Exchange, number: str) -> Caller:
    call = exchange.call(number).stays_silent(6).coughs().stays_silent(6).coughs()
    return call.is_let_go()


def _chooses(exchange: Exchange, number: str) -> Caller:
    return exchange.call(number).stays_silent(2).presses("1").settles()


def _chooses_then_55(exchange: Exchange, number: str) -> Caller:
    return _chooses(exchange, number).stays_silent(10).presses("55").settles()


def _types_a_code(exchange: Exchange, number: str) -> Caller:
    return exchange.call(number).stays_silent(9).presses("123467").settles()


def _nothing(exchange: Exchange, number: str) -> Caller:
    return exchange.call(number).is_let_go()


def _landline_nothing(exchange: Exchange, number: str) -> Caller:
    return exchange.call(number).stays_silent(90).is_still_on_the_line()


def _hang_up_in_prompt(exchange: Exchange, number: str) -> Caller:
    return exchange.call(number).stays_silent(1).hangs_up()


def _hang_up_after_55(exchange: Exchange, number: str) -> Caller:
    return _silent_then_55(exchange, number).hangs_up()


def _repeat_caller(exchange: Exchange, number: str) -> Caller:
    for _ in range(2):
        exchange.incident_if_known(exchange.call(number).stays_silent(8).hangs_up())
    return exchange.call(number).stays_silent(8).hangs_up()


def _late_55_on_hold(exchange: Exchange, number: str) -> Caller:
    call = exchange.call(number).stays_silent().presses("7").settles()
    return call.stays_silent(24).presses("55").settles()


def _key_in_gap(exchange: Exchange, number: str) -> Caller:
    call = exchange.call(number).presses_in_the_gap("5")
    return call.stays_silent(until="5").presses("55").settles()


def _fallback(exchange: Exchange, number: str) -> Caller:
    exchange.knobs.primary_down = True
    call = exchange.call(number)
    exchange.knobs.primary_down = False
    return call.stays_silent(5).is_still_on_the_line()


def _fallback_then_55(exchange: Exchange, number: str) -> Caller:
    return _fallback(exchange, number).presses("55").settles()


def _duplicates(exchange: Exchange, number: str) -> Caller:
    exchange.knobs.duplicates = 5
    call = exchange.call(number).stays_silent().presses("5").settles()
    exchange.knobs.duplicates = 1
    return call


def _keys_after_the_end(exchange: Exchange, number: str) -> Caller:
    call = exchange.call(number).stays_silent(until="5")
    exchange.knobs.reorder = True
    exchange.knobs.delay = 0.5
    call.presses("55").hangs_up()
    exchange.knobs.reorder = False
    exchange.knobs.delay = 0.0
    return call


CONFIRMED: Final = {"signal": "confirmed", "urgency": 1, "state": "waiting"}
OPEN: Final = {"connection": "open"}
DROPPED: Final = {"connection": "dropped"}
SOMEONE: Final = {"signal": "someone_there", "urgency": 2, "state": "waiting", **OPEN}
# Urgency 4, or 3 or 2 where the made-up number happens to have called shortly before.
SILENT: Final = {"signal": "nothing", "state": "review"}

SCENARIOS: Final = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "silent-then-55",
            "says nothing, then presses 55 when asked",
            _silent_then_55,
            {**CONFIRMED, **OPEN, "keys": "55"},
        ),
        Scenario("555", "leans on the key: 555", _keys("555"), {**CONFIRMED, **OPEN}),
        Scenario("star-55", "fumbles: *55", _keys("*55"), {**CONFIRMED, **OPEN}),
        Scenario(
            "5-then-5-later",
            "presses one 5, and the other 25 seconds later",
            _five_then_five_later,
            {**CONFIRMED, **OPEN, "keys": "55"},
        ),
        Scenario("any-key", "presses a 7", _any_key, {**SOMEONE, "keys": "7"}),
        Scenario(
            "speaks",
            "says something at the first prompt",
            _speaks,
            {"signal": "heard", "urgency": 2, "state": "waiting", **OPEN},
        ),
        Scenario(
            "cough",
            "coughs twice, which the exchange does not report",
            _cough,
            {**SILENT, "connection": "ended"},
        ),
        Scenario(
            "nothing",
            "a mobile: nothing at all, until we let go",
            _nothing,
            {**SILENT, "connection": "ended"},
        ),
        Scenario(
            "landline-nothing",
            "a landline: nothing at all, the line is held",
            _landline_nothing,
            {"signal": "nothing", "urgency": 2, "state": "waiting", **OPEN},
            made_up_landline,
        ),
        Scenario(
            "withheld",
            "a withheld number presses 55",
            _silent_then_55,
            {**CONFIRMED, **OPEN, "caller": {"number": None, "withheld": True}},
            lambda: "anonymous",
        ),
        Scenario(
            "hang-up-in-prompt",
            "hangs up while the first prompt is said",
            _hang_up_in_prompt,
            {**SILENT, **DROPPED},
        ),
        Scenario(
            "hang-up-after-55",
            "presses 55 and the line goes dead",
            _hang_up_after_55,
            {**CONFIRMED, **DROPPED},
        ),
        Scenario(
            "repeat-caller",
            "three silent calls from one number, one after another",
            _repeat_caller,
            {"signal": "nothing", "urgency": 2, "state": "review", **DROPPED},
        ),
        Scenario(
            "late-55-on-hold",
            "presses a 7, waits on hold, then presses 55",
            _late_55_on_hold,
            {**CONFIRMED, **OPEN, "keys": "755"},
        ),
        Scenario(
            "key-in-gap",
            "presses a 5 that nobody hears, then 55",
            _key_in_gap,
            {**CONFIRMED, **OPEN, "keys": "55"},
        ),
        Scenario(
            "fallback",
            "our first answer fails, the fallback keeps the caller",
            _fallback,
            {"state": "waiting", "urgency": 2, **OPEN},
        ),
        Scenario(
            "fallback-then-55",
            "our first answer fails, and the caller presses 55",
            _fallback_then_55,
            {**CONFIRMED, **OPEN},
        ),
        Scenario(
            "duplicates",
            "every request arrives five times: one 5 stays one 5",
            _duplicates,
            {**SOMEONE, "keys": "5"},
        ),
        Scenario(
            "keys-after-the-end",
            "55 arrives after the news that the call has ended",
            _keys_after_the_end,
            {**CONFIRMED, **DROPPED, "keys": "55"},
        ),
        # Two for a line with a menu and one for the contact line: see --to. Elsewhere the keys are
        # keys like any other.
        Scenario(
            "menu-choice", "presses 1, a choice of a menu", _chooses, {**SOMEONE, "keys": "1"}
        ),
        Scenario(
            "menu-then-55",
            "presses 1, a choice of a menu, and 55 ten seconds later",
            _chooses_then_55,
            {**CONFIRMED, **OPEN, "keys": "155"},
        ),
        Scenario(
            "types-a-code",
            "types a code that nobody has, as on the contact line",
            _types_a_code,
            SOMEONE,
        ),
        *QUESTIONED,
    )
}
