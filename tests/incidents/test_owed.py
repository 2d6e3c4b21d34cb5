"""Nothing that was answered is lost because a disk was slow, or full for a while."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from incidents.journal import Journal, JournalFailed
from incidents.recorded import Sealed
from incidents.tail import Tail

EVENT = Sealed("arrived", "call", "CA1", "2026-12", 1, "call_arrived", 0, b"x")
PRESSED = dataclasses.replace(EVENT, key="pressed", step=2, kind="keys_pressed")
POISON = dataclasses.replace(EVENT, key="poison", step=2**70)


def with_a_journal(folder: Path, act: Callable[[Journal], Coroutine[None, None, None]]) -> None:
    """Run ``act`` with a journal in ``folder``, and close it after."""

    async def run() -> None:
        journal = Journal(folder / "first", folder / "spare", folder / "wake")
        try:
            await act(journal)
        finally:
            journal.close()

    asyncio.run(run())


def on_disk(folder: Path) -> list[str]:
    """The keys of the events that stand on a disk, in any order, each once."""
    tail = Tail([folder / "first", folder / "spare"])
    return sorted({event.key for _, _, event in tail.read()})


def stopped(file: Path) -> sqlite3.Connection:
    """Keep the writer of ``file`` waiting, as a disk that takes its time would."""
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    return connection


async def stalled(journal: Journal, folder: Path) -> list[sqlite3.Connection]:
    """Stop both disks, once both folders have a file. Closing what is returned lets them go on."""
    for each in (journal.first, journal.spare):
        async with asyncio.timeout(10):
            while each.figures.commits == 0:
                await asyncio.gather(each.submit([]), return_exceptions=True)
    return [stopped(file) for name in ("first", "spare") for file in folder.glob(f"{name}/*.db")]


async def keep(journal: Journal, event: Sealed) -> None:
    """Keep an event that no disk takes in time."""
    with pytest.raises(JournalFailed):
        await journal.keep([event])


async def paid(journal: Journal) -> None:
    """Pay until nothing is owed, as the beats do."""
    async with asyncio.timeout(10):
        while journal.owed:
            await journal.pay()
            await asyncio.sleep(0)


def test_a_key_that_came_while_the_disk_was_slow_is_on_the_disk_after(tmp_path: Path) -> None:
    """Rule 1: nobody sends it again, for it was answered."""

    async def act(journal: Journal) -> None:
        slow = await stalled(journal, tmp_path)
        await keep(journal, EVENT)
        await keep(journal, PRESSED)
        for disk in slow:
            disk.close()
        await paid(journal)

    with_a_journal(tmp_path, act)
    assert on_disk(tmp_path) == ["arrived", "pressed"]


def test_a_caller_who_comes_while_both_disks_are_slow_waits_for_them(tmp_path: Path) -> None:
    """The flush in hand may be over in time; turned away at once, no disk would have the call."""

    async def act(journal: Journal) -> None:
        slow = await stalled(journal, tmp_path)
        await keep(journal, EVENT)
        assert journal.first.stalled()
        waiting = asyncio.ensure_future(journal.keep([PRESSED]))
        for _ in range(3):
            await asyncio.sleep(0)  # turns of the loop, until the writer has it
        assert journal.first.behind() == 1
        for disk in slow:
            disk.close()
        await asyncio.gather(waiting, return_exceptions=True)

    with_a_journal(tmp_path, act)
    assert on_disk(tmp_path) == ["arrived", "pressed"]


def test_what_came_while_no_disk_could_be_written_is_written_when_one_can(tmp_path: Path) -> None:
    """faults.md: the journal's disk full, and the spare's as well, for a while."""
    for name in ("first", "spare"):
        (tmp_path / name).write_text("no folder can be made here")

    async def act(journal: Journal) -> None:
        await keep(journal, EVENT)
        await keep(journal, PRESSED)
        for name in ("first", "spare"):
            (tmp_path / name).unlink()
        await paid(journal)

    with_a_journal(tmp_path, act)
    assert on_disk(tmp_path) == ["arrived", "pressed"]


def test_what_is_owed_when_the_process_is_told_to_stop_is_written_first(tmp_path: Path) -> None:
    """SIGTERM in the moment in which the disk is back."""

    async def act(journal: Journal) -> None:
        journal.owed.add([EVENT], TimeoutError())

    with_a_journal(tmp_path, act)
    assert on_disk(tmp_path) == ["arrived"]


def test_an_event_no_disk_can_ever_take_is_not_owed(tmp_path: Path) -> None:
    """faults.md, poison record: it never blocks those behind it."""

    async def act(journal: Journal) -> None:
        await keep(journal, POISON)
        assert not journal.owed
        journal.owed.add([POISON], TimeoutError())
        journal.owed.add([EVENT], TimeoutError())
        await paid(journal)

    with_a_journal(tmp_path, act)
    assert on_disk(tmp_path) == ["arrived"]
