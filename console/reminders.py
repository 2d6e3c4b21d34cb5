"""Reminders in the header of every page: how much of one's own is due, what is late, what waits.

Counts alone, each beside the page that has the list. They come from the store with little
patience: a page, and above all the live board, never waits for them; then none are shown.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

from flask import Blueprint, Response, g, jsonify, request
from flask.typing import ResponseReturnValue

from console import words
from console.guard import doors, for_right, holder
from incidents.accounts import Holder
from incidents.follow_ups import FollowUps
from incidents.patience import Patient
from incidents.reviewing import Reviewing
from incidents.store import Store
from incidents.transactions import StoreUnavailable

FRESH_FOR: Final = timedelta(seconds=15)
PATIENCE_S: Final = 1.0
"""Seconds a page waits for counts; a store that works takes a hundredth of it."""


@dataclass(frozen=True, slots=True)
class Badge:
    """A number beside the name of a page. ``late``: something has waited too long."""

    count: int
    words: str
    late: bool


Badges = dict[str, Badge]


class Reminders:
    """The counts of everybody who asked lately."""

    def __init__(
        self,
        store: Store,
        follow_ups: FollowUps,
        reviewing: Reviewing,
        patience: float = PATIENCE_S,
    ) -> None:
        self._follow_ups = follow_ups
        self._reviewing = reviewing
        self._patient = Patient(store, patience)
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[datetime, Badges]] = {}
        self._in_review: tuple[datetime, int] | None = None

    def of(self, holder: Holder, now: datetime) -> Badges:
        """Return the badges of ``holder`` by the path of the page; none when nobody can tell."""
        with self._lock:
            at, kept = self._kept.get(holder.name, (None, Badges()))
        if at is not None and now - FRESH_FOR < at <= now:
            return kept
        try:
            made = self._patient.ask(lambda _: self._count(holder, now))
        except StoreUnavailable:
            made = Badges()
        with self._lock:
            self._kept = {
                name: (at, badges)
                for name, (at, badges) in self._kept.items()
                if now - FRESH_FOR < at <= now
            }
            self._kept[holder.name] = now, made
        return made

    def forget(self) -> None:
        """Count anew: somebody has just done something."""
        with self._lock:
            self._kept, self._in_review = {}, None

    def _overdue(self, now: datetime) -> int:
        """Count the calls that are late in review, once for everybody: there may be thousands."""
        kept = self._in_review
        if kept is None or not now - FRESH_FOR < kept[0] <= now:
            kept = self._in_review = now, self._reviewing.overdue(now)
        return kept[1]

    def _count(self, holder: Holder, now: datetime) -> Badges:
        found = Badges()
        if holder.may("people"):
            counts = self._follow_ups.counts(holder.name, now, _end_of_day(now))
            late = f", {counts.late} of them late" if counts.late else ""
            found["/my-day"] = Badge(counts.due, f"due today{late}", counts.late > 0)
            if holder.may("supervise"):
                said = f"to see to: {counts.overdue} overdue, {counts.unowned} that nobody has"
                count = counts.overdue + counts.unowned
                found["/overdue"] = Badge(count, said, counts.overdue > 0)
        if holder.may("read"):
            late_reviews = self._overdue(now)
            found["/review"] = Badge(late_reviews, "overdue", True)
        return {path: badge for path, badge in found.items() if badge.count}


def blueprint(reminders: Reminders) -> Blueprint:
    """Make the blueprint."""
    pages = Blueprint("reminders", __name__)

    @pages.get("/reminders")
    @for_right("people")
    def counts() -> ResponseReturnValue:
        """Give the badges of a page that stays open, by the path of the page each stands beside."""
        mine = reminders.of(holder(), doors().clock())
        told = {
            path: {"count": one.count, "words": one.words, "late": one.late}
            for path, one in mine.items()
        }
        answer = jsonify(told)
        answer.cache_control.no_store = True
        return answer

    @pages.after_app_request
    def count_anew(answer: Response) -> Response:
        if request.method == "POST":
            reminders.forget()
        return answer

    @pages.app_context_processor
    def furnish() -> dict[str, object]:
        def badges() -> Badges:
            mine: Holder | None = g.get("holder")
            return reminders.of(mine, doors().clock()) if mine else Badges()

        return {"badges": badges}

    return pages


def _end_of_day(now: datetime) -> datetime:
    """Return the moment at which the local day ends."""
    tomorrow = now.astimezone(words.LOCAL).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), words.LOCAL)
