"""How every writer of the store takes its turn, on both databases.

SQLite: ``BEGIN IMMEDIATE``, because a transaction that reads first and writes later
fails at once when another one wrote between. PostgreSQL: one advisory lock, because
revisions must become visible in the order in which they were given; a reader of
``revision > last`` once missed one for good.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    create_engine,
    event,
    func,
    select,
    text,
)
from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    InternalError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from incidents.tables import incidents

_LOCK = 5_505_055
_PATIENCE_SECONDS = 5
_SQLITE_BUSY_MS = 5000
_LOOK_AGAIN = 0.001
_TURNS: dict[str, threading.Lock] = {}


class StoreUnavailable(OSError):
    """The store cannot be reached or does not answer; what is in the journal is safe."""


def connect(url: str, *, hurried: bool = True) -> Engine:
    """Make the engine for ``url``. Connects to nothing yet.

    ``hurried``: no statement may take long, and the client stops waiting by itself. Migrations
    are not hurried.
    """
    if url.startswith("sqlite"):
        patience = {"timeout": _SQLITE_BUSY_MS / 1000}
        engine = create_engine(url, connect_args=patience, json_deserializer=_read_json)
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    limit = f"{_PATIENCE_SECONDS}s" if hurried else "0"
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://", 1),
        pool_pre_ping=True,
        pool_timeout=_PATIENCE_SECONDS,
        connect_args={
            "connect_timeout": _PATIENCE_SECONDS,
            "options": f"-c statement_timeout={limit} -c lock_timeout={limit}",
            # For a machine or a network that is gone; for a server that is only
            # stopped, see ``deadline``.
            "tcp_user_timeout": _PATIENCE_SECONDS * 1000,
            "keepalives_idle": _PATIENCE_SECONDS,
        },
    )
    if hurried:
        event.listen(engine, "do_connect", _connect_with_deadline)
    return engine


def _read_json(text: str) -> Any:
    """Read a column; None when it is damaged, so that the other rows of a question are read.

    SQLite takes any text for JSON; PostgreSQL looks itself.
    """
    try:
        return json.loads(text)
    except ValueError:
        return None


def _connect_with_deadline(_dialect: Any, _record: Any, args: Any, options: Any) -> Any:
    from incidents.deadline import Connection  # psycopg: not loaded where the store is SQLite

    return Connection.connect(*args, **options)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    _set_wal(cursor)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _set_wal(cursor: Any) -> None:
    """Have SQLite write ahead. While another process does the same to a new file it is locked,
    and SQLite does not wait there by itself: two first starts at once would lose one."""
    until = time.monotonic() + _SQLITE_BUSY_MS / 1000
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            busy = getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY")
            if not busy or time.monotonic() > until:
                raise
            time.sleep(_LOOK_AGAIN)


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that writes, alone. Raises ``StoreUnavailable``."""
    with _turn(engine), _reached(), engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            _begin(connection)
        else:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        try:
            yield connection
        except BaseException:
            _end(connection, "ROLLBACK")
            raise
        _end(connection, "COMMIT")


def _begin(connection: Connection) -> None:
    """Begin to write as soon as the writer of another process ends.

    SQLite itself looks ever more seldom, every 100 ms at last: while the engine copies a flood
    of calls, a claim would wait for a fifth of a second. Here it looks every millisecond.
    """
    until = time.monotonic() + _SQLITE_BUSY_MS / 1000
    connection.exec_driver_sql("PRAGMA busy_timeout=1")
    try:
        while True:
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                return
            except OperationalError as error:
                busy = getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_BUSY")
                if not busy or time.monotonic() > until:
                    raise
    finally:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={_SQLITE_BUSY_MS}")


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Queue the writers of this process for SQLite, which lets them look again and again instead:
    the second of two claims would sleep through the end of the first."""
    if engine.dialect.name != "sqlite":
        yield
        return
    lock = _TURNS.setdefault(str(engine.url), threading.Lock())
    if not lock.acquire(timeout=_PATIENCE_SECONDS):
        raise StoreUnavailable("others write for too long")
    try:
        yield
    finally:
        lock.release()


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a connection to read from. Raises ``StoreUnavailable``."""
    with _reached(), engine.connect() as connection:
        yield connection


def _end(connection: Connection, how: str) -> None:
    if connection.engine.dialect.name == "sqlite":
        connection.exec_driver_sql(how)
    if how == "COMMIT":
        connection.commit()
    else:
        connection.rollback()


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnavailable(type(error).__name__) from error
    except DBAPIError as error:
        if error.connection_invalidated or _by_the_store(error):
            raise StoreUnavailable(type(error).__name__) from error
        raise


def _by_the_store(error: DBAPIError) -> bool:
    """Say whether the store is at fault, and not what it was given.

    A primary that became read-only or tables of another release are the store's trouble: taken
    for bad events, they would have every event set aside.
    """
    if isinstance(error, OperationalError | InternalError) or type(error) is DatabaseError:
        return True
    # PostgreSQL's own word, not the driver's about a value it cannot send.
    from_server = getattr(error.orig, "sqlstate", None) is not None
    return isinstance(error, ProgrammingError) and from_server


def next_revision(connection: Connection) -> int:
    """Give the next revision. Only inside ``writing``."""
    return int(connection.scalar(select(func.coalesce(func.max(incidents.c.revision), 0))) or 0) + 1
