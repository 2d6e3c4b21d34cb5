"""What the console puts into the audit log, and when it asks for a reason first.

Every view that shows a record, a list or the log itself says so here. Opening a closed
record that is not one's own work needs a reason, which is logged with the look; a
page's reason holds for that session and record, half an hour. Nothing here stands in
the way of a live call: what is not closed opens at once.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from flask import current_app, has_request_context, request

from console.doors import COOKIE
from console.guard import doors
from console.record import Record
from incidents.accounts import Holder
from incidents.audit import Audit, Operation

EXTENSION: Final = "quietline_audited"
REASON_HOLDS: Final = timedelta(minutes=30)
SAME_LOOK: Final = timedelta(minutes=5)
"""A page fetches the part of it that grows again and again: one look for so long."""
LONGEST_REASON: Final = 500
PERSON_REASON: Final = "This person is not your own work. Say why you open them: send X-Reason."
REASON_NEEDED: Final = (
    "This record is closed and not your own work. Say why you open it: send X-Reason."
)


class Audited:
    """Logs what is looked at. ``clock`` gives the time."""

    def __init__(self, audit: Audit, clock: Callable[[], datetime]) -> None:
        self.audit = audit
        self._clock = clock
        self._lock = threading.Lock()
        self._reasons: dict[tuple[str, str], tuple[str, datetime]] = {}
        self._looks: dict[tuple[str, str], datetime] = {}

    def looked(self, holder: Holder, what: str, record: str, reason: str = "") -> None:
        """Log a look at a list, a page or a record: ``"opened the board"``, ``"board"``."""
        self._note(holder, "consultation", what, record, reason)

    def gave_out(self, holder: Holder, what: str, record: str) -> None:
        """Log that something left the console as a file: ``"exported"``."""
        self._note(holder, "disclosure", what, record)

    def may_open(
        self, found: Record, holder: Holder, reason: str = "", *, what: str = "viewed the record"
    ) -> bool:
        """Say whether ``holder`` may see a record now, and log the look if so.

        A view that shows an incident or its timeline calls this first. False: show the form that
        asks why (``reason_asked``), or answer 403 with ``REASON_NEEDED``. ``reason``: what came
        with the request as X-Reason; a page's form has it kept by ``keep_reason``.
        """
        reference = found.incident.reference
        reason = tidy(reason) or self._kept_reason(holder, reference)
        if not reason and not _opens_freely(found, holder):
            return False
        self.looked(holder, what, reference, reason)
        self._remember_look(holder, reference)
        return True

    def may_go_on(self, found: Record, holder: Holder) -> bool:
        """Do the same for the part of a page that is fetched again whenever something happens.

        It is logged when the same session has not looked at the record for five minutes.
        """
        reference = found.incident.reference
        lately = self._looked_lately(holder, reference)
        if lately and (_opens_freely(found, holder) or self._kept_reason(holder, reference)):
            return True
        return self.may_open(found, holder, what="went on viewing the record")

    def may_open_person(
        self, person: str, holder: Holder, reason: str = "", *, own: bool, what: str
    ) -> bool:
        """Say whether ``holder`` may see a person now, and log the look if so.

        ``own``: the person is their own work; anybody else opens with a reason, kept as a record's.
        """
        reason = tidy(reason) or self._kept_reason(holder, person)
        if not own and not reason:
            return False
        self.looked(holder, what, person, reason)
        return True

    def seen_lately(self, holder: Holder, record: str) -> bool:
        """Say whether this session looked at ``record`` in the last five minutes, and remember it:
        a part of a page that is fetched again and again is one look.
        """
        lately = self._looked_lately(holder, record)
        if not lately:
            self._remember_look(holder, record)
        return lately

    def _looked_lately(self, holder: Holder, record: str) -> bool:
        mark, now = (_who(holder), record), self._clock()
        with self._lock:
            return mark in self._looks and now - self._looks[mark] < SAME_LOOK

    def _remember_look(self, holder: Holder, reference: str) -> None:
        now = self._clock()
        with self._lock:
            for mark in [one for one, at in self._looks.items() if now - at >= SAME_LOOK]:
                del self._looks[mark]
            self._looks[_who(holder), reference] = now

    def keep_reason(self, holder: Holder, reference: str, reason: str) -> None:
        """Keep why somebody opens a record, for this session and half an hour."""
        now = self._clock()
        with self._lock:
            for mark in [one for one, kept in self._reasons.items() if kept[1] <= now]:
                del self._reasons[mark]
            self._reasons[_who(holder), reference] = tidy(reason), now + REASON_HOLDS

    def _kept_reason(self, holder: Holder, reference: str) -> str:
        with self._lock:
            reason, until = self._reasons.get((_who(holder), reference), ("", self._clock()))
        return reason if self._clock() < until else ""

    def _note(
        self, holder: Holder, operation: Operation, what: str, record: str, reason: str = ""
    ) -> None:
        self.audit.note(holder.name, operation, what, record, reason, at=self._clock())


def audited() -> Audited:
    """Return the app's own, made at the first look from its audit log and its clock."""
    kept = current_app.extensions
    if EXTENSION not in kept:
        # Two threads may come at once; the first one's stands for both.
        kept.setdefault(EXTENSION, Audited(kept["quietline_audit"], doors().clock))
    found: Audited = kept[EXTENSION]
    return found


def list_words(filters: Mapping[str, object]) -> str:
    """Say by what a list of incidents was filtered; by which values, a log must not say."""
    by = [name for name, value in filters.items() if value and name not in ("limit", "cursor")]
    words = f"searched incidents by {', '.join(by)}" if by else "listed incidents"
    return f"{words}, a further page" if filters.get("cursor") else words


def tidy(reason: str) -> str:
    """Bring a typed reason to one line of a sensible length."""
    return " ".join(reason.split())[:LONGEST_REASON]


def _opens_freely(found: Record, holder: Holder) -> bool:
    """Say whether it is not closed, or the holder's own work.

    Own work: they had it, were told of it as somebody's point of contact, or wrote on its timeline
    before it was closed. What they wrote later does not count, or a note would be the way round
    the question.
    """
    incident = found.incident
    if incident.state != "closed" or holder.name in (incident.handler, *incident.contacts):
        return True
    closed = incident.closed_at
    return any(
        entry.data.get("by") == holder.name and (closed is None or entry.at <= closed)
        for entry in found.entries
    )


def _who(holder: Holder) -> str:
    """Name the session: a reason given at one desk opens nothing at another."""
    if not has_request_context() or holder.by != "session":
        return f"token {holder.name}"
    secret = request.cookies.get(COOKIE, "")
    return f"{holder.name} {hashlib.sha256(secret.encode('utf-8', 'replace')).hexdigest()}"
