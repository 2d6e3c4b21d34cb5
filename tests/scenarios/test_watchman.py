"""The watchman on the real product: its call comes all the way, and an empty desk is told."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from simulator.signing import sign
from tests import running
from tests.scenarios.conftest import LINES, Site
from tests.waiting import eventually


def test_a_proof_call_reaches_the_live_feed_and_no_board(
    quietline: Callable[..., running.Quietline],
) -> None:
    """Through the public address, signed, marked: heard by every screen, shown on none.

    Nobody is at work here, which is an alarm on every console and on /metrics.
    """
    site = quietline()
    token = {"Authorization": f"Bearer {site.token()}"}
    parts = urlsplit(site.console_url)
    feed = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=40)
    feed.request("GET", "/live", headers=token)
    stream = feed.getresponse()
    said: list[str] = []
    for line in stream:
        said.append(line.decode())
        if line.startswith(b"event: proof"):
            break
    assert '"purpose":"proof"' not in "".join(said)
    feed.close()

    def listed(query: str = "") -> list[dict[str, object]]:
        url = f"{site.console_url}/api/v1/incidents{query}"
        status, body = running.fetch(url, headers=token)
        assert status == 200
        found: list[dict[str, object]] = json.loads(body)["incidents"]
        return found

    (proof,) = eventually(lambda: listed("?purpose=proof"))
    assert (proof["purpose"], proof["caller"]) == ("proof", {"number": None, "withheld": True})
    eventually(lambda: listed("?purpose=proof")[0]["connection"] == "dropped")
    assert listed() == []

    def figures() -> str:
        return running.fetch(f"{site.console_url}/metrics")[1]

    # The token's program reads, and works no calls: its feed puts nobody on duty.
    eventually(lambda: 'quietline_alarm{name="nobody-on-duty"} 1.0' in figures(), 40)
    assert 'quietline_alarm{name="way-not-proved"} 0.0' in figures()
    assert 'quietline_alarm{name="ladder-silent"} 0.0' in figures()


def test_a_mark_that_is_not_ours_makes_no_proof_call(site: Site) -> None:
    """Whoever signs and guesses at the mark is a caller like any other, and on every board."""
    quietline = site.quietline
    call = {
        "CallSid": "CA" + "57" * 16,
        "AccountSid": quietline.account_sid,
        "From": "anonymous",
        "To": LINES["emergency"],
        "CallStatus": "ringing",
        "QuietlineProof": "0" * 40,
    }
    for path, status in (("/voice/incoming", "ringing"), ("/voice/status", "completed")):
        url = quietline.settings["QUIETLINE_PUBLIC_URL"] + path
        sent = {**call, "CallStatus": status}
        signed = sign(url, list(sent.items()), quietline.auth_token)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": signed,
        }
        answered, _ = running.fetch(url, method="POST", headers=headers, body=urlencode(sent))
        assert answered in (200, 204)

    def purposes() -> list[str]:
        url = f"{quietline.console_url}/api/v1/incidents?call_sid={call['CallSid']}"
        _, body = running.fetch(url, headers={"Authorization": f"Bearer {site.token}"})
        return [one["purpose"] for one in json.loads(body)["incidents"]]

    assert eventually(purposes) == ["live"]
