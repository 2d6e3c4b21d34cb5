"""Reading and writing the record, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select

from incidents.store import BadCursor, NoSuchIncident
from incidents.tables import incidents, timeline
from incidents.transactions import next_revision, reading, writing
from tests.incidents.desks import noted
from tests.incidents.making import NOW, Caller, Machine, after, references


@pytest.fixture
def many(machine: Machine) -> list[Caller]:
    """Seven calls a minute apart, of every kind, in the store."""
    callers = [
        Caller(number=f"+4477009001{at:02}", began=NOW + timedelta(minutes=at)) for at in range(6)
    ]
    callers.append(Caller(number="+447700900190", purpose="proof", began=NOW))
    events = [caller.arrives() for caller in callers]
    events += [callers[1].presses("55"), callers[2].presses("7"), callers[3].hangs_up()]
    machine.drained(*events)
    return callers


def test_incidents_come_newest_first_and_proof_calls_only_when_asked_for(
    machine: Machine, many: list[Caller]
) -> None:
    """The contract: "newest first … proof calls only with purpose=proof"."""
    found, following = machine.store.incidents()
    assert references(found) == [caller.reference for caller in reversed(many[:6])]
    assert following is None
    proof, _ = machine.store.incidents(purpose="proof")
    assert references(proof) == [many[6].reference]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"signal": "confirmed"}, [1]),
        ({"signal": "someone_there"}, [2]),
        ({"state": "review"}, [3]),
        ({"state": "waiting", "signal": "nothing"}, [5, 4, 0]),
        ({"urgency": 1}, [1]),
        ({"urgency": 2}, [2]),
        ({"since": NOW + timedelta(minutes=4)}, [5, 4]),
        ({"until": NOW + timedelta(minutes=2)}, [1, 0]),
        ({"since": NOW + timedelta(minutes=1), "until": NOW + timedelta(minutes=2)}, [1]),
        ({"purpose": "training"}, []),
        ({"state": "closed"}, []),
    ],
)
def test_each_filter_finds_what_it_names(
    machine: Machine, many: list[Caller], filters: dict[str, object], expected: list[int]
) -> None:
    """since is inclusive and until exclusive, both by the start of the call."""
    found, _ = machine.store.incidents(**filters)  # type: ignore[arg-type]
    assert references(found) == [many[at].reference for at in expected]


def test_a_call_is_found_by_its_sid(machine: Machine, many: list[Caller]) -> None:
    """The one filter every integration begins with."""
    found, _ = machine.store.incidents(call_sid=many[4].sid)
    assert references(found) == [many[4].reference]


@pytest.mark.parametrize("size", [1, 2, 3, 6, 50])
def test_pages_of_any_size_hold_every_incident_once(
    machine: Machine, many: list[Caller], size: int
) -> None:
    """A page ends where the next begins, also among calls of the same millisecond."""
    twins = [Caller(number=None, withheld=True) for _ in range(4)]
    machine.drained(*(caller.arrives() for caller in twins))
    seen: list[str] = []
    cursor = None
    while True:
        page, cursor = machine.store.incidents(limit=size, cursor=cursor)
        seen += references(page)
        if cursor is None:
            break
    assert len(seen) == 10
    assert set(seen) == {caller.reference for caller in [*many[:6], *twins]}


def test_a_new_incident_moves_no_page(machine: Machine, many: list[Caller]) -> None:
    """While somebody pages back, calls come in at the front."""
    first, cursor = machine.store.incidents(limit=2)
    machine.drained(Caller(number=None, began=after(9999)).arrives())
    second, _ = machine.store.incidents(limit=2, cursor=cursor)
    assert references([*first, *second]) == [many[at].reference for at in (5, 4, 3, 2)]


@pytest.mark.parametrize(
    "cursor", ["", "x", "ü", "MTIz", "AAAA", "MTIzLgAA", "OTk5OTk5OTk5OTk5OTk5OTk5LjE", "=" * 9]
)
def test_a_cursor_we_never_gave_is_refused(machine: Machine, cursor: str) -> None:
    """Refused by name, whatever stands in it; never an error of the database."""
    with pytest.raises(BadCursor):
        machine.store.incidents(cursor=cursor)


# -- notes ------------------------------------------------------------------------------------


def test_a_note_stands_on_the_timeline_between_the_facts(machine: Machine) -> None:
    """Oldest first, whoever wrote it."""
    caller = Caller()
    machine.drained(caller.arrives(), caller.hangs_up())
    written = noted(machine.store, caller.reference, "I rang back", by="sam", at=after(30))
    kinds = [entry.kind for entry in machine.store.timeline(caller.reference)]
    assert kinds == ["call_arrived", "prompt_played", "note_added", "line_dropped"]
    told = machine.store.timeline(caller.reference)[2]
    assert told == written
    assert told.data == {"text": "I rang back", "by": "sam"}
    assert machine.store.written(caller.reference) == [written]


def test_a_note_and_its_revision_are_one_transaction(machine: Machine) -> None:
    """A note that could not be told to the screens is not kept either."""
    caller = Caller()
    machine.drained(caller.arrives())
    before = machine.store.revision()

    def fail(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("UPDATE incidents"):
            raise RuntimeError("the process dies here")

    event.listen(machine.store.engine, "before_cursor_execute", fail)
    with pytest.raises(RuntimeError):
        noted(machine.store, caller.reference, "lost", by="sam", at=NOW)
    event.remove(machine.store.engine, "before_cursor_execute", fail)
    assert machine.store.written(caller.reference) == []
    assert machine.store.revision() == before
    entry = noted(machine.store, caller.reference, "kept", by="sam", at=NOW)
    assert machine.store.written(caller.reference) == [entry]
    assert machine.store.revision() == before + 1


def test_a_note_on_no_incident_is_refused_and_leaves_nothing(machine: Machine) -> None:
    """Raises what it says and writes no row."""
    with pytest.raises(NoSuchIncident):
        noted(machine.store, "QL-2222-2222-222", "x", by="sam", at=NOW)
    with pytest.raises(NoSuchIncident):
        machine.store.timeline("QL-2222-2222-222")
    with reading(machine.store.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(timeline)) == 0


# -- revisions --------------------------------------------------------------------------------

WRITERS = 4
CHANGES = 25


def test_a_reader_of_revisions_never_misses_one_under_concurrent_writers(machine: Machine) -> None:
    """PostgreSQL ids commit out of order: a reader of ``id > last`` once missed one for good."""
    callers = [Caller(number=None) for _ in range(WRITERS)]
    machine.drained(*(caller.arrives() for caller in callers))
    store = machine.store
    start, last = store.revision(), store.revision()
    given: list[int] = []
    go = threading.Barrier(WRITERS + 1)

    def write(caller: Caller) -> None:
        go.wait()
        for _ in range(CHANGES):
            with writing(store.engine) as connection:
                revision = next_revision(connection)
                connection.execute(
                    incidents.update()
                    .where(incidents.c.call_key == caller.key)
                    .values(revision=revision)
                )
            given.append(revision)

    threads = [threading.Thread(target=write, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    go.wait()
    newest: dict[str, int] = {}

    def look() -> None:
        nonlocal last
        for revision, incident in store.changed_since(last):
            assert revision > last
            last = revision
            newest[incident.call_key] = revision

    while any(thread.is_alive() for thread in threads):
        look()
    look()
    # Every revision was given once, and the reader ends with each call's last.
    assert sorted(given) == list(range(start + 1, start + 1 + WRITERS * CHANGES))
    with reading(store.engine) as connection:
        rows = connection.execute(select(incidents.c.call_key, incidents.c.revision)).all()
    assert {row.call_key: row.revision for row in rows} == newest


def test_the_check_for_missed_revisions_catches_a_writer_without_its_turn(
    postgresql_url: str, machine_of: Callable[[str], Machine]
) -> None:
    """Planted: a revision that commits after a later one is missed by such a reader."""
    machine = machine_of(postgresql_url)
    one, other = Caller(number=None), Caller(number=None)
    machine.drained(one.arrives(), other.arrives())
    store, last = machine.store, machine.store.revision()
    with store.engine.connect() as slow:
        slow.execute(
            incidents.update()
            .where(incidents.c.call_key == one.key)
            .values(revision=next_revision(slow))
        )
        with store.engine.begin() as quick:
            quick.execute(
                incidents.update()
                .where(incidents.c.call_key == other.key)
                .values(revision=last + 2)
            )
        seen = store.changed_since(last)
        last = seen[-1][0]
        slow.commit()
    assert [incident.call_key for _, incident in seen] == [other.key]
    assert store.changed_since(last) == []
