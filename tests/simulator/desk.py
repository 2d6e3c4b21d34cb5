"""A small console and phone side that hold, claim and ask, to test both sides of a scenario with.

It keeps one dictionary for each call and nothing else; its orders go to the practice phone's
exchange, as the product's do in training mode.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import requests
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from simulator.practice import practice
from simulator.target import Target
from tests.simulator.product import ACCOUNT, PUBLIC_URL, TOKEN, Product
from tests.simulator.serving import serving

READER, HANDLER = "a-reader", "a-handler"
HOW = "For yes, press any key twice. For no, press once."
GATHER = '<Gather action="{}" numDigits="{}" timeout="4" finishOnKey="" actionOnEmptyResult="true">'
HOLD = GATHER.format("/keys", 2) + "<Say>Please stay on the line.</Say></Gather>"


class Desk:
    """Takes calls through ``product`` and is worked through its own small API."""

    def __init__(self, product: Product) -> None:
        self.incidents: dict[str, dict[str, Any]] = {}
        self.url = ""
        self.question = ""
        product.answers.update(
            {
                "/voice/incoming": self._arrives,
                "/keys": self._keys,
                "/hold": HOLD,
                "/ask": self._asks,
                "/answer": self.answered,
                "/voice/status": self._ended,
            }
        )

    def _arrives(self, request: Any) -> str:
        sid = request.form["CallSid"]
        self.incidents[sid] = {
            "reference": f"QL-{sid[-6:]}",
            "call_sid": sid,
            "signal": "nothing",
            "urgency": 4,
            "keys": "",
            "state": "waiting",
            "connection": "open",
            "ended_at": None,
            "answers": [],
        }
        return GATHER.format("/keys", 2) + "<Say>Press 5 5 now.</Say></Gather>"

    def _keys(self, request: Any) -> str:
        incident = self.incidents[request.form["CallSid"]]
        incident["keys"] += request.form.get("Digits", "")
        if incident["keys"].count("5") > 1:
            incident |= {"signal": "confirmed", "urgency": 1}
        return HOLD

    def _asks(self, request: Any) -> str:
        text = request.args["text"]
        incident = self.incidents[request.form["CallSid"]]
        incident["answers"].append({"text": text, "answer": None})
        return GATHER.format("/answer", 3) + f"<Say>{text}</Say><Say>{HOW}</Say></Gather>"

    def answered(self, request: Any) -> str:
        """Take an answer and go on."""
        asked = self.incidents[request.form["CallSid"]]["answers"]
        given = len(request.form.get("Digits", ""))
        asked[-1]["keys"] = request.form.get("Digits", "")
        asked[-1]["answer"] = {0: "none", 1: "no", 2: "yes"}.get(given, "unclear")
        if given <= 2:
            return HOLD
        text = asked[-1]["text"]
        return f"<Say>We didn't catch that.</Say><Redirect>/ask?text={quote(text)}</Redirect>"

    def _ended(self, request: Any) -> str:
        incident = self.incidents[request.form["CallSid"]]
        incident |= {"connection": "dropped", "ended_at": "now"}
        for asked in incident["answers"]:
            asked["answer"] = asked["answer"] or "line_dropped"
        return "<Response/>"

    def listed(self, request: Request) -> JSONResponse:
        """Answer ``GET /api/v1/incidents?call_sid=``."""
        found = self.incidents.get(request.query_params["call_sid"])
        return JSONResponse({"incidents": [found] if found else []})

    def order(self, request: Request) -> JSONResponse:
        """Answer ``claim`` and ``ask``, each by one REST order."""
        if request.headers["authorization"] != f"Bearer {HANDLER}":
            return JSONResponse({"error": "You may only read."}, 403)
        reference, what = request.path_params["reference"], request.path_params["what"]
        incident = next(one for one in self.incidents.values() if one["reference"] == reference)
        path = "/hold"
        if what == "claim":
            incident["state"] = "claimed"
        else:
            path = f"/ask?text={quote(self.question)}"
        calls = f"{self.url}/practice/twilio/2010-04-01/Accounts/{ACCOUNT}/Calls"
        answer = requests.post(
            f"{calls}/{incident['call_sid']}.json",
            data={"Url": f"{PUBLIC_URL}{path}"},
            auth=(ACCOUNT, TOKEN),
            timeout=5,
        )
        return JSONResponse(incident, 200 if answer.ok else 409)

    async def remembered(self, request: Request) -> JSONResponse:
        """Read the body, which only an asynchronous view can, and go on in a thread."""
        self.question = (await request.json()).get("text", "")
        return await run_in_threadpool(self.order, request)


@contextmanager
def desk(product: Product, *, training: bool = True) -> Iterator[Desk]:
    """Serve a desk; in training with the practice phone beside it."""
    made = Desk(product)

    async def signed_in(_: Request) -> bool:
        return True

    routes: list[Route | Mount] = [
        Route("/api/v1/incidents", made.listed, methods=["GET"]),
        Route("/api/v1/incidents/{reference}/{what}", made.remembered, methods=["POST"]),
    ]
    if training:
        phone = practice(Target(product.url, PUBLIC_URL, TOKEN, ACCOUNT), signed_in)
        routes.append(Mount("/practice", phone))
    with serving(Starlette(routes=routes)) as made.url:
        yield made
