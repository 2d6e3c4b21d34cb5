"""The doctor finds each fault that is planted for it, and is not alarmed by a healthy machine."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from config import doctor, seen
from config.doctor import Finding

HTTPS = "https://calls.example.org"
GIB = 1024**3


@pytest.mark.parametrize(
    ("finding", "level"),
    [
        (doctor.check_unknown_settings(["QUIETLINE_DATA", "PATH"], ["QUIETLINE_DATA"]), "ok"),
        (doctor.check_unknown_settings(["QUIETLINE_DATTA"], ["QUIETLINE_DATA"]), "warn"),
        (doctor.check_mode(training=False), "ok"),
        (doctor.check_mode(training=True), "warn"),
        (doctor.check_profiles([]), "ok"),
        (doctor.check_profiles(["gb"]), "warn"),
        (doctor.check_keys(Path("keys"), None), "ok"),
        (doctor.check_keys(Path("keys"), 0o100600), "warn"),
        (doctor.check_keys(Path("keys"), 0o100640), "fail"),
        (doctor.check_disk("disk", Path("var"), 2 * GIB), "ok"),
        (doctor.check_disk("disk", Path("var"), GIB - 1), "warn"),
        (doctor.check_disk("disk", Path("var"), 99 * 1024**2), "fail"),
        (doctor.check_disk("disk", Path("var"), None), "fail"),
        (doctor.check_writable("journal", Path("var"), None), "ok"),
        (doctor.check_writable("journal", Path("var"), "Read-only file system"), "fail"),
        (doctor.check_spare(same_disk=False), "ok"),
        (doctor.check_spare(same_disk=True), "warn"),
        (doctor.check_clock(0, 0.0), "ok"),
        (doctor.check_clock(doctor.CLOCK_UNSYNCHRONISED, 0.0), "warn"),
        (doctor.check_clock(None, 0.0), "warn"),
        (doctor.check_clock(0, 3600.0), "fail"),
        (doctor.check_store(None), "ok"),
        (doctor.check_store("OperationalError"), "fail"),
        (doctor.check_migrations("0001", "0001"), "ok"),
        (doctor.check_migrations(None, "0001"), "fail"),
        (doctor.check_migrations("0001", "0002"), "fail"),
        (doctor.check_public_url(HTTPS), "ok"),
        (doctor.check_public_url("http://calls.example.org"), "warn"),
        (doctor.check_public_url("http://127.0.0.1:8055"), "warn"),
        (doctor.check_public_url("https://localhost"), "warn"),
        (doctor.check_reach(HTTPS, None), "ok"),
        (doctor.check_reach(HTTPS, "Connection refused"), "fail"),
        (doctor.check_reach("http://127.0.0.1:8055", "Connection refused"), "warn"),
        (doctor.check_console("127.0.0.1", "http://localhost:8056"), "ok"),
        (doctor.check_console("0.0.0.0", "http://console.example.org"), "warn"),
        (doctor.check_console("0.0.0.0", "https://console.example.org"), "ok"),
        (doctor.check_control_room("+441632960000"), "ok"),
        (doctor.check_control_room(None), "warn"),
        (doctor.check_services([]), "ok"),
        (doctor.check_services(["victim_support"]), "warn"),
    ],
    ids=lambda value: value.name if isinstance(value, Finding) else value,
)
def test_each_check_tells_a_planted_fault_from_health(finding: Finding, level: str) -> None:
    """Every level of every check, by what was seen."""
    assert finding.level == level


def test_whatever_is_not_fine_says_what_to_do() -> None:
    """A warning that leaves the reader to guess is no help at three in the morning."""
    worst = [
        doctor.check_unknown_settings(["TWILIO_TOKEN"], []),
        doctor.check_keys(Path("keys"), 0o100644),
        doctor.check_disk("disk", Path("var"), 0),
        doctor.check_store("OperationalError"),
        doctor.check_reach(HTTPS, "Connection refused"),
        *doctor.what_cannot_be_seen(),
    ]
    assert all(finding.to_do for finding in worst)
    assert "TWILIO_TOKEN" in worst[0].text


def test_what_cannot_be_seen_is_never_called_fine() -> None:
    """Fallback URL and account limits are Twilio's side: stated, not checked."""
    named = {finding.name: finding for finding in doctor.what_cannot_be_seen()}
    assert {"fallback URL", "account limits"} <= set(named)
    assert all(finding.level == "warn" for finding in named.values())
    assert all("cannot be seen" in finding.text for finding in named.values())


def test_one_failure_makes_the_command_fail() -> None:
    """The exit code is for scripts: 1 when anything failed, 0 with warnings only."""
    fine, bad = Finding("ok", "a", "b"), Finding("fail", "a", "b", "c")
    careful = Finding("warn", "a", "b", "c")
    assert doctor.verdict([fine, careful]) == 0
    assert doctor.verdict([fine, bad]) == 1
    assert doctor.summary([fine, careful, bad, bad]) == "2 fail, 1 warn, 1 ok"


def test_a_folder_that_cannot_be_written_is_seen(tmp_path: Path) -> None:
    """A synced write is tried for real, and leaves nothing behind."""
    assert seen.write_error(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    assert seen.write_error(tmp_path / "missing") == "No such file or directory"


def test_an_address_nobody_listens_at_is_seen() -> None:
    """The way in is tried for real."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    assert seen.reach_error(f"http://127.0.0.1:{port}") == "Connection refused"


def test_a_clock_behind_the_files_on_disk_is_seen(tmp_path: Path) -> None:
    """A file from the future means the clock went back."""
    (tmp_path / "later").touch()
    assert seen.newest_ahead_seconds(tmp_path) == 0.0
    ahead = time.time() + 3600
    os.utime(tmp_path / "later", (ahead, ahead))
    assert seen.newest_ahead_seconds(tmp_path) == pytest.approx(3600, abs=60)


def test_the_ladder_needs_a_supervisor_who_can_be_rung() -> None:
    """And somebody must be able to end the account of a leaver."""
    alone = doctor.check_people(supervisors=1, with_a_phone=0, administrators=0)
    assert [(one.level, one.name) for one in alone] == [("warn", "ladder"), ("warn", "people")]
    assert all("users add" in one.to_do for one in alone)
    (well,) = doctor.check_people(supervisors=2, with_a_phone=1, administrators=1)
    assert str(well) == "ok    ladder: 1 of 2 supervisor(s) can be rung"


def test_a_heartbeat_tells_somebody_outside() -> None:
    """Optional, and its absence is said."""
    assert doctor.check_heartbeat(None).level == "warn"
    assert doctor.check_heartbeat("https://beat.example/abc").level == "ok"
