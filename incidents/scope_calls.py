"""Which calls belong to the people in an operation's scope, said in SQL for whatever counts them.

It reads no name and no number: rows that belong together are enough.
"""

from typing import Final

from sqlalchemy import ColumnElement, and_, or_, select

from incidents.tables import in_scope, incidents, parts, people, person_numbers

CONFIRMED: Final = "confirmed"
REFUSED: Final = "refused"


def calls_in_scope(operation: str) -> ColumnElement[bool]:
    """Select the incidents of people in an operation's scope.

    Those from a number of theirs, unless somebody said that it was not they, and those in which
    somebody confirmed their part. Whoever was merged counts as one person.
    """
    edges = (
        select(people.c.id.label("one"), people.c.merged_into.label("other"))
        .where(people.c.merged_into.is_not(None))
        .union_all(
            select(people.c.merged_into, people.c.id).where(people.c.merged_into.is_not(None))
        )
        .subquery()
    )
    first = select(in_scope.c.person_id.label("id")).where(
        in_scope.c.operation_id == operation, in_scope.c.removed_at.is_(None)
    )
    kin = first.cte("in_scope_kin", recursive=True)
    kin = kin.union(select(edges.c.other).join(kin, edges.c.one == kin.c.id))
    theirs = select(kin.c.id)
    number = select(person_numbers.c.number_id).where(
        person_numbers.c.person_id.in_(theirs), person_numbers.c.ended_at.is_(None)
    )
    told = select(parts.c.call_key).where(parts.c.person_id.in_(theirs), parts.c.ended_at.is_(None))
    call = incidents.c.call_key
    return or_(
        call.in_(told.where(parts.c.state == CONFIRMED)),
        and_(incidents.c.number_id.in_(number), call.not_in(told.where(parts.c.state == REFUSED))),
    )
