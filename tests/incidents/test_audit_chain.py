"""The chain of the audit log: whatever is done to it behind our back is found (rule 11)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import Connection, delete, select, update

from incidents import audit_chain
from incidents.audit import HEAD, Audit
from incidents.audit_chain import BadHead, Head, Verdict, verify
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import audit
from incidents.transactions import reading, writing
from tests.incidents.making import KEYS
from tests.incidents.tampering import KINDS, Tampering, rows, tamper

NOW = datetime(2026, 12, 22, 18, 3, 11, 42_000, tzinfo=UTC)
ENTRIES = 24
Walk = Callable[[Connection, Keys, Head | None], Verdict]


class Undo(Exception):
    """Raised to have a transaction rolled back."""


def filled(store: Store, data: Path, entries: int = ENTRIES) -> Audit:
    """Return a log with entries of several people, some with a reason."""
    log = Audit(store.engine, KEYS, data)
    people, deeds = ("anna", "bert", "carol"), ("viewed the record", "claimed", "exported")
    with writing(store.engine) as connection:
        for at in range(entries):
            log.put(
                connection,
                people[at % 3],
                "consultation" if at % 2 else "alteration",
                deeds[at % 3],
                f"QL-{at % 5}",
                f"reason {at}" if at % 4 == 0 else "",
                at=NOW + timedelta(seconds=at),
            )
    return log


def missed(store: Store, head: Head, times: int, walk: Walk = verify) -> list[Tampering]:
    """Tamper so many times, each undone afterwards; return what the walk did not find."""
    random = Random(1105)
    left = []
    for time in range(times):
        kind = list(KINDS)[time % len(KINDS)]
        with suppress(Undo), writing(store.engine) as connection:
            done = tamper(connection, random, kind)
            if walk(connection, KEYS, head).sound:
                left.append(done)
            raise Undo
    return left


@pytest.mark.parametrize("times", [1000])
def test_every_one_of_a_thousand_tamperings_is_found(store: Store, data: Path, times: int) -> None:
    """Edits, deletions, insertions, reordering, cutting off and forged links, on both databases."""
    log = filled(store, data)
    head = log.head(NOW)
    assert log.verify(head).sound
    assert missed(store, head, 1000) == []
    assert log.verify(head).sound, "the log itself is as it was"


def test_a_walk_that_is_blind_somewhere_is_caught_by_the_same_tamperings(
    store: Store, data: Path
) -> None:
    """The planted faults: no head, no look at the content, no look at the links."""
    log = filled(store, data)
    head = log.head(NOW)

    def without_head(connection: Connection, keys: Keys, _: Head | None) -> Verdict:
        return verify(connection, keys, None)

    def without_content(connection: Connection, _: Keys, head: Head | None) -> Verdict:
        previous = audit_chain.START
        for number, row in enumerate(rows(connection), start=1):
            if row["number"] != number or row["previous"] != previous:
                return Verdict(number, "wrong", number)
            previous = row["hash"]
        whole = head is None or previous == head.hash
        return Verdict(0, "" if whole else "cut off")

    def without_links(connection: Connection, keys: Keys, _: Head | None) -> Verdict:
        wrong = [row for row in rows(connection) if audit_chain.link(keys, row) != row["hash"]]
        return Verdict(0, "wrong" if wrong else "")

    kinds = Counter(one.kind for one in missed(store, head, 160, without_head))
    assert set(kinds) == {"cut off"}
    kinds = Counter(one.kind for one in missed(store, head, 160, without_content))
    assert {"edit", "borrow"} <= set(kinds)
    kinds = Counter(one.kind for one in missed(store, head, 160, without_links))
    assert {"cut off", "take out"} <= set(kinds)


def test_the_first_wrong_entry_is_named(store: Store, data: Path) -> None:
    """Whoever looks into it begins there."""
    log = filled(store, data)
    with writing(store.engine) as connection:
        mine = audit.c.number == 7
        connection.execute(update(audit).where(mine).values(actor="nobody"))
        connection.execute(delete(audit).where(audit.c.number == 12))
    verdict = log.verify()
    assert (verdict.number, verdict.entries) == (7, 6)
    assert "not what was written" in verdict.problem


def test_a_log_of_many_pieces_is_walked_to_its_end(store: Store, data: Path) -> None:
    """It is read piece by piece: a log of years must not have to fit into memory."""
    entries = 2 * audit_chain.AT_ONCE + 7
    log = filled(store, data, entries)
    assert log.verify(log.head(NOW)).entries == entries
    with writing(store.engine) as connection:
        mine = audit.c.number == entries - 3
        connection.execute(update(audit).where(mine).values(record="QL-6"))
    assert log.verify().number == entries - 3


@pytest.mark.parametrize(
    ("deed", "number", "said"),
    [
        (delete(audit).where(audit.c.number == 5), 5, "missing: after 4 comes 6"),
        (delete(audit).where(audit.c.number > 20), 21, "cut off"),
        (delete(audit), 1, "cut off"),
        (update(audit).where(audit.c.number == 3).values(hash="0" * 64), 3, "not what was written"),
        (update(audit).where(audit.c.number == 3).values(previous="1" * 64), 3, "not follow"),
    ],
)
def test_what_is_wrong_is_said(
    store: Store, data: Path, deed: object, number: int, said: str
) -> None:
    """In a sentence that somebody who never saw the table understands."""
    log = filled(store, data)
    head = log.head(NOW)
    with writing(store.engine) as connection:
        connection.execute(deed)  # type: ignore[call-overload]
    verdict = log.verify(head)
    assert verdict.number == number
    assert said in verdict.problem


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", "2026-12-22 18:03"),
        ("at", "2026-12-22T18:03:15.042000"),
        ("at", "some time"),
        ("at", 5),
        ("at", b"\xff"),
        ("actor", b"anna"),
        ("actor", 17),
        ("number", "four"),
        ("number", 4.5),
        ("reason", "text"),
        ("hash", b"\x00"),
        ("previous", 0),
        ("what", "x" * 100_000),
    ],
)
def test_a_value_of_another_kind_is_found_and_stops_no_walk(
    sqlite_url: str, data: Path, column: str, value: object
) -> None:
    """SQLite keeps anything in any column."""
    store = Store(sqlite_url, KEYS)
    log = filled(store, data)
    with writing(store.engine) as connection:
        command = f"UPDATE audit SET {column} = ? WHERE number = 5"
        connection.exec_driver_sql(command, (value,))
    assert not log.verify(log.head(NOW)).sound
    store.engine.dispose()


def test_an_empty_log_is_sound_and_so_is_a_head_of_it(store: Store, data: Path) -> None:
    """A site that starts; the head of its first minute stays good for ever."""
    log = Audit(store.engine, KEYS, data)
    head = log.head(NOW)
    assert head.number == 0
    assert log.verify(head) == Verdict(0, head=head)
    log = filled(store, data)
    assert log.verify(head).sound


def test_a_head_holds_while_the_log_grows_on(store: Store, data: Path) -> None:
    """It says what was there then, not what must be the end."""
    log = filled(store, data)
    head = log.head(NOW)
    log.note("anna", "consultation", "viewed the record", "QL-1", at=NOW)
    assert log.verify(head) == Verdict(ENTRIES + 1, head=head)


def test_a_log_of_another_key_does_not_bear_out_a_head(store: Store, data: Path) -> None:
    """Every entry replaced by somebody's own, even by somebody who has a Quietline of theirs."""
    theirs = Keys(b"x" * 32)
    head = filled(store, data).head(NOW)
    with writing(store.engine) as connection:
        connection.execute(delete(audit))
        other = Audit(store.engine, theirs)
        for _ in range(ENTRIES):
            other.put(connection, "anna", "consultation", "viewed", "QL-1", at=NOW)
    assert Audit(store.engine, theirs).verify().sound
    assert Audit(store.engine, KEYS).verify(head).number == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"number": 1}',
        '{"number": true, "hash": "", "at": "", "signature": ""}',
        '{"number": "1", "hash": null, "at": [], "signature": {}}',
    ],
)
def test_what_is_no_head_is_refused(text: str) -> None:
    """A file of something else is no proof of anything."""
    with pytest.raises(BadHead):
        Head.read(KEYS, text)


