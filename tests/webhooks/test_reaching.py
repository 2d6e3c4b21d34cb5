"""The line for known victims at the phone side: who is rung, what is said, what is kept."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from incidents.routing import FILE, Phone, Route, of_code, of_number, write
from incidents.sealed import Keys
from tests.webhooks import requests, twimlrules
from tests.webhooks.phoneside import PhoneSide, settings_under
from tests.webhooks.requests import call

LINE = "+441632960103"
DESK = "+441632960200"
SPOC, DEPUTY = Phone("anna", "+447700900701"), Phone("ben", "+447700900702")
KNOWN, STRANGER = "+447700900111", "+447700900112"
CODE = "123467"
PERSON = "0198" + "a" * 28
LINES = f'[[line]]\nnumber = "{LINE}"\nkind = "contact"\n'


@pytest.fixture
def phone(tmp_path: Path) -> Iterator[PhoneSide]:
    """A phone side with a line for known victims and a control room, and a snapshot."""
    lines = tmp_path / "lines.toml"
    lines.write_text(LINES, encoding="utf-8")
    site = settings_under(
        tmp_path / "data", QUIETLINE_LINES=str(lines), QUIETLINE_CONTROL_ROOM=DESK
    )
    published(site.data, Keys(site.key_material))
    side = PhoneSide(site)
    yield side
    side.close()


def published(data: Path, keys: Keys) -> Path:
    """Write a snapshot with one person, known by number and by code."""
    route = Route(PERSON, (SPOC, DEPUTY))
    write(data / FILE, {of_number(keys, KNOWN): route, of_code(keys, CODE): route}, keys)
    return data / FILE


class Caller:
    """Somebody on the line. ``document``: what their phone was told last."""

    def __init__(self, phone: PhoneSide, number: str, sid: str = "CA" + "1" * 32) -> None:
        self.phone = phone
        self.params = {"From": number, "To": LINE, "CallSid": sid}
        self.path = "/voice/incoming"
        self.document = b""
        self.said: list[str] = []
        self.rung: list[str] = []
        self.seconds: list[str] = []
        self.does()

    def does(self, **more: str) -> Caller:
        """Go on to the next document."""
        answer = self.phone.post(self.path, call(**{**self.params, **more}))
        faults = twimlrules.faults(answer.body, requests.PUBLIC_URL)
        assert (answer.status, faults) == (200, [])
        self.document = answer.body
        self.said += twimlrules.spoken(answer.body)
        self.path = twimlrules.next_path(answer.body, requests.PUBLIC_URL) or ""
        text = answer.body.decode()
        if "<Number" in text:
            self.rung.append(text.partition("</Number>")[0].rpartition(">")[2])
            self.seconds.append(text.partition('timeout="')[2].partition('"')[0])
        return self

    def waits(self) -> Caller:
        """Nobody takes the call, in every turn."""
        while "/voice/reach/" in self.path:
            self.does(DialCallStatus="no-answer", DialBridged="false")
        return self

    def take(self, digits: str) -> bytes:
        """Whoever is rung picks up and presses ``digits``; returns what they are told then."""
        url = twimlrules.whisper_url(self.document).removeprefix(requests.PUBLIC_URL)
        leg = {"ParentCallSid": self.params["CallSid"], "Direction": "outbound-dial"}
        asked = self.phone.post(url, call(**{**self.params, **leg, "CallSid": "CA" + "2" * 32}))
        assert "Press 1" in " ".join(twimlrules.spoken(asked.body))
        path = twimlrules.next_path(asked.body, requests.PUBLIC_URL)
        assert path is not None
        return self.phone.post(path, call(**{**self.params, **leg, "Digits": digits})).body


def test_a_known_number_rings_spoc_then_deputy_then_desk(phone: PhoneSide) -> None:
    """And then the line is held for a handler, who reads why."""
    caller = Caller(phone, KNOWN).does().waits()
    assert caller.rung == [SPOC.number, DEPUTY.number, DESK]
    last = phone.events()[-1]
    assert (last.data["next"], last.data["held"]) == (
        "hold",
        "left waiting on the contact line",
    )


def test_a_code_from_any_phone_rings_the_same(phone: PhoneSide) -> None:
    """Also from a withheld number, also when it is ended with #."""
    for number in (STRANGER, "anonymous"):
        for typed in (CODE, f"{CODE}#"):
            caller = Caller(phone, number).does(Digits=typed).waits()
            assert caller.rung == [SPOC.number, DEPUTY.number, DESK]


