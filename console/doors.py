"""Who stands behind a request's session cookie or bearer token.

One place reads both, for the pages, the JSON interface and the live feed. It
keeps no secret: ``incidents.accounts`` knows them by digest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from incidents.accounts import Accounts, Holder

COOKIE: Final = "quietline_session"


class Doors:
    """Look up holders. Raises ``StoreUnavailable`` when a stranger cannot be checked."""

    def __init__(self, accounts: Accounts, clock: Callable[[], datetime]) -> None:
        self.accounts = accounts
        self.clock = clock

    def session(self, cookies: Mapping[str, str]) -> Holder | None:
        """Return who is signed in with the session cookie."""
        secret = cookies.get(COOKIE)
        return self.accounts.session(secret, now=self.clock()) if secret else None

    def bearer(self, authorization: str | None) -> Holder | None:
        """Return who holds the token of an ``Authorization: Bearer`` header."""
        scheme, _, secret = (authorization or "").strip().partition(" ")
        if scheme.casefold() != "bearer":
            return None
        return self.accounts.token(secret.strip(), now=self.clock())

    def holder(self, authorization: str | None, cookies: Mapping[str, str]) -> Holder | None:
        """Return who holds the token that is shown, or else the session.

        A bad token is refused even beside a good cookie, so that nobody who tests
        a token is fooled by a cookie.
        """
        return self.session(cookies) if authorization is None else self.bearer(authorization)

    def shut(self, authorization: str | None, cookies: Mapping[str, str]) -> bool:
        """Say whether somebody ended what an open feed was opened with. Counts as use.

        A session that merely ran out is not shut: nobody is signed out of a feed
        that is open and used.
        """
        if self.holder(authorization, cookies) is not None:
            return False
        secret = cookies.get(COOKIE)
        if authorization is not None or secret is None:
            return True
        return self.accounts.session_was_ended(secret)
