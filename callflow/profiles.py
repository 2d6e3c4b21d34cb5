"""A country's rules for silent calls, as values.

The data lives in ``config/profiles/*.toml``; here it gets its shape and its
limits. A profile that breaks a limit cannot be made: ``Profile.read`` raises
``BadProfile`` naming the key, so that a wrong file is refused at the start.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from callflow.keys import KEYPAD, Signal
from callflow.questions import Replies, Sign

SHORTEST_WAIT = 4
"""Silent callers need at least four seconds after each prompt (domain.md, section 2, point 6)."""
LONGEST_WAIT = 60

Silence = Literal["review", "held"]


class BadProfile(ValueError):
    """A profile's data breaks a rule. ``key`` says where, the message what to do."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"{key}: {reason}")
        self.key = key
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Ask:
    """One prompt stage: said ``times`` times, each followed by ``wait`` seconds of listening.

    ``keys`` is how many keys end the listening at once; fewer are reported after ``wait``.
    """

    times: int
    wait: int
    keys: int
    speech: bool


@dataclass(frozen=True, slots=True)
class Hold:
    """How an open line is held. All times in seconds, counted from the waits we ask for.

    ``limit``: how long a caller who gave no sign is held; None is without limit.
    ``words``: how long the soft repeat takes to say. ``bridge``: when the control room is rung
    should no ladder have done it; ``ring``: how long a person is rung.
    """

    limit: int | None
    say_every: int
    words: int
    bridge: int
    ring: int
    listening: Ask
    confirmed: Ask


@dataclass(frozen=True, slots=True)
class Repeats:
    """Urgency of the nth call from one number within ``window`` seconds."""

    window: int
    second: int
    third: int


@dataclass(frozen=True, slots=True)
class Profile:
    """One country's rules, complete and checked."""

    id: str
    name: str
    source: str
    checked: date
    verified_by_authority: bool
    signal: Signal
    meanings: Mapping[str, str]
    service: Ask
    any_key: Ask
    ask_signal: Ask
    hold: Hold
    silence: Silence
    silence_reason: str
    repeats: Repeats
    replies: Replies
    prompts: Mapping[str, str]
    landline_profile: str | None
    landline_prefixes: tuple[str, ...]

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> "Profile":
        """Build a profile from parsed TOML. Raises ``BadProfile`` on the first wrong key."""
        reader = _Reader(data)
        signal = reader.table("signal")
        silence = reader.table("silence")
        repeats = reader.table("repeats")
        answers = reader.table("answers")
        landline = reader.optional_table("landline")
        profile = cls(
            id=reader.text("id"),
            name=reader.text("name"),
            source=reader.text("source"),
            checked=reader.day("checked"),
            verified_by_authority=reader.flag("verified_by_authority"),
            signal=Signal(signal.keys_of("keys"), signal.number("presses", 1, 9)),
            meanings=signal.texts("meanings"),
            service=reader.table("stages").ask("service"),
            any_key=reader.table("stages").ask("any_key"),
            ask_signal=reader.table("stages").ask("signal"),
            hold=_hold(reader.table("hold")),
            silence=silence.choice("leads_to"),
            silence_reason=silence.text("reason"),
            repeats=Repeats(
                window=60 * repeats.number("window_minutes", 1, 24 * 60),
                second=repeats.number("second", 1, 4),
                third=repeats.number("third", 1, 4),
            ),
            replies=_replies(answers),
            prompts=reader.texts("prompts"),
            landline_profile=landline.text("profile") if landline else None,
            landline_prefixes=landline.prefixes("prefixes") if landline else (),
        )
        if profile.silence == "held" and profile.hold.limit is not None:
            raise BadProfile("hold.limit", "must be 0 (no limit) where silence leads to held")
        if profile.silence == "review" and profile.hold.limit is None:
            raise BadProfile("hold.limit", "must be set where silence leads to review")
        for name, ask in profile.later_asks().items():
            if ask.speech:
                # A shouting room could mask keys for up to a minute.
                raise BadProfile(f"{name}.speech", "must be false: only the first stage listens")
        for key in profile.meanings:
            if key not in profile.signal.keys:
                raise BadProfile(f"signal.meanings.{key}", "must be a key of signal.keys")
        reader.finish()
        return profile

    def later_asks(self) -> dict[str, Ask]:
        """Return every place that listens, but the first, by its key in the file."""
        return {
            "stages.any_key": self.any_key,
            "stages.signal": self.ask_signal,
            "hold.listening": self.hold.listening,
            "hold.confirmed": self.hold.confirmed,
        }


