"""What each rule of the table decides: pure functions of call, event and setting.

They lead nowhere by themselves; ``flow`` says which of them counts when, and where
it may lead. None sends a caller who was once connected back to a prompt of the
beginning, and none but a person's order lets go a caller who gave a sign.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from callflow.actions import (
    Action,
    AskAnyKey,
    AskCode,
    AskForSignal,
    AskMenu,
    AskQuestion,
    AskService,
    ConnectControlRoom,
    ConnectStaff,
    HangUp,
    HoldLine,
    HoldWords,
    JoinConference,
    LetGo,
    Nothing,
)
from callflow.call import Call, Stage
from callflow.contact import ContactLine
from callflow.events import (
    CodeTyped,
    ConnectionOrdered,
    Event,
    HoldOrdered,
    KeysPressed,
    MenuChosen,
    QuestionAnswered,
    QuestionOrdered,
    SoundHeard,
)
from callflow.keys import shorten
from callflow.menus import Menu
from callflow.profiles import SHORTEST_WAIT, Profile


@dataclass(frozen=True, slots=True)
class Setting:
    """What a decision depends on besides the call: profile, a control room to ring, the time.

    ``control_room``: there is one, and for a call of this purpose it may be rung. ``menu``: what
    the line lets the caller choose; ``contact``: how it reaches a point of contact. Both None where
    it asks as the emergency line does. ``rings``: for a call of this purpose staff may be rung.
    """

    profile: Profile
    control_room: bool
    now: datetime
    menu: Menu | None = None
    contact: ContactLine | None = None
    rings: bool = False

    @property
    def limit(self) -> int | None:
        """How long a caller who gave no sign is held, in seconds; None: without limit.

        Who rings the line for known victims is held for a handler, sign or none.
        """
        return None if self.contact else self.profile.hold.limit


@dataclass(frozen=True, slots=True)
class Outcome:
    """The call as it now stands, and what the caller's phone does next."""

    call: Call
    action: Action


def answer(call: Call, _event: Event, setting: Setting) -> Outcome:
    """Answer a new call: the line's menu, a code, or which service?"""
    if setting.contact:
        return Outcome(replace(call, stage=Stage.CODE, asked=1), AskCode(setting.contact))
    if setting.menu:
        return Outcome(replace(call, stage=Stage.MENU, asked=1), AskMenu(setting.menu))
    return Outcome(replace(call, stage=Stage.SERVICE, asked=1), AskService())


def ask_on(call: Call, _event: Event, setting: Setting) -> Outcome:
    """Nothing came: say the same prompt again while the profile wants it, then the next one."""
    profile, menu = setting.profile, setting.menu
    match call.stage:
        case Stage.MENU if menu and call.asked < menu.ask.times:
            return Outcome(replace(call, asked=call.asked + 1), AskMenu(menu))
        case Stage.SERVICE if call.asked < profile.service.times:
            return Outcome(replace(call, asked=call.asked + 1), AskService())
        case Stage.MENU | Stage.SERVICE:
            return Outcome(replace(call, stage=Stage.ANY_KEY, asked=1), AskAnyKey())
        case Stage.ANY_KEY if call.asked < profile.any_key.times:
            return Outcome(replace(call, asked=call.asked + 1), AskAnyKey())
        case Stage.ANY_KEY:
            return Outcome(replace(call, stage=Stage.SIGNAL, asked=1), AskForSignal())
        case Stage.SIGNAL if call.asked < profile.ask_signal.times:
            return Outcome(replace(call, asked=call.asked + 1), AskForSignal())
        case _:
            return begin_hold(call, setting, "stay")


def hear_keys(call: Call, event: Event, setting: Setting) -> Outcome:
    """Add the keys to those before them, and hold the line."""
    # A frightened caller may press one 5 now and the other after the next
    # prompt, or hold a key and send three. Keys add up; nothing is "wrong".
    assert isinstance(event, KeysPressed)
    signal = setting.profile.signal
    before = call.confirmed(setting.profile)
    heard = replace(call, keys=shorten(call.keys + event.keys, signal), heard=True)
    if before:
        say: HoldWords = ""
    elif heard.confirmed(setting.profile):
        say = "stay"
    else:
        say = "stray" if _astray(call, heard, setting) else "one_more"
    if call.stage is Stage.HOLD:
        return _hold_on(heard, setting, say)
    return begin_hold(heard, setting, say)


