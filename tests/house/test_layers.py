"""What import-linter cannot say: callflow and the simulator keep to themselves."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.running import ROOT, environment, training_settings


def imported(package: str) -> Iterator[tuple[Path, str]]:
    """Yield every (file, top-level name) that ``package`` imports, wherever the import stands."""
    for file in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield file, alias.name.partition(".")[0]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                yield file, node.module.partition(".")[0]


def test_callflow_imports_nothing_but_the_standard_library() -> None:
    """The rules can be read, tested and trusted alone."""
    strangers = {
        (file.name, name)
        for file, name in imported("callflow")
        if name not in sys.stdlib_module_names and name != "callflow"
    }
    assert strangers == set()


def test_nothing_imports_the_composition_root() -> None:
    """app.py and run.py stand on top; whatever imported them would import everything."""
    packages = ("callflow", "config", "incidents", "webhooks", "console", "simulator", "migrations")
    climbing = {
        (package, file.name)
        for package in packages
        for file, name in imported(package)
        if name in ("app", "run", "supervisor")
    }
    assert climbing == set()


def test_packages_never_call_themselves_by_empty_names() -> None:
    """No utils, common, helpers, core or services (design.md)."""
    banned = {"utils", "common", "helpers", "core", "services"}
    tracked = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    named = {part for path in tracked for part in Path(path).with_suffix("").parts}
    assert named & banned == set()


HEAVY = ("sqlalchemy", "alembic", "twilio", "pydantic", "psycopg", "uvicorn")


def test_the_phone_process_never_loads_the_store(data: Path) -> None:
    """A broken database driver or its memory must not stand between a caller and an answer."""
    code = f"import sys, app; app.phone(); print([n for n in {HEAVY!r} if n in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(training_settings(data)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
