"""Every door of the phone side is locked, and there are only two windows."""

from __future__ import annotations

import logging
import re

import pytest
from flask import Flask
from werkzeug.routing import Rule

from config.policy import load_policy
from incidents.sealed import Keys
from tests.waiting import eventually
from tests.webhooks import requests
from tests.webhooks.phoneside import PhoneSide, settings_under
from tests.webhooks.requests import call, form, signature
from webhooks import refusals
from webhooks.answers import Answers
from webhooks.documents import Documents
from webhooks.phone import application
from webhooks.refusals import Refusals
from webhooks.signature import Signatures

OPEN = {"/healthz", "/readyz"}


@pytest.fixture
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The Flask app of the phone side."""
    site = settings_under(tmp_path_factory.mktemp("site"))
    policy = load_policy(site)
    documents = Documents(policy.voices, policy.questions, site.public_url, None)
    answers = Answers(policy, Keys(site.key_material), documents, None)
    signatures = Signatures(site.public_url, site.auth_tokens)
    return application(answers, signatures, Refusals(site.account_sid))


def filled(rule: Rule) -> str:
    """Return an address the rule matches."""
    return re.sub(r"<[^>]+>", "x", rule.rule)


def test_every_route_demands_a_signature_or_only_tells_how_we_are(
    app: Flask, phone: PhoneSide
) -> None:
    """A route somebody adds without thinking of this fails here."""
    rules = list(app.url_map.iter_rules())
    assert {rule.rule for rule in rules if "GET" in (rule.methods or ())} == OPEN
    locked = [rule for rule in rules if rule.rule not in OPEN]
    assert len(locked) >= 10
    for rule in locked:
        assert rule.methods == {"POST"}, rule
        path = filled(rule)
        assert phone.send(path, form(call())).status == 403, path
        assert phone.post(path, signed=False).status == 403, path
        assert phone.post(path).status in (200, 204), path


def test_the_two_open_routes_tell_nothing_about_callers(phone: PhoneSide) -> None:
    """Alive, and ready: no count, no number, no name of a machine."""
    phone.post("/voice/incoming")
    assert phone.send("/healthz", method="GET").text.strip() == '{"status":"alive"}'
    assert phone.send("/readyz", method="GET").text.strip() == '{"problems":[],"ready":true}'


def test_no_answer_to_a_stranger_says_what_we_are(phone: PhoneSide) -> None:
    """A refusal is two words of plain text; no cookie, no server, no trace."""
    answer = phone.post("/voice/incoming", signed=False)
    assert answer.body == b"not signed\n"
    assert set(answer.headers) == {"content-type", "content-length"}


def test_refused_requests_that_name_our_account_raise_the_alarm(phone: PhoneSide) -> None:
    """A wrong public URL looks just like forgery, and then no caller is heard."""
    for _ in range(refusals.MANY - 1):
        phone.post("/voice/incoming", signed=False)
    assert phone.alarms() == set()
    phone.post("/voice/incoming", token="forged")
    eventually(lambda: phone.alarms() == {"refused-webhooks"})
    beat = phone.beat()
    assert beat["counters"]["webhooks_refused"] == refusals.MANY
    assert beat["counters"]["webhooks_refused_naming_us"] == refusals.MANY
    assert requests.ACCOUNT not in str(beat)


@pytest.mark.parametrize(
    "pairs",
    [
        call(AccountSid="AC" + "f" * 32),
        [("Note", f"AccountSid={requests.ACCOUNT}")],
        [("XAccountSid", requests.ACCOUNT)],
        [("AccountSid", requests.ACCOUNT + "0")],
        [("AccountSid", requests.ACCOUNT.lower())],
        [],
    ],
)
def test_refused_requests_that_name_another_account_raise_none(
    phone: PhoneSide, pairs: requests.Pairs
) -> None:
    """Strangers knock all day; a handler must not be rung for them."""
    for _ in range(refusals.MANY * 3):
        assert phone.post("/voice/incoming", pairs, signed=False).status == 403
    assert phone.alarms() == set()


def test_the_alarm_ends_when_the_refusals_are_over() -> None:
    """Judged over a window, with a clock of the test's own."""
    now = [0.0]
    counted = Refusals(requests.ACCOUNT, lambda: now[0])
    for _ in range(refusals.MANY):
        counted.count(form(call()))
    assert counted.many()
    now[0] += refusals.WINDOW + 1
    assert not counted.many()


def test_a_wrong_public_url_is_noticed_though_every_signature_is_twilios(phone: PhoneSide) -> None:
    """The commonest outage: signed with our token, for an address we do not know we have."""
    for _ in range(refusals.MANY):
        made = signature("https://other.example/voice/incoming", call())
        headers = [("X-Twilio-Signature", made), ("Content-Type", requests.FORM)]
        assert phone.send("/voice/incoming", form(call()), headers).status == 403
    assert phone.alarms() == {"refused-webhooks"}


def test_nothing_of_a_refused_request_reaches_a_log(
    phone: PhoneSide, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whoever is not Twilio cannot write into our logs, even at DEBUG."""
    with caplog.at_level(logging.DEBUG):
        canary = call(number="+447700900987", SpeechResult="hyacinth", CallerName="hyacinth")
        for path in ("/voice/incoming", "/voice/hyacinth", "/voice/step/hyacinth"):
            phone.post(path, canary, signed=False, headers=[("User-Agent", "hyacinth")])
            phone.post(path, canary, token="forged")
    out = capfd.readouterr()
    written = caplog.text + out.out + out.err
    assert "hyacinth" not in written
    assert "900987" not in written
    assert phone.events() == []
