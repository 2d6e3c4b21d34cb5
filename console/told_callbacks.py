"""Call-backs on a timeline, in words: who asked, against which mark, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

KINDS: Final = {
    "callback_asked": "Call-back asked for",
    "callback_started": "Call-back started",
    "callback_failed": "The officer's own phone could not be rung; nobody was called back",
    "callback_taken": "The officer pressed 1; the person's phone is rung",
    "callback_not_taken": "The officer's phone was answered; nobody was called back",
    "callback_answered": "The call-back was picked up",
    "callback_machine": "A machine answered the call-back; no message was left",
    "callback_ended": "The call-back is over",
    "callback_confirmed": "The person said who they are and that it is safe",
    "callback_finished": "Call-back finished",
    "wrong_voice": "Wrong voice on a call-back: somebody else answered",
}


def told(kind: str, data: Mapping[str, Any]) -> tuple[str, str]:
    """Return the detail of an entry, and what was said, kept verbatim."""
    by = str(data.get("by") or data.get("name") or "")
    match kind:
        case "callback_asked" if data.get("against"):
            return f"{by}, against: {data['against']}", str(data.get("reason") or "")
        case "callback_started" if data.get("training"):
            return f"in training, nobody is rung, {by}", ""
        case "callback_not_taken" if data.get("late"):
            return f"the 1 came too late, or after the safe hour, {by}", ""
        case "callback_not_taken":
            return f"no 1 was pressed, {by}", ""
        case "callback_ended":
            return ", ".join(filter(None, (str(data.get("status") or ""), by))), ""
        case "callback_finished":
            return f"{data.get('result')}, {by}", str(data.get("said") or "")
    return by, str(data.get("said") or data.get("problem") or "")
