"""Reads ``contact_line.toml``: how the line for known victims answers, and whom it rings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from callflow.contact import LONGEST_TOTAL, SHORTEST_RING, WHOM, ContactLine, Spoken
from callflow.lines import E164, EMERGENCY
from callflow.menus import SILENT
from callflow.profiles import SHORTEST_WAIT, Ask
from callflow.questions import FIRST_LANGUAGE
from config.reading import BadFile, check_head
from incidents.contact_policy import ContactPolicy

FILE: Final = "contact_line.toml"
_KEYS: Final = (
    "duty_desk",
    "total",
    "reason",
    "stale_minutes",
    "code",
    "ring",
    "words",
)
_CODE_LENGTHS: Final = (4, 8)
_CHARACTERS_A_SECOND: Final = 12
"""How fast a voice reads, about; what is said must fit the seconds that are reckoned for it."""
_LONGEST_WORDS: Final = 150
_SAID: Final = ("code", "take", "taken")


def read_contact_line(data: dict[str, Any], languages: Sequence[str]) -> ContactPolicy:
    """Read the parsed file. ``languages``: those spoken. Raises ``BadFile`` on a wrong key."""
    check_head(data, _KEYS, "rules of the line")
    code = _table(data, "code", ("length", "words", "wait"))
    ring = _table(data, "ring", (*WHOM, "press_1"))
    said = _whole(code, "code.words", 1, 15)
    wait = _whole(code, "code.wait", SHORTEST_WAIT, 15)
    rings = tuple(_whole(ring, f"ring.{one}", SHORTEST_RING, 30) for one in WHOM)
    total = _whole(data, "total", 1, LONGEST_TOTAL)
    if said + wait + sum(rings) > total:
        taken = said + wait + sum(rings)
        raise BadFile("total", f"words, wait and rings take {taken} s: make them fit in {total} s")
    line = ContactLine(
        ask=Ask(times=1, wait=wait, keys=_whole(code, "code.length", *_CODE_LENGTHS), speech=False),
        said=said,
        rings=rings,
        take=_whole(ring, "ring.press_1", 3, 10),
        total=total,
        reason=_text(data, "reason", 80),
        words=_words(data.get("words"), languages, said),
    )
    return ContactPolicy(
        line=line,
        duty_desk=_desk(data),
        stale_after=timedelta(minutes=_whole(data, "stale_minutes", 5, 24 * 60)),
    )


def _desk(data: Mapping[str, Any]) -> str | None:
    number = data.get("duty_desk", "")
    if number == "":
        return None
    if not isinstance(number, str) or not E164.match(number):
        raise BadFile("duty_desk", "must be a number such as +441632960200, or empty")
    if EMERGENCY.match(number):
        raise BadFile("duty_desk", "must not be an emergency number: those are never called")
    return number


def _words(tables: Any, languages: Sequence[str], seconds: int) -> tuple[tuple[str, Spoken], ...]:
    """Read what is said in every language; the caller's words must fit in their ``seconds``."""
    if not isinstance(tables, dict):
        raise BadFile("words", "must be tables of what is said, such as [words.en-GB]")
    for key in tables:
        if key not in languages:
            raise BadFile(f"words.{key}", f"is no language here ({', '.join(languages)})")
    found = []
    for language in sorted(languages, key=lambda one: one != FIRST_LANGUAGE):
        place = f"words.{language}"
        table = _table(tables, language, _SAID, place)
        code, take, taken = (_text(table, f"{place}.{key}", _LONGEST_WORDS) for key in _SAID)
        if code.partition(".")[0].count(SILENT) < 2:
            raise BadFile(f"{place}.code", "must name 5 5 in its first sentence")
        if len(code) > seconds * _CHARACTERS_A_SECOND:
            raise BadFile(f"{place}.code", f"cannot be said in {seconds} s: shorten it")
        if "1" not in take:
            raise BadFile(f"{place}.take", "must name the key 1")
        found.append((language, Spoken(code, take, taken)))
    return tuple(found)


def _table(
    data: Mapping[str, Any], key: str, keys: Sequence[str], place: str = ""
) -> Mapping[str, Any]:
    table = data.get(key)
    if not isinstance(table, dict):
        raise BadFile(place or key, "must be a table")
    for name in table:
        if name not in keys:
            raise BadFile(f"{place or key}.{name}", f"is not a key here ({', '.join(keys)})")
    return table


def _whole(table: Mapping[str, Any], place: str, least: int, most: int) -> int:
    value = table.get(place.rpartition(".")[2])
    if type(value) is not int or not least <= value <= most:
        raise BadFile(place, f"must be a whole number from {least} to {most}")
    return value


def _text(table: Mapping[str, Any], place: str, longest: int) -> str:
    value = table.get(place.rpartition(".")[2])
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise BadFile(place, "must be a text on one line")
    if len(value) > longest:
        raise BadFile(place, f"must have at most {longest} characters")
    return value
