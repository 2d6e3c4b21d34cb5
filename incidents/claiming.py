"""Who has a call: claim, release, take over, hand on.

Exactly one person has an incident. A claim is never dropped by itself, and a claimed
caller is never let go by a timer: claiming an open line orders a hold without limit.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, update

from callflow.urgency import SOON
from incidents.fold import Incident
from incidents.presence import AWAY
from incidents.store import NoSuchIncident
from incidents.tables import incidents, presence, users
from incidents.transactions import reading
from incidents.work import regrade_by
from incidents.working import (
    Actor,
    Conflict,
    Done,
    Unfit,
    Work,
    Working,
    held_by,
    since,
    the,
)

FREE_TO_TAKE: Final = timedelta(seconds=20)
"""For so long after a claim anyone may take the call without saying why: two people grabbed the
same phone (issue text, Claiming)."""
LONGEST_REASON: Final = 500


class Claiming(Working):
    """Claims and how they change hands."""

    def claim(
        self, reference: str, *, by: Actor, now: datetime, request: str | None = None
    ) -> Done:
        """Take an incident nobody has. Exactly one of those who try at once gets it.

        Raises ``Conflict`` when somebody else has it, or the control room has the caller.
        """

        def act(work: Work) -> None:
            one = work.incident
            if one.state == "claimed" and one.handler == by.name:
                return
            if one.state == "claimed":
                raise Conflict(held_by(one, work.at))
            if one.state == "closed":
                raise Conflict(
                    f"This incident was closed {since(one.closed_at, work.at)}. "
                    "Take it over with a reason to open it again."
                )
            if joined := work.joined_to():
                raise Conflict(
                    f"The caller is with {the(joined)} now, and keys are not heard. "
                    "Take over with a reason, or wait."
                )
            take(work, "claimed")
            work.log("claimed")

        return self._do(reference, by, now, request, ["claim"], act)

    def release(
        self, reference: str, *, by: Actor, now: datetime, request: str | None = None
    ) -> Done:
        """Give an incident back. It waits again, and the ladder begins anew."""

        def act(work: Work) -> None:
            one = work.incident
            if one.state != "claimed":
                if one.state == "closed":
                    raise Conflict("This incident is closed: there is nothing to release.")
                raise Conflict("Nobody has this incident: there is nothing to release.")
            if one.handler != by.name:
                raise Conflict(held_by(one, work.at))
            if joined := work.joined_to():
                raise Conflict(
                    f"The caller is with {the(joined)}: put the line back to hold "
                    "before you release."
                )
            _give_back(work)
            work.write("released")
            work.log("released")

        return self._do(reference, by, now, request, ["release"], act)

    def take_over(
        self,
        reference: str,
        reason: str = "",
        *,
        by: Actor,
        now: datetime,
        request: str | None = None,
    ) -> Done:
        """Take an incident from somebody else, from the control room, or out of the closed ones.

        In the first 20 s after the claim, or while the holder's screen is silent, no reason is
        needed; otherwise ``Unfit`` asks for one.
        """

        def act(work: Work) -> None:
            one = work.incident
            if one.state == "claimed" and one.handler == by.name:
                return
            joined = work.joined_to()
            why = reason.strip()
            if len(why) > LONGEST_REASON:
                raise Unfit("reason", f"reason: at most {LONGEST_REASON} characters.")
            if not why and (joined or self._needs_reason(one, work.at)):
                raise Unfit("reason", f"{_from_whom(one, joined)} Say why you take it over.")
            was = one.handler if one.state == "claimed" else None
            # A caller whose hold was ordered before is on it: another order would only
            # interrupt what they may be pressing. Unless they are being let go.
            take(
                work,
                "taken_over" if was or joined or why else "claimed",
                hold=was is None or bool(joined) or work.parting(),
                **({"from": was or joined or one.state, "reason": why} if was or why else {}),
            )
            work.log("took over", why)

        return self._do(reference, by, now, request, ["take-over", reason], act)

    def hand_over(
        self,
        reference: str,
        to: str,
        reason: str = "",
        *,
        by: Actor,
        now: datetime,
        request: str | None = None,
    ) -> Done:
        """Hand one's own incident to a named colleague, who has it from then on."""

        def act(work: Work) -> None:
            mine(work)
            name = to.strip().casefold()
            if not self._may_work(work, name):
                raise Unfit("to", f"There is nobody called {name[:64]} who works on calls.")
            if name == by.name:
                raise Unfit("to", "You have this call already.")
            work.change(handler=name, claimed_at=_held_since(work), away_at=None)
            work.write("handed_over", to=name, reason=reason.strip()[:LONGEST_REASON])
            work.log("handed over", reason.strip()[:LONGEST_REASON])

        return self._do(reference, by, now, request, ["hand-over", to, reason], act)

    def leaver(self, name: str, *, by: Actor, now: datetime) -> list[Done]:
        """Pass on every open claim of somebody who leaves: to a supervisor on duty, else to all.

        With no supervisor on duty the claims are released, and the ladder finds somebody.
        """
        with reading(self._store.engine) as connection:
            held = connection.scalars(
                select(incidents.c.reference).where(
                    incidents.c.handler == name, incidents.c.closed_at.is_(None)
                )
            ).all()
        passed = []
        for reference in held:

            def act(work: Work) -> None:
                if work.incident.handler != name or work.incident.state != "claimed":
                    return
                supervisor = self._supervisor_on_duty(work, name)
                reason = "the account of the holder was ended"
                if supervisor:
                    work.change(handler=supervisor, claimed_at=work.at, away_at=None)
                    work.write("handed_over", **{"from": name, "to": supervisor, "reason": reason})
                else:
                    _give_back(work)
                    work.write("released", **{"from": name, "reason": reason})
                work.log("passed on a leaver's claim")

            try:
                passed.append(self._do(reference, by, now, None, None, act))
            except NoSuchIncident:
                continue
        return passed

    def _needs_reason(self, one: Incident, now: datetime) -> bool:
        if one.state == "closed":
            return True
        if one.state != "claimed" or one.claimed_at is None:
            return False
        return now - one.claimed_at > FREE_TO_TAKE and one.away_at is None

    def _may_work(self, work: Work, name: str) -> bool:
        roles = work.rules.roles
        known = work.connection.execute(
            select(users.c.role).where(users.c.name == name, users.c.disabled_at.is_(None))
        ).first()
        seen = work.connection.execute(
            select(presence.c.role).where(presence.c.name == name)
        ).first()
        return any(row is not None and roles.may(row.role, "work") for row in (known, seen))

    def _supervisor_on_duty(self, work: Work, leaver: str) -> str | None:
        recent = work.at - AWAY
        row = work.connection.execute(
            select(presence.c.name)
            .where(
                presence.c.role.in_(work.rules.roles.with_right("supervise")),
                presence.c.feed_at >= recent,
                presence.c.name != leaver,
            )
            .order_by(presence.c.feed_at.desc())
        ).first()
        return None if row is None else str(row.name)


