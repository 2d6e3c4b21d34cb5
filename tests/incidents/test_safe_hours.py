"""Safe hours as people write them, and what is no hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from incidents.safe_hours import read_hours, told_now

TUESDAY = datetime(2026, 12, 22, tzinfo=UTC)
SATURDAY = datetime(2026, 12, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at", "safe"),
    [
        ("any time", TUESDAY.replace(hour=3), True),
        ("09:00-12:00", TUESDAY.replace(hour=9), True),
        ("09:00-12:00", TUESDAY.replace(hour=12), False),
        ("09:30 to 12.15", TUESDAY.replace(hour=12, minute=14), True),
        ("weekdays 9am–noon", TUESDAY.replace(hour=11, minute=59), True),
        ("weekdays 9am–noon", SATURDAY.replace(hour=10), False),
        ("Mon-Fri 09:00-12:00; Sat 10:00-11:00", SATURDAY.replace(hour=10), True),
        ("Mon-Fri 09:00-12:00; Sat 10:00-11:00", SATURDAY.replace(hour=11), False),
        ("Tuesdays 9am-11am", TUESDAY.replace(hour=10), True),
        ("Mon, Sat 09:00-11:00", SATURDAY.replace(hour=10), True),
        ("Mon, Sat 09:00-11:00", TUESDAY.replace(hour=10), False),
        ("Fri to Mon 09:00-11:00", SATURDAY.replace(hour=9), True),
        ("12am-2:30am", TUESDAY.replace(hour=2), True),
        ("Mon 22:00-24:00; Tue 00:00-02:00", TUESDAY.replace(hour=1), True),
        ("weekends 1pm until midnight", SATURDAY.replace(hour=23, minute=59), True),
        ("13:00-5pm", TUESDAY.replace(hour=16), True),
        ("12:00-5pm", TUESDAY.replace(hour=12), True),
    ],
)
def test_hours_are_read_as_people_write_them(text: str, at: datetime, safe: bool) -> None:
    """With days or halves of the day; the end itself is not safe any more."""
    hours = read_hours(text)
    assert hours is not None
    assert hours.hold(at) is safe


def test_hours_are_local() -> None:
    """In summer 9 o'clock in London is 8 o'clock UTC."""
    hours = read_hours("09:00-10:00")
    assert hours is not None
    assert hours.hold(datetime(2026, 7, 21, 8, 30, tzinfo=UTC))
    assert not hours.hold(datetime(2026, 7, 21, 9, 30, tzinfo=UTC))
    assert told_now(datetime(2026, 7, 21, 8, 30, tzinfo=UTC)) == "Tuesday 09:30 BST"


@pytest.mark.parametrize(
    ("text", "at", "minutes"),
    [
        ("09:00-12:00", TUESDAY.replace(hour=11, minute=57, second=40), 3),
        ("09:00-12:00", TUESDAY.replace(hour=12), 0),
        ("Mon 22:00-24:00; Tue 00:00-02:00", TUESDAY.replace(hour=1, minute=59), 1),
        ("Tue 22:00-24:00; Wed 00:00-02:00", TUESDAY.replace(hour=23, minute=59), 10),
        ("any time", TUESDAY.replace(hour=3), 10),
        # The clocks went back at 01:00 UTC that night: 01:30 comes twice, 02:00 once.
        ("01:00-02:00", datetime(2026, 10, 25, 0, 59, tzinfo=UTC), 10),
        ("01:00-02:00", datetime(2026, 10, 25, 1, 59, tzinfo=UTC), 1),
        # And forward at 01:00 UTC: 01:00 to 02:00 did not come at all.
        ("00:00-01:30", datetime(2026, 3, 29, 0, 58, tzinfo=UTC), 2),
    ],
)
def test_when_a_safe_hour_ends(text: str, at: datetime, minutes: int) -> None:
    """To the minute, and not looked for longer than asked."""
    hours = read_hours(text)
    assert hours is not None
    ends = hours.until(at, timedelta(minutes=10))
    rounded = at.replace(second=0)
    assert ends == (at if not minutes else min(rounded, at) + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "when he is at work",
        "mornings",
        "weekdays",
        "not 09:00-12:00",
        "09:00-12:00 except Monday",
        "09:00-12:00, not Monday",
        "09:00-09:00",
        "1-5",
        "9-5",
        "9:00-5:00",
        "22:00-02:00",
        "25:00-26:00",
        "13pm-2pm",
        "09:60-10:00",
        "24:00-09:00",
        "Mon-09:00",
        "09:00-12:00-15:00",
        "10:00-11:30pm",
        "09:00-11:00 pm",
        "10:00 to midnight",
    ],
)
def test_what_cannot_be_read_whole_is_no_hour(text: str) -> None:
    """A guess could ring a phone in the wrong room."""
    assert read_hours(text) is None
