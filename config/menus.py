"""Reads ``menus.toml``: what a caller on a line with a menu hears and may choose by key."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from callflow.keys import KEYPAD
from callflow.lines import Kind
from callflow.menus import SILENT, Choice, Menu
from callflow.profiles import SHORTEST_WAIT, Ask
from callflow.questions import FIRST_LANGUAGE
from config.reading import BadFile, check_head

FILE: Final = "menus.toml"
KINDS: Final[tuple[Kind, ...]] = ("non_emergency",)
"""Kinds of line that may have a menu; an emergency line never has one."""
_KEYS: Final = ("times", "wait", "speech", "words", "choice")
_CHOICE_KEYS: Final = ("id", "key", "name")
_LISTENED_FOR: Final = 2
"""Keys that end the listening at once, so that 5 5 is taken whole."""
_MOST_TIMES: Final = 3
_LONGEST_WAIT: Final = 15
_LONGEST_WORDS: Final = 600
_LONGEST_NAME: Final = 60
_LONGEST_ID: Final = 40


def read_menus(data: dict[str, Any], languages: Sequence[str]) -> Mapping[Kind, Menu]:
    """Read the parsed file. ``languages``: those spoken. Raises ``BadFile`` on the first wrong key.

    A kind of line without a table has no menu.
    """
    check_head(data, KINDS, "menus")
    return {kind: _menu(kind, data[kind], languages) for kind in KINDS if kind in data}


def _menu(kind: str, table: Any, languages: Sequence[str]) -> Menu:
    if not isinstance(table, dict):
        raise BadFile(kind, "must be a table")
    _known(kind, table, _KEYS)
    ask = Ask(
        times=_whole(kind, table, "times", 1, _MOST_TIMES),
        wait=_whole(kind, table, "wait", SHORTEST_WAIT, _LONGEST_WAIT),
        keys=_LISTENED_FOR,
        speech=_flag(kind, table, "speech"),
    )
    tables = table.get("choice")
    if not isinstance(tables, list) or not tables:
        raise BadFile(f"{kind}.choice", "must be [[choice]] tables, at least one")
    choices = tuple(_choice(f"{kind}.choice {at}", one) for at, one in enumerate(tables, start=1))
    for at, choice in enumerate(choices):
        for name in ("id", "key"):
            if getattr(choice, name) in [getattr(one, name) for one in choices[:at]]:
                raise BadFile(f"{kind}.choice {at + 1}: {name}", "is used twice")
    return Menu(ask, choices, _words(kind, table.get("words"), choices, languages))


def _choice(place: str, table: Any) -> Choice:
    if not isinstance(table, dict):
        raise BadFile(place, "must be a [[choice]] table")
    _known(place, table, _CHOICE_KEYS)
    name, key = _text(place, table, "id", _LONGEST_ID), _text(place, table, "key", 1)
    if not name.isidentifier():
        raise BadFile(f"{place}: id", "must be one word of letters, digits and _")
    if key == SILENT:
        raise BadFile(f"{place}: key", "must not be 5: 5 5 asks for silent help at any moment")
    if key not in KEYPAD:
        raise BadFile(f"{place}: key", "must be one key of a phone, in quotes")
    return Choice(name, key, _text(place, table, "name", _LONGEST_NAME))


def _words(
    kind: str, table: Any, choices: Sequence[Choice], languages: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """Read what is said in every language, and hold it against the keys there are."""
    if not isinstance(table, dict):
        raise BadFile(f"{kind}.words", "must be a table of what is said, by language")
    _known(f"{kind}.words", table, languages)
    found = []
    for language in sorted(languages, key=lambda one: one != FIRST_LANGUAGE):
        place = f"{kind}.words"
        words = _text(place, table, language, _LONGEST_WORDS)
        first, _, rest = words.partition(".")
        if first.count(SILENT) < 2:
            raise BadFile(f"{place}: {language}", "must name 5 5 in its first sentence")
        for choice in choices:
            if choice.key not in rest:
                raise BadFile(f"{place}: {language}", f"must name the key {choice.key}")
        found.append((language, words))
    return tuple(found)


def _known(place: str, table: Mapping[str, Any], keys: Sequence[str]) -> None:
    for key in table:
        if key not in keys:
            raise BadFile(f"{place}: {key}", f"is not a key here ({', '.join(keys)})")


def _text(place: str, table: Mapping[str, Any], key: str, longest: int) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise BadFile(f"{place}: {key}", "must be a text on one line")
    if len(value) > longest:
        raise BadFile(f"{place}: {key}", f"must have at most {longest} characters")
    return value


def _whole(place: str, table: Mapping[str, Any], key: str, least: int, most: int) -> int:
    value = table.get(key)
    if type(value) is not int or not least <= value <= most:
        raise BadFile(f"{place}: {key}", f"must be a whole number from {least} to {most}")
    return value


def _flag(place: str, table: Mapping[str, Any], key: str) -> bool:
    value = table.get(key)
    if not isinstance(value, bool):
        raise BadFile(f"{place}: {key}", "must be true or false")
    return value
