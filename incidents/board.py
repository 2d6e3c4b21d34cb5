"""The live board in memory: the fold of what the journal and the store say.

Both sources tell the same events and the fold makes the overlap harmless, so an
alert is shown as soon as either has it, and with the store down this machine's
alerts still come. Reads only; one thread at a time.
"""

import contextlib
import logging
import re
import secrets
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from incidents.fold import Entry, Folded, Incident, NothingToFold, fold
from incidents.handled import handled
from incidents.patience import PATIENCE_AT_FIRST, Patient
from incidents.recorded import Recorded, Sealed, unseal
from incidents.sealed import CannotOpen, Keys
from incidents.store import BOARD_REVIEW_HOURS, Store
from incidents.tail import Tail
from incidents.transactions import StoreUnavailable

log = logging.getLogger(__name__)

_PLACE = re.compile(r"[0-9]{1,18}\Z")
REVIEWS_SHOWN = 200
"""Newest incidents in review shown on the live board; the review list has them all."""
KEPT_CHANGES = 5000
"""Changes remembered for screens that come back; a screen away for longer gets a snapshot."""
STORE_EVERY = 0.25
"""Seconds between looks at the store while the journal brings alerts."""
TIDY = timedelta(minutes=1)
REMEMBERED = timedelta(hours=1)
"""How long the events of a call that is over are kept in memory."""


@dataclass(frozen=True, slots=True)
class Change:
    """An incident as it now stands. ``id`` names the place in the feed, for ``Last-Event-ID``."""

    incident: Incident
    id: str


