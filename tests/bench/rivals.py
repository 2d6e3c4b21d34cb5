"""What Quietline is measured beside, on the same server with the same workers.

``python -m tests.bench.rivals NAME PORT DATA`` serves one of: ``bare`` (a Flask route that says
hello), ``edge`` (the same Flask route behind an ASGI edge like ours, with no work in it) and
``orm`` (the way most would write it: the library's validator, SQLAlchemy's ORM, VoiceResponse).
It refuses to make any of them slower than it need be.
"""

from __future__ import annotations

import ctypes
import io
import signal
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, Final

from flask import Flask

WORKERS: Final = 2
THREADS: Final = 16
_PR_SET_PDEATHSIG: Final = 1

Message = MutableMapping[str, Any]


def bare() -> Flask:
    """Build the bare route."""
    _die_with_parent()
    flask_app = Flask("bare", static_folder=None)

    @flask_app.get("/")
    def hello() -> str:
        return "hello"

    return flask_app


def edge() -> Callable[..., Awaitable[None]]:
    """Build the same route behind an ASGI edge: body read, WSGI called in the loop, answer sent."""
    flask_app = bare()

    async def application(
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] == "lifespan":
            while (message := await receive())["type"] != "lifespan.shutdown":
                await send({"type": f"{message['type']}.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        environ = {
            "REQUEST_METHOD": scope["method"],
            "SCRIPT_NAME": "",
            "PATH_INFO": scope["path"],
            "QUERY_STRING": "",
            "SERVER_NAME": "bench",
            "SERVER_PORT": "0",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": sys.stderr,
        }
        answered: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
            answered.extend((status, headers))

        body = b"".join(flask_app.wsgi_app(environ, start_response))
        headers = [(k.lower().encode(), v.encode()) for k, v in answered[1]]
        await send(
            {"type": "http.response.start", "status": int(answered[0][:3]), "headers": headers}
        )
        await send({"type": "http.response.body", "body": body})

    return application


def orm() -> Flask:
    """Build the way most would write it (``orm_way``)."""
    _die_with_parent()
    from tests.bench.orm_way import orm

    return orm()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def serve(name: str, port: int) -> None:
    """Serve one of them as Quietline's phone side is served: two workers, HTTP/1."""
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    if name == "orm":
        # Once, before two workers would both do it.
        from tests.bench.orm_way import database

        database().dispose()
    asgi = name == "edge"
    Server(
        f"tests.bench.rivals:{name}",
        factory=True,
        address="127.0.0.1",
        port=port,
        interface=Interfaces.ASGI if asgi else Interfaces.WSGI,
        workers=WORKERS,
        blocking_threads=1 if asgi else THREADS,
        http=HTTPModes.http1,
        websockets=False,
        backlog=2048,
        log_level=LogLevels.warning,
        workers_kill_timeout=4,
        working_dir=Path(__file__).resolve().parents[2],
    ).serve()


if __name__ == "__main__":
    _die_with_parent()
    serve(sys.argv[1], int(sys.argv[2]))
