"""Reads ``roles.toml``: every role, its name for people, and its rights.

A role without rights, a right nobody knows or a role that nobody may have is refused: who may do
what must be read off the file, not guessed. It decides nothing about any user.
"""

from pathlib import Path
from typing import Any, Final

from config.reading import BadFile, check_head
from incidents.roles import RIGHTS, Right, Roles

FILE: Final = Path("roles.toml")
NEEDED: Final = ("handler", "administrator", "reader")
"""Roles the product itself gives: to the first user, to who manages users, and to a token."""
LONGEST_NAME: Final = 80
LONGEST_ID: Final = 40
_KEYS: Final = ("people", "programs", "role")


def read_roles(data: dict[str, Any]) -> Roles:
    """Read the parsed file. Raises ``BadFile`` on the first wrong key."""
    check_head(data, _KEYS, "roles")
    tables = data.get("role")
    if not isinstance(tables, dict) or not tables:
        raise BadFile("role", "there must be at least one [role.…] table")
    rights: dict[str, frozenset[Right]] = {}
    names: dict[str, str] = {}
    for role, table in tables.items():
        names[role], rights[role] = _role(role, table)
    for needed in NEEDED:
        if needed not in rights:
            raise BadFile(f"role.{needed}", "this role must be there; put it back")
    people = _listed("people", data.get("people"), names)
    programs = _listed("programs", data.get("programs"), names)
    if not any("users" in rights[role] for role in people):
        raise BadFile("people", "one of these roles must have the right users")
    return Roles(rights, names, people, programs)


def _role(role: str, table: Any) -> tuple[str, frozenset[Right]]:
    place = f"role.{role}"
    if not role.isidentifier() or role != role.lower() or len(role) > LONGEST_ID:
        raise BadFile(place, "a role is one word of small letters, digits and _")
    if not isinstance(table, dict):
        raise BadFile(place, "must be a table with name and may")
    for key in table:
        if key not in ("name", "may"):
            raise BadFile(f"{place}.{key}", "is not a key of a role (name, may)")
    name = table.get("name")
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise BadFile(f"{place}.name", "must be a text on one line")
    if len(name) > LONGEST_NAME:
        raise BadFile(f"{place}.name", f"must have at most {LONGEST_NAME} characters")
    may = table.get("may")
    if not isinstance(may, list) or not may:
        raise BadFile(f"{place}.may", f"must be a list of rights ({', '.join(RIGHTS)})")
    found: list[Right] = []
    for word in may:
        right = next((one for one in RIGHTS if one == word), None)
        if right is None:
            raise BadFile(f"{place}.may", f"{word!r} is not a right ({', '.join(RIGHTS)})")
        found.append(right)
    return name, frozenset(found)


def _listed(key: str, listed: Any, names: dict[str, str]) -> tuple[str, ...]:
    if not isinstance(listed, list) or not listed:
        raise BadFile(key, "must be a list of roles")
    for role in listed:
        if not isinstance(role, str) or role not in names:
            raise BadFile(key, f"there is no role {role!r}; is there a [role.…] table for it?")
    if len(set(listed)) != len(listed):
        raise BadFile(key, "a role is listed twice")
    return tuple(listed)
