"""Who is at work: whose screen was heard from, and when.

Two readers: pages and the desk ask by the clock on the wall (``Presence``); the ladder
watches for change (``Duty``), so that no clock that is set makes anybody vanish. It
signs nobody in or out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, Row, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from incidents.tables import presence
from incidents.transactions import reading, writing

AWAY: Final = timedelta(seconds=25)
"""A screen not heard from for so long is silent (issue text, Claiming and The ladder)."""
WRITTEN_WITHIN_MS: Final = 6_000
"""A sign of life stands in the store within this."""
SETTLE_MS: Final = 10_000
"""Nobody is judged absent sooner after the start of the engine: screens come back by themselves
within seconds when everything was started at once."""


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Somebody with a live feed that was heard from lately."""

    name: str
    role: str
    feed_at: datetime


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of life. ``feed_at``: when a live feed was heard from, None: there was none."""

    name: str
    role: str
    heard_at: datetime
    feed_at: datetime | None


class Presence:
    """The table of who was heard from. Every method raises ``StoreUnavailable``."""

    def __init__(self, engine: Engine, away: timedelta = AWAY) -> None:
        self._engine = engine
        self._away = away

    def heard(self, people: Mapping[str, tuple[str, bool]], now: datetime) -> None:
        """Write down who was heard from now: name → (role, whether a live feed of theirs was)."""
        self.note(
            [Sign(name, role, now, now if feed else None) for name, (role, feed) in people.items()]
        )

    def note(self, signs: Sequence[Sign]) -> None:
        """Write signs of life down, in one batch.

        Somebody without a feed keeps the time at which one was last heard from.
        """
        rows: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
        for sign in sorted(signs, key=lambda sign: sign.name):
            row: dict[str, Any] = {
                "name": sign.name,
                "role": sign.role,
                "heard_at": sign.heard_at,
            }
            feed = sign.feed_at is not None
            rows[feed].append({**row, "feed_at": sign.feed_at} if feed else row)
        if not signs:
            return
        insert = sqlite_insert if self._engine.dialect.name == "sqlite" else postgresql_insert
        with writing(self._engine) as connection:
            for batch in rows.values():
                if batch:
                    statement = insert(presence)
                    changed = {key: statement.excluded[key] for key in batch[0] if key != "name"}
                    connection.execute(
                        statement.on_conflict_do_update(
                            index_elements=[presence.c.name], set_=changed
                        ),
                        batch,
                    )

    def on_duty(self, now: datetime, roles: Sequence[str]) -> list[OnDuty]:
        """Return who of these roles has a live feed that was heard from lately, by name."""
        query = (
            select(presence.c.name, presence.c.role, presence.c.feed_at)
            .where(presence.c.role.in_(roles), presence.c.feed_at >= now - self._away)
            .order_by(presence.c.name)
        )
        with reading(self._engine) as connection:
            return [OnDuty(*row) for row in connection.execute(query)]

    def silent(self, names: Iterable[str], now: datetime) -> set[str]:
        """Return those of ``names`` who were not heard from lately, or never."""
        asked = set(names)
        query = select(presence.c.name).where(
            presence.c.name.in_(sorted(asked)), presence.c.heard_at >= now - self._away
        )
        with reading(self._engine) as connection:
            return asked.difference(connection.scalars(query))

    def everybody(self) -> Sequence[Row[Any]]:
        """Return every row: name, role, heard_at, feed_at."""
        with reading(self._engine) as connection:
            return connection.execute(select(presence)).all()


class Duty:
    """Who is at work, told by what changes between two looks and never by the wall clock."""

    def __init__(self, away: timedelta = AWAY) -> None:
        self._away_ms = int(away.total_seconds() * 1000)
        self._heard: dict[str, tuple[datetime, int]] = {}
        self._feeds: dict[str, tuple[datetime, int]] = {}
        self._roles: dict[str, str] = {}
        self._first_ms: int | None = None
        self._ms = 0

    def look(self, rows: Iterable[Row[Any]], now: datetime, ms: int) -> None:
        """Take in the rows of ``Presence.everybody`` as they are at ``ms`` of the steady clock."""
        if self._first_ms is not None and ms - self._ms > WRITTEN_WITHIN_MS:
            self.doubt()  # the store was away, or the machine asleep: nobody could be heard
        first = self._first_ms is None
        if self._first_ms is None:
            self._first_ms = ms
        self._ms = ms
        for row in rows:
            self._roles[row.name] = row.role
            self._note(self._heard, row.name, row.heard_at, now, first)
            if row.feed_at is not None:
                self._note(self._feeds, row.name, row.feed_at, now, first)

    def _note(
        self,
        known: dict[str, tuple[datetime, int]],
        name: str,
        at: datetime,
        now: datetime,
        first: bool,
    ) -> None:
        if name in known and known[name][0] == at:
            return
        # The wall clock is asked only as far as it cannot do harm: a sign of life is written
        # down within seconds, and at the first look nobody is judged at once.
        told = int((now - at).total_seconds() * 1000)
        passed = max(0, min(told, self._away_ms - SETTLE_MS if first else WRITTEN_WITHIN_MS))
        known[name] = (at, self._ms - passed)

    def doubt(self) -> None:
        """Begin anew: for a while nobody could be written down, and silence says nothing."""
        self._first_ms = None
        self._heard.clear()
        self._feeds.clear()

    @property
    def settled(self) -> bool:
        """Whether it has looked for long enough to say that somebody is absent."""
        return self._first_ms is not None and self._ms - self._first_ms >= SETTLE_MS

    def on_duty(self, roles: Sequence[str]) -> list[str]:
        """Return who of these roles has a live feed that was heard from lately."""
        return sorted(
            name
            for name, (_, ms) in self._feeds.items()
            if self._ms - ms < self._away_ms and self._roles[name] in roles
        )

    def silent(self, name: str) -> bool:
        """Say whether somebody was not heard from for too long, or never."""
        known = self._heard.get(name)
        return known is None or self._ms - known[1] >= self._away_ms
