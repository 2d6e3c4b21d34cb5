"""The line for known victims over the real processes: who rings when, and nothing is let out."""

from __future__ import annotations

import base64
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from config.policy import load_policy
from config.settings import load
from console.words import LOCAL
from incidents.audit import Audit
from incidents.codes import Codes
from incidents.contacts import Contacts
from incidents.follow_ups import FollowUps
from incidents.person_numbers import put_number
from incidents.persons import Persons
from incidents.routing import FILE, Snapshot, of_number
from incidents.safe_contact import SafeContact
from incidents.sealed import Keys
from incidents.store import Store
from incidents.transactions import writing
from simulator.caller import Caller
from simulator.exchange import Exchange
from simulator.moments import FarEnd, Note
from tests.running import ROOT, Quietline
from tests.scenarios.conftest import CONTROL_ROOM, LINES, Site, sites
from tests.scenarios.handlers import Handler, waits
from tests.waiting import eventually

LINE = "+441632960104"
SPOC, DEPUTY = "+447700900701", "+447700900702"
KNOWN = "+447700900711"
CONTACT = f'[[line]]\nnumber = "{LINE}"\nkind = "contact"\n'
TRAINING = '[[line]]\nnumber = "+441632960105"\nkind = "contact"\npurpose = "training"\n'
HELD = "Please stay on the line"
NOBODY = FarEnd(outcome="no-answer")
VOICEMAIL = FarEnd(after=1.0)
TAKES = FarEnd(after=1.0, presses="1")


@dataclass
class Line:
    """A site with a line for known victims, one of whom is ``mair``."""

    site: Site
    exchange: Exchange
    mair: str
    code: str

    def calls(self, number: str, line: str = LINE) -> Caller:
        """Somebody rings the line and hears the words."""
        call = self.exchange.call(number, line)
        return call.hears("If you have a code, type it now")

    @contextmanager
    def without_ladder(self) -> Iterator[None]:
        """Let nobody be rung by the ladder meanwhile, however slow the machine is: keys count."""
        engine = self.site.quietline.child("engine")
        engine.suspend()
        try:
            yield
        finally:
            engine.resume()

    def answer(self, spoc: FarEnd, deputy: FarEnd, desk: FarEnd) -> None:
        """Say how each of the three behaves when they are rung."""
        self.exchange.far_ends = {SPOC: spoc, DEPUTY: deputy, CONTROL_ROOM: desk}


@pytest.fixture(scope="module")
def line_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, str, str]]:
    """The site, and its known victim and their code, once the engine has published them."""
    folder = tmp_path_factory.mktemp("contact")
    for site in sites(folder, CONTACT + TRAINING, QUIETLINE_CONTROL_ROOM=CONTROL_ROOM):
        mair, code = known(site.quietline)
        yield site, mair, code


def known(quietline: Quietline) -> tuple[str, str]:
    """Put a repeat victim with SPOC, deputy and code on record, and wait for the snapshot."""
    for name, phone in (("cara", SPOC), ("dan", DEPUTY)):
        quietline.command("users", "add", name, "--role", "contact_officer", "--phone", phone)
    settings = load(quietline.settings, ROOT)
    policy, keys = load_policy(settings), Keys(settings.key_material)
    store, now = Store(settings.database_url, keys), datetime.now(UTC)
    audit = Audit(store.engine, keys)
    mair = Persons(store, keys, audit).add("Mair Example", by="cara", now=now, repeat=True)
    with writing(store.engine) as connection:
        put_number(connection, keys, mair, KNOWN, SafeContact(), by="cara", now=now)
    contacts = Contacts(store, keys, audit, policy.roles)
    day = now.astimezone(LOCAL).date()
    contacts.assign(mair, "cara", "dan", by="cara", now=now, day=day)
    code = Codes(store, keys, audit, policy.contact.line.ask.keys).give(mair, by="cara", now=now)
    snapshot = Snapshot(settings.data / FILE, keys, policy.contact.stale_after)
    eventually(lambda: snapshot.find(of_number(keys, KNOWN)) is not None, 20)
    return mair, code


@pytest.fixture
def line(line_site: tuple[Site, str, str]) -> Iterator[Line]:
    """The line, with nobody who answers until a test says so; Twilio has nothing to complain of."""
    site, mair, code = line_site
    made = Line(site, site.exchange(), mair, code)
    made.answer(NOBODY, NOBODY, NOBODY)
    yield made
    for call in made.exchange.calls:
        call.hang_up()
    assert made.exchange.faults == []
    assert made.exchange.rest.outbound == [], "rule 7: nobody is rung by a call of our own"


