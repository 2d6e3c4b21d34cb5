"""The bugs others shipped, one test each, named after them (telephony.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callflow.call import Call, Stage
from config.policy import load_policy
from config.settings import BadSetting
from incidents.fold import fold
from tests.webhooks import requests, twimlrules
from tests.webhooks.phoneside import Answered, PhoneSide, settings_under
from tests.webhooks.requests import FORM, call, form, signature
from tests.webhooks.test_guard import failing_answers

Start = Callable[..., PhoneSide]
STEP = "/voice/step/signal.4.1798000000.1.00.0.0.0.0.0-"


def following(phone: PhoneSide, document: bytes) -> str:
    """Return the path the caller's phone asks for next."""
    path = twimlrules.next_path(document, requests.PUBLIC_URL)
    assert path is not None
    return path


# Twilio: "Twilio signs the URL exactly as it requested it"; a TLS proxy in front makes it http.
def test_an_https_signature_behind_a_proxy_that_speaks_http_is_good(start: Start) -> None:
    """Bug: http/https signature mismatch behind a proxy, and the caller heard an apology."""
    phone = start(QUIETLINE_PUBLIC_URL="https://phone.example:8443/quiet")
    for url in ("https://phone.example:8443/quiet", "https://phone.example/quiet"):
        made = signature(f"{url}/voice/incoming", call())
        headers = [
            ("Host", "10.0.0.7:8055"), ("X-Forwarded-Proto", "http"), ("Content-Type", FORM),
            ("X-Twilio-Signature", made),
        ]  # fmt: skip
        answer = phone.send("/voice/incoming", form(call()), headers)
        assert twimlrules.keeps_the_caller(answer.body, "https://phone.example:8443/quiet") == []


def test_no_webhook_is_behind_csrf_login_rate_limit_or_a_redirect(phone: PhoneSide) -> None:
    """Bug: routes for machines behind doors for people. Two hundred calls, no cookie, no 3xx."""
    answers = [phone.post("/voice/incoming", call(sid=f"CA{at}")) for at in range(200)]
    assert {answer.status for answer in answers} == {200}
    assert not any({"location", "set-cookie", "retry-after"} & set(a.headers) for a in answers)


def test_no_failure_is_an_html_page(start: Start) -> None:
    """Bug: the framework's error page, which Twilio cannot parse."""
    phone = start(failing_answers)
    for path in ("/voice/incoming", "/voice/fallback", STEP, "/voice/nowhere", "/nowhere"):
        answer = phone.post(path)
        assert answer.headers["content-type"].startswith("text/xml")
        assert b"<html" not in answer.body.lower()


def test_no_document_redirects_for_ever_without_listening(phone: PhoneSide) -> None:
    """Bug: endless Redirect. Every document listens or rings before it asks for the next."""
    document = phone.post("/voice/incoming").body
    for _ in range(60):
        assert twimlrules.faults(document, requests.PUBLIC_URL) == []
        path = twimlrules.next_path(document, requests.PUBLIC_URL)
        if path is None:
            break
        assert b"<Gather" in document or b"<Dial" in document
        document = phone.post(path).body


def test_every_document_moves_on_to_a_higher_step(phone: PhoneSide) -> None:
    """Bug: endless Redirect to oneself. The step number grows with every document."""
    document, last = phone.post("/voice/incoming").body, 0
    for keys in ["", "", "5", "", "5", "", "7"]:
        path = following(phone, document)
        step = Call.read(path.removeprefix("/voice/step/")).step
        assert step > last
        last = step
        document = phone.post(path, call(Digits=keys)).body


def test_every_gather_has_an_action(phone: PhoneSide) -> None:
    """Bug: a Gather with no action posts to its own document, and the call begins again."""
    document = phone.post("/voice/incoming").body
    for _ in range(12):
        assert document.count(b"<Gather") == document.count(b' action="')
        document = phone.post(following(phone, document), call(Digits="")).body


def test_truth_is_written_in_small_letters(phone: PhoneSide) -> None:
    """Bug: ``True`` instead of ``true``, which Twilio takes for false."""
    document = phone.post("/voice/incoming").body
    assert b'actionOnEmptyResult="true"' in document
    assert b"True" not in document
    assert b"None" not in document


@pytest.mark.parametrize(
    ("digits", "keys"), [("055", "055"), ("05", "05"), ("0", "0"), ("*5", "*5")]
)
def test_digits_are_never_made_a_number(phone: PhoneSide, digits: str, keys: str) -> None:
    """Bug: ``Digits`` cast to int: leading zeros lost, a star an error."""
    phone.post(STEP, call(Digits=digits))
    assert [event.data["keys"] for event in phone.events()] == [keys]


