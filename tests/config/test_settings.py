"""Every setting: what is good, and what is refused with its name and the reason."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import SETTINGS, TRAINING_ACCOUNT, BadSetting, Settings, load
from incidents.sealed import make_secret
from tests.running import ROOT, environment

LIVE = {"TWILIO_ACCOUNT_SID": "AC" + "0123456789abcdef" * 2, "TWILIO_AUTH_TOKEN": "f" * 32}
SECRET = make_secret()
EMERGENCY = ("999", "112", "911", "000", "111", "101", "+44999", "+1911", "+61000", "+353112")


def made(root: Path, **settings: str) -> Settings:
    """Load settings of a live site with an empty folder for a root."""
    return load({**LIVE, **settings}, root)


GOOD: list[tuple[str, str, str, object]] = [
    ("TWILIO_ACCOUNT_SID", "AC" + "a" * 32, "account_sid", "AC" + "a" * 32),
    ("TWILIO_AUTH_TOKEN", "abc", "auth_tokens", ("abc",)),
    ("TWILIO_AUTH_TOKEN_NEXT", "next", "auth_tokens", ("f" * 32, "next")),
    ("TWILIO_API_URL", "http://127.0.0.1:9/x", "api_url", "http://127.0.0.1:9/x"),
    ("QUIETLINE_PUBLIC_URL", "https://a.example/q/", "public_url", "https://a.example/q"),
    ("QUIETLINE_CONSOLE_URL", "http://console:81", "console_url", "http://console:81"),
    ("QUIETLINE_PHONE_BIND", "0.0.0.0:80", "phone_bind", ("0.0.0.0", 80)),
    ("QUIETLINE_CONSOLE_BIND", "[::1]:81", "console_bind", ("::1", 81)),
    ("QUIETLINE_DATABASE_URL", "postgresql://u:p@h/n", "database_url", "postgresql://u:p@h/n"),
    ("QUIETLINE_DATABASE_URL", "sqlite:////tmp/q.db", "database_url", "sqlite:////tmp/q.db"),
    ("QUIETLINE_ACKNOWLEDGE", "store", "acknowledge", "store"),
    ("QUIETLINE_CONTROL_ROOM", "+441632960055", "control_room", "+441632960055"),
]
BAD: list[tuple[str, str, str]] = [
    ("TWILIO_ACCOUNT_SID", "AC123", "32 characters"),
    ("TWILIO_ACCOUNT_SID", "SK" + "a" * 32, "32 characters"),
    ("TWILIO_AUTH_TOKEN", "one\ntwo", "control characters"),
    ("TWILIO_AUTH_TOKEN_NEXT", "one\x00two", "control characters"),
    ("TWILIO_API_URL", "ftp://api", "must be an address"),
    ("QUIETLINE_PUBLIC_URL", "quietline.example", "must be an address"),
    ("QUIETLINE_PUBLIC_URL", "https://", "must be an address"),
    ("QUIETLINE_PUBLIC_URL", "https://h:99999", "must be an address"),
    ("QUIETLINE_PUBLIC_URL", "https://a b.example", "must be an address"),
    ("QUIETLINE_PUBLIC_URL", "https://é.example", "must be an address"),
    ("QUIETLINE_PUBLIC_URL", "http://[::]:8081", "wildcard"),
    ("QUIETLINE_PUBLIC_URL", "http://0.0.0.0:8055", "wildcard"),
    ("QUIETLINE_PUBLIC_URL", "https://a.example?b=1", "bare address"),
    ("QUIETLINE_PUBLIC_URL", "https://a.example?", "bare address"),
    ("QUIETLINE_PUBLIC_URL", "https://a.example#b", "bare address"),
    ("QUIETLINE_PUBLIC_URL", "https://user:secret@a.example", "bare address"),
    ("QUIETLINE_PUBLIC_URL", "https://:secret@a.example", "bare address"),
    ("QUIETLINE_CONSOLE_URL", "http://localhost:8056/board", "bare address"),
    ("QUIETLINE_PHONE_BIND", "8055", "address and a port"),
    ("QUIETLINE_PHONE_BIND", "127.0.0.1:", "address and a port"),
    ("QUIETLINE_PHONE_BIND", "127.0.0.1:٨٠", "address and a port"),
    ("QUIETLINE_CONSOLE_BIND", "127.0.0.1:0", "from 1 to 65535"),
    ("QUIETLINE_CONSOLE_BIND", "127.0.0.1:65536", "from 1 to 65535"),
    ("QUIETLINE_CONSOLE_BIND", "127.0.0.1:8055", "must not be QUIETLINE_PHONE_BIND"),
    ("QUIETLINE_DATA", "/dev/null/data", "folder cannot be made"),
    ("QUIETLINE_DATABASE_URL", "mysql://h/n", "must begin with"),
    ("QUIETLINE_DATABASE_URL", "sqlite:///", "must be a file"),
    ("QUIETLINE_DATABASE_URL", "sqlite:///:memory:", "must be a file"),
    ("QUIETLINE_ACKNOWLEDGE", "maybe", "journal or store"),
    ("QUIETLINE_KEYS", "c2hvcnQ=", "32 bytes in base64"),
    ("QUIETLINE_KEYS", SECRET[:-5], "32 bytes in base64"),
    ("QUIETLINE_CONTROL_ROOM", "01632 960055", "must be a number such as"),
    ("QUIETLINE_CONTROL_ROOM", "sip:room@example", "must be a number such as"),
    ("QUIETLINE_LINES", "nowhere.toml", "no such file"),
    ("QUIETLINE_HEARTBEAT_URL", "watch.example/ping", "must be an address such as"),
    ("QUIETLINE_HEARTBEAT_URL", "https://user@watch.example/", "must be an address such as"),
]


@pytest.mark.parametrize(("name", "value", "field", "read"), GOOD)
def test_a_good_setting_is_read(
    name: str, value: str, field: str, read: object, tmp_path: Path
) -> None:
    """As it is meant."""
    assert getattr(made(tmp_path, **{name: value}), field) == read


@pytest.mark.parametrize(("name", "value", "reason"), BAD)
def test_a_bad_setting_is_refused_with_its_name_and_the_reason(
    name: str, value: str, reason: str, tmp_path: Path
) -> None:
    """One line that says what to do."""
    with pytest.raises(BadSetting) as refused:
        made(tmp_path, **{name: value})
    said = str(refused.value)
    assert (said.startswith(f"{name}: "), reason in said, "\n" in said) == (True, True, False)


def test_every_setting_is_tested_with_a_bad_value() -> None:
    """The spare journal's folder is judged by the doctor, which looks at the disk."""
    names = {setting.name for setting in SETTINGS} - {name for name, _, _ in BAD}
    assert names == {"QUIETLINE_JOURNAL_SPARE"}


