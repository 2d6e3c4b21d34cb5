"""Plays calls through the rules alone: every profile, a clock that moves as we listen."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import strategies as st

from callflow.actions import (
    Action,
    AskCode,
    AskQuestion,
    ConnectControlRoom,
    ConnectStaff,
    HoldLine,
    LetGo,
    RingStaff,
)
from callflow.call import Call, Stage
from callflow.contact import ContactLine, Spoken
from callflow.events import (
    AnswerFailed,
    BridgeEnded,
    CallArrived,
    CallEnded,
    CallNotTaken,
    CodeTyped,
    ConnectionOrdered,
    Event,
    HoldOrdered,
    KeysPressed,
    MenuChosen,
    NothingHeard,
    PartingOrdered,
    QuestionAnswered,
    QuestionOrdered,
    SoundHeard,
)
from callflow.flow import Setting, step
from callflow.keys import KEYPAD, LONGEST_KEPT
from callflow.menus import Choice, Menu
from callflow.profiles import Ask, Profile
from callflow.questions import VERDICTS

FOLDER = Path(__file__).resolve().parent.parent.parent / "config" / "profiles"
PROFILES = {
    path.stem: Profile.read(tomllib.loads(path.read_text(encoding="utf-8")))
    for path in sorted(FOLDER.glob("*.toml"))
}
NOW = datetime(2026, 12, 22, 18, 3, 11, tzinfo=UTC)
MENU = Menu(
    Ask(times=2, wait=6, keys=2, speech=True),
    (Choice("report", "1", "Report a crime"), Choice("speak", "0", "Speak to someone")),
    (("en-GB", "Press 5 5 at any time. To report a crime, 1. To speak to someone, 0."),),
)
CONTACT = ContactLine(
    ask=Ask(times=1, wait=5, keys=6, speech=False),
    said=6,
    rings=(11, 12, 10),
    take=5,
    total=45,
    reason="nobody took the call",
    words=(("en-GB", Spoken("Press 5 5, or type your code.", "Press 1.", "Wait.")),),
)
LISTENING = (
    Stage.MENU,
    Stage.CODE,
    Stage.SERVICE,
    Stage.ANY_KEY,
    Stage.SIGNAL,
    Stage.ASKED,
    Stage.HOLD,
)
"""The stages in which a Gather runs, so that keys reach us."""
CONNECTED = (Stage.REACH, Stage.HOLD, Stage.ASKED, Stage.BRIDGED)
PROMPTS = (Stage.NEW, Stage.MENU, Stage.CODE, Stage.SERVICE, Stage.ANY_KEY, Stage.SIGNAL)
_TALKED = timedelta(seconds=40)


@dataclass(slots=True)
class Playing:
    """One call being played. ``actions``: what its phone was told, in order."""

    profile: Profile
    control_room: bool
    now: datetime
    call: Call
    actions: list[Action]
    menu: Menu | None = None
    contact: ContactLine | None = None
    rings: bool = True

    @classmethod
    def arrived(
        cls,
        profile: str,
        *,
        control_room: bool = False,
        menu: Menu | None = None,
        contact: ContactLine | None = None,
        rings: bool = True,
    ) -> Playing:
        """Return a call that has just been answered, on a line with a menu, or codes, if given.

        ``rings``: on a line with codes staff are really rung.
        """
        call = Call.starting(NOW)
        playing = cls(PROFILES[profile], control_room, NOW, call, [], menu, contact, rings)
        return playing.meets(CallArrived())

    @classmethod
    def at(cls, stage: Stage, profile: str) -> Playing:
        """Return a call that was silent until ``stage``; the goodbye counts as ended.

        A caller who is bridged pressed a key first: silent mobiles are let go before.
        """
        menu = MENU if stage is Stage.MENU else None
        contact = CONTACT if stage in (Stage.CODE, Stage.REACH) else None
        bridges = stage is Stage.BRIDGED
        playing = cls.arrived(profile, control_room=bridges, menu=menu, contact=contact)
        if stage is Stage.ASKED:
            return playing.meets(QuestionOrdered())
        if stage is Stage.BRIDGED:
            playing.presses("7")
        while playing.call.stage is not stage:
            playing.stays_silent()
        return playing

    @property
    def action(self) -> Action:
        """What the caller's phone does now."""
        return self.actions[-1]

    @property
    def confirmed(self) -> bool:
        """Whether the full signal was given."""
        return self.call.confirmed(self.profile)

    def meets(self, event: Event) -> Playing:
        """Let ``event`` happen now."""
        setting = Setting(
            self.profile, self.control_room, self.now, self.menu, self.contact, self.rings
        )
        outcome = step(self.call, event, setting)
        self.call = outcome.call
        self.actions.append(outcome.action)
        return self

    def presses(self, keys: str) -> Playing:
        """Press keys a second after the prompt."""
        self.now += timedelta(seconds=1)
        return self.meets(KeysPressed(keys))

    def speaks(self) -> Playing:
        """Say something, or have somebody else in the room say it."""
        self.now += timedelta(seconds=2)
        return self.meets(SoundHeard())

    def stays_silent(self, seconds: int = 0) -> Playing:
        """Let the present document run out, and more of them until ``seconds`` are over."""
        until = self.now + timedelta(seconds=seconds)
        while True:
            if self.call.stage is Stage.BRIDGED:
                self.now += _TALKED
                self.meets(BridgeEnded())
            elif isinstance(self.action, RingStaff):
                self.now += timedelta(seconds=self.action.seconds)
                self.meets(CallNotTaken())
            else:
                self.now += timedelta(seconds=self.listened())
                self.meets(NothingHeard())
            if self.now >= until:
                return self

    def listened(self) -> int:
        """Return how many seconds the present document listens, its words left out.

        Where a code is asked for they are counted: they belong to that line's total.
        """
        profile = self.profile
        match self.action:
            case AskCode(contact):
                return contact.said + contact.ask.wait
            case HoldLine(seconds=seconds) | LetGo(seconds=seconds) | AskQuestion(seconds=seconds):
                return seconds
            case ConnectControlRoom(ring) | ConnectStaff(ring):
                return ring
        asks = {
            Stage.MENU: MENU.ask,
            Stage.SERVICE: profile.service,
            Stage.ANY_KEY: profile.any_key,
            Stage.SIGNAL: profile.ask_signal,
        }
        return asks[self.call.stage].wait


