"""Finds a canary however it is written: in bytes, UTF-16, base64, hex or percent-encoding."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus


def spellings(canary: str) -> set[bytes]:
    """Every way of writing ``canary`` that is looked for, in lower case."""
    plain = canary.encode()
    texts = {canary, quote(canary, safe=""), quote_plus(canary), plain.hex(), repr(canary)[1:-1]}
    texts.add("".join(f"%{byte:02x}" for byte in plain))
    forms = {text.encode() for text in texts}
    forms |= {canary.encode("utf-16-le"), canary.encode("utf-16-be")}
    # base64 at each of its three alignments, without the characters its neighbours share.
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + plain).rstrip(b"=")
        inner = text[-(-shift * 8 // 6) : len(plain + b"\0" * shift) * 8 // 6]
        forms |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return {form.lower() for form in forms}


def sightings(places: Mapping[str, bytes], canaries: Iterable[str]) -> list[tuple[str, str]]:
    """Return each place and canary found in it."""
    lowered = {place: content.lower() for place, content in places.items()}
    return [
        (place, canary)
        for canary in canaries
        for form in spellings(canary)
        for place, content in lowered.items()
        if form in content
    ]


def everything_in(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every name in ``folder``, and every file's bytes."""
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        yield f"name {name}", name.encode()
        if path.is_file():
            yield name, path.read_bytes()
