"""What the rules decide on the line for known victims: ring one after the other, then hold.

Whom they ring they do not know, and nothing here tells a known caller from another. Nobody
is rung after the line's total time, and nobody who was held is rung from here again.
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
    return _ring(call, setting, call.asked + 1)


def _ring(call: Call, setting: Setting, turn: int) -> Outcome:
    contact = setting.contact
    if contact is None or turn > len(contact.rings):
        return begin_hold(call, setting, "stay")
    # A voicemail that picked up may have cost time: what is left of the total is what is rung.
    passed = int(setting.now.timestamp()) - call.began
    seconds = min(contact.rings[turn - 1], contact.total - passed)
    if seconds < SHORTEST_RING:
        return begin_hold(call, setting, "stay")
    rung = replace(call, stage=Stage.REACH, asked=turn, listen=seconds)
    if setting.rings:
        return Outcome(rung, RingStaff(seconds))
    # In an exercise nobody is rung; the caller waits as long, and keys are heard.
    return Outcome(rung, HoldLine("", seconds, setting.profile.hold.listening.keys))
