"""The keys of a call as a strip in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from console.record import Record
from console.strip import KEY_WIDTH, LONGEST, Press, presses
from incidents.fold import Entry, Incident

START = datetime(2026, 12, 22, 18, 3, tzinfo=UTC)


def laid_out(pressed: list[tuple[float, str]], until: float) -> tuple[Press, ...]:
    """Lay out keys pressed so many seconds after the start."""
    incident = Incident(
        call_key="key",
        reference="QL-7K3M-9F2X-HC4",
        call_sid="CA" + "0" * 32,
        line="emergency",
        profile="gb",
        purpose="training",
        number=None,
        withheld=True,
        signal="confirmed",
        keys="".join(keys for _, keys in pressed),
        urgency=1,
        reasons=("55 pressed",),
        state="waiting",
        connection="open",
        started_at=START,
    )
    entries = tuple(
        Entry(str(number), START + timedelta(seconds=after), "keys_pressed", {"keys": keys})
        for number, (after, keys) in enumerate(sorted(pressed))
    )
    return presses(
        Record(incident, entries, complete=True), START + timedelta(seconds=until)
    ).presses


def test_two_keys_at_once_share_a_label_and_a_later_one_has_its_own() -> None:
    """5 5 quickly, then a 1 a while later."""
    first, second = laid_out([(10, "5"), (10.5, "5"), (40, "1")], 60)
    assert (first.label, first.after) == ("5 5", "0:10")
    assert (second.label, second.after) == ("1", "0:40")


def test_very_many_keys_are_shortened_to_what_fits() -> None:
    """Somebody leans on the keypad: the strip stays readable, all keys stand above it."""
    (only,) = laid_out([(1, "5" * 300)], 60)
    assert only.label == " ".join("5" * LONGEST) + " …"


@given(
    st.lists(st.tuples(st.floats(-5, 700), st.text("0123456789*#", min_size=1, max_size=9))),
    st.floats(0, 600),
)
def test_no_label_leaves_the_strip_or_covers_another(
    pressed: list[tuple[float, str]], until: float
) -> None:
    """A handler on a narrow screen reads every key that is written."""
    shown = laid_out(pressed, until)
    assert "".join(press.keys for press in shown) == "".join(keys for _, keys in sorted(pressed))
    for press in shown:
        assert press.place >= 0
        assert press.end <= 100
        assert press.end - press.place >= KEY_WIDTH * len(press.label.split())
    for earlier, later in pairwise(shown):
        assert later.place >= earlier.end