@pytest.mark.parametrize("number", EMERGENCY)
def test_rule_12_an_emergency_number_is_refused_as_a_control_room(
    number: str, tmp_path: Path
) -> None:
    """Quietline never calls those."""
    with pytest.raises(BadSetting, match="never calls those"):
        made(tmp_path, QUIETLINE_CONTROL_ROOM=number)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: str(setting.name))
@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_setting_counts_as_absent(setting: object, empty: str, tmp_path: Path) -> None:
    """As ``.env.example`` has them: every name, and nothing after it."""
    name: str = setting.name  # type: ignore[attr-defined]
    given = {key: value for key, value in LIVE.items() if key != name}
    known = {"QUIETLINE_KEYS": SECRET, "QUIETLINE_DATA": str(tmp_path / "var")}
    known.pop(name, None)
    if name == "QUIETLINE_KEYS":
        load({**given, **known}, tmp_path)  # makes the key that both then read
    assert load({**given, **known, name: empty}, tmp_path) == load({**given, **known}, tmp_path)


def test_the_env_file_is_read(tmp_path: Path) -> None:
    """For who starts it by hand."""
    (tmp_path / ".env").write_text("QUIETLINE_ACKNOWLEDGE=store\n", encoding="utf-8")
    assert made(tmp_path).acknowledge == "store"


def test_the_environment_goes_before_the_env_file(tmp_path: Path) -> None:
    """What was said last, on the command line, counts."""
    (tmp_path / ".env").write_text("QUIETLINE_ACKNOWLEDGE=store\n", encoding="utf-8")
    assert made(tmp_path, QUIETLINE_ACKNOWLEDGE="journal").acknowledge == "journal"


def test_an_env_file_that_cannot_be_read_is_refused_by_name(tmp_path: Path) -> None:
    """Written by an editor in another encoding."""
    (tmp_path / ".env").write_bytes(b"QUIETLINE_DATA=\xff\xfe\n")
    with pytest.raises(BadSetting, match=r"^\.env: "):
        made(tmp_path)