def test_a_retry_is_not_counted_twice(phone: PhoneSide) -> None:
    """Bug: a retried 5 becomes 55. Here it stays one 5, and the caller is asked for one more."""
    answers = [phone.post(STEP, call(Digits="5")) for _ in range(5)]
    incident = fold(phone.events(), "QL-TEST").incident
    assert (incident.keys, incident.signal, incident.urgency) == ("5", "someone_there", 2)
    assert {tuple(twimlrules.spoken(a.body)) for a in answers} == {("Please press 5 again.",)}


@pytest.mark.parametrize("path", ["/voice/fallback", "/voice/unknown", "/voice/step/nonsense"])
def test_a_retry_whose_state_was_lost_is_not_counted_twice_either(
    phone: PhoneSide, path: str
) -> None:
    """The same bug where no step number can help."""
    for _ in range(5):
        phone.post(path, call(Digits="5"))
    assert fold(phone.events(), "QL-TEST").incident.keys == "5"


def test_completed_before_the_last_keys_does_not_lose_them(phone: PhoneSide) -> None:
    """Bug: ``completed`` overtakes the last Gather. The keys still confirm, and a handler looks."""
    document = phone.post("/voice/incoming").body
    assert phone.post("/voice/status", call(CallStatus="completed")).status == 204
    phone.post(following(phone, document), call(Digits="55"))
    incident = fold(phone.events(), "QL-TEST").incident
    assert (incident.signal, incident.urgency, incident.state) == ("confirmed", 1, "waiting")
    assert incident.connection == "dropped"


def test_two_answers_of_one_step_at_the_same_moment_are_both_kept(phone: PhoneSide) -> None:
    """Bug: a handler's update races a Gather action. Neither is lost, in whichever order."""
    key, silence = call(Digits="5"), call()

    async def race() -> list[Answered]:
        sent = []
        for pairs in (key, silence):
            made = signature(requests.PUBLIC_URL + STEP, pairs)
            headers = [("X-Twilio-Signature", made), ("Content-Type", FORM)]
            sent.append(phone.asend(STEP, form(pairs), headers))
        return await asyncio.gather(*sent)

    assert [answer.status for answer in phone.runner.run(race())] == [200, 200]
    assert {event.kind for event in phone.events()} == {"keys_pressed", "nothing_heard"}
    assert fold(phone.events(), "QL-TEST").incident.keys == "5"


# Twilio: "text/plain: Twilio will read the text aloud to the caller."
def test_no_markup_is_ever_read_aloud(phone: PhoneSide) -> None:
    """Bug: the wrong content type, and the phone menu reads its own markup to the caller."""
    for path in ("/voice/incoming", STEP, "/voice/fallback", "/voice/nowhere"):
        answer = phone.post(path, call(CallerName="<b>", SpeechResult="<Say>"))
        assert answer.headers["content-type"] == "text/xml; charset=utf-8"
        assert all("<" not in said for said in twimlrules.spoken(answer.body))


def test_nobody_on_shift_does_not_ring_for_ever(with_room: PhoneSide) -> None:
    """Bug: nobody on shift and it rings for ever. It rings 20 s, then the line listens again."""
    waited = Call(Stage.HOLD, 9, 1_798_000_000, keys="5", heard=True, listen=5, waited=40)
    document = with_room.post(f"/voice/step/{waited.write()}").body
    assert twimlrules.rings(document, requests.CONTROL_ROOM)
    assert b'<Dial timeout="20"' in document
    path = following(with_room, document)
    document = with_room.post(path, call(DialCallStatus="no-answer")).body
    assert twimlrules.keeps_the_caller(document, requests.PUBLIC_URL) == []
    assert b"<Gather" in document
    # And then it is rung again: someone is always next.
    silent = Call.read(following(with_room, document).removeprefix("/voice/step/"))
    now, rang = datetime.now(UTC), False
    for _ in range(20):
        now += timedelta(seconds=silent.listen)
        document = with_room.post(following(with_room, document)).body
        rang = rang or twimlrules.rings(document, requests.CONTROL_ROOM)
    assert rang


@pytest.mark.parametrize("url", ["http://[::]:8081", "http://0.0.0.0:8055", "phone.example", "::"])
def test_twilio_is_never_told_an_address_it_cannot_reach(tmp_path: Path, url: str) -> None:
    """Bug: public URL unset, so Twilio was told ``http://[::]:8081``. Here that does not start."""
    with pytest.raises(BadSetting, match="QUIETLINE_PUBLIC_URL"):
        load_policy(settings_under(tmp_path, QUIETLINE_PUBLIC_URL=url))


def test_every_address_we_give_out_begins_with_the_configured_one(phone: PhoneSide) -> None:
    """Whatever the request called us."""
    for host in ("evil.example", "[::]:8081", ""):
        document = phone.post("/voice/incoming", headers=[("Host", host)]).body
        assert following(phone, document).startswith("/voice/step/")
        assert document.count(b"://") == document.count(b"https://phone.example/voice/")
