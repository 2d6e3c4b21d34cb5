"""What people did, put on what the events say.

The fold knows the caller's side only. A handler's deeds stand in columns of their own;
here both become the incident that everybody sees. A machine only raises: what a person
lowered counts until the caller asks again, and a closed incident then waits again.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, or_

from callflow.urgency import NOW, SOON
from incidents.fold import Incident
from incidents.tables import incidents

BY_HAND = "urgency set by a person"


def handled(folded: Incident, stored: Incident) -> Incident:
    """Put the handlers' columns of ``stored`` on ``folded``, which may know more of the caller."""
    folded = _raised(folded, stored)
    closed_at = stored.closed_at
    if _later(folded.alerted_at, closed_at):
        # The caller asked again after it was closed: nobody has it, and it waits.
        return _ranked(
            replace(
                folded,
                state="waiting",
                grade=stored.grade,
                graded_at=stored.graded_at,
                set_urgency=stored.set_urgency,
                set_urgency_at=stored.set_urgency_at,
                rung=stored.rung,
            )
        )
    if closed_at is not None:
        state = "closed"
    else:
        state = _unclaimed(folded, stored) if stored.handler is None else "claimed"
    return _ranked(
        replace(
            folded,
            state=state,
            handler=stored.handler,
            grade=stored.grade,
            outcome=stored.outcome,
            claimed_at=stored.claimed_at,
            closed_at=closed_at,
            graded_at=stored.graded_at,
            set_urgency=stored.set_urgency,
            set_urgency_at=stored.set_urgency_at,
            away_at=stored.away_at,
            rung=stored.rung,
        )
    )


def _raised(folded: Incident, stored: Incident) -> Incident:
    """Keep what the store found out and a fold of the journal alone cannot know (rules 3 and 4).

    Markers, repeats and people stand in the store only: with the store away, a key of the caller
    must not take a marked call down from the top, and a hang-up must not send it to review.
    """
    marked = stored.proposed_grade is not None and folded.proposed_grade is None
    by_hand = stored.reasons[:1] == (BY_HAND,)
    rank = NOW if marked else folded.urgency if by_hand else stored.urgency
    if rank < folded.urgency:
        led = stored.reasons[1:2] if by_hand else stored.reasons[:1]
        folded = replace(folded, urgency=rank, reasons=(*led, *folded.reasons))
    moments = [at for at in (folded.alerted_at, stored.alerted_at) if at is not None]
    return replace(
        folded,
        state="waiting" if marked else folded.state,
        proposed_grade=folded.proposed_grade or stored.proposed_grade,
        alerted_at=max(moments, default=None),
        people=folded.people or stored.people,
        contacts=folded.contacts or stored.contacts,
    )


def _unclaimed(folded: Incident, stored: Incident) -> str:
    """Whoever raises a call above what the machine says of it wants it looked at now (rule 8).

    So does whoever says NOW or SOON, though the machine may have come to say so as well.
    """
    wanted = stored.set_urgency
    raised = wanted is not None and (wanted <= SOON or wanted < folded.urgency)
    return "waiting" if folded.state == "review" and raised else folded.state


def _ranked(incident: Incident) -> Incident:
    """Let the urgency a person set count, unless the caller has asked since it was lowered."""
    wanted = incident.set_urgency
    if wanted is None or wanted == incident.urgency:
        return incident
    lowers = wanted > incident.urgency
    if lowers and _later(incident.alerted_at, incident.set_urgency_at):
        return incident
    return replace(incident, urgency=wanted, reasons=(BY_HAND, *incident.reasons))


def _later(alerted_at: datetime | None, than: datetime | None) -> bool:
    return alerted_at is not None and than is not None and alerted_at > than


def state_of() -> ColumnElement[str]:
    """The contract's ``state`` as SQL, by the same rule as ``handled``."""
    column = incidents.c
    asked_again = and_(column.closed_at.is_not(None), column.alerted_at > column.closed_at)
    return case(
        (asked_again, "waiting"),
        (column.closed_at.is_not(None), "closed"),
        (column.handler.is_not(None), "claimed"),
        (
            and_(
                column.line_state == "review",
                or_(column.set_urgency <= SOON, column.set_urgency < column.urgency),
            ),
            "waiting",
        ),
        else_=column.line_state,
    )


def urgency_of() -> ColumnElement[int]:
    """The contract's ``urgency`` as SQL, by the same rule as ``handled``."""
    column = incidents.c
    counts = and_(
        column.set_urgency.is_not(None),
        or_(
            column.set_urgency < column.urgency,
            column.alerted_at.is_(None),
            column.alerted_at <= column.set_urgency_at,
        ),
    )
    return case((counts, column.set_urgency), else_=column.urgency)