def until_held(call: Caller) -> list[Note]:
    """What happened before the line was held: from then on the ladder rings whom it wants."""
    notes = list(call.call.notes)
    said = [at for at, note in enumerate(notes) if HELD in note.detail.get("say", "")]
    return notes[: said[0] + 1] if said else notes


def rung(call: Caller) -> list[str]:
    """The numbers Twilio was told to ring, in order."""
    return [note.detail["number"] for note in until_held(call) if note.kind == "dialled"]


def heard(call: Caller) -> list[tuple[int, str]]:
    """What the caller heard, words and ringing, and when, in whole seconds from the start."""
    kinds = {"heard": "words", "dialled": "ringing"}
    return [
        (round(note.at), note.detail.get("say", kinds[note.kind]))
        for note in until_held(call)
        if note.kind in kinds
    ]


def held(call: Caller) -> Caller:
    """Let everything pass until the line is held."""
    return call.stays_silent(until=HELD)


def test_a_known_number_rings_spoc_then_deputy_then_desk(line: Line) -> None:
    """Nobody takes the call: it is held for a handler, inside 45 seconds, and is an incident."""
    call = held(line.calls(KNOWN))
    assert rung(call) == [SPOC, DEPUTY, CONTROL_ROOM]
    ended = [note.at for note in until_held(call) if note.kind == "unbridged"]
    assert (len(ended), ended[-1] <= 45) == (3, True)
    incident = line.exchange.incident(call, urgency=2)
    assert (incident.line, incident.state, incident.connection) == ("contact", "waiting", "open")
    assert incident.reasons == ["left waiting on the contact line"]
    call.stays_silent(600).is_still_on_the_line()


def test_the_spoc_takes_the_call_by_pressing_1(line: Line) -> None:
    """The record names who took it; when they hang up the caller is held, and keys are heard."""
    line.answer(TAKES, NOBODY, NOBODY)
    call = line.calls(KNOWN).stays_silent().is_connected_to(SPOC)
    assert rung(call) == [SPOC]
    handler = Handler.signs_in(line.site)
    eventually(lambda: "connected" in kinds(handler, call, line.exchange), 10)
    told = handler.timeline(call, line.exchange)
    assert [one["data"]["to"] for one in told if one["kind"] == "connected"] == ["cara"]
    call.the_other_side_hangs_up().hears("stay on the line").presses("55").settles()
    assert line.exchange.incident(call, signal="confirmed").urgency == 1


def test_a_voicemail_does_not_take_the_call(line: Line) -> None:
    """It picks up and presses nothing: the deputy is rung, and the caller heard none of it."""
    line.answer(VOICEMAIL, TAKES, NOBODY)
    call = line.calls(KNOWN).stays_silent().is_connected_to(DEPUTY)
    assert rung(call) == [SPOC, DEPUTY]
    assert not [words for words in call.heard if "Press 1" in words]


def test_a_code_from_another_phone_reaches_the_same_people(line: Line) -> None:
    """And the code stands nowhere: not in the record, not in an address, not in the clear on
    any disk."""
    call = line.calls("anonymous").presses(line.code)
    held(call)
    assert rung(call) == [SPOC, DEPUTY, CONTROL_ROOM]
    incident = line.exchange.incident(call, signal="someone_there")
    assert (incident.keys, incident.urgency) == ("", 2)
    handler = Handler.signs_in(line.site)
    told = handler.timeline(call, line.exchange)
    assert [one["data"] for one in told if one["kind"] == "code_typed"] == [{"recognised": True}]
    asked = " ".join(one.url for one in line.exchange.traffic)
    assert not holds_code(asked, line.code)
    on_disk = [path.read_bytes() for path in line.site.quietline.data.rglob("*") if path.is_file()]
    assert not any(line.code.encode() in piece for piece in on_disk if len(piece) < 10**7)
    assert line.code not in line.site.quietline.output


def holds_code(text: str, code: str) -> bool:
    """Say whether a code stands in a text, also inside a longer number or in base64."""
    pieces = re.findall(r"[A-Za-z0-9_-]{16,}", text)
    opened = [base64.urlsafe_b64decode(piece + "=" * (-len(piece) % 4)) for piece in pieces]
    return code in text or any(code.encode() in piece for piece in opened)


@pytest.mark.parametrize("typed", ["", "999666", "1", "0#"])
def test_known_or_not_the_same_is_heard_at_the_same_time(line: Line, typed: str) -> None:
    """The desk is rung three times for a stranger: the same words, the same moments."""
    calls = [line.calls(number) for number in (KNOWN, "+447700900712", "anonymous")]
    for call in calls:
        if typed:
            call.presses(typed)
        held(call)
    assert rung(calls[0]) == [SPOC, DEPUTY, CONTROL_ROOM]
    assert rung(calls[1]) == rung(calls[2]) == [CONTROL_ROOM] * 3
    assert heard(calls[0]) == heard(calls[1]) == heard(calls[2])
    assert len(heard(calls[0])) == 5, "the words, three rings, the words of the hold"


