"""What a call on the line for known victims makes of an incident."""

from __future__ import annotations

from typing import Any

from console import telling
from incidents.fold import fold
from incidents.recorded import Recorded
from tests.incidents.making import Caller, after

REASON = "left waiting on the contact line"


def rings(call: Caller, step: int = 1, to: str = "cara", **more: Any) -> Recorded:
    """Silence at the code, or somebody who did not take the call: the next is rung."""
    stage = "code" if step == 1 else "reach"
    kind = "nothing_heard" if step == 1 else "not_taken"
    return call.event(kind, step, stage=stage, next="reach", to=to, **more)


def types(call: Caller, *, recognised: bool = True) -> Recorded:
    """A code is typed."""
    facts: dict[str, Any] = {"stage": "code", "next": "reach", "to": "cara"}
    return call.event("code_typed", 1, recognised=recognised, **facts)


def holds(call: Caller, step: int = 4) -> Recorded:
    """Nobody took the call."""
    return call.event("not_taken", step, stage="reach", next="hold", held=REASON, who="duty desk")


def test_while_somebody_is_rung_the_screen_says_that_keys_are_not_heard() -> None:
    """As while the caller is with them; whom that is stands there."""
    call = Caller()
    assert fold([call.arrives(), rings(call)], call.reference).incident.bridged == "cara"
    again = [call.arrives(), rings(call), rings(call, 2, "duty desk")]
    assert fold(again, call.reference).incident.bridged == "duty desk"
    assert fold([*again, holds(call)], call.reference).incident.bridged == ""


def test_in_an_exercise_nobody_is_rung_and_keys_are_heard() -> None:
    """No name stands there."""
    call = Caller()
    waits = call.event("nothing_heard", 1, stage="code", next="reach")
    assert fold([call.arrives(), waits], call.reference).incident.bridged == ""


def test_a_call_nobody_took_waits_for_a_handler_with_its_reason() -> None:
    """Urgency 2 although nothing was heard; also when the caller then hangs up."""
    call = Caller()
    events = [call.arrives(), rings(call), holds(call)]
    incident = fold(events, call.reference).incident
    assert (incident.signal, incident.urgency, incident.state) == ("nothing", 2, "waiting")
    assert incident.reasons == (REASON,)
    gone = fold([*events, call.hangs_up()], call.reference).incident
    assert (gone.urgency, gone.state, gone.connection) == (2, "waiting", "dropped")


def test_a_typed_code_is_a_sign_and_no_key() -> None:
    """Somebody is there; which keys they pressed is nobody's to read."""
    call = Caller()
    incident = fold([call.arrives(), types(call)], call.reference).incident
    assert (incident.signal, incident.keys, incident.urgency) == ("someone_there", "", 2)
    assert incident.signal_at is not None


def test_the_timeline_tells_who_was_rung_and_who_took_it() -> None:
    """In a handler's words, with no code and no number."""
    call = Caller()
    taken = call.event("connected", 2, at=after(9), to="dan")
    not_taken = rings(call, 2, "dan", who="cara")
    entries = fold([call.arrives(), types(call), not_taken, taken], call.reference).entries
    told = [telling.told(entry) for entry in entries]
    said = [f"{one.what} {one.detail}".strip() for one in told]
    assert said == [
        "Call arrived",
        "Prompt played service",
        "Code typed one we know",
        "Rung for this call cara",
        "Not taken by cara",
        "Rung for this call dan",
        "Connected by voice to dan",
    ]


def test_a_code_nobody_has_is_told_as_such() -> None:
    """It may be a mistyped one: whoever listens may ask."""
    call = Caller()
    entries = fold([call.arrives(), types(call, recognised=False)], call.reference).entries
    (told,) = [telling.told(entry) for entry in entries if entry.kind == "code_typed"]
    assert told.detail == "not one we know"
