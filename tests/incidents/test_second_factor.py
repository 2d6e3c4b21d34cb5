"""The second factor: six digits by the clock, each good once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import sqlalchemy as sa

from incidents.audit import Audit
from incidents.sealed import Keys
from incidents.second_factor import SecondFactor, address, digits, in_groups, new_secret
from incidents.tables import audit, users
from incidents.transactions import connect, reading, writing

NOW = datetime(2026, 12, 22, 18, 3, 15, tzinfo=UTC)
"""In the middle of a period of 30 s."""
KEYS = Keys(bytes(32))
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
ANNA = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
def engine(store_url: str) -> Iterator[sa.Engine]:
    """A migrated store of each kind with one user, anna."""
    engine = connect(store_url)
    with writing(engine) as connection:
        connection.execute(
            sa.insert(users).values(
                id=ANNA, name="anna", role="handler", password_hash="x", created_at=NOW
            )
        )
    yield engine
    engine.dispose()


@pytest.fixture
def factor(engine: sa.Engine) -> SecondFactor:
    """The second factor of that store."""
    return SecondFactor(engine, KEYS, Audit(engine, KEYS))


def code(at: datetime, secret: str = SECRET) -> str:
    """What an app shows at that moment."""
    return pyotp.TOTP(secret).at(at)


def enrolled(factor: SecondFactor) -> None:
    """Set anna's factor up two minutes ago."""
    before = NOW - timedelta(minutes=2)
    assert factor.enrol(ANNA, "anna", SECRET, code(before), now=before) == "accepted"


def test_a_factor_is_kept_only_once_a_code_shows_that_the_app_has_it(factor: SecondFactor) -> None:
    """A picture that was never scanned must not lock anybody out."""
    assert factor.enrol(ANNA, "anna", SECRET, "000000", now=NOW) == "wrong"
    assert factor.check(ANNA, code(NOW), now=NOW) == "wrong"
    assert factor.enrol(ANNA, "anna", SECRET, code(NOW), now=NOW) == "accepted"


def test_the_code_of_the_set_up_does_not_sign_in_as_well(factor: SecondFactor) -> None:
    """It was used."""
    factor.enrol(ANNA, "anna", SECRET, code(NOW), now=NOW)
    assert factor.check(ANNA, code(NOW), now=NOW) == "used"


def test_a_factor_that_is_set_up_is_not_replaced(factor: SecondFactor) -> None:
    """Whoever has the password alone must not bring a phone of their own."""
    enrolled(factor)
    other = new_secret()
    assert factor.enrol(ANNA, "anna", other, code(NOW, other), now=NOW) == "wrong"
    assert factor.check(ANNA, code(NOW), now=NOW) == "accepted"


def test_a_code_works_once(factor: SecondFactor) -> None:
    """Read over a shoulder, it is worth nothing."""
    enrolled(factor)
    assert factor.check(ANNA, code(NOW), now=NOW) == "accepted"
    assert factor.check(ANNA, code(NOW), now=NOW + timedelta(seconds=5)) == "used"


def test_no_older_code_works_after_a_newer_one(factor: SecondFactor) -> None:
    """The code of the period before is still within the drift, but it is passed."""
    enrolled(factor)
    assert factor.check(ANNA, code(NOW), now=NOW) == "accepted"
    assert factor.check(ANNA, code(NOW - timedelta(seconds=30)), now=NOW) == "used"
    later = NOW + timedelta(seconds=30)
    assert factor.check(ANNA, code(later), now=later) == "accepted"


@pytest.mark.parametrize(("off", "answer"), [(-60, "wrong"), (-30, "accepted"), (30, "accepted")])
def test_a_phone_may_be_half_a_minute_off(factor: SecondFactor, off: int, answer: str) -> None:
    """RFC 6238 section 5.2: one period either way."""
    enrolled(factor)
    assert factor.check(ANNA, code(NOW + timedelta(seconds=off)), now=NOW) == answer


def test_two_who_send_one_code_at_once_are_not_both_let_in(factor: SecondFactor) -> None:
    """The store decides, so that two workers cannot both win."""
    enrolled(factor)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: factor.check(ANNA, code(NOW), now=NOW), range(8)))
    assert sorted(answers) == ["accepted", *["used"] * 7]


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "abcdef", "٠٠٠٠٠٠٠", "\x00" * 6, "9" * 99]
)
def test_what_is_no_code_is_wrong(factor: SecondFactor, typed: str) -> None:
    """Nothing typed is a failure of ours."""
    enrolled(factor)
    assert factor.check(ANNA, typed, now=NOW) == "wrong"
    assert factor.check("nobody", typed, now=NOW) == "wrong"


def test_a_code_may_be_typed_as_apps_show_it(factor: SecondFactor) -> None:
    """In two groups, with a hyphen, or in full-width digits."""
    assert digits(" 123 456 ") == digits("123-456") == digits("１２３４５６") == "123456"
    enrolled(factor)
    shown = code(NOW)
    assert factor.check(ANNA, f"{shown[:3]} {shown[3:]}", now=NOW) == "accepted"


def test_the_secret_is_sealed_in_the_store(factor: SecondFactor, engine: sa.Engine) -> None:
    """A stolen store makes no codes, and one user's secret does not open as another's."""
    enrolled(factor)
    with reading(engine) as connection:
        kept = connection.scalar(sa.select(users.c.totp))
        logged = connection.execute(sa.select(audit)).all()
    assert kept is not None
    assert SECRET.encode() not in kept
    assert SECRET not in repr(logged)
    other = "22222222-2222-4222-8222-222222222222"
    with writing(engine) as connection:
        row = {"id": other, "name": "bert", "role": "handler", "password_hash": "x"}
        connection.execute(sa.insert(users).values(**row, created_at=NOW, totp=kept))
    assert factor.check(other, code(NOW), now=NOW) == "wrong"


def test_setting_up_a_factor_is_in_the_audit(factor: SecondFactor, engine: sa.Engine) -> None:
    """Rule 11."""
    enrolled(factor)
    with reading(engine) as connection:
        rows = connection.execute(sa.select(audit.c.actor, audit.c.what, audit.c.record)).all()
    assert [tuple(row) for row in rows] == [("anna", "set up their second factor", "anna")]


def test_a_secret_is_160_bits_and_can_be_typed() -> None:
    """RFC 4226 section 4, R6."""
    secret = new_secret()
    assert len(secret) == 32
    assert in_groups(secret).count(" ") == 7
    assert address("anna", secret) == (
        f"otpauth://totp/Quietline:anna?secret={secret}&issuer=Quietline"
    )
