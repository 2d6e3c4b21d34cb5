"""The audit log: who read, searched, changed, gave out or erased which record, and when.

An entry is written in the transaction of the deed itself (``put``), or by itself for a
look at something (``note``). It holds no number, no name of a caller and no spoken word;
a reason is sealed. There is no way here to change or take away an entry, and none may
be added: ``audit_chain`` finds whatever was done to the table behind our back.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import SQLAlchemyError

from incidents.audit_chain import START, Head, Verdict, keep_head, latest, link, verify
from incidents.audit_spool import Spool, Spooled
from incidents.identity import uuid7
from incidents.sealed import Keys
from incidents.tables import NAME, audit
from incidents.transactions import StoreUnavailable, reading, writing

log = logging.getLogger(__name__)

Operation = Literal[
    "collection", "alteration", "consultation", "disclosure", "combination", "erasure"
]
"""The six operations of the Data Protection Act 2018, section 62."""
SPOOL: Final = "audit-spool"
HEAD: Final = "audit-head"
AWAY_SECONDS: Final = 10.0
"""After the store did not answer, looks go to the spool for so long; then one of them asks it
again, and only one: nobody's page may wait for the audit log of a store that is down."""
AT_ONCE: Final = 500
"""Entries of the spool brought in by one transaction: others want to write, too."""


class Audit:
    """The audit log of one site. ``folder``: the data folder, for what must wait for the store."""

    def __init__(self, engine: Engine, keys: Keys, folder: Path | None = None) -> None:
        self._engine = engine
        self._keys = keys
        self._head = None if folder is None else folder / HEAD
        self._spool = None if folder is None else Spool(folder / SPOOL, keys)
        self._away_until = 0.0

    def put(
        self,
        connection: Connection,
        actor: str,
        operation: Operation,
        what: str,
        record: str,
        reason: str = "",
        *,
        at: datetime,
    ) -> None:
        """Write an entry in somebody's transaction. Only inside ``transactions.writing``.

        ``what`` is a few words in the past tense; ``record`` an incident's reference, a user's
        name, or the name of a list such as ``board``.
        """
        entry = Spooled(uuid7(at), at, actor, operation, what, record, reason)
        self._put(connection, entry)

    def note(
        self,
        actor: str,
        operation: Operation,
        what: str,
        record: str,
        reason: str = "",
        *,
        at: datetime,
    ) -> None:
        """Write an entry by itself: somebody looked at something. Never fails the look.

        While the store is away the entry waits in the spool; ``bring_in`` fetches it from there.
        """
        entry = Spooled(uuid7(at), at, actor, operation, what, record, reason)
        if time.monotonic() >= self._away_until:
            if self._away_until:
                self._away_until = time.monotonic() + AWAY_SECONDS
            try:
                with writing(self._engine) as connection:
                    self._put(connection, entry)
                self._away_until = 0.0
                return
            except (StoreUnavailable, SQLAlchemyError) as error:
                log.warning("an entry of the audit log waits for the store (%s)", error)
                self._away_until = time.monotonic() + AWAY_SECONDS
        try:
            if self._spool is None:
                raise OSError(0, "there is no data folder")
            self._spool.append(entry)
        except OSError as error:
            # Both disks fail. A frightened caller comes before the log: the page goes on, and
            # this line is the last place where the look can be kept.
            log.critical(
                "not in the audit log (%s): %s, %s, %s, %s",
                error.strerror,
                *(entry.actor, entry.operation, entry.what, entry.record),
            )

    def bring_in(self) -> int:
        """Move what waits in the spool into the log, each entry once; returns how many.

        Called by the engine, as often as it likes. Raises ``StoreUnavailable``, and ``OSError``
        when the spool cannot be read; killed anywhere, it is simply called again.
        """
        brought = 0
        for waiting in self._spool.batches() if self._spool is not None else ():
            entries = waiting.entries
            for start in range(0, len(entries), AT_ONCE):
                part = entries[start : start + AT_ONCE]
                with writing(self._engine) as connection:
                    ids = select(audit.c.id).where(audit.c.id.in_([one.id for one in part]))
                    there = set(connection.scalars(ids))
                    fresh = {one.id: one for one in part if one.id not in there}
                    for entry in fresh.values():
                        self._put(connection, entry)
                brought += len(fresh)
            waiting.done()
        return brought

    def verify(self, head: Head | None = None) -> Verdict:
        """Walk the whole chain, and hold it against a signed head kept elsewhere.

        Without a head, entries cut off at the end cannot be missed. Raises ``StoreUnavailable``.
        """
        with reading(self._engine) as connection:
            return verify(connection, self._keys, head)

    def head(self, now: datetime) -> Head:
        """Return the signed head of the chain as it is now, to be kept elsewhere."""
        with reading(self._engine) as connection:
            number, hash_ = latest(connection)
        return Head.signed(self._keys, number, hash_, now)

    def read_head(self, text: str) -> Head:
        """Read a head that was kept elsewhere. Raises ``BadHead``."""
        return Head.read(self._keys, text)

    def kept_head(self) -> Head | None:
        """Return the head in the data folder, None when there is none. Raises ``BadHead``."""
        if self._head is None or not self._head.exists():
            return None
        return self.read_head(self._head.read_text(encoding="utf-8", errors="replace"))

    def keep_head(self, now: datetime) -> str:
        """Write the head into the data folder; returns what is wrong, as a sentence, or nothing.

        Called by the engine every minute. A head that the chain no longer bears out stays as it
        is, for whoever looks into it. Raises ``StoreUnavailable`` and ``OSError``.
        """
        if self._head is None:
            return ""
        with reading(self._engine) as connection:
            return keep_head(connection, self._keys, self._head, now)

    def _put(self, connection: Connection, entry: Spooled) -> None:
        number, previous = latest(connection)
        sealed = None
        if entry.reason:
            sealed = self._keys.seal(
                entry.reason.encode("utf-8", "replace"), f"audit|{entry.id}|reason"
            )
        row = {
            "id": entry.id,
            "number": number + 1,
            "at": entry.at.astimezone(UTC),
            "actor": _fit(entry.actor),
            "operation": entry.operation,
            "what": _fit(entry.what),
            "record": _fit(entry.record),
            "reason": sealed,
            "previous": previous if number else START,
        }
        row["hash"] = link(self._keys, row)
        connection.execute(insert(audit), row)


def _fit(text: str) -> str:
    """Bring a word to what both databases keep: no NUL, nothing over the column's length."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")[:NAME]
