"""A timeline in words, for what handlers, the ladder and orders write."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from console import telling
from console.telling import Told, place, told
from incidents.fold import Entry
from incidents.grades import Grade, Grades, Outcome

AT = datetime(2026, 12, 22, 18, 3, tzinfo=UTC)
GRADES = Grades(
    (Grade("immediate", "Immediate", 900), Grade("advice", "Advice, no visit", None)),
    (Outcome("no_trace", "Could not find out"),),
    (("heard", "What was heard, word for word"),),
)


@pytest.mark.parametrize(
    ("kind", "data", "what"),
    [
        ("claimed", {"by": "anna"}, Told("Claimed", "anna")),
        (
            "taken_over",
            {"by": "ben", "from": "anna", "reason": "Shift change"},
            Told("Taken over", "from anna by ben", "Shift change"),
        ),
        (
            "handed_over",
            {"by": "anna", "to": "ben", "reason": ""},
            Told("Handed over", "to ben by anna"),
        ),
        (
            "question_asked",
            {"by": "anna", "question": "injured", "text": "Are you hurt?", "order": "1"},
            Told("Asked", "anna", "Are you hurt?"),
        ),
        (
            "question_answered",
            {"question": "injured", "text": "Are you hurt?", "answer": "yes", "keys": "55"},
            Told("Answer:", "yes (pressed 5 5)", "Are you hurt?"),
        ),
        (
            "question_answered",
            {"question": "injured", "text": "Are you hurt?", "answer": "none", "keys": ""},
            Told("Answer:", "no answer", "Are you hurt?"),
        ),
        (
            "detail_set",
            {"by": "anna", "field": "heard", "text": "please come"},
            Told("What was heard, word for word", "anna", "please come"),
        ),
        (
            "grade_set",
            {"by": "anna", "grade": "immediate", "reason": ""},
            Told("Graded", "Immediate, anna"),
        ),
        (
            "grade_set",
            {"by": "ben", "grade": "advice", "reason": "", "proposed_by": "anna"},
            Told("Graded", "Advice, no visit, proposed by anna, approved by ben"),
        ),
        (
            "urgency_proposed",
            {"by": "anna", "urgency": "4", "reason": "A child"},
            Told("Lower urgency proposed", "REVIEW, anna", "A child"),
        ),
        (
            "closed",
            {"by": "anna", "outcome": "no_trace", "reason": ""},
            Told("Closed", "Could not find out, anna"),
        ),
        (
            "connection_ordered",
            {"by": "anna", "to": "ben"},
            Told("Connecting the caller to", "ben, anna"),
        ),
        ("connected", {"to": "control room"}, Told("Connected by voice", "to the control room")),
        ("escalated", {"to": "control room"}, Told("Connected", "to the control room")),
        (
            "escalated",
            {"by": "ladder", "to": "all screens", "rung": "screens", "round": 1},
            Told("Alert went up", "to all screens"),
        ),
        (
            "order_failed",
            {"order": "1", "what": "let_go", "problem": "the call is over"},
            Told("Order did not reach the call", "goodbye", "the call is over"),
        ),
        ("paged", {"by": "ladder", "name": "ben"}, Told("Rung for this alert", "ben")),
        (
            "location_added",
            {"by": "anna", "text": "Flat 3", "source": "typed"},
            Told("Location", "anna, source: typed", "Flat 3"),
        ),
        ("holder_away", {"by": "ladder"}, Told("Holder's screen is silent: away", "ladder")),
    ],
)
def test_an_entry_reads_as_one_would_say_it(kind: str, data: dict[str, Any], what: Told) -> None:
    """What happened, by whom, and what was said or given as the reason."""
    assert told(Entry("1", AT, kind, data), GRADES) == what


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"lt": 54.32691, "lg": -2.74761, "rd": 50.0}, "54.32691, -2.74761, within 50 m"),
        ({"lt": 0, "lg": 0, "pm": "W"}, "no fix"),
        ({"lt": 54.3, "lg": -2.7, "pm": "N"}, "no fix"),
        ({"no_fix": True, "source": "AML"}, "no fix"),
        ({"address": "12 High Street", "postcode": "LA9 4QQ"}, "12 High Street, LA9 4QQ"),
    ],
)
def test_a_missing_fix_is_said_and_never_drawn(data: dict[str, Any], words: str) -> None:
    """0,0 is in the Gulf of Guinea; nobody calls from there."""
    assert place(data) == words


def test_a_location_is_as_old_as_its_fix() -> None:
    """It may have been made long before it was sent."""
    assert telling.fixed_at(Entry("1", AT, "location_added", {"text": "Flat 3"})) == AT
    fixed = Entry("1", AT, "location_added", {"top": "2026-12-22T17:58:00.000Z"})
    assert telling.fixed_at(fixed) == datetime(2026, 12, 22, 17, 58, tzinfo=UTC)
