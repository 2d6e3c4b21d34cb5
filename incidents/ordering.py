"""Orders to a live call: ask, repeat, reassure, switch the language, connect, hold, let go.

Only whoever has the call gives orders, only to a line that is open, and every order is
on record before it is sent. Nobody is ever rung but staff, the control room and, for a real call
and when a handler says so, a service of ``services.toml``.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import select

from incidents.claiming import mine
from incidents.history import CONTROL_ROOM
from incidents.identity import uuid7
from incidents.orders import MUTED, Order
from incidents.placing import order_in
from incidents.tables import orders, users
from incidents.working import (
    Actor,
    Conflict,
    Done,
    Unfit,
    Work,
    Working,
    how_it_ended,
    text_of,
    the,
)

LONGEST_QUESTION: Final = 200
"""Characters of a question a handler types: a short one is answered by pressing keys."""
FREE: Final = "free"


class Ordering(Working):
    """What a handler has the caller's phone do."""

    def ask(
        self,
        reference: str,
        *,
        question: str = "",
        text: str = "",
        by: Actor,
        now: datetime,
        request: str | None = None,
    ) -> Done:
        """Have a yes/no question spoken into the call: one of the bank, or ``text`` as typed."""

        def act(work: Work) -> None:
            _live(work, keys_needed=True)
            order = work.new_order("ask")
            asked, words = self._question(question, text, order.language)
            self._ask(work, asked, words)

        return self._do(reference, by, now, request, ["ask", question, text], act)

    def repeat(
        self, reference: str, *, by: Actor, now: datetime, request: str | None = None
    ) -> Done:
        """Ask the latest question again. Raises ``Conflict`` when none was asked yet."""

        def act(work: Work) -> None:
            _live(work, keys_needed=True)
            row = work.connection.execute(
                select(orders)
                .where(orders.c.call_key == work.incident.call_key, orders.c.what == "ask")
                .order_by(orders.c.step.desc())
                .limit(1)
            ).first()
            if row is None:
                raise Conflict("No question was asked yet: there is nothing to repeat.")
            last = order_in(row, work.keys)
            words = last.text
            if last.question != FREE:  # the language may have been switched since
                _, words = self._question(last.question, "", work.new_order("ask").language)
            self._ask(work, last.question, words)

        return self._do(reference, by, now, request, ["repeat"], act)

    def reassure(
        self, reference: str, *, by: Actor, now: datetime, request: str | None = None
    ) -> Done:
        """Tell the caller the fixed reassurance, which promises nothing."""

        def act(work: Work) -> None:
            _live(work, keys_needed=True)
            work.order(work.new_order("reassure"))
            work.write("caller_reassured")
            work.log("reassured the caller")

        return self._do(reference, by, now, request, ["reassure"], act)

    def language(
        self,
        reference: str,
        language: str,
        *,
        by: Actor,
        now: datetime,
        request: str | None = None,
    ) -> Done:
        """Speak another language from now on."""

        def act(work: Work) -> None:
            if language not in work.rules.languages:
                known = ", ".join(work.rules.languages)
                raise Unfit("language", f"language must be one of: {known}.")
            _live(work, keys_needed=True)
            work.order(work.new_order("language", language=language))
            work.write("language_switched", language=language)
            work.log("switched the language")

        return self._do(reference, by, now, request, ["language", language], act)

    def connect(
        self,
        reference: str,
        to: str,
        *,
        by: Actor,
        now: datetime,
        request: str | None = None,
    ) -> Done:
        """Join the caller to the control room, a phone of staff or a service; no key is heard then.

        ``to``: ``control_room`` or its number, ``me``, the name of a user with a phone, or the id
        of a service with a number.
        """

        def act(work: Work) -> None:
            number, label, service = self._whom(work, to)
            _live(work)
            work.order(work.new_order("connect", to=number, label=label, service=service))
            work.write("connection_ordered", to=label)
            work.log("connected the caller by voice")

        return self._do(reference, by, now, request, ["connect", to], act)

    def conference(
        self, reference: str, *, by: Actor, now: datetime, request: str | None = None
    ) -> Done:
        """Put the caller into a conference in which our side is muted: it listens only."""

        def act(work: Work) -> None:
            _live(work)
            number = self._phone(work, by.name) or work.rules.control_room
            if number is None:
                raise Unfit(
                    "to",
                    "There is no phone to listen on: have your phone number set by an "
                    "administrator, or set QUIETLINE_CONTROL_ROOM.",
                )
            room = f"{work.incident.reference}-{uuid7(work.at)[-6:]}"
            work.order(work.new_order("conference", room=room, label=MUTED))
            listener = Order(
                id=uuid7(work.at),
                what="page",
                language=work.incident.language or "en-GB",
                to=number,
                label=MUTED,
                room=room,
                call_key=work.incident.call_key,
                name=by.name,
            )
            work.order(listener)
            work.write("conference_ordered")
            work.log("put the caller into a muted conference")

        return self._do(reference, by, now, request, ["conference"], act)

    def hold(self, reference: str, *, by: Actor, now: datetime, request: str | None = None) -> Done:
        """Put the line back to hold, where keys are heard."""

        def act(work: Work) -> None:
            _live(work)
            work.order(work.new_order("hold"))
            work.write("hold_ordered")
            work.log("put the line on hold")

        return self._do(reference, by, now, request, ["hold"], act)

    def let_go(
        self, reference: str, *, by: Actor, now: datetime, request: str | None = None
    ) -> Done:
        """Say goodbye and end the call. A key pressed meanwhile keeps the line open."""

        def act(work: Work) -> None:
            _live(work)
            work.order(work.new_order("let_go"))
            work.write("let_go_ordered")
            work.log("let the line go")

        return self._do(reference, by, now, request, ["let-go"], act)

    def _ask(self, work: Work, question: str, words: str) -> None:
        order = work.new_order("ask", question=question, text=words)
        work.order(order)
        work.write("question_asked", order=order.id, question=question, text=words)
        work.log("asked a question")

    def _question(self, question: str, text: str, language: str) -> tuple[str, str]:
        if bool(question) == bool(text.strip()):
            raise Unfit("question", "Ask either a question of the list or one you type, not both.")
        if question:
            known = self._rules.questions.find(question)
            if known is None:
                raise Unfit("question", f"There is no question called {question[:40]!r}.")
            return known.id, known.texts.get(language) or known.texts["en-GB"]
        words = " ".join(text_of("text", text, "the question", LONGEST_QUESTION).split())
        if not words.isprintable():
            raise Unfit("text", "text: take the control characters out: they cannot be spoken.")
        return FREE, words

    def _whom(self, work: Work, to: str) -> tuple[str, str, str]:
        """Return the number to ring, whose that is, and the service's id if it is one."""
        asked = to.strip()
        room = work.rules.control_room
        if asked.casefold().replace(" ", "_") == "control_room" or (room and asked == room):
            if room is None:
                raise Unfit("to", "No control room is set: QUIETLINE_CONTROL_ROOM is empty.")
            return room, CONTROL_ROOM, ""
        name = work.by.name if asked.casefold() == "me" else asked.casefold()
        number = self._phone(work, name)
        if number is None and (name := self._whose(work, asked)):
            number = asked
        if number is not None:
            return number, name, ""
        service = work.rules.services.reached_by(asked)
        if service is None:
            raise Unfit(
                "to",
                "to must be control_room, me, a colleague whose phone is registered, or a service "
                "with a number: nobody else is ever rung (rule 7).",
            )
        if work.incident.purpose != "live" and not work.rules.simulated:
            raise Unfit(
                "to", f"This is no real call, so {service.name} is not rung. Say what you would do."
            )
        return service.number, service.name, service.id

    @staticmethod
    def _phone(work: Work, name: str) -> str | None:
        row = work.connection.execute(
            select(users.c.id, users.c.phone).where(
                users.c.name == name, users.c.disabled_at.is_(None)
            )
        ).first()
        if row is None or row.phone is None:
            return None
        return work.keys.open(row.phone, f"users|{row.id}|phone").decode()

    @staticmethod
    def _whose(work: Work, number: str) -> str:
        """Return the user whose registered phone this is, or an empty text."""
        rows = work.connection.execute(
            select(users.c.id, users.c.name, users.c.phone).where(
                users.c.phone.is_not(None), users.c.disabled_at.is_(None)
            )
        )
        for row in rows:
            if work.keys.open(row.phone, f"users|{row.id}|phone").decode() == number:
                return str(row.name)
        return ""


def _live(work: Work, *, keys_needed: bool = False) -> None:
    """Raise ``Conflict`` unless this person has the call and its line is open.

    ``keys_needed``: nor while the caller is joined to somebody, where no key can be heard.
    """
    mine(work)
    one = work.incident
    if one.connection != "open":
        raise Conflict(how_it_ended(one, work.at))
    if keys_needed and (joined := work.joined_to()):
        raise Conflict(
            f"The caller is with {the(joined)} and keys are not heard: "
            "put the line back to hold first."
        )
