"""Local days, and what they are as moments: the range a figure counts, and how much has passed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """Local days from the first to the last; both belong to it."""

    from_day: date
    to_day: date
    zone: ZoneInfo

    @property
    def since(self) -> datetime:
        """Its first moment, in UTC."""
        return self._midnight(self.from_day)

    @property
    def until(self) -> datetime:
        """The moment after its last, in UTC."""
        return self._midnight(self.to_day + DAY)

    @property
    def length(self) -> int:
        """Its days."""
        return (self.to_day - self.from_day).days + 1

    def passed(self, now: datetime) -> float:
        """Return how many of its days have passed, today as the part of it that has."""
        if now >= self.until:
            return float(self.length)
        if now <= self.since:
            return 0.0
        today = now.astimezone(self.zone).date()
        start, end = self._midnight(today), self._midnight(today + DAY)
        return (today - self.from_day).days + (now - start) / (end - start)

    def first(self, days: int) -> Period:
        """Return its first ``days`` days, or all of it when it has no more."""
        return replace(self, to_day=min(self.to_day, self.from_day + (days - 1) * DAY))

    def day_of(self, at: datetime) -> date:
        """Return the local day of a moment."""
        return at.astimezone(self.zone).date()

    def days(self) -> tuple[date, ...]:
        """Return every day of it."""
        return tuple(self.from_day + at * DAY for at in range(self.length))

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)
