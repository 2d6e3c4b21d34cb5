"""Answers to questions, folded from the events in which they were asked and answered.

One entry for each time a question was spoken, and each keeps its own answer: yes, no,
unclear, none and line dropped are never merged, and nothing is guessed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incidents.recorded import Recorded, as_text


@dataclass(frozen=True, slots=True)
class Answer:
    """One question as it was spoken, and what came back. ``answer`` is None while it is awaited.

    ``question``: its id, or ``free``. ``answer``: yes, no, unclear, none or line_dropped.
    """

    question: str
    text: str
    answer: str | None
    keys: str
    asked_at: datetime
    answered_at: datetime | None

    def as_json(self) -> dict[str, object]:
        """The answer as the contract's JSON object."""
        return {
            "question": self.question,
            "text": self.text,
            "answer": self.answer,
            "keys": self.keys,
            "asked_at": as_text(self.asked_at),
            "answered_at": as_text(self.answered_at),
        }

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> "Answer":
        """Read what ``as_json`` wrote."""
        answered = told["answered_at"]
        return cls(
            told["question"],
            told["text"],
            told["answer"],
            told["keys"],
            datetime.fromisoformat(told["asked_at"]),
            None if answered is None else datetime.fromisoformat(answered),
        )


def answers(events: Sequence[Recorded], ended_at: datetime | None) -> tuple[Answer, ...]:
    """Fold ``events`` of one call, in the order of their steps, into its answers.

    ``ended_at``: when the call was over, or None while the line is open.
    """
    spoken: dict[tuple[int, str, int], Recorded | None] = {}
    for event in events:
        if event.kind == "order_reached" and event.data["what"] == "ask":
            spoken.setdefault((event.step + 1, event.data["order"], 1), None)
        elif event.kind == "question_answered":
            place = event.step, event.data["order"], event.data["attempt"]
            known = spoken.get(place)
            if known is None or size(known) < size(event):
                spoken[place] = event
    for (step, order, attempt), answer in list(spoken.items()):
        if answer is not None and answer.data.get("next") == "asked":
            spoken.setdefault((step + 1, order, attempt + 1), None)
    return tuple(_answers(spoken, events, ended_at))


def size(event: Recorded) -> tuple[int, str]:
    """How much an event's keys say: of two lengths of keys for one step the longer counts."""
    keys: str = event.data["keys"]
    return len(keys), keys


def _answers(
    spoken: Mapping[tuple[int, str, int], Recorded | None],
    events: Sequence[Recorded],
    ended_at: datetime | None,
) -> Iterator[Answer]:
    asked_in = {event.data["order"]: event for event in events if event.kind == "order_reached"}
    for (step, order, attempt), event in sorted(spoken.items(), key=lambda item: item[0]):
        before = spoken.get((step - 1, order, attempt - 1)) or asked_in.get(order) or event
        told = event or before
        assert told is not None  # what is spoken here comes from an event
        said = told.data.get("question", ""), told.data.get("text", "")
        asked_at = (before or told).at
        if event is not None:
            data = event.data
            yield Answer(*said, data["answer"], data["keys"], asked_at, event.at)
        elif (overtaken := _overtaken(events, step)) is not None:
            yield Answer(*said, "none", "", asked_at, overtaken)
        elif ended_at is not None:
            yield Answer(*said, "line_dropped", "", asked_at, ended_at)
        else:
            yield Answer(*said, None, "", asked_at, None)


def _overtaken(events: Sequence[Recorded], step: int) -> datetime | None:
    """When the call went on without an answer to what was spoken at ``step``, if it did."""
    later = (event.at for event in events if event.step >= step and event.kind != "call_ended")
    return min(later, default=None)
