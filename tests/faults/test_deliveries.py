"""Duplicates, reordering and replays of webhooks; and an application that was away for a while."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from incidents.fold import Incident
from incidents.sealed import Keys, read_secret
from incidents.store import Store
from tests.faults.processes import Site, site
from tests.faults.signedcalls import ACTION, Line, parameters
from tests.waiting import eventually

Webhook = tuple[str, list[tuple[str, str]]]
NUMBERS = [f"+4477009007{at:02}" for at in range(8)]
HEARD = [("55",), ("5", "5"), ("5", "", "5"), ("7",), ("", "", ""), ("*55#",), ("5",), ("555", "5")]


@pytest.fixture
def started(data: Path) -> Iterator[Site]:
    """A phone and an engine of the test's own."""
    with site(data) as running:
        running.start()
        yield running


def recorded(running: Site) -> Store:
    """The site's store, opened with its keys."""
    keys = Keys(read_secret((running.data / "keys").read_text(encoding="ascii")))
    return Store(f"sqlite:///{running.store}", keys)


def play(line: Line, at: int, sid: str) -> list[Webhook]:
    """Play one call as it should go; return its webhooks."""
    params = parameters(sid, NUMBERS[at])
    sent: list[Webhook] = [(f"{line.url}/voice/incoming", params)]
    answer = line.post(*sent[0])
    for digits in HEARD[at]:
        action = ACTION.search(answer)
        assert action, answer
        sent.append((action.group(1).decode(), [*params, ("Digits", digits)]))
        answer = line.post(*sent[-1])
    sent.append((f"{line.url}/voice/status", [*params, ("CallStatus", "completed")]))
    line.post(*sent[-1])
    return sent


def told(incidents: Sequence[Incident]) -> dict[str, dict[str, object]]:
    """What the incidents say, by call, without the times."""
    times = ("started_at", "signal_at", "ended_at")
    return {
        one.call_sid: {k: v for k, v in one.as_json().items() if k not in times}
        for one in incidents
    }


def test_each_webhook_sent_up_to_five_times_in_any_order_makes_the_same_incidents(
    started: Site,
) -> None:
    """faults.md: "send each webhook 1–5 times, shuffled: every order folds to the same incident".

    Retries mean duplicates are normal, and the order of arrival is not guaranteed.
    """
    line = Line(started.url)
    chance = random.Random(55)
    played = [play(line, at, f"CA{at:032x}") for at in range(len(HEARD))]
    store = recorded(started)
    eventually(lambda: len(store.incidents()[0]) == len(HEARD), 15)
    eventually(lambda: all(one.ended_at for one in store.incidents()[0]), 15)
    before = told(store.incidents()[0])
    assert before[f"CA{0:032x}"]["signal"] == "confirmed"
    assert before[f"CA{6:032x}"]["signal"] == "someone_there"
    last = store.revision()
    again = [hook for hooks in played for hook in hooks for _ in range(chance.randint(1, 5))]
    chance.shuffle(again)
    for url, params in again:
        line.post(url, params)
    # A last new call, so that there is something to wait for behind all of those.
    play(line, 0, f"CA{99:032x}")
    eventually(lambda: len(store.incidents()[0]) == len(HEARD) + 1, 15)
    assert store.revision() > last
    after = told(store.incidents()[0])
    after.pop(f"CA{99:032x}")
    assert after == before
    store.engine.dispose()


def test_when_we_were_away_the_fallback_makes_an_alert_that_says_so(started: Site) -> None:
    """faults.md: "Twilio uses the fallback URL"; domain.md: "our own failure, fallback reached:
    urgency at most 2, waiting, open"."""
    line = Line(started.url)
    params = parameters(f"CA{5:032x}", NUMBERS[0])
    started.phone.kill()
    assert not started.answers()
    started.revive()
    eventually(started.answers, 20)
    lost = [("ErrorCode", "11200"), ("ErrorUrl", f"{line.url}/voice/incoming")]
    answer = line.post(f"{line.url}/voice/fallback", [*params, *lost])
    assert b"<Gather" in answer
    assert b"<Hangup" not in answer
    store = recorded(started)
    eventually(lambda: store.incidents()[0], 15)
    (incident,), _ = store.incidents()
    assert incident.reasons == ("our answer failed",)
    assert incident.urgency <= 2
    assert (incident.state, incident.connection) == ("waiting", "open")
    # Keys are heard from there on, and the 55 that follows confirms.
    action = ACTION.search(answer)
    assert action
    line.post(action.group(1).decode(), [*params, ("Digits", "55")])
    eventually(lambda: store.incidents()[0][0].signal == "confirmed", 15)
    assert store.incidents()[0][0].urgency == 1
    store.engine.dispose()


def test_a_fallback_that_is_retried_is_one_failure_and_its_5_is_one_5(started: Site) -> None:
    """A retried 5 can never become 55, even where the state of the call is lost."""
    line = Line(started.url)
    params = parameters(f"CA{6:032x}", NUMBERS[1], ("Digits", "5"), ("ErrorCode", "11200"))
    for _ in range(3):
        line.post(f"{line.url}/voice/fallback", params)
    store = recorded(started)
    eventually(lambda: store.incidents()[0], 15)
    play(line, 3, f"CA{7:032x}")
    eventually(lambda: len(store.incidents()[0]) == 2, 15)
    found = store.incidents(call_sid=f"CA{6:032x}")[0][0]
    assert (found.keys, found.signal) == ("5", "someone_there")
    assert found.urgency == 2
    store.engine.dispose()
