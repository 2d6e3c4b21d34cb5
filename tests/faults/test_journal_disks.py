"""faults.md: the journal's disk full, read-only, failing, slow; killed at every single sync."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.faults.disks import found, injecting, journal, on_a_small_disk, syncs_to_open

SYNCS = ("fdatasync", "fsync")


def test_with_a_good_disk_every_event_is_kept_in_the_first_folder(data: Path) -> None:
    """The ground on which the faults below stand."""
    kept = journal(data, 20)
    assert kept.returncode == 0, kept.said
    assert sorted(found(data)) == sorted(kept.acknowledged)
    assert len(kept.acknowledged) == 20
    assert kept.figures["troubles"] == []
    assert kept.figures["spared"] == kept.figures["failures"] == 0


def test_many_waiters_share_one_flush(data: Path) -> None:
    """Group commit: the first waiter commits for all."""
    kept = journal(data, 200, 100)
    assert len(kept.acknowledged) == 200
    assert kept.figures["commits"] <= 20


def test_after_a_failed_sync_the_events_go_to_a_new_file_and_the_alarm_stands(
    data: Path, tmp_path: Path
) -> None:
    """faults.md: "never trust a second fsync on the same file after EIO: new segment, append
    again, alarm". The caller waits for nothing but that."""
    fourth = syncs_to_open(tmp_path / "measured") + 4
    kept = journal(data, 12, before=injecting(f"fdatasync:error=EIO:when={fourth}"))
    assert kept.returncode == 0, kept.said
    assert len(kept.acknowledged) == 12
    assert kept.acknowledged <= set(found(data))
    assert kept.figures["failures"] == 1
    assert len({one["file"] for one in kept.answers}) == 2
    assert "disk I/O error" in kept.figures["troubles"][0]
    assert kept.slowest < 1


def test_a_disk_that_fails_every_sync_is_told_and_answers_stay_quick(data: Path) -> None:
    """Both folders are on the failing disk: nothing can be kept, and nobody waits for that."""
    kept = journal(data, 6, before=injecting("fdatasync,fsync:error=EIO:when=1+"))
    assert kept.returncode == 0, kept.said
    assert kept.acknowledged == set()
    assert kept.figures["failed"] == 6
    assert len(kept.figures["troubles"]) == 2
    assert kept.slowest < 1


def test_a_disk_that_fails_leaves_no_heap_of_files(data: Path) -> None:
    """A new file is tried every second for as long as the disk is broken."""
    journal(data, 6, before=injecting("fdatasync,fsync:error=EIO:when=1+"))
    assert list((data / "journal").iterdir()) == []


def test_a_slow_disk_hands_over_to_the_spare_within_a_second(data: Path, tmp_path: Path) -> None:
    """One sync takes two seconds; callers are answered from the spare folder meanwhile."""
    eighth = syncs_to_open(tmp_path / "measured") + 8
    kept = journal(
        data,
        12,
        before=injecting(f"fdatasync:delay_enter=2000000:when={eighth}"),
        environment={"TRIES": "20"},
    )
    assert kept.returncode == 0, kept.said
    assert len(kept.acknowledged) == 12
    assert kept.figures["spared"] >= 1
    assert kept.slowest < 1
    # What the slow disk wrote after all is there twice, and harmless: same keys.
    assert kept.acknowledged == set(found(data))


def test_a_full_disk_hands_over_to_the_spare(data: Path) -> None:
    """A disk of 300 kB; the spare is on another one."""
    (data / "journal").mkdir(mode=0o700)
    before, environment = on_a_small_disk(data / "journal", "size=300k")
    kept = journal(data, 1500, 50, before=before, environment={**environment, "TRIES": "40"})
    assert kept.returncode == 0, kept.said
    assert len(kept.acknowledged) == 1500
    assert kept.figures["spared"] > 100
    assert "full" in kept.figures["troubles"][0]
    in_spare = set(found(data))  # the small disk went with its process
    by_file = {file.stem for file in (data / "spare").glob("*.db")}
    assert {f"key-{one['number']:06}" for one in kept.answers if one["file"] in by_file} <= in_spare


def test_a_read_only_disk_hands_over_to_the_spare(data: Path) -> None:
    """What a kernel does to a disk it no longer trusts."""
    (data / "journal").mkdir(mode=0o700)
    before, environment = on_a_small_disk(data / "journal", "ro")
    kept = journal(data, 30, before=before, environment={**environment, "TRIES": "40"})
    assert kept.returncode == 0, kept.said
    assert len(kept.acknowledged) == 30
    assert kept.acknowledged == set(found(data))
    assert kept.figures["spared"] == 30
    assert kept.figures["troubles"]


@pytest.mark.parametrize("sync", SYNCS)
def test_killed_at_every_single_sync_nothing_acknowledged_is_missing(
    tmp_path: Path, sync: str, whole: bool
) -> None:
    """kill -9 exactly at the Nth sync, for every N until the process gets through."""
    killed = 0
    for number in range(1, 60 if whole else 9):
        folder = tmp_path / str(number)
        folder.mkdir()
        kept = journal(folder, 10, before=injecting(f"{sync}:signal=KILL:when={number}"))
        keys = found(folder)
        assert kept.acknowledged <= set(keys)
        assert len(keys) == len(set(keys))
        if kept.returncode == 0:
            break
        assert kept.returncode == -signal.SIGKILL, kept.said
        killed += 1
    assert killed > 0
