"""The pages of operations: seasons of work, who is in their scope, visits planned, done, overdue.

What was typed is kept when it is refused. Names of people stand here, so every look is
logged; nobody is called, written to or chosen from here.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from console import figure_words, words
from console.audited import audited
from console.figures import as_file, span
from console.guard import doors, for_right, holder
from console.operation_sheet import Sheets
from console.person_page import typed_of
from incidents.operations import PARTS, NoSuchOperation, Operations
from incidents.transactions import StoreUnavailable
from incidents.working import Conflict, Unfit

REFUSED: Final = 422
AWAY: Final = "The store cannot be reached: nothing is saved. What you typed stays here."
FIELDS: Final = ("name", "area", "from_day", "to_day", "baseline_from", "baseline_to")
DONE: Final = {
    "made": "The operation was made. Bring people in next.",
    "in": "The person is in the operation.",
    "out": "The person was taken out. What was done for them stays on record.",
    "none": "Nobody new: everybody known as a repeat victim is in already, or was taken out.",
    "brought": "Everybody known as a repeat victim is in.",
    "closed": "The operation was closed. It can still be read.",
    "planned": "Visits were planned for everybody in scope who had none.",
    "all-planned": "Nobody new: everybody in scope has a visit.",
}
"""What the page says after a change, by the ``done`` of its address."""
END_OF_WORK: Final = time(17)
"""When a visit is due on the day that was typed; local time."""


class _Wrong(Exception):
    """What was typed cannot be taken; ``faults`` by field."""

    def __init__(self, faults: dict[str, str]) -> None:
        super().__init__("wrong")
        self.faults = faults


def blueprint(operations: Operations, sheets: Sheets) -> Blueprint:
    """Make the blueprint. ``sheets``: what makes the figures."""
    pages = Blueprint("operations", __name__)

    def new_page(typed: dict[str, str], faults: dict[str, str], status: int) -> ResponseReturnValue:
        return render_template("operation_new.html", typed=typed, refusals=faults), status

    def page(
        id_: str, typed: dict[str, str], faults: dict[str, str], status: int
    ) -> ResponseReturnValue:
        now = doors().clock()
        try:
            found = operations.one(id_)
        except NoSuchOperation:
            abort(404)
        scope = operations.scope(id_, now)
        sheet = sheets.of(found, scope, now)
        audited().looked(holder(), "viewed an operation", id_)
        return (
            render_template(
                "operation.html",
                operation=found,
                left=found.days_left(now.astimezone(words.LOCAL).date()),
                scope=scope,
                sheet=sheet,
                bars=sheet.bars(),
                told=figure_words,
                span=span,
                owners=sheets.visiting.owners(),
                parts=PARTS,
                typed=typed,
                refusals=faults,
                done=DONE.get(request.args.get("done", ""), ""),
            ),
            status,
        )

    def to(id_: str, done: str) -> ResponseReturnValue:
        return redirect(url_for("operations.one", id_=id_, done=done), 303)

    @pages.get("/operations")
    @for_right("people")
    def everything() -> ResponseReturnValue:
        """List all operations, the latest first."""
        audited().looked(holder(), "opened the list of operations", "operations")
        today = doors().clock().astimezone(words.LOCAL).date()
        return render_template("operations.html", operations=operations.all(), today=today)

    @pages.get("/operations/new")
    @for_right("supervise")
    def new() -> ResponseReturnValue:
        """Show the form."""
        return new_page({}, {}, 200)

    @pages.post("/operations/new")
    @for_right("supervise")
    def make() -> ResponseReturnValue:
        """Make an operation, or refuse it and give back what was typed."""
        typed = typed_of(*FIELDS)
        try:
            from_day, to_day, baseline = _days(typed)
            made = operations.make(
                typed["name"],
                from_day,
                to_day,
                area=typed["area"],
                baseline=baseline,
                by=holder().name,
                now=doors().clock(),
            )
        except _Wrong as wrong:
            return new_page(typed, wrong.faults, REFUSED)
        except Unfit as unfit:
            return new_page(typed, {unfit.field: str(unfit)}, REFUSED)
        except StoreUnavailable:
            return new_page(typed, {"name": AWAY}, 503)
        return to(made, "made")

    @pages.get("/operations/<id_>")
    @for_right("people")
    def one(id_: str) -> ResponseReturnValue:
        """Show one operation."""
        return page(id_, {}, {}, 200)

    @pages.post("/operations/<id_>/people")
    @for_right("people")
    def add(id_: str) -> ResponseReturnValue:
        """Put somebody in by hand."""
        typed = typed_of("person", "part")
        try:
            operations.add(
                id_, typed["person"], typed["part"], by=holder().name, now=doors().clock()
            )
        except NoSuchOperation:
            abort(404)
        except Unfit as unfit:
            return page(id_, typed, {unfit.field: str(unfit)}, REFUSED)
        except Conflict as conflict:
            return page(id_, typed, {"person": str(conflict)}, 409)
        return to(id_, "in")

    @pages.post("/operations/<id_>/rule")
    @for_right("supervise")
    def bring_in(id_: str) -> ResponseReturnValue:
        """Bring in everybody known as a repeat victim."""
        try:
            many = operations.bring_in(id_, by=holder().name, now=doors().clock())
        except NoSuchOperation:
            abort(404)
        except Conflict as conflict:
            return page(id_, {}, {"person": str(conflict)}, 409)
        return to(id_, "brought" if many else "none")

    @pages.post("/operations/<id_>/people/<place>/out")
    @for_right("people")
    def take_out(id_: str, place: str) -> ResponseReturnValue:
        """Take somebody out."""
        try:
            operations.take_out(id_, place, by=holder().name, now=doors().clock())
        except NoSuchOperation:
            abort(404)
        except Conflict as conflict:
            return page(id_, {}, {"person": str(conflict)}, 409)
        return to(id_, "out")

    @pages.post("/operations/<id_>/visits")
    @for_right("supervise")
    def plan(id_: str) -> ResponseReturnValue:
        """Plan a visit for everybody in scope who has none."""
        typed = typed_of("owner", "due")
        now = doors().clock()
        try:
            made = sheets.visiting.plan(
                id_,
                typed["owner"],
                by=holder().name,
                now=now,
                day=now.astimezone(words.LOCAL).date(),
                due_at=_due(typed["due"]),
            )
        except NoSuchOperation:
            abort(404)
        except _Wrong as wrong:
            return page(id_, typed, wrong.faults, REFUSED)
        except Unfit as unfit:
            return page(id_, typed, {unfit.field: str(unfit)}, REFUSED)
        except Conflict as conflict:
            return page(id_, typed, {"person": str(conflict)}, 409)
        return to(id_, "planned" if made else "all-planned")

    @pages.get("/operations/<id_>/figures.csv")
    @for_right("people")
    def table(id_: str) -> ResponseReturnValue:
        """Give its figures as a table for a spreadsheet. They name nobody."""
        now = doors().clock()
        try:
            found = operations.one(id_)
        except NoSuchOperation:
            abort(404)
        sheet = sheets.of(found, operations.scope(id_, now), now)
        audited().gave_out(holder(), "exported the figures of an operation", id_)
        head = [("operation", found.name), ("period", span(sheet.period)), ("calls", sheet.purpose)]
        if sheet.baseline is not None:
            head.append(("baseline", span(sheet.baseline)))
        head.append(("counted at", words.utc(now)))
        return as_file(head, sheet.tables(), "operation", sheet.period)

    @pages.post("/operations/<id_>/close")
    @for_right("supervise")
    def close(id_: str) -> ResponseReturnValue:
        """Close it."""
        try:
            operations.close(id_, by=holder().name, now=doors().clock())
        except NoSuchOperation:
            abort(404)
        except Conflict as conflict:
            return page(id_, {}, {"person": str(conflict)}, 409)
        return to(id_, "closed")

    return pages


def _due(typed: str) -> datetime | None:
    """Read the day by which a visit is due; None where none was typed. Raises ``_Wrong``."""
    if not typed:
        return None
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        raise _Wrong({"due": "Enter a day, such as 2026-12-01."}) from None
    return datetime.combine(day, END_OF_WORK, words.LOCAL).astimezone(UTC)


def _days(typed: dict[str, str]) -> tuple[date, date, tuple[date, date] | None]:
    """Read the days of the form. Raises ``_Wrong`` with a sentence for each that is none."""
    faults: dict[str, str] = {}

    def day(field: str, *, needed: bool) -> date | None:
        if not typed[field] and not needed:
            return None
        try:
            return date.fromisoformat(typed[field])
        except ValueError:
            faults[field] = "Enter a day, such as 2026-12-01."
            return None

    from_day, to_day = day("from_day", needed=True), day("to_day", needed=True)
    either = bool(typed["baseline_from"] or typed["baseline_to"])
    first, last = day("baseline_from", needed=either), day("baseline_to", needed=either)
    if faults or from_day is None or to_day is None:
        raise _Wrong(faults)
    return from_day, to_day, (first, last) if first and last else None
