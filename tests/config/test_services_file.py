"""services.toml as it is delivered, and wrong ones refused by key."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest

from callflow.lines import E164, EMERGENCY
from config.reading import BadFile
from config.support import read_services

GOOD = (Path(__file__).resolve().parents[2] / "config" / "services.toml").read_text("utf-8")


def test_the_delivered_services_are_read() -> None:
    """Those Operation County tells people of, each with a source and a day of review."""
    services = read_services(tomllib.loads(GOOD))
    numbers = {one.id: one.written for one in services.all}
    assert numbers["victim_support"] == "0808 1689 111"
    assert numbers["domestic_abuse_helpline"] == "0808 2000 247"
    assert numbers["respect_phoneline"] == "0808 802 4040"
    assert numbers["cumbria_together"] == ""
    assert all(one.source and one.hours and one.review > one.checked for one in services.all)


def test_rule_12_no_service_is_an_emergency_number() -> None:
    """Each number can be dialled, and none reaches 999 or its like."""
    numbers = [one.number for one in read_services(tomllib.loads(GOOD)).all if one.number]
    assert [n for n in numbers if not E164.match(n) or EMERGENCY.match(n)] == []


def test_only_a_service_with_a_number_can_be_rung() -> None:
    """A website cannot be connected to, and nobody is found by another word."""
    services = read_services(tomllib.loads(GOOD))
    rung = services.reached_by("victim_support")
    assert rung is not None
    assert rung.number == "+448081689111"
    assert services.reached_by("cumbria_together") is None
    assert services.reached_by("+448081689111") is None


def test_a_service_is_stale_the_day_after_its_review() -> None:
    """Not on that day itself."""
    one = read_services(tomllib.loads(GOOD)).all[0]
    assert not one.stale(one.review)
    assert one.stale(date(2027, 5, 26))


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('id = "victim_support"', 'id = "Victim Support"', "service 1: id"),
        ('id = "victim_support"', 'id = "control_room"', "service 1: id"),
        ('id = "mens_advice_line"', 'id = "victim_support"', "service 3: id"),
        ('name = "Victim Support"', 'name = ""', "service 1: name"),
        ('name = "Victim Support"', 'title = "Victim Support"', "service 1: title"),
        ('hours = "day and night"', "hours = 24", "service 1: hours"),
        ('number = "+448081689111"', 'number = "08081689111"', "service 1: number"),
        ('number = "+448081689111"', 'number = "999"', "service 1: number"),
        ('number = "+448081689111"', 'number = "+448081689112"', "service 1: written"),
        ('written = "0808 1689 111"', 'written = "0808 1689 11"', "service 1: written"),
        ('written = "0808 1689 111"', 'written = "999"', "service 1: number"),
        ('written = "0808 1689 111"\n', "", "service 1: written"),
        ('website = "www.cumbriatogether.com"', "", "service 6: number"),
        ('website = "www.cumbriatogether.com"', 'website = "ask us"', "service 6: website"),
        ("review = 2027-05-25", "review = 2026-11-25", "service 1: review"),
        ("review = 2027-05-25", 'review = "soon"', "service 1: review"),
    ],
)
def test_a_wrong_file_is_refused_by_key(old: str, new: str, key: str) -> None:
    """With the place that is wrong."""
    assert GOOD.count(old) >= 1
    with pytest.raises(BadFile) as refused:
        read_services(tomllib.loads(GOOD.replace(old, new, 1)))
    assert refused.value.key == key


def test_a_file_may_list_no_service() -> None:
    """Elsewhere than in this country, until somebody has checked some."""
    head = 'source = "Ours"\nchecked = 2026-11-25\n'
    assert read_services(tomllib.loads(head)).all == ()