def test_relative_paths_are_taken_from_the_root(tmp_path: Path) -> None:
    """Not from wherever it was started."""
    assert made(tmp_path, QUIETLINE_DATA="here").data == tmp_path / "here"


def test_the_defaults_are_those_of_the_contract(tmp_path: Path) -> None:
    """Addresses, acknowledgement, store."""
    settings = made(tmp_path)
    assert (
        settings.public_url,
        settings.console_url,
        settings.phone_bind,
        settings.console_bind,
        settings.acknowledge,
        settings.database_url,
        settings.api_url,
    ) == (
        "http://127.0.0.1:8055",
        "http://localhost:8056",
        ("127.0.0.1", 8055),
        ("127.0.0.1", 8056),
        "journal",
        f"sqlite:///{tmp_path / 'var' / 'quietline.db'}",
        "https://api.twilio.com",
    )


def test_without_a_token_it_trains(tmp_path: Path) -> None:
    """With a token and an account of its own, and the practice exchange for Twilio."""
    settings = load({}, tmp_path)
    assert (settings.training, settings.account_sid, len(settings.auth_tokens[0])) == (
        True,
        TRAINING_ACCOUNT,
        32,
    )


def test_with_a_token_it_does_not_train(tmp_path: Path) -> None:
    """Real-looking settings, no network needed."""
    assert not made(tmp_path).training


def test_the_training_token_is_made_once(tmp_path: Path) -> None:
    """The simulator in another process signs with the same."""
    assert load({}, tmp_path).auth_tokens == load({}, tmp_path).auth_tokens


def test_an_empty_training_token_is_refused(tmp_path: Path) -> None:
    """An empty token would let anybody sign."""
    load({}, tmp_path)
    (tmp_path / "var" / "training-token").write_text("\n", encoding="ascii")
    with pytest.raises(BadSetting, match="training-token"):
        load({}, tmp_path)


def test_the_key_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    """0600."""
    made(tmp_path)
    assert stat.S_IMODE((tmp_path / "var" / "keys").stat().st_mode) == 0o600


def test_the_data_folder_is_open_to_its_owner_only(tmp_path: Path) -> None:
    """0700."""
    made(tmp_path)
    assert stat.S_IMODE((tmp_path / "var").stat().st_mode) == 0o700


def test_the_key_is_made_once(tmp_path: Path) -> None:
    """A second start opens what the first one sealed."""
    assert made(tmp_path).key_material == made(tmp_path).key_material


def test_a_key_that_was_cut_is_refused_and_not_replaced(tmp_path: Path) -> None:
    """A new key would lose everything sealed with the old one."""
    made(tmp_path)
    file = tmp_path / "var" / "keys"
    file.write_text(file.read_text(encoding="ascii")[:20], encoding="ascii")
    with pytest.raises(BadSetting, match="was it cut"):
        made(tmp_path)


def test_a_key_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """Not text at all."""
    made(tmp_path)
    (tmp_path / "var" / "keys").write_bytes(b"\xff" * 44)
    with pytest.raises(BadSetting, match="keys"):
        made(tmp_path)


def test_a_draft_left_by_a_start_that_was_killed_does_not_stand_in_the_way(tmp_path: Path) -> None:
    """In a container the next start may well have the same process number."""
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / f".keys.{os.getpid()}").write_text("half", encoding="ascii")
    assert len(made(tmp_path).key_material) == 32


def test_no_draft_is_left_behind(tmp_path: Path) -> None:
    """The key stands in one file."""
    made(tmp_path)
    assert sorted(path.name for path in (tmp_path / "var").iterdir()) == ["keys"]


_LOAD = """
import os, sys
from pathlib import Path
from config.settings import load
sys.stdin.readline()
print(load(dict(os.environ), Path(sys.argv[1])).key_material.hex())
"""


def test_processes_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    """Real processes, let go together; the first that links wins and all read that."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _LOAD, str(tmp_path)],
            cwd=ROOT,
            env=environment({"QUIETLINE_DATA": str(tmp_path / "var")}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for one in started:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    keys = {one.communicate(timeout=60)[0].strip() for one in started}
    assert (len(keys), len(next(iter(keys)))) == (1, 64)
