"""The pages of figures, as those who may read them use them."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from incidents.tables import audit
from incidents.transactions import reading
from tests.console.forms import words
from tests.console.site import NOW, NUMBER, Console
from tests.incidents.counting import Told, put

DAYS = "from=2026-12-01&to=2026-12-22&base_from=2025-12-01&base_to=2025-12-22"


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console of the test's own."""
    return Console(data, sqlite_url)


@pytest.fixture
def ana(console: Console) -> FlaskClient:
    """An analyst, who reads figures and nothing else."""
    return console.handler("ana", role="analyst")


def some(console: Console, many: int = 12, *, ago: int = 1, purpose: str = "training") -> None:
    """Have calls come so many days ago: one in three gave the full signal and was claimed."""
    began = NOW - timedelta(days=ago)
    put(
        console.store,
        [
            Told(
                began,
                "confirmed" if at % 3 == 0 else "nothing",
                sign=5 if at % 3 == 0 else None,
                claims=(11,) if at % 3 == 0 else (),
                ended=60,
                purpose=purpose,
                review=at % 3 != 0,
                closed=300 if at % 2 else None,
                outcome="no_trace",
            )
            for at in range(many)
        ],
    )


def logged(console: Console) -> list[tuple[str, str]]:
    """What the audit log says was done, oldest first."""
    with reading(console.store.engine) as connection:
        rows = connection.execute(select(audit.c.operation, audit.c.what).order_by(audit.c.number))
        return [(row.operation, row.what) for row in rows]


def test_an_analyst_starts_on_figures_that_name_nobody(console: Console, ana: FlaskClient) -> None:
    """Numbers with their intervals; no reference, number or name of a caller."""
    some(console)
    sid = console.call("55", at=NOW - timedelta(hours=2))
    console.drain()
    page = words(ana.get("/figures"))
    assert "All calls 13" in page
    for secret in (console.reference(sid), NUMBER, NUMBER[-4:]):
        assert secret not in ana.get("/figures").text
    assert 'href="/figures"' in ana.get("/start").text


def test_a_share_of_few_is_not_given(console: Console, ana: FlaskClient) -> None:
    """Four alerts: how many were answered is said, and no share of them."""
    some(console)
    page = words(ana.get("/figures"))
    assert "Answered within 10 s the goal is 90 % 4 of 4 too few to say" in page


def test_without_calls_the_page_says_what_to_do(ana: FlaskClient) -> None:
    """On both pages."""
    for path in ("/figures", "/figures/day"):
        page = words(ana.get(path))
        assert "No call came" in page
        assert "or live calls." in page


def test_live_and_training_calls_are_never_counted_together(
    console: Console, ana: FlaskClient
) -> None:
    """Which of them is counted is said."""
    some(console, 12, purpose="live")
    assert "No call came" in words(ana.get("/figures?purpose=training"))
    page = words(ana.get("/figures?purpose=live"))
    assert "Live calls from" in page
    assert "All calls 12" in page


def test_a_change_is_named_where_the_interval_leaves_out_the_same(
    console: Console, ana: FlaskClient
) -> None:
    """Sixty calls against twelve in as many days are more; as many are not."""
    some(console, 60)
    some(console, 12, ago=365)
    page = words(ana.get(f"/figures?{DAYS}"))
    assert "More: 5.1 times" in page
    assert "Cannot tell" in page


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("from", "soon", "Enter a day, such as 2026-12-22."),
        ("to", "2026-11-30", "The last day must not be before the first one."),
        ("to", "2028-12-22", "Choose at most 366 days."),
        ("from", "2027-01-01", "The last day must not be before the first one."),
        ("base_from", "", "Enter a day, such as 2026-12-22."),
        ("base_to", "2026-12-01", "The baseline must end before the period begins."),
    ],
)
def test_a_form_that_is_refused_keeps_what_was_typed(
    ana: FlaskClient, field: str, typed: str, sentence: str
) -> None:
    """The sentence stands above and beside its field, and nothing is counted."""
    good = dict(pair.split("=") for pair in DAYS.split("&"))
    answer = ana.get("/figures", query_string={**good, field: typed})
    assert answer.status_code == 422
    assert answer.text.count(sentence) == 2
    for other, value in good.items():
        if other != field:
            assert f'value="{value}"' in answer.text
    file = ana.get("/figures.csv", query_string={**good, field: typed})
    assert file.status_code == 303


