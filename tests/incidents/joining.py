"""People who may sign in, put on record with one hash for all: making a hash is slow by design.

How an account is really made is tested in ``test_accounts.py``.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import cache
from typing import Final

from incidents.accounts import COMMAND_LINE, Accounts, User
from incidents.holders import digest_of
from incidents.passwords import hash_password
from incidents.tables import users
from incidents.transactions import writing

PASSWORD: Final = "a long enough password"
_hashed = cache(hash_password)


def joined(accounts: Accounts, name: str, role: str = "handler", *, now: datetime) -> User:
    """Put somebody on record as ``accounts.add_user`` does, who signs in with ``PASSWORD``."""
    accounts.check_role(role)
    kept = _hashed(PASSWORD)
    user = User(str(uuid.uuid4()), name, role, digest_of(kept))
    row = {"id": user.id, "name": name, "role": role, "password_hash": kept, "created_at": now}
    with writing(accounts._engine) as connection:
        connection.execute(users.insert().values(row))
        accounts._audit.put(
            connection, COMMAND_LINE, "collection", f"added as {role}", name, at=now
        )
    return user
