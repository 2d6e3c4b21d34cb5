"""``<Gather>``: what the exchange hears of keys and words, and what it never hears."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from simulator.moments import Elapsed, Key, Ordered, Playing, Request, Spoke, Stimulus, WaitKind
from simulator.twiml import Verb

if TYPE_CHECKING:
    from simulator.playing import Player


@dataclass(slots=True)
class _Gathering:
    verb: Verb
    digits: str = ""
    finished_on: str = ""
    speech: Spoke | None = None
    done: bool = False

    @property
    def inputs(self) -> frozenset[str]:
        return frozenset(self.verb.get("input", "dtmf").split())

    @property
    def begun(self) -> bool:
        return bool(self.digits) or self.speech is not None

    @property
    def timeout(self) -> float:
        return float(self.verb.whole("timeout", 5))

    def still(self) -> tuple[WaitKind, float]:
        """Return what is waited for now and for how long.

        Twilio: "timeout in whole seconds counted after the prompt or from the first key, also
        between keys". Somebody who speaks is listened to until speechTimeout of silence.
        """
        if self.speech is not None:
            silence = self.verb.get("speechTimeout", str(int(self.timeout)))
            return "speech", self.speech.lasting + (1.0 if silence == "auto" else float(silence))
        return ("digits" if self.digits else "listening"), self.timeout


def gather(player: Player, verb: Verb, url: str) -> Playing[Request | None]:
    """Play the prompt and listen. Returns the request for the action, or None to go on."""
    state = _Gathering(verb)
    try:
        for child in verb.children:
            yield from _prompt(player, state, child, url)
            if state.begun or state.done:
                break
        while not state.done:
            yield from _listen(player, state)
    except Ordered:
        # Twilio: "keys half typed are lost (?)".
        if state.digits:
            player.call.note("lost", f"half typed when the order came: {state.digits} is lost")
        raise
    return _result(player, state, url)


def _prompt(player: Player, state: _Gathering, child: Verb, url: str) -> Playing[None]:
    """Play one child. Twilio: "the first key stops the prompt", and so does a voice."""
    _, seconds = player.sound(child, url)
    deadline = player.call.clock.now() + seconds
    while True:
        stimulus = yield player.wait("prompt", deadline - player.call.clock.now())
        if isinstance(stimulus, Elapsed):
            return
        _take(player, state, stimulus)
        if state.done or (state.begun and state.verb.flag("bargeIn", default=True)):
            return


def _listen(player: Player, state: _Gathering) -> Playing[None]:
    """Wait once: until the time is over or something counted as input."""
    kind, seconds = state.still()
    deadline = player.call.clock.now() + seconds
    while True:
        stimulus = yield player.wait(kind, deadline - player.call.clock.now())
        if isinstance(stimulus, Elapsed):
            state.done = True
            return
        if _take(player, state, stimulus):
            return


def _take(player: Player, state: _Gathering, stimulus: Stimulus) -> bool:
    """Hear one thing; return whether it was input.

    Twilio: 'With input="dtmf speech" whichever comes first wins', so keys pressed while somebody
    speaks are masked, and words after the first key are not listened to.
    """
    match stimulus:
        case Key(key) if "dtmf" in state.inputs and state.speech is None:
            return _take_key(player, state, key)
        case Key():
            masked = "speech is being listened to" if state.speech else "this Gather takes speech"
            player.lost(stimulus, masked)
        case Spoke(words) if "speech" in state.inputs and not state.begun:
            player.call.note("spoke", f"says “{words}”")
            state.speech = stimulus
            return True
        case _:
            player.lost(
                stimulus, "this Gather takes keys" if not state.digits else "keys came first"
            )
    return False


def _take_key(player: Player, state: _Gathering, key: str) -> bool:
    finish = state.verb.get("finishOnKey", "#")
    if finish and key == finish:
        # Twilio: finishOnKey is "# by default and is stripped"; with no key before it, nothing.
        if not state.digits:
            player.lost(Key(key), "it only ends what was pressed before it")
            return False
        player.call.note("pressed", f"presses {key}, which ends the entry", key=key)
        state.finished_on = key
        state.done = True
        return True
    player.call.note("pressed", f"presses {key}", key=key)
    state.digits += key
    state.done = len(state.digits) >= state.verb.whole("numDigits", 1_000_000)
    return True


def _result(player: Player, state: _Gathering, url: str) -> Request | None:
    """Return the request that reports the input.

    Twilio: "Digits (a string: leading zeros, *, #), or SpeechResult and Confidence; also
    FinishedOnKey, msg", and "Gather posts nothing when nothing is pressed unless
    actionOnEmptyResult="true"".
    """
    action = urljoin(url, state.verb.get("action", url))
    if state.speech is not None:
        spoke = state.speech
        player.call.note("told", f"we are told: speech “{spoke.words}”")
        result = (("SpeechResult", spoke.words), ("Confidence", f"{spoke.confidence:.7f}"))
        return Request(action, (*result, ("msg", "Gather End")), late=spoke.late)
    ending = (("FinishedOnKey", state.finished_on), ("msg", "Gather End"))
    if state.digits:
        player.call.note("told", f"we are told: keys {state.digits}")
        return Request(action, (("Digits", state.digits), *ending))
    player.call.note("silence", "silence")
    if not state.verb.flag("actionOnEmptyResult"):
        return None
    # "On an empty result Digits may be empty or absent (?)": tests play both.
    empty = player.call.network.knobs.empty_digits == "empty"
    return Request(action, (("Digits", ""), *ending) if empty else ending)
