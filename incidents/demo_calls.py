"""Invented calls, as the phone side would have recorded them, and how each was answered.

The same story gives the same calls on the same day, so that what is there already is known.
It writes nothing.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from incidents.demo_story import Sort, Story
from incidents.recorded import Recorded, call_key, event_key
from incidents.sealed import Keys

ACCOUNT: Final = "demo"
_SEED: Final = 55
_LONGEST: Final = timedelta(minutes=12)
"""A call is worked and closed well within so long: none of today's is left half done."""
_MISSED: Final = 0.06
"""Of the calls with a sign: those whose caller was gone before anybody had the call."""


@dataclass(frozen=True, slots=True)
class Made:
    """One invented call. Moments; ``claim`` and what follows are None for a silent call."""

    reference: str
    events: tuple[Recorded, ...]
    signal: str
    claim: datetime | None
    close: datetime
    outcome: str
    grade: str


class Calls:
    """Makes the calls of a story around the day it is told on."""

    def __init__(self, story: Story, keys: Keys, zone: ZoneInfo) -> None:
        self._story = story
        self._keys = keys
        self._zone = zone

    def all(self, today: date, until: datetime) -> Iterator[Made]:
        """Yield every call, the oldest season first. None ends later than ``until``."""
        story = self._story
        begins = today - timedelta(days=story.begins)
        before = begins - timedelta(days=story.baseline)
        yield from self._season("before", before, story.lasts, story.a_day_before, until)
        yield from self._season("now", begins, story.begins + 1, story.a_day, until)

    def _season(
        self, name: str, first: date, days: int, a_day: float, until: datetime
    ) -> Iterator[Made]:
        chance = random.Random(f"{_SEED} {name}")  # noqa: S311 - a story, not a secret
        wanted: list[tuple[datetime, str]] = []
        low, high = (int(one) for one in self._story.numbers)
        for at in range(days):
            day = first + timedelta(days=at)
            # As many as chance gives of two dozen hours, each as likely as the other.
            many = sum(chance.random() < a_day / 24 for _ in range(24))
            wanted += [
                (self._moment(day, chance), f"+{chance.randint(low, high)}") for _ in range(many)
            ]
        for one in self._story.people:
            for _ in range(one.calls if name == "now" else one.calls_before):
                day = first + timedelta(days=chance.randrange(days))
                wanted.append((self._moment(day, chance), one.number))
        for at, (began, number) in enumerate(wanted):
            made = self._call(f"{name} {at}", began, number, chance)
            if began + _LONGEST < until:
                yield made

    def _moment(self, day: date, chance: random.Random) -> datetime:
        # Evenings and nights bring more silent calls than mornings.
        hour = chance.choices(range(24), [3] * 6 + [1] * 6 + [2] * 6 + [4] * 6)[0]
        local = datetime.combine(day, time(hour, chance.randrange(60), chance.randrange(60)))
        return local.replace(tzinfo=self._zone)

    def _call(self, name: str, began: datetime, number: str, chance: random.Random) -> Made:
        sorts = self._story.sorts
        sort: Sort = chance.choices(sorts, [one.weight for one in sorts])[0]
        sid = "CA" + self._keys.look_up(f"demo|{name}")[:32]
        call = call_key(self._keys, ACCOUNT, sid)
        base = {
            "line": "emergency",
            "profile": "gb",
            "purpose": "training",
            "number": number,
            "withheld": False,
            "called": None,
            "language": "en-GB",
        }

        def event(kind: str, step: int, after: float, content: str = "", **data: Any) -> Recorded:
            key = event_key(self._keys, call, step, kind, content)
            at = began + timedelta(seconds=after)
            month = f"{began.astimezone(self._zone):%Y-%m}"
            return Recorded(key, call, sid, month, step, kind, at, {**base, **data})

        sign, answer = chance.uniform(6, 20), chance.expovariate(1 / max(sort.answer, 1))
        missed = sort.signal != "nothing" and chance.random() < _MISSED
        lasts = sign + (min(answer, 4) / 2 if missed else answer + chance.uniform(30, 240))
        told = [event("call_arrived", 0, 0, stage="new", next="service", prompt="service")]
        if sort.signal == "nothing":
            told.append(event("nothing_heard", 1, sign, stage="service", next="signal"))
            lasts = sign + chance.uniform(2, 30)
        elif sort.keys:
            told.append(
                event(
                    "keys_pressed",
                    1,
                    sign,
                    sort.keys,
                    keys=sort.keys,
                    signal="5x2",
                    stage="signal",
                    next="hold",
                )
            )
        else:
            told.append(
                event("sound_heard", 1, sign, "words", words="", stage="service", next="hold")
            )
        told.append(event("call_ended", 0, lasts, "completed", status="completed"))
        claim = None if sort.signal == "nothing" else began + timedelta(seconds=sign + answer)
        after = lasts + chance.uniform(20, 240) if claim is None else max(lasts, sign + answer) + 60
        return Made(
            reference=self._keys.reference(call),
            events=tuple(told),
            signal=sort.signal,
            claim=claim,
            close=began + timedelta(seconds=after),
            outcome=chance.choice(sort.outcomes),
            grade=chance.choice(sort.grades) if sort.grades else "",
        )
