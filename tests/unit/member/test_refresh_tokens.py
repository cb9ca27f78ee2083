"""Generations of a refresh token: lost answers are forgiven, theft is not."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import ids
from services.member.sessions import rules
from services.member.sessions.rules import Session

KEY = b"k" * 32
FIRST = Session(ids.new(), ids.new(), ids.new(), b"s" * 16, 1, None, False)


def play(*generations: int) -> list[int | None]:
    """Present tokens one after the other; answers the generation given out, None when the session ended."""
    session: Session | None = FIRST
    given_out: list[int | None] = []
    for generation in generations:
        session = rules.rotate(session, generation) if session else None
        given_out.append(session.generation if session else None)
    return given_out


@pytest.mark.parametrize(
    ("presented", "given_out"),
    [
        # the ordinary way
        ((1, 2, 3), [2, 3, 4]),
        # the answer with 2 is lost: 1 comes again, and all goes on
        ((1, 1, 3, 4), [2, 3, 4, 5]),
        # two answers in a row are lost: once is forgiven
        ((1, 1, 1), [2, 3, None]),
        # a thief uses 1 after the member did; the member's 2 is void, and both are out
        ((1, 1, 2, 3), [2, 3, None, None]),
        # a thief uses 1 first; the member comes with 1 and gets 3; the thief's 2 ends it
        ((1, 1, 2), [2, 3, None]),
        # an older one
        ((1, 2, 1), [2, 3, None]),
        # one that was never given out
        ((5,), [None]),
    ],
)
def test_rotation_tolerates_one_lost_answer_only(presented: tuple[int, ...], given_out: list[int | None]) -> None:
    assert play(*presented) == given_out


@given(st.lists(st.integers(1, 6), min_size=1, max_size=12))
def test_two_holders_of_one_token_never_both_go_on(presented: list[int]) -> None:
    # No token is worth a new one more than twice, whoever presents it.
    used: dict[int, int] = {}
    for generation, given_out in zip(presented, play(*presented), strict=True):
        if given_out:
            used[generation] = used.get(generation, 0) + 1
    assert max(used.values(), default=0) <= 2


def test_token_is_genuine_under_its_key_session_and_generation_only() -> None:
    text = rules.make_refresh_token(KEY, FIRST)
    token = rules.read_refresh_token(text)
    assert token is not None
    assert rules.is_genuine(KEY, FIRST, token)
    # Bits of the last character that stand for nothing make no second token of it.
    digits = string.ascii_letters + string.digits + "-_"
    readable = [last for last in digits if rules.read_refresh_token(text[:-1] + last)]
    assert text[-1] in readable and len(readable) == 4
    assert not rules.is_genuine(b"j" * 32, FIRST, token)
    assert not rules.is_genuine(KEY, FIRST, rules.RefreshToken(token.session_id, 2, token.signature))


@given(st.text(max_size=100))
def test_any_other_text_is_no_token(text: str) -> None:
    assert rules.read_refresh_token(text) is None
    assert rules.read_refresh_token("mrt_" + text) is None
