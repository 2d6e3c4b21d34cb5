"""Calls the product places: the number that is rung, and what whoever answers does.

Nobody real is rung: far ends behave as they were told to. A thread of its own moves each call
on, in virtual time as fast as it can; yet while the two sides talk, or wait in a conference,
virtual time stands still, because only somebody else can end that.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Final

from simulator.call import Call
from simulator.ending import tell_progress
from simulator.moments import Ended, FarEnd, Key, Playing, Request
from simulator.playing import Player

RING_SECONDS: Final = 60
LONGEST_CALL_SECONDS: Final = 45 * 60.0
LOOK_EVERY_SECONDS: Final = 1.0
_HEARS_KEYS: Final = frozenset({"listening", "digits"})
_TOGETHER: Final = frozenset({"room", "bridged", "queue"})
_WHOLE: Final = re.compile("[0-9]{1,3}")


def ring(player: Player, form: Mapping[str, str], far_end: FarEnd) -> Playing[None]:
    """Play a call the product placed with ``form``: ringing, its document, its end."""
    yield from player.to_its_end(_ring(player, form, far_end))


def _ring(player: Player, form: Mapping[str, str], far_end: FarEnd) -> Playing[None]:
    call, leg = player.call, player.leg
    call.note("dialled", f"the product rings {leg.called}", number=leg.called)
    tell_progress(player, "initiated")
    leg.status = "ringing"
    tell_progress(player, "ringing")
    given = form.get("Timeout", "")
    patience = float(given) if _WHOLE.fullmatch(given) else RING_SECONDS
    outcome = far_end.outcome
    if outcome == "completed" and far_end.after > patience:
        outcome = "no-answer"
    yield from player.let_pass("ringing", patience if outcome == "no-answer" else far_end.after)
    if outcome != "completed":
        leg.status = outcome
        raise Ended("error", f"{leg.called}: {outcome}")
    leg.status = "in-progress"
    call.answered_at = call.clock.now()
    call.note("answered", "answered")
    tell_progress(player, "answered")
    yield from player.documents(Request(form.get("Url", ""), twiml=form.get("Twiml", "")))


def start(call: Call, form: Mapping[str, str], far_end: FarEnd) -> None:
    """Let the call begin and go on by itself; returns at once."""

    def live() -> None:
        call.begin(ring(Player(call, call.leg), form, far_end))
        _live(call, far_end)

    threading.Thread(target=live, daemon=True, name="outbound").start()


def _live(call: Call, far_end: FarEnd) -> None:
    keys = list(far_end.presses)
    while True:
        turn, wait = call.turn, call.wait
        if wait is None:
            return
        hears = wait.kind in _HEARS_KEYS or (wait.kind == "prompt" and not far_end.hears_out)
        if keys and hears:
            call.happens(Key(keys.pop(0)))
            continue
        left = _left(call, far_end)
        if left <= 0:
            call.hang_up()
        elif call.clock.virtual and wait.kind in _TOGETHER:
            if far_end.stays is not None:
                call.hang_up()
            else:
                call.stands(turn, LOOK_EVERY_SECONDS)
        else:
            call.elapse(min(left, wait.seconds) if call.clock.virtual else LOOK_EVERY_SECONDS)


def _left(call: Call, far_end: FarEnd) -> float:
    """Return the seconds until whoever answered puts the phone down."""
    since = call.answered_at
    stays = LONGEST_CALL_SECONDS if far_end.stays is None else far_end.stays
    return stays if since is None else since + stays - call.clock.now()
