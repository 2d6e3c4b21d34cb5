"""A form that was sent while the store was away: given back as it was sent, to be sent again.

It asks the store nothing and shows nothing but what the form itself held. What signs somebody in
is never given back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from flask import render_template, request

from console.person_page import LABELS

AWAY: Final = (
    "The store cannot be reached: nothing was done. What you typed stays here. "
    "Wait a moment, then send it again."
)
LONG: Final = 60
"""Characters that are too many for one line."""
_SIGNING_IN: Final = frozenset({"signin", "second_step", "users"})
_OURS: Final = frozenset({"as_read", "token", "seen", "call", "back", "next"})
"""Fields a page fills in by itself."""
_CHOSEN: Final = frozenset(
    {
        *("kind", "outcome", "decision", "finding", "result", "part", "known", "repeat"),
        *("number_safe", "never_call", "safe", "owner", "officer", "cover", "spoc", "deputy"),
    }
)
"""Fields that are chosen, not typed: what was chosen is told, and is chosen anew on the page."""
_IDS: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}")
_NAMES: Final[Mapping[str, str]] = {
    **LABELS,
    "area": "Area",
    "baseline_from": "Baseline: first day",
    "baseline_to": "Baseline: last day",
    "due": "Due",
    "from_day": "First day",
    "person": "Full name",
    "said": "In your words",
    "spoc": "SPOC",
    "starts": "From",
    "terms": "What you look for",
    "text": "Text",
    "to_day": "Last day",
    "until": "Last day",
    "who": "What you look for",
    "why": "Why this is right",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A field as it was sent. ``how``: ``hidden``, ``chosen``, ``line`` or ``text``."""

    field: str
    label: str
    value: str
    how: str


def form_again() -> str | None:
    """Write the page with the form of this request; None where it is none that is given back."""
    if request.method != "POST" or request.blueprint in _SIGNING_IN:
        return None
    if request.headers.get("X-Requested-With") == "fetch" or "csrf_token" not in request.form:
        return None  # the page that asked still has what was typed
    fields = [
        _sent(name, value)
        for name, values in request.form.lists()
        for value in values
        if name != "csrf_token"
    ]
    return render_template("form_again.html", fields=fields, refusals={"state": AWAY})


def _sent(field: str, value: str) -> Sent:
    plain = field.removeprefix("follow_up_")
    label = _NAMES.get(plain, plain.replace("_", " ").capitalize())
    if plain in _OURS or _IDS.fullmatch(value):
        return Sent(field, label, value, "hidden")
    if plain in _CHOSEN or (plain == "who" and value == "yes"):
        return Sent(field, label, value, "chosen")
    return Sent(field, label, value, "text" if len(value) > LONG or "\n" in value else "line")