def _astray(call: Call, heard: Call, setting: Setting) -> bool:
    """Say whether the keys were pressed for something else than the signal: no 5 is among them.

    So is a choice made again, or a code typed late: "again" would make no sense. Where a key was
    asked for, it is the beginning of a signal as on every line.
    """
    for_more = setting.menu is not None or setting.contact is not None
    asked = call.stage in (Stage.SERVICE, Stage.ANY_KEY, Stage.SIGNAL)
    return for_more and not asked and not setting.profile.signal.count(heard.keys)


def choose(call: Call, event: Event, setting: Setting) -> Outcome:
    """Keep what was pressed, and hold the line for whoever answers the choice."""
    # The keys stay among the others: two 5s confirm whatever came before them (rule 5).
    assert isinstance(event, MenuChosen)
    keys = shorten(call.keys + event.keys, setting.profile.signal)
    heard = replace(call, keys=keys, heard=True)
    if call.stage is Stage.HOLD:
        return _hold_on(heard, setting, "stay")
    return begin_hold(heard, setting, "stay")


def hear_sound(call: Call, _event: Event, setting: Setting) -> Outcome:
    """Note that something was heard, and hold the line."""
    # A word may be somebody else's in the room. The line stays open and keys
    # are still heard, so the caller can say more with 55.
    heard = replace(call, heard=True)
    if call.stage is Stage.HOLD:
        return _hold_on(heard, setting, "")
    return begin_hold(heard, setting, "stay")


def wait_on(call: Call, _event: Event, setting: Setting) -> Outcome:
    """A stretch of hold went by in silence: count it, then ring, let go, or hold on."""
    hold = setting.profile.hold
    waited = replace(
        call,
        held=call.held + call.listen,
        quiet=call.quiet + call.listen,
        waited=call.waited + call.listen,
    )
    # Only the waits we asked for count towards letting go: a clock that jumps
    # must never end a call. Ringing early is harmless, so there the clock counts too.
    by_clock = int(setting.now.timestamp()) - call.since
    # Whoever claimed a call decides who is rung, and no timer lets that caller go.
    if call.claimed:
        return _hold_on(waited, setting, "stay" if waited.quiet >= hold.say_every else "")
    if setting.control_room and max(waited.waited, by_clock) >= hold.bridge:
        return Outcome(replace(waited, stage=Stage.BRIDGED), ConnectControlRoom(hold.ring))
    if not waited.gave_a_sign() and _time_is_up(waited, setting):
        ended = replace(waited, stage=Stage.ENDED)
        return Outcome(ended, LetGo(SHORTEST_WAIT, hold.listening.keys))
    return _hold_on(waited, setting, "stay" if waited.quiet >= hold.say_every else "")


def _time_is_up(call: Call, setting: Setting) -> bool:
    # The limit is "up to": when less than the shortest wait is left, it is now.
    limit = setting.limit
    return limit is not None and limit - call.held < SHORTEST_WAIT


def back_to_hold(call: Call, _event: Event, setting: Setting) -> Outcome:
    """Whoever the caller was joined to has gone: hold the line, with soft words."""
    return begin_hold(call, setting, "stay")


def keep(call: Call, event: Event, setting: Setting) -> Outcome:
    """Something came that this stage did not wait for: whatever it was, hold the line."""
    if isinstance(event, KeysPressed):
        return hear_keys(call, event, setting)
    if isinstance(event, SoundHeard):
        return hear_sound(call, event, setting)
    if isinstance(event, CodeTyped):
        call = replace(call, heard=True)
    if isinstance(event, QuestionAnswered):
        return begin_hold(_with_answer(call, event, setting), setting, "")
    if call.stage is Stage.HOLD:
        return _hold_on(call, setting, "")
    return begin_hold(call, setting, "")


def ask_question(call: Call, event: Event, setting: Setting) -> Outcome:
    """Speak a question; with the first of a call, how to answer it."""
    assert isinstance(event, QuestionOrdered)
    asked = replace(call, language=event.language or call.language)
    return _ask(asked, setting, attempt=1, how=call.asked == 0)


