"""Calling a known person back: a person's decision, in two steps, and never by itself (rule 7).

Only the officer's own phone is rung from here; the person's rings once the officer presses 1. It
is asked for (what will happen is shown), then confirmed with a token that is good once and for
minutes. A number that is not marked safe at this hour, or is marked never to be called, takes a
supervisor with a reason; an emergency number is never called. Nothing is sent late or again: an
order that was left behind by a process that died is not taken up. No message is ever left.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, Row, update

from incidents.audit import Audit
from incidents.callback_checks import (
    LONGEST_TEXT,
    line_shown,
    marked,
    none_under_way,
    officers_phone,
    reason_for,
    still_allowed,
)
from incidents.callback_checks import chosen as chosen_number
from incidents.callback_numbers import Answering, CallNumber, known_person, may_answer, numbers_of
from incidents.callback_policy import WRONG_VOICE, CallBackPolicy
from incidents.callback_state import (
    ASKED,
    FAILED,
    FINISHED,
    STARTED,
    CallBack,
    Sealed,
    callback_in,
    place_of,
    row_of,
    rows,
)
from incidents.fold import as_text
from incidents.identity import uuid7
from incidents.orders import LiveCalls, NotCarriedOut, Order, call_back_path
from incidents.persons import NoSuchPerson, Person, family
from incidents.roles import Roles
from incidents.sealed import Keys
from incidents.store import Store
from incidents.tables import callbacks, incidents
from incidents.transactions import next_revision, reading, writing
from incidents.working import Actor, Conflict, Unfit, text_of, write_entry

MOST_SHOWN: Final = 100


class CallBacks:
    """The call-backs of one site. Every method raises ``StoreUnavailable``.

    ``lines``: number → kind, of the lines we answer. ``training``: nobody is ever rung.
    """

    def __init__(
        self,
        store: Store,
        keys: Keys,
        audit: Audit,
        calls: LiveCalls,
        policy: CallBackPolicy,
        roles: Roles,
        lines: dict[str, str],
        *,
        training: bool = False,
    ) -> None:
        self._store = store
        self._keys = keys
        self._audit = audit
        self._calls = calls
        self._roles = roles
        self._lines = lines
        self._training = training
        self.policy = policy

    def numbers(self, person: str, now: datetime) -> tuple[Person, Sequence[CallNumber]]:
        """Return a person and their numbers, as they may be called now. Raises ``NoSuchPerson``."""
        with reading(self._store.engine) as connection:
            found = known_person(connection, self._keys, person)
            return found, numbers_of(connection, self._keys, found, now)

    def ask(
        self,
        person: str,
        number: str,
        reason: str,
        *,
        by: Actor,
        now: datetime,
        reference: str | None = None,
    ) -> str:
        """Ask for a call-back; returns its id. Nobody is rung before it is confirmed.

        ``number``: the id of its row. ``reason``: a supervisor's, where one is needed. Raises
        ``Unfit``, ``NoSuchPerson`` and ``NoSuchIncident``.
        """
        with writing(self._store.engine) as connection:
            found = known_person(connection, self._keys, person)
            call = None if reference is None else self._store.find(connection, reference)
            chosen = chosen_number(connection, self._keys, found, number, now)
            why = reason_for(chosen, reason, supervises=self._roles.may(by.role, "supervise"))
            officers_phone(connection, self._keys, by.name)
            row = uuid7(now)
            training = self._training or (call is not None and call.purpose != "live")
            if not training:
                self._line(None if call is None else call.called)
            sealed = Sealed(
                secrets.token_urlsafe(24), why, chosen.problem, chosen.never, training=training
            )
            connection.execute(
                callbacks.insert().values(
                    id=row,
                    person_id=found.id,
                    number_id=chosen.row,
                    call_key=None if call is None else call.call_key,
                    by=by.name,
                    state=ASKED,
                    data=sealed.seal(self._keys, row),
                    at=now,
                )
            )
            asked = row_of(connection, row)
            self._log(connection, asked, f"asked for a call-back{marked(sealed)}", why, by, now)
            facts = {"reason": why, "against": chosen.problem} if why else {}
            self._tell(connection, asked, "callback_asked", by, now, **facts)
        return row

    def start(self, id_: str, token: str, *, by: Actor, now: datetime) -> None:
        """Confirm a call-back and ring the officer's own phone; in training nobody is rung.

        Raises ``Conflict`` when it was confirmed before, is too old, or is safe no longer, and
        ``NoSuchCallBack``. When the phone cannot be rung it has failed, and says why.
        """
        with writing(self._store.engine) as connection:
            row = self._own(connection, id_, by)
            sealed = self._sealed(row)
            if row.state != ASKED or not hmac.compare_digest(sealed.token.encode(), token.encode()):
                raise Conflict("This was confirmed before. A call-back is confirmed once.")
            if now - row.at > self.policy.confirm_within:
                raise Conflict("The page was open for too long: ask for the call-back again.")
            within = self.policy.rings_within
            until = still_allowed(connection, self._keys, row, sealed, now, within)
            none_under_way(connection, row, now)
            phone = officers_phone(connection, self._keys, by.name)
            order = self._order(connection, row, by, until, training=sealed.training)
            self._change(connection, row, replace(sealed, token=""), state=STARTED)
            what = f"started a call-back{marked(sealed)}"
            self._log(connection, row, what, sealed.reason, by, now)
            self._tell(connection, row, "callback_started", by, now, training=sealed.training)
        if order is None:
            return
        try:
            self._calls.ring(phone, order.shown, call_back_path(order, self._keys))
        except NotCarriedOut as error:
            with writing(self._store.engine) as connection:
                row = row_of(connection, id_)
                sealed = replace(self._sealed(row), problem=str(error))
                self._change(connection, row, sealed, state=FAILED, ended_at=now)
                self._tell(connection, row, "callback_failed", by, now, problem=str(error))

    def confirm(self, id_: str, *, who: bool, safe: bool, by: Actor, now: datetime) -> None:
        """Keep that the person said who they are and that it is safe to talk.

        Raises ``Unfit`` unless both, ``Conflict`` and ``NoSuchCallBack``.
        """
        with writing(self._store.engine) as connection:
            row = self._open(connection, id_, by)
            if not who:
                raise Unfit("who", "Tick this once the person has said who they are.")
            if not safe:
                raise Unfit("safe", "Tick this once the person has said that it is safe to talk.")
            sealed = self._sealed(row)
            if sealed.confirmed_at:
                return
            self._change(connection, row, replace(sealed, confirmed_at=as_text(now) or ""))
            self._log(connection, row, "kept that a call-back reached the person", "", by, now)
            self._tell(connection, row, "callback_confirmed", by, now)

    def finish(self, id_: str, result: str, said: str, *, by: Actor, now: datetime) -> None:
        """Finish it with a result; ``said`` may be empty.

        Raises ``Unfit``, ``Conflict`` and ``NoSuchCallBack``.
        """
        words = text_of("said", said, "it", LONGEST_TEXT) if said.strip() else ""
        with writing(self._store.engine) as connection:
            row = self._open(connection, id_, by)
            found, sealed = self.policy.result(result), self._sealed(row)
            if found is None:
                raise Unfit("result", "Choose how it ended: it cannot be finished without.")
            if found.confirmed and not sealed.confirmed_at:
                raise Unfit("result", "First tick that the person said who they are and is safe.")
            self._change(
                connection,
                row,
                replace(sealed, said=words),
                state=FINISHED,
                outcome=found.id,
                ended_at=now,
            )
            self._log(connection, row, "finished a call-back", "", by, now)
            kind = "wrong_voice" if found.id == WRONG_VOICE else "callback_finished"
            self._tell(connection, row, kind, by, now, result=found.name, said=words)

    def one(self, id_: str) -> CallBack:
        """Return one. Raises ``NoSuchCallBack``."""
        with reading(self._store.engine) as connection:
            return callback_in(row_of(connection, id_), self._keys)

    def whom(self, found: CallBack) -> tuple[Person | None, Answering]:
        """Return who is called back (None: erased since), and who else may answer."""
        with reading(self._store.engine) as connection:
            try:
                person = known_person(connection, self._keys, found.person_id)
            except NoSuchPerson:
                return None, Answering((), ())
            return person, may_answer(connection, self._keys, person.id, found.number_id)

    def shown(self, reference: str | None) -> str:
        """Return the line's number that is shown to whoever is rung. Raises ``Unfit``."""
        called = None
        if reference is not None:
            with reading(self._store.engine) as connection:
                called = self._store.find(connection, reference).called
        return self._line(called)

    def open_of(self, name: str) -> Sequence[CallBack]:
        """Return what one officer has started without a result, the oldest first."""
        which = (callbacks.c.by == name, callbacks.c.state == STARTED)
        return self._several(rows().where(*which).order_by(callbacks.c.at))

    def of_person(self, person: str) -> Sequence[CallBack]:
        """Return the call-backs of a person, the newest first. Raises ``NoSuchPerson``."""
        with reading(self._store.engine) as connection:
            ids = family(connection, person)
        which = (callbacks.c.person_id.in_(ids), callbacks.c.state != ASKED)
        return self._several(rows().where(*which).order_by(callbacks.c.at.desc()))

    def _several(self, query: Any) -> Sequence[CallBack]:
        with reading(self._store.engine) as connection:
            found = connection.execute(query.limit(MOST_SHOWN)).all()
        unread, keys = self._store.unread, self._keys
        read = (
            unread.attempt(row.data, place_of(row.id), partial(callback_in, row, keys), None)
            for row in found
        )
        return [one for one in read if one is not None]

    def _order(
        self, connection: Connection, row: Row[Any], by: Actor, until: str, *, training: bool
    ) -> Order | None:
        """Return what rings the officer, with the person's number sealed; None in training."""
        if training:
            return None
        found = callback_in(row_of(connection, row.id), self._keys)
        called = None if found.reference is None else self._store.find(connection, found.reference)
        shown = self._line(None if called is None else called.called)
        to, name = found.number, by.name
        return Order(row.id, "callback", "en-GB", to=to, name=name, shown=shown, until=until)

    def _line(self, called: str | None) -> str:
        return line_shown(self._lines, self.policy.lines, called)

    def _own(self, connection: Connection, id_: str, by: Actor) -> Row[Any]:
        row = row_of(connection, id_)
        if row.by != by.name:
            raise Conflict(f"This is {row.by}'s call-back: only they go on with it.")
        return row

    def _open(self, connection: Connection, id_: str, by: Actor) -> Row[Any]:
        row = self._own(connection, id_, by)
        if row.state == FINISHED:
            raise Conflict("This call-back is finished already.")
        if row.state != STARTED:
            raise Conflict("Nobody was rung for this call-back.")
        return row

    def _sealed(self, row: Row[Any]) -> Sealed:
        return Sealed.open(self._keys, row.id, row.data)

    def _change(
        self, connection: Connection, row: Row[Any], sealed: Sealed, **columns: Any
    ) -> None:
        changing = update(callbacks).where(callbacks.c.id == row.id)
        connection.execute(changing.values(data=sealed.seal(self._keys, row.id), **columns))

    def _log(
        self,
        connection: Connection,
        row: Row[Any],
        what: str,
        reason: str,
        by: Actor,
        now: datetime,
    ) -> None:
        record = self._keys.reference(row.call_key) if row.call_key else row.person_id
        self._audit.put(connection, by.name, "alteration", what, record, reason, at=now)

    def _tell(
        self,
        connection: Connection,
        row: Row[Any],
        kind: str,
        by: Actor,
        now: datetime,
        **facts: Any,
    ) -> None:
        tell(connection, self._keys, row, kind, {"by": by.name, **facts}, now)


def tell(
    connection: Connection, keys: Keys, row: Row[Any], kind: str, facts: Any, now: datetime
) -> None:
    """Write it on the timeline of the call it comes from, if any, and let the screens know."""
    if row.call_key is None:
        return
    write_entry(connection, keys, row.call_key, kind, {**facts, "callback": row.id}, at=now)
    changed = update(incidents).where(incidents.c.call_key == row.call_key)
    connection.execute(changed.values(revision=next_revision(connection)))
