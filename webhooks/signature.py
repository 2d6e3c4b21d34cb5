"""Was this request signed with our token? And which of its parameters were?

Twilio signs the public URL it was given followed by every form parameter, sorted
by name, with HMAC-SHA1 (see docs/reference for the rule). What this module returns is
what the signature covers and nothing else: an unsigned part of a body is never used.
"""

import base64
import gzip
import hashlib
import hmac
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import IO
from urllib.parse import urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

LARGEST_UNPACKED = 1_000_000
"""Bytes a compressed body may unpack to; a bomb stops here."""
MOST_FIELDS = 20_000
"""Fields of a body that is read at all. Twilio sends some thirty; a stranger could send millions,
and other callers would wait while they are read."""
_FORM = "application/x-www-form-urlencoded"
_SHA1_BLOCK = 64
_HIDDEN_PORTS = {"https": 443, "http": 80}
_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{27}=")
_ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")

Pairs = list[tuple[bytes, bytes]]


class _Keyed:
    """HMAC-SHA1 (RFC 2104) with one token, its two key blocks hashed once.

    The library's hands the interpreter to other threads for every digest; with the journal's
    writer waiting for it, that costs a caller more than the digest itself.
    """

    def __init__(self, token: bytes) -> None:
        sha1 = hashlib.sha1  # Twilio's choice; as an HMAC it still holds
        block = sha1(token).digest() if len(token) > _SHA1_BLOCK else token
        block = block.ljust(_SHA1_BLOCK, b"\0")
        self._inner = sha1(bytes(byte ^ 0x36 for byte in block))
        self._outer = sha1(bytes(byte ^ 0x5C for byte in block))

    def digest(self, text: bytes) -> bytes:
        """Return the HMAC of ``text``."""
        inner = self._inner.copy()
        inner.update(text)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()


class Signatures:
    """Checks requests to one public address against one or two tokens."""

    def __init__(self, public_url: str, tokens: Sequence[str]) -> None:
        self._tokens = tuple(_Keyed(token.encode()) for token in tokens)
        parts = urlsplit(public_url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        port = parts.port or _HIDDEN_PORTS[parts.scheme]
        bare, full = f"{parts.scheme}://{host}", f"{parts.scheme}://{host}:{port}"
        # Voice over https: Twilio drops any port from the URL it signs; http keeps
        # it as written. As configured first, because that is nearly always right.
        bases = (public_url, bare + parts.path, full + parts.path)
        self._bases = tuple(base.encode() for base in dict.fromkeys(bases))

    def signed(
        self, target: bytes, body: bytes, content_type: str, encoding: str, signature: str | None
    ) -> dict[str, str] | None:
        """Return the signed parameters of a request, or None when it is not signed by us.

        ``target``: the raw path and query as they came. Of a parameter that came twice the first
        counts. Never raises.
        """
        if signature is None or not _SIGNATURE.fullmatch(signature):
            return None
        given = signature.encode()
        for pairs in _readings(target, body, content_type, encoding):
            text = _signed_text(pairs)
            for base in self._bases:
                if self._matches(base + target, text, given):
                    return _as_text(pairs)
                # A bare "?" is signed but lost by some proxies on the way.
                if b"?" not in target and self._matches(base + target + b"?", text, given):
                    return _as_text(pairs)
        return None

    def _matches(self, url: bytes, text: bytes, given: bytes) -> bool:
        good = False
        for token in self._tokens:
            # As text: several base64 texts stand for the same bytes, and one is right.
            made = base64.b64encode(token.digest(url + text))
            good |= hmac.compare_digest(made, given)
        return good


def _readings(target: bytes, body: bytes, content_type: str, encoding: str) -> Iterator[Pairs]:
    """Yield what the body may say, likeliest first; used only if the signature covers it."""
    if body.count(b"&") < MOST_FIELDS:
        pairs = read_form(body)
        yield pairs
        mended = [(_mend(name), _mend(value)) for name, value in pairs]
        if mended != pairs:
            yield mended
    kind, options = parse_options_header(content_type)
    charset = options.get("charset", "")
    if charset and charset.lower() not in ("utf-8", "utf8"):
        yield from _recoded(body, charset)
    if kind == "multipart/form-data":
        yield _multipart(body, content_type)
    if encoding:
        yield from _unpacked(body)
    if kind != _FORM:
        # Twilio signs the URL alone where the body is no form. The body is then not
        # covered, so nothing of it is used.
        yield []


def read_form(body: bytes) -> Pairs:
    """Read a urlencoded form as bytes, in order, empty values kept."""
    fields = [field.partition(b"=") for field in body.replace(b"+", b" ").split(b"&") if field]
    if b"%" not in body:
        return [(name, value) for name, _, value in fields]
    return [(_unquote(name), _unquote(value)) for name, _, value in fields]


def _unquote(text: bytes) -> bytes:
    # The library's own takes a second for a long speech in another script.
    if b"%" not in text:
        return text
    # One escape alone is the "+" before a number, nearly always.
    if text.startswith(b"%2B") and text.count(b"%") == 1:
        return b"+" + text[3:]
    return _ESCAPES.sub(_unescape, text)


def _unescape(escapes: re.Match[bytes]) -> bytes:
    return bytes.fromhex(escapes[0].replace(b"%", b"").decode())


def _mend(value: bytes) -> bytes:
    return value.decode("utf-8", "replace").encode()


def _recoded(body: bytes, charset: str) -> Iterator[Pairs]:
    try:
        plain = body.decode(charset).encode()
    except (LookupError, ValueError):
        return
    if plain.count(b"&") < MOST_FIELDS:
        yield read_form(plain)


def _multipart(body: bytes, content_type: str) -> Pairs:
    kind, options = parse_options_header(content_type)
    parser = FormDataParser(
        _in_memory, max_form_memory_size=None, max_form_parts=MOST_FIELDS // 10, silent=True
    )
    try:
        _, form, _ = parser.parse(io.BytesIO(body), kind, len(body), options)
    except (HTTPException, ValueError, LookupError):
        return []
    return [(name.encode(), value.encode()) for name, value in form.items(multi=True)]


def _in_memory(
    total_content_length: int | None,
    content_type: str | None,
    filename: str | None,
    content_length: int | None = None,
) -> IO[bytes]:
    """Where a file in a body goes: never onto a disk, whoever sent it."""
    return io.BytesIO()


def _unpacked(body: bytes) -> Iterator[Pairs]:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
            plain = packed.read(LARGEST_UNPACKED)
    except (OSError, EOFError, zlib.error):
        return
    if plain.count(b"&") < MOST_FIELDS:
        yield read_form(plain)


def _signed_text(pairs: Pairs) -> bytes:
    # The library signs each distinct value of a name once, names and values sorted.
    return b"".join(chain.from_iterable(sorted(set(pairs))))


def _as_text(pairs: Pairs) -> dict[str, str]:
    # Last to first, so that of a parameter that came twice the first stays.
    return {
        name.decode("utf-8", "replace"): value.decode("utf-8", "replace")
        for name, value in reversed(pairs)
    }
