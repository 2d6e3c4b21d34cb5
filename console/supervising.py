"""The supervisor's page: who is on duty, who holds what, what waits longest, the last handover.

It shows and takes handover notes; calls are worked on their own pages. Who is on duty
is told to every screen, so that nobody believes the room is full when it is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console.audited import audited
from console.guard import doors, for_right, holder
from console.watch import Watch
from incidents.desk import Actor, Desk, Unfit
from incidents.fold import Entry, Incident
from incidents.ladder_policy import Ladder
from incidents.presence import OnDuty, Presence
from incidents.transactions import StoreUnavailable

NOT_SAVED = "The store cannot be reached: the note is not saved. It stays here."


@dataclass(frozen=True, slots=True)
class Held:
    """What one person holds, the longest held first. ``on_duty``: their screen is heard."""

    name: str
    on_duty: bool
    incidents: Sequence[Incident]


def held(incidents: Sequence[Incident], present: Sequence[OnDuty]) -> list[Held]:
    """Say who holds what, by name; people on duty who hold nothing come too."""
    names = {one.name for one in present}
    by_name: dict[str, list[Incident]] = {name: [] for name in names}
    for incident in incidents:
        if incident.state == "claimed" and incident.handler is not None:
            by_name.setdefault(incident.handler, []).append(incident)
    return [
        Held(name, name in names, sorted(mine, key=lambda one: one.claimed_at or one.started_at))
        for name, mine in sorted(by_name.items())
    ]


def waiting(incidents: Sequence[Incident]) -> list[Incident]:
    """Return what nobody has, or whose holder is away: the longest waiting first."""
    unowned = [
        one
        for one in incidents
        if one.state == "waiting" or (one.state == "claimed" and one.away_at is not None)
    ]
    return sorted(unowned, key=lambda one: (one.started_at, one.reference))


def hears_from(ladder: Ladder) -> int:
    """Return the rung, counted from 1, from which supervisors' screens sound."""
    louder = (at for at, rung in enumerate(ladder.rungs, 1) if rung.does != "show")
    return next(louder, 1)


def blueprint(desk: Desk, presence: Presence, watch: Watch, ladder: Ladder) -> Blueprint:
    """Make the blueprint of the supervisor's page."""
    pages = Blueprint("supervising", __name__)
    rung = hears_from(ladder)

    def present() -> list[OnDuty]:
        return presence.on_duty(doors().clock(), desk.rules.roles.with_right("work"))

    def page(typed: str = "", refusal: str = "") -> str:
        incidents = watch.view().incidents
        try:
            duty: list[OnDuty] | None = present()
            notes: list[Entry] | None = desk.handovers()
        except StoreUnavailable:
            duty = notes = None
        return render_template(
            "supervisor.html",
            duty=duty,
            held=held(incidents, duty or ()),
            waiting=waiting(incidents),
            notes=notes,
            role_names=desk.rules.roles.names,
            typed=typed,
            refusal=refusal,
        )

    @pages.get("/supervisor")
    @for_right("supervise")
    def supervisor() -> ResponseReturnValue:
        if request.headers.get("X-Requested-With") != "fetch":
            audited().looked(holder(), "opened the supervisor's page", "supervisor")
        return page()

    @pages.post("/supervisor/handover")
    @for_right("supervise")
    def handover() -> ResponseReturnValue:
        text = request.form.get("text", "")
        who = Actor(holder().name, holder().role)
        try:
            desk.handover_note(text, by=who, now=doors().clock())
        except Unfit as unfit:
            return page(text, str(unfit)), 422
        except StoreUnavailable:
            return page(text, NOT_SAVED), 503
        return redirect(url_for("supervising.supervisor", _anchor="handover"), 303)

    @pages.get("/on-duty")
    @for_right("read")
    def on_duty() -> ResponseReturnValue:
        answer = jsonify(on_duty=[one.name for one in present()])
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @pages.app_context_processor
    def furnish() -> dict[str, object]:
        return {"hears_from_rung": rung}

    return pages
