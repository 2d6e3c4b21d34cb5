"""Was this request signed with our token? And which of its parameters were?

Twilio signs the public URL it was given followed by every form parameter, sorted
by name, with HMAC-SHA1 (see docs/reference for the rule). What this module returns is
what the signature covers and nothing else: an unsigned part of a body is never used.
"""

import base64
import binascii
import gzip
import hashlib
import hmac
import io
import zlib
from collections.abc import Iterator, Sequence
from urllib.parse import unquote_to_bytes, urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

LARGEST_UNPACKED = 1_000_000
"""Bytes a compressed body may unpack to; a bomb stops here."""
_FORM = "application/x-www-form-urlencoded"
_HIDDEN_PORTS = {"https": 443, "http": 80}

Pairs = list[tuple[bytes, bytes]]


class Signatures:
    """Checks requests to one public address against one or two tokens."""

    def __init__(self, public_url: str, tokens: Sequence[str]) -> None:
        self._tokens = tuple(token.encode() for token in tokens)
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
        given = _read_signature(signature)
        if given is None:
            return None
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
            made = hmac.digest(token, url + text, hashlib.sha1)
            good |= hmac.compare_digest(made, given)
        return good


def _read_signature(signature: str | None) -> bytes | None:
    if not signature or len(signature) > 64 or not signature.isascii():
        return None
    try:
        return base64.b64decode(signature, validate=True)
    except binascii.Error:
        return None


def _readings(target: bytes, body: bytes, content_type: str, encoding: str) -> Iterator[Pairs]:
    """Yield what the body may say, likeliest first; used only if the signature covers it."""
    yield read_form(body)
    kind, options = parse_options_header(content_type)
    if b"\xff" in body or b"%" in body:
        replaced = [(_mend(name), _mend(value)) for name, value in read_form(body)]
        yield replaced
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
    pairs = []
    for field in body.split(b"&"):
        if field:
            name, _, value = field.replace(b"+", b" ").partition(b"=")
            pairs.append((unquote_to_bytes(name), unquote_to_bytes(value)))
    return pairs


def _mend(value: bytes) -> bytes:
    return value.decode("utf-8", "replace").encode()


def _recoded(body: bytes, charset: str) -> Iterator[Pairs]:
    try:
        yield read_form(body.decode(charset).encode())
    except (LookupError, ValueError):
        return


def _multipart(body: bytes, content_type: str) -> Pairs:
    kind, options = parse_options_header(content_type)
    parser = FormDataParser(max_form_memory_size=None, max_form_parts=None, silent=True)
    try:
        _, form, _ = parser.parse(io.BytesIO(body), kind, len(body), options)
    except (HTTPException, ValueError, LookupError):
        return []
    return [(name.encode(), value.encode()) for name, value in form.items(multi=True)]


def _unpacked(body: bytes) -> Iterator[Pairs]:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
            yield read_form(packed.read(LARGEST_UNPACKED))
    except (OSError, EOFError, zlib.error):
        return


def _signed_text(pairs: Pairs) -> bytes:
    # The library signs each distinct value of a name once, names and values sorted.
    return b"".join(name + value for name, value in sorted(set(pairs)))


def _as_text(pairs: Pairs) -> dict[str, str]:
    params: dict[str, str] = {}
    for name, value in pairs:
        params.setdefault(name.decode("utf-8", "replace"), value.decode("utf-8", "replace"))
    return params
