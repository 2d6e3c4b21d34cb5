"""Disks that fail: strace between a process and its system calls, and small disks of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from incidents.tail import Tail
from tests.running import ROOT

WHAT_TO_DO = "the fault tests need strace: sudo apt-get install -y strace"


def strace() -> str:
    """Return the path of strace, installing it where we may."""
    if shutil.which("strace") is None and os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["apt-get", "update"], check=False, **quiet)  # type: ignore[call-overload]
        subprocess.run(["apt-get", "install", "-y", "strace"], check=False, **quiet)  # type: ignore[call-overload]
    path = shutil.which("strace")
    assert path, WHAT_TO_DO
    return path


def injecting(*faults: str) -> list[str]:
    """The command before a command, so that its system calls fail as told."""
    calls = ",".join(
        sorted({call for fault in faults for call in fault.partition(":")[0].split(",")})
    )
    told = [part for fault in faults for part in ("-e", f"inject={fault}")]
    return [strace(), "-f", "-qq", "-o", os.devnull, "-e", f"trace={calls}", *told]


def on_a_small_disk(folder: Path, options: str) -> tuple[list[str], dict[str, str]]:
    """Run in a mount namespace of its own, with a disk of ``options`` at ``folder``.

    The disk goes with the process, so nothing stays mounted.
    """
    alone = ["unshare", "--mount"]
    if os.geteuid() != 0:
        alone += ["--user", "--map-root-user"]
    return alone, {"PREPARE": f"mount -t tmpfs -o {options} none {folder}"}


@dataclass(frozen=True, slots=True)
class Kept:
    """What a journaling process said before it ended."""

    answers: list[dict[str, Any]]
    figures: dict[str, Any]
    returncode: int
    said: str

    @property
    def acknowledged(self) -> set[str]:
        """Keys of the events it said were kept."""
        return {f"key-{one['number']:06}" for one in self.answers if one["file"]}

    @property
    def slowest(self) -> float:
        """Seconds the slowest answer took."""
        return max(float(one["took"]) for one in self.answers)


def journal(
    folder: Path,
    how_many: int,
    at_once: int = 1,
    *,
    before: Sequence[str] = (),
    environment: dict[str, str] | None = None,
) -> Kept:
    """Keep events in a process of its own, under ``before``, and return what it said."""
    arguments = (folder, how_many, at_once)
    ran = subprocess.run(
        [*before, sys.executable, "-m", "tests.faults.journaling", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = [json.loads(line) for line in ran.stdout.splitlines() if line.endswith("}")]
    answers = [line for line in lines if "number" in line]
    figures: dict[str, Any] = next((line for line in lines if "commits" in line), {})
    return Kept(answers, figures, ran.returncode, ran.stderr)


def syncs_to_open(folder: Path) -> int:
    """Count the calls of fdatasync that one folder of a journal makes before its first event.

    strace counts for each thread by itself, and each folder has a thread.
    """
    folder.mkdir()
    trace = folder / "trace"
    before = [strace(), "-f", "-qq", "-o", str(trace), "-e", "trace=fdatasync"]
    journal(folder, 0, before=before)
    threads = Counter(
        line.split()[0] for line in trace.read_text().splitlines() if "fdatasync(" in line
    )
    return max(threads.values())  # each folder's thread makes the same


def found(folder: Path) -> list[str]:
    """Keys of the events a reader finds in both journals, in the order it finds them."""
    with closing(Tail([folder / "journal", folder / "spare"])) as tail:
        keys: list[str] = []
        while rows := tail.read():
            keys += [event.key for _, _, event in rows]
        assert not tail.unreadable
    return keys
