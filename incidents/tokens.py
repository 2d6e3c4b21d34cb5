"""Tokens: what a program shows instead of a password, as the SHA-256 of a random secret.

A token acts as the user of its own name. It is shown once and never kept; a stolen
store holds none.
"""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from incidents.holders import COMMAND_LINE, NEVER, Holder, Keeping, digest_of, name_of
from incidents.passwords import AccountRefused
from incidents.tables import tokens, users
from incidents.transactions import reading, writing

TOKEN: Final = re.compile(r"qlt_[A-Za-z0-9_-]{43}", re.ASCII)


class Tokens(Keeping):
    """Which programs may ask."""

    def add_token(
        self, name: str, *, now: datetime, role: str = "reader", by: str = COMMAND_LINE
    ) -> str:
        """Add a bearer token and return its secret, which is shown once and never kept.

        A token acts as the user of its own name, if there is one. Raises ``AccountRefused`` for a
        name that is taken, unusable or of somebody who left, or another role.
        """
        name = name_of(name)
        if role not in self.roles.programs:
            programs = ", ".join(self.roles.programs)
            raise AccountRefused(f"A token's role must be one of: {programs}.")
        secret = "qlt_" + secrets.token_urlsafe(32)
        row = {"id": digest_of(secret), "name": name, "role": role, "created_at": now}
        same = sa.select(users.c.id, users.c.disabled_at).where(users.c.name == name)
        try:
            with writing(self._engine) as connection:
                user = connection.execute(same).first()
                if user is not None and user.disabled_at is not None:
                    raise AccountRefused(f"The account of {name} was ended: no token for it.")
                row["user_id"] = user.id if user is not None else None
                connection.execute(sa.insert(tokens).values(row))
                what = f"gave a token as {role}"
                self._audit.put(connection, by, "collection", what, name, at=now)
        except sa.exc.IntegrityError:
            raise AccountRefused(f"There is already a token called {name}.") from None
        return secret

    def token(self, secret: str, *, now: datetime) -> Holder | None:
        """Return who holds this token, or None once it was ended or never was.

        Raises ``StoreUnavailable`` only for a token not seen good before.
        """
        if TOKEN.fullmatch(secret) is None:
            return None
        digest = digest_of(secret)
        return self._remembered.look_up(digest, lambda: self._token(digest), now=now)

    def _token(self, digest: str) -> tuple[Holder, datetime] | None:
        with reading(self._engine) as connection:
            row = connection.execute(sa.select(tokens).where(tokens.c.id == digest)).first()
        if row is None or not hmac.compare_digest(row.id, digest) or row.ended_at is not None:
            return None
        holder = self._holder(row, "token")
        return holder, NEVER

    def end_token(self, name: str, *, now: datetime, by: str = COMMAND_LINE) -> None:
        """End a token. Raises ``AccountRefused`` when no live token has that name."""
        name = name_of(name)
        end = sa.update(tokens).where(tokens.c.name == name, tokens.c.ended_at.is_(None))
        with writing(self._engine) as connection:
            if not connection.execute(end.values(ended_at=now)).rowcount:
                raise AccountRefused(f"There is no live token called {name}.")
            self._audit.put(connection, by, "erasure", "ended a token", name, at=now)
        self.forget()
