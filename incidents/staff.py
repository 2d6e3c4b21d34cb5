"""Managing the people who sign in: invite, change, help with a lost phone, end.

Every change is in the audit, in the same transaction. It refuses to let anybody change
their own role or end their own account, so that somebody who can is always left; and
to sign out whoever holds a live call, unless their account is ended: then the calls
pass to somebody else (``incidents.desk``).
"""

from __future__ import annotations

import hmac
import re
import secrets
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from callflow.lines import E164
from incidents.accounts import Accounts
from incidents.audit import Audit
from incidents.holders import COMMAND_LINE, digest_of, name_of
from incidents.passwords import AccountRefused, hash_password
from incidents.people import Person, person_in
from incidents.sealed import Keys
from incidents.tables import presence, sessions, tokens, users
from incidents.transactions import reading, writing

INVITED_FOR: Final = timedelta(hours=72)
"""A link somebody was invited with works for so long, once."""
INVITATION: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
SHIFT: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d", re.ASCII)


class InvitationOver(AccountRefused):
    """A link was used already, ran out, or never was."""


class Staff:
    """The people of one site. Every method raises ``StoreUnavailable``, and ``AccountRefused``
    with a sentence when something cannot be done as asked."""

    def __init__(self, engine: sa.Engine, keys: Keys, audit: Audit, accounts: Accounts) -> None:
        self._engine = engine
        self._keys = keys
        self._audit = audit
        self.accounts = accounts

    # -- reading -----------------------------------------------------------------

    def people(self, *, now: datetime) -> list[Person]:
        """Return everybody, those who left last, by name."""
        with reading(self._engine) as connection:
            rows = connection.execute(_ALL.order_by(users.c.disabled_at.is_not(None), users.c.name))
            return [person_in(row, self._keys, now) for row in rows]

    def person(self, name: str, *, now: datetime) -> Person | None:
        """Return one of them, or None."""
        with reading(self._engine) as connection:
            row = connection.execute(_ALL.where(users.c.name == name)).first()
        return None if row is None else person_in(row, self._keys, now)

    def name(self, typed: str) -> str:
        """Return a name in its one form. Raises ``AccountRefused``."""
        return name_of(typed)

    # -- invitations ---------------------------------------------------------------

    def invite(self, name: str, role: str, *, by: str, now: datetime) -> str:
        """Add somebody without a password; returns the secret of their link, shown once."""
        name = name_of(name)
        self.accounts.check_role(role)
        secret = secrets.token_urlsafe(32)
        row = {
            "id": str(uuid.uuid4()),
            "name": name,
            "role": role,
            "password_hash": hash_password(secrets.token_urlsafe(32)),
            "created_at": now,
            "invitation": digest_of(secret),
            "invited_until": now + INVITED_FOR,
        }
        try:
            with writing(self._engine) as connection:
                connection.execute(sa.insert(users).values(row))
                what = f"invited as {role}"
                self._audit.put(connection, by, "collection", what, name, at=now)
        except sa.exc.IntegrityError:
            raise AccountRefused(f"There is already a user called {name}.") from None
        return secret

    def invite_again(self, name: str, *, by: str, now: datetime) -> str:
        """Make a new link for somebody: it ran out, they forgot the password, or came back.

        The old password works until the link is used, except for somebody who had left.
        """
        secret = secrets.token_urlsafe(32)
        fresh = {"invitation": digest_of(secret), "invited_until": now + INVITED_FOR}
        unknown = hash_password(secrets.token_urlsafe(32))
        with writing(self._engine) as connection:
            row = self._row(connection, name)
            if row.disabled_at is not None:
                fresh |= {"disabled_at": None, "password_hash": unknown}
            connection.execute(sa.update(users).where(users.c.id == row.id).values(fresh))
            what = "invited back" if row.disabled_at is not None else "invited again"
            self._audit.put(connection, by, "alteration", what, row.name, at=now)
        return secret

    def invited(self, secret: str, *, now: datetime) -> str | None:
        """Return the name a link was made for, or None when it opens nothing any more."""
        with reading(self._engine) as connection:
            return self._invited(connection, secret, now)

    def accept(self, secret: str, password: str, *, now: datetime) -> str:
        """Use a link up and set the password; returns the name. Raises ``InvitationOver``."""
        over = InvitationOver("This link was used already, or it ran out. Ask for a new one.")
        if self.invited(secret, now=now) is None:
            raise over  # before the hash: a made-up link must cost nothing
        hashed = hash_password(password)
        with writing(self._engine) as connection:
            name = self._invited(connection, secret, now)
            if name is None:
                raise over
            change = {"password_hash": hashed, "invitation": None, "invited_until": None}
            connection.execute(sa.update(users).where(users.c.name == name).values(change))
            self._end_sessions(connection, name, now)
            self._audit.put(connection, name, "alteration", "set their password", name, at=now)
        self.accounts.forget()
        return name

    # -- changes -------------------------------------------------------------------

    def change_password(
        self, name: str, password: str, *, now: datetime, by: str = COMMAND_LINE
    ) -> None:
        """Set a new password and end every session of the user."""
        hashed = hash_password(password)
        self._change(
            name, {"password_hash": hashed}, "changed the password", by, now, ends_sessions=True
        )

    def change_role(self, name: str, role: str, *, by: str, now: datetime) -> None:
        """Give somebody another role, and end their sessions: they sign in again with it."""
        self.accounts.check_role(role)
        _not_oneself(name, by, "change your own role")
        held = self.accounts.held(name_of(name), now=now)
        if held:
            raise AccountRefused(
                f"{name_of(name)} holds a live call ({held[0]}). "
                "Change the role when the line is over, or have the call handed over first."
            )
        what = f"changed the role to {role}"
        self._change(name, {"role": role}, what, by, now, ends_sessions=True)

    def set_phone(self, name: str, number: str, *, by: str, now: datetime) -> None:
        """Set the number on which somebody may be rung; an empty one is none."""
        tidy = self.phone_of(number)
        if not tidy:
            self._change(name, {"phone": None}, "removed the phone", by, now)
            return

        def sealed(row: Any) -> dict[str, Any]:
            return {"phone": self._keys.seal(tidy.encode(), f"users|{row.id}|phone")}

        self._change(name, sealed, "changed the phone", by, now)

    def phone_of(self, number: str) -> str:
        """Return a number as it is kept: E.164, or empty. Raises ``AccountRefused``."""
        tidy = re.sub(r"[\s().-]", "", number)
        if tidy and not E164.match(tidy):
            # An emergency number has no country's code, so none can be kept (rule 12).
            raise AccountRefused("Enter the phone with its country's code, like +44 7700 900111.")
        return tidy

    def set_shift(self, name: str, hours: str, *, by: str, now: datetime) -> None:
        """Set the hours in which somebody works, like 07:00-19:00; empty: at any hour."""
        tidy = re.sub(r"\s*[-–]\s*", "-", hours.strip())
        if tidy and (not SHIFT.fullmatch(tidy) or tidy[:5] == tidy[6:]):
            raise AccountRefused("Enter the hours like 07:00-19:00, or leave them empty.")
        self._change(name, {"shift": tidy or None}, "changed the shift hours", by, now)

    def reset_factor(self, name: str, *, by: str, now: datetime) -> None:
        """Forget somebody's second factor: they set one up at the next sign-in."""
        change = {"totp": None, "totp_step": None}
        self._change(name, change, "reset the second factor", by, now, operation="erasure")

    def leave(self, name: str, *, by: str = COMMAND_LINE, now: datetime) -> None:
        """End an account: its sessions, its tokens, its link, its factor, its phone.

        The record that there was such a person stays. Their claims are the desk's to pass on.
        """
        _not_oneself(name, by, "end your own account")
        gone = {"disabled_at": now, "invitation": None, "invited_until": None}
        gone |= {"totp": None, "totp_step": None, "phone": None, "shift": None}
        self._change(
            name, gone, "ended the account", by, now, operation="erasure", ends_sessions=True
        )

    def _change(
        self,
        name: str,
        values: dict[str, Any] | Callable[[Any], dict[str, Any]],
        what: str,
        by: str,
        now: datetime,
        *,
        operation: Any = "alteration",
        ends_sessions: bool = False,
    ) -> None:
        with writing(self._engine) as connection:
            row = self._row(connection, name)
            change = values(row) if callable(values) else values
            connection.execute(sa.update(users).where(users.c.id == row.id).values(change))
            if ends_sessions:
                self._end_sessions(connection, row.name, now)
            if "disabled_at" in change:
                mine = (tokens.c.name == row.name) | (tokens.c.user_id == row.id)
                end = sa.update(tokens).where(mine, tokens.c.ended_at.is_(None))
                connection.execute(end.values(ended_at=now))
            if "role" in change or "disabled_at" in change:
                # Nobody is on duty in a role they no longer have.
                connection.execute(sa.delete(presence).where(presence.c.name == row.name))
            self._audit.put(connection, by, operation, what, row.name, at=now)
        if ends_sessions:
            self.accounts.forget()

    def _row(self, connection: sa.Connection, name: str) -> Any:
        query = sa.select(users).where(users.c.name == name_of(name))
        row = connection.execute(query).first()
        if row is None:
            raise AccountRefused(f"There is no user called {name_of(name)}.")
        return row

    def _invited(self, connection: sa.Connection, secret: str, now: datetime) -> str | None:
        if INVITATION.fullmatch(secret) is None:
            return None
        digest = digest_of(secret)
        row = connection.execute(sa.select(users).where(users.c.invitation == digest)).first()
        if row is None or not hmac.compare_digest(row.invitation, digest):
            return None
        if row.disabled_at is not None or now >= row.invited_until:
            return None
        return str(row.name)

    def _end_sessions(self, connection: sa.Connection, name: str, now: datetime) -> None:
        theirs = sessions.c.user_id.in_(sa.select(users.c.id).where(users.c.name == name))
        end = sa.update(sessions).where(theirs, sessions.c.ended_at.is_(None))
        connection.execute(end.values(ended_at=now))


_ALL: Final = sa.select(users, presence.c.heard_at).outerjoin(
    presence, presence.c.name == users.c.name
)


def _not_oneself(name: str, by: str, deed: str) -> None:
    if name_of(name) == by:
        raise AccountRefused(f"You cannot {deed}: ask another administrator.")
