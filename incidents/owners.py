"""Who may own what outlives a call: follow-ups and markers belong to somebody who is here."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, select

from incidents.roles import Right, Roles
from incidents.tables import users
from incidents.working import Unfit

OWNS: Final[Right] = "people"
"""The right that lets somebody own a follow-up or a marker."""


def owners(connection: Connection, roles: Roles) -> Sequence[str]:
    """Return the names of those who may own one, in order."""
    query = select(users.c.name).where(
        users.c.disabled_at.is_(None), users.c.role.in_(roles.with_right(OWNS))
    )
    return connection.scalars(query.order_by(users.c.name)).all()


def owner_id(connection: Connection, roles: Roles, name: str) -> str:
    """Return the id of a user who may own one. Raises ``Unfit``."""
    row = connection.execute(
        select(users.c.id, users.c.role).where(users.c.name == name, users.c.disabled_at.is_(None))
    ).first()
    if row is None or not roles.may(row.role, OWNS):
        raise Unfit("owner", "Choose somebody who is here and may work with people.")
    return str(row.id)
