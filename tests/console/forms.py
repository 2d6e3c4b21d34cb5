"""Forms as a browser sends them: with the token of the page they stand on."""

from __future__ import annotations

import re
from html import unescape

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

PASSWORD = "a long enough password"


def token(client: FlaskClient, path: str = "/sign-in") -> str:
    """The CSRF token of a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found is not None
    return found[1]


def send(
    client: FlaskClient,
    page: str,
    action: str | None = None,
    /,
    *,
    address: str = "10.0.0.1",
    **form: str,
) -> TestResponse:
    """Fill in a form of ``page`` and send it to ``action``, or to the page itself."""
    data = {**form, "csrf_token": token(client, page)}
    return client.post(action or page, data=data, environ_base={"REMOTE_ADDR": address})


def sign_in(
    client: FlaskClient, password: str = PASSWORD, *, name: str = "anna", address: str = "10.0.0.1"
) -> TestResponse:
    """Fill in the sign-in and send it."""
    return send(client, "/sign-in", name=name, password=password, address=address)


def words(answer: TestResponse) -> str:
    """What a page says, without its markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())
