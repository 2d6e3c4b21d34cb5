"""Who may use the console: users with passwords, their sessions, and bearer tokens.

A password is kept as an argon2id hash; a session or token as the SHA-256 of a
random secret, so a stolen store opens nothing. It refuses to say why a sign-in
failed and to spend less time on a name it does not know. It never locks anybody
out: slowing a guesser is the sign-in page's work.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import sqlalchemy as sa

from incidents.passwords import AccountRefused, fits, hash_password, is_outdated
from incidents.remembered import Remembered
from incidents.roles import Right, Roles
from incidents.sealed import Keys
from incidents.tables import sessions, tokens, users
from incidents.transactions import StoreUnavailable, reading, writing

IDLE_LIFETIME: Final = timedelta(hours=1)
"""A session nobody used for so long is over. An open live feed counts as use."""
ABSOLUTE_LIFETIME: Final = timedelta(hours=14)
"""A session is over after this, used or not: a twelve-hour shift and its handover."""
TOUCH_EVERY: Final = timedelta(minutes=1)
"""How often use is written down: one write a minute per session, not one per request."""

NAME: Final = re.compile(r"\w[\w.@-]{0,63}")
TOKEN: Final = re.compile(r"qlt_[A-Za-z0-9_-]{43}", re.ASCII)
SESSION: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whoever holds a good session or token: the one a request acts for."""

    name: str
    role: str
    user_id: str | None
    by: Literal["session", "token"]
    rights: frozenset[Right] = frozenset()

    def may(self, right: Right) -> bool:
        """Say whether the role has ``right``. A role of a later release has none here."""
        return right in self.rights

    @property
    def may_read(self) -> bool:
        """Whether the role reads incidents."""
        return self.may("read")


@dataclass(frozen=True, slots=True)
class User:
    """A person who signs in with a name and a password."""

    id: str
    name: str
    role: str


