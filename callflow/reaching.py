"""What the rules decide on the line for known victims: ring one after the other, then hold.

Whom they ring they do not know, and nothing here tells a known caller from another. Nobody
is rung after the line's total time, and nobody who was held is rung from here again. Where time
is short, those before the desk lose theirs first: the desk answers day and night.
"""

from dataclasses import replace

from callflow.actions import HoldLine, RingStaff
from callflow.call import Call, Stage
from callflow.contact import SHORTEST_RING
from callflow.decisions import Outcome, Setting, begin_hold
from callflow.events import CodeTyped, Event


def reach(call: Call, event: Event, setting: Setting) -> Outcome:
    """Ring the first, whatever code was typed or none."""
    # A code is a key: somebody is there. It stands neither in the keys nor in an address.
    typed = replace(call, heard=call.heard or isinstance(event, CodeTyped))
    return _ring(typed, setting, 1)


def ring_on(call: Call, _event: Event, setting: Setting) -> Outcome:
    """Nobody took the call: ring the next, and after the last hold the line for a handler."""
    # The network may ring longer than asked, and a voicemail picks up first: what the last turn
    # took beyond its time, the next may take as well.
    over = max(0, int(setting.now.timestamp()) - call.since - call.listen)
    return _ring(call, setting, call.asked + 1, over)


def _ring(call: Call, setting: Setting, turn: int, over: int = 0) -> Outcome:
    now, contact = int(setting.now.timestamp()), setting.contact
    rings = () if contact is None else contact.rings
    left = 0 if contact is None else contact.total - (now - call.began)
    for at in range(turn, len(rings) + 1):
        later = len(rings) - at
        seconds = min(rings[at - 1], left - later * SHORTEST_RING - (over if later else 0))
        if seconds < SHORTEST_RING:
            continue
        rung = replace(call, stage=Stage.REACH, asked=at, listen=seconds, since=now)
        if setting.rings:
            return Outcome(rung, RingStaff(seconds))
        # In an exercise nobody is rung; the caller waits as long, and keys are heard.
        return Outcome(rung, HoldLine("", seconds, setting.profile.hold.listening.keys))
    return begin_hold(call, setting, "stay")
