"""The pages as the server sends them: their words, their headers, their refusals."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from a2wsgi import WSGIMiddleware
from flask.testing import FlaskClient

from console.headers import HEADERS, POLICY, Headers
from console.pages import LONGEST_NOTE
from tests.console.asgi import Message, Request
from tests.console.site import Console

TEMPLATES = Path(__file__).resolve().parents[2] / "console" / "templates"
NASTY = "<script>alert(1)</script>'\"><img src=x onerror=alert(1)>{{7*7}}\u202e\r\n"


@pytest.fixture
def console(data: Path, sqlite_url: str) -> Console:
    """A console over an empty store."""
    return Console(data, sqlite_url)


@pytest.fixture
def handler(console: Console) -> FlaskClient:
    """A signed-in handler."""
    return console.handler()


def note(client: FlaskClient, reference: str, text: str, **headers: str) -> tuple[int, str]:
    """Write a note in the page's own form."""
    page = client.get(f"/incidents/{reference}").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token is not None
    answer = client.post(
        f"/incidents/{reference}/notes",
        data={"csrf_token": token[1], "text": text},
        headers=headers,
    )
    return answer.status_code, answer.text


def test_no_template_carries_a_script_or_a_style_of_its_own() -> None:
    """The content policy would refuse them, and rightly."""
    for template in TEMPLATES.iterdir():
        text = template.read_text(encoding="utf-8")
        assert re.search(r"\sstyle=|<style|\son[a-z]+=|javascript:", text) is None, template.name
        for script in re.findall(r"<script[^>]*>", text):
            assert "src=" in script, template.name
        assert "|safe" not in text.replace(" ", ""), template.name


def test_the_policy_allows_what_we_serve_and_nothing_else() -> None:
    """No inline code, no other host, no frame."""
    assert "default-src 'none'" in POLICY
    assert "frame-ancestors 'none'" in POLICY
    for loose in ("unsafe", "*", "http", "data:", "blob:"):
        assert loose not in POLICY


def test_every_answer_carries_the_security_headers() -> None:
    """Whoever gave it; over https also HSTS; a header already there is left alone."""

    async def app(_scope: Message, _receive: object, send: object) -> None:
        assert callable(send)
        own = [(b"Cache-Control", b"max-age=1")]
        await send({"type": "http.response.start", "status": 200, "headers": own})
        await send({"type": "http.response.body", "body": b""})

    async def run() -> None:
        answer = await Request(Headers(app, https=True), "/").finish()
        for name, value in HEADERS.items():
            if name != b"cache-control":
                assert answer.headers[name.decode()] == value.decode()
        assert answer.headers["Cache-Control"] == "max-age=1"
        assert "cache-control" not in answer.headers
        assert "strict-transport-security" in answer.headers

    asyncio.run(run())


def test_the_time_of_an_answer_is_left_to_the_server(console: Console) -> None:
    """The server says it of every answer: said by the page as well, it stood there twice."""

    async def run() -> None:
        wsgi: Any = console.app.wsgi_app
        pages: Any = WSGIMiddleware(wsgi)
        answer = await Request(Headers(pages, https=False), "/api/v1/openapi.json").finish()
        assert answer.status == 200
        assert "date" not in {name.lower() for name in answer.headers}

    asyncio.run(run())


def test_the_first_paint_is_whole_without_scripts(console: Console, handler: FlaskClient) -> None:
    """Rows, counts, and the number masked."""
    reference = console.reference(console.call("55", number="+447700900123"))
    page = handler.get("/").text
    assert reference in page
    assert "…0123" in page
    assert "+447700900123" not in page
    assert "55 pressed" in page


@pytest.mark.parametrize("purpose", ["training", "live"])
def test_a_training_call_is_marked(console: Console, handler: FlaskClient, purpose: str) -> None:
    """And a live one is not."""
    reference = console.reference(console.call("55", purpose=purpose))
    page = handler.get(f"/incidents/{reference}/record").text
    assert ("TRAINING" in page) == (purpose == "training")


def test_a_proof_call_is_not_shown(console: Console, handler: FlaskClient) -> None:
    """The way is proved every minute; that is not a caller."""
    console.call("55", purpose="proof")
    assert "No call is waiting" in handler.get("/").text


