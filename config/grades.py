"""Reads ``grades.toml``: response grades, outcomes and the fields of a record."""

from typing import Any, Final

from config.reading import BadFile, check_head
from incidents.grades import Grade, Grades, Outcome

FILE: Final = "grades.toml"
NEEDED: Final = ("immediate", "priority", "scheduled", "advice", "none")
"""Grades the interface promises; a site may rename them and add others."""
LONGEST_NAME: Final = 80
LONGEST_ID: Final = 40
MOST_MINUTES: Final = 60 * 24 * 31


def read_grades(data: dict[str, Any]) -> Grades:
    """Read the parsed file. Raises ``BadFile`` on the first wrong key."""
    check_head(
        data,
        (
            "grade",
            "outcome",
            "details",
        ),
        "grades",
    )
    grades = tuple(
        Grade(name[0], name[1], _target(table, place))
        for place, table, name in _tables(data, "grade", ("id", "name", "target_minutes"))
    )
    outcomes = tuple(Outcome(*name) for _, _, name in _tables(data, "outcome", ("id", "name")))
    for needed in NEEDED:
        if needed not in (one.id for one in grades):
            raise BadFile("grade", f"the grade {needed} must be there; put it back")
    return Grades(grades, outcomes, _details(data.get("details")))


def _tables(
    data: dict[str, Any], kind: str, keys: tuple[str, ...]
) -> list[tuple[str, dict[str, Any], tuple[str, str]]]:
    tables = data.get(kind)
    if not isinstance(tables, list) or not tables:
        raise BadFile(kind, f"there must be at least one [[{kind}]] table")
    found = []
    seen: set[str] = set()
    for at, table in enumerate(tables, start=1):
        place = f"{kind} {at}"
        if not isinstance(table, dict):
            raise BadFile(place, f"must be a [[{kind}]] table")
        for key in table:
            if key not in keys:
                raise BadFile(f"{place}: {key}", f"is not a key of it ({', '.join(keys)})")
        name = (_word(table, place), _name(table.get("name"), f"{place}: name"))
        if name[0] in seen:
            raise BadFile(f"{place}: id", "is listed twice")
        seen.add(name[0])
        found.append((place, table, name))
    return found


def _word(table: dict[str, Any], place: str) -> str:
    word = table.get("id")
    if not isinstance(word, str) or not word.isidentifier() or len(word) > LONGEST_ID:
        raise BadFile(f"{place}: id", "must be one word of letters, digits and _")
    return word


def _name(name: Any, place: str) -> str:
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise BadFile(place, "must be a text on one line")
    if len(name) > LONGEST_NAME:
        raise BadFile(place, f"must have at most {LONGEST_NAME} characters")
    return name


def _target(table: dict[str, Any], place: str) -> int | None:
    minutes = table.get("target_minutes")
    if not isinstance(minutes, int) or isinstance(minutes, bool):
        raise BadFile(f"{place}: target_minutes", "must be a whole number of minutes")
    if not 0 <= minutes <= MOST_MINUTES:
        raise BadFile(f"{place}: target_minutes", f"must be from 0 (none) to {MOST_MINUTES}")
    return minutes * 60 or None


def _details(table: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(table, dict) or not table:
        raise BadFile("details", "must be a table of fields and their names")
    for field, name in table.items():
        if not field.isidentifier() or len(field) > LONGEST_ID:
            raise BadFile(f"details.{field}", "a field is one word of letters, digits and _")
        _name(name, f"details.{field}")
    return tuple(table.items())
