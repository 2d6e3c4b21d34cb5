"""Sealing: nothing about a caller stands in the clear on any disk.

Numbers, names and spoken words are encrypted (AES-GCM, with the place they belong
to as associated data, so that a value moved elsewhere does not open), and looked
up by keyed hash only. References are derived from the call, so that the feed, the
journal and the store agree on them without asking each other.
"""

import base64
import hashlib
import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_HASH_BYTES: Final = 20

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""31 characters without look-alikes (no 0 O, 1 I L). A prime, so that one check character
finds every single wrong character and every two neighbours changed over."""
_REFERENCE_CHARACTERS: Final = 10


class CannotOpen(ValueError):
    """A sealed value does not open: wrong key, wrong place, or changed."""


class Keys:
    """The keys of one site, all derived from one secret of ``KEY_BYTES`` bytes."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise ValueError(f"the key must have {KEY_BYTES} bytes, not {len(secret)}")
        self._cipher = AESGCM(_derive(secret, b"seal"))
        self._look_up = _derive(secret, b"look-up")
        self._reference = _derive(secret, b"reference")
        self._chain = _derive(secret, b"audit")

    def seal(self, plain: bytes, place: str) -> bytes:
        """Encrypt ``plain`` for ``place`` (``table|row|column``)."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """Decrypt what ``seal`` made for the same place. Raises ``CannotOpen``."""
        try:
            return self._cipher.decrypt(
                sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode()
            )
        except (InvalidTag, ValueError) as error:
            raise CannotOpen(place) from error

    def look_up(self, text: str) -> str:
        """Return the keyed hash by which ``text`` is found again, 40 hex digits."""
        return _digest(self._look_up, text).hex()

    def chain(self, *parts: bytes) -> str:
        """Return the keyed hash that makes a link of the audit chain, 64 hex digits.

        The borders of the parts count: nothing can move from one to the next.
        """
        link = hashlib.blake2b(key=self._chain, digest_size=KEY_BYTES)
        for part in parts:
            link.update(b"%d:" % len(part) + part)
        return link.hexdigest()

    def reference(self, call_key: str) -> str:
        """Return the reference of a call, such as ``QL-7K3M-9F2X-HC4``."""
        number = int.from_bytes(_digest(self._reference, call_key))
        symbols = []
        for _ in range(_REFERENCE_CHARACTERS):
            number, symbol = divmod(number, len(ALPHABET))
            symbols.append(ALPHABET[symbol])
        text = "".join(symbols)
        text += check_character(text)
        return f"QL-{text[:4]}-{text[4:8]}-{text[8:]}"


def check_character(text: str) -> str:
    """Return the character that completes a reference's ten."""
    weighted = sum(at * ALPHABET.index(symbol) for at, symbol in enumerate(text, start=1))
    return ALPHABET[weighted % len(ALPHABET)]


def is_reference(text: str) -> bool:
    """Say whether ``text`` is a reference that was copied down without a mistake."""
    symbols = text.removeprefix("QL-").replace("-", "")
    if len(symbols) != _REFERENCE_CHARACTERS + 1 or set(symbols) - set(ALPHABET):
        return False
    return check_character(symbols[:-1]) == symbols[-1]


def read_secret(text: str) -> bytes:
    """Read a secret written by ``write_secret``. Raises ``ValueError``."""
    secret = base64.urlsafe_b64decode(text.strip())
    if len(secret) != KEY_BYTES:
        raise ValueError(f"must be {KEY_BYTES} bytes in base64")
    return secret


def make_secret() -> str:
    """Make a new secret, base64 in ASCII."""
    return base64.urlsafe_b64encode(os.urandom(KEY_BYTES)).decode()


def digest(key: bytes, *parts: str) -> str:
    """Return one keyed hash over ``parts``; their borders count."""
    return _digest(key, "".join(f"{len(part)}:{part}" for part in parts)).hex()


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return hashlib.blake2b(purpose, key=secret, digest_size=KEY_BYTES).digest()


def _digest(key: bytes, text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, key=key, digest_size=_HASH_BYTES).digest()
