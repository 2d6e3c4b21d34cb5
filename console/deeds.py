"""The table of everything that can be done to an incident through the API, one row each.

A row says under which address, by whose right, with which fields, and which of the desk's
deeds it is; routes and OpenAPI document are both made from it. Nothing is decided here.
"""

from __future__ import annotations

from typing import Final

from console.bodies import Text, Whole
from console.deed import LONGEST_NAME, LONGEST_QUESTION, LONGEST_REASON, LONGEST_TEXT, Deed
from console.location import FIELDS as LOCATION
from console.location import read_location
from console.part_deeds import PARTAKING
from incidents.desk import Rules


def _reason(about: str) -> Text:
    return Text("reason", about, LONGEST_REASON, lines=True)


def deeds(rules: Rules) -> tuple[Deed, ...]:
    """Return the table. The values of some fields are the site's policy."""
    grades = tuple(one.id for one in rules.grades.grades)
    outcomes = tuple(one.id for one in rules.grades.outcomes)
    details = tuple(name for name, _ in rules.grades.details)
    questions = tuple(one.id for one in rules.questions.all)
    return (
        *_CLAIMING,
        *_orders(questions, rules.languages),
        *_record(grades, outcomes, details),
        *PARTAKING,
    )


_CLAIMING: Final = (
    Deed(
        "claim",
        "work",
        "Claim an incident",
        lambda desk, of, _, how: desk.claim(of, **how),
        about="Exactly one of those who try at once gets it; the others are told who did. "
        "An open line is put on hold without limit.",
    ),
    Deed(
        "release",
        "work",
        "Give a claimed incident back",
        lambda desk, of, _, how: desk.release(of, **how),
        about="It waits again, and the ladder begins anew.",
    ),
    Deed(
        "take-over",
        "work",
        "Take an incident from whoever has it",
        lambda desk, of, told, how: desk.take_over(of, told.get("reason", ""), **how),
        (_reason("Why. Not needed in the first 20 s after the claim, nor from a silent screen."),),
        {"reason": "Shift change"},
    ),
    Deed(
        "hand-over",
        "work",
        "Hand one's own incident to a colleague",
        lambda desk, of, told, how: desk.hand_over(of, told["to"], told.get("reason", ""), **how),
        (Text("to", "The colleague's name.", LONGEST_NAME, required=True), _reason("Why.")),
        {"to": "ben", "reason": "End of shift"},
    ),
)


def _orders(questions: tuple[str, ...], languages: tuple[str, ...]) -> tuple[Deed, ...]:
    about = "Only for whoever has the call, and only while the line is open."
    return (
        Deed(
            "ask",
            "work",
            "Have a yes/no question spoken into the call",
            lambda desk, of, told, how: desk.ask(
                of, question=told.get("question", ""), text=told.get("text", ""), **how
            ),
            (
                Text("question", "One of the bank.", 64, values=questions),
                Text("text", "Or a question as typed.", LONGEST_QUESTION),
            ),
            {"question": questions[0]} if questions else {"text": "Are you alone?"},
            waits=True,
            about=f"{about} Send either question or text. The answer comes in `answers`.",
        ),
        Deed(
            "repeat",
            "work",
            "Ask the latest question again",
            lambda desk, of, _, how: desk.repeat(of, **how),
            waits=True,
            about=about,
        ),
        Deed(
            "reassure",
            "work",
            "Tell the caller the fixed reassurance",
            lambda desk, of, _, how: desk.reassure(of, **how),
            waits=True,
            about=about,
        ),
        Deed(
            "language",
            "work",
            "Speak another language from now on",
            lambda desk, of, told, how: desk.language(of, told["language"], **how),
            (Text("language", "The language.", 16, required=True, values=languages),),
            {"language": languages[-1]},
            waits=True,
            about=about,
        ),
        Deed(
            "connect",
            "work",
            "Join the caller by voice to a phone of ours, or to a service",
            lambda desk, of, told, how: desk.connect(of, told["to"], **how),
            (
                Text(
                    "to",
                    "control_room, me, a colleague whose phone is registered, or the id of a "
                    "service with a number in services.toml; nobody else is ever rung.",
                    LONGEST_NAME,
                    required=True,
                ),
            ),
            {"to": "control_room"},
            waits=True,
            about=f"{about} Keys are not heard meanwhile.",
        ),
        Deed(
            "conference",
            "work",
            "Put the caller into a conference in which our side is muted",
            lambda desk, of, _, how: desk.conference(of, **how),
            waits=True,
            about=f"{about} Keys are not heard meanwhile.",
        ),
        Deed(
            "hold",
            "work",
            "Put the line back to hold, where keys are heard",
            lambda desk, of, _, how: desk.hold(of, **how),
            waits=True,
            about=about,
        ),
        Deed(
            "let-go",
            "work",
            "Say goodbye and end the call",
            lambda desk, of, _, how: desk.let_go(of, **how),
            waits=True,
            about=f"{about} A key pressed meanwhile keeps the line open.",
        ),
    )