class Accounts:
    """Users, sessions and tokens in the store reached by ``engine``.

    Every method that reads or writes raises ``StoreUnavailable`` when the store
    cannot be reached, except that a session or token seen good before is still
    good during an outage (``Remembered`` gives the bounds).
    """

    def __init__(
        self,
        engine: sa.Engine,
        keys: Keys,
        roles: Roles,
        *,
        remembered: Remembered[Holder] | None = None,
    ) -> None:
        self._engine = engine
        self._keys = keys
        self.roles = roles
        self._remembered = remembered if remembered is not None else Remembered()

    # -- users ---------------------------------------------------------------

    def add_user(
        self, name: str, password: str | None = None, *, now: datetime, role: str = "handler"
    ) -> str:
        """Add a user and return the password: the given one, or one made up here.

        Raises ``AccountRefused`` for a name that is taken or unusable, an unknown
        role, or a password outside 12 to 256 characters.
        """
        name = _name(name)
        if role not in self.roles.people:
            people = ", ".join(self.roles.people)
            raise AccountRefused(f"A user's role must be one of: {people}.")
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
        except sa.exc.IntegrityError:
            raise AccountRefused(f"There is already a user called {name}.") from None
        return password

    def has_users(self) -> bool:
        """Tell whether anybody can sign in yet."""
        with reading(self._engine) as connection:
            query = sa.select(users.c.id).where(users.c.disabled_at.is_(None)).limit(1)
            return connection.execute(query).first() is not None

    def change_password(self, name: str, password: str, *, now: datetime) -> None:
        """Set a new password and end every session of the user.

        Raises ``AccountRefused`` for an unknown user or an unusable password.
        """
        self._change_user(_name(name), {"password_hash": hash_password(password)}, now)

    def disable_user(self, name: str, *, now: datetime) -> None:
        """Stop a user from signing in and end every session; the record stays."""
        self._change_user(_name(name), {"disabled_at": now}, now)

    def _change_user(self, name: str, values: dict[str, object], now: datetime) -> None:
        # The write comes first: on SQLite a read that turns into a write can fail at once.
        theirs = sessions.c.user_id.in_(sa.select(users.c.id).where(users.c.name == name))
        with writing(self._engine) as connection:
            change = sa.update(users).where(users.c.name == name).values(**values)
            if not connection.execute(change).rowcount:
                raise AccountRefused(f"There is no user called {name}.")
            end = sa.update(sessions).where(theirs, sessions.c.ended_at.is_(None))
            connection.execute(end.values(ended_at=now))
        self._remembered.forget_all()

    def check_password(self, name: str, password: str) -> User | None:
        """Return the user when name and password fit, else None, in the same time.

        An unknown, disabled or unusable name costs one hash like a known one, so
        that the clock does not tell who works here. A hash made with older
        parameters is renewed on the way.
        """
        try:
            name = _name(name)
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
        if is_outdated(row.password_hash):
            with writing(self._engine) as connection:
                renew = sa.update(users).where(users.c.id == row.id)
                connection.execute(renew.values(password_hash=hash_password(password)))
        return User(row.id, row.name, row.role)

    # -- sessions ------------------------------------------------------------

    def begin_session(self, user: User, *, now: datetime) -> str:
        """Begin a session and return its secret for the cookie. Always a new secret."""
        secret = secrets.token_urlsafe(32)
        row = {"id": _digest(secret), "user_id": user.id, "created_at": now, "seen_at": now}
        with writing(self._engine) as connection:
            connection.execute(sa.insert(sessions).values(row))
        return secret

    def session(self, secret: str, *, now: datetime) -> Holder | None:
        """Return who holds this session secret, or None once it ended or expired.

        Counts as use. Raises ``StoreUnavailable`` only for a secret not seen good before.
        """
        if SESSION.fullmatch(secret) is None:
            return None
        digest = _digest(secret)
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
        created_at, seen_at = row.created_at, row.seen_at
        if now >= min(created_at + ABSOLUTE_LIFETIME, seen_at + IDLE_LIFETIME):
            return None
        if now - seen_at >= TOUCH_EVERY:
            self._touch(digest, now)
        holder = self._holder(row, "session")
        return holder, created_at + ABSOLUTE_LIFETIME

    def _touch(self, digest: str, now: datetime) -> None:
        # A store that can be read but not written (a full disk) must not sign anybody out.
        touch = sa.update(sessions).where(sessions.c.id == digest).values(seen_at=now)
        with suppress(StoreUnavailable), writing(self._engine) as connection:
            connection.execute(touch)

    def end_session(self, secret: str, *, now: datetime) -> None:
        """End a session: its secret is worth nothing from now on."""
        digest = _digest(secret)
        self._remembered.forget(digest)
        end = sa.update(sessions).where(sessions.c.id == digest, sessions.c.ended_at.is_(None))
        with writing(self._engine) as connection:
            connection.execute(end.values(ended_at=now))

    def session_was_ended(self, secret: str) -> bool:
        """Say whether somebody ended this session or its user; one that merely ran out was not.

        Raises ``StoreUnavailable``.
        """
        digest = _digest(secret)
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

    def _holder(self, row: Any, by: Literal["session", "token"]) -> Holder:
        rights = self.roles.rights.get(row.role, frozenset())
        return Holder(row.name, row.role, row.user_id, by, rights)

    # -- tokens --------------------------------------------------------------

    def add_token(self, name: str, *, now: datetime, role: str = "reader") -> str:
        """Add a bearer token and return its secret, which is shown once and never kept.

        Raises ``AccountRefused`` for a name that is taken or unusable, or another role.
        """
        name = _name(name)
        if role not in self.roles.programs:
            programs = ", ".join(self.roles.programs)
            raise AccountRefused(f"A token's role must be one of: {programs}.")
        secret = "qlt_" + secrets.token_urlsafe(32)
        row = {"id": _digest(secret), "name": name, "role": role, "created_at": now}
        try:
            with writing(self._engine) as connection:
                connection.execute(sa.insert(tokens).values(row))
        except sa.exc.IntegrityError:
            raise AccountRefused(f"There is already a token called {name}.") from None
        return secret

    def token(self, secret: str, *, now: datetime) -> Holder | None:
        """Return who holds this token, or None once it was ended or never was.

        Raises ``StoreUnavailable`` only for a token not seen good before.
        """
        if TOKEN.fullmatch(secret) is None:
            return None
        digest = _digest(secret)
        return self._remembered.look_up(digest, lambda: self._token(digest), now=now)

    def _token(self, digest: str) -> tuple[Holder, datetime] | None:
        with reading(self._engine) as connection:
            row = connection.execute(sa.select(tokens).where(tokens.c.id == digest)).first()
        if row is None or not hmac.compare_digest(row.id, digest) or row.ended_at is not None:
            return None
        holder = self._holder(row, "token")
        return holder, datetime.max.replace(tzinfo=UTC)

    def end_token(self, name: str, *, now: datetime) -> None:
        """End a token. Raises ``AccountRefused`` when no live token has that name."""
        end = sa.update(tokens).where(tokens.c.name == _name(name), tokens.c.ended_at.is_(None))
        with writing(self._engine) as connection:
            ended = connection.execute(end.values(ended_at=now)).rowcount
        self._remembered.forget_all()
        if not ended:
            raise AccountRefused(f"There is no live token called {name}.")


def _name(name: str) -> str:
    """Bring a name to its one form, so that Anna and anna are one person."""
    folded = unicodedata.normalize("NFKC", name).strip().casefold()
    if NAME.fullmatch(folded) is None:
        raise AccountRefused(
            "A name is 1 to 64 letters, digits or . _ @ -, and starts with a letter or digit."
        )
    return folded


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
