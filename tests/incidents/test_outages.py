"""The store locked, stopped or gone: what is in the journal waits, and is there afterwards."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

import psycopg
import pytest
from sqlalchemy import text

from incidents.deadline import DEADLINE
from incidents.transactions import StoreUnavailable, reading, writing
from tests.incidents.desks import noted
from tests.incidents.making import NOW, Caller, Machine, drain_all, left


def test_a_locked_sqlite_store_is_told_and_caught_up_afterwards(
    sqlite_machine: Machine, sqlite_url: str
) -> None:
    """faults.md: ``BEGIN EXCLUSIVE``. Readers go on, writers wait a bounded time."""
    caller = Caller()
    left(sqlite_machine.folders[0], caller.arrives(), caller.presses("55"))
    drain = sqlite_machine.drain()
    path = sqlite_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreUnavailable):
            drain.run_once()
        assert sqlite_machine.store.healthy()
        with pytest.raises(StoreUnavailable):
            noted(sqlite_machine.store, caller.reference, "x", by="sam", at=NOW)
        holder.execute("ROLLBACK")
    assert drain_all(drain) == 2
    assert sqlite_machine.incident(caller).signal == "confirmed"


def test_a_store_without_its_tables_is_down_and_no_event_is_blamed(
    machine_of: Callable[[str], Machine], empty_postgresql_url: str
) -> None:
    """Tables of another release, or none yet: taken for bad events, all would be set aside."""
    machine = machine_of(empty_postgresql_url)
    left(machine.folders[0], Caller().arrives())
    drain = machine.drain()
    with pytest.raises(StoreUnavailable):
        drain.run_once()
    assert drain.aside == 0
    assert not machine.store.healthy()


def test_a_primary_that_became_read_only_is_down_and_no_event_is_blamed(
    machine_of: Callable[[str], Machine], postgresql_url: str
) -> None:
    """A failover left us on a standby: the events wait for the new primary."""
    machine = machine_of(postgresql_url)
    caller = Caller()
    left(machine.folders[0], caller.arrives())
    with psycopg.connect(postgresql_url, autocommit=True) as admin:
        name = admin.info.dbname
        admin.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'.encode())
        try:
            drain = machine.drain()
            with pytest.raises(StoreUnavailable):
                drain.run_once()
            assert drain.aside == 0
        finally:
            admin.execute("SET default_transaction_read_only = off")
            admin.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only'.encode())
    machine.store.engine.dispose()
    assert drain_all(machine.drain()) == 1


def end_itself(machine: Machine) -> None:
    """Have the server end the connection in the middle of a transaction."""
    with writing(machine.store.engine) as connection:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
        os.kill(pid, signal.SIGTERM)
        for _ in range(200):
            connection.execute(text("SELECT pg_sleep(0.05)"))


def test_a_connection_the_server_ends_is_made_again(
    machine_of: Callable[[str], Machine], postgresql_url: str
) -> None:
    """PostgreSQL is restarted: what was under way fails, what comes next works."""
    machine = machine_of(postgresql_url)
    caller = Caller()
    left(machine.folders[0], caller.arrives())
    drain = machine.drain()
    with pytest.raises(StoreUnavailable):
        end_itself(machine)
    assert drain_all(drain) == 1
    assert machine.store.healthy()


def test_a_stopped_postgresql_backend_is_given_up_by_the_client(
    machine_of: Callable[[str], Machine], postgresql_url: str
) -> None:
    """faults.md: ``kill -STOP`` on a backend: "its own timeouts cannot fire: use client-side
    deadlines". Its packets are still acknowledged, so the network's timeouts do not fire either."""
    machine = machine_of(postgresql_url)
    caller = Caller()
    left(machine.folders[0], caller.arrives(), caller.presses("55"))
    with reading(machine.store.engine) as connection:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
    drain = machine.drain()
    assert machine.store.healthy()
    os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        # The stopped connection is given up and another one made: the postmaster still works.
        healthy = machine.store.healthy()
        took = time.monotonic() - began
        assert took < DEADLINE + 3
        assert healthy
        assert drain_all(drain) == 2
    finally:
        os.kill(pid, signal.SIGCONT)
    assert machine.incident(caller).signal == "confirmed"
