"""The places in the header: those of a role, and what is folded where there are many."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.places import IN_ONE_LINE, PLACES, parted
from tests.console.site import Console


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console of the test's own."""
    return Console(data, sqlite_url)


def test_many_places_are_parted_and_none_is_lost() -> None:
    """The ones somebody on shift needs stay in the line."""
    shown, folded = parted(list(PLACES))
    assert sorted([*shown, *folded], key=PLACES.index) == list(PLACES)
    assert [one.path for one in shown[:3]] == ["/", "/review", "/people"]
    assert all(one.folded for one in folded)


def test_few_places_stand_in_one_line() -> None:
    """An analyst's one page is not hidden under anything."""
    few = list(PLACES[-IN_ONE_LINE:])
    assert parted(few) == (few, [])


def test_the_place_one_is_at_is_marked_though_it_is_folded(console: Console) -> None:
    """And marked for a screen reader."""
    sue = console.handler("sue", role="supervisor")
    page = sue.get("/markers").text
    assert '<summary><b>More</b><span class="sr">, here: Markers</span>' in page
    assert '<a href="/markers" aria-current="page">Markers</a>' in page
    assert "<summary>More" in sue.get("/people").text
