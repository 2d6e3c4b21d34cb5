"""Rows of markers, written and read: what a marker says is sealed, whom it stands on is named."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, select

from incidents.marker_kinds import Change, Marker, MarkerKinds
from incidents.owners import OWNS
from incidents.persons import names
from incidents.roles import Roles
from incidents.sealed import Keys
from incidents.tables import addresses, markers, numbers, users
from incidents.unread import CANNOT, Unread

MARKERS: Final[Select[Any]] = (
    select(
        markers,
        numbers.c.number,
        users.c.role.label("owner_role"),
        users.c.disabled_at.label("owner_left"),
    )
    .outerjoin(numbers, markers.c.number_id == numbers.c.id)
    .outerjoin(users, markers.c.owner == users.c.name)
)
"""Selects what ``read_markers`` reads."""


def sealed(keys: Keys, row: str, action: str, changes: Sequence[Change]) -> bytes:
    """Seal what a marker says and how it came to say it."""
    told = {"action": action, "changes": [asdict(one) for one in changes]}
    return keys.seal(json.dumps(told).encode(), f"markers|{row}|action")


def opened(keys: Keys, row: Row[Any]) -> tuple[str, tuple[Change, ...]]:
    """Open what ``sealed`` sealed: the action and the changes, the first first."""
    return _told(keys.open(row.action, f"markers|{row.id}|action"))


_Told = tuple[str, tuple[Change, ...]]
_UNREAD: Final[_Told] = (CANNOT, ())


def _told(plain: bytes) -> _Told:
    data = json.loads(plain)
    return data["action"], tuple(Change(**one) for one in data["changes"])


def read_markers(
    connection: Connection,
    unread: Unread,
    kinds: MarkerKinds,
    roles: Roles,
    rows: Sequence[Row[Any]],
) -> list[Marker]:
    """Read rows of ``MARKERS``, in their order."""
    named = names(connection, unread, (row.person_id for row in rows if row.person_id))
    found = []
    for row in rows:
        place = f"markers|{row.id}|action"
        action, changes = unread.read(row.action, place, _told, _UNREAD)
        if row.person_id:
            on = named[row.person_id]
        elif row.number is not None:
            place = f"numbers|{row.number_id}|number"
            on = f"number {unread.read(row.number, place, bytes.decode, CANNOT)}"
        else:
            on = _address(connection, unread, row.address)
        found.append(
            Marker(
                id=row.id,
                kind=kinds.of(row.kind),
                action=action,
                owner=row.owner,
                owner_here=row.owner_left is None and roles.may(row.owner_role or "", OWNS),
                on=on,
                person=row.person_id,
                created_by=row.created_by or "",
                created_at=row.created_at,
                expires_at=row.expires_at,
                ended_at=row.ended_at,
                ended_by=row.ended_by,
                changes=changes,
            )
        )
    return found


def _address(connection: Connection, unread: Unread, look_up: str) -> str:
    """Name an address by what is on record of it; the marker holds its hash alone."""
    row = connection.execute(
        select(addresses).where(addresses.c.look_up == look_up).order_by(addresses.c.id)
    ).first()
    if row is None:
        return "an address nobody on record has"
    place = f"addresses|{row.id}|address"
    return f"address {unread.read(row.address, place, bytes.decode, CANNOT)}"
