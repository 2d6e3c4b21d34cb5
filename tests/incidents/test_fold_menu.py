"""What a choice from a line's menu makes of an incident."""

from __future__ import annotations

from typing import Any

from incidents.fold import fold
from incidents.recorded import Recorded
from tests.incidents.making import Caller


def chose(call: Caller, keys: str = "1", step: int = 1) -> Recorded:
    """A choice from the menu is recorded."""
    facts: dict[str, Any] = {"keys": keys, "signal": "5x2", "stage": "menu", "next": "hold"}
    told: dict[str, Any] = {"choice": "report", "words": "Report a crime"}
    return call.event("menu_chosen", step, content=keys, **facts, **told)


def test_a_choice_reads_as_somebody_there_in_its_own_words() -> None:
    """Urgency 2, waiting, and the handler reads what was chosen instead of "a key"."""
    call = Caller()
    incident = fold([call.arrives(), chose(call)], call.reference).incident
    assert (incident.signal, incident.urgency, incident.state) == ("someone_there", 2, "waiting")
    assert incident.reasons == ("chose “Report a crime”",)
    assert (incident.keys, incident.chosen) == ("1", "report")
    assert incident.alerted_at is not None


def test_rule_5_a_55_after_a_choice_confirms_and_the_choice_is_still_read() -> None:
    """Two 5s confirm whatever came before them."""
    call = Caller()
    events = [call.arrives(), chose(call), call.presses("5", 2), call.presses("5", 3)]
    incident = fold(events, call.reference).incident
    assert (incident.signal, incident.urgency) == ("confirmed", 1)
    assert incident.reasons == ("55 pressed", "chose “Report a crime”")
    assert (incident.keys, incident.chosen) == ("155", "report")


def test_a_hang_up_after_a_choice_still_waits_for_a_handler() -> None:
    """Somebody was there, and wanted something."""
    call = Caller()
    incident = fold([call.arrives(), chose(call), call.hangs_up()], call.reference).incident
    assert (incident.state, incident.connection) == ("waiting", "dropped")


def test_a_choice_that_comes_again_by_the_fallback_is_one_press() -> None:
    """The same key of the same step, read there as a plain press."""
    call = Caller()
    events = [call.arrives(), chose(call), call.presses("1", 1)]
    assert fold(events, call.reference).incident.keys == "1"


def test_the_timeline_tells_what_was_chosen() -> None:
    """With the key as it was pressed."""
    call = Caller()
    entries = fold([call.arrives(), chose(call)], call.reference).entries
    told = [entry.data for entry in entries if entry.kind == "menu_chosen"]
    assert told == [{"keys": "1", "words": "Report a crime"}]


def test_a_call_without_a_menu_chose_nothing() -> None:
    """As every call to the emergency line."""
    call = Caller()
    assert fold([call.arrives(), call.presses("7")], call.reference).incident.chosen is None
