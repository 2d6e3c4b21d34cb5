"""Users, sessions and tokens, on both databases."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher, extract_parameters
from hypothesis import given
from hypothesis import strategies as st

from incidents import passwords
from incidents.accounts import (
    ABSOLUTE_LIFETIME,
    AFTER_CALL,
    IDLE_LIFETIME,
    TOUCH_EVERY,
    Accounts,
    Holder,
    User,
)
from incidents.audit import Audit
from incidents.passwords import AccountRefused
from incidents.remembered import ASK_AGAIN_AFTER, AT_MOST, FRESH_FOR, OUTAGE_FOR, Remembered
from incidents.roles import Right, Roles
from incidents.sealed import Keys
from incidents.staff import Staff
from incidents.tables import audit, incidents, sessions, tokens, users
from incidents.transactions import StoreUnavailable, connect, reading, writing
from tests.incidents.joining import joined

NOW = datetime(2026, 12, 22, 18, 3, 11, tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)
PASSWORD = "a long enough password"
KEYS = Keys(bytes(32))
READS = frozenset[Right]({"read"})
ROLES = Roles(
    rights={"handler": frozenset({"read", "work"}), "reader": READS, "administrator": frozenset()},
    people=("handler", "administrator"),
    programs=("reader", "handler"),
)


@pytest.fixture
def engine(store_url: str) -> Iterator[sa.Engine]:
    """A migrated store of each kind."""
    engine = connect(store_url)
    yield engine
    engine.dispose()


@pytest.fixture
def accounts(engine: sa.Engine) -> Accounts:
    """Accounts over an empty store."""
    return made(engine)


def made(engine: sa.Engine) -> Accounts:
    """Accounts of one console over a store."""
    return Accounts(engine, KEYS, ROLES)


def staff(accounts: Accounts) -> Staff:
    """Who manages the users of these accounts."""
    return Staff(accounts._engine, KEYS, Audit(accounts._engine, KEYS), accounts)


def signed_in(accounts: Accounts, name: str = "anna") -> str:
    """Add a user, sign in at ``NOW`` and return the session's secret."""
    accounts.add_user(name, PASSWORD, now=NOW)
    user = accounts.check_password(name, PASSWORD)
    assert user is not None
    return accounts.begin_session(user, now=NOW)


def dumped(engine: sa.Engine) -> str:
    """Everything the account tables hold, as text."""
    with reading(engine) as connection:
        return repr([list(connection.execute(sa.select(t))) for t in (users, sessions, tokens)])


# -- passwords ------------------------------------------------------------------


def test_a_user_signs_in_with_the_password_that_was_made_up(accounts: Accounts) -> None:
    """A made-up password is returned once and fits."""
    password = accounts.add_user("anna", now=NOW)
    assert len(password) >= 20
    assert accounts.check_password("anna", password) is not None


def test_whom_other_tests_put_on_record_signs_in_like_anybody(accounts: Accounts) -> None:
    """With the same entry in the audit as somebody who was added."""
    made = joined(accounts, "anna", now=NOW)
    accounts.add_user("bert", PASSWORD, now=NOW)
    assert accounts.check_password("anna", PASSWORD) == made
    with reading(accounts._engine) as connection:
        first, second = connection.execute(
            sa.select(audit.c.actor, audit.c.operation, audit.c.what, audit.c.at).limit(3)
        ).all()
    assert first == second


def test_the_wrong_password_is_refused(accounts: Accounts) -> None:
    """The planted fault: a check that let everybody in would pass the test above."""
    accounts.add_user("anna", PASSWORD, now=NOW)
    assert accounts.check_password("anna", PASSWORD + "!") is None
    assert accounts.check_password("anna", "") is None
    assert accounts.check_password("bert", PASSWORD) is None


def test_a_name_is_the_same_in_capitals(accounts: Accounts) -> None:
    """A handler at three in the morning may have caps lock on."""
    accounts.add_user("Anna.Jones", PASSWORD, now=NOW)
    user = accounts.check_password(" ANNA.JONES ", PASSWORD)
    assert user is not None
    assert user.name == "anna.jones"


