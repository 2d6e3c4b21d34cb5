"""Users: people who sign in with a name and a password.

A password is kept as an argon2id hash. It refuses to say why a sign-in failed and to
spend less time on a name it does not know.
"""

from __future__ import annotations

import hmac
import secrets
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from incidents.holders import COMMAND_LINE, SIGN_IN, Keeping, digest_of, name_of
from incidents.passwords import AccountRefused, fits, hash_password, is_outdated
from incidents.tables import users
from incidents.transactions import StoreUnavailable, reading, writing


@dataclass(frozen=True, slots=True)
class User:
    """A person who signs in with a name and a password.

    ``stamp`` changes with the password. ``has_factor``: whether a second factor is set up.
    """

    id: str
    name: str
    role: str
    stamp: str = ""
    has_factor: bool = False


class Users(Keeping):
    """Who may sign in."""

    def add_user(
        self,
        name: str,
        password: str | None = None,
        *,
        now: datetime,
        role: str = "handler",
        by: str = COMMAND_LINE,
    ) -> str:
        """Add a user and return the password: the given one, or one made up here.

        Raises ``AccountRefused`` for a name that is taken or unusable, an unknown
        role, or a password outside 12 to 256 characters.
        """
        name = name_of(name)
        self.check_role(role)
        password = secrets.token_urlsafe(15) if password is None else password
        row = {
            "id": str(uuid.uuid4()),
            "name": name,
            "role": role,
            "password_hash": hash_password(password),
            "created_at": now,
        }
        try:
            with writing(self._engine) as connection:
                connection.execute(sa.insert(users).values(row))
                what = f"added as {role}"
                self._audit.put(connection, by, "collection", what, name, at=now)
        except sa.exc.IntegrityError:
            raise AccountRefused(f"There is already a user called {name}.") from None
        return password

    def check_role(self, role: str) -> None:
        """Raise ``AccountRefused`` unless a person may have ``role``."""
        if role not in self.roles.people:
            people = ", ".join(self.roles.people)
            raise AccountRefused(f"A user's role must be one of: {people}.")

    def has_users(self) -> bool:
        """Tell whether anybody can sign in yet."""
        with reading(self._engine) as connection:
            query = sa.select(users.c.id).where(users.c.disabled_at.is_(None)).limit(1)
            return connection.execute(query).first() is not None

    def check_password(self, name: str, password: str) -> User | None:
        """Return the user when name and password fit, else None, in the same time.

        An unknown, disabled or unusable name costs one hash like a known one, so
        that the clock does not tell who works here. A hash made with older
        parameters is renewed on the way.
        """
        try:
            name = name_of(name)
        except AccountRefused:
            row = None
        else:
            with reading(self._engine) as connection:
                query = sa.select(users).where(users.c.name == name)
                row = connection.execute(query).first()
        if not fits(row.password_hash if row else None, password):
            return None
        if row is None or row.disabled_at is not None:
            return None
        kept = row.password_hash
        if is_outdated(kept):
            kept = hash_password(password)
            with writing(self._engine) as connection:
                renew = sa.update(users).where(users.c.id == row.id)
                connection.execute(renew.values(password_hash=kept))
        return User(row.id, row.name, row.role, digest_of(kept), row.totp is not None)

    def user(self, user_id: str, stamp: str) -> User | None:
        """Return a user who gave the right password a moment ago, or None.

        A user who left since, or whose password was changed, has to begin again.
        """
        with reading(self._engine) as connection:
            row = connection.execute(sa.select(users).where(users.c.id == user_id)).first()
        if row is None or row.disabled_at is not None:
            return None
        if not hmac.compare_digest(digest_of(row.password_hash), stamp):
            return None
        return User(row.id, row.name, row.role, stamp, row.totp is not None)

    def note(self, name: str, what: str, *, now: datetime) -> None:
        """Log a refused sign-in, or a sign-out. A name that nobody has stands as ``nobody``.

        What was typed may be a password in the wrong field: it is not written down.
        """
        known = None
        with suppress(StoreUnavailable, AccountRefused), reading(self._engine) as connection:
            query = sa.select(users.c.name).where(users.c.name == name_of(name))
            known = connection.scalar(query)
        self._audit.note(known or "nobody", "consultation", what, SIGN_IN, at=now)
