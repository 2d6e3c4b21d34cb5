"""The page of one incident: what is known, how it grows, and a note box that loses nothing."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests import running
from tests.browser.calls import Exchange
from tests.browser.screen import Screen


def test_the_timeline_grows_while_it_is_read(screen: Screen, exchange: Exchange) -> None:
    """Keys pressed now stand on the open page now."""
    call = exchange.call("+447700900600").presses("5")
    page = screen.open(f"/incidents/{call.reference}")
    screen.hears()
    page.evaluate("window.stayed = true")
    entries = page.locator("#entries li")
    expect(entries.filter(has_text="Keys pressed")).to_have_count(1)
    call.presses("5")
    expect(entries.filter(has_text="Keys pressed")).to_have_count(2)
    expect(entries.filter(has_text="Full signal confirmed")).to_have_count(1)
    expect(page.locator(".summary")).to_contain_text("NOW")
    expect(page.locator(".all-keys")).to_have_text("5 5")
    call.says("who is that")
    expect(entries.filter(has_text="may be somebody else in the room")).to_have_count(1)
    assert page.evaluate("window.stayed") is True


def test_the_whole_number_stands_on_the_incident_page_only(
    screen: Screen, exchange: Exchange
) -> None:
    """The board may be read over a shoulder."""
    call = exchange.call("+447700900601").presses("55")
    expect(screen.row(call.reference)).to_be_visible()
    assert "+447700900601" not in screen.page.content()
    page = screen.open(f"/incidents/{call.reference}")
    expect(page.locator(".number")).to_have_text("+447700900601")


def test_times_are_local_and_say_so(screen: Screen, exchange: Exchange) -> None:
    """A handler reads London's time; the moment in UTC is kept beside it."""
    call = exchange.call("+447700900602").presses("55")
    page = screen.open(f"/incidents/{call.reference}")
    expect(page.locator(".zone")).to_contain_text("Europe/London")
    moment = page.locator("#entries time").first.get_attribute("datetime")
    assert moment is not None
    assert moment.endswith("Z")


def test_a_note_is_saved_without_losing_the_page(screen: Screen, exchange: Exchange) -> None:
    """It stands on the timeline under the writer's name, and on every other screen."""
    call = exchange.call("+447700900603").presses("55")
    page = screen.open(f"/incidents/{call.reference}")
    other = screen.watch(screen.context.new_page())
    other.goto(f"{screen.url}/incidents/{call.reference}")
    screen.hears(other)
    page.evaluate("window.stayed = true")
    expect(page.locator("#entries")).to_contain_text("Full signal")
    page.get_by_label("Note").fill("Child heard\n<b>crying</b>")
    # The store has the call once the engine has copied it.
    for _ in range(20):
        page.get_by_role("button", name="Save note").click()
        page.locator("#note-saved:not(:empty), #note-refusal:not([hidden])").first.wait_for()
        if page.locator("#note-saved").inner_text() == "Saved.":
            break
    note = page.locator("#entries li", has_text="Child heard")
    expect(note).to_have_count(1)
    expect(note).to_contain_text("handler")
    expect(note).to_contain_text("<b>crying</b>")
    expect(page.get_by_label("Note")).to_have_value("")
    expect(other.locator("#entries li", has_text="Child heard")).to_have_count(1)
    assert page.evaluate("window.stayed") is True


def test_a_refused_note_keeps_what_was_typed(screen: Screen, exchange: Exchange) -> None:
    """Too long, and then signed out: the reason is said, and no word is lost."""
    call = exchange.call("+447700900604").presses("55")
    page = screen.open(f"/incidents/{call.reference}")
    box, refusal = page.get_by_label("Note"), page.locator("#note-refusal")
    long = "x" * 4001
    box.fill(long)
    page.get_by_role("button", name="Save note").click()
    expect(refusal).to_contain_text("at most 4000 characters")
    expect(box).to_have_value(long)
    box.fill("He is at the door")
    screen.context.clear_cookies(name="quietline_session")
    page.get_by_role("button", name="Save note").click()
    expect(refusal).to_contain_text("You are signed out")
    expect(box).to_have_value("He is at the door")
    screen.sign_in()
    screen.open(f"/incidents/{call.reference}")
    expect(box).to_have_value("He is at the door")


def test_an_unsaved_note_is_not_shown_to_the_next_handler_at_the_desk(
    screen: Screen, house: running.Quietline, exchange: Exchange
) -> None:
    """It would be kept for good under the wrong name; its writer finds it again."""
    call = exchange.call("+447700900607").presses("55")
    path = f"/incidents/{call.reference}"
    first = screen.account
    screen.open(path).get_by_label("Note").fill("She said his name")
    screen.page.get_by_role("button", name="Sign out").click()
    screen.account = ("relief", house.command("users", "add", "relief").strip())
    screen.sign_in()
    expect(screen.open(path).get_by_label("Note")).to_have_value("")
    screen.page.get_by_role("button", name="Sign out").click()
    screen.account = first
    screen.sign_in()
    expect(screen.open(path).get_by_label("Note")).to_have_value("She said his name")


def test_a_refused_note_keeps_what_was_typed_without_scripts(
    screens: Callable[..., Screen], exchange: Exchange
) -> None:
    """The page works as a plain form, too."""
    call = exchange.call("+447700900605").presses("55")
    screen = screens(scripts=False)
    page = screen.open(f"/incidents/{call.reference}")
    page.get_by_label("Note").fill("y" * 4001)
    page.get_by_role("button", name="Save note").click()
    expect(page.locator("#note-refusal")).to_contain_text("at most 4000 characters")
    expect(page.get_by_label("Note")).to_have_value("y" * 4001)


def test_a_silent_call_is_in_the_review_queue(screen: Screen, exchange: Exchange) -> None:
    """Rule 2: nothing ends unseen; its whole record is one step away."""
    call = exchange.call("+447700900606").is_let_go()
    page = screen.open(f"/review?call={call.reference}")
    link = page.locator("#call-title").get_by_role("link", name=call.reference)
    for _ in range(40):
        if link.count():
            break
        page.reload()
    link.click()
    expect(page.locator(".summary")).to_contain_text("For review")
