"""Rows that stand for one person, found for many people at once.

``persons.family`` answers for one person; a list of hundreds must not ask the store for each.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from sqlalchemy import Connection, select

from incidents.tables import people

AT_ONCE: Final = 500
"""Ids in one question: databases limit how many a statement may hold."""


def batches(ids: Iterable[str]) -> Iterator[list[str]]:
    """Yield ids, each once and in order, in pieces that one statement can hold."""
    wanted = sorted(set(ids))
    for at in range(0, len(wanted), AT_ONCE):
        yield wanted[at : at + AT_ONCE]


def families(connection: Connection, persons: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return, by each id asked for, every id that stands for the same person.

    The first is the one that stands for them all. An id that nobody has is left out.
    """
    asked = set(persons)
    roots = _roots(connection, asked)
    members = {root: [root] for root in roots.values()}
    of = {root: root for root in members}
    new = set(members)
    while new:
        found: set[str] = set()
        for some in batches(new):
            query = select(people.c.id, people.c.merged_into).where(people.c.merged_into.in_(some))
            for row in connection.execute(query.order_by(people.c.id)):
                if row.id not in of:
                    of[row.id] = of[row.merged_into]
                    members[of[row.id]].append(row.id)
                    found.add(row.id)
        new = found
    return {one: tuple(members[root]) for one, root in roots.items()}


def _roots(connection: Connection, asked: set[str]) -> dict[str, str]:
    """Return, by each id, the id it was merged into in the end; its own when it was not."""
    above: dict[str, str | None] = {}
    new = set(asked)
    while new:
        found: set[str] = set()
        for some in batches(new):
            query = select(people.c.id, people.c.merged_into).where(people.c.id.in_(some))
            for row in connection.execute(query):
                above[row.id] = row.merged_into
                if row.merged_into is not None:
                    found.add(row.merged_into)
        new = found - above.keys()
    roots = {}
    for one in asked & above.keys():
        at, passed = one, {one}
        while (parent := above.get(at)) is not None and parent not in passed:
            at = parent
            passed.add(at)
        roots[one] = at
    return roots