def test_one_name_belongs_to_one_user(accounts: Accounts) -> None:
    """A second user of the same name is refused, in words."""
    accounts.add_user("anna", PASSWORD, now=NOW)
    with pytest.raises(AccountRefused, match="already a user called anna"):
        accounts.add_user("Anna", PASSWORD, now=NOW)


@pytest.mark.parametrize("name", ["", " ", "a b", "-anna", "a\x00b", "x" * 65, "<script>", "=1+1"])
def test_an_unusable_name_is_refused(accounts: Accounts, name: str) -> None:
    """Names stand in records and on screens: nothing odd, nothing endless."""
    with pytest.raises(AccountRefused, match="A name is"):
        accounts.add_user(name, PASSWORD, now=NOW)


@pytest.mark.parametrize("password", ["", "short", "x" * 11, "x" * 257])
def test_a_password_of_a_bad_length_is_refused(accounts: Accounts, password: str) -> None:
    """Too short to be safe, or too long to hash at a fixed price."""
    with pytest.raises(AccountRefused, match="12 to 256"):
        accounts.add_user("anna", password, now=NOW)


def test_only_roles_that_are_listed_can_be_given(accounts: Accounts) -> None:
    """A role that nothing checks must not be handed out; nor may a program manage users."""
    with pytest.raises(AccountRefused, match="role"):
        accounts.add_user("anna", PASSWORD, now=NOW, role="supervisor")
    with pytest.raises(AccountRefused, match="role"):
        accounts.add_token("probe", now=NOW, role="administrator")


@given(name=st.text(st.characters(codec=None)), password=st.text(st.characters(codec=None)))
def test_no_text_whatever_breaks_the_check(name: str, password: str) -> None:
    """NUL, lone surrogates and endless text are wrong passwords, not failures."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("another")
    assert not passwords.fits(cheap, password)


@pytest.mark.parametrize("odd", ["\x00", "a\x00", "\ud800", "x" * 100_000, "'; DROP TABLE users--"])
def test_an_odd_name_or_password_is_only_wrong(accounts: Accounts, odd: str) -> None:
    """PostgreSQL takes no NUL and UTF-8 no surrogate; neither may be reached with one."""
    accounts.add_user("anna", PASSWORD, now=NOW)
    assert accounts.check_password(odd, PASSWORD) is None
    assert accounts.check_password("anna", odd) is None


def test_passwords_are_kept_as_argon2id_at_the_named_cost(
    accounts: Accounts, engine: sa.Engine
) -> None:
    """OWASP's first setting for argon2id: 46 MiB, one pass, one lane."""
    accounts.add_user("anna", PASSWORD, now=NOW)
    assert "$argon2id$v=19$m=47104,t=1,p=1$" in dumped(engine)
    assert PASSWORD not in dumped(engine)


def test_a_name_nobody_has_costs_as_much_as_a_known_one() -> None:
    """The clock must not tell who works here: the stand-in hash has today's cost and is tried."""
    known = passwords.hash_password(PASSWORD)
    assert extract_parameters(passwords._NOBODY) == extract_parameters(known)

    def took(password_hash: str | None) -> float:
        began = time.perf_counter()
        assert not passwords.fits(password_hash, "another long password")
        return time.perf_counter() - began

    assert min(took(None) for _ in range(5)) > 0.3 * min(took(known) for _ in range(5))


def test_a_hash_of_older_parameters_is_renewed_at_sign_in(
    accounts: Accounts, engine: sa.Engine
) -> None:
    """A release that raises the cost reaches every user as they sign in."""
    accounts.add_user("anna", PASSWORD, now=NOW)
    old = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    with writing(engine) as connection:
        connection.execute(sa.update(users).values(password_hash=old))
    assert accounts.check_password("anna", PASSWORD + "!") is None
    assert old in dumped(engine)
    assert accounts.check_password("anna", PASSWORD) is not None
    assert "m=47104" in dumped(engine)
    assert accounts.check_password("anna", PASSWORD) is not None


