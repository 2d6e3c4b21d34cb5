"""The end of a call: what is noted, and the one status callback an inbound call sends."""

from __future__ import annotations

from email.utils import format_datetime
from typing import TYPE_CHECKING

from simulator.moments import EndedBy

if TYPE_CHECKING:
    from simulator.playing import Player


def finish(player: Player, by: EndedBy, why: str) -> None:
    """Close the line, then tell the product, in the order the knobs ask for."""
    call, leg = player.call, player.leg
    call.ended_at = call.clock.now()
    call.ended_by = by
    if leg.status == "in-progress":
        leg.status = "completed"
    elif leg.status == "ringing":
        leg.status = "no-answer"
    call.note("ended", why, by=by)
    posts = [_tell_late, _tell_end]
    for post in reversed(posts) if call.network.knobs.reorder else posts:
        post(player)


def _tell_late(player: Player) -> None:
    """Deliver what was under way when the line closed; nobody hears the answer."""
    while player.late:
        request, parameters = player.late.pop(0)
        if player.tell(request.url, parameters):
            player.delivered(request)


def _tell_end(player: Player) -> None:
    # Twilio: "CallStatus, CallDuration, SequenceNumber from 0, Timestamp (RFC 2822),
    # CallbackSource=call-progress-events. An inbound number only sends the end of the call."
    call = player.call
    target = call.network.target
    if call.network.knobs.lose_status or not target.status_path:
        return
    parameters = [
        *player.leg.parameters(),
        ("CallDuration", str(call.duration)),
        ("Duration", str(-(-call.duration // 60))),
        ("SequenceNumber", "0"),
        ("Timestamp", format_datetime(call.clock.today())),
        ("CallbackSource", "call-progress-events"),
        ("SipResponseCode", "200"),
    ]
    call.end_delivered = player.tell(target.public(target.status_path), parameters)
