"""Calls for the browser tests: written to the journal of a running Quietline, as the phone does."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from incidents.recorded import Recorded, call_key, event_key, seal
from incidents.sealed import Keys, read_secret
from incidents.segment import Segment
from incidents.wake import JOURNAL, Bell

ACCOUNT = "AC" + "0" * 32
NUMBER = "+447700900123"
_sids = itertools.count(1)


@dataclass(slots=True)
class Exchange:
    """The journal of one running Quietline, and what is needed to write to it."""

    data: Path
    keys: Keys = field(init=False)
    _segment: Segment = field(init=False)
    _bell: Bell = field(init=False)

    def __post_init__(self) -> None:
        self.keys = Keys(read_secret((self.data / "keys").read_text(encoding="ascii")))
        self._segment = Segment(self.data / "journal")
        self._bell = Bell(self.data / "wake")

    def call(
        self,
        number: str | None = NUMBER,
        *,
        ago: float = 0.0,
        profile: str = "gb",
        withheld: bool = False,
        held: str | None = None,
        purpose: str = "training",
    ) -> Call:
        """Let a call arrive, ``ago`` seconds before now."""
        at = datetime.now(UTC) - timedelta(seconds=ago)
        sid = f"CA{next(_sids):08x}{int(at.timestamp() * 1e6):024x}"
        facts: dict[str, object] = {
            "line": "emergency",
            "profile": profile,
            "purpose": purpose,
            "number": number,
            "withheld": withheld,
        }
        call = Call(self, sid, at, facts)
        call.tell("call_arrived", {"prompt": "which_service", **({"held": held} if held else {})})
        return call

    def write(self, event: Recorded) -> None:
        """Put one event on the disk and wake whoever listens."""
        self._segment.append([seal(event, self.keys)])
        self._bell.ring(JOURNAL)


@dataclass(slots=True)
class Call:
    """One caller's call. ``after``: seconds since it arrived."""

    exchange: Exchange
    sid: str
    at: datetime
    facts: dict[str, object]
    step: int = 0

    @property
    def reference(self) -> str:
        """The incident's reference."""
        return self.exchange.keys.reference(call_key(self.exchange.keys, ACCOUNT, self.sid))

    def presses(self, keys: str, *, after: float | None = None) -> Call:
        """Press keys."""
        return self.tell("keys_pressed", {"keys": keys, "signal": "5x2"}, after=after)

    def says(self, words: str, *, after: float | None = None) -> Call:
        """Say something, or let somebody else in the room say it."""
        return self.tell("sound_heard", {"words": words, "confidence": 0.6}, after=after)

    def is_silent(self, prompt: str, *, after: float | None = None) -> Call:
        """Give no sign while a prompt is played."""
        return self.tell("nothing_heard", {"prompt": prompt}, after=after)

    def hangs_up(self, *, after: float | None = None) -> Call:
        """Drop the line."""
        return self.tell("call_ended", {"status": "completed", "duration": 31}, after=after)

    def is_let_go(self, *, after: float | None = None) -> Call:
        """Reach the end of the prompts without a sign."""
        said: dict[str, object] = {"stage": "ended", "next": "ended"}
        return self.tell("nothing_heard", said, after=after)

    def tell(self, kind: str, data: dict[str, object], *, after: float | None = None) -> Call:
        """Write one event of this call; without ``after`` it happens now."""
        keys = self.exchange.keys
        name = call_key(keys, ACCOUNT, self.sid)
        at = datetime.now(UTC) if after is None else self.at + timedelta(seconds=after)
        if kind == "call_arrived":
            at = self.at
        self.step += 1
        self.exchange.write(
            Recorded(
                key=event_key(keys, name, self.step, kind, str(data.get("keys", ""))),
                call_key=name,
                call_sid=self.sid,
                month=f"{at:%Y-%m}",
                step=self.step,
                kind=kind,
                at=at.replace(microsecond=at.microsecond // 1000 * 1000),
                data={**self.facts, **data},
            )
        )
        return self


_evenings = itertools.count()


def an_evening(exchange: Exchange) -> list[Call]:
    """Write the calls of an ordinary bad evening, one of every kind, each time by other callers.

    Five calls of one number are a flood, and fold on the board.
    """
    first = 800 + next(_evenings) * 6 % 190
    numbers = [f"+447700900{first + nth}" for nth in range(6)]
    landline = f"+441632960{first}"
    return [
        exchange.call(numbers[0], ago=7).presses("5", after=3).presses("5", after=6),
        exchange.call(numbers[1], ago=31)
        .is_silent("any_key", after=9)
        .presses("55", after=14)
        .hangs_up(after=22),
        exchange.call(None, withheld=True, ago=52).presses("7", after=12),
        exchange.call(landline, profile="gb-landline", ago=95, held="landline, no sign yet"),
        exchange.call(numbers[2], ago=140).says("leave it, who are you ringing", after=15),
        exchange.call(numbers[3], ago=640).hangs_up(after=21),
        exchange.call(numbers[3], ago=4),
        exchange.call(numbers[4], ago=1260).is_let_go(after=52),
        exchange.call(numbers[5], ago=4000).hangs_up(after=9),
    ]