def take(work: Work, kind: str, *, hold: bool = True, via: str = "", **data: str) -> None:
    """Make the incident this person's, and order the hold that keeps an open line.

    ``via``: how it was taken when not at a screen, such as ``phone``.
    """
    one = work.incident
    work.change(
        handler=work.by.name,
        claimed_at=_held_since(work),
        closed_at=None,
        outcome=None,
        away_at=None,
        rung=None,
    )
    # Whoever takes a call is at work now; their screen's next sign of life counts from here.
    work.connection.execute(
        update(presence).where(presence.c.name == work.by.name).values(heard_at=work.at)
    )
    work.write(kind, **data, **({"via": via} if via else {}))
    if hold and one.connection == "open":
        # Somebody who has shown no sign yet is still being spoken to: tell them to stay.
        say = "stay" if one.signal == "nothing" else ""
        work.order(work.new_order("hold", say=say))


def _held_since(work: Work) -> datetime:
    """Return from when the claim counts: now, or since it was cut off under somebody's hands.

    Whoever takes such a call on must still grade it again (rule 10); a new claim of a call that
    is over need not.
    """
    one = work.incident
    return one.claimed_at if one.claimed_at and regrade_by(one) else work.at


def _give_back(work: Work) -> None:
    """Have the incident wait again; a caller on an open line needs somebody at once."""
    one = work.incident
    work.change(handler=None, claimed_at=None, away_at=None)
    # The claim's hold stands: no timer lets this caller go, and none rings anybody. One who has
    # shown no sign would wait below the ladder for ever (rule 8).
    if one.connection == "open" and one.urgency > SOON:
        work.change(set_urgency=SOON, set_urgency_at=work.at)
        work.write("urgency_set", urgency=SOON, reason="given back with the line open")


def mine(work: Work) -> None:
    """Raise ``Conflict`` unless this person has the incident."""
    one = work.incident
    if one.state == "claimed" and one.handler == work.by.name:
        return
    if one.state == "claimed":
        raise Conflict(held_by(one, work.at))
    if one.state == "closed":
        raise Conflict(f"This incident was closed {since(one.closed_at, work.at)}.")
    raise Conflict("Claim this call first: nobody has it.")


def not_anothers(work: Work) -> None:
    """Raise ``Conflict`` when somebody else has the incident."""
    one = work.incident
    if one.state == "claimed" and one.handler != work.by.name:
        raise Conflict(held_by(one, work.at))


def _from_whom(one: Incident, joined: str) -> str:
    if joined:
        return f"The caller is with {the(joined)}."
    if one.state == "closed":
        return "This incident is closed."
    return f"{one.handler} has this call."
