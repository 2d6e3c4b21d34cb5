"""A live call worked to its end, on screens of real browsers, by a caller who answers."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PatienceOver

from simulator.caller import Caller
from simulator.exchange import Exchange as Callers
from tests.browser.calls import Exchange
from tests.browser.screen import Screen
from tests.waiting import eventually

CLICKS = 3
CLAIMED_MS = 5_000
PRESSES_ONE_AS_IT_CHANGES = """
new MutationObserver((_, seen) => {
    const one = document.querySelector('.offer[data-number="1"]');
    if (!one || one.dataset.question === 'danger_now') return;
    seen.disconnect();
    const press = new KeyboardEvent('keydown', { key: '1', bubbles: true });
    setTimeout(() => document.body.dispatchEvent(press), 100);
}).observe(document.body, { childList: true, subtree: true })
"""

Screens = Callable[..., Screen]
Colleagues = dict[str, tuple[str, str]]

OVERFLOWS = "(one) => one.scrollHeight - one.clientHeight"
MANY_ALARMS = """() => {
    const alarm = document.querySelector('#alarm-template').content.firstElementChild;
    // The feed knows none of them: with each thing it tells, one is taken away again.
    for (let nth = 0; nth < 60; nth += 1) {
        const one = alarm.cloneNode(true);
        one.querySelector('.text').textContent = 'One of several that stand. '.repeat(9);
        document.querySelector('#alarms').append(one);
    }
}"""


def confirmed(callers: Callers, number: str) -> Caller:
    """Let a caller ring, press 55 and wait."""
    caller = callers.call(number)
    return caller.hears("fire, police").presses("55").hears("stay on the line")


def row_of(screen: Screen, number: str) -> Locator:
    """The row of the call from a number, once it has stood still long enough to be clicked."""
    row = screen.page.locator("tr.row", has_text=f"…{number[-4:]}")
    expect(row).to_be_visible()
    screen.page.wait_for_function(
        "at => performance.now() > at", arg=screen.evaluate("performance.now() + 450")
    )
    return row


def claimed(screen: Screen, callers: Callers, number: str) -> Caller:
    """Let a caller ring, and take the call from the board."""
    screen.hears()
    caller = confirmed(callers, number)
    for _ in range(CLICKS):
        row_of(screen, number).get_by_role("button", name="Claim").click()
        try:
            screen.page.wait_for_url("**/incidents/*", timeout=CLAIMED_MS)
            break
        except PatienceOver:
            # An alarm came at this very moment and pushed the row down: a click on what has just
            # moved is not taken, and whoever clicked clicks again.
            continue
    expect(screen.page.locator(".summary .whose")).to_have_text("Yours")
    screen.hears()
    caller.waits_for_order()
    return caller


def offer(page: Page, text: str) -> Locator:
    """The button of a suggested question."""
    return page.locator(".offer", has_text=text)


def set_grade(page: Page, grade: str) -> None:
    """Choose a grade and set it."""
    page.locator("#grade").select_option(grade)
    page.locator("#grade").press("Enter")


def test_questions_are_asked_by_number_and_answers_stand_at_the_top(
    screen: Screen, callers: Callers
) -> None:
    """Yes, no, no answer and a typed question; each stands in the summary and on the timeline."""
    caller = claimed(screen, callers, "+447700900711")
    page = screen.page
    page.keyboard.press("1")
    expect(page.locator(".answers")).to_contain_text("danger now: …")
    caller.is_asked("danger now").answers("yes")
    expect(page.locator(".answers")).to_contain_text("danger now: yes")
    expect(page.locator("#entries li", has_text="Answer: yes")).to_contain_text("5 5")
    assert page.locator(".all-keys").inner_text() == "5 5"  # an answer is no key of its own
    offer(page, "Is the other person in the room").click()
    caller.is_asked("other person").answers("no")
    expect(page.locator(".answers")).to_contain_text("other person in the room: no")
    page.keyboard.press("r")
    caller.is_asked("other person").answers("yes")
    expect(page.locator(".answers")).to_contain_text("other person in the room: yes (before: no)")
    page.keyboard.press("t")
    page.keyboard.type("Is the door 1 locked?")
    page.keyboard.press("Enter")
    caller.is_asked("door 1 locked").stays_silent(8)
    expect(page.locator(".answers")).to_contain_text("Is the door 1 locked?: no answer")
    expect(page.get_by_label("Type a question")).to_have_value("")


def test_a_question_that_takes_a_number_is_not_asked_by_a_press_meant_for_another(
    screen: Screen, callers: Callers
) -> None:
    """An answered question gives its number to a new one; a press in that moment asks nothing."""
    caller = claimed(screen, callers, "+447700900712")
    page = screen.page
    page.keyboard.press("1")
    caller.is_asked("danger now").answers("yes")
    expect(page.locator(".answers")).to_contain_text("danger now: yes")
    page.keyboard.press("2")
    caller.is_asked("other person")
    page.evaluate(PRESSES_ONE_AS_IT_CHANGES)
    caller.answers("no")
    expect(page.locator("#told")).to_contain_text("Number 1 has just changed")
    expect(page.locator("#entries li.kind-question_asked")).to_have_count(2)


def test_a_claimed_call_that_drops_asks_for_a_new_grade_at_once(
    screen: Screen, callers: Callers
) -> None:
    """Rule 10: within a second, on whatever page the handler is, counting a minute."""
    caller = claimed(screen, callers, "+447700900713")
    page, reference = screen.page, screen.page.locator("h1 .ref").inner_text()
    banner = page.locator("#regrade")
    expect(banner).to_be_hidden()
    caller.hangs_up()
    expect(banner).to_be_visible(timeout=1000)
    expect(banner).to_contain_text(reference)
    expect(banner.locator("time")).to_have_text(re.compile(r"^0:5\d left$"))
    screen.open("/")
    expect(banner).to_be_visible()
    banner.get_by_role("link", name="Grade again").click()
    expect(page.locator("#grade")).to_be_focused()
    set_grade(page, "immediate")
    expect(banner).to_be_hidden()
    expect(page.locator(".graded")).to_contain_text(re.compile(r"Immediate.*1[45]:\d\d left"))


def test_an_order_that_lost_a_race_is_told_plainly_and_keeps_what_was_typed(
    screen: Screen, callers: Callers
) -> None:
    """The caller hangs up while a question is being typed."""
    caller = claimed(screen, callers, "+447700900714")
    page = screen.page
    page.keyboard.press("t")
    page.keyboard.type("Can you get out?")
    caller.hangs_up()
    expect(page.locator(".connection")).to_contain_text("dropped")
    page.keyboard.press("Enter")
    told = page.locator("#told")
    expect(told).to_contain_text("The line is not open")
    assert page.locator("#typed-text").input_value() == "Can you get out?"


def test_two_handlers_see_who_has_a_call_and_one_may_take_it(
    screens: Screens, screen: Screen, callers: Callers, colleagues: Colleagues
) -> None:
    """The second learns the first's name, takes the call over, and the first is told."""
    caller = claimed(screen, callers, "+447700900715")
    reference = screen.page.locator("h1 .ref").inner_text()
    second = screens(account=colleagues["second"])
    second.hears()
    row = second.row(reference)
    expect(row).to_contain_text(screen.account[0])
    row.locator("a").focus()
    second.page.keyboard.press("c")
    expect(second.page.locator("#told")).to_contain_text(f"{screen.account[0]}. Enter opens it")
    second.page.keyboard.press("Enter")
    second.hears()
    second.page.keyboard.press("c")
    reason = second.page.locator("#once-more-reason")
    mine = second.page.locator(".summary .whose", has_text="Yours")
    eventually(lambda: reason.is_visible() or mine.is_visible())
    if reason.is_visible():  # a slow machine: the first 20 s are over
        reason.fill("They asked me to")
        second.page.get_by_role("button", name="Take over").last.click()
    expect(mine).to_be_visible()
    expect(screen.page.locator(".summary .whose")).to_contain_text("second has it")
    screen.page.keyboard.press("1")
    expect(screen.page.locator("#told")).to_contain_text("second has this call")
    caller.hangs_up()


