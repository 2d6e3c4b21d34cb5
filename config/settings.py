"""Settings from the environment and ``.env``. A bad one is refused with its name and the reason.

Standard library and python-dotenv only, because the phone process reads them too
and must stay small. On a first start this makes what is missing: the data folder,
the key and, in training mode, an auth token of its own.
"""

import contextlib
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values

from callflow.lines import E164, EMERGENCY
from incidents.sealed import make_secret, read_secret

TRAINING_ACCOUNT = "AC" + "5" * 32
"""The account the simulator plays when no Twilio account is set."""
_ACCOUNT = re.compile(r"AC[0-9a-zA-Z]{32}\Z")
_ADDRESS = re.compile(r"[!-~]+\Z")
"""Printable ASCII without a space: what may stand in an address."""
_PORTS = range(1, 65536)

Acknowledge = Literal["journal", "store"]


class BadSetting(ValueError):
    """A setting is wrong. The message is its name and what to do."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SettingDoc:
    """What a setting is for. ``default`` as a person would write it."""

    name: str
    default: str
    text: str


SETTINGS = (
    SettingDoc("TWILIO_ACCOUNT_SID", "", "The Twilio account whose calls are answered, AC…."),
    SettingDoc(
        "TWILIO_AUTH_TOKEN",
        "",
        "Its auth token; every request must be signed with it. Absent: training mode.",
    ),
    SettingDoc(
        "TWILIO_AUTH_TOKEN_NEXT",
        "",
        "A second token that is accepted too, while the first is being replaced.",
    ),
    SettingDoc("TWILIO_API_URL", "https://api.twilio.com", "Where live calls are ordered."),
    SettingDoc(
        "QUIETLINE_PUBLIC_URL",
        "http://127.0.0.1:8055",
        "The address under which Twilio reaches the phone side, without a path.",
    ),
    SettingDoc(
        "QUIETLINE_CONSOLE_URL",
        "http://localhost:8056",
        "The address under which handlers reach the console.",
    ),
    SettingDoc("QUIETLINE_PHONE_BIND", "127.0.0.1:8055", "Where the phone process listens."),
    SettingDoc("QUIETLINE_CONSOLE_BIND", "127.0.0.1:8056", "Where the console listens."),
    SettingDoc("QUIETLINE_DATA", "var", "The data folder: journal, key, SQLite store."),
    SettingDoc(
        "QUIETLINE_DATABASE_URL",
        "SQLite in the data folder",
        "The store, such as postgresql://user:secret@host/name.",
    ),
    SettingDoc(
        "QUIETLINE_JOURNAL_SPARE",
        "journal-spare in the data folder",
        "A folder on another disk, which the journal uses when its own cannot write.",
    ),
    SettingDoc(
        "QUIETLINE_ACKNOWLEDGE",
        "journal",
        "journal: answer when the journal has it. store: also wait up to 300 ms for the store.",
    ),
    SettingDoc(
        "QUIETLINE_KEYS",
        "made on the first start, in the data folder",
        "32 bytes in base64 that encrypt numbers, names and words. Losing it loses them.",
    ),
    SettingDoc(
        "QUIETLINE_CONTROL_ROOM",
        "",
        "The number a waiting call is bridged to, such as +441632960055; no emergency number.",
    ),
    SettingDoc(
        "QUIETLINE_LINES",
        "",
        "A TOML file of [[line]] tables: number, kind, profile, language, name, purpose.",
    ),
    SettingDoc(
        "QUIETLINE_HEARTBEAT_URL",
        "",
        "An address outside that is fetched every minute while no alarm stands.",
    ),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, checked. See ``SETTINGS`` for what each is for."""

    account_sid: str
    auth_tokens: tuple[str, ...]
    api_url: str
    public_url: str
    console_url: str
    phone_bind: tuple[str, int]
    console_bind: tuple[str, int]
    data: Path
    database_url: str
    journal_spare: Path
    acknowledge: Acknowledge
    key_material: bytes
    control_room: str | None
    lines_file: Path | None
    training: bool
    heartbeat_url: str | None = None

    @property
    def journals(self) -> tuple[Path, Path]:
        """The journal's folder and the spare one."""
        return self.data / "journal", self.journal_spare

    @property
    def wake(self) -> Path:
        """The folder of the processes' wake-up sockets."""
        return self.data / "wake"


def load(environ: Mapping[str, str], root: Path) -> Settings:
    """Read and check all settings; ``.env`` under ``root`` fills what the environment leaves out.

    Relative paths are taken from ``root``. Makes the data folder and what belongs in it.
    Raises ``BadSetting``.
    """
    read = _Reader(environ, root)
    data = read.path("QUIETLINE_DATA", root / "var")
    _make_folder("QUIETLINE_DATA", data)
    token = read.text("TWILIO_AUTH_TOKEN")
    training = token is None
    if token is None:
        token = _kept(data / "training-token", lambda: secrets.token_hex(16))
    next_token = read.text("TWILIO_AUTH_TOKEN_NEXT")
    console_url = read.url("QUIETLINE_CONSOLE_URL", "http://localhost:8056")
    phone_bind = read.bind("QUIETLINE_PHONE_BIND", ("127.0.0.1", 8055))
    console_bind = read.bind("QUIETLINE_CONSOLE_BIND", ("127.0.0.1", 8056))
    if console_bind == phone_bind:
        raise BadSetting(
            "QUIETLINE_CONSOLE_BIND",
            "must not be QUIETLINE_PHONE_BIND: the phone faces the internet, the console must not",
        )
    api = f"{console_url}/practice/twilio" if training else "https://api.twilio.com"
    return Settings(
        account_sid=read.account("TWILIO_ACCOUNT_SID", TRAINING_ACCOUNT if training else ""),
        auth_tokens=(token,) if next_token is None else (token, next_token),
        api_url=read.url("TWILIO_API_URL", api, path=True),
        public_url=read.url("QUIETLINE_PUBLIC_URL", "http://127.0.0.1:8055", path=True),
        console_url=console_url,
        phone_bind=phone_bind,
        console_bind=console_bind,
        data=data,
        database_url=read.database("QUIETLINE_DATABASE_URL", f"sqlite:///{data / 'quietline.db'}"),
        journal_spare=read.path("QUIETLINE_JOURNAL_SPARE", data / "journal-spare"),
        acknowledge=read.acknowledge("QUIETLINE_ACKNOWLEDGE"),
        key_material=read.secret("QUIETLINE_KEYS", data / "keys"),
        control_room=read.number("QUIETLINE_CONTROL_ROOM"),
        lines_file=read.file("QUIETLINE_LINES"),
        training=training,
        heartbeat_url=read.heartbeat("QUIETLINE_HEARTBEAT_URL"),
    )


