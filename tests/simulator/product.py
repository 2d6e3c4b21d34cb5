"""A small product with fixed answers, to test the simulator against: a Flask app on a real port."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, request
from twilio.request_validator import RequestValidator
from werkzeug.serving import make_server

TOKEN = "12345"
ACCOUNT = "AC" + "0" * 32
PUBLIC_URL = "https://phone.example:8443"

Answer = str | Response | Callable[[Any], Any]


def twiml(inside: str) -> Response:
    """Return a document holding ``inside``."""
    text = f'<?xml version="1.0" encoding="UTF-8"?><Response>{inside}</Response>'
    return Response(text, content_type="text/xml; charset=utf-8")


@dataclass
class Posted:
    """One request as the product saw it."""

    path: str
    form: dict[str, str]
    headers: dict[str, str]


@dataclass
class Product:
    """Answers each path with what a test laid down, and checks every signature with the library."""

    answers: dict[str, Answer] = field(default_factory=dict)
    posted: list[Posted] = field(default_factory=list)
    unsigned: list[str] = field(default_factory=list)
    url: str = ""

    def form(self, path: str) -> dict[str, str]:
        """Return the form of the last request to ``path``."""
        return next(posted.form for posted in reversed(self.posted) if posted.path == path)

    def paths(self) -> list[str]:
        """Return the paths asked for, in order."""
        return [posted.path for posted in self.posted]

    def answer(self, path: str) -> Any:
        """Answer one request."""
        self.posted.append(Posted(request.path, request.form.to_dict(), dict(request.headers)))
        signature = request.headers.get("X-Twilio-Signature", "")
        url = PUBLIC_URL + request.full_path.removesuffix("?")
        if not RequestValidator(TOKEN).validate(url, request.form, signature):
            self.unsigned.append(request.path)
        found = self.answers.get(f"/{path}")
        if found is None:
            return Response(status=204) if path == "voice/status" else Response(status=404)
        if callable(found) and not isinstance(found, Response):
            found = found(request)
        return twiml(found) if isinstance(found, str) else found


class ServedProduct:
    """Serves a product until it is closed."""

    def __init__(self) -> None:
        self.product = Product()
        app = Flask("product")
        app.add_url_rule(
            "/<path:path>", view_func=self.product.answer, methods=["POST", "GET"], endpoint="any"
        )
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self.product.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