@pytest.mark.parametrize("does", [{}, {"Digits": "999666"}, {"Digits": "1"}, {"Digits": CODE}])
def test_known_or_not_the_words_and_times_are_the_same(
    phone: PhoneSide, does: dict[str, str]
) -> None:
    """Whatever is typed: three rings of the same lengths, and the same words."""
    one, other = (Caller(phone, number).does(**does).waits() for number in (KNOWN, STRANGER))
    assert one.said == other.said
    assert one.seconds == other.seconds == ["11", "11", "10"]
    if does.get("Digits") != CODE:
        assert other.rung == [DESK] * 3


def test_rule_5_two_fives_are_heard_and_nobody_is_rung(phone: PhoneSide) -> None:
    """Whatever stands between them; other keys beside them are counted and not kept."""
    caller = Caller(phone, KNOWN).does(Digits="1255")
    (pressed,) = [event for event in phone.events() if event.kind == "keys_pressed"]
    assert pressed.data["keys"] == "**55"
    assert caller.rung == []
    assert caller.said[-1] == "Please stay on the line."


def test_a_code_stands_nowhere(phone: PhoneSide) -> None:
    """Not in the record, not in an address, not in what travels to anybody."""
    caller = Caller(phone, STRANGER).does(Digits=CODE)
    assert CODE not in caller.path + caller.document.decode()
    told = [event for event in phone.events() if event.kind == "code_typed"]
    assert [event.data["recognised"] for event in told] == [True]
    assert CODE not in str(phone.events())
    caller.waits().does(Digits="123467")
    assert CODE not in str(phone.events())


def test_a_retried_code_is_one_event(phone: PhoneSide) -> None:
    """Twilio delivers twice what it thinks we missed."""
    caller = Caller(phone, KNOWN)
    path = caller.path
    for _ in range(2):
        caller.path = path
        caller.does(Digits=CODE)
    assert len({event.key for event in phone.events() if event.kind == "code_typed"}) == 1


def test_only_a_one_joins_whoever_is_rung_to_the_caller(phone: PhoneSide) -> None:
    """A voicemail presses nothing. Whoever takes the call stands on the record."""
    caller = Caller(phone, KNOWN).does()
    for digits in ("", "2"):
        assert twimlrules.hangs_up(caller.take(digits))
    assert [event for event in phone.events() if event.kind == "connected"] == []
    taken = caller.take("1")
    assert b"<Hangup/>" not in taken
    assert "may not be able to speak" in " ".join(twimlrules.spoken(taken))
    (connected,) = [event for event in phone.events() if event.kind == "connected"]
    assert connected.data == {"to": "anna"}


@pytest.mark.parametrize(
    ("told", "goes_on"),
    [
        ({"DialCallStatus": "completed", "DialBridged": "true"}, False),
        ({"DialCallStatus": "completed", "DialBridged": "false"}, True),
        ({"DialCallStatus": "completed"}, False),
        ({"DialCallStatus": "busy"}, True),
        ({"DialCallStatus": "failed", "DialBridged": "false"}, True),
    ],
)
def test_the_next_is_rung_unless_the_two_were_joined(
    phone: PhoneSide, told: dict[str, str], goes_on: bool
) -> None:
    """Twilio may call a screened call completed: what it says of the bridge counts first."""
    caller = Caller(phone, KNOWN).does().does(**told)
    assert caller.rung == ([SPOC.number, DEPUTY.number] if goes_on else [SPOC.number])


