"""Writing the audit log: with the deed, by itself, and while the store is away (rule 11)."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from sqlalchemy import select

from incidents.audit import Audit, Operation
from incidents.store import Store
from incidents.tables import audit
from incidents.transactions import StoreUnavailable, connect, reading, writing
from tests.incidents.making import KEYS
from tests.incidents.tampering import rows

NOW = datetime(2026, 12, 22, 18, 3, 11, 42_000, tzinfo=UTC)
NOWHERE = "postgresql://127.0.0.1:1/nothing"
"""A store that refuses every connection at once."""


class Refused(Exception):
    """What a deed raises that cannot be done after all."""


@pytest.fixture
def away(data: Path) -> Iterator[Audit]:
    """The log of a console whose store is away."""
    engine = connect(NOWHERE)
    yield Audit(engine, KEYS, data)
    engine.dispose()


def look(log: Audit, record: str = "QL-1", reason: str = "", at: datetime = NOW) -> None:
    """Log a look at a record."""
    log.note("anna", "consultation", "viewed the record", record, reason, at=at)


def logged(store: Store) -> list[str]:
    """The records in the log, in order."""
    with reading(store.engine) as connection:
        return [row["record"] for row in rows(connection)]


def test_an_entry_says_who_did_what_to_which_record_and_when(store: Store, data: Path) -> None:
    """The six operations of the Data Protection Act 2018, section 62."""
    log = Audit(store.engine, KEYS, data)
    for operation in get_args(Operation):
        log.note("anna", operation, "did it", "QL-1", at=NOW)
    with reading(store.engine) as connection:
        found = rows(connection)
    assert [row["operation"] for row in found] == list(get_args(Operation))
    assert [row["number"] for row in found] == [1, 2, 3, 4, 5, 6]
    assert {(row["actor"], row["what"], row["record"]) for row in found} == {
        ("anna", "did it", "QL-1")
    }
    assert {row["at"] for row in found} == {NOW}


def test_a_deed_that_fails_leaves_no_entry_and_no_gap(store: Store, data: Path) -> None:
    """It is in the same transaction: both or neither."""
    log = Audit(store.engine, KEYS, data)
    look(log, "QL-1")
    with suppress(Refused), writing(store.engine) as connection:
        log.put(connection, "anna", "alteration", "claimed", "QL-2", at=NOW)
        raise Refused
    look(log, "QL-3")
    assert logged(store) == ["QL-1", "QL-3"]
    assert log.verify().sound


def test_fifty_who_write_at_once_make_one_chain(store: Store, data: Path) -> None:
    """No number twice, none left out."""
    logs = [Audit(store.engine, KEYS, data) for _ in range(5)]
    threads = [threading.Thread(target=look, args=(logs[at % 5], f"QL-{at}")) for at in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    logs[0].bring_in()
    assert sorted(logged(store)) == sorted(f"QL-{at}" for at in range(50))
    assert logs[0].verify() == logs[1].verify()
    assert logs[0].verify().entries == 50


@pytest.mark.parametrize("name", ["x" * 5000, "a\x00b", "\ud800", "é" * 300, ""])
def test_no_name_keeps_an_entry_out(store: Store, data: Path, name: str) -> None:
    """PostgreSQL refuses NUL, stray surrogates and what is too long: it is brought to fit."""
    log = Audit(store.engine, KEYS, data)
    log.note(name, "consultation", name, name, name, at=NOW)
    assert log.verify().entries == 1
    assert log.verify().sound


def test_a_look_while_the_store_is_away_is_sealed_on_the_disk(away: Audit, data: Path) -> None:
    """It does not fail the page, and nobody who finds the disk reads who looked at whom."""
    look(away, "QL-1", "the inspector asked")
    kept = (data / "audit-spool").read_bytes()
    assert len(kept.split()) == 2
    for word in (b"anna", b"QL-1", b"inspector", b"consultation"):
        assert word not in kept
    assert (data / "audit-spool").stat().st_mode & 0o777 == 0o600


def test_the_store_is_not_asked_for_every_look_while_it_is_away(
    away: Audit, caplog: pytest.LogCaptureFixture
) -> None:
    """A store that does not answer costs seconds each time: the pages must not wait for it."""
    with caplog.at_level(logging.WARNING):
        for at in range(20):
            look(away, f"QL-{at}")
    assert len(caplog.records) == 1


def test_what_waited_is_brought_in_in_order_with_its_own_time(
    store: Store, away: Audit, data: Path
) -> None:
    """Each once, however often it is asked for; afterwards nothing waits."""
    log = Audit(store.engine, KEYS, data)
    look(log, "QL-0")
    for at in range(1, 4):
        look(away, f"QL-{at}", f"reason {at}", at=NOW - timedelta(minutes=at))
    assert log.bring_in() == 3
    assert log.bring_in() == 0
    with reading(store.engine) as connection:
        found = rows(connection)
    assert [row["record"] for row in found] == ["QL-0", "QL-1", "QL-2", "QL-3"]
    assert found[2]["at"] == NOW - timedelta(minutes=2)
    assert KEYS.open(found[3]["reason"], f"audit|{found[3]['id']}|reason") == b"reason 3"
    assert log.verify().sound
    assert list(data.iterdir()) == []


def test_a_file_that_was_brought_in_and_not_taken_away_adds_nothing(
    store: Store, away: Audit, data: Path
) -> None:
    """The engine was killed between the commit and the removal."""
    look(away, "QL-1")
    taken = (data / "audit-spool").read_bytes()
    log = Audit(store.engine, KEYS, data)
    assert log.bring_in() == 1
    (data / "audit-spool.taken-before").write_bytes(taken)
    look(away, "QL-2")
    assert log.bring_in() == 1
    assert logged(store) == ["QL-1", "QL-2"]


def test_a_store_still_away_keeps_everything_waiting(store: Store, away: Audit, data: Path) -> None:
    """And what comes meanwhile waits behind it."""
    look(away, "QL-1")
    with pytest.raises(StoreUnavailable):
        away.bring_in()
    look(away, "QL-2")
    with pytest.raises(StoreUnavailable):
        away.bring_in()
    assert Audit(store.engine, KEYS, data).bring_in() == 2
    assert logged(store) == ["QL-1", "QL-2"]


def test_half_a_line_of_a_killed_writer_spoils_no_other(
    store: Store, away: Audit, data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The whole ones are brought in; the file with the half is kept and told of."""
    look(away, "QL-1")
    whole = (data / "audit-spool").read_bytes()
    (data / "audit-spool").write_bytes(whole + b"\n" + whole.strip()[:60])
    look(away, "QL-2")
    log = Audit(store.engine, KEYS, data)
    assert log.bring_in() == 2
    assert logged(store) == ["QL-1", "QL-2"]
    (kept,) = data.iterdir()
    assert ".unread-" in kept.name
    assert "cannot be read" in caplog.text
    assert log.bring_in() == 0


