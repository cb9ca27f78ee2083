"""Roles, passwords and one-time codes, without a database."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.org.operators import errors, rules
from services.org.operators.rules import Grant

# RFC 6238, appendix B: SHA-1, the last six of its eight digits.
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
RFC_CODES = [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (2000000000, "279037")]
NOW = 1_780_000_015


@pytest.mark.parametrize(("now", "code"), RFC_CODES)
def test_codes_are_those_of_the_standard(now: int, code: str) -> None:
    assert rules.fitting_step(RFC_SECRET, code, now=now, last_step=None) == now // 30


@pytest.mark.parametrize(("shift", "fits"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_half_a_minute_wrong(shift: int, fits: bool) -> None:
    code = rules._totp(RFC_SECRET).generate(NOW + 30 * shift).decode()
    step = rules.fitting_step(RFC_SECRET, code, now=NOW, last_step=None)
    assert step == (NOW // 30 + shift if fits else None)


def test_a_code_that_was_used_or_is_older_fits_no_more() -> None:
    this = NOW // 30
    code = rules._totp(RFC_SECRET).generate(NOW).decode()
    assert rules.fitting_step(RFC_SECRET, code, now=NOW, last_step=this - 1) == this
    assert rules.fitting_step(RFC_SECRET, code, now=NOW, last_step=this) is None
    assert rules.fitting_step(RFC_SECRET, code, now=NOW, last_step=this + 1) is None


def test_secrets_are_long_and_new() -> None:
    made = {rules.new_totp_secret() for _ in range(10)} | {rules.new_session_token() for _ in range(10)}
    assert len(made) == 20
    assert len(base64.b32decode(rules.new_totp_secret())) == 20


@given(st.text(min_size=0, max_size=140))
def test_a_password_is_taken_or_refused_with_its_reason(text: str) -> None:
    password = rules.normal_password(text)
    good = 12 <= len(password) <= 128 and len(set(password)) >= 5 and "somebody" not in password.casefold()
    try:
        rules.check_password(text, "somebody")
    except errors.PasswordWeak:
        assert not good
    else:
        assert good


def test_a_password_is_the_same_however_it_is_typed() -> None:
    assert rules.normal_password("Café ﬁ１２３") == rules.normal_password("Cafe\u0301 fi123")


def test_permissions_of_several_grants_stay_with_their_scopes() -> None:
    found = rules.permissions_of(
        [Grant("AUDITOR", ""), Grant("MERCHANT_OWNER", "mch_1"), Grant("MERCHANT_CLERK", "mch_1")]
    )
    assert found[""] == "*.read"
    assert set(found) == {"", "mch_1"}
    assert "settlement.statements.read" in found["mch_1"].split()


def test_roles_that_may_something_for_a_thing() -> None:
    grants = [Grant("FINANCE", ""), Grant("MERCHANT_OWNER", "mch_1")]
    assert rules.roles_that_may(grants, "settlement.statements.read", "mch_1") == ["FINANCE", "MERCHANT_OWNER"]
    assert rules.roles_that_may(grants, "settlement.statements.read", "mch_2") == ["FINANCE"]
    assert rules.roles_that_may(grants, "parking.tariffs.write", "mch_1") == []
    assert rules.roles_that_may(grants, "org.operators.write", "") == []
