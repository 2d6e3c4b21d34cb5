"""Who may use the console: users with passwords, their sessions, and bearer tokens, as one object.

It never locks anybody out: slowing a guesser is the sign-in page's work. Changing
somebody's role or ending their account is ``incidents.staff``'s.
"""

from incidents.holders import COMMAND_LINE, SIGN_IN, Holder
from incidents.sessions import (
    ABSOLUTE_LIFETIME,
    AFTER_CALL,
    IDLE_LIFETIME,
    TOUCH_EVERY,
    Sessions,
)
from incidents.tokens import Tokens
from incidents.users import User, Users

__all__ = [
    "ABSOLUTE_LIFETIME",
    "AFTER_CALL",
    "COMMAND_LINE",
    "IDLE_LIFETIME",
    "SIGN_IN",
    "TOUCH_EVERY",
    "Accounts",
    "Holder",
    "User",
]


class Accounts(Users, Sessions, Tokens):
    """Users, sessions and tokens over one store."""
