"""The end of a call: what is noted, and which callback tells the product of it.

It never decides that a call ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.moments import EndedBy

if TYPE_CHECKING:
    from simulator.playing import Player

SIP_ANSWERS = {"busy": "486", "no-answer": "487", "canceled": "487", "failed": "404"}


def finish(player: Player, by: EndedBy, why: str) -> None:
    """Close the line, then tell the product, in the order the knobs ask for."""
    call, leg = player.call, player.leg
    call.ended_at = call.clock.now()
    call.ended_by = by
    if leg.status == "in-progress":
        leg.status = "completed"
    elif leg.status in ("queued", "ringing"):
        ours = by == "us" and leg.direction == "outbound-api"
        leg.status = "canceled" if ours else "no-answer"
    call.note("ended", why, by=by)
    posts = [tell_late, _tell_end]
    for post in reversed(posts) if call.network.knobs.reorder else posts:
        post(player)


def tell_late(player: Player) -> None:
    """Deliver what was under way when it was overtaken; nobody hears the answer."""
    while player.late:
        request, parameters = player.late.pop(0)
        if player.tell(request.url, parameters):
            player.delivered(request)


def tell_progress(player: Player, event: str) -> bool:
    """Post one call progress event, where the call asks to be told of it; say if it was taken.

    Twilio: "CallStatus, CallDuration, SequenceNumber from 0, Timestamp (RFC 2822),
    CallbackSource=call-progress-events. An inbound number only sends the end of the call."
    """
    call, leg = player.call, player.leg
    if not call.status_url or event not in call.status_events:
        return False
    parameters = [
        *leg.parameters(),
        ("SequenceNumber", str(leg.sequence)),
        ("Timestamp", player.stamp()),
        ("CallbackSource", "call-progress-events"),
    ]
    leg.sequence += 1
    if event == "completed":
        parameters += [
            ("CallDuration", str(call.duration)),
            ("Duration", str(-(-call.duration // 60))),
            ("SipResponseCode", SIP_ANSWERS.get(leg.status, "200")),
        ]
    return player.tell(call.status_url, parameters)


def _tell_end(player: Player) -> None:
    call = player.call
    if not call.network.knobs.lose_status:
        call.end_delivered = tell_progress(player, "completed")
