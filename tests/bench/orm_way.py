"""The way most would write it: the library's validator, SQLAlchemy's ORM, VoiceResponse.

Written to be good at what it does: one durable insert a webhook and no look-ups, the database in
WAL mode with ``synchronous=FULL``, and a stage that travels in the address, as ours does.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, request
from sqlalchemy import Engine, String, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Gather, VoiceResponse

PROMPT = "If you need help and can't speak, press 5, then 5 again. Press 5 5 now."


class Base(DeclarativeBase):
    """The tables' base."""


class Happened(Base):
    """One webhook."""

    __tablename__ = "happened"
    id: Mapped[int] = mapped_column(primary_key=True)
    call_sid: Mapped[str] = mapped_column(String(64), index=True)
    stage: Mapped[str] = mapped_column(String(300))
    number: Mapped[str] = mapped_column(String(64))
    digits: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


def database() -> Engine:
    """Open the database, durable, with its tables."""
    engine = create_engine(f"sqlite:///{os.environ['BENCH_DATA']}/orm.db")

    @event.listens_for(engine, "connect")
    def durable(connection: Any, _: Any) -> None:
        for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")

    Base.metadata.create_all(engine)
    return engine


def orm() -> Flask:
    """Build it. Answers the same requests as ours, with the same kind of TwiML."""
    engine = database()
    validator = RequestValidator(os.environ["BENCH_TOKEN"])
    public_url = os.environ["BENCH_URL"]
    flask_app = Flask("orm", static_folder=None)

    @flask_app.post("/voice/<path:stage>")
    def voice(stage: str) -> Response:
        signature = request.headers.get("X-Twilio-Signature", "")
        if not validator.validate(public_url + request.path, request.form, signature):
            return Response("not signed", 403)
        with Session(engine) as session:
            session.add(
                Happened(
                    call_sid=request.form["CallSid"],
                    stage=stage,
                    number=request.form["From"],
                    digits=request.form.get("Digits", ""),
                    at=datetime.now(UTC),
                )
            )
            session.commit()
        if stage == "status":
            return Response(status=204)
        document = VoiceResponse()
        gather = Gather(
            input="dtmf",
            timeout=4,
            num_digits=2,
            finish_on_key="",
            action_on_empty_result=True,
            action=f"{public_url}/voice/step/{len(stage)}",
            method="POST",
        )
        gather.say(PROMPT, voice="Polly.Amy", language="en-GB")
        document.append(gather)
        document.redirect(f"{public_url}/voice/step/{len(stage)}", method="POST")
        return Response(str(document), content_type="text/xml; charset=utf-8")

    return flask_app
