"""What the other processes say of themselves, and what their silence says.

Phone and engine send a beat every two seconds with the alarms they have. An
alarm stands until a later beat of its process leaves it out; a process that has
not been heard for ten seconds is an alarm itself. Pure: ``now`` is an argument.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

SILENT_AFTER: Final = timedelta(seconds=10)
PROCESSES: Final = ("phone", "engine")
"""The processes that must be heard."""
MOST_ALARMS: Final = 50
LONGEST_TEXT: Final = 300


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something is wrong with us, in words for a handler."""

    id: str
    text: str
    since: datetime

    def as_json(self, *, over: bool = False) -> dict[str, object]:
        """The alarm as the live feed sends it."""
        since = self.since.astimezone(UTC).isoformat(timespec="milliseconds")
        return {
            "id": self.id,
            "text": self.text,
            "since": since.replace("+00:00", "Z"),
            "over": over,
        }


@dataclass(frozen=True, slots=True)
class Beat:
    """One status beat of one process."""

    process: str
    pid: int
    alarms: tuple[Alarm, ...]
    figures: Mapping[str, Any]


def read(datagram: bytes, now: datetime) -> Beat | None:
    """Read a datagram as a beat, or return None when it is something else.

    Anything on this machine that may write to the folder may send one, so every
    field is checked and cut to size.
    """
    if not datagram.startswith(b"{"):
        return None
    try:
        said = json.loads(datagram)
        process, pid = str(said["process"])[:40], int(said.get("pid", 0))
        alarms = tuple(_alarm(alarm, now) for alarm in list(said.get("alarms", ()))[:MOST_ALARMS])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    figures = {name: said[name] for name in ("counters", "gauges") if name in said}
    return Beat(process, pid, alarms, figures)


def _alarm(said: Mapping[str, Any], now: datetime) -> Alarm:
    try:
        since = datetime.fromisoformat(str(said["since"]))
    except (KeyError, ValueError):
        since = now
    if since.tzinfo is None:
        since = now
    return Alarm(str(said["id"])[:80], str(said["text"])[:LONGEST_TEXT], since)


class Beats:
    """The latest beat of every process, and the alarms that stand."""

    def __init__(self, now: datetime, processes: Iterable[str] = PROCESSES) -> None:
        self._started = now
        self._processes = tuple(processes)
        self._heard: dict[tuple[str, int], tuple[datetime, Beat]] = {}
        self._own: dict[str, Alarm] = {}

    def hear(self, beat: Beat, now: datetime) -> None:
        """Take in a beat."""
        self._heard[beat.process, beat.pid] = (now, beat)

    def raise_own(self, name: str, text: str, now: datetime) -> None:
        """Raise an alarm of this process; one that already stands keeps its time."""
        if name not in self._own:
            self._own[name] = Alarm(name, text, now)

    def end_own(self, name: str) -> None:
        """End an alarm of this process."""
        self._own.pop(name, None)

    def latest(self) -> list[Beat]:
        """Return the last beat of every process heard lately, for the metrics."""
        return [beat for _, beat in list(self._heard.values())]

    def heard_at(self, process: str) -> datetime | None:
        """Return when any process of that name was last heard."""
        times = [at for (name, _), (at, _) in list(self._heard.items()) if name == process]
        return max(times, default=None)

    def silent(self, process: str, now: datetime) -> bool:
        """Say whether a process has not been heard for too long."""
        return now - (self.heard_at(process) or self._started) > SILENT_AFTER

    def alarms(self, now: datetime) -> list[Alarm]:
        """Return every alarm that stands, the oldest first.

        Two workers with one trouble make one alarm. A worker that was replaced
        takes its alarms with it; the alarms of a process that fell silent
        altogether stay, because nothing has said that they are over.
        """
        standing: dict[str, Alarm] = dict(self._own)
        for process in self._processes:
            if self.silent(process, now):
                since = self.heard_at(process) or self._started
                alarm = Alarm(f"silent-{process}", _silence(process), since)
                standing[alarm.id] = alarm
        for (process, pid), (at, beat) in list(self._heard.items()):
            if now - at > SILENT_AFTER and not self.silent(process, now):
                del self._heard[process, pid]
                continue
            for alarm in beat.alarms:
                known = standing.get(alarm.id)
                if known is None or alarm.since < known.since:
                    standing[alarm.id] = alarm
        return sorted(standing.values(), key=lambda alarm: (alarm.since, alarm.id))


def _silence(process: str) -> str:
    if process == "phone":
        return "Phone process silent: new calls may not be answered here. Tell the duty engineer."
    return f"{process.capitalize()} process silent. Tell the duty engineer."