def test_there_is_nobody_until_the_first_user(accounts: Accounts) -> None:
    """The first start makes a sign-in exactly when there is none."""
    assert not accounts.has_users()
    accounts.add_user("anna", PASSWORD, now=NOW)
    assert accounts.has_users()


# -- sessions -------------------------------------------------------------------


def test_a_session_says_who_holds_it(accounts: Accounts) -> None:
    """The cookie's secret leads to the user."""
    holder = accounts.session(signed_in(accounts), now=NOW)
    assert holder is not None
    assert (holder.name, holder.role, holder.by, holder.may("read")) == (
        "anna",
        "handler",
        "session",
        True,
    )


def test_the_store_holds_no_secret_that_opens_anything(
    accounts: Accounts, engine: sa.Engine
) -> None:
    """A stolen store or backup opens no session: it holds digests."""
    secret, token = signed_in(accounts), accounts.add_token("probe", now=NOW)
    text = dumped(engine)
    assert secret not in text
    assert token not in text
    assert hashlib.sha256(token.encode()).hexdigest() in text
    assert accounts.session(hashlib.sha256(secret.encode()).hexdigest(), now=NOW) is None


def test_each_sign_in_has_a_secret_of_its_own(accounts: Accounts) -> None:
    """Session fixation has nothing to fix: no secret is ever used twice."""
    first = signed_in(accounts)
    user = accounts.check_password("anna", PASSWORD)
    assert user is not None
    assert accounts.begin_session(user, now=NOW) != first


def test_a_session_nobody_uses_is_over_after_the_idle_lifetime(accounts: Accounts) -> None:
    """A screen left alone in an empty room."""
    secret = signed_in(accounts)
    almost = NOW + IDLE_LIFETIME - timedelta(seconds=1)
    assert made(accounts._engine).session(secret, now=NOW + IDLE_LIFETIME) is None
    assert accounts.session(secret, now=almost) is not None


def test_use_keeps_a_session_until_the_absolute_lifetime(accounts: Accounts) -> None:
    """A twelve-hour shift is never signed out in the middle; a stolen cookie does not last."""
    secret, at = signed_in(accounts), NOW
    while at < NOW + ABSOLUTE_LIFETIME - IDLE_LIFETIME:
        at += IDLE_LIFETIME - timedelta(minutes=1)
        assert accounts.session(secret, now=at) is not None
    assert accounts.session(secret, now=NOW + ABSOLUTE_LIFETIME - timedelta(seconds=1)) is not None
    assert accounts.session(secret, now=NOW + ABSOLUTE_LIFETIME) is None


def test_use_is_written_down_at_most_once_a_minute(accounts: Accounts, engine: sa.Engine) -> None:
    """500 open screens must not become 500 writes a second."""
    secret = signed_in(accounts)

    def seen_at() -> datetime:
        with reading(engine) as connection:
            found: datetime = connection.execute(sa.select(sessions.c.seen_at)).scalar_one()
        return found

    accounts.session(secret, now=NOW + TOUCH_EVERY - timedelta(seconds=1))
    assert seen_at() == NOW
    later = NOW + TOUCH_EVERY + FRESH_FOR
    accounts.session(secret, now=later)
    assert seen_at() == later


def test_a_session_that_was_ended_is_worth_nothing_at_once(accounts: Accounts) -> None:
    """Reuse after sign-out, also inside the seconds in which answers are remembered."""
    secret = signed_in(accounts)
    assert accounts.session(secret, now=NOW) is not None
    accounts.end_session(secret, now=NOW)
    assert accounts.session(secret, now=NOW) is None