def test_nothing_a_caller_controls_becomes_markup(console: Console, handler: FlaskClient) -> None:
    """Stored XSS: the number, the keys, a note."""
    reference = console.reference(console.call("5<b>5", number=NASTY))
    console.drain()
    assert note(handler, reference, NASTY)[0] == 303
    for path in ("/", f"/incidents/{reference}", f"/incidents/{reference}/record", "/review"):
        page = handler.get(path).text
        assert "<script>alert" not in page
        assert "<img" not in page
        assert "<b>5" not in page
        assert "49" not in re.findall(r"class=\"quote\">([^<]*)", page)


def test_a_note_stands_on_the_timeline_under_its_writer(
    console: Console, handler: FlaskClient
) -> None:
    """Line breaks are kept; the note is there at once."""
    reference = console.reference(console.call("55"))
    console.drain()
    assert note(handler, reference, " Child heard\r\ncrying ")[0] == 303
    page = handler.get(f"/incidents/{reference}").text
    assert "Child heard\ncrying" in page
    assert "anna" in page


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "Write something"), (" \r\n ", "Write something"), ("x" * 4001, "1 too many")],
)
def test_a_refused_note_comes_back_with_the_reason(
    console: Console, handler: FlaskClient, text: str, said: str
) -> None:
    """422, the sentence, and every word that was typed."""
    reference = console.reference(console.call("55"))
    console.drain()
    status, page = note(handler, reference, text)
    assert status == 422
    assert said in page
    assert text.strip() in page


def test_a_note_on_a_call_the_store_does_not_know_yet_is_kept(
    console: Console, handler: FlaskClient
) -> None:
    """The board is ahead of the store; the handler is asked to save again."""
    reference = console.reference(console.call("55"))
    status, page = note(handler, reference, "He is here")
    assert status == 503
    assert "He is here" in page
    assert "Save again" in page


def test_a_note_with_the_store_down_is_kept(console: Console, handler: FlaskClient) -> None:
    """It is not saved, it says so, and it is not lost."""
    reference = console.reference(console.call("55"))
    console.drain()
    assert handler.get("/").status_code == 200
    with console.store_away():
        status, page = note(handler, reference, "He is here")
        assert status == 503
        assert "is not saved" in page
        assert "He is here" in page
        status, said = note(handler, reference, "He is here", X_Requested_With="fetch")
        assert status == 503
        assert "is not saved" in said


def test_the_longest_note_fits(console: Console, handler: FlaskClient) -> None:
    """Also when each character takes four bytes."""
    reference = console.reference(console.call("55"))
    console.drain()
    assert note(handler, reference, "\U0001f198" * LONGEST_NOTE)[0] == 303


@pytest.mark.parametrize(
    "reference", ["QL-0000-0000-000", "QL-7K3M-9F2X-HC4", "x", "..", "%00", "QL-7K3M", "'" * 300]
)
def test_an_unknown_reference_is_a_friendly_404(handler: FlaskClient, reference: str) -> None:
    """Also one that is no reference at all."""
    answer = handler.get(f"/incidents/{reference}")
    assert answer.status_code == 404
    assert "Live board" in answer.text


def test_static_files_are_kept_only_under_their_own_version(console: Console) -> None:
    """A new release is never half old; nothing else in the folder tree can be had."""
    version = console.app.extensions["quietline_assets"]
    client = console.stranger()
    lasting = client.get(f"/static/{version}/js/page.js")
    assert lasting.status_code == 200
    assert "immutable" in lasting.headers["Cache-Control"]
    assert lasting.headers["Content-Type"].startswith("text/javascript")
    old = client.get("/static/old/js/page.js")
    assert "no-cache" in old.headers["Cache-Control"]
    for path in ("../app.py", "%2e%2e/app.py", "js/../../app.py", "%2fetc/passwd", "js"):
        assert client.get(f"/static/{version}/{path}").status_code in (308, 404)


@pytest.fixture
def broken(console: Console, monkeypatch: pytest.MonkeyPatch) -> Console:
    """A console in which the board cannot be asked."""

    def fail(*_: object) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr(type(console.watch), "view", fail)
    return console


def test_a_failure_shows_a_friendly_page_and_no_detail(broken: Console) -> None:
    """500, a sentence, and nothing of the inside."""
    answer = broken.handler().get("/")
    assert answer.status_code == 500
    assert "It has been logged" in answer.text
    assert "planted" not in answer.text
    assert "Traceback" not in answer.text