@pytest.mark.parametrize(
    "told",
    [
        {"DialCallStatus": "completed", "DialBridged": "false"},
        {"DialCallStatus": "canceled"},
        {"DialCallStatus": "completed"},
    ],
)
def test_nobody_is_said_to_be_rung_for_a_caller_who_has_hung_up(
    phone: PhoneSide, told: dict[str, str]
) -> None:
    """Twilio reports the ringing that ended with the call; what we answer then, nobody hears."""
    Caller(phone, KNOWN).does().does(CallStatus="completed", **told)
    *_, last = phone.events()
    said = {name: last.data.get(name) for name in ("who", "to", "prompt")}
    assert said == {"who": "anna", "to": None, "prompt": None}


def test_nobody_is_said_to_be_rung_where_our_answer_to_the_code_failed(phone: PhoneSide) -> None:
    """The fallback brings the code along and the line is held: no phone rang, nothing was said."""
    caller = Caller(phone, KNOWN)
    params = {**caller.params, "Digits": CODE, "ErrorCode": "11200"}
    url = requests.PUBLIC_URL + caller.path
    answer = phone.post("/voice/fallback", call(**params, ErrorUrl=url))
    assert "/voice/step/hold" in (twimlrules.next_path(answer.body, requests.PUBLIC_URL) or "")
    told = {event.kind: event.data for event in phone.events()}
    assert told["code_typed"]["person"] == PERSON
    assert not {"to", "prompt"} & told["code_typed"].keys()


def test_a_snapshot_that_is_gone_old_or_broken_knows_nobody(phone: PhoneSide) -> None:
    """The desk is rung then, and a good one counts again at once."""
    file, keys = phone.settings.data / FILE, Keys(phone.settings.key_material)
    hour_ago = time.time() - 2 * 3600
    for spoil in (
        file.unlink,
        lambda: file.write_text("{", encoding="ascii"),
        lambda: file.write_text("[]", encoding="ascii"),
        lambda: file.write_text('{"form": 1, "routes": {"x": 7}}', encoding="ascii"),
        lambda: os.utime(file, (hour_ago, hour_ago)),
        lambda: published(phone.settings.data, Keys(b"o" * 32)),
    ):
        published(phone.settings.data, keys)
        assert Caller(phone, KNOWN).does().waits().rung[0] == SPOC.number
        spoil()
        assert Caller(phone, KNOWN).does().waits().rung == [DESK] * 3


def test_the_snapshot_holds_nothing_in_the_clear_and_is_its_owners_alone(phone: PhoneSide) -> None:
    """Neither a number nor a code nor a name."""
    file = phone.settings.data / FILE
    held = file.read_text(encoding="ascii")
    assert not [one for one in (KNOWN, CODE, PERSON, "anna", SPOC.number) if one in held]
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_emergency_number_in_the_snapshot_is_never_rung(phone: PhoneSide) -> None:
    """Rule 12, whatever somebody entered as a phone of staff."""
    keys = Keys(phone.settings.key_material)
    bad = Route(PERSON, (Phone("anna", "999"), Phone("ben", "+44999"), DEPUTY))
    write(phone.settings.data / FILE, {of_number(keys, KNOWN): bad}, keys)
    assert Caller(phone, KNOWN).does().waits().rung == [DEPUTY.number, DESK, DESK]


@pytest.mark.parametrize("kept", ["x", "-", "A" * 300])
def test_an_address_that_is_not_ours_holds_the_line(phone: PhoneSide, kept: str) -> None:
    """Signed all the same: whoever it is, is a caller and is kept."""
    caller = Caller(phone, KNOWN).does()
    token = caller.path.split("/")[3]
    caller.path = f"/voice/reach/{token}/{kept}"
    assert "/voice/step/hold" in caller.does(DialCallStatus="no-answer").path
    for path in (f"/voice/take/{kept}", f"/voice/take/{kept}/answer"):
        answer = phone.post(path, call(**caller.params))
        assert twimlrules.keeps_the_caller(answer.body, requests.PUBLIC_URL) == []
        staff = phone.post(path, call(**{**caller.params, "Direction": "outbound-dial"}))
        assert twimlrules.hangs_up(staff.body)
