"""Goals 3 and 4: how soon 55 is on the last of many open screens; how soon ready, how large."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from tests import running
from tests.bench import feeds, traffic
from tests.bench.figures import Measured, Untrue, Verdict, percentile

ALERTS_A_SECOND: Final = 10.0
LAST_SCREEN_MS: Final = 40.0
READY_SECONDS: Final = 5.0
IDLE_MEGABYTES: Final = 300.0
_SERIES: Final = 0xA1E27


def live_feeds(data: Path, screens: int, seconds: float) -> Measured:
    """Measure goal 3: every alert is a call that arrives and presses 55 a moment later."""
    with running.quietline(running.live_settings(data)) as quietline:
        site = traffic.Site(quietline.phone_url, quietline.account_sid, quietline.auth_token)
        url = "http://" + quietline.settings["QUIETLINE_CONSOLE_BIND"]
        task = feeds.Task(url, quietline.token("bench"), screens, seconds + 60)
        arrives, presses = traffic.learn(site, (traffic.SIGNAL,), ends=False)
        with feeds.listening(task) as listening:
            sent = raise_alerts(site, arrives, presses, int(ALERTS_A_SECOND * seconds))
            pause(5.0)  # the last alert may still be on its way
            heard = listening.stop()
    took = judged(sent, heard, screens)
    measured = Measured(f"55 pressed → the last of {screens} open live feeds")
    measured.verdicts = [
        Verdict(
            f"55 sent → last of {screens} open live feeds, p99 at 10 alerts a second",
            percentile(took, 0.99),
            LAST_SCREEN_MS,
            " ms",
            at_most=True,
        )
    ]
    measured.head = ("alerts", "p50", "p90", "p99", "slowest", "megabytes sent")
    figures = [percentile(took, part) for part in (0.5, 0.9, 0.99, 1.0)]
    measured.rows = [
        (str(len(took)), *(f"{one:.1f} ms" for one in figures), f"{heard.bytes / 1e6:.0f}")
    ]
    measured.said = [
        (
            "Phone, console and engine as `make run` starts them. Each alert is a call of its "
            "own that arrives (which is shown as well) and presses 55; time runs from just "
            "before the request with 55 is sent until the last feed has the incident as "
            "`confirmed`. The feeds are real connections held by another process."
        )
    ]
    return measured


def raise_alerts(
    site: traffic.Site, arrives: traffic.Step, presses: traffic.Step, count: int
) -> dict[str, float]:
    """Have ``count`` calls arrive and press 55, evenly. Returns when each 55 was sent."""
    sent = {}
    began = time.monotonic() + 0.1
    for at in range(count):
        sid, number = traffic.call_sid(_SERIES, at), traffic.caller(at)
        due = began + at / ALERTS_A_SECOND
        pause(due - 0.5 / ALERTS_A_SECOND - time.monotonic())
        traffic.exchange(site, traffic.request(site, arrives, sid, number))
        pressed = traffic.request(site, presses, sid, number)
        pause(due - time.monotonic())
        sent[sid] = time.monotonic()
        traffic.exchange(site, pressed)
    return sent


def judged(sent: dict[str, float], heard: feeds.Heard, screens: int) -> list[float]:
    """Return how long each alert took, in milliseconds; infinite where a feed never had it."""
    if heard.lost:
        raise Untrue(f"{heard.lost} feeds were ended by the console")
    took = []
    for sid, at in sent.items():
        count, last = heard.reached.get(sid, (0, 0.0))
        took.append((last - at) * 1000 if count == screens else math.inf)
    return took


def start_and_size(data: Path, idle_seconds: float) -> Measured:
    """Measure goal 4: a second start, in training mode as a newcomer has it, then its memory."""
    settings = running.training_settings(data)
    with running.quietline(settings):
        pass
    began = time.monotonic()
    with second_start(settings) as (process, ready):
        took = ready - began
        pause(idle_seconds)
        sizes = [size(one) for one in everyone(process.pid)]
    measured = Measured("A second start, and memory when idle", head=("process", "RSS", "PSS"))
    measured.rows = [(name, f"{rss:.1f} MB", f"{pss:.1f} MB") for name, rss, pss in sizes]
    rss, pss = sum(one[1] for one in sizes), sum(one[2] for one in sizes)
    measured.rows.append(("all", f"{rss:.1f} MB", f"{pss:.1f} MB"))
    how = "`make run`" if makes() else "`run.py`"
    measured.verdicts = [
        Verdict(f"second {how} → ready", took, READY_SECONDS, " s", at_most=True),
        Verdict(
            "memory of all processes, idle (sum of RSS)", rss, IDLE_MEGABYTES, " MB", at_most=True
        ),
    ]
    measured.said = [
        (
            "RSS counts a page once for every process that shares it; PSS shares it out, so "
            f"their sum ({pss:.0f} MB) is what the machine really gives. The goal is held "
            "against the larger. 1 MB is 1,048,576 bytes."
        )
    ]
    return measured


@contextmanager
def second_start(settings: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], float]]:
    """Start everything, wait until it says it is ready, and stop it. Gives the moment, too."""
    command = ["make", "--silent", "run"] if makes() else [sys.executable, "run.py"]
    process = subprocess.Popen(
        command,
        cwd=running.ROOT,
        env=running.environment(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    assert process.stdout
    try:
        for line in process.stdout:
            if line.startswith("Quietline is ready"):
                break
        else:
            raise Untrue("it stopped before it was ready")
        yield process, time.monotonic()
    finally:
        try:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(15)
        finally:
            process.stdout.close()


def makes() -> bool:
    """Say whether ``make run`` would start this interpreter and install nothing first."""
    venv = running.ROOT / ".venv"
    return Path(sys.prefix) == venv and any(venv.glob(".runtime-*"))


def everyone(pid: int) -> list[psutil.Process]:
    """Return a process and all below it."""
    top = psutil.Process(pid)
    return [top, *top.children(recursive=True)]


def size(process: psutil.Process) -> tuple[str, float, float]:
    """Return what a process is and its RSS and PSS in megabytes."""
    memory = process.memory_full_info()
    command = " ".join(Path(word).name for word in process.cmdline()[:3])
    return command[:40], memory.rss / (1 << 20), memory.pss / (1 << 20)


def pause(seconds: float) -> None:
    """Wait."""
    threading.Event().wait(max(0.0, seconds))
