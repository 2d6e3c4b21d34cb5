"""The numbers the store knows: each once, sealed, and found again by a keyed hash alone."""

from datetime import datetime

from sqlalchemy import Connection, select

from incidents.identity import uuid7
from incidents.sealed import Keys
from incidents.tables import numbers


def look_up_of(keys: Keys, number: str) -> str:
    """Return the keyed hash of ``number`` (E.164), by which its row is found."""
    return keys.look_up(f"number|{number}")


def number_row(connection: Connection, keys: Keys, number: str, now: datetime) -> str:
    """Return the id of the row of ``number`` (E.164), made if there is none. Only when writing."""
    look_up = look_up_of(keys, number)
    known = connection.scalar(select(numbers.c.id).where(numbers.c.look_up == look_up))
    if known is not None:
        return str(known)
    row = uuid7(now)
    sealed = keys.seal(number.encode(), f"numbers|{row}|number")
    connection.execute(numbers.insert().values(id=row, number=sealed, look_up=look_up))
    return row


def number_in(row_id: str, sealed: bytes, keys: Keys) -> str:
    """Open the number of a row. Raises ``sealed.CannotOpen``."""
    return keys.open(sealed, f"numbers|{row_id}|number").decode()
