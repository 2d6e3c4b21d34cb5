"""Sessions: a browser in which somebody signed in, as the SHA-256 of a random secret.

A stolen store opens no session. It refuses to sign out anybody who holds a live call:
the caller would be alone.
"""

from __future__ import annotations

import hmac
import re
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from incidents.holders import NEVER, SIGN_IN, Holder, Keeping, digest_of
from incidents.remembered import OUTAGE_FOR
from incidents.tables import incidents, sessions, users
from incidents.transactions import StoreUnavailable, reading, writing
from incidents.users import User

IDLE_LIFETIME: Final = timedelta(hours=1)
"""A session nobody used for so long is over. An open live feed counts as use."""
ABSOLUTE_LIFETIME: Final = timedelta(hours=14)
"""A session is over after this, used or not: a twelve-hour shift and its handover."""
AFTER_CALL: Final = timedelta(minutes=5)
"""A session that ran out is good for so long after a held call's line ended: to grade again."""
TOUCH_EVERY: Final = timedelta(minutes=1)
"""How often use is written down: one write a minute per session, not one per request."""

SESSION: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class Sessions(Keeping):
    """Who is signed in."""

    def begin_session(self, user: User, *, now: datetime) -> str:
        """Begin a session and return its secret for the cookie. Always a new secret."""
        secret = secrets.token_urlsafe(32)
        row = {"id": digest_of(secret), "user_id": user.id, "created_at": now, "seen_at": now}
        with writing(self._engine) as connection:
            connection.execute(sa.insert(sessions).values(row))
            self._audit.put(connection, user.name, "consultation", "signed in", SIGN_IN, at=now)
        return secret

    def session(self, secret: str, *, now: datetime) -> Holder | None:
        """Return who holds this session secret, or None once it ended or expired.

        Counts as use. Raises ``StoreUnavailable`` only for a secret not seen good before.
        """
        if SESSION.fullmatch(secret) is None:
            return None
        digest = digest_of(secret)
        return self._remembered.look_up(digest, lambda: self._session(digest, now), now=now)

    def _session(self, digest: str, now: datetime) -> tuple[Holder, datetime] | None:
        query = (
            sa.select(sessions, users.c.name, users.c.role, users.c.disabled_at)
            .join(users, users.c.id == sessions.c.user_id)
            .where(sessions.c.id == digest)
        )
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        if row is None or not hmac.compare_digest(row.id, digest):
            return None
        if row.ended_at is not None or row.disabled_at is not None:
            return None
        runs_out = row.created_at + ABSOLUTE_LIFETIME
        idle_at = row.seen_at + IDLE_LIFETIME
        # Nobody is signed out while holding a live call (issue text, Claiming). It is asked
        # early, so that the answer is known should the store go away before the session ends.
        soon = now >= min(runs_out - OUTAGE_FOR, idle_at)
        holding = soon and bool(self.held(row.name, now=now, after=AFTER_CALL))
        if not holding and now >= min(runs_out, idle_at):
            return None
        if now - row.seen_at >= TOUCH_EVERY:
            self._touch(digest, now)
        return self._holder(row, "session"), NEVER if holding else runs_out

    def held(self, name: str, *, now: datetime, after: timedelta = timedelta(0)) -> list[str]:
        """Return the references of the open calls this person holds, first claimed first.

        ``after``: also those whose line ended no longer ago than this.
        """
        live = incidents.c.connection == "open"
        if after:
            live |= incidents.c.ended_at > now - after
        query = (
            sa.select(incidents.c.reference)
            .where(incidents.c.handler == name, incidents.c.closed_at.is_(None), live)
            .order_by(incidents.c.claimed_at)
        )
        with reading(self._engine) as connection:
            return list(connection.scalars(query))

    def _touch(self, digest: str, now: datetime) -> None:
        # A store that can be read but not written (a full disk) must not sign anybody out.
        touch = sa.update(sessions).where(sessions.c.id == digest).values(seen_at=now)
        with suppress(StoreUnavailable), writing(self._engine) as connection:
            connection.execute(touch)

    def end_session(self, secret: str, *, now: datetime) -> None:
        """End a session: its secret is worth nothing from now on."""
        digest = digest_of(secret)
        self._remembered.forget(digest)
        end = sa.update(sessions).where(sessions.c.id == digest, sessions.c.ended_at.is_(None))
        with writing(self._engine) as connection:
            connection.execute(end.values(ended_at=now))

    def session_was_ended(self, secret: str) -> bool:
        """Say whether somebody ended this session or its user; one that merely ran out was not.

        Raises ``StoreUnavailable``.
        """
        digest = digest_of(secret)
        standing = (
            sa.select(sessions.c.id)
            .join(users, users.c.id == sessions.c.user_id)
            .where(
                sessions.c.id == digest,
                sessions.c.ended_at.is_(None),
                users.c.disabled_at.is_(None),
            )
        )
        with reading(self._engine) as connection:
            return connection.execute(standing).first() is None
