"""An incident is a fold of its events, and the fold does not care about order or repeats.

Ten thousand histories: some are calls really answered, with retries, fallbacks and late ends;
some are events nobody would think of. Each is folded as it came, and shuffled with repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from callflow.urgency import STRENGTH
from incidents.fold import KINDS, Folded, fold
from incidents.recorded import Recorded
from tests.incidents.answering import (
    CONTROL_ROOM,
    LANDLINE,
    MOBILE,
    NOW,
    Calling,
    marked,
    matched,
    repeated,
)

History = list[Recorded]
FAST = [HealthCheck.too_slow, HealthCheck.data_too_large]

_DOES = (
    "silent",
    "silent",
    "silent",
    "presses 5",
    "presses 55",
    "presses *",
    "presses 7#",
    "says",
    "fails",
    "retries 5",
    "retries 55",
    "retries later",
    "ends",
    "repeat",
    "marker high",
    "marker other",
    "person one",
    "person two",
    "ordered ask",
    "ordered ask",
    "ordered hold",
    "ordered connect",
    "ordered conference",
    "ordered language",
    "ordered let_go",
)


def play(profile: str, number: str, room: bool, did: Sequence[str]) -> History:
    """Answer one call and return what was recorded, in order of arrival."""
    call = Calling(profile, number, control_room=CONTROL_ROOM if room else None).arrives()
    token = call.token
    for what in did:
        if b"action=" not in call.document:
            break
        before, token = token, call.token
        match what.split():
            case ["presses", keys]:
                call.presses(keys)
            case ["retries", "later"]:
                # The same request again, so late that the clock decides otherwise.
                late = call.now + timedelta(seconds=90)
                again = call.answers.next_step(before, call.parameters(Digits=""), late)
                call.events.extend(again.events)
            case ["retries", keys]:
                again = call.answers.next_step(before, call.parameters(Digits=keys), call.now)
                call.events.extend(again.events)
            case ["ordered", order]:
                call.is_ordered(order)  # type: ignore[arg-type]
            case ["says"]:
                call.says("hello")
            case ["fails"]:
                call.fails()
            case ["ends"]:
                call.ends()
            case ["marker", which]:
                call.events.append(marked(call, high_risk=which == "high"))
            case ["person", who]:
                call.events.append(matched(call, who, *("cara", "dan")[: len(call.events) % 3]))
            case ["repeat"]:
                call.events.append(repeated(call, 2 + len(call.events) % 2, 3))
            case _:
                call.stays_silent()
    return call.events


played = st.builds(
    play,
    st.sampled_from(("gb", "ie", "us-ma", "au")),
    st.sampled_from((MOBILE, LANDLINE, "anonymous")),
    st.booleans(),
    st.lists(st.sampled_from(_DOES), max_size=14),
)

_CALL = Calling().arrives().events[0]
_BASE = {name: _CALL.data[name] for name in ("line", "profile", "purpose", "number", "withheld")}
_SIGNALS = ("5x2", "123x1", "0123456789*#x1")


def event(kind: str, step: int, at: int, keys: str, next_stage: str, held: bool) -> Recorded:
    """Return an event nobody played; what tells events apart is in its key, as for real ones."""
    content = (
        keys if kind in ("keys_pressed", "menu_chosen", "sound_heard", "question_answered") else ""
    )
    signal = _SIGNALS[step % 3]
    data: dict[str, Any] = {**_BASE, "stage": "hold", "next": next_stage}
    match kind:
        case "keys_pressed":
            data |= {"keys": keys, "signal": signal}
        case "menu_chosen":
            words = f"Choice {len(keys)}"
            data |= {"keys": keys, "choice": f"c{len(keys)}", "words": words, "signal": signal}
        case "order_reached":
            data |= {"order": f"{step // 2}", "what": ("ask", "hold", "connect")[step % 3]}
            data |= {"question": "danger_now", "text": "?", "to": "anna"}
        case "question_answered":
            answer = {0: "none", 1: "no", 2: "yes"}.get(len(keys), "unclear")
            data |= {"order": f"{(step - 1) // 2}", "attempt": 1 + step % 2, "answer": answer}
            data |= {"question": "danger_now", "text": "?", "keys": keys, "signal": signal}
            data |= {"next": "asked" if answer == "unclear" and not step % 2 else "hold"}
        case "page_answered":
            data = {"order": f"{step}", "name": "sue", "keys": "1"}
        case "sound_heard":
            data |= {"words": keys}
        case "nothing_heard" if held:
            # What a step decides of its own does not change with a retry.
            data |= {"held": "held for a handler"} if step % 2 else {}
        case "call_ended":
            data = {**_BASE, "stage": "new", "next": "ended", "status": "completed"}
            step = 0
        case "repeat_seen":
            data = {"nth": 2 + step % 4, "seconds": 60 * step, "urgency": 2 + step % 2}
        case "marker_matched":
            data = {"marker": f"{step}", "name": "High risk", "high_risk": step % 2 == 0}
            data |= {"grade": "immediate" if step % 2 == 0 else ""}
        case "person_matched":
            officers = ("cara", "dan", "erin")[step % 3 :]
            data = {"person": f"person {step % 4}", "officers": list(officers)}
        case "connected":
            data = {"to": "control room"}
    if kind == "nothing_heard" and step == 4:
        data |= {"person": "person 9", "how": "code"}
    moment = NOW + timedelta(milliseconds=at)
    key = f"{kind}|{step}|{content}"
    return replace(_CALL, key=key, step=step, kind=kind, at=moment, data=data)


@st.composite
def arbitrary(draw: st.DrawFn) -> History:
    """Draw events in any number, with equal times, several lengths of keys, no arrival."""
    number = st.integers(0, 5)
    held = draw(st.booleans())
    drawn = draw(
        st.lists(
            st.tuples(
                st.sampled_from((*KINDS, "handler_danced")),
                number,
                number,
                st.sampled_from(("", "5", "55", "5#5", "1", "7")),
                st.sampled_from(("hold", "bridged", "ended")),
            ),
            max_size=10,
        )
    )
    first = event("keys_pressed", 9, 3, "7", "hold", held)
    return [first, *(event(*one, held) for one in drawn)]


def shuffled(history: History, random: Random) -> History:
    """Return the same events in another order, some of them several times."""
    again = [*history, *random.choices(history, k=random.randrange(4))]
    random.shuffle(again)
    return again


Fold = Callable[[History], object]


def folded(history: History) -> Folded:
    """Fold as the board and the drain do."""
    return fold(history, "QL-7K3M-9F2X-HC4")


def order_matters(to_fold: Fold, history: History, random: Random) -> bool:
    """Say whether ``to_fold`` makes something else of the same events in another order."""
    return to_fold(history) != to_fold(shuffled(history, random))


def falls(ranks: Sequence[int]) -> bool:
    """Say whether a rank was followed by a less urgent one; 1 is the most urgent."""
    return any(later > earlier for earlier, later in pairwise(ranks))


@examples(max_examples=3000, deadline=None, suppress_health_check=FAST)
@given(played, st.randoms(use_true_random=False))
def test_any_order_and_repetition_of_a_call_folds_to_the_same_incident(
    history: History, random: Random
) -> None:
    """Retries, reordering, a late end, a fallback: all the same harmless thing."""
    assert not order_matters(folded, history, random)


@examples(max_examples=4000, deadline=None, suppress_health_check=FAST)
@given(arbitrary(), st.randoms(use_true_random=False))
def test_any_order_and_repetition_of_arbitrary_events_folds_to_the_same_incident(
    history: History, random: Random
) -> None:
    """Equal times, several lengths of keys for one step, a missing arrival."""
    assert not order_matters(folded, history, random)


@examples(max_examples=1500, deadline=None, suppress_health_check=FAST)
@given(played, st.randoms(use_true_random=False))
def test_rule_3_urgency_never_falls_as_the_events_of_a_call_come_in(
    history: History, random: Random
) -> None:
    """In whatever order they come."""
    events = [history[0], *shuffled(history, random)]
    ranks = [folded(events[:count]).incident.urgency for count in range(1, len(events) + 1)]
    assert not falls(ranks)


@examples(max_examples=1500, deadline=None, suppress_health_check=FAST)
@given(arbitrary(), st.randoms(use_true_random=False))
def test_rule_3_urgency_never_falls_when_an_event_is_added_to_any_set(
    history: History, random: Random
) -> None:
    """Learning more only raises, and whatever signal was shown stays shown."""
    events = [event("nothing_heard", 0, 5, "", "hold", False), *shuffled(history, random)]
    incidents = [folded(events[:count]).incident for count in range(1, len(events) + 1)]
    signals = [-STRENGTH.index(incident.signal) for incident in incidents]
    assert (falls([one.urgency for one in incidents]), falls(signals)) == (False, False)


def careless(history: History) -> str:
    """Fold as one might in a hurry: every delivery counts, in order of arrival."""
    return "".join(one.data["keys"] for one in history if one.kind == "keys_pressed")


@pytest.mark.parametrize("digits", ["5", "55"])
def test_a_fold_that_cares_about_order_or_repeats_is_noticed(digits: str) -> None:
    """The checks above can fail: a careless fold is found out."""
    history = Calling().arrives().presses("7").presses(digits).events
    assert any(order_matters(careless, history, Random(seed)) for seed in range(20))


def test_an_urgency_that_falls_is_noticed() -> None:
    """The check above can fail: from 2 to 4 is a fall, from 4 to 2 is none."""
    assert (falls([4, 2, 4]), falls([4, 2, 2, 1])) == (True, False)


def test_the_histories_above_hold_retries_that_were_decided_otherwise() -> None:
    """One key, two times, two decisions: the case in which order could matter."""
    did = ("silent", "silent", "silent", "silent", "silent", "retries later")
    history = play("gb", MOBILE, True, did)
    keys = [one.key for one in history]
    twins = [one.data for one in history if keys.count(one.key) > 1]
    assert (len(twins), twins[0] != twins[1]) == (2, True)
