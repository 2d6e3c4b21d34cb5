"""The Makefile, where it meets a machine that lacks something."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.house.test_docs import make_targets
from tests.running import ROOT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with what `make run` reads first, and no `.venv`."""
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make there and return what it said."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def fake_python(folder: Path, script: str) -> str:
    """Write something that stands where Python should, and return its path."""
    path = folder / "python-of-this-test"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_make_alone_lists_every_command(clone: Path) -> None:
    """`make` is `make help`."""
    said = make(clone).stdout
    assert {line.split()[1] for line in said.splitlines()} == make_targets()
    assert said == make(clone, "help").stdout


@pytest.mark.parametrize("command", ["run", "test", "check"])
def test_a_missing_python_is_said_in_one_line(clone: Path, command: str) -> None:
    """With what to install, and no half-made environment left behind."""
    done = make(clone, command, "PYTHON=no-such-python")
    assert done.returncode != 0
    own, _ = done.stderr.splitlines()  # the second line is make's own
    assert own.startswith("Quietline needs Python 3.11 or newer: sudo apt-get install")
    assert not (clone / ".venv").exists()


def test_an_old_python_is_refused_by_version(clone: Path) -> None:
    """3.10 is too old, and the line says which one was found."""
    old = fake_python(clone, 'case "$1" in --version) echo Python 3.10.1;; *) exit 1;; esac')
    own, _ = make(clone, "run", f"PYTHON={old}").stderr.splitlines()
    assert "3.11 or newer" in own
    assert "Python 3.10.1" in own


def test_a_python_without_venv_is_said_in_one_line(clone: Path) -> None:
    """Debian ships venv in a package of its own."""
    bare = fake_python(clone, 'case "$2" in *venv*) exit 1;; *) exit 0;; esac')
    own, _ = make(clone, "run", f"PYTHON={bare}").stderr.splitlines()
    assert own == "Python's venv is missing: sudo apt-get install -y python3-venv"


def test_nothing_is_installed_again_until_a_list_changes(clone: Path) -> None:
    """The second start spends no time on packages; a changed list is noticed."""
    (clone / ".venv/bin").mkdir(parents=True)
    (clone / ".venv/.made").touch()
    installs = clone / "installs"
    shutil.copy(
        fake_python(clone, f'case "$2" in pip) echo x >> {installs};; esac'),
        clone / ".venv/bin/python",
    )
    for _ in range(2):
        assert make(clone, "run").returncode == 0
    assert installs.read_text() == "x\n"
    with (clone / "requirements.txt").open("a", encoding="utf-8") as listed:
        listed.write("# one more\n")
    assert make(clone, "run").returncode == 0
    assert installs.read_text() == "x\nx\n"