def test_a_new_password_ends_every_session(accounts: Accounts) -> None:
    """Whoever had the old password is out."""
    secret = signed_in(accounts)
    assert accounts.session(secret, now=NOW) is not None
    staff(accounts).change_password("anna", "another long password", now=NOW)
    assert accounts.session(secret, now=NOW) is None
    assert accounts.check_password("anna", PASSWORD) is None
    assert accounts.check_password("anna", "another long password") is not None


def test_a_disabled_user_is_out_and_stays_out(accounts: Accounts) -> None:
    """Somebody who left the force."""
    secret = signed_in(accounts)
    staff(accounts).leave("anna", now=NOW)
    assert accounts.session(secret, now=NOW) is None
    assert accounts.check_password("anna", PASSWORD) is None
    with pytest.raises(AccountRefused, match="no user called bert"):
        staff(accounts).leave("bert", now=NOW)


def holds_a_call(engine: sa.Engine, handler: str | None = "anna") -> None:
    """Put an open line into the store that ``handler`` claimed at ``NOW``."""
    row = {
        "call_key": "1" * 40,
        "reference": "QL-7K3M-9F2X-HC4",
        "call_sid": "CA1",
        "month": "2026-12",
        "line": "emergency",
        "profile": "gb",
        "purpose": "live",
        "withheld": True,
        "signal": "confirmed",
        "keys": "55",
        "urgency": 1,
        "reasons": [],
        "line_state": "waiting",
        "connection": "open",
        "started_at": NOW,
        "handler": handler,
        "claimed_at": NOW,
        "revision": 1,
    }
    with writing(engine) as connection:
        connection.execute(sa.insert(incidents).values(row))


def change_call(engine: sa.Engine, **values: object) -> None:
    """Change the call of ``holds_a_call``."""
    with writing(engine) as connection:
        connection.execute(sa.update(incidents).values(values))


def test_a_session_outlives_its_hour_while_a_live_call_is_held(
    accounts: Accounts, engine: sa.Engine
) -> None:
    """Issue text, Claiming: nobody is signed out while holding a live call."""
    secret = signed_in(accounts)
    holds_a_call(engine)
    for late in (IDLE_LIFETIME, ABSOLUTE_LIFETIME, ABSOLUTE_LIFETIME * 2):
        assert made(engine).session(secret, now=NOW + late) is not None, late


def test_somebody_elses_live_call_keeps_nobody_signed_in(
    accounts: Accounts, engine: sa.Engine
) -> None:
    """The planted fault: a check that never looked at the handler would pass the test above."""
    secret = signed_in(accounts)
    holds_a_call(engine, "bert")
    assert accounts.session(secret, now=NOW + IDLE_LIFETIME) is None
    change_call(engine, handler="anna", closed_at=NOW)
    assert accounts.session(secret, now=NOW + IDLE_LIFETIME) is None


def test_a_session_that_ran_out_ends_a_while_after_the_line_did(
    accounts: Accounts, engine: sa.Engine
) -> None:
    """A call that dropped is graded again first; nobody has to sign in for that."""
    secret, over = signed_in(accounts), NOW + ABSOLUTE_LIFETIME
    holds_a_call(engine)
    assert accounts.session(secret, now=over) is not None
    change_call(engine, connection="dropped", ended_at=over)
    assert accounts.session(secret, now=over + FRESH_FOR) is not None
    assert accounts.session(secret, now=over + AFTER_CALL) is None


def test_a_live_call_keeps_its_holder_signed_in_through_an_outage(
    engine: sa.Engine, store_url: str
) -> None:
    """The last answer counts while the store is away, even past the session's own end."""
    away = [False]

    def refuse(*_: object) -> None:
        if away[0]:
            raise sa.exc.OperationalError("connect", None, ConnectionRefusedError())

    sa.event.listen(engine, "engine_connect", refuse)
    accounts = made(engine)
    secret, last = signed_in(accounts), NOW + ABSOLUTE_LIFETIME - timedelta(minutes=1)
    holds_a_call(engine)
    change_seen(engine, last)
    assert accounts.session(secret, now=last) is not None
    away[0] = True
    later = NOW + ABSOLUTE_LIFETIME + timedelta(hours=1)
    assert accounts.session(secret, now=later) is not None