def test_lowering_a_grade_takes_a_reason_and_a_second_person(
    screens: Screens, screen: Screen, exchange: Exchange, colleagues: Colleagues
) -> None:
    """Raising takes effect at once; lowering waits for somebody else's approval."""
    call = exchange.call("+447700900716", ago=60).presses("55", after=2).hangs_up(after=30)
    page = screen.open(f"/incidents/{call.reference}")
    screen.hears()
    page.keyboard.press("c")
    expect(page.locator(".summary .whose")).to_have_text("Yours")
    set_grade(page, "immediate")
    expect(page.locator(".graded")).to_contain_text("Immediate")
    set_grade(page, "advice")
    dialog = page.get_by_role("dialog", name="Lower the grade?")
    dialog.get_by_role("button", name="Propose it").click()
    expect(dialog).to_contain_text("a reason is needed")
    dialog.get_by_label("Reason").fill("Rang back from a safe place")
    dialog.get_by_role("button", name="Propose it").click()
    expect(page.locator(".proposal")).to_contain_text("Advice, no visit")
    expect(page.locator(".proposal button")).to_have_count(0)
    expect(page.locator("#grade")).to_have_value("immediate")
    other = screens(account=colleagues["supervisor"])
    other.open(f"/incidents/{call.reference}")
    other.hears()
    other.page.get_by_role("button", name="Approve").click()
    other.page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(page.locator(".graded")).to_contain_text("Advice, no visit")
    expect(page.locator(".proposal")).to_have_count(0)


