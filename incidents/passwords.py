"""How a password is kept and checked: argon2id, at a named cost.

It refuses to take less time over a name that nobody has, and to let a crowd of
guessers eat the machine's memory.
"""

from __future__ import annotations

import base64
import secrets
import threading
import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

HASHER: Final = PasswordHasher(
    # OWASP Password Storage Cheat Sheet, Argon2id, first of the equivalent
    # settings (m=47104, t=1, p=1); salt and hash lengths of RFC 9106 section 4.
    time_cost=1,
    memory_cost=47_104,
    parallelism=1,
    hash_len=32,
    salt_len=16,
)
# Each hash takes 46 MiB while it runs: a crowd of guessers must not eat the machine.
_HASHING: Final = threading.BoundedSemaphore(2)

PASSWORD_MIN: Final = 12
PASSWORD_MAX: Final = 256


class AccountRefused(ValueError):
    """An account cannot be made or changed as asked; the text says why, for a person."""


def _password(password: str) -> bytes:
    # NIST SP 800-63B section 5.1.1.2: one form for what looks the same on any keyboard.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def hash_password(password: str) -> str:
    """Hash a new password. Raises ``AccountRefused`` outside 12 to 256 characters."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise AccountRefused(f"A password has {PASSWORD_MIN} to {PASSWORD_MAX} characters.")
    with _HASHING:
        return HASHER.hash(_password(password))


def fits(password_hash: str | None, password: str) -> bool:
    """Say whether a password fits a hash. None, for nobody, fits nothing and costs the same."""
    # An over-long password is cut before the hash, so that it costs no more than
    # another; nobody can have set one, so it can never fit.
    with _HASHING:
        try:
            HASHER.verify(password_hash or _NOBODY, _password(password[:PASSWORD_MAX]))
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None and len(password) <= PASSWORD_MAX


def is_outdated(password_hash: str) -> bool:
    """Say whether a hash was made with other parameters than today's."""
    return HASHER.check_needs_rehash(password_hash)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


_NOBODY: Final = (
    f"$argon2id$v=19$m={HASHER.memory_cost},t={HASHER.time_cost},p={HASHER.parallelism}"
    f"${_text(secrets.token_bytes(HASHER.salt_len))}${_text(secrets.token_bytes(HASHER.hash_len))}"
)
"""A hash at today's cost whose password nobody knows, for names that nobody has."""