def _hold(hold: "_Reader") -> Hold:
    return Hold(
        limit=hold.number("limit", 0, 600) or None,
        say_every=hold.number("say_every", 5, 120),
        words=hold.number("words", 0, 10),
        bridge=hold.number("bridge", 5, 600),
        ring=hold.number("ring", 5, 60),
        listening=hold.ask("listening"),
        confirmed=hold.ask("confirmed"),
    )


def _replies(answers: "_Reader") -> Replies:
    yes, no = answers.sign("yes"), answers.sign("no")
    if bool(yes.key) != bool(no.key):
        raise BadProfile("answers.no", "must be told as yes is: both by presses, or both by a key")
    if yes == no:
        raise BadProfile("answers.no", "must differ from yes")
    return Replies(yes, no, answers.number("wait", SHORTEST_WAIT, LONGEST_WAIT))


class _Reader:
    """Reads one TOML table key by key and remembers which keys were asked for."""

    def __init__(self, data: Mapping[str, Any], place: str = "") -> None:
        self._data = data
        self._place = place
        self._seen: set[str] = set()
        self._inner: dict[str, _Reader] = {}

    def _bad(self, key: str, reason: str) -> BadProfile:
        return BadProfile(f"{self._place}{key}", reason)

    def _take(self, key: str, kind: type, what: str) -> Any:
        self._seen.add(key)
        if key not in self._data:
            raise self._bad(key, f"is missing; it must be {what}")
        value = self._data[key]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self._bad(key, f"must be {what}")
        return value

    def table(self, key: str) -> "_Reader":
        if key not in self._inner:
            self._inner[key] = _Reader(self._take(key, dict, "a table"), f"{self._place}{key}.")
        return self._inner[key]

    def optional_table(self, key: str) -> "_Reader | None":
        return self.table(key) if key in self._data else None

    def prefixes(self, key: str) -> tuple[str, ...]:
        values = self._take(key, list, "a list of prefixes such as '+441'")
        for value in values:
            if not isinstance(value, str) or not value.startswith("+") or not value[1:].isdigit():
                raise self._bad(key, f"must be a list of prefixes such as '+441', not {value!r}")
        return tuple(values)

    def text(self, key: str) -> str:
        value = str(self._take(key, str, "a text"))
        if not value.strip():
            raise self._bad(key, "must not be empty")
        return value

    def texts(self, key: str) -> Mapping[str, str]:
        if key not in self._data:
            return {}
        inner = self.table(key)
        return {name: inner.text(name) for name in inner._data}

    def number(self, key: str, least: int, most: int) -> int:
        value = int(self._take(key, int, f"a whole number from {least} to {most}"))
        if not least <= value <= most:
            raise self._bad(key, f"must be a whole number from {least} to {most}, not {value}")
        return value

    def flag(self, key: str) -> bool:
        return bool(self._take(key, bool, "true or false"))

    def day(self, key: str) -> date:
        value = self._take(key, date, "a date such as 2026-11-22")
        return date(value.year, value.month, value.day)

    def keys_of(self, key: str) -> str:
        value = self.text(key)
        if set(value) - set(KEYPAD):
            raise self._bad(key, f"must be keys out of {KEYPAD}")
        return value

    def choice(self, key: str) -> Silence:
        value = self.text(key)
        if value == "review":
            return "review"
        if value == "held":
            return "held"
        raise self._bad(key, "must be 'review' or 'held'")

    def ask(self, key: str) -> Ask:
        inner = self.table(key)
        return Ask(
            times=inner.number("times", 1, 5),
            wait=inner.number("wait", SHORTEST_WAIT, LONGEST_WAIT),
            keys=inner.number("keys", 1, 4),
            speech=inner.flag("speech"),
        )

    def sign(self, key: str) -> Sign:
        inner = self.table(key)
        if "key" not in inner._data:
            return Sign(presses=inner.number("presses", 1, 3))
        value = inner.keys_of("key")
        if len(value) != 1:
            raise inner._bad("key", "must be one key")
        return Sign(key=value)

    def finish(self) -> None:
        """Refuse keys nobody reads: a misspelt one would be silently ignored."""
        for key in self._data:
            if key not in self._seen:
                raise self._bad(key, "is not a key of a profile; is it misspelt?")
        for inner in self._inner.values():
            inner.finish()