class _Reader:
    """Reads settings one by one; an empty one counts as absent."""

    def __init__(self, environ: Mapping[str, str], root: Path) -> None:
        try:
            written = {k: v for k, v in dotenv_values(root / ".env").items() if v is not None}
        except (OSError, UnicodeDecodeError) as error:
            raise BadSetting(".env", f"cannot be read ({type(error).__name__})") from error
        self._values = {**written, **environ}
        self._root = root

    def text(self, name: str) -> str | None:
        value = self._values.get(name, "").strip()
        if not value:
            return None
        if not value.isprintable():
            raise BadSetting(name, "holds control characters; write it on one line")
        return value

    def account(self, name: str, default: str) -> str:
        value = self.text(name)
        if value is None:
            return default
        if not _ACCOUNT.match(value):
            raise BadSetting(name, "must be AC and 32 characters, as the Twilio console shows it")
        return value

    def url(self, name: str, default: str, *, path: bool = False) -> str:
        value = (self.text(name) or default).rstrip("/")
        try:
            parts = urlsplit(value)
            good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            good = False
        if not good or not _ADDRESS.match(value):
            raise BadSetting(name, "must be an address such as https://quietline.example")
        if set(value) & set("?#@") or (parts.path and not path):
            raise BadSetting(name, "must be a bare address: no path, query, fragment or user")
        if parts.hostname in ("0.0.0.0", "::"):  # noqa: S104
            raise BadSetting(name, "must be an address others can reach, not a wildcard")
        return value

    def heartbeat(self, name: str) -> str | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            good = False
        if not good or not _ADDRESS.match(value) or set(value) & set("#@"):
            raise BadSetting(name, "must be an address such as https://watch.example/ping/4711")
        return value

    def bind(self, name: str, default: tuple[str, int]) -> tuple[str, int]:
        value = self.text(name)
        if value is None:
            return default
        host, colon, port = value.rpartition(":")
        if not colon or not host or not (port.isascii() and port.isdigit()):
            raise BadSetting(name, "must be an address and a port, such as 127.0.0.1:8055")
        if int(port) not in _PORTS:
            raise BadSetting(name, "the port must be from 1 to 65535")
        return host.strip("[]"), int(port)

    def path(self, name: str, default: Path) -> Path:
        value = self.text(name)
        return default if value is None else (self._root / value).absolute()

    def file(self, name: str) -> Path | None:
        value = self.text(name)
        if value is None:
            return None
        path = (self._root / value).absolute()
        if not path.is_file():
            raise BadSetting(name, "there is no such file")
        return path

    def database(self, name: str, default: str) -> str:
        value = self.text(name)
        if value is None:
            return default
        if not value.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
            raise BadSetting(name, "must begin with postgresql:// or sqlite:///")
        if value == "sqlite:///" or ":memory:" in value:
            raise BadSetting(name, "must be a file: three processes share the store")
        return value

    def acknowledge(self, name: str) -> Acknowledge:
        match self.text(name):
            case None | "journal":
                return "journal"
            case "store":
                return "store"
        raise BadSetting(name, "must be journal or store")

    def secret(self, name: str, file: Path) -> bytes:
        value = self.text(name)
        try:
            return read_secret(value or _kept(file, make_secret))
        except ValueError:
            where = name if value else f"{name} (file {file.name})"
            raise BadSetting(where, "must be 32 bytes in base64; was it cut?") from None

    def number(self, name: str) -> str | None:
        value = self.text(name)
        if value is None:
            return None
        if EMERGENCY.match(value):
            raise BadSetting(name, "must not be an emergency number: Quietline never calls those")
        if not E164.match(value):
            raise BadSetting(name, "must be a number such as +441632960055")
        return value


def _make_folder(name: str, folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting(name, f"the folder cannot be made ({error.strerror})") from error


def _kept(file: Path, make: Callable[[], str]) -> str:
    """Return what ``file`` holds, making it once, readable by its owner only.

    Two processes may start at once: the one that links first wins, and both read that.
    """
    try:
        if not file.exists():
            descriptor, draft = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
            try:
                with os.fdopen(descriptor, "w", encoding="ascii") as out:
                    out.write(make() + "\n")
                    out.flush()
                    os.fsync(out.fileno())
                with contextlib.suppress(FileExistsError):
                    os.link(draft, file)
            finally:
                os.unlink(draft)
        kept = file.read_text(encoding="ascii").strip()
    except OSError as error:
        reason = f"{file.name} cannot be made or read ({error.strerror})"
        raise BadSetting("QUIETLINE_DATA", reason) from error
    except UnicodeDecodeError:
        kept = ""
    if not kept:
        raise BadSetting("QUIETLINE_DATA", f"{file.name} holds nothing we wrote; restore it")
    return kept