@pytest.mark.parametrize("old", ['"number": 24', "2026-12-22", "+00:00"])
def test_a_changed_head_is_refused(store: Store, data: Path, old: str) -> None:
    """The number, the hash and the moment are all signed."""
    text = filled(store, data).head(NOW).as_text()
    assert Head.read(KEYS, text).as_text() == text
    with pytest.raises(BadHead, match="signature"):
        Head.read(KEYS, text.replace(old, old.replace("2", "3").replace("00:00", "01:00")))
    with pytest.raises(BadHead, match="signature"):
        Head.read(Keys(b"x" * 32), text)


def test_the_engine_keeps_the_newest_head_in_the_data_folder(store: Store, data: Path) -> None:
    """Each minute; one that says the same is not written again."""
    log = filled(store, data)
    assert log.keep_head(NOW) == ""
    kept = (data / HEAD).read_text(encoding="ascii")
    assert Head.read(KEYS, kept).number == ENTRIES
    assert log.keep_head(NOW + timedelta(minutes=1)) == ""
    assert (data / HEAD).read_text(encoding="ascii") == kept
    log.note("anna", "consultation", "viewed the record", "QL-1", at=NOW)
    assert log.keep_head(NOW) == ""
    assert Head.read(KEYS, (data / HEAD).read_text(encoding="ascii")).number == ENTRIES + 1
    assert [path.name for path in data.iterdir()] == [HEAD]


@pytest.mark.parametrize("left", [0, 10])
def test_a_head_that_the_log_no_longer_bears_out_is_kept(
    store: Store, data: Path, left: int
) -> None:
    """Cutting the log off must not have the proof of it written over a minute later."""
    log = filled(store, data)
    log.keep_head(NOW)
    before = (data / HEAD).read_text(encoding="ascii")
    with writing(store.engine) as connection:
        connection.execute(delete(audit).where(audit.c.number > left))
    assert "gone or changed" in log.keep_head(NOW)
    log.note("anna", "consultation", "viewed the record", "QL-1", at=NOW)
    assert "gone or changed" in log.keep_head(NOW)
    assert (data / HEAD).read_text(encoding="ascii") == before


def test_a_head_somebody_scribbled_on_is_kept_and_told(store: Store, data: Path) -> None:
    """It is not taken for a site that never had one."""
    log = filled(store, data)
    for scribble in ("{}", "schön", ""):
        (data / HEAD).write_text(scribble, encoding="utf-8")
        assert "cannot be trusted" in log.keep_head(NOW)
        assert (data / HEAD).read_text(encoding="utf-8") == scribble


def test_a_reason_is_sealed_and_every_other_column_is_words(store: Store, data: Path) -> None:
    """A reason may name a caller; it is opened for auditors only."""
    filled(store, data)
    with reading(store.engine) as connection:
        row = connection.execute(select(audit).where(audit.c.number == 1)).one()
    assert b"reason 0" not in row.reason
    assert KEYS.open(row.reason, f"audit|{row.id}|reason") == b"reason 0"
