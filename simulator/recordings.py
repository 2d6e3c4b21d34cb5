"""Recordings that ``<Play>`` names: fetched as Twilio fetches them, measured, never heard."""

from __future__ import annotations

import io
import wave
from typing import TYPE_CHECKING

from simulator.twiml import INVALID_CONTENT_TYPE, Refused

if TYPE_CHECKING:
    from simulator.playing import Player

UNKNOWN_SECONDS = 3.0


def recording_seconds(player: Player, url: str) -> float:
    """Fetch a recording and return its length; what is wrong with it is noted as a fault."""
    try:
        answer = player.call.network.fetch(url)
    except Refused as refused:
        player.fault(refused.code, refused.reason)
        return 0.0
    if not answer.content_type.startswith("audio/"):
        player.fault(INVALID_CONTENT_TYPE, f"{url} is {answer.content_type}, no sound")
    try:
        with wave.open(io.BytesIO(answer.body)) as sound:
            return float(sound.getnframes() / sound.getframerate())
    except (wave.Error, EOFError, ZeroDivisionError):
        return UNKNOWN_SECONDS
