"""`make run`, as its user meets it: real processes, real signals, real ports."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.running import ROOT, Quietline, environment, fetch, live_settings
from tests.waiting import eventually

Start = Callable[..., Quietline]
IDLE_BYTES = 300 * 1024 * 1024


def gone(processes: list[psutil.Process]) -> bool:
    """Say whether none of ``processes`` runs any more."""
    return all(not one.is_running() or one.status() == psutil.STATUS_ZOMBIE for one in processes)


def refused(settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run ``run.py`` with settings it must refuse, and return what it said."""
    return subprocess.run(
        [sys.executable, str(ROOT / "run.py")],
        cwd=ROOT,
        env=environment(settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_a_first_start_shows_the_way_in_and_serves(quietline: Start) -> None:
    """Addresses, the sign-in and the practice phone are printed; all three processes answer."""
    running = quietline(training=True)
    assert f"Console         {running.console_url}" in running.output
    assert f"Practice phone  {running.console_url}/practice" in running.output
    name, password = running.sign_in
    assert name == "handler"
    assert len(password) >= 12
    assert fetch(running.phone_url + "/readyz")[0] == 200
    assert fetch(running.console_url + "/readyz")[0] == 200
    assert [running.child(role).is_running() for role in ("phone", "console", "engine")]


def test_a_second_start_is_ready_within_five_seconds_and_shows_no_password(
    quietline: Start,
) -> None:
    """The sign-in made before still holds, and is not shown again."""
    first = quietline(training=True)
    _, password = first.sign_in
    assert first.stop() == 0
    began = time.monotonic()
    second = quietline(training=True)
    assert time.monotonic() - began <= 5.0
    assert password not in second.output
    assert "users add" in second.output


def test_sigterm_stops_everything_within_ten_seconds(quietline: Start) -> None:
    """Also while a live feed is open, and without a process left behind."""
    running = quietline()
    everyone = running.processes()
    host, port = running.settings["QUIETLINE_CONSOLE_BIND"].split(":")
    bearer = running.token()
    with socket.create_connection((host, int(port))) as feed:
        feed.sendall(
            f"GET /live HTTP/1.1\r\nHost: localhost:{port}\r\n"
            f"Authorization: Bearer {bearer}\r\n\r\n".encode()
        )
        assert feed.recv(15).startswith(b"HTTP/1.1 200")
        began = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - began <= 10.0
    assert gone(everyone)


def test_ctrl_c_stops_everything_too(quietline: Start) -> None:
    """SIGINT, as the terminal sends it to the supervisor's group."""
    running = quietline()
    everyone = running.processes()
    os.killpg(running.process.pid, signal.SIGINT)
    assert running.process.wait(10) == 0
    assert gone(everyone)


def test_a_killed_child_comes_back_and_is_spoken_of(quietline: Start) -> None:
    """Each process can be killed alone, with kill -9, and leaves nothing of itself behind."""
    running = quietline()
    for role in ("phone", "console", "engine"):
        comes_back(running, role)
    eventually(lambda: _answers(running.phone_url + "/readyz"), 10)
    eventually(lambda: _answers(running.console_url + "/readyz"), 10)


def comes_back(running: Quietline, role: str) -> None:
    """Kill one process and wait for its successor."""
    old = running.child(role)
    everything = [old, *old.children(recursive=True)]
    old.kill()
    eventually(lambda: running.child(role).pid != old.pid, 10)
    eventually(lambda: f"The {role} process stopped" in running.output)
    eventually(lambda: gone(everything))


def _answers(url: str) -> bool:
    try:
        return fetch(url)[0] == 200
    except OSError:
        return False


def test_a_killed_phone_worker_is_replaced_while_the_other_answers(quietline: Start) -> None:
    """Half the phone side may die and callers are still answered."""
    running = quietline()
    workers = running.child("phone").children()
    assert len(workers) == 2
    workers[0].kill()
    eventually(lambda: _answers(running.phone_url + "/readyz"))
    eventually(lambda: len(running.child("phone").children()) == 2, 15)
    eventually(lambda: _answers(running.phone_url + "/readyz"))


def test_nothing_is_left_behind_when_the_supervisor_itself_is_killed(quietline: Start) -> None:
    """kill -9 of run.py takes everything with it, so that the next start finds its ports free."""
    running = quietline()
    everyone = running.processes()
    running.process.kill()
    eventually(lambda: gone(everyone), 15)


def test_all_processes_together_idle_within_300_megabytes(quietline: Start) -> None:
    """Resident memory of the supervisor and everything below it (issue: how good)."""
    running = quietline()
    used = {
        f"{one.pid} {' '.join(one.cmdline()[-2:])}": one.memory_info().rss
        for one in running.processes()
    }
    assert sum(used.values()) <= IDLE_BYTES, used


def test_a_port_in_use_is_said_in_one_line(data: Path) -> None:
    """Which setting, which address, and what to do; no traceback."""
    settings = live_settings(data)
    with socket.create_server(("127.0.0.1", 0)) as held:
        settings["QUIETLINE_CONSOLE_BIND"] = f"127.0.0.1:{held.getsockname()[1]}"
        done = refused(settings)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "QUIETLINE_CONSOLE_BIND" in done.stderr
    assert "in use" in done.stderr


def test_a_bad_setting_is_refused_by_name_with_its_reason(data: Path) -> None:
    """One line on standard error, exit code 2, nothing started."""
    settings = {**live_settings(data), "QUIETLINE_PHONE_BIND": "everywhere"}
    done = refused(settings)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Quietline cannot start: QUIETLINE_PHONE_BIND: ")
    assert done.stderr.count("\n") == 1


def test_a_bad_policy_file_is_refused_by_name_with_its_reason(data: Path) -> None:
    """A line that names a profile nobody wrote is found before any caller can meet it."""
    lines = data / "lines.toml"
    lines.write_text('[[line]]\nnumber = "+441632960000"\nprofile = "atlantis"\n')
    done = refused({**live_settings(data), "QUIETLINE_LINES": str(lines)})
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("Quietline cannot start: lines.toml: line 1: profile: ")
    assert done.stderr.count("\n") == 1


def test_the_phone_answers_while_the_store_cannot_be_reached(quietline: Start) -> None:
    """A start with the store down still answers callers, and says what is wrong."""
    running = quietline(ready=False, QUIETLINE_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    eventually(lambda: _answers(running.phone_url + "/readyz"), 15)
    eventually(lambda: "store cannot be prepared yet" in running.output, 30)
    eventually(lambda: _answers(running.console_url + "/healthz"), 30)
