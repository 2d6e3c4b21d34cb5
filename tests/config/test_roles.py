"""Roles are data: the shipped file, and wrong ones that are refused with the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.policy import BadPolicy, Policy, load_policy
from config.settings import Settings
from incidents.roles import RIGHTS

WRONG: list[tuple[str, str, str]] = [
    ("source = ", "sauce = ", "sauce"),
    ("checked = 2026", 'checked = "2026', "file"),
    ("checked = 2026-11-25\n", "", "checked"),
    ('"read", "note", "work", "approve", "people", "figures"]', '"wrok"]', "role.handler.may"),
    ('may = ["figures"]', "may = []", "role.analyst.may"),
    ('may = ["figures"]', 'may = "figures"', "role.analyst.may"),
    ('may = ["figures"]', 'may = ["figures"]\nmust = []', "role.analyst.must"),
    ('name = "Analyst"', 'name = ""', "role.analyst.name"),
    ('name = "Analyst"', 'name = "An\\nalyst"', "role.analyst.name"),
    ('name = "Analyst"', f'name = "{"A" * 81}"', "role.analyst.name"),
    ("[role.handler]", "[role.Handler]", "role.Handler"),
    ("[role.handler]", "[role.answerer]", "role.handler"),
    ("[role.analyst]", "[role.statistician]", "people"),
    ('people = ["handler", ', 'people = ["handler", "handler", ', "people"),
    ('"administrator", "auditor"]', '"auditor"]', "people"),
    ('programs = ["reader", ', 'programs = ["writer", ', "programs"),
    ("people = ", "persons = ", "persons"),
]


@pytest.mark.parametrize(("old", "new", "key"), WRONG)
def test_a_wrong_file_of_roles_is_refused_with_its_key(
    old: str, new: str, key: str, folder: Path, settings: Settings
) -> None:
    """Who may do what is read off the file, so the file must be right."""
    path = folder / "roles.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadPolicy) as refused:
        load_policy(settings, folder)
    assert str(refused.value).startswith(f"roles.toml: {key}: ")


def test_every_role_of_the_shipped_file_has_a_name_and_every_right_somebody(
    policy: Policy,
) -> None:
    """A right that nobody has would be a page that nobody can open."""
    roles = policy.roles
    assert set(roles.names) == set(roles.rights) == {*roles.people, *roles.programs}
    for right in RIGHTS:
        assert roles.with_right(right), right


def test_who_manages_users_sees_no_caller(policy: Policy) -> None:
    """Least right: the administrator and the auditor read no incident, the analyst no name."""
    for role in ("administrator", "auditor", "analyst"):
        assert not policy.roles.may(role, "read"), role
    assert not policy.roles.may("nobody knows it", "read")