def _record(
    grades: tuple[str, ...], outcomes: tuple[str, ...], details: tuple[str, ...]
) -> tuple[Deed, ...]:
    words = Text("text", "What to write.", LONGEST_TEXT, required=True, lines=True)
    lower = "Lowering needs a reason and waits for a second person: 202."
    return (
        Deed(
            "notes",
            "note",
            "Write a note",
            lambda desk, of, told, how: desk.note(of, told["text"], **how),
            (words,),
            {"text": "A man is shouting in the background."},
            closed=True,
        ),
        Deed(
            "details",
            "note",
            "Write one field of the record",
            lambda desk, of, told, how: desk.detail(of, told["field"], told["text"], **how),
            (Text("field", "Which one.", 64, required=True, values=details), words),
            {"field": details[0], "text": "please come"},
            closed=True,
        ),
        Deed(
            "corrections",
            "note",
            "Correct an entry of the timeline",
            lambda desk, of, told, how: desk.correct(of, told["entry"], told["text"], **how),
            (Text("entry", "The entry's id.", LONGEST_NAME, required=True), words),
            {"entry": "5b1f0c44a9d2e871.keys_pressed", "text": "It was a knock, not a voice."},
            about="The correction stands beside the entry; nothing is overwritten.",
            closed=True,
        ),
        Deed(
            "location",
            "work",
            "Add where the caller may be",
            lambda desk, of, told, how: desk.location(of, read_location(told), **how),
            LOCATION,
            {"lt": 54.3269, "lg": -2.7476, "rd": 50, "top": "20261222180311", "lc": 90, "pm": "W"},
            about="AML fields, name and address as EISEC gives them, or words. `pm=N` and 0,0 are "
            "kept as no fix and never as a position.",
            closed=True,
        ),
        Deed(
            "grade",
            "work",
            "Grade the response",
            lambda desk, of, told, how: desk.grade(
                of, told["grade"], told.get("reason", ""), **how
            ),
            (Text("grade", "The grade.", 64, required=True, values=grades), _reason("Why.")),
            {"grade": grades[0]},
            second=True,
            about=lower,
            closed=True,
        ),
        Deed(
            "urgency",
            "work",
            "Set the urgency",
            lambda desk, of, told, how: desk.urgency(
                of, told["urgency"], told.get("reason", ""), **how
            ),
            (Whole("urgency", "1 (now) to 4 (review).", 1, 4, required=True), _reason("Why.")),
            {"urgency": 1, "reason": "A child was heard"},
            second=True,
            about=lower,
            closed=True,
        ),
        Deed(
            "approve",
            "approve",
            "Approve, as the second person, what somebody proposed",
            lambda desk, of, told, how: desk.approve(of, told["entry"], **how),
            (Text("entry", "The id of the proposal's entry.", LONGEST_NAME, required=True),),
            {"entry": "01985a2f-2c31-7a44-8d37-0123456789ab"},
            closed=True,
        ),
        Deed(
            "close",
            "work",
            "Close one's own incident",
            lambda desk, of, told, how: desk.close(
                of, told["outcome"], told.get("reason", ""), **how
            ),
            (
                Text("outcome", "How it ended.", 64, required=True, values=outcomes),
                _reason("Why; needed while the line is open."),
            ),
            {"outcome": outcomes[0]},
        ),
    )
