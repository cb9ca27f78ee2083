"""Values at rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import ids
from chassis.crypto import DecryptionFailed, Vault

VAULT = Vault("k" * 32)
ROW = ids.derive("row")


@given(st.text())
def test_what_was_encrypted_is_read_again_and_hidden(plain: str) -> None:
    sealed = VAULT.encrypt("phone", plain, bound_to=ROW)
    assert VAULT.decrypt("phone", sealed, bound_to=ROW) == plain
    assert sealed != VAULT.encrypt("phone", plain, bound_to=ROW)


@pytest.mark.parametrize("position", [0, 1, 14, -1])
def test_altered_ciphertext_is_refused(position: int) -> None:
    sealed = bytearray(VAULT.encrypt("phone", "+8613800000001", bound_to=ROW))
    sealed[position] ^= 1
    with pytest.raises(DecryptionFailed):
        VAULT.decrypt("phone", bytes(sealed), bound_to=ROW)


def test_ciphertext_of_another_row_purpose_or_key_is_refused() -> None:
    sealed = VAULT.encrypt("phone", "+8613800000001", bound_to=ROW)
    with pytest.raises(DecryptionFailed):
        VAULT.decrypt("phone", sealed, bound_to=ids.derive("other row"))
    with pytest.raises(DecryptionFailed):
        VAULT.decrypt("secret", sealed, bound_to=ROW)
    with pytest.raises(DecryptionFailed):
        Vault("j" * 32).decrypt("phone", sealed, bound_to=ROW)


def test_blind_index_is_equal_for_equal_parts_only() -> None:
    index = VAULT.blind_index("phone", ROW, "+8613800000001")
    assert index == Vault("k" * 32).blind_index("phone", ROW, "+8613800000001")
    assert index != VAULT.blind_index("card", ROW, "+8613800000001")
    assert index != Vault("j" * 32).blind_index("phone", ROW, "+8613800000001")
    assert VAULT.blind_index("x", "ab", "c") != VAULT.blind_index("x", "a", "bc")
