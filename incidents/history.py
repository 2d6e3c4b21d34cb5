"""The distinct events of one call, in order, and what they say together.

It neither cares in which order events come nor how often. It tells no timeline and
makes no incident: that is the fold's.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from callflow import urgency
from callflow.keys import Signal
from callflow.urgency import Reason, SignalShown
from incidents.answers import size
from incidents.recorded import Recorded, earlier

KINDS: Final = (
    "call_arrived",
    "keys_pressed",
    "menu_chosen",
    "code_typed",
    "sound_heard",
    "nothing_heard",
    "answer_failed",
    "order_reached",
    "question_answered",
    "connected",
    "bridge_ended",
    "not_taken",
    "page_answered",
    "call_ended",
    "repeat_seen",
    "marker_matched",
    "person_matched",
)
"""Kinds of event the fold reads; it passes over others, so that an older release may meet newer."""
PRESSED: Final = ("keys_pressed", "menu_chosen")
"""Kinds whose keys are the caller's own, not an answer's."""
ALERTING: Final = (*PRESSED, "sound_heard", "answer_failed")
"""Kinds with which the caller, or a failure of ours, asks for a handler."""
CONTROL_ROOM: Final = "control room"
DUTY_DESK: Final = "duty desk"
_NAMELESS: Final = ("connected", "repeat_seen", "page_answered", "marker_matched", "person_matched")
"""Kinds that do not say whose call it is."""


class NothingToFold(ValueError):
    """No event of the phone is here yet that names the line and the caller: wait for one."""


class History:
    """The distinct events of one call in the order in which they happened."""

    def __init__(self, events: Iterable[Recorded]) -> None:
        distinct: dict[str, Recorded] = {}
        for event in events:
            if event.kind in KINDS:
                known = distinct.get(event.key)
                distinct[event.key] = event if known is None else earlier(known, event)
        if not distinct:
            raise NothingToFold("no events")
        self.events = sorted(distinct.values(), key=lambda event: (event.step, event.at, event.key))
        # Every webhook names the line and the caller, so any of them can stand
        # for a missing first one; what the engine adds does not.
        self.steps = [
            event for event in self.events if event.kind not in _NAMELESS and "line" in event.data
        ]
        if not self.steps:
            raise NothingToFold("no event from the phone")
        self.first = self.steps[0]
        self.confirmed_at = self._confirmed_at()

    def of(self, kind: str) -> list[Recorded]:
        """The events of one kind."""
        return [event for event in self.events if event.kind == kind]

    def pressed(self) -> list[Recorded]:
        """One event a step: of two lengths of keys for one step the longer counts."""
        by_step: dict[int, Recorded] = {}
        for event in self.events:
            if event.kind not in PRESSED:
                continue
            known = by_step.get(event.step)
            if known is None or size(known) < size(event):
                by_step[event.step] = event
        return list(by_step.values())

    def keys(self) -> str:
        """The keys pressed, in order; those of answers belong to the answers."""
        return "".join(event.data["keys"] for event in self.pressed())

    def chosen(self) -> Recorded | None:
        """The first choice from a menu, or None."""
        return next(iter(self.of("menu_chosen")), None)

    def choice(self) -> str | None:
        """The id of that choice, or None."""
        chosen = self.chosen()
        return None if chosen is None else str(chosen.data["choice"])

    def presses(self) -> list[Recorded]:
        """Every event in which something was pressed: rule 5 counts presses in answers as well."""
        return [
            event
            for event in self.events
            if event.kind in PRESSED
            or (event.kind == "question_answered" and event.data["answer"] != "none")
        ]

    def signal(self) -> tuple[SignalShown, datetime | None]:
        """The strongest signal shown, and when it was first shown."""
        if self.confirmed_at is not None:
            return "confirmed", self.confirmed_at
        # A typed code is pressed too; which keys it has stands nowhere.
        pressed, heard = [*self.presses(), *self.of("code_typed")], self.of("sound_heard")
        if pressed:
            return "someone_there", min(event.at for event in pressed)
        return ("heard", min(event.at for event in heard)) if heard else ("nothing", None)

    def _confirmed_at(self) -> datetime | None:
        """When the presses of the signal first added up to enough, or None.

        Each event carries its own rule, and of several deliveries for one step the one
        with the most presses counts, so that no later delivery takes a 55 back.
        """
        events = self.presses()
        for spelled in sorted({event.data["signal"] for event in events}):
            signal = Signal.read(spelled)
            presses: dict[int, int] = {}
            for event in events:
                known = presses.get(event.step, 0)
                presses[event.step] = max(known, signal.count(event.data["keys"]))
                if sum(presses.values()) >= signal.presses:
                    return event.at
        return None

    def alerted_at(self) -> datetime | None:
        """The latest moment at which the caller, a failure of ours or a marker asked for a handler.

        An answer asks for nobody: whoever asked the question has the call. One that completes the
        full signal does, and one that holds it whole: the incident may be closed by then.
        """
        asking = [event.at for event in self.events if event.kind in ALERTING]
        asking += [
            event.at
            for event in self.of("question_answered")
            if Signal.read(event.data["signal"]).given_by(event.data["keys"])
        ]
        asking += [event.at for event in self.marked()]
        confirmed = [] if self.confirmed_at is None else [self.confirmed_at]
        return max([*asking, *confirmed], default=None)

    def marked(self) -> list[Recorded]:
        """The matches of high-risk markers: each outranks silence (rule 4)."""
        return [event for event in self.of("marker_matched") if event.data["high_risk"]]

    def proposed_grade(self) -> str | None:
        """The grade the first high-risk marker proposes, or None."""
        return next((str(event.data["grade"]) for event in self.marked()), None)

    def bridged(self) -> str:
        """Who the caller is joined to now, or is being joined to; empty: keys are heard."""
        last = self.steps[-1].data
        if last.get("next") == "reach":  # in an exercise nobody is rung, and keys are heard
            return str(last.get("to") or "")
        return str(last.get("to") or CONTROL_ROOM) if last.get("next") == "bridged" else ""

    def last_step(self) -> int:
        """The greatest step of the call so far."""
        return self.steps[-1].step

    def latest(self, name: str) -> Any:
        """What the latest event that says it says of ``name``, or None."""
        return next((e.data[name] for e in reversed(self.steps) if e.data.get(name)), None)

    def raised(self) -> bool:
        """Say whether something other than the caller's signal keeps the call before a handler."""
        return bool(self.of("answer_failed") or self.marked()) or self._held()

    def _held(self) -> bool:
        return any(event.data.get("held") for event in self.steps)

    def people(self) -> tuple[str, ...]:
        """The ids of the people whose call it may be, as it was when it came or they were named.

        The phone knows one itself where a personal code was typed.
        """
        told = [*self.of("person_matched"), *(one for one in self.steps if one.data.get("person"))]
        return tuple(sorted({str(event.data["person"]) for event in told}))

    def contacts(self) -> tuple[str, ...]:
        """The users who are told of it: the points of contact of those people."""
        told = {str(one) for event in self.of("person_matched") for one in event.data["officers"]}
        return tuple(sorted(told))

    def let_go(self) -> Recorded | None:
        """The event after which we hung up ourselves, if nothing came after it.

        The goodbye alone is no end: the line is open while it is said, and a caller who goes
        meanwhile has hung up.
        """
        last = max(
            self.steps,
            key=lambda event: (
                event.kind != "call_ended",
                event.step,
                event.data.get("next") != "ended",
            ),
        )
        hung_up = last.data.get("stage") == last.data.get("next") == "ended"
        return last if hung_up and last.kind != "call_ended" else None

    def connection(self) -> str:
        """Whether the line is open, dropped by the caller's side, or ended by us."""
        if self.let_go():
            return "ended"
        return "dropped" if self.of("call_ended") else "open"

    def ended_at(self) -> datetime | None:
        """When the line was no longer open, or None."""
        let_go = self.let_go()
        ends = self.of("call_ended") + ([let_go] if let_go else [])
        return min((event.at for event in ends), default=None)

    def reasons(self, signal: SignalShown, *, over: bool) -> list[Reason]:
        """Every cause of the call's rank."""
        reasons = []
        held = next((event.data["held"] for event in self.steps if event.data.get("held")), None)
        if self.marked():
            reasons.append(urgency.because_high_risk())
        if signal == "confirmed":
            reasons.append(urgency.because_confirmed(self.what_confirmed()))
        elif signal == "someone_there" and self.chosen():
            pass  # said below, in the words of the choice
        elif signal != "nothing" or not (self.of("answer_failed") or self._held()):
            reasons.append(urgency.because_of_signal(signal, over=over))
        chosen = self.chosen()
        if chosen:
            reasons.append(urgency.because_chosen(chosen.data["words"]))
        if signal == "nothing" and held:
            reasons.append(urgency.because_held(held))
        if self.of("answer_failed"):
            reasons.append(urgency.because_we_failed())
        repeats = self.of("repeat_seen")
        if repeats:
            most = max(repeats, key=lambda event: (event.data["nth"], event.data["seconds"]))
            least = min(event.data["urgency"] for event in repeats)
            data = most.data
            reasons.append(urgency.because_repeated(data["nth"], data["seconds"], least))
        others = {
            event.data["name"] for event in self.of("marker_matched") if not event.data["high_risk"]
        }
        reasons += map(urgency.because_marked, sorted(others))
        return reasons

    def what_confirmed(self) -> str:
        """Name what was pressed: the full signal, or the meaning the profile gives the key."""
        events = self.presses()
        signal = Signal.read(min(event.data["signal"] for event in events))
        for event in events:
            for key in event.data["keys"]:
                meaning = event.data.get("meanings", {}).get(key)
                if meaning:
                    return f"{key} ({meaning})"
        if len(signal.keys) > 1:
            return "a key"
        return signal.keys * signal.presses
