"""Who has which part in a call: victim, suspect, witness, caller. A person says so, no machine.

Somebody may have several parts, kept apart. Refused, they are not named again for that call
unless somebody confirms a part of theirs after all. The timeline says that it was done and by
whom; a name stands in the people's own rows alone.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, select, update

from incidents.identity import uuid7
from incidents.known import REFUSED
from incidents.person_lists import standing
from incidents.persons import NoSuchPerson, family, name_look_up, name_of
from incidents.tables import parts, people
from incidents.together import CONFIRMED
from incidents.working import Actor, Conflict, Done, Unfit, Work, Working

PARTS: Final = ("victim", "suspect", "witness", "caller")


class Partaking(Working):
    """What people say of who has a part in a call."""

    def confirm_part(
        self,
        reference: str,
        part: str,
        *,
        person: str = "",
        name: str = "",
        by: Actor,
        now: datetime,
        request: str | None = None,
    ) -> Done:
        """Say that somebody has a part in a call: by their id, or else by their full name.

        Raises ``Unfit`` when nobody is meant or several are, and ``Conflict`` when it was said.
        """

        def act(work: Work) -> None:
            if part not in PARTS:
                raise Unfit("part", f"part must be one of: {', '.join(PARTS)}.")
            ids = _meant(work, person, name)
            open_rows = work.connection.execute(select(parts).where(_of(work, ids))).all()
            if any(row.state == CONFIRMED and row.part == part for row in open_rows):
                raise Conflict(f"They are confirmed as {part} already.")
            refused = _of(work, ids) & (parts.c.state == REFUSED)
            work.connection.execute(update(parts).where(refused).values(ended_at=work.at))
            _put(work, ids[0], part, CONFIRMED)
            work.write("part_confirmed", person=ids[0], part=part)
            work.log(f"confirmed a part: {part}")
            _log_person(work, ids[0], f"confirmed as {part} in a call")

        said = ["confirm-part", part, person, name]
        return self._do(reference, by, now, request, said, act)

    def refuse_part(
        self,
        reference: str,
        person: str,
        *,
        by: Actor,
        now: datetime,
        request: str | None = None,
    ) -> Done:
        """Say that somebody has no part in a call. What was confirmed of theirs ends.

        Raises ``Unfit`` when nobody has this id, and ``Conflict`` when it was said.
        """

        def act(work: Work) -> None:
            ids = _meant(work, person, "")
            open_rows = work.connection.execute(select(parts).where(_of(work, ids))).all()
            if any(row.state == REFUSED for row in open_rows):
                raise Conflict("Somebody said already that it is not them.")
            work.connection.execute(update(parts).where(_of(work, ids)).values(ended_at=work.at))
            _put(work, ids[0], "", REFUSED)
            work.write("part_refused", person=ids[0])
            work.log("refused a part")
            _log_person(work, ids[0], "refused as somebody in a call")

        return self._do(reference, by, now, request, ["refuse-part", person], act)


def _meant(work: Work, person: str, name: str) -> tuple[str, ...]:
    """Return every row that stands for whoever is meant. Raises ``Unfit``."""
    if person:
        try:
            return family(work.connection, person)
        except NoSuchPerson:
            raise Unfit("person", "There is no such person on record.") from None
    look_up = name_look_up(work.keys, name_of(name))
    found = standing(
        work.connection,
        work.connection.scalars(select(people.c.id).where(people.c.look_up == look_up)).all(),
    )
    if not found:
        raise Unfit("name", "Nobody on record has this full name: add the person under People.")
    if len(found) > 1:
        raise Unfit("name", "Several people have this name: open the right one under People.")
    return family(work.connection, found[0])


def _of(work: Work, ids: tuple[str, ...]) -> ColumnElement[bool]:
    return (
        (parts.c.call_key == work.incident.call_key)
        & parts.c.person_id.in_(ids)
        & parts.c.ended_at.is_(None)
    )


def _put(work: Work, person: str, part: str, state: str) -> None:
    work.connection.execute(
        parts.insert().values(
            id=uuid7(work.at),
            call_key=work.incident.call_key,
            person_id=person,
            part=part,
            state=state,
            by=work.by.name,
            at=work.at,
        )
    )


def _log_person(work: Work, person: str, what: str) -> None:
    """Say it beside the person as well: who looks into one record need not read all others."""
    work.audit.put(work.connection, work.by.name, "alteration", what, person, at=work.at)
