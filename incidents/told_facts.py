"""Facts about a person as somebody wrote them, in a form or a file: read, or refused by field.

Every refusal names its field first (``marac: must be …``); nothing is guessed.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final, TypeVar

from callflow.keys import KEYPAD
from incidents.persons import Facts
from incidents.safe_contact import SAFE, Safe, SafeContact
from incidents.working import Unfit, text_of

_T = TypeVar("_T")

LONGEST_FACT: Final = 2_000
YES_NO: Final = {"": False, "no": False, "yes": True}
_KEYS: Final = frozenset(KEYPAD[:12])
"""The keys of a phone; the four of test sets are nobody's pattern."""
_SAFE: Final[Mapping[str, Safe]] = dict(zip(SAFE, SAFE, strict=True))


def facts_of(field: Callable[[str], str]) -> Facts:
    """Read facts; ``field`` gives what was written for each, trimmed. Raises ``Unfit``."""
    marac = (day_of("marac", one.strip()) for one in field("marac").split(";"))
    return Facts(
        born=day_of("born", field("born")),
        children=_text("children", field("children")),
        code_word=_text("code_word", field("code_word")),
        key_pattern=_pattern(field("key_pattern")),
        marac=tuple(day for day in marac if day is not None),
        orders=_text("orders", field("orders")),
        language=_text("language", field("language")),
        safe_words=_text("safe_words", field("safe_words")),
        never_call=one_of("never_call", field("never_call"), YES_NO),
        notes=_text("notes", field("notes")),
    )


def contact_of(field: Callable[[str], str]) -> SafeContact:
    """Read ``number_safe`` and ``safe_hours``. Raises ``Unfit``."""
    return SafeContact(
        one_of("number_safe", field("number_safe") or SAFE[0], _SAFE),
        _text("safe_hours", field("safe_hours")),
    )


def one_of(column: str, typed: str, values: Mapping[str, _T]) -> _T:
    """Return the value that a word stands for. Raises ``Unfit``."""
    try:
        return values[typed.casefold()]
    except KeyError:
        allowed = ", ".join(filter(None, values))
        raise Unfit(column, f"{column}: must be one of {allowed}") from None


def day_of(column: str, typed: str) -> date | None:
    """Return a day written as 2026-11-04, None where nothing is. Raises ``Unfit``."""
    if not typed:
        return None
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        day = None
    if day is None or day.isoformat() != typed:
        raise Unfit(column, f"{column}: must be a day like 2026-11-04")
    return day


def _text(column: str, typed: str) -> str:
    return text_of(column, typed, column, LONGEST_FACT) if typed else ""


def _pattern(typed: str) -> str:
    if not _KEYS.issuperset(typed):
        raise Unfit("key_pattern", "key_pattern: must be keys of a phone: 0 to 9, * and #")
    return typed