def hear_answer(call: Call, event: Event, setting: Setting) -> Outcome:
    """Take an answer, or ask once more."""
    # An answer that was not understood is asked for once more. Whatever it is then, the
    # line goes back to quiet hold: a handler decides what is asked next.
    assert isinstance(event, QuestionAnswered)
    heard = _with_answer(call, event, setting)
    if event.answer == "unclear" and call.asked == 1:
        return _ask(heard, setting, attempt=2, how=True)
    return begin_hold(heard, setting, "")


def _with_answer(call: Call, event: QuestionAnswered, setting: Setting) -> Call:
    """Count the presses of an answer: two 5s confirm wherever they were pressed (rule 5)."""
    keys = shorten(call.keys + event.keys, setting.profile.signal)
    return replace(call, keys=keys, heard=call.heard or event.answer != "none")


def _ask(call: Call, setting: Setting, *, attempt: int, how: bool) -> Outcome:
    replies = setting.profile.replies
    asked = replace(call, stage=Stage.ASKED, asked=attempt, quiet=0, parting=False)
    action = AskQuestion(attempt > 1, how, replies.wait, replies.listened_for())
    return Outcome(asked, action)


def hold_as_ordered(call: Call, event: Event, setting: Setting) -> Outcome:
    """Begin a hold with the words that were ordered, in the language that was."""
    assert isinstance(event, HoldOrdered)
    return begin_hold(replace(call, language=event.language or call.language), setting, event.say)


def connect(call: Call, event: Event, setting: Setting) -> Outcome:
    """Join the caller to whoever was ordered; no key is heard until that ends."""
    assert isinstance(event, ConnectionOrdered)
    joined = replace(call, stage=Stage.BRIDGED, asked=0, parting=False)
    action = JoinConference() if event.conference else ConnectStaff(setting.profile.hold.ring)
    return Outcome(joined, action)


def part(call: Call, _event: Event, setting: Setting) -> Outcome:
    """A person lets the line go: say goodbye, and listen while it is said."""
    parting = replace(call, stage=Stage.ENDED, asked=0, parting=True)
    return Outcome(parting, LetGo(SHORTEST_WAIT, setting.profile.hold.listening.keys))


def recover(call: Call, _event: Event, setting: Setting) -> Outcome:
    """One of our answers failed: hold the line."""
    # Our own failure: nothing is said. The caller may have pressed keys that we
    # lost, so the line is held without limit until a person has it.
    return begin_hold(replace(call, lost=True), setting, "")


def hang_up(call: Call, _event: Event, setting: Setting) -> Outcome:
    """Nothing came during the goodbye: end the call, if it may be ended."""
    # Unless a person lets the line go, goodbye is only ever said to a caller who gave no
    # sign. Should there be one after all, or a profile that lets nobody go, the line is held.
    kept = call.claimed or call.gave_a_sign() or setting.limit is None
    if kept and not call.parting:
        return begin_hold(call, setting, "")
    return Outcome(replace(call, stage=Stage.ENDED), HangUp())


def end(call: Call, _event: Event, _setting: Setting) -> Outcome:
    """The call is over."""
    return Outcome(replace(call, stage=Stage.ENDED), Nothing())


def begin_hold(call: Call, setting: Setting, say: HoldWords) -> Outcome:
    """Hold the line from now on, with ``say`` said first."""
    now = int(setting.now.timestamp())
    begun = replace(call, stage=Stage.HOLD, asked=0, waited=0, since=now, parting=False)
    return _hold_on(begun, setting, say)


def _hold_on(call: Call, setting: Setting, say: HoldWords) -> Outcome:
    """Listen until the next thing is due, and not past it."""
    hold = setting.profile.hold
    ask = hold.confirmed if call.confirmed(setting.profile) else hold.listening
    words = hold.words if say else 0
    quiet = 0 if say else call.quiet
    due = [ask.wait, hold.say_every - quiet]
    if setting.control_room and not call.claimed:
        due.append(hold.bridge - call.waited - words)
    if setting.limit is not None and not call.gave_a_sign() and not call.claimed:
        due.append(setting.limit - call.held - words)
    seconds = max(SHORTEST_WAIT, min(due))
    held = replace(call, stage=Stage.HOLD, listen=seconds + words, quiet=quiet)
    return Outcome(held, HoldLine(say, seconds, ask.keys))