def change_seen(engine: sa.Engine, at: datetime) -> None:
    """Have every session used at ``at``."""
    with writing(engine) as connection:
        connection.execute(sa.update(sessions).values(seen_at=at))


# -- tokens ---------------------------------------------------------------------


def test_a_token_reads_and_is_ready_to_paste(accounts: Accounts) -> None:
    """256 random bits after a prefix by which leaked ones can be searched for."""
    secret = accounts.add_token("probe", now=NOW)
    assert secret.startswith("qlt_")
    assert len(secret) == 47
    holder = accounts.token(secret, now=NOW)
    assert holder == Holder("probe", "reader", None, "token", READS)


def test_a_token_that_is_nearly_right_opens_nothing(accounts: Accounts) -> None:
    """The planted fault: one character off, cut short, wrapped, or a session's secret."""
    secret, session = accounts.add_token("probe", now=NOW), signed_in(accounts)
    other = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    for wrong in (other, secret[:-1], secret + "A", secret + "\n", secret.upper(), session, ""):
        assert accounts.token(wrong, now=NOW) is None
    assert accounts.session(secret, now=NOW) is None


def test_a_token_that_was_ended_opens_nothing(accounts: Accounts) -> None:
    """At once in this process; elsewhere after the few seconds of ``FRESH_FOR``."""
    elsewhere = made(accounts._engine)
    secret = accounts.add_token("probe", now=NOW)
    assert accounts.token(secret, now=NOW) is not None
    assert elsewhere.token(secret, now=NOW) is not None
    accounts.end_token("probe", now=NOW)
    assert accounts.token(secret, now=NOW) is None
    assert elsewhere.token(secret, now=NOW + FRESH_FOR) is None
    with pytest.raises(AccountRefused, match="no live token"):
        accounts.end_token("probe", now=NOW)


def test_a_leaver_has_neither_session_nor_token_at_once(accounts: Accounts) -> None:
    """Also in the seconds in which answers are remembered, and a token of the name in any case."""
    secret, token = signed_in(accounts), accounts.add_token("anna", now=NOW, role="handler")
    other = accounts.add_token("probe", now=NOW)
    assert accounts.session(secret, now=NOW) is not None
    holder = accounts.token(token, now=NOW)
    assert holder is not None
    assert holder.user_id is not None
    staff(accounts).leave("Anna", now=NOW)
    assert accounts.session(secret, now=NOW) is None
    assert accounts.token(token, now=NOW) is None
    assert accounts.token(other, now=NOW) is not None
    with pytest.raises(AccountRefused, match="account of anna was ended"):
        accounts.add_token("anna", now=NOW)


def test_one_name_belongs_to_one_token(accounts: Accounts) -> None:
    """The audit must be able to say which one read."""
    accounts.add_token("probe", now=NOW)
    with pytest.raises(AccountRefused, match="already a token called probe"):
        accounts.add_token("probe", now=NOW)


def test_a_role_of_a_later_release_reads_nothing(accounts: Accounts, engine: sa.Engine) -> None:
    """A store shared with a newer release may hold roles we do not know."""
    secret = accounts.add_token("probe", now=NOW)
    with writing(engine) as connection:
        connection.execute(sa.update(tokens).values(role="auditor"))
    holder = accounts.token(secret, now=NOW)
    assert holder is not None
    assert not holder.may("read")


# -- what is remembered while the store is away -----------------------------------


class Store:
    """A store that answers, refuses or is away, and counts how often it was asked."""

    def __init__(self) -> None:
        self.answer: tuple[str, datetime] | None = ("anna", NEVER)
        self.away = False
        self.asked = 0

    def ask(self) -> tuple[str, datetime] | None:
        self.asked += 1
        if self.away:
            raise StoreUnavailable("away")
        return self.answer