class Board:
    """What every screen of this console shows."""

    def __init__(self, store: Store, journals: Sequence[Path], keys: Keys) -> None:
        self._patient = Patient(store)
        self.unread = store.unread
        self._keys = keys
        self._tail = Tail(journals)
        self._started = False
        self._revision = 0
        self._events: dict[str, dict[str, Recorded]] = {}
        self._stored: dict[str, Incident] = {}
        self._shown: dict[str, Incident] = {}
        self._touched: dict[str, bool] = {}
        self._calls: dict[str, str] = {}
        self._boot = secrets.token_hex(4)
        self._sequence = 0
        self._log: deque[tuple[int, str]] = deque(maxlen=KEPT_CHANGES)
        self._tidy_at = datetime.min.replace(tzinfo=UTC)
        self._asked_at = -STORE_EVERY
        self.store_ok = False
        self.unopened = 0
        self.proved: list[str] = []
        """Calls that only prove that the way works, and came this far; whoever reads empties it."""

    @property
    def journal_ok(self) -> bool:
        """Say whether every file of the journal could be read."""
        return not self._tail.unreadable

    def refresh(self, now: datetime | None = None) -> list[Change]:
        """Read what is new. Returns the incidents that changed, each once.

        The journal first, and when it has something, the store at most every ``STORE_EVERY``
        seconds: an alert never waits for the store.
        """
        now = now or datetime.now(UTC)
        first = not self._started
        if not first:
            self._read_journal()
        if not self._touched or time.monotonic() - self._asked_at >= STORE_EVERY:
            self._ask_store(now)
        if first:
            self._read_journal()
        touched, self._touched = self._touched, {}
        changes = [change for call, told in touched.items() if (change := self._show(call, told))]
        self._forget(now)
        return changes

    def _ask_store(self, now: datetime) -> None:
        self._asked_at = time.monotonic()
        try:
            if not self._started:
                self._start(now)
            self._read_store()
            self.store_ok = True
        except StoreUnavailable:
            self.store_ok = False

    def snapshot(self, now: datetime | None = None) -> list[Change]:
        """Return everything on the board: what waits or is claimed, and the newest in review."""
        now = now or datetime.now(UTC)
        recent = now - timedelta(hours=BOARD_REVIEW_HOURS)
        live = [one for one in self._shown.values() if _on_board(one)]
        review = [one for one in live if one.state == "review" and one.started_at >= recent]
        review.sort(key=lambda one: one.started_at, reverse=True)
        others = [one for one in live if one.state != "review"]
        shown = sorted([*others, *review[:REVIEWS_SHOWN]], key=_order)
        place = self.place()
        return [Change(incident, place) for incident in shown]

    def place(self) -> str:
        """The place in the feed after everything so far."""
        return f"{self._boot}-{self._sequence}"

    def since(self, last_event_id: str) -> list[Change] | None:
        """Return what changed after a place, or None when that cannot be told any more."""
        boot, _, sequence = last_event_id.partition("-")
        if boot != self._boot or not _PLACE.match(sequence):
            return None
        after = int(sequence)
        oldest = self._log[0][0] if self._log else self._sequence + 1
        if after > self._sequence or after < oldest - 1:
            return None
        calls = dict.fromkeys(call for at, call in self._log if at > after)
        if any(call not in self._shown for call in calls):
            return None  # forgotten since: a screen that still shows it needs the whole board
        place = self.place()
        return [Change(self._shown[call], place) for call in calls]

    def incident(self, reference: str) -> Incident | None:
        """Return an incident the board remembers, or None."""
        call = self._calls.get(reference)
        return None if call is None else self._shown.get(call)

    def newest(self, reference: str) -> Incident | None:
        """Return an incident the board remembers, with what people did as the store has it now.

        Whoever just claimed a call reads it back at once, before the next look at the store.
        """
        call, shown = self._calls.get(reference), self.incident(reference)
        with contextlib.suppress(StoreUnavailable):
            stored = self._patient.ask(lambda store: store.incident(reference))
            if call is None or stored is None:
                return stored or shown
            folded = self._fold(call)
            return stored if folded is None else handled(folded.incident, stored)
        return shown

    def timeline(self, reference: str) -> list[Entry] | None:
        """Return the timeline of a call whose events are in memory, or None.

        Works with the store down, then without what people wrote.
        """
        call = self._calls.get(reference)
        folded = None if call is None else self._fold(call)
        if folded is None:
            return None
        entries = list(folded.entries)
        # Not in the store yet, or the store is down: the facts are worth showing.
        with contextlib.suppress(StoreUnavailable, LookupError):
            entries += self._patient.ask(lambda store: store.written(reference))
        return sorted(entries, key=lambda entry: entry.at)

    def _start(self, now: datetime) -> None:
        revision, stored, drained = self._patient.ask(
            lambda store: (store.revision(), store.board(now), store.drained()), PATIENCE_AT_FIRST
        )
        for incident in stored:
            self._stored[incident.call_key] = incident
        # The store may have been down until now, with screens open: they are told,
        # and what the journal has said meanwhile is not taken back.
        self._take_in({incident.call_key: True for incident in stored})
        self._tail.look()
        self._tail.go_back(drained)
        self._revision = revision
        self._started = True

    def _read_store(self) -> None:
        """Take in what changed in the store."""
        while changed := self._patient.ask(lambda store: store.changed_since(self._revision)):
            # Revisions have no gaps: when there is one here, a row was written twice.
            each_once = changed[-1][0] - self._revision == len(changed)
            told = {}
            for _, incident in changed:
                # What the drain copied was shown from the journal, and every screen would be
                # sent the same again. A note changes the revision and nothing else.
                same = self._stored.get(incident.call_key) == incident
                told[incident.call_key] = same or not each_once
                self._stored[incident.call_key] = incident
            self._take_in(told)
            # Only now: a store that fails in between is asked for the same again.
            self._revision = changed[-1][0]

    def _take_in(self, calls: Mapping[str, bool]) -> None:
        """Have these calls shown as the store tells them, their events joined with ours.

        With each whether to tell it even if it looks the same.
        """
        for call, told in calls.items():
            self._touched[call] = told or self._touched.get(call, False)
        self._remember_stored([call for call in self._touched if call in self._events])

    def _remember_stored(self, calls: Sequence[str]) -> None:
        if calls:
            known = self._patient.ask(lambda store: store.events_of(calls))
            for call, recorded in known.items():
                self._events[call].update({event.key: event for event in recorded})

    def _read_journal(self) -> None:
        """Take in what is new in the journal."""
        found = self._open(self._tail.read())
        fresh = {event.call_key for event in found if event.call_key not in self._events}
        for call in fresh:
            self._events[call] = {}
        self._remember(found)
        try:
            self._remember_stored([call for call in fresh if call in self._stored])
        except StoreUnavailable:
            self.store_ok = False
            # The first 5 of this call is in the store, which is down, and the second has
            # come: what is stored still stands in the journal, further back.
            self._tail.go_back({})
            while found := self._open(self._tail.read()):
                self._remember(found)

    def _remember(self, found: Sequence[Recorded]) -> None:
        for event in found:
            known = self._events.setdefault(event.call_key, {})
            if event.key not in known:
                known[event.key] = event
                self._touched.setdefault(event.call_key, False)

    def _open(self, found: Sequence[tuple[str, int, Sealed]]) -> list[Recorded]:
        opened = []
        for _, _, sealed in found:
            try:
                opened.append(unseal(sealed, self._keys))
            except (CannotOpen, ValueError):
                self.unopened += 1
        return opened

    def _fold(self, call: str) -> Folded | None:
        """Fold what is in memory of a call; None when that says nothing of it yet."""
        reference = self._keys.reference(call)
        try:
            return fold(self._events.get(call, {}).values(), reference)
        except NothingToFold:
            return None
        except Exception:
            log.exception("an event of an incident cannot be folded and is left out")
        # One event of a shape we do not know must not hide the others of its call,
        # and never any other call.
        good: dict[str, Recorded] = {}
        folded = None
        for event in sorted(self._events[call].values(), key=lambda event: (event.step, event.at)):
            try:
                folded = fold([*good.values(), event], reference)
            except NothingToFold:
                pass
            except Exception:
                self.unopened += 1
                continue
            good[event.key] = event
        self._events[call] = good
        return folded

    def _show(self, call: str, told_by_store: bool) -> Change | None:
        """Fold one call again. Returns the change, or None when there is nothing to tell.

        What the store tells may be a note, which changes the timeline and not the incident.
        """
        stored = self._stored.get(call)
        incident = stored
        if (folded := self._fold(call)) is not None:
            incident = folded.incident if stored is None else handled(folded.incident, stored)
        if incident is None:
            return None
        if incident.purpose == "proof":
            self.proved.append(call)
            return None
        if self._shown.get(call) == incident and not told_by_store:
            return None
        self._put(incident)
        self._sequence += 1
        self._log.append((self._sequence, call))
        return Change(incident, self.place())

    def _put(self, incident: Incident) -> None:
        self._shown[incident.call_key] = incident
        self._calls[incident.reference] = incident.call_key

    def _forget(self, now: datetime) -> None:
        """Drop from memory what is over, stored and old, and what is no longer on the board."""
        if now < self._tidy_at:
            return
        self._tidy_at = now + TIDY
        with contextlib.suppress(StoreUnavailable):
            self._patient.ask(lambda store: store.look_again())
        for call, incident in list(self._shown.items()):
            over = incident.ended_at is not None and incident.ended_at < now - REMEMBERED
            if not over or call not in self._stored:
                continue
            self._events.pop(call, None)
            yesterday = incident.started_at < now - timedelta(hours=BOARD_REVIEW_HOURS)
            if incident.state == "closed" or (incident.state == "review" and yesterday):
                del self._shown[call], self._stored[call]
                self._calls.pop(incident.reference, None)


def _on_board(incident: Incident) -> bool:
    return incident.state in ("waiting", "claimed", "review")


def _order(incident: Incident) -> tuple[int, datetime]:
    return incident.urgency, incident.started_at