def test_the_record_keeps_details_a_place_and_a_correction(
    screen: Screen, exchange: Exchange
) -> None:
    """Verbatim, with its source and age; a correction stands beside what it corrects."""
    call = exchange.call("+447700900717").presses("55")
    page = screen.open(f"/incidents/{call.reference}")
    screen.hears()
    expect(page.locator(".places-known")).to_contain_text("55 gives no location")
    page.keyboard.press("c")
    expect(page.locator(".summary .whose")).to_have_text("Yours")
    page.get_by_label("Where the caller is").fill("Flat 3, <b>Mill</b> Lane")
    page.keyboard.press("Enter")
    expect(page.locator(".place")).to_contain_text("Flat 3, <b>Mill</b> Lane")
    expect(page.locator(".place")).to_contain_text(re.compile(r"caller's answers.*\d s ago"))
    page.get_by_label("Which detail").select_option("weapons")
    page.get_by_label("What to write").fill("a kitchen knife")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".known dl")).to_contain_text("a kitchen knife")
    expect(page.get_by_label("What to write")).to_have_value("")
    page.locator("#entries li", has_text="kitchen knife").get_by_role("button").click()
    dialog = page.get_by_role("dialog", name="Correct an entry")
    dialog.get_by_label("Correction").fill("a bread knife")
    dialog.get_by_role("button", name="Save correction").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#entries li", has_text="bread knife")).to_contain_text("Correction")
    expect(page.locator("#entries li", has_text="kitchen knife")).to_have_count(1)


def test_a_live_call_fits_the_screen(screen: Screen, callers: Callers) -> None:
    """At 1280 × 800 nothing of a worked call needs scrolling but the timeline itself.

    However many alarms stand, they do not push what is asked out of sight.
    """
    caller = claimed(screen, callers, "+447700900718")
    page = screen.page
    page.keyboard.press("1")
    caller.is_asked("danger now").answers("yes")
    expect(page.locator(".answers")).to_contain_text("danger now: yes")
    set_grade(page, "immediate")
    expect(page.locator(".graded")).to_contain_text("Immediate")
    page.get_by_label("Where the caller is").fill("12 High Street")
    page.keyboard.press("Enter")
    expect(page.locator(".place")).to_be_visible()
    below = page.evaluate(
        """[...document.querySelectorAll('.incident button, .incident select, .incident input, '
            + '.incident textarea, .foot p')]
            .filter((one) => one.checkVisibility() && !one.closest('#entries'))
            .filter((one) => one.getBoundingClientRect().bottom > 800)
            .map((one) => one.outerHTML)"""
    )
    assert below == []
    assert page.evaluate("document.documentElement.scrollHeight") <= 800
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    for column in (".column-ask", ".column-record"):
        assert page.locator(column).evaluate(OVERFLOWS) <= 0, column
    page.evaluate(MANY_ALARMS)
    assert page.evaluate("document.documentElement.scrollHeight") <= 800
    assert page.locator(".column-ask").evaluate(OVERFLOWS) <= 0
    caller.hangs_up()
    # With what the feed told of that the page looked at its alarms again.
    expect(page.locator("#alarms")).to_have_attribute("tabindex", "0")