def test_a_fresh_answer_is_not_asked_for_again() -> None:
    """A burst of requests with one token costs the store one question."""
    store, remembered = Store(), Remembered[str]()
    for _ in range(50):
        assert remembered.look_up("d", store.ask, now=NOW) == "anna"
    assert store.asked == 1
    remembered.look_up("d", store.ask, now=NOW + FRESH_FOR)
    assert store.asked == 2


def test_with_the_store_away_a_known_token_stays_good_for_a_shift_and_no_longer() -> None:
    """Alerts still come from the journal; the screen must be able to show its token."""
    store, remembered = Store(), Remembered[str]()
    remembered.look_up("d", store.ask, now=NOW)
    store.away = True
    last = NOW + OUTAGE_FOR - timedelta(seconds=1)
    assert remembered.look_up("d", store.ask, now=NOW + timedelta(minutes=10)) == "anna"
    assert remembered.look_up("d", store.ask, now=last) == "anna"
    with pytest.raises(StoreUnavailable):
        remembered.look_up("d", store.ask, now=NOW + OUTAGE_FOR)


def test_with_the_store_away_a_stranger_is_not_let_in() -> None:
    """The planted fault: an outage must not become an open door."""
    store, remembered = Store(), Remembered[str]()
    store.away = True
    with pytest.raises(StoreUnavailable):
        remembered.look_up("stranger", store.ask, now=NOW)


def test_an_outage_does_not_lengthen_a_session() -> None:
    """A session ends when it ends by itself, store or no store."""
    store, remembered = Store(), Remembered[str]()
    store.answer = ("anna", NOW + timedelta(minutes=5))
    remembered.look_up("d", store.ask, now=NOW)
    store.away = True
    with pytest.raises(StoreUnavailable):
        remembered.look_up("d", store.ask, now=NOW + timedelta(minutes=5))


def test_a_store_that_failed_is_left_alone_for_a_moment() -> None:
    """A stopped database answers after seconds: not every request may wait for it."""
    store, remembered = Store(), Remembered[str]()
    remembered.look_up("d", store.ask, now=NOW)
    store.away = True
    at = NOW + FRESH_FOR
    for _ in range(20):
        assert remembered.look_up("d", store.ask, now=at) == "anna"
    assert store.asked == 2
    remembered.look_up("d", store.ask, now=at + ASK_AGAIN_AFTER)
    assert store.asked == 3


def test_a_refusal_is_heard_as_soon_as_the_store_is_back() -> None:
    """A token ended during the outage of our way to the store."""
    store, remembered = Store(), Remembered[str]()
    remembered.look_up("d", store.ask, now=NOW)
    store.away = True
    at = NOW + FRESH_FOR
    assert remembered.look_up("d", store.ask, now=at) == "anna"
    store.away, store.answer = False, None
    assert remembered.look_up("d", store.ask, now=at + ASK_AGAIN_AFTER) is None
    assert remembered.look_up("d", store.ask, now=at + ASK_AGAIN_AFTER) is None


def test_what_is_remembered_is_bounded() -> None:
    """No counter and no memory grows with what comes in."""
    store, remembered = Store(), Remembered[str]()
    for number in range(AT_MOST + 10):
        remembered.look_up(str(number), store.ask, now=NOW)
    assert len(remembered._answers) == AT_MOST


def test_a_store_that_is_gone_is_told_as_such(store_url: str) -> None:
    """Adding to a store that cannot be reached raises what the edge knows how to answer."""
    gone = "sqlite:////nowhere/at/all.db" if "sqlite" in store_url else store_url + "_gone"
    accounts = made(connect(gone))
    for act in (
        lambda: accounts.add_token("probe", now=NOW),
        lambda: accounts.check_password("anna", PASSWORD),
        lambda: accounts.begin_session(User("1", "anna", "handler"), now=NOW),
    ):
        with pytest.raises(StoreUnavailable):
            act()
