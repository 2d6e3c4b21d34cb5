"""What must hold before a call-back is asked for and started: the number, the hour, the phones.

Each refuses in a sentence that says what to do. They run inside the transaction of the deed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from incidents.callback_numbers import CallNumber, known_person, numbers_of
from incidents.callback_state import STARTED, Sealed
from incidents.fold import as_text
from incidents.persons import Person
from incidents.sealed import CannotOpen, Keys
from incidents.tables import callbacks, users
from incidents.working import Conflict, Unfit, text_of

LONGEST_TEXT: Final = 1000
ONE_AT_A_TIME: Final = timedelta(hours=1)
"""For so long a call-back without a result keeps the same number from being called again."""
NO_PHONE: Final = (
    "No phone is registered for you, and yours is rung first: have it set by whoever manages users."
)
NO_LINE: Final = "No line's number is known that could be shown. List the lines in QUIETLINE_LINES."
BARRED: Final = "This is an emergency number: it is never called."
SUPERVISOR: Final = "A supervisor may start it with a reason."


def chosen(
    connection: Connection, keys: Keys, person: Person, number: str, now: datetime
) -> CallNumber:
    """Return the number (its row's id) of a person. Raises ``Unfit``."""
    known = numbers_of(connection, keys, person, now)
    found = next((one for one in known if one.row == number), None)
    if found is None:
        raise Unfit("number", "Choose one of this person's numbers.")
    if found.barred:
        raise Unfit("number", BARRED)
    return found


def reason_for(found: CallNumber, reason: str, *, supervises: bool) -> str:
    """Return the reason that is needed, or an empty text where none is. Raises ``Unfit``."""
    if not found.problem:
        return ""
    if not supervises:
        raise Unfit("number", f"{found.problem} {SUPERVISOR}")
    if not reason.strip():
        raise Unfit("reason", f"{found.problem} Say why it is called all the same.")
    return text_of("reason", reason, "why it is called all the same", LONGEST_TEXT)


def still_allowed(
    connection: Connection,
    keys: Keys,
    row: Row[Any],
    sealed: Sealed,
    now: datetime,
    within: timedelta,
) -> str:
    """Return until when it may be rung, ``within`` at most; empty: a reason stands against hours.

    Raises ``Conflict`` when what was allowed as it was asked is not any more.
    """
    person = known_person(connection, keys, row.person_id)
    known = numbers_of(connection, keys, person, now)
    found = next((one for one in known if one.row == row.number_id), None)
    if found is None:
        raise Conflict("This number is no longer this person's: ask again.")
    if found.barred:
        raise Conflict(BARRED)
    if (found.problem and not sealed.override) or (found.never and not sealed.never):
        raise Conflict(f"{found.problem} It was not so when you asked: ask again.")
    return "" if sealed.override else as_text(found.contact.until(now, within)) or ""


def none_under_way(connection: Connection, row: Row[Any], now: datetime) -> None:
    """Raise ``Conflict`` while the same number is being called already."""
    other = connection.execute(
        select(callbacks.c.by).where(
            callbacks.c.number_id == row.number_id,
            callbacks.c.state == STARTED,
            callbacks.c.id != row.id,
            callbacks.c.at > now - ONE_AT_A_TIME,
        )
    ).first()
    if other is not None:
        raise Conflict(f"{other.by} is calling this number: finish that call-back first.")


def officers_phone(connection: Connection, keys: Keys, name: str) -> str:
    """Return an officer's own number (E.164). Raises ``Unfit``."""
    row = connection.execute(
        select(users.c.id, users.c.phone).where(users.c.name == name, users.c.disabled_at.is_(None))
    ).first()
    if row is None or row.phone is None:
        raise Unfit("number", NO_PHONE)
    try:
        return keys.open(row.phone, f"users|{row.id}|phone").decode()
    except CannotOpen:
        raise Unfit("number", NO_PHONE) from None


def line_shown(lines: Mapping[str, str], kinds: Sequence[str], called: str | None) -> str:
    """Return the number of the best line to show: by kind, then the one that was called.

    ``lines``: number → kind. ``called``: the line of the call it comes from. Raises ``Unfit``.
    """
    for kind in kinds:
        of_kind = [number for number, its in lines.items() if its == kind]
        if of_kind:
            return called if called in of_kind else of_kind[0]
    if called:
        return called
    raise Unfit("number", NO_LINE)


def marked(sealed: Sealed) -> str:
    """Say for the audit log that a supervisor's reason stood against a mark."""
    if sealed.never:
        return " to a number marked never to be called"
    return " to a number or at an hour not marked safe" if sealed.override else ""
