"""The second factor: six digits from an app, by the clock (TOTP, RFC 6238).

The secret is sealed in the store and shown once, while it is being set up. A code
works once, and never an older one after it. It refuses to lock anybody out: slowing a
guesser is the sign-in page's work, and a lost phone is an administrator's.
"""

from __future__ import annotations

import hmac
import logging
import unicodedata
from datetime import datetime
from typing import Final, Literal

import pyotp
import sqlalchemy as sa

from incidents.audit import Audit
from incidents.sealed import CannotOpen, Keys
from incidents.tables import users
from incidents.transactions import writing

log = logging.getLogger(__name__)

ISSUER: Final = "Quietline"
PERIOD_S: Final = 30
DRIFT: Final = (0, -1, 1)
"""Periods a phone's clock may be off by, the likeliest first (RFC 6238 section 5.2)."""

Answer = Literal["accepted", "used", "wrong"]


class SecondFactor:
    """The users' secrets. Every method that reads or writes raises ``StoreUnavailable``."""

    def __init__(self, engine: sa.Engine, keys: Keys, audit: Audit) -> None:
        self._engine = engine
        self._keys = keys
        self._audit = audit

    def enrol(self, user_id: str, name: str, secret: str, code: str, *, now: datetime) -> Answer:
        """Keep ``secret`` for a user who has none, once a ``code`` shows that the app has it.

        Somebody who was quicker keeps theirs: the answer is then ``wrong``.
        """
        step = _step_of(secret, code, now)
        if step is None:
            return "wrong"
        sealed = self._keys.seal(secret.encode(), _place(user_id))
        keep = (
            sa.update(users)
            .where(users.c.id == user_id, users.c.totp.is_(None))
            .values(totp=sealed, totp_step=step)
        )
        with writing(self._engine) as connection:
            if not connection.execute(keep).rowcount:
                return "wrong"
            self._audit.put(
                connection, name, "collection", "set up their second factor", name, at=now
            )
        return "accepted"

    def check(self, user_id: str, code: str, *, now: datetime) -> Answer:
        """Use up a code. Two who send the same code at once: one is accepted."""
        with writing(self._engine) as connection:
            row = connection.execute(
                sa.select(users.c.totp, users.c.totp_step).where(users.c.id == user_id)
            ).first()
            if row is None or row.totp is None:
                return "wrong"
            try:
                secret = self._keys.open(row.totp, _place(user_id)).decode()
            except CannotOpen:
                log.error("a second factor does not open: were the keys changed?")
                return "wrong"
            step = _step_of(secret, code, now)
            if step is None:
                return "wrong"
            if row.totp_step is not None and step <= row.totp_step:
                return "used"
            connection.execute(sa.update(users).where(users.c.id == user_id).values(totp_step=step))
        return "accepted"


def new_secret() -> str:
    """Make a secret: 160 random bits in base 32 (RFC 4226 section 4, R6)."""
    return pyotp.random_base32()


def in_groups(secret: str) -> str:
    """Write a secret in fours, for whoever must type it."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def address(name: str, secret: str) -> str:
    """Return the ``otpauth:`` address an authenticator app reads from the picture."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def digits(typed: str) -> str:
    """Tidy a code as people type it: spaces and hyphens between, full-width digits."""
    return "".join(unicodedata.normalize("NFKC", typed[:64]).replace("-", " ").split())


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """Return the number of the period whose code this is, or None."""
    typed = digits(code)
    if len(typed) != 6 or not (typed.isascii() and typed.isdigit()):
        return None
    totp = pyotp.TOTP(secret)
    at = int(now.timestamp()) // PERIOD_S
    for drift in DRIFT:
        if hmac.compare_digest(totp.generate_otp(at + drift), typed):
            return at + drift
    return None


def _place(user_id: str) -> str:
    return f"users|{user_id}|totp"