def test_a_day_that_has_not_come_has_no_report(ana: FlaskClient) -> None:
    """Nor has what is no day."""
    for typed, sentence in (("2027-01-01", "still to come"), ("x", "Enter a day")):
        answer = ana.get(f"/figures/day?day={typed}")
        assert answer.status_code == 422
        assert sentence in words(answer)


def test_the_daily_report_is_of_yesterday_and_turns_the_pages(
    console: Console, ana: FlaskClient
) -> None:
    """Silent, confirmed, reviewed and missed calls, answer times and unclaimed time."""
    some(console)
    some(console, ago=9)
    page = ana.get("/figures/day")
    told = words(page)
    assert "Daily report, 21 Dec 2026" in told
    assert "against the 28 days before it" in told
    for name in ("Silent calls", "Full signal", "Reviewed", "Missed", "Half answered within"):
        assert name in told
    assert "Unclaimed time, all alerts 24 s" in told
    assert "/figures/day?day=2026-12-20" in page.text
    some(console, ago=0)
    assert "which is not over yet" in words(ana.get("/figures/day?day=2026-12-22"))


def test_a_file_holds_the_same_figures_and_is_logged_as_a_disclosure(
    console: Console, ana: FlaskClient
) -> None:
    """Reading is logged as a look."""
    some(console)
    ana.get("/figures")
    file = ana.get("/figures.csv")
    assert file.mimetype == "text/csv"
    assert "attachment" in file.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(file.text)))
    head = next(at for at, row in enumerate(rows) if row[0] == "table")
    told = {row[1]: dict(zip(rows[head], row, strict=True)) for row in rows[head + 1 :]}
    assert told["All calls"]["number"] == "12"
    assert told["Half answered within"]["unit"] == "seconds"
    ana.get("/figures/day")
    ana.get("/figures/day.csv")
    assert [one for one in logged(console) if "figures" in one[1] or "report" in one[1]] == [
        ("consultation", "read figures"),
        ("disclosure", "exported figures"),
        ("consultation", "read the daily report"),
        ("disclosure", "exported the daily report"),
    ]


def test_no_cell_of_a_file_is_run_as_a_formula(console: Console, ana: FlaskClient) -> None:
    """A line of a name that somebody made up stands in it as text; a number keeps its sign."""
    put(console.store, [Told(NOW - timedelta(days=1), line="=1+1", purpose="training")])
    text = ana.get("/figures.csv").text
    assert "'=1+1" in text
    for row in csv.reader(io.StringIO(text)):
        for one in row:
            assert not one.startswith(("=", "+", "@", "\t", "\r")), one
            assert not one.startswith("-") or float(one) <= 0


def test_days_before_the_record_begins_are_not_compared_with(
    console: Console, ana: FlaskClient
) -> None:
    """Nothing is known of them: everything would be called more."""
    some(console, 40)
    page = words(ana.get("/figures"))
    assert "No call of the baseline is on record" in page
    assert "More:" not in page
    assert "Baseline, a day" not in page


def test_a_baseline_without_a_call_is_said_to_be_compared_with_nothing(
    console: Console, ana: FlaskClient
) -> None:
    """Also where the record began before it: the site may have been off. Nobody reads "against"."""
    some(console, 40)
    some(console, 12, ago=400)
    for page in ("/figures", "/figures/day"):
        told = words(ana.get(page))
        assert "No call of the baseline is on record, so nothing is compared with it" in told
        assert ", against" not in told
        assert "\nbaseline," not in ana.get(f"{page}.csv").text.replace("\r", "")


def test_a_baseline_that_begins_before_the_record_is_doubted(
    console: Console, ana: FlaskClient
) -> None:
    """It is compared all the same, and said to be perhaps not whole."""
    some(console, 40)
    some(console, 12, ago=40)
    page = words(ana.get("/figures"))
    assert "The first call on record here is of 12 Nov 2026" in page
    assert "More: " in page
    report = words(ana.get("/figures/day?day=2026-11-12"))
    assert "No call of the baseline is on record" in report
