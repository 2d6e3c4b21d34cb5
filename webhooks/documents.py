"""TwiML for each action, put together once and kept.

Only the next URL differs from caller to caller, so a document is two ready-made
halves around it; what an order says, or whom it rings, is put together when it comes.
Every Gather posts even when nothing was pressed, never ends on a key, and is followed
by a way to stay on the line.
"""

from collections.abc import Mapping
from typing import assert_never
from xml.sax.saxutils import escape, quoteattr

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
    JoinConference,
    LetGo,
    Nothing,
    RingStaff,
)
from callflow.contact import ContactLine
from callflow.profiles import Ask, Profile
from callflow.questions import FIRST_LANGUAGE, Questions, Replies, Words
from config.policy import Voice

_START = '<?xml version="1.0" encoding="UTF-8"?><Response>'
_END = "</Response>"
_URL = "\x00"
"""Stands for the next URL while a document is put together; no prompt may hold it."""

_PAGE_WAIT = 8
"""Seconds somebody who is rung has to find the key 1."""
_LONGEST_SPOKEN = 400

HANG_UP = f"{_START}<Hangup/>{_END}".encode()
NOTHING = f"{_START}{_END}".encode()
"""Said to whoever answers a call-back before the officer is heard: nothing."""


class Documents:
    """Renders actions for one site. ``voices`` by language; ``control_room`` E.164 or None."""

    def __init__(
        self,
        voices: Mapping[str, Voice],
        questions: Questions,
        public_url: str,
        control_room: str | None,
    ) -> None:
        self._voices = voices
        self._questions = questions
        self._step_url = f"{public_url}/voice/step/"
        self._answer_url = f"{public_url}/voice/answer/"
        self._page_url = f"{public_url}/voice/page/"
        self._call_back_url = f"{public_url}/voice/call-back/"
        self._whisper_url = f"{public_url}/voice/whisper/"
        self._control_room = control_room
        self._reach_url = f"{public_url}/voice/reach/"
        self._take_url = f"{public_url}/voice/take/"
        self._halves: dict[tuple[str, str, Action], tuple[bytes, ...]] = {}

    def render(
        self, action: Action, profile: Profile, language: str, token: str, whisper: str
    ) -> bytes:
        """Return the document for ``action``. Empty for ``Nothing``.

        ``token``: the call's next state. ``whisper``: what follows ``/voice/whisper/`` for the side
        that answers; used by ``ConnectControlRoom`` only.
        """
        if isinstance(action, ConnectControlRoom):
            return self.connect(action.ring, token, whisper)
        where = profile.id, language, action
        halves = self._halves.get(where)
        if halves is None:
            text = self._text(action, profile, language)
            halves = self._halves[where] = tuple(part.encode() for part in text.split(_URL))
        return (self._step_url + token).encode().join(halves)

    def connect(self, ring: int, token: str, whisper: str, to: str | None = None) -> bytes:
        """Return the document that rings ``to`` and comes back to ``token``.

        ``to``: E.164, of staff; the control room where it is not given.
        """
        action = quoteattr(self._step_url + token)
        url = quoteattr(self._whisper_url + whisper)
        return (
            f'{_START}<Dial timeout="{ring}" answerOnBridge="true" action={action} method="POST">'
            f'<Number url={url} method="POST">{escape(to or self._control_room or "")}</Number>'
            f'</Dial><Redirect method="POST">{escape(self._step_url + token)}</Redirect>{_END}'
        ).encode()

    def reach(self, to: str, shown: str, ring: int, back: str, take: str) -> bytes:
        """Return the document that rings ``to`` and joins it to the caller if 1 is pressed there.

        ``shown``: the number whoever is rung sees, the line's own. ``back``, ``take``: what follows
        ``/voice/reach/`` for the caller, and ``/voice/take/`` for the side that answers.
        """
        action, url = self._reach_url + back, self._take_url + take
        caller_id = f" callerId={quoteattr(shown)}" if shown else ""
        return (
            f'{_START}<Dial timeout="{ring}" answerOnBridge="true"{caller_id}'
            f' action={quoteattr(action)} method="POST">'
            f'<Number url={quoteattr(url)} method="POST">{escape(to)}</Number>'
            f'</Dial><Redirect method="POST">{escape(action)}</Redirect>{_END}'
        ).encode()

    def take(self, contact: ContactLine, language: str, sealed: str) -> bytes:
        """Return what whoever is rung hears first: without a 1 they are not joined to anybody."""
        ask = Ask(times=1, wait=contact.take, keys=1, speech=False)
        said = _say(self.voice(language), contact.spoken(language).take)
        gather = _gather(ask, "", said).replace(_URL, f"{self._take_url}{sealed}/answer")
        return f"{_START}{gather}<Hangup/>{_END}".encode()

    def took(self, contact: ContactLine, language: str) -> bytes:
        """Return what they hear after the 1; when it has been said the two are joined."""
        said = _say(self.voice(language), contact.spoken(language).taken)
        return f"{_START}{said}{_END}".encode()

    def conference(self, token: str, room: str) -> bytes:
        """Return the document that puts the caller into ``room`` and comes back to ``token``.

        No beep and no music: nothing new is heard. When the caller goes, the room is closed.
        """
        url = self._step_url + token
        return (
            f'{_START}<Dial action={quoteattr(url)} method="POST">{_conference(room)}</Dial>'
            f'<Redirect method="POST">{escape(url)}</Redirect>{_END}'
        ).encode()

    def ask(
        self, action: AskQuestion, question: str, replies: Replies, language: str, answer: str
    ) -> bytes:
        """Return the document that speaks ``question``.

        ``answer``: what follows ``/voice/answer/`` for what is pressed. Never kept: what a handler
        typed is said once and is nowhere afterwards.
        """
        voice, words = self.voice(language), self.words(language)
        parts = [
            words.not_understood if action.again else "",
            _spoken(question),
            words.how(replies) if action.how else "",
        ]
        said = "".join(_say(voice, part) for part in parts if part)
        ask = Ask(times=1, wait=action.seconds, keys=action.keys, speech=False)
        url = self._answer_url + answer
        gather = _gather(ask, "", said).replace(_URL, url)
        return f'{_START}{gather}<Redirect method="POST">{url}</Redirect>{_END}'.encode()

    def page(self, language: str, sealed: str) -> bytes:
        """Return what somebody of ours hears when they are rung: said twice, 1 takes the call."""
        where = f"{self._page_url}{sealed}/answer"
        return self._press_1(language, self.words(language).page, where)

    def call_back(self, language: str, words: str, sealed: str) -> bytes:
        """Return what the officer who asked for a call-back hears on their own phone."""
        return self._press_1(language, words, f"{self._call_back_url}{sealed}/answer")

    def ring_out(self, sealed: str, to: str, shown: str, ring: int) -> bytes:
        """Return the document that rings a known person, and joins the officer who pressed 1.

        ``to`` and ``shown``, the line's number they see: E.164. ``ring``: seconds. Nothing is said
        to whoever answers: the officer is heard first. Whether a machine has answered is told
        beside that; nobody waits for it.
        """
        where = f"{self._call_back_url}{sealed}"
        ended = quoteattr(f"{where}/ended")
        return (
            f'{_START}<Dial timeout="{ring}" answerOnBridge="true" callerId={quoteattr(shown)}'
            f' action={ended} method="POST"><Number url={quoteattr(f"{where}/answered")}'
            f' method="POST" machineDetection="Enable"'
            f" amdStatusCallback={quoteattr(f'{where}/machine')}>{escape(to)}</Number></Dial>"
            f"<Hangup/>{_END}"
        ).encode()

    def _press_1(self, language: str, words: str, where: str) -> bytes:
        voice = self.voice(language)
        ask = Ask(times=1, wait=_PAGE_WAIT, keys=1, speech=False)
        said = _say(voice, words) + '<Pause length="2"/>' + _say(voice, words)
        gather = _gather(ask, "", said).replace(_URL, where)
        return f"{_START}{gather}<Hangup/>{_END}".encode()

    def taken(self, language: str) -> bytes:
        """Return what somebody who pressed 1 hears."""
        said = _say(self.voice(language), self.words(language).page_taken)
        return f"{_START}{said}<Hangup/>{_END}".encode()

    def listen(self, language: str, room: str) -> bytes:
        """Return the document that joins a listener of ours to ``room``, muted.

        When the listener goes the room is closed, and the caller's keys are heard again.
        """
        said = _say(self.voice(language), self.words(language).whisper_listening)
        joined = _conference(room, ' muted="true"')
        return f"{_START}{said}<Dial>{joined}</Dial><Hangup/>{_END}".encode()

    def whisper(self, word: str, language: str, signal: str, *, claimed: bool = False) -> bytes:
        """Return what the answering side hears before it is joined to the caller."""
        voice = self.voice(language)
        words = voice.prompts.get(f"whisper_{word}") or voice.prompts["whisper_nothing"]
        said = _say(voice, words.replace("{signal}", signal))
        if claimed:
            said += _say(voice, self.words(language).whisper_claimed)
        return f"{_START}{said}{_END}".encode()

    def voice(self, language: str) -> Voice:
        """Return the voice of a language; of one we do not speak, the first."""
        return self._voices.get(language) or self._voices[FIRST_LANGUAGE]

    def words(self, language: str) -> Words:
        """Return the words around questions; of a language we do not speak, the first's."""
        return self._questions.words.get(language) or self._questions.words[FIRST_LANGUAGE]

    def _text(self, action: Action, profile: Profile, language: str) -> str:
        match action:
            case AskService():
                return self._ask(language, profile, profile.service, "service")
            case AskMenu(menu):
                voice = self.voice(language)
                said = _say(voice, menu.said(language))
                return _document(_gather(menu.ask, voice.speech, said))
            case AskCode(contact):
                voice = self.voice(language)
                said = _say(voice, contact.spoken(language).code)
                return _document(_gather(contact.ask, voice.speech, said))
            case AskAnyKey():
                return self._ask(language, profile, profile.any_key, "any_key")
            case AskForSignal():
                return self._ask(language, profile, profile.ask_signal, "signal")
            case HoldLine(say, seconds, keys):
                ask = Ask(times=1, wait=seconds, keys=keys, speech=False)
                return self._ask(language, profile, ask, say)
            case LetGo(seconds, keys):
                ask = Ask(times=1, wait=seconds, keys=keys, speech=False)
                return self._ask(language, profile, ask, "goodbye")
            case HangUp():
                return HANG_UP.decode()
            case Nothing() | ConnectControlRoom():
                return ""
            case AskQuestion() | ConnectStaff() | JoinConference() | RingStaff():
                raise ValueError("what is asked, and who is rung, is not known here")
        assert_never(action)

    def _ask(self, language: str, profile: Profile, ask: Ask, prompt: str) -> str:
        voice = self.voice(language)
        if prompt == "reassure":
            words = self.words(language).reassure
        else:
            own = profile.prompts.get(prompt) if voice.say.startswith("en") else None
            words = own or voice.prompts.get(prompt, "")
        gather = _gather(ask, voice.speech, _say(voice, words) if prompt else "")
        return _document(gather)


