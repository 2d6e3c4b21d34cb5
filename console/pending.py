"""A sign-in between the right password and the code: sealed, short-lived, in one browser.

It opens nothing by itself. Nobody can read the secret that is being set up out of the
cookie, and a changed password makes it worthless (``Users.user``).
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from incidents.sealed import CannotOpen, Keys

COOKIE: Final = "quietline_pending"
GOOD_FOR: Final = timedelta(minutes=10)
"""Long enough to install an app and scan a picture, short enough for a screen left alone."""
LONGEST: Final = 2048
_PLACE: Final = "sign-in||pending"


@dataclass(frozen=True, slots=True)
class Pending:
    """Who gave the right password. ``secret``: of the second factor being set up, or empty."""

    user_id: str
    name: str
    stamp: str
    secret: str
    until: str

    @classmethod
    def at(cls, user_id: str, name: str, stamp: str, secret: str, now: datetime) -> Pending:
        """Begin at ``now``."""
        return cls(user_id, name, stamp, secret, (now + GOOD_FOR).isoformat())


def write(pending: Pending, keys: Keys) -> str:
    """Return it as a cookie's value."""
    sealed = keys.seal(json.dumps(astuple(pending)).encode(), _PLACE)
    return base64.urlsafe_b64encode(sealed).decode()


def read(cookie: str | None, keys: Keys, now: datetime) -> Pending | None:
    """Read a cookie's value, or None when it is not ours or its time is over."""
    if not cookie or len(cookie) > LONGEST:
        return None
    try:
        plain = keys.open(base64.urlsafe_b64decode(cookie.encode()), _PLACE)
        pending = Pending(*json.loads(plain))
        until = datetime.fromisoformat(pending.until)
    except (CannotOpen, binascii.Error, ValueError, TypeError):
        return None
    return pending if now.astimezone(UTC) < until else None
