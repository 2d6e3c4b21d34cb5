"""Events, files and stores for these tests, made as the phone and the engine make them."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from callflow.profiles import Profile
from config.grades import read_grades
from config.markers import read_markers
from config.roles import read_roles
from incidents.drain import Drain
from incidents.fold import Incident
from incidents.recorded import Recorded, Sealed, call_key, event_key, seal
from incidents.sealed import Keys
from incidents.segment import Segment
from incidents.store import Store
from incidents.tail import Tail

KEYS: Final = Keys(bytes(range(32)))
NOW: Final = datetime(2026, 12, 22, 18, 3, 11, 42_000, tzinfo=UTC)
ACCOUNT: Final = "AC" + "7" * 32
NUMBER: Final = "+447700900123"

_FILES = Path(__file__).resolve().parents[2] / "config" / "profiles"
PROFILES: Final = {
    profile.id: profile
    for path in _FILES.glob("*.toml")
    for profile in [Profile.read(tomllib.loads(path.read_text(encoding="utf-8")))]
}
MARKERS: Final = read_markers(
    tomllib.loads((_FILES.parent / "markers.toml").read_text(encoding="utf-8")),
    read_grades(tomllib.loads((_FILES.parent / "grades.toml").read_text(encoding="utf-8"))),
)

ROLES: Final = read_roles(tomllib.loads((_FILES.parent / "roles.toml").read_text(encoding="utf-8")))

_sids = itertools.count(1)


def after(seconds: float) -> datetime:
    """The moment ``seconds`` after the tests' now."""
    return NOW + timedelta(seconds=seconds)


@dataclass(slots=True)
class Caller:
    """One call; each method gives an event as the phone would record it."""

    number: str | None = NUMBER
    withheld: bool = False
    purpose: str = "live"
    began: datetime = NOW
    profile: str = "gb"
    sid: str = field(default_factory=lambda: f"CA{next(_sids):032x}")

    @property
    def key(self) -> str:
        """The name of the call inside."""
        return call_key(KEYS, ACCOUNT, self.sid)

    @property
    def reference(self) -> str:
        """The incident's reference."""
        return KEYS.reference(self.key)

    def event(
        self, kind: str, step: int, *, at: datetime | None = None, content: str = "", **data: Any
    ) -> Recorded:
        """Any event of the phone."""
        base = {
            "line": "emergency",
            "profile": self.profile,
            "purpose": self.purpose,
            "number": self.number,
            "withheld": self.withheld,
        }
        return Recorded(
            key=event_key(KEYS, self.key, step, kind, content),
            call_key=self.key,
            call_sid=self.sid,
            month=self.began.strftime("%Y-%m"),
            step=step,
            kind=kind,
            at=at or self.began + timedelta(seconds=step),
            data={**base, **data},
        )

    def arrives(self) -> Recorded:
        """The call comes in."""
        return self.event("call_arrived", 0, stage="new", next="service", prompt="service")

    def presses(self, keys: str, step: int = 1, **more: Any) -> Recorded:
        """Keys are pressed."""
        facts = {"keys": keys, "signal": "5x2", "stage": "service", "next": "hold", **more}
        return self.event("keys_pressed", step, content=keys, **facts)

    def says(self, words: str, step: int = 1) -> Recorded:
        """Something is heard."""
        return self.event("sound_heard", step, content=words, words=words, next="hold")

    def stays_silent(self, step: int = 1) -> Recorded:
        """Nothing is heard."""
        return self.event("nothing_heard", step, stage="service", next="service")

    def hangs_up(self, at: datetime | None = None) -> Recorded:
        """The call is over."""
        ended = at or self.began + timedelta(seconds=60)
        return self.event("call_ended", 0, at=ended, content="completed", status="completed")

    def is_connected(self, step: int = 5) -> Recorded:
        """The control room answers: the one event that does not name the caller."""
        event = self.event("connected", step)
        return replace(event, call_sid="", data={"to": "control room"})


def sealed(*events: Recorded) -> list[Sealed]:
    """The events as they stand on a disk."""
    return [seal(event, KEYS) for event in events]


def written(folder: Path, *events: Recorded) -> Segment:
    """Write events into a new file, which stays open as its writer would keep it."""
    segment = Segment(folder)
    if events:
        segment.append(sealed(*events))
    return segment


def left(folder: Path, *events: Recorded) -> str:
    """Write events into a new file whose writer then goes. Returns its name."""
    segment = written(folder, *events)
    segment.close()
    return segment.name


@dataclass(slots=True)
class Machine:
    """One machine: its journal folders and the store, drained by hand."""

    data: Path
    store: Store
    keys: Keys = KEYS
    profiles: dict[str, Profile] = field(default_factory=lambda: PROFILES)

    @property
    def folders(self) -> Sequence[Path]:
        """The journal's folder and the spare one."""
        return self.data / "journal", self.data / "journal-spare"

    def drain(self) -> Drain:
        """A drain as a fresh engine process has it."""
        return Drain(self.store, Tail(self.folders), self.keys, self.profiles, MARKERS, ROLES)

    def drained(self, *events: Recorded) -> None:
        """Have events in the store, each call's in a file of its own if given so."""
        left(self.folders[0], *events)
        drain_all(self.drain())

    def incident(self, caller: Caller) -> Incident:
        """The incident of a call, which must be there."""
        found = self.store.incident(caller.reference)
        assert found is not None
        return found


def drain_all(drain: Drain) -> int:
    """Drain until nothing more comes. Returns how many events came."""
    return sum(iter(drain.run_once, 0))


def references(found: Iterable[Incident]) -> list[str]:
    """The references, in order."""
    return [incident.reference for incident in found]
