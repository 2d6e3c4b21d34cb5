"""The phone side in this process: the real ASGI application, fed by hand."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from config.policy import load_policy
from config.settings import Settings, load
from incidents.recorded import Recorded, unseal
from incidents.sealed import Keys
from incidents.tail import Tail
from incidents.wake import Ear
from tests.webhooks import requests
from webhooks.edge import Edge

BEAT = 0.02


def settings_under(data: Path, **environment: str) -> Settings:
    """Return the settings of a site with a Twilio account, kept under ``data``."""
    given = {
        "TWILIO_ACCOUNT_SID": requests.ACCOUNT,
        "TWILIO_AUTH_TOKEN": requests.TOKEN,
        "TWILIO_AUTH_TOKEN_NEXT": requests.NEXT_TOKEN,
        "QUIETLINE_PUBLIC_URL": requests.PUBLIC_URL,
        "QUIETLINE_DATA": str(data),
    }
    # An empty folder as root: no .env of a developer is read.
    empty = data / "no-settings-here"
    empty.mkdir(parents=True, exist_ok=True)
    return load({**given, **environment}, empty)


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer, as it went out."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()


@dataclass
class PhoneSide:
    """One phone process' application and the loop it runs in."""

    settings: Settings
    edge: Edge = field(init=False)
    parts: dict[str, Any] = field(default_factory=dict)
    """What to build the edge with instead of the real thing."""
    ear_at: Path | None = None
    closed: bool = False

    def __post_init__(self) -> None:
        self.runner = asyncio.Runner()
        self.edge = Edge(self.settings, load_policy(self.settings), beat=BEAT, **self.parts)
        self._talk: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self._said: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        self.ear = Ear(self.ear_at or self.settings.wake, "test")
        self.runner.run(self._start())

    async def _start(self) -> None:
        self._life = asyncio.get_running_loop().create_task(
            self.edge({"type": "lifespan"}, self._talk.get, self._said.put)
        )
        await self._talk.put({"type": "lifespan.startup"})
        assert (await self._said.get())["type"] == "lifespan.startup.complete"

    def close(self) -> None:
        """Stop as the server would stop it; once is enough."""
        if self.closed:
            return
        self.closed = True

        async def stop() -> None:
            await self._talk.put({"type": "lifespan.shutdown"})
            await self._life

        self.runner.run(stop())
        self.runner.close()
        self.ear.close()

    def send(
        self,
        path: str,
        body: bytes = b"",
        headers: Iterable[tuple[str, str]] = (),
        method: str = "POST",
    ) -> Answered:
        """Send one request and return the answer."""
        return self.runner.run(self.asend(path, body, headers, method))

    async def asend(
        self,
        path: str,
        body: bytes = b"",
        headers: Iterable[tuple[str, str]] = (),
        method: str = "POST",
    ) -> Answered:
        """Send one request from within the loop."""
        raw_path, _, query = path.partition("?")
        scope: dict[str, Any] = {
            "type": "http",
            "method": method,
            "path": _decoded(raw_path),
            "raw_path": raw_path.encode(),
            "query_string": query.encode(),
            "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in headers],
        }
        parts: list[MutableMapping[str, Any]] = [{"type": "http.request", "body": body}]
        said: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return parts.pop() if parts else {"type": "http.disconnect"}

        async def send(message: MutableMapping[str, Any]) -> None:
            said.append(message)

        await self.edge(scope, receive, send)
        start, *rest = said
        got = {k.decode().lower(): v.decode() for k, v in start["headers"]}
        return Answered(start["status"], got, b"".join(part.get("body", b"") for part in rest))

    def post(
        self,
        path: str,
        pairs: requests.Pairs | None = None,
        *,
        signed: bool = True,
        token: str = requests.TOKEN,
        headers: Iterable[tuple[str, str]] = (),
    ) -> Answered:
        """Post a form as Twilio does."""
        pairs = requests.call() if pairs is None else pairs
        made = requests.signature(self.settings.public_url + path, pairs, token)
        given = [("Content-Type", requests.FORM), *headers]
        if signed:
            given.append(("X-Twilio-Signature", made))
        return self.send(path, requests.form(pairs), given)

    def events(self) -> list[Recorded]:
        """Return every event once, in order: a slow disk's may be in the spare journal as well."""
        return list({recorded.key: recorded for _, recorded in self.kept()}.values())

    def kept(self) -> list[tuple[str, Recorded]]:
        """Return every event of both folders, each with the folder's name."""
        keys = Keys(self.settings.key_material)
        found = []
        for folder in self.settings.journals:
            tail = Tail([folder])
            found += [(folder.name, unseal(event, keys)) for _, _, event in tail.read(100_000)]
            tail.close()
        return found

    def beat(self) -> dict[str, Any]:
        """Return the next status beat that is sent from now on."""
        self.ear.receive()

        async def wait() -> dict[str, Any]:
            async with asyncio.timeout(5):
                while True:
                    await asyncio.sleep(BEAT / 2)
                    for heard in self.ear.receive():
                        if heard.startswith(b"{"):
                            found: dict[str, Any] = json.loads(heard)
                            return found

        return self.runner.run(wait())

    def alarms(self) -> set[str]:
        """Return the names of the alarms in the next status beat."""
        return {alarm["id"] for alarm in self.beat()["alarms"]}

    def ready(self) -> int:
        """Return the status of ``/readyz``."""
        return self.send("/readyz", method="GET").status


def break_folder(folder: Path) -> None:
    """Put a file where a journal's folder was: nothing can be written there, even by root."""
    while folder.is_dir():  # its writer may be making a file at this moment
        shutil.rmtree(folder, ignore_errors=True)
    folder.write_text("in the way", encoding="ascii")


def mend_folder(folder: Path) -> None:
    """Take the file away again."""
    folder.unlink()


def _decoded(path: str) -> str:
    return os.fsdecode(unquote_to_bytes(path))