def test_a_line_moved_or_made_up_is_not_brought_in(store: Store, away: Audit, data: Path) -> None:
    """The seal belongs to the id of its line."""
    look(away, "QL-1")
    id_, sealed = (data / "audit-spool").read_bytes().split()
    other = b"0" * 8 + id_[8:]
    (data / "audit-spool").write_bytes(other + b" " + sealed + b"\nnobody AAAA\n")
    assert Audit(store.engine, KEYS, data).bring_in() == 0
    assert logged(store) == []


def test_with_both_disks_failing_the_page_goes_on_and_the_log_tells(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A frightened caller comes first; the reason, which may name one, is not told."""
    log = Audit(connect(NOWHERE), KEYS, tmp_path / "not there")
    look(log, "QL-1", "about Anna Smith")
    (told,) = [one.getMessage() for one in caplog.records if one.levelno == logging.CRITICAL]
    assert "anna, consultation, viewed the record, QL-1" in told
    assert "Smith" not in told


KILLED = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from incidents.audit import Audit
from incidents.transactions import connect
from tests.incidents.making import KEYS

data, good, bad, name = Path(sys.argv[1]), *sys.argv[2:5]
away, here = Audit(connect(bad), KEYS, data), Audit(connect(good), KEYS, data)
at = 0
while True:
    at += 1
    away.note("anna", "consultation", "viewed", f"{name}-{at}", at=datetime.now(UTC))
    print(f"{name}-{at}", flush=True)
    if at % 3 == 0:
        here.bring_in()
"""


def test_no_kill_loses_or_doubles_an_entry(sqlite_url: str, data: Path) -> None:
    """Processes that spool and bring in are killed, two at a time, wherever they are."""
    told: list[str] = []
    for life in range(6):
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", KILLED, str(data), sqlite_url, NOWHERE, f"{life}{one}"],
                stdout=subprocess.PIPE,
                text=True,
                env={"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
            )
            for one in ("a", "b")
        ]
        for at, writer in enumerate(writers):
            assert writer.stdout is not None
            told += [writer.stdout.readline().strip() for _ in range(7 + 5 * life + at)]
        for writer in writers:
            writer.kill()
            told += writer.communicate()[0].split()
    engine = connect(sqlite_url)
    log = Audit(engine, KEYS, data)
    log.bring_in()
    with reading(engine) as connection:
        found = list(connection.scalars(select(audit.c.record)))
    assert len(found) == len(set(found))
    assert set(told) <= set(found)
    assert log.verify().sound
    engine.dispose()
