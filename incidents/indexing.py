"""The blind index: what people wrote is found again by keyed hashes of its words alone.

Words are brought to one form (no case, no accents), hashed with the site's key, and kept in
the order of their hashes, each once: who reads the disk without the key learns neither the
words nor their order. It is written in the transaction that writes the text. It searches
nothing: that is ``searching``'s.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, delete

from incidents.sealed import Keys
from incidents.tables import searchable

Kind = Literal["entry", "person", "address"]
HASH_DIGITS: Final = 16
"""64 bits of a hash: two words of a site share one once in many millions of years of notes."""
TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    "note_added": ("text",),
    "detail_set": ("text",),
    "corrected": ("text",),
    "reviewed": ("text",),
    "reviewed_again": ("text",),
    "location_added": ("name", "address", "postcode", "text"),
}
"""Which fields of which entries are found by their words."""
_WORD: Final = re.compile(r"\w+")


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text in the one form in which they are compared."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    # An apostrophe stands inside a word: "don't", "O’Neill".
    bare = "".join(c for c in plain if not unicodedata.combining(c) and c not in "'’")
    return frozenset(_WORD.findall(bare.replace("_", " ")))


def hashed(keys: Keys, words: frozenset[str]) -> str:
    """Return the keyed hashes of words, in order, with a space between."""
    return " ".join(sorted(keys.look_up(f"word|{word}")[:HASH_DIGITS] for word in words))


def entry_text(kind: str, data: Mapping[str, Any]) -> str:
    """Return what of a timeline entry is found by its words; empty: nothing."""
    said = (data.get(name) for name in TEXTS.get(kind, ()))
    return " ".join(one for one in said if isinstance(one, str))


def index(
    connection: Connection,
    keys: Keys,
    kind: Kind,
    row: str,
    text: str,
    *,
    at: datetime,
    call_key: str | None = None,
    person_id: str | None = None,
) -> None:
    """Have ``row`` (its id) found by the words of ``text``. Only inside ``writing``.

    ``call_key`` or ``person_id`` says to what it belongs. A text without words is not put in.
    """
    words = words_of(text)
    if not words:
        return
    connection.execute(
        searchable.insert().values(
            kind=kind,
            row=row,
            call_key=call_key,
            person_id=person_id,
            at=at,
            words=hashed(keys, words),
        )
    )


def unindex(connection: Connection, row: str) -> None:
    """Have ``row`` found no more: its text changed or was erased. Only inside ``writing``."""
    connection.execute(delete(searchable).where(searchable.c.row == row))
