"""Policy is data: profiles, prompts and lines, read from TOML and checked at the start.

Nothing here decides; a file that is wrong is refused with its name, the key and
what to do, before any caller can meet it.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from callflow.lines import E164, KINDS, PURPOSES, Kind, Line
from callflow.menus import Menu
from callflow.profiles import BadProfile, Profile
from callflow.questions import Questions
from config.callbacks import FILE as CALLBACKS
from config.callbacks import read_callbacks
from config.contact_line import FILE as CONTACT_LINE
from config.contact_line import read_contact_line
from config.demo import FILE as DEMO
from config.demo import read_demo
from config.figures import FILE as FIGURES
from config.figures import read_figures
from config.follow_up_rules import read_follow_up_rules
from config.follow_ups import FILE as FOLLOW_UPS
from config.follow_ups import read_follow_ups
from config.grades import FILE as GRADES
from config.grades import read_grades
from config.ladder import FILE as LADDER
from config.ladder import read_ladder
from config.markers import FILE as MARKERS
from config.markers import read_markers
from config.menus import FILE as MENUS
from config.menus import read_menus
from config.patterns import FILE as PATTERNS
from config.patterns import read_patterns, read_visits
from config.questions import FILE as QUESTIONS
from config.questions import read_questions
from config.reading import BadFile
from config.review import FILE as REVIEW
from config.review import read_review
from config.roles import FILE as ROLES
from config.roles import read_roles
from config.settings import Settings
from config.support import FILE as SERVICES
from config.support import read_services
from config.unusual import FILE as UNUSUAL
from config.unusual import read_unusual
from incidents.callback_policy import CallBackPolicy
from incidents.contact_policy import ContactPolicy
from incidents.demo_story import Story
from incidents.figure_policy import FigurePolicy
from incidents.follow_up_kinds import Kinds
from incidents.follow_up_rules import Rule
from incidents.grades import Grades
from incidents.ladder_policy import Ladder
from incidents.marker_kinds import MarkerKinds
from incidents.patterns import Pattern
from incidents.review_policy import Review
from incidents.roles import Roles
from incidents.support import Services
from incidents.unusual_policy import Unusual

FOLDER = Path(__file__).resolve().parent
PROMPTS = (
    "service",
    "any_key",
    "signal",
    "one_more",
    "stray",
    "stay",
    "goodbye",
    "whisper_confirmed",
    "whisper_someone",
    "whisper_heard",
    "whisper_nothing",
    "whisper_service",
)
_VOICE = ("voice", "say", "speech")
_LONGEST_PROMPT = 200
"""Characters; a prompt must be short, and everything we answer must stay far below 64 kB."""


Read = TypeVar("Read")


class BadPolicy(ValueError):
    """A policy file is wrong. The message names the file, the key and what to do."""

    def __init__(self, file: Path, key: str, reason: str) -> None:
        super().__init__(f"{file.name}: {key}: {reason}")
        self.file = file
        self.key = key
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Voice:
    """One language: who speaks, and every prompt."""

    voice: str
    say: str
    speech: str
    prompts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Policy:
    """All policy. ``lines`` by number; ``other`` answers numbers that are not listed."""

    profiles: Mapping[str, Profile]
    voices: Mapping[str, Voice]
    lines: Mapping[str, Line]
    other: Line
    roles: Roles
    grades: Grades
    ladder: Ladder
    questions: Questions
    unusual: Unusual
    patterns: tuple[Pattern, ...]
    visits: frozenset[tuple[str, str]]
    menus: Mapping[Kind, Menu]
    follow_ups: Kinds
    follow_up_rules: tuple[Rule, ...]
    services: Services
    figures: FigurePolicy
    review: Review
    callbacks: CallBackPolicy
    markers: MarkerKinds
    contact: ContactPolicy


def load_policy(settings: Settings, folder: Path = FOLDER) -> Policy:
    """Read and check every policy file. Raises ``BadPolicy``."""
    profiles = _profiles(folder / "profiles")
    voices = _voices(folder / "prompts.toml")
    training = settings.training
    other = Line("", "emergency", "gb", "en-GB", "Emergency", "training" if training else "live")
    lines: dict[str, Line] = {}
    if settings.lines_file is not None:
        lines = _lines(settings.lines_file, profiles, voices, training=training)
    roles = _read(folder / ROLES, read_roles)
    grades = _read(folder / GRADES, read_grades)
    ladder = _read(folder / LADDER, read_ladder)
    _check_backstop(folder / "profiles", profiles, ladder)
    questions = _read(folder / QUESTIONS, lambda data: read_questions(data, tuple(voices)))
    unusual = _read(folder / UNUSUAL, read_unusual)
    patterns = _read(folder / PATTERNS, read_patterns)
    menus = _read(folder / MENUS, lambda data: read_menus(data, tuple(voices)))
    follow_ups = _read(folder / FOLLOW_UPS, read_follow_ups)
    follow_up_rules = _read(
        folder / FOLLOW_UPS,
        lambda data: read_follow_up_rules(data, follow_ups, grades, menus),
    )
    services = _read(folder / SERVICES, read_services)
    review = _read(folder / REVIEW, lambda data: read_review(data, grades))
    markers = _read(folder / MARKERS, lambda data: read_markers(data, grades))
    contact = _read(folder / CONTACT_LINE, lambda data: read_contact_line(data, tuple(voices)))
    if settings.lines_file is not None and not (contact.duty_desk or settings.control_room):
        _check_desk(settings.lines_file, lines)
    return Policy(
        profiles=profiles,
        voices=voices,
        lines=lines,
        other=other,
        roles=roles,
        grades=grades,
        ladder=ladder,
        questions=questions,
        unusual=unusual,
        patterns=patterns,
        visits=_read(folder / PATTERNS, lambda data: read_visits(data, follow_ups)),
        menus=menus,
        follow_ups=follow_ups,
        follow_up_rules=follow_up_rules,
        services=services,
        figures=_read(folder / FIGURES, lambda data: read_figures(data, follow_ups)),
        review=review,
        callbacks=_read(folder / CALLBACKS, read_callbacks),
        markers=markers,
        contact=contact,
    )


def load_story(folder: Path = FOLDER) -> Story:
    """Read and check the worked example, which no process needs. Raises ``BadPolicy``."""
    return _read(folder / DEMO, read_demo)


def _check_backstop(folder: Path, profiles: Mapping[str, Profile], ladder: Ladder) -> None:
    """Refuse a profile whose backstop would ring the control room before the ladder does."""
    bridges = max((rung.after for rung in ladder.rungs if rung.does == "bridge"), default=0.0)
    for profile in profiles.values():
        if profile.hold.bridge <= bridges:
            path, reason = folder / f"{profile.id}.toml", "must be longer than the ladder's bridge"
            raise BadPolicy(path, "hold.bridge", f"{reason}, {bridges:g} s; it is the backstop")


def _check_desk(path: Path, lines: Mapping[str, Line]) -> None:
    """Refuse a line for known victims with nobody to ring when their point of contact is away."""
    for at, line in enumerate(lines.values(), start=1):
        if line.kind == "contact" and line.purpose == "live":
            reason = "needs somebody to ring last: set QUIETLINE_CONTROL_ROOM, or duty_desk in"
            raise BadPolicy(path, f"line {at}: kind", f"contact {reason} {CONTACT_LINE}")


def _read(path: Path, read: Callable[[dict[str, Any]], Read]) -> Read:
    try:
        return read(_toml(path))
    except BadFile as error:
        raise BadPolicy(path, error.key, error.reason) from error


def _profiles(folder: Path) -> dict[str, Profile]:
    profiles: dict[str, Profile] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            profile = Profile.read(_toml(path))
        except BadProfile as error:
            raise BadPolicy(path, error.key, error.reason) from error
        if profile.id != path.stem:
            raise BadPolicy(path, "id", f"must be {path.stem!r}, as the file's name")
        for name, text in profile.prompts.items():
            if name not in PROMPTS:
                raise BadPolicy(path, f"prompts.{name}", f"must be one of {', '.join(PROMPTS)}")
            _check_prompt(path, f"prompts.{name}", text)
        profiles[profile.id] = profile
    for profile in profiles.values():
        wanted = profile.landline_profile
        if wanted is not None and wanted not in profiles:
            path = folder / f"{profile.id}.toml"
            raise BadPolicy(path, "landline.profile", f"there is no profile {wanted!r}")
    if "gb" not in profiles:
        raise BadPolicy(folder / "gb.toml", "id", "the profile gb must be there; put it back")
    return profiles


def _voices(path: Path) -> dict[str, Voice]:
    data = _toml(path)
    if not isinstance(data.pop("source", None), str):
        raise BadPolicy(path, "source", "must say where the words come from")
    if not isinstance(data.pop("checked", None), date):
        raise BadPolicy(path, "checked", "must be a date such as 2026-11-22")
    voices = {}
    for language, table in data.items():
        if not isinstance(table, dict):
            raise BadPolicy(path, language, "must be a table of prompts, such as [en-GB]")
        for key in (*_VOICE, *PROMPTS):
            text = table.get(key)
            if not isinstance(text, str) or not text.strip():
                raise BadPolicy(path, f"{language}.{key}", "is missing; it must be a text")
            _check_prompt(path, f"{language}.{key}", text)
        for key in table:
            if key not in _VOICE and key not in PROMPTS:
                raise BadPolicy(path, f"{language}.{key}", "is not a prompt; is it misspelt?")
        prompts = {name: table[name] for name in PROMPTS}
        voices[language] = Voice(table["voice"], table["say"], table["speech"], prompts)
    if "en-GB" not in voices:
        raise BadPolicy(path, "en-GB", "the language en-GB must be there; put it back")
    return voices


def _check_prompt(path: Path, key: str, text: str) -> None:
    if len(text) > _LONGEST_PROMPT:
        raise BadPolicy(path, key, f"must be at most {_LONGEST_PROMPT} characters long")
    if not text.isprintable():
        raise BadPolicy(path, key, "must not hold control characters: Twilio could not read it")


def _lines(
    path: Path, profiles: Mapping[str, Profile], voices: Mapping[str, Voice], *, training: bool
) -> dict[str, Line]:
    data = _toml(path)
    tables = data.pop("line", [])
    if data or not isinstance(tables, list):
        key = next(iter(data), "line")
        raise BadPolicy(path, key, "the file holds [[line]] tables and nothing else")
    lines = {}
    for at, table in enumerate(tables, start=1):
        line = _line(path, f"line {at}", table, training=training)
        if line.profile not in profiles:
            known = ", ".join(sorted(profiles))
            raise BadPolicy(path, f"line {at}: profile", f"must be one of {known}")
        if line.language not in voices:
            known = ", ".join(sorted(voices))
            raise BadPolicy(path, f"line {at}: language", f"must be one of {known}")
        if line.number in lines:
            raise BadPolicy(path, f"line {at}: number", "is listed twice")
        lines[line.number] = line
    return lines


_LINE_KEYS = ("number", "kind", "profile", "language", "name", "purpose")


def _line(path: Path, place: str, table: Any, *, training: bool) -> Line:
    if not isinstance(table, dict):
        raise BadPolicy(path, place, "must be a [[line]] table")
    for key, value in table.items():
        if key not in _LINE_KEYS:
            known = ", ".join(_LINE_KEYS)
            raise BadPolicy(path, f"{place}: {key}", f"is not a key of a line ({known})")
        if not isinstance(value, str):
            raise BadPolicy(path, f"{place}: {key}", "must be a text in quotes")
    number = table.get("number", "")
    if not E164.match(number):
        raise BadPolicy(path, f"{place}: number", "must be a number such as +441632960000")
    kind = next((kind for kind in KINDS if kind == table.get("kind", "emergency")), None)
    if kind is None:
        raise BadPolicy(path, f"{place}: kind", f"must be one of {', '.join(KINDS)}")
    purpose = next((one for one in PURPOSES if one == table.get("purpose", "live")), None)
    if purpose is None:
        raise BadPolicy(path, f"{place}: purpose", f"must be one of {', '.join(PURPOSES)}")
    if training:
        purpose = "training"
    return Line(
        number,
        kind,
        table.get("profile", "gb"),
        table.get("language", "en-GB"),
        table.get("name", kind.replace("_", " ").capitalize()),
        purpose,
    )


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise BadPolicy(path, "file", "is not there") from error
    except OSError as error:
        raise BadPolicy(path, "file", f"cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadPolicy(path, "file", f"is not TOML: {error}") from error
