"""Signed requests and the credentials behind them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Iterable
from typing import Any

import pytest

from chassis.errors import DeadlineExceeded, Unauthenticated, Unavailable
from chassis.identity import MEMBER_ACCESS, Caller, CallerKind, TokenBook
from gateway.auth import kept, lookups
from gateway.auth.addresses import network_of
from gateway.auth.callers import Callers, SignedParts
from gateway.auth.credentials import Credentials
from gateway.auth.signing import sign_request
from gateway.errors import KeyUnknownOrRevoked, SignatureExpired, SignatureInvalid
from huitong.org.v1 import org_pb2
from tests.gateway_backend import GROUP, KEY, STORE

NOW, HERE = 1_780_000_000, "10.0.0.1"


def answer(**changes: Any) -> org_pb2.GetCredentialSecretResponse:
    fields: dict[str, Any] = {
        "kind": org_pb2.CREDENTIAL_KIND_TERMINAL,
        "group_id": f"grp_{GROUP.hex}",
        "subject_id": "trm_1",
        "bound_id": STORE,
        "secrets": ["secret"],
    }
    return org_pb2.GetCredentialSecretResponse(**(fields | changes))


class Org:
    """Counts lookups; answers from `known`, fails with `failure`."""

    def __init__(self, **known: org_pb2.GetCredentialSecretResponse) -> None:
        self.known, self.lookups, self.now = known, 0, 0.0
        self.failure: Exception | None = None
        self.credentials = Credentials(self.fetch, clock=lambda: self.now)
        members = TokenBook(KEY, issuer=MEMBER_ACCESS)
        self.callers = Callers(self.credentials, members, clock=lambda: NOW + self.now)

    async def fetch(self, key_id: str) -> org_pb2.GetCredentialSecretResponse:
        self.lookups += 1
        await asyncio.sleep(0)
        if self.failure:
            raise self.failure
        if key_id not in self.known:
            error = Unauthenticated()
            error.reason = "CREDENTIAL_UNKNOWN"  # type: ignore[misc]
            raise error
        return self.known[key_id]


REQUEST = {"method": "POST", "path": "/v1/sales", "query": "a=1&b=2", "body": b'{"x":1}'}


def signed(**changes: Any) -> str:
    fields: dict[str, Any] = {"key_id": "key_1", "secret": "secret", "timestamp": NOW, "nonce": "n" * 16}
    return sign_request(**(REQUEST | fields | changes))["Authorization"]


async def identify(header: str, org: Org | None = None, *, address: str = HERE, **changes: Any):
    parts = SignedParts(**(REQUEST | changes))
    return await (org or Org(key_1=answer())).callers.identify(header, parts, address)


async def test_a_good_signature_tells_the_caller_and_its_nonce() -> None:
    found = await identify(signed(), Org(key_1=answer(scopes={"merchant_id": "mch_1"})))
    assert found.caller == Caller(CallerKind.TERMINAL, "trm_1", GROUP, STORE, {"merchant_id": "mch_1"})
    assert found.nonce == "key_1:" + "n" * 16


def test_the_signature_is_what_the_documentation_says() -> None:
    text = "\n".join(
        ["POST", "/v1/sales", "a=1&b=2", hashlib.sha256(b'{"x":1}').hexdigest(), str(NOW), "n" * 16, "key_1"]
    )
    assert signed().endswith("signature=" + hmac.new(b"secret", text.encode(), hashlib.sha256).hexdigest())


TAMPERED = [
    {"method": "PUT"},
    {"path": "/v1/refunds"},
    # as sent: another spelling of the same path is another path
    {"path": "/v1/%73ales"},
    {"query": "a=1&b=3"},
    {"query": "b=2&a=1"},
    {"query": ""},
    {"body": b'{"x":2}'},
    {"body": b""},
]


@pytest.mark.parametrize("changes", TAMPERED, ids=repr)
async def test_a_changed_request_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SignatureInvalid):
        await identify(signed(), **changes)


TAMPERED_HEADERS = [
    lambda text: text.replace(f"timestamp={NOW}", f"timestamp={NOW + 1}"),
    lambda text: text.replace("nonce=nnnn", "nonce=nnnm"),
    lambda text: text.replace("key_id=key_1", "key_id=key_2"),
    lambda text: text[:-1] + ("0" if text[-1] != "0" else "1"),
    lambda text: text + "0",
    lambda text: text + ", nonce=" + "m" * 16,
    lambda text: text.replace(", ", "; "),
    lambda text: text.replace("nonce=" + "n" * 16, "nonce=short"),
    lambda text: text.replace("nonce=" + "n" * 16, "nonce=" + "n" * 65),
    lambda text: text.replace("nonce=" + "n" * 16, "nonce=" + "n" * 15 + "\n"),
    lambda text: text.split(" ")[0],
]


@pytest.mark.parametrize("change", TAMPERED_HEADERS)
async def test_a_changed_header_is_refused(change: Any) -> None:
    with pytest.raises(SignatureInvalid):
        await identify(change(signed()), Org(key_1=answer(), key_2=answer()))


@pytest.mark.parametrize(("shift", "good"), [(-301, False), (-300, True), (300, True), (301, False)])
async def test_the_window_is_five_minutes_to_either_side(shift: int, good: bool) -> None:
    header = signed(timestamp=NOW + shift)
    if good:
        await identify(header)
    else:
        with pytest.raises(SignatureExpired) as refused:
            await identify(header)
        assert refused.value.values["server_time"].startswith("2026-")


async def test_both_secrets_of_a_rotation_work() -> None:
    org = Org(key_1=answer(secrets=["new", "secret"]))
    await identify(signed(), org)
    await identify(signed(secret="new"), org)
    with pytest.raises(SignatureInvalid):
        await identify(signed(secret="older"), org)


@pytest.mark.parametrize("changes", [{"is_revoked": True}, {"secrets": []}, {"kind": 0}], ids=repr)
async def test_a_credential_that_does_not_work_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(KeyUnknownOrRevoked):
        await identify(signed(), Org(key_1=answer(**changes)))


async def test_an_unknown_key_is_refused_and_asked_for_once_in_five_seconds() -> None:
    org = Org()
    for now, asked in ((0.0, 1), (4.9, 1), (5.1, 2)):
        org.now = now
        with pytest.raises(KeyUnknownOrRevoked):
            await org.credentials.get("key_9", HERE)
        assert org.lookups == asked


async def test_a_credential_is_asked_for_again_after_thirty_seconds() -> None:
    org = Org(key_1=answer())
    await asyncio.gather(*(org.credentials.get("key_1", HERE) for _ in range(20)))
    assert org.lookups == 1
    org.known["key_1"] = answer(is_revoked=True)
    org.now = 29.9
    await org.credentials.get("key_1", HERE)
    org.now = 30.1
    with pytest.raises(KeyUnknownOrRevoked):
        await org.credentials.get("key_1", HERE)


async def test_while_org_is_gone_known_keys_work_for_sixty_seconds_in_all() -> None:
    org = Org(key_1=answer())
    await org.credentials.get("key_1", HERE)
    for failure in (Unavailable(), DeadlineExceeded()):
        org.failure, org.now = failure, 59.0
        await org.credentials.get("key_1", HERE)
    org.now = 61.0
    with pytest.raises(Unavailable):
        await org.credentials.get("key_1", HERE)
    with pytest.raises(Unavailable):
        await org.credentials.get("key_2", HERE)


async def guess(org: Org, names: Iterable[str], address: str = HERE) -> None:
    for name in names:
        with pytest.raises((KeyUnknownOrRevoked, Unavailable)):
            await identify(signed(key_id=name), org, address=address)


async def test_guessing_key_ids_does_not_load_org(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "LOOKUP_BURST", 10.0)
    org = Org(key_1=answer())
    await guess(org, (f"key_guess{number}" for number in range(50)))
    assert org.lookups == 10


async def test_who_guesses_keeps_nobody_elsewhere_out() -> None:
    org = Org(key_1=answer())
    await guess(org, (f"key_guess{number}" for number in range(2_100)))
    assert org.lookups == lookups.SHARE_BURST
    assert (await identify(signed(), org, address="10.0.0.2")).caller.subject == "trm_1"


async def test_asking_again_about_what_does_not_work_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "SHARE_BURST", 10.0)
    org, tried = Org(), [f"key_guess{number}" for number in range(10)]
    await guess(org, tried)
    org.now = kept.BAD_SECONDS + 0.1
    await guess(org, tried)
    await guess(org, (f"key_more{number}" for number in range(10)))
    assert org.lookups == 20


async def test_guesses_make_nobody_forget_what_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MAX_KEPT", 5)
    monkeypatch.setattr(kept, "MAX_BAD", 5, raising=False)
    org = Org(key_1=answer())
    await identify(signed(), org)
    await guess(org, (f"key_guess{number}" for number in range(20)))
    before = org.lookups
    await identify(signed(), org)
    assert org.lookups == before
    org.now, org.failure = 31.0, Unavailable()
    await identify(signed(timestamp=NOW + 31), org)


async def test_keys_that_work_are_first_used_at_no_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "SHARE_BURST", 10.0)
    monkeypatch.setattr(lookups, "LOOKUP_BURST", 10.0)
    tills = [f"key_{number}" for number in range(50)]
    org = Org(**{key_id: answer() for key_id in tills})
    for key_id in tills:
        await identify(signed(key_id=key_id), org)
    assert org.lookups == 50


async def test_a_key_that_was_revoked_is_asked_for_like_an_unknown_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "SHARE_BURST", 1.0)
    org = Org(key_1=answer())
    await identify(signed(), org)
    org.known["key_1"], org.now = answer(is_revoked=True), 31.0
    await guess(org, ["key_1"])
    org.now = 31.0 + kept.BAD_SECONDS + 0.1
    await guess(org, ["key_1", "key_2", "key_3"])
    assert org.lookups == 3


ADDRESSES = [
    ("10.0.0.1", "10.0.0.1"),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
    ("fe80::1%eth0", "fe80::/64"),
    # the same machine at a socket for both
    ("::ffff:10.0.0.1", "10.0.0.1"),
    ("not:an:address", "not:an:address"),
    ("unknown", "unknown"),
]


@pytest.mark.parametrize(("address", "network"), ADDRESSES)
def test_an_ipv6_address_stands_for_its_network(address: str, network: str) -> None:
    assert network_of(address) == network


async def test_a_member_token_tells_the_member() -> None:
    member = Caller(CallerKind.MEMBER, "mbr_1", GROUP, "mbr_1")
    token = TokenBook(KEY, issuer=MEMBER_ACCESS).mint(member)
    assert (await identify(f"Bearer {token}")).caller == member


async def test_no_header_is_the_public() -> None:
    assert (await identify("")).caller == Caller(CallerKind.PUBLIC, HERE)


BAD_HEADERS = [
    "Bearer ",
    "Bearer x.y.z",
    "Basic dXNlcjpwYXNz",
    "bearer",
    # an inside token, made with the same key for another purpose
    "Bearer " + TokenBook(KEY).mint(Caller(CallerKind.MEMBER, "mbr_1", GROUP, "mbr_1")),
    # somebody else's key
    "Bearer " + TokenBook("x" * 40, issuer=MEMBER_ACCESS).mint(Caller(CallerKind.MEMBER, "mbr_1", GROUP, "mbr_1")),
    # not a member
    "Bearer " + TokenBook(KEY, issuer=MEMBER_ACCESS).mint(Caller(CallerKind.SYSTEM, "key_1", GROUP)),
]


@pytest.mark.parametrize("header", BAD_HEADERS, ids=lambda text: text[:24])
async def test_other_tokens_are_refused(header: str) -> None:
    with pytest.raises(Unauthenticated):
        await identify(header)
