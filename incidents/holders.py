"""Who holds a good session or token, and what they may: the part all accounts share.

It decides nothing by itself: a holder has the rights of their role, and a role that
nobody listed has none.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

import sqlalchemy as sa

from incidents.audit import Audit
from incidents.passwords import AccountRefused
from incidents.remembered import Remembered
from incidents.roles import Right, Roles
from incidents.sealed import Keys

COMMAND_LINE: Final = "command line"
"""Who does it in the audit when somebody at a shell of this machine does."""
SIGN_IN: Final = "sign-in"
"""The record that sign-ins, refusals and sign-outs are a look at, in the audit."""
NEVER: Final = datetime.max.replace(tzinfo=UTC)
NAME: Final = re.compile(r"\w[\w.@-]{0,63}")


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


class Keeping:
    """The store, the roles and what is remembered of both.

    Every method of the classes below that reads or writes raises ``StoreUnavailable``
    when the store cannot be reached, except that a session or token seen good before
    is still good during an outage (``Remembered`` gives the bounds).
    """

    def __init__(
        self,
        engine: sa.Engine,
        keys: Keys,
        roles: Roles,
        *,
        audit: Audit | None = None,
        remembered: Remembered[Holder] | None = None,
    ) -> None:
        self._engine = engine
        self._audit = audit if audit is not None else Audit(engine, keys)
        self.roles = roles
        self._remembered = remembered if remembered is not None else Remembered()

    def forget(self) -> None:
        """Ask the store again for every session and token: somebody's were ended."""
        self._remembered.forget_all()

    def _holder(self, row: Any, by: Literal["session", "token"]) -> Holder:
        rights = self.roles.rights.get(row.role, frozenset())
        return Holder(row.name, row.role, row.user_id, by, rights)


def name_of(name: str) -> str:
    """Bring a name to its one form, so that Anna and anna are one person."""
    folded = unicodedata.normalize("NFKC", name).strip().casefold()
    if NAME.fullmatch(folded) is None:
        raise AccountRefused(
            "A name is 1 to 64 letters, digits or . _ @ -, and starts with a letter or digit."
        )
    return folded


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
