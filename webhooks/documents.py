"""TwiML for each action, put together once and kept.

Only the next URL differs from caller to caller, so a document is two ready-made
halves around it. Every Gather posts even when nothing was pressed, never ends on a
key, and is followed by a way to stay on the line.
"""

from collections.abc import Mapping
from typing import assert_never
from xml.sax.saxutils import escape, quoteattr

from callflow.actions import (
    Action,
    AskAnyKey,
    AskForSignal,
    AskService,
    ConnectControlRoom,
    HangUp,
    HoldLine,
    LetGo,
    Nothing,
)
from callflow.profiles import Ask, Profile
from config.policy import Voice

_START = '<?xml version="1.0" encoding="UTF-8"?><Response>'
_END = "</Response>"
_URL = "\x00"
"""Stands for the next URL while a document is put together; no prompt may hold it."""

HANG_UP = f"{_START}<Hangup/>{_END}".encode()


class Documents:
    """Renders actions for one site. ``voices`` by language; ``control_room`` E.164 or None."""

    def __init__(
        self, voices: Mapping[str, Voice], public_url: str, control_room: str | None
    ) -> None:
        self._voices = voices
        self._step_url = f"{public_url}/voice/step/"
        self._whisper_url = f"{public_url}/voice/whisper/"
        self._control_room = control_room
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

    def connect(self, ring: int, token: str, whisper: str) -> bytes:
        """Return the document that rings the control room and comes back to ``token``."""
        action = quoteattr(self._step_url + token)
        url = quoteattr(self._whisper_url + whisper)
        return (
            f'{_START}<Dial timeout="{ring}" answerOnBridge="true" action={action} method="POST">'
            f'<Number url={url} method="POST">{self._control_room}</Number></Dial>'
            f'<Redirect method="POST">{escape(self._step_url + token)}</Redirect>{_END}'
        ).encode()

    def whisper(self, word: str, language: str, signal: str) -> bytes:
        """Return what the answering side hears before it is joined to the caller."""
        voice = self._voices.get(language) or self._voices["en-GB"]
        words = voice.prompts.get(f"whisper_{word}") or voice.prompts["whisper_nothing"]
        return f"{_START}{_say(voice, words.replace('{signal}', signal))}{_END}".encode()

    def _text(self, action: Action, profile: Profile, language: str) -> str:
        voice = self._voices[language]
        match action:
            case AskService():
                return self._ask(voice, profile, profile.service, "service")
            case AskAnyKey():
                return self._ask(voice, profile, profile.any_key, "any_key")
            case AskForSignal():
                return self._ask(voice, profile, profile.ask_signal, "signal")
            case HoldLine(say, seconds, keys):
                ask = Ask(times=1, wait=seconds, keys=keys, speech=False)
                return self._ask(voice, profile, ask, say)
            case LetGo(seconds, keys):
                ask = Ask(times=1, wait=seconds, keys=keys, speech=False)
                return self._ask(voice, profile, ask, "goodbye")
            case HangUp():
                return HANG_UP.decode()
            case Nothing() | ConnectControlRoom():
                return ""
        assert_never(action)

    def _ask(self, voice: Voice, profile: Profile, ask: Ask, prompt: str) -> str:
        gather = self._gather(voice, profile, ask, prompt)
        return f'{_START}{gather}<Redirect method="POST">{_URL}</Redirect>{_END}'

    @staticmethod
    def _gather(voice: Voice, profile: Profile, ask: Ask, prompt: str) -> str:
        speech = (
            f' speechTimeout="auto" profanityFilter="false" language={quoteattr(voice.speech)}'
            if ask.speech
            else ""
        )
        own = profile.prompts.get(prompt) if voice.say.startswith("en") else None
        words = own or voice.prompts.get(prompt, "")
        said = _say(voice, words) if prompt else ""
        return (
            f'<Gather input="{"dtmf speech" if ask.speech else "dtmf"}" timeout="{ask.wait}"'
            f' numDigits="{ask.keys}" finishOnKey="" actionOnEmptyResult="true"{speech}'
            f' action="{_URL}" method="POST">{said}</Gather>'
        )


def _say(voice: Voice, words: str) -> str:
    attributes = f"voice={quoteattr(voice.voice)} language={quoteattr(voice.say)}"
    return f"<Say {attributes}>{escape(words)}</Say>"
