"""Reads ``services.toml``: support a caller may be told of, and where each fact comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from callflow.lines import E164, EMERGENCY
from config.reading import BadFile, check_head
from incidents.support import Service, Services

FILE: Final = "services.toml"
_ID: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TAKEN: Final = ("me", "control_room", "conference", "other")
"""What a connection may be ordered to besides; a service must not be taken for it."""
_WEBSITE: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(/[A-Za-z0-9/_-]*)?")
_TEXTS: Final = {"name": 60, "for_whom": 120, "hours": 80, "source": 200}
_KEYS: Final = ("id", *_TEXTS, "written", "number", "website", "checked", "review")


def read_services(data: dict[str, Any]) -> Services:
    """Read the parsed file. Raises ``BadFile`` on the first wrong key. It may hold no service."""
    check_head(data, ("service",), "services")
    tables = data.get("service", [])
    if not isinstance(tables, list):
        raise BadFile("service", "must be [[service]] tables")
    found: list[Service] = []
    for at, table in enumerate(tables, start=1):
        service = _service(f"service {at}", table)
        for key in ("id", "name"):
            if getattr(service, key) in (getattr(one, key) for one in found):
                raise BadFile(f"service {at}: {key}", "is listed twice")
        found.append(service)
    return Services(tuple(found))


def _service(place: str, table: Any) -> Service:
    if not isinstance(table, dict):
        raise BadFile(place, "must be a [[service]] table")
    for key in table:
        if key not in _KEYS:
            raise BadFile(f"{place}: {key}", f"is not a key of a service ({', '.join(_KEYS)})")
    id_ = table.get("id")
    if not isinstance(id_, str) or not _ID.fullmatch(id_) or id_ in _TAKEN:
        raise BadFile(f"{place}: id", f"must be one word of a-z, 0-9, _; not {', '.join(_TAKEN)}")
    texts = {key: _text(place, table, key, longest) for key, longest in _TEXTS.items()}
    number, written = _number(place, table)
    website = table.get("website", "")
    if not isinstance(website, str) or (website and not _WEBSITE.fullmatch(website)):
        raise BadFile(f"{place}: website", "must be an address such as www.example.org")
    if not number and not website:
        raise BadFile(f"{place}: number", "must be there, or a website: how else is it reached?")
    checked, review = _day(place, table, "checked"), _day(place, table, "review")
    if review <= checked:
        raise BadFile(f"{place}: review", "must be later than checked")
    return Service(
        id=id_,
        number=number,
        written=written,
        website=website,
        checked=checked,
        review=review,
        **texts,
    )


def _number(place: str, table: Mapping[str, Any]) -> tuple[str, str]:
    """Read the number to dial and the one to read out; the two must be the same number."""
    number, written = table.get("number", ""), table.get("written", "")
    if number == written == "":
        return "", ""
    if not isinstance(number, str) or not E164.match(number):
        raise BadFile(f"{place}: number", "must be a number such as +441632960000")
    bare = written.replace(" ", "") if isinstance(written, str) else ""
    if EMERGENCY.match(number) or EMERGENCY.match(bare):
        raise BadFile(f"{place}: number", "must not be an emergency number: those are never called")
    # A digit wrong in one of the two would send a caller to a stranger.
    if not re.fullmatch(r"\+?[0-9]{5,15}", bare) or not number.endswith(bare.lstrip("+0")):
        raise BadFile(f"{place}: written", "must be the number above, as it is read out")
    return number, written


def _text(place: str, table: Mapping[str, Any], key: str, longest: int) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise BadFile(f"{place}: {key}", "must be a text on one line")
    if len(value) > longest:
        raise BadFile(f"{place}: {key}", f"must have at most {longest} characters")
    return value


def _day(place: str, table: Mapping[str, Any], key: str) -> date:
    value = table.get(key)
    if not isinstance(value, date):
        raise BadFile(f"{place}: {key}", "must be a date such as 2026-11-25")
    return date(value.year, value.month, value.day)