profiles = st.sampled_from(sorted(PROFILES.values(), key=lambda profile: profile.id))
keys = st.text(KEYPAD, max_size=LONGEST_KEPT)
presses = st.text(KEYPAD, max_size=6)
languages = st.sampled_from(("", "en-GB", "cy-GB"))
_happens: st.SearchStrategy[Event] = st.one_of(
    st.builds(KeysPressed, presses),
    st.sampled_from([MenuChosen(one.key, one) for one in MENU.choices]),
    st.just(NothingHeard()),
    st.sampled_from((CallArrived(), SoundHeard(), BridgeEnded(), AnswerFailed(), CallEnded())),
    st.sampled_from((CodeTyped("123467"), CallNotTaken())),
)
_ordered: st.SearchStrategy[Event] = st.one_of(
    st.builds(QuestionAnswered, st.sampled_from(VERDICTS), presses),
    st.builds(HoldOrdered, st.sampled_from(("", "stay", "reassure")), languages),
    st.builds(QuestionOrdered, languages),
    st.builds(ConnectionOrdered, st.booleans()),
)
events: st.SearchStrategy[Event] = st.one_of(_happens, _ordered)
"""Everything but the one order that lets a caller go."""
any_events: st.SearchStrategy[Event] = st.one_of(events, st.just(PartingOrdered()))
_since_1970 = st.integers(0, 4_102_444_800)
moments = _since_1970.map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
_seconds = st.integers(0, 10**7)
calls = st.builds(
    Call,
    stage=st.sampled_from(Stage),
    step=st.integers(0, 10**14),
    began=_since_1970,
    asked=st.integers(0, 9),
    keys=keys,
    heard=st.booleans(),
    lost=st.booleans(),
    listen=_seconds,
    held=_seconds,
    quiet=_seconds,
    waited=_seconds,
    since=_since_1970,
    claimed=st.booleans(),
    language=languages,
)
"""Calls that nobody lets go."""
any_calls = st.builds(replace, calls, parting=st.booleans())
settings = st.builds(
    Setting,
    profile=profiles,
    control_room=st.booleans(),
    now=moments,
    menu=st.sampled_from((None, MENU)),
    contact=st.sampled_from((None, CONTACT)),
    rings=st.booleans(),
)