def _document(gather: str) -> str:
    return f'{_START}{gather}<Redirect method="POST">{_URL}</Redirect>{_END}'


def _gather(ask: Ask, spoken: str, said: str) -> str:
    speech = (
        f' speechTimeout="auto" profanityFilter="false" language={quoteattr(spoken)}'
        if ask.speech
        else ""
    )
    return (
        f'<Gather input="{"dtmf speech" if ask.speech else "dtmf"}" timeout="{ask.wait}"'
        f' numDigits="{ask.keys}" finishOnKey="" actionOnEmptyResult="true"{speech}'
        f' action="{_URL}" method="POST">{said}</Gather>'
    )


def _conference(room: str, muted: str = "") -> str:
    return (
        f'<Conference beep="false" waitUrl=""{muted} startConferenceOnEnter="true"'
        f' endConferenceOnExit="true">{escape(room)}</Conference>'
    )


def _spoken(text: str) -> str:
    """Take out what XML could not carry, and what would make a document too long."""
    return "".join(filter(str.isprintable, text))[:_LONGEST_SPOKEN]


def _say(voice: Voice, words: str) -> str:
    attributes = f"voice={quoteattr(voice.voice)} language={quoteattr(voice.say)}"
    return f"<Say {attributes}>{escape(words)}</Say>"
