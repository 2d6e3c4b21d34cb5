"""The page of somebody whose role has no page of its own."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from console.guard import doors, holder, signed_in
from console.places import START

start = Blueprint("start", __name__)


@start.get(START)
@signed_in
def page() -> ResponseReturnValue:
    """Say who one is signed in as, and whom to ask."""
    name = doors().accounts.roles.names.get(holder().role, holder().role)
    return render_template("start.html", role=name)
