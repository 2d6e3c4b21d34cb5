"""Asking why somebody opens a closed record that is not their own work.

It shows nothing of the record but its reference, and keeps the reason for that session
and record (``console.audited``). It judges no reason: whoever reads the audit does.
"""

from __future__ import annotations

import re
from typing import Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console.audited import LONGEST_REASON, audited, tidy
from console.guard import for_right, holder
from incidents.sealed import is_reference

opening = Blueprint("opening", __name__)

_FOLLOW_UP: Final = re.compile(r"/follow-ups/[0-9a-f-]{36}")
SHORTEST_REASON = 8
"""Characters: "look" explains nothing to whoever reads it in a year."""


def ask_why(reference: str, typed: str = "", refusal: str = "") -> str:
    """Write the form that asks for the reason."""
    return render_template(
        "why.html",
        reference=reference,
        typed=typed,
        refusal=refusal,
        longest=LONGEST_REASON,
        back=way_back(),
    )


def way_back() -> str:
    """Return the page the reason was asked on, where that is not the record's own; else nothing."""
    found = _FOLLOW_UP.match(request.form.get("back", "") or request.path)
    return found[0] if found else ""


@opening.post("/incidents/<reference>/open")
@for_right("read")
def open_record(reference: str) -> ResponseReturnValue:
    """Keep the reason and go to the record."""
    if not is_reference(reference):
        abort(404)
    reason = tidy(request.form.get("reason", ""))
    if len(reason) < SHORTEST_REASON:
        say = "Say in a few words why you open this record."
        return ask_why(reference, reason, say), 422
    audited().keep_reason(holder(), reference, reason)
    return redirect(way_back() or url_for("pages.incident", reference=reference), 303)
