"""The second look: a specialist looks again at some of the calls that were closed in review.

Which ones was settled when they were closed. Nobody looks again at what they decided
themselves. Who disagrees puts the call back to the handlers; nothing is lowered here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

from sqlalchemy import Connection, Row, Select, func, select, update

from incidents.audit import Audit
from incidents.fold import Incident
from incidents.handled import state_of
from incidents.review_policy import Review
from incidents.reviewing import LONGEST_SAID, Decided, decided_of, decided_shown, put_back
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import incidents, reviews
from incidents.transactions import reading
from incidents.working import Actor, Conflict, Done, Rules, Unfit, Work, Working, since, text_of

Finding = Literal["agrees", "differs"]
FINDINGS: Final[tuple[Finding, ...]] = get_args(Finding)


@dataclass(frozen=True, slots=True)
class Sampled:
    """A call that waits for a second look, and what was decided on it."""

    incident: Incident
    decided: Decided


class SecondLook(Working):
    """Second looks, over one store."""

    def __init__(
        self, store: Store, keys: Keys, audit: Audit, rules: Rules, policy: Review
    ) -> None:
        super().__init__(store, keys, audit, rules)
        self.policy = policy

    def waiting(self, name: str, *, limit: int) -> tuple[Sequence[Sampled], int]:
        """Return the calls ``name`` may look at again, those closed first first, and how many.

        A call that was opened again since is not among them. Raises ``StoreUnavailable``.
        """
        wanted = (*_open(), reviews.c.by != name)
        query = _query().where(*wanted).order_by(reviews.c.at, reviews.c.id).limit(limit)
        counting = _query(func.count()).where(*wanted)
        with reading(self._store.engine) as connection:
            rows = connection.execute(query).all()
            count = int(connection.scalar(counting) or 0)
            calls = self._store.find_calls(connection, [row.call_key for row in rows])
        decided = {row.call_key: decided_shown(row, self._store.unread) for row in rows}
        return [Sampled(one, decided[one.call_key]) for one in calls], count

    def look(
        self, reference: str, finding: str, said: str = "", *, by: Actor, now: datetime
    ) -> Done:
        """Say what a specialist found: ``agrees``, or ``differs`` with the reason.

        Raises ``Conflict`` when it was looked at already, was opened again, or was decided by the
        same person; ``Unfit`` and ``NoSuchIncident``.
        """
        found = next((one for one in FINDINGS if one == finding), None)
        needed = finding == "differs"
        what = "what troubles you"
        words = text_of("said", said, what, LONGEST_SAID) if needed or said.strip() else ""

        def act(work: Work) -> None:
            if found is None:
                raise Unfit("finding", "Choose whether the call may stay closed.")
            row = _of_call(work.connection, work.incident)
            _check(work, row)
            data = {"said": decided_of(row, self._keys).said, "second_said": words}
            sealed = self._keys.seal(json.dumps(data).encode(), f"reviews|{row.id}|data")
            work.connection.execute(
                update(reviews)
                .where(reviews.c.id == row.id)
                .values(
                    second_by=work.by.name,
                    second_decision=found,
                    second_at=work.at,
                    data=sealed,
                )
            )
            work.write("reviewed_again", finding=found, text=words)
            work.log("looked again at a call in review")
            if found == "differs":
                put_back(work, self.policy.raise_to, "raised by a second look")

        return self._do(reference, by, now, None, None, act)


def _check(work: Work, row: Row[Any] | None) -> None:
    """Raise ``Conflict`` unless this person may look again at the call now."""
    one = work.incident
    if row is None:
        raise Conflict("This call is not among those looked at twice.")
    if row.second_by is not None:
        raise Conflict(f"{row.second_by} looked at this call {since(row.second_at, work.at)}.")
    if row.by == work.by.name:
        raise Conflict("You decided on this call yourself: somebody else must look again.")
    if one.state != "closed" or one.closed_at != row.at:
        raise Conflict("This call was opened again since: it is worked.")


def _of_call(connection: Connection, incident: Incident) -> Any:
    """Return the latest sampled decision on a call, or None."""
    query = select(reviews).where(
        reviews.c.call_key == incident.call_key, reviews.c.sampled.is_(True)
    )
    return connection.execute(query.order_by(reviews.c.id.desc()).limit(1)).first()


def _query(*columns: Any) -> Select[Any]:
    joined = reviews.join(incidents, incidents.c.call_key == reviews.c.call_key)
    return select(*(columns or (reviews,))).select_from(joined)


def _open() -> tuple[Any, ...]:
    """Return what makes a decision one that waits for a second look, as SQL."""
    return (
        reviews.c.sampled.is_(True),
        reviews.c.second_at.is_(None),
        incidents.c.closed_at == reviews.c.at,
        state_of() == "closed",
    )
