"""markers.toml as it is delivered, and wrong ones refused by key."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from config.grades import read_grades
from config.markers import read_markers
from config.reading import BadFile
from incidents.marker_kinds import MarkerKinds

_CONFIG = Path(__file__).resolve().parents[2] / "config"
GOOD = (_CONFIG / "markers.toml").read_text("utf-8")
GRADES = read_grades(tomllib.loads((_CONFIG / "grades.toml").read_text("utf-8")))


def test_the_delivered_kinds_are_read() -> None:
    """At least one is high-risk and proposes a grade; the others only tell."""
    kinds = read_markers(tomllib.loads(GOOD), GRADES)
    assert [(one.id, one.high_risk, one.proposes) for one in kinds.all] == [
        ("high_risk", True, "immediate"),
        ("stalking", True, "immediate"),
        ("weapons", False, ""),
        ("hard_to_reach", False, ""),
        ("often_by_accident", False, ""),
    ]


def test_a_kind_that_is_gone_from_the_file_still_outranks_silence() -> None:
    """Whoever takes a kind out must not lower the calls it stands on."""
    gone = MarkerKinds().of("honour_based")
    assert (gone.name, gone.high_risk, gone.proposes) == ("honour based", True, "immediate")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('id = "high_risk"', 'id = "High"', "kind 1: id"),
        ('id = "stalking"', 'id = "high_risk"', "kind 2: id"),
        ('name = "Weapons at the address"', 'name = ""', "kind 3: name"),
        ("high_risk = true", 'high_risk = "yes"', "kind 1: high_risk"),
        ('proposes = "immediate"', 'proposes = "at once"', "kind 1: proposes"),
        ('proposes = "immediate"', 'proposes = ""', "kind 1: proposes"),
        ("months = 3", "months = 25", "kind 5: months"),
        ("months = 3", "months = true", "kind 5: months"),
        ("longest_months = 24", "longest_months = 0", "longest_months"),
        ("months = 3", "weeks = 3", "kind 5: weeks"),
        ("source = ", "sauce = ", "sauce"),
    ],
)
def test_a_wrong_file_is_refused_by_key(old: str, new: str, key: str) -> None:
    """The message says where and what to do."""
    assert old in GOOD
    with pytest.raises(BadFile) as refused:
        read_markers(tomllib.loads(GOOD.replace(old, new, 1)), GRADES)
    assert refused.value.key == key


def test_a_file_without_a_high_risk_kind_is_refused() -> None:
    """Rule 4 could not be kept."""
    plain = GOOD.replace("high_risk = true", "high_risk = false")
    with pytest.raises(BadFile, match="rule 4"):
        read_markers(
            tomllib.loads(plain.replace('proposes = "immediate"', 'proposes = ""')), GRADES
        )
    with pytest.raises(BadFile, match="at least one"):
        read_markers(
            {"source": "x", "checked": tomllib.loads(GOOD)["checked"], "longest_months": 1}, GRADES
        )
