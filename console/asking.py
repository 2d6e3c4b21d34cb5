"""Which questions a handler is offered, under which number, and what came back so far.

A number that is on the screen never changes its question under the hand that presses
it: an answered question gives its number up only when a new one needs the place. It
suggests; the handler decides, and asks in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from console import words
from incidents.fold import Answer, Entry, Incident

if TYPE_CHECKING:
    from callflow.questions import Question

NUMBERED: Final = 9
"""Keys 1 to 9."""
DECIDED: Final = ("yes", "no")
ENGLISH: Final = "en-GB"


@dataclass(frozen=True, slots=True)
class Offer:
    """A question on the screen. ``number``: its key, or None.

    ``answer``: the latest in words, empty when it was never asked. ``follows``: the latest answer
    leads to it.
    """

    id: str
    text: str
    number: int | None
    answer: str
    value: str
    follows: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One question that was asked, with its latest answer and a different one before it."""

    name: str
    answer: str
    value: str
    before: str


def offers(
    bank: Sequence[Question], answers: Sequence[Answer], waiting: str | None = None
) -> list[Offer]:
    """Return the questions to offer, numbered ones first, in the order of their numbers.

    ``waiting``: the id of a question that was ordered and is not spoken yet.
    """
    by_id = {question.id: question for question in bank}
    first = [one.id for one in bank if one.start][:NUMBERED]
    slots: list[str | None] = [*first, *[None] * (NUMBERED - len(first))]
    decided: list[str] = []
    following: list[str] = []
    for answer in answers:
        question = by_id.get(answer.question)
        if question is None or answer.answer not in DECIDED:
            continue
        if question.id in decided:
            decided.remove(question.id)
        decided.append(question.id)
        leads_to = question.after_yes if answer.answer == "yes" else question.after_no
        following = [one for one in leads_to if one in by_id and one not in decided]
        for one in following:
            _place(one, slots, decided)
    latest = {answer.question: answer for answer in answers}
    numbers = {name: at + 1 for at, name in enumerate(slots) if name is not None}
    rest = [one.id for one in bank if one.id not in numbers]
    return [
        _offer(by_id[name], numbers.get(name), latest.get(name), waiting, following)
        for name in [*numbers, *rest]
    ]


def _place(name: str, slots: list[str | None], decided: Sequence[str]) -> None:
    if name in slots:
        return
    if None in slots:
        slots[slots.index(None)] = name
        return
    # The question answered longest ago needs its number least.
    oldest = next((one for one in decided if one in slots), None)
    if oldest is not None:
        slots[slots.index(oldest)] = name


def _offer(
    question: Question,
    number: int | None,
    answer: Answer | None,
    waiting: str | None,
    following: Sequence[str],
) -> Offer:
    value = "" if answer is None else answer.answer or "waiting"
    said = "" if answer is None else words.ANSWERS.get(answer.answer, str(answer.answer))
    if waiting == question.id:
        value, said = "waiting", words.ANSWERS[None]
    follows = question.id in following and not value
    return Offer(question.id, question.texts[ENGLISH], number, said, value, follows)


def summary(bank: Iterable[Question], answers: Iterable[Answer]) -> list[Line]:
    """Return each question that was asked, in the order of the first asking."""
    names = {question.id: question.name for question in bank}
    lines: dict[str, Line] = {}
    for answer in answers:
        key = answer.question if answer.question in names else f"{answer.question} {answer.text}"
        said = words.ANSWERS.get(answer.answer, str(answer.answer))
        known = lines.get(key)
        before = "" if known is None else known.before
        if known is not None and known.value in DECIDED and known.value != answer.answer:
            before = known.answer
        if before == said:
            before = ""
        name = names.get(answer.question, answer.text)
        lines[key] = Line(name, said, answer.answer or "waiting", before)
    return list(lines.values())


def unaskable(incident: Incident, name: str) -> str:
    """Say why ``name`` cannot ask now, or nothing when they can."""
    if incident.connection != "open":
        return "The line is not open: nothing can be asked."
    if incident.state != "claimed":
        return "Claim this call to ask: press c."
    if incident.handler != name:
        return f"{incident.handler} has this call."
    if incident.bridged:
        return "Keys are not heard now: Hold first, then ask."
    return ""


def proposals(incident: Incident, entries: Iterable[Entry]) -> list[Entry]:
    """Return what waits for a second person, and nothing that the caller has since overtaken."""
    told = list(entries)
    approved = {entry.data.get("entry") for entry in told if entry.kind == "approved"}
    happened = [at for at in (incident.alerted_at, incident.ended_at) if at is not None]
    return [
        entry
        for entry in told
        if entry.kind in ("grade_proposed", "urgency_proposed")
        and entry.id not in approved
        and all(at <= entry.at for at in happened)
    ]


def ordered(entries: Iterable[Entry], answers: Sequence[Answer]) -> str | None:
    """Return the question that was ordered last and is not spoken yet, or None."""
    asked: tuple[datetime, str, str] | None = None
    failed = set()
    for entry in entries:
        if entry.kind == "question_asked":
            data = entry.data
            asked = (entry.at, str(data.get("question", "")), str(data.get("order", "")))
        elif entry.kind == "order_failed":
            failed.add(str(entry.data.get("order", "")))
    if asked is None or asked[2] in failed:
        return None
    spoken = any(one.question == asked[1] and one.asked_at >= asked[0] for one in answers)
    return None if spoken else asked[1]
