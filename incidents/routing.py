"""The routing snapshot: who is rung for whom, as a file the phone side reads without the store.

It holds keyed hashes of numbers and codes, and behind each, sealed, an id and phones of staff:
nothing in the clear, nothing of a caller's. A file that is missing, old, broken or not ours
knows nobody; it never keeps a caller from being answered.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from callflow.lines import E164, EMERGENCY
from incidents.sealed import CannotOpen, Keys

log = logging.getLogger(__name__)

FILE: Final = "routing.json"
"""Its name in the data folder; readable by its owner only."""
_FORM: Final = 1


@dataclass(frozen=True, slots=True)
class Phone:
    """Somebody of ours who is rung. ``name``: a user's name. ``number``: E.164."""

    name: str
    number: str


@dataclass(frozen=True, slots=True)
class Route:
    """Whom a known person reaches. ``person``: the id that stands for them. First one first."""

    person: str
    phones: tuple[Phone, ...]


def of_number(keys: Keys, number: str) -> str:
    """Return the keyed hash by which a number (E.164) is found in the store and here."""
    return keys.look_up(f"number|{number}")


def of_code(keys: Keys, code: str) -> str:
    """Return the keyed hash of a personal code: what ``people.code`` holds."""
    return keys.look_up(f"code|{code}")


def write(path: Path, routes: Mapping[str, Route], keys: Keys) -> None:
    """Write the snapshot in place of the one before, whole or not at all. Raises ``OSError``."""
    sealed = {hashed: _sealed(hashed, route, keys) for hashed, route in sorted(routes.items())}
    text = json.dumps({"form": _FORM, "routes": sealed}, separators=(",", ":"))
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        os.replace(draft, path)
    except OSError:
        os.unlink(draft)
        raise


class Snapshot:
    """The snapshot as one process reads it; read again when it has changed.

    ``stale_after``: how long ago the engine must have vouched for it, by the file's own time.
    """

    def __init__(self, path: Path, keys: Keys, stale_after: timedelta) -> None:
        self._path = path
        self._keys = keys
        self._stale_after = stale_after.total_seconds()
        self._seen: tuple[int, int, int] | None = None
        self._routes: Mapping[str, Any] = {}

    def find(self, hashed: str) -> Route | None:
        """Return the route behind a keyed hash, or None. Never raises."""
        try:
            status = self._path.stat()
            seen = status.st_ino, status.st_size, status.st_mtime_ns
            if seen != self._seen:
                self._seen, self._routes = seen, {}
                self._routes = _read(self._path)
        except (OSError, ValueError, RecursionError) as error:
            if self._routes or self._seen is not None:
                log.error("the routing snapshot cannot be read (%s)", type(error).__name__)
            self._seen, self._routes = None, {}
            return None
        if abs(time.time() - status.st_mtime) > self._stale_after:
            return None
        return _opened(hashed, self._routes.get(hashed), self._keys)


def _read(path: Path) -> Mapping[str, Any]:
    told = json.loads(path.read_bytes())
    if not isinstance(told, dict) or told.get("form") != _FORM:
        raise ValueError("not a snapshot of this release")
    routes = told.get("routes")
    if not isinstance(routes, dict):
        raise ValueError("no routes")
    return routes


def _sealed(hashed: str, route: Route, keys: Keys) -> str:
    told = {"person": route.person, "phones": [[one.name, one.number] for one in route.phones]}
    plain = json.dumps(told, separators=(",", ":")).encode()
    return base64.b64encode(keys.seal(plain, f"routing|{hashed}|route")).decode()


def _opened(hashed: str, sealed: Any, keys: Keys) -> Route | None:
    if not isinstance(sealed, str):
        return None
    try:
        plain = keys.open(base64.b64decode(sealed), f"routing|{hashed}|route")
        told = json.loads(plain)
        phones = tuple(Phone(str(name), str(number)) for name, number in told["phones"])
        person = str(told["person"])
    except (CannotOpen, ValueError, KeyError, TypeError):
        log.error("an entry of the routing snapshot does not open")
        return None
    return Route(person, tuple(one for one in phones if may_be_rung(one.number)))


def may_be_rung(number: str) -> bool:
    """Say whether ``number`` is a phone number and no emergency number."""
    return bool(E164.match(number)) and not EMERGENCY.match(number)
