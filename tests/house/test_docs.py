"""Documentation is tested: everything there is stands in it, and nothing in it leads nowhere."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import click
import pytest

import app
from config.settings import SETTINGS
from tests.running import ROOT

TRACKED = [
    Path(name)
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    if (ROOT / name).is_file()
]
PAGES = [path for path in TRACKED if path.suffix == ".md"]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def read(path: Path | str) -> str:
    """Return the text of a file of the repository."""
    return (ROOT / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_documented_with_its_default(setting: object) -> None:
    """In the reference and in .env.example."""
    name, default = setting.name, setting.default  # type: ignore[attr-defined]
    row = next(
        (line for line in read("docs/reference/settings.md").splitlines() if f"`{name}`" in line),
        "",
    )
    assert row.startswith("|"), f"{name} stands in no row of the reference"
    assert default in row
    assert f"\n{name}=\n" in read(".env.example")


def test_no_setting_is_documented_that_does_not_exist() -> None:
    """A setting that nothing reads would mislead."""
    known = {setting.name for setting in SETTINGS}
    listed = set(re.findall(r"^(\w+)=", read(".env.example"), re.MULTILINE))
    assert listed == known
    rows = re.findall(r"^\| `([A-Z_]+)` \|", read("docs/reference/settings.md"), re.MULTILINE)
    assert rows == [setting.name for setting in SETTINGS]


def make_targets() -> set[str]:
    """Return the commands the Makefile offers."""
    return set(re.findall(r"^([a-z]+):.*## ", read("Makefile"), re.MULTILINE))


def test_every_make_command_is_documented_and_there() -> None:
    """Both ways: the reference lists exactly what the Makefile offers."""
    listed = set(re.findall(r"^\| `make ([a-z]+)` \|", read("docs/reference/commands.md"), re.M))
    assert listed == make_targets()


def flask_commands() -> set[str]:
    """Return every command under ``flask --app app``, groups written out."""
    names = set()
    for name, command in app.create_app().cli.commands.items():
        if isinstance(command, click.Group):
            names |= {f"{name} {each}" for each in command.commands}
        else:
            names.add(name)
    return names


def test_every_flask_command_is_documented_and_there() -> None:
    """Both ways: the reference lists exactly the commands of app.py."""
    text = read("docs/reference/commands.md")
    section = text[text.index("## flask") : text.index("## Processes")]
    rows = re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE)
    assert {row.replace(" NAME", "") for row in rows} == flask_commands()


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """A link to a file that is not in the repository is broken on a fresh clone."""
    tracked = {str(path) for path in TRACKED}
    folders = {str(parent) for path in TRACKED for parent in path.parents}
    broken = []
    for target in LINK.findall(read(page)):
        if re.match(r"[a-z]+:|#", target):
            continue
        there = (ROOT / page.parent / target.partition("#")[0]).resolve()
        name = str(there.relative_to(ROOT)) if there.is_relative_to(ROOT) else str(there)
        if name not in tracked | folders:
            broken.append(target)
    assert broken == []


REGISTRIES = re.compile(
    r"(index|registry)[-_]?url|--(extra-)?index|files\.python"
    r"hosted|py"
    r"pi\.org|npm"
    r"js\.org"
)


def test_no_tracked_file_names_a_path_of_a_machine_or_a_registry() -> None:
    """What is committed works anywhere: it holds nobody's folders and no package mirror."""
    private = (f"{ROOT}/", f"{Path.home()}/")
    found = []
    for path in TRACKED:
        if path == Path("tests/house/test_docs.py") or path.suffix in {".png", ".wav", ".ico"}:
            continue
        for number, line in enumerate(read(path).splitlines(), start=1):
            if REGISTRIES.search(line) or any(prefix in line for prefix in private):
                found.append(f"{path}:{number}")
    assert found == []


def test_the_readme_starts_with_what_it_is_and_shows_the_board() -> None:
    """Title, one paragraph, a picture, the two commands, and that it cannot receive 999."""
    text = read("README.md")
    assert text.startswith("# Quietline\n\nA call-handler assistant for silent emergency calls.")
    order = [text.index(part) for part in ("docs/board.png", "make run", "make test", "999")]
    assert order == sorted(order)
    assert "sudo apt-get install -y python3 python3-venv make git" in text
    assert (ROOT / "docs/board.png").read_bytes().startswith(b"\x89PNG")


def test_ci_runs_the_commands_of_the_readme() -> None:
    """`make check`, then `make test`, and the check that every suite ran."""
    script = read(".ci/run")
    assert script.index("make check") < script.index("make test") < script.index("tests.suites")
    assert "make test" in read("README.md")


def test_requirements_are_pinned_with_hashes() -> None:
    """Every package of both files is pinned to one version with at least one hash."""
    for name in ("requirements.txt", "requirements-dev.txt"):
        entries = re.split(r"\n(?=[a-zA-Z0-9])", read(name))
        for entry in (one for one in entries if one[:1].isalnum()):
            assert re.match(r"[A-Za-z0-9._-]+==[^\s\\]+ \\\n", entry), entry.partition("\n")[0]
            assert "--hash=sha256:" in entry
