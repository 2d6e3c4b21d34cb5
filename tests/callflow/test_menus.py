"""A line with a menu: what is a choice, and that the silent way is open at any moment."""

from __future__ import annotations

import pytest

from callflow.actions import AskAnyKey, AskMenu, AskService, HoldLine
from callflow.call import Stage
from callflow.events import MenuChosen
from callflow.keys import KEYPAD
from callflow.menus import menu_for
from tests.callflow.playing import MENU, PROFILES, Playing

REPORT = MENU.choices[0]


@pytest.mark.parametrize("keys", ["1", "11", "111"])
def test_one_key_pressed_once_or_held_down_is_a_choice(keys: str) -> None:
    """A held key sends several; it still means one thing."""
    assert MENU.chosen(keys) == REPORT


@pytest.mark.parametrize("keys", ["", "5", "55", "15", "51", "1515", "10", "7", "*"])
def test_a_five_or_anything_unknown_is_no_choice(keys: str) -> None:
    """It goes the silent way, or to a handler."""
    assert MENU.chosen(keys) is None


@pytest.mark.parametrize("key", KEYPAD)
def test_rule_5_a_first_five_is_never_mistaken_for_a_choice(key: str) -> None:
    """Whatever is pressed before or after it."""
    assert (MENU.chosen(key + "5"), MENU.chosen("5" + key)) == (None, None)


def test_a_choice_holds_the_line_for_a_handler() -> None:
    """The caller is asked to stay, and no timer lets them go."""
    call = Playing.at(Stage.MENU, "gb").meets(MenuChosen("1", REPORT))
    assert isinstance(call.action, HoldLine)
    assert (call.action.say, call.call.keys) == ("stay", "1")
    assert call.stays_silent(seconds=300).call.stage is Stage.HOLD


def test_rule_5_two_fives_confirm_after_a_choice() -> None:
    """At any moment: also on hold after the menu was answered."""
    call = Playing.at(Stage.MENU, "gb").meets(MenuChosen("1", REPORT)).presses("5")
    assert not call.confirmed
    assert call.presses("5").confirmed


@pytest.mark.parametrize(
    ("keys", "says"),
    [("1", ["stray"]), ("77", ["stray"]), ("15", ["one_more"]), ("5", ["one_more", "stay"])],
)
def test_nobody_is_told_to_press_5_again_who_pressed_none(keys: str, says: list[str]) -> None:
    """Whoever presses their choice once more, on hold, hears how to ask for silent help."""
    call = Playing.at(Stage.MENU, "gb").meets(MenuChosen("1", REPORT))
    for say in says:
        held = call.presses(keys).action
        assert isinstance(held, HoldLine)
        assert held.say == say


def test_a_key_that_was_asked_for_is_answered_as_on_every_line() -> None:
    """The menu went by in silence and any key was asked for: the signal is asked for then."""
    call = Playing.arrived("gb", menu=MENU).stays_silent().stays_silent()
    assert call.call.stage is Stage.ANY_KEY
    held = call.presses("7").action
    assert isinstance(held, HoldLine)
    assert held.say == "one_more"


@pytest.mark.parametrize(("keys", "say"), [("9", "stray"), ("12", "stray"), ("5", "one_more")])
def test_a_stray_key_at_a_menu_is_not_asked_for_again(keys: str, say: str) -> None:
    """A key the menu does not have is answered with 5 5; a 5 with the other one."""
    call = Playing.at(Stage.MENU, "gb").presses(keys)
    assert isinstance(call.action, HoldLine)
    assert call.action.say == say
    assert call.presses("55").confirmed


def test_silence_at_a_menu_becomes_the_silent_way_of_the_emergency_line() -> None:
    """Said as often as the menu wants, then any key is asked for; never for a service."""
    call = Playing.at(Stage.MENU, "gb")
    said = [call.action]
    for _ in range(MENU.ask.times):
        said.append(call.stays_silent().action)
    assert said == [AskMenu(MENU), AskMenu(MENU), AskAnyKey()]


def test_a_line_without_a_menu_asks_which_service() -> None:
    """As before."""
    assert Playing.arrived("gb").action == AskService()


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_only_where_the_signal_is_made_of_fives_is_there_a_menu(profile: str) -> None:
    """Where 1 is the signal, or any key, a choice and the signal could be mistaken."""
    found = menu_for("non_emergency", PROFILES[profile], {"non_emergency": MENU})
    assert (found is MENU) == (PROFILES[profile].signal.keys == "5")


def test_an_emergency_line_has_no_menu() -> None:
    """It asks which service."""
    assert menu_for("emergency", PROFILES["gb"], {"non_emergency": MENU}) is None