@pytest.mark.parametrize("keys", ["55", "5*5", "1255", "5"])
def test_rule_5_fives_at_the_code_go_the_silent_way(line: Line, keys: str) -> None:
    """Nobody is rung who would ask aloud; one 5 is asked for the other."""
    with line.without_ladder():
        call = line.calls(KNOWN).presses(keys).settles()
        if keys == "5":
            call.hears("press 5 again").presses("5").settles()
    incident = line.exchange.incident(call, signal="confirmed")
    assert (incident.urgency, incident.keys.replace("*", "")) == (1, "55")
    assert not {SPOC, DEPUTY} & set(rung(call))


def test_rule_5_two_fives_after_nobody_took_the_call_confirm(line: Line) -> None:
    """On hold keys are heard again, as after every connection."""
    with line.without_ladder():
        call = held(line.calls(KNOWN)).presses("5").stays_silent(20).presses("5").settles()
    assert line.exchange.incident(call, signal="confirmed").urgency == 1


@pytest.mark.parametrize("spoilt", ["gone", "broken", "stale"])
def test_without_a_good_snapshot_the_desk_is_rung_and_nobody_is_lost(
    line: Line, spoilt: str
) -> None:
    """With the engine standing still; a moment after it goes on, the SPOC is rung again."""
    file = line.site.quietline.data / FILE
    with line.without_ladder():
        if spoilt == "gone":
            file.unlink()
        elif spoilt == "broken":
            file.write_text('{"form": 1, "routes": [', encoding="ascii")
        else:
            os.utime(file, (time.time() - 7200,) * 2)
        call = line.calls(KNOWN)
        held(call)
        assert rung(call) == [CONTROL_ROOM] * 3
    settings = load(line.site.quietline.settings, ROOT)
    keys = Keys(settings.key_material)
    snapshot = Snapshot(file, keys, load_policy(settings).contact.stale_after)
    eventually(lambda: snapshot.find(of_number(keys, KNOWN)) is not None, 20)
    assert rung(held(line.calls(KNOWN)))[0] == SPOC


def test_a_training_line_rings_nobody_and_waits_as_long(line: Line) -> None:
    """Rule 7: an exercise wakes no officer; keys are heard the whole time."""
    call = held(line.calls(KNOWN, "+441632960105"))
    assert rung(call) == []
    assert line.exchange.incident(call, urgency=2).purpose == "training"
    other = line.calls(KNOWN, "+441632960105").stays_silent(8).presses("55").settles()
    assert line.exchange.incident(other, signal="confirmed").keys == "55"


def test_a_handler_who_claims_meanwhile_ends_the_ringing(line: Line) -> None:
    """With a reason, as from every connection; the caller is held for them."""
    call = line.calls(KNOWN).stays_silent()
    eventually(lambda: waits(call) == "ringing", 5)
    handler = Handler.signs_in(line.site)
    handler.does("take-over", call, line.exchange, reason="known to me")
    eventually(lambda: waits(call) != "ringing", 10)
    call.is_on_hold()
    assert line.exchange.incident(call).handler == handler.name


@pytest.mark.parametrize("how", ["number", "code", "nobody"])
def test_every_call_leaves_a_follow_up_for_who_acts_or_for_the_supervisors(
    line: Line, how: str
) -> None:
    """Once it is over, whether anybody took it or not."""
    call = line.calls(KNOWN if how == "number" else "anonymous")
    if how == "code":
        call.presses(line.code).settles()
    call.hangs_up()
    reference = line.exchange.incident(call, connection="dropped").reference
    settings = load(line.site.quietline.settings, ROOT)
    policy, keys = load_policy(settings), Keys(settings.key_material)
    store = Store(settings.database_url, keys)
    made = FollowUps(store, keys, Audit(store.engine, keys), policy.follow_ups, policy.roles)

    def owners() -> list[str | None]:
        return [one.owner for one in made.of_call(reference) if one.rule == "contact_line"]

    eventually(lambda: len(owners()) == 1, 20)
    assert owners() == [None if how == "nobody" else "cara"]


def kinds(handler: Handler, call: Caller, exchange: Exchange) -> list[str]:
    """The kinds of a timeline's entries."""
    return [str(one["kind"]) for one in handler.timeline(call, exchange)]


def test_the_lines_of_this_site_are_no_others() -> None:
    """The numbers above are not those of the other scenarios."""
    assert not {LINE, "+441632960105", SPOC, DEPUTY} & set(LINES.values())
