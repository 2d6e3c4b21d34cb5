"""The check that every suite ran must itself catch what it is there for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.suites import SUITES, complaints, main

GOOD = (
    "<testsuites><testsuite>"
    + "".join(f'<testcase classname="tests.{suite}.test_a" name="test_b"/>' for suite in SUITES)
    + "</testsuite></testsuites>"
)


def test_a_report_in_which_every_suite_ran_is_accepted() -> None:
    """Nothing to complain of."""
    assert complaints(GOOD) == []


def test_a_planted_skip_is_found() -> None:
    """A skipped test is named, and its suite's other tests do not hide it."""
    skip = '<testcase classname="tests.browser.test_a" name="test_c"><skipped/></testcase>'
    planted = GOOD.replace("</testsuite>", f"{skip}</testsuite>")
    assert complaints(planted) == ["skipped: tests.browser.test_a::test_c"]


@pytest.mark.parametrize("suite", SUITES)
def test_a_suite_that_is_missing_is_found(suite: str) -> None:
    """Each suite of the list is missed when it ran nothing."""
    without = GOOD.replace(f"tests.{suite}.", "tests.elsewhere.")
    assert complaints(without) == [f"ran no test: tests/{suite}"]


def test_a_suite_whose_tests_were_all_skipped_counts_as_missing() -> None:
    """Skipping a whole suite is not running it."""
    planted = GOOD.replace(
        '<testcase classname="tests.faults.test_a" name="test_b"/>',
        '<testcase classname="tests.faults.test_a" name="test_b"><skipped/></testcase>',
    )
    assert "ran no test: tests/faults" in complaints(planted)


def test_a_missing_report_fails_the_check(tmp_path: Path) -> None:
    """No report is not a good report."""
    assert main([str(tmp_path / "tests.xml")]) == 1
    (tmp_path / "tests.xml").write_text(GOOD, encoding="utf-8")
    assert main([str(tmp_path / "tests.xml")]) == 0


def test_the_list_names_every_folder_that_holds_tests() -> None:
    """A new suite cannot be forgotten, and a name without a folder cannot stay."""
    here = Path(__file__).resolve().parent.parent
    folders = {path.parent.relative_to(here).parts[0] for path in here.glob("*/**/test_*.py")}
    assert folders == set(SUITES)