def test_the_whole_job_is_done_by_keyboard(screen: Screen, callers: Callers) -> None:
    """Found, claimed, asked, noted, graded, let go and closed, without a mouse."""
    screen.hears()
    caller = confirmed(callers, "+447700900719")
    row = row_of(screen, "+447700900719")
    keyboard = screen.page.keyboard
    row.locator("a").focus()
    keyboard.press("c")
    page = screen.page
    expect(page.locator(".summary .whose")).to_have_text("Yours")
    screen.hears()
    caller.waits_for_order()
    keyboard.press("2")
    caller.is_asked("other person").answers("no")
    expect(page.locator(".answers")).to_contain_text("other person in the room: no")
    keyboard.press("n")
    keyboard.type("She is alone now.")
    keyboard.press("Control+Enter")
    expect(page.locator("#note-saved")).to_have_text("Saved.")
    keyboard.press("Escape")
    keyboard.press("g")
    keyboard.type("Pri")
    keyboard.press("Enter")
    expect(page.locator(".graded")).to_contain_text("Priority")
    keyboard.press("Escape")
    page.locator("#act-let-go").focus()
    keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Let the line go?")).to_be_visible()
    keyboard.press("Enter")
    expect(page.locator("#told")).to_contain_text("goodbye")
    caller.waits_for_order()
    caller.stays_silent(60)
    expect(page.locator(".connection")).to_contain_text("ended")
    keyboard.press("x")
    keyboard.type("Support")
    keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Close as")).to_be_visible()
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(page.locator(".summary .whose")).to_have_text("Closed")
    expect(page.locator(".closed-as")).to_contain_text("Support told of or arranged")


def test_the_ladder_comes_to_supervisors_later_and_sounds_louder(
    screens: Screens, screen: Screen, exchange: Exchange, colleagues: Colleagues
) -> None:
    """A handler hears it at once, a supervisor from their rung on; then it sounds again."""
    other = screens(account=colleagues["supervisor"])
    for one in (screen, other):
        one.lets_sound()
    call = exchange.call("+447700900720").presses("55")
    eventually(lambda: screen.has_sounded(call.reference))
    assert not other.has_sounded(call.reference)
    rang = int(screen.evaluate("document.documentElement.dataset.rang ?? 0"))
    eventually(lambda: other.has_sounded(call.reference), 25)
    eventually(
        lambda: int(screen.evaluate("document.documentElement.dataset.rang ?? 0")) > rang, 15
    )
    expect(screen.page).to_have_title(re.compile(r"NOW.* !\)"))


def test_nobody_leaves_or_closes_their_own_open_call_by_one_key_too_many(
    screen: Screen, callers: Callers
) -> None:
    """Esc asks for a second one; closing says at once that the line is open, and asks why."""
    screen.hears()
    confirmed(callers, "+447700900747")
    row_of(screen, "+447700900747").locator("a").focus()
    page, keyboard = screen.page, screen.page.keyboard
    keyboard.press("c")
    expect(page.locator(".summary .whose")).to_have_text("Yours")
    screen.hears()
    keyboard.press("Escape")
    expect(page.locator("#told")).to_contain_text("Press Esc again")
    keyboard.press("x")
    keyboard.type("Accidental")
    keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="The line is still open")
    expect(dialog).to_be_visible()
    expect(page.locator("#once-more-optional")).to_be_hidden()
    keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    keyboard.press("Escape")
    keyboard.press("Escape")
    keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Live board")).to_be_visible()
