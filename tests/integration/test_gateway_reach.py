"""The gateway in front of the real org: how far down a merchant's key, a partner's key and a narrow grant reach."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from chassis import ids
from chassis.errors import AppError
from chassis.identity import Caller, CallerKind
from chassis.ids import from_edge
from huitong.org.v1 import org_pb2, places_pb2, places_pb2_grpc
from tests.apps import GROUP, internal, system
from tests.integration.test_gateway_with_operators import Outside, outside
from tests.people import M1, M2, MALL, S1, S2, grant

__all__ = ["outside"]


async def reason(answer: Any) -> str:
    return "" if answer.status_code == 200 else answer.json()["reason"]


async def move(outside: Outside, store_id: str, merchant_id: str) -> None:
    """No RPC moves a store to another merchant; a correction of the data might."""
    await outside.people.db.pool.execute(
        "UPDATE store SET merchant_id = $1 WHERE store_id = $2",
        from_edge("mch", merchant_id, ""), from_edge("sto", store_id, ""),
    )  # fmt: skip


async def test_a_merchant_s_key_reaches_its_stores_and_no_further(outside: Outside) -> None:
    key = await outside.key("MERCHANT", subject_id=M1)
    assert key.credential.subject_id == M1
    expected = [
        (f"/v1/stores?merchant_id={M1}", ""),
        ("/v1/stores", ""),  # its own id is filled in
        (f"/v1/stores?merchant_id={M2}", "NOT_YOURS"),
        (f"/v1/stores/{S1}", ""),
        (f"/v1/stores/{S2}", "NOT_YOURS"),
        (f"/v1/stores/sto_{'0' * 32}", "NOT_YOURS"),
        (f"/v1/stores/{M1}", "NOT_YOURS"),
        ("/v1/merchants", "PERMISSION_DENIED"),
        ("/v1/credentials", "PERMISSION_DENIED"),
    ]
    with capture_logs() as logs:
        for path, expectation in expected:
            assert await reason(await outside.signed(key, "GET", path)) == expectation, path
    seen = {(entry["caller"], entry["subject"]) for entry in logs if entry["event"] == "request"}
    assert seen == {("merchant", M1), ("", "")}, "who may not call at all is not named"
    answer = await outside.signed(key, "GET", "/v1/stores")
    assert [one["store_id"] for one in answer.json()["stores"]] == [S1]
    assert answer.headers["ratelimit-policy"] == '"calls";q=6000;w=60'


@pytest.mark.parametrize("who", ["merchant", "owner", "unit"])
async def test_a_store_that_moved_is_somebody_else_s_within_a_minute(outside: Outside, who: str) -> None:
    key, token = await outside.key("MERCHANT", subject_id=M1), ""
    if who != "merchant":
        role, scope_id = {"owner": ("MERCHANT_OWNER", M1), "unit": ("UNIT_OPERATOR", MALL)}[who]
        _, token = await outside.person(grant(role, scope_id))

    async def ask(store_id: str) -> str:
        path = f"/v1/stores/{store_id}"
        return await (outside.reason(token, "GET", path) if token else reason(await outside.signed(key, "GET", path)))

    assert await ask(S1) == ""
    made = org_pb2.CreateStoreRequest(
        request_id=ids.new().hex, code=f"NEW-{who}", name="New", merchant_id=M1 if who != "unit" else M2
    )
    stub = outside.people.structure
    new = (await outside.people.apps.call(stub.CreateStore, made, system())).store.store_id
    outside.now = 6.0
    assert await ask(new) == "", "a new store is found as soon as it is asked for"
    if who == "unit":
        return  # it keeps both merchants' stores
    await move(outside, S1, M2)
    try:
        outside.now = 20.0
        assert await ask(S1) == "", "kept for a while"
        outside.now = 61.0
        assert await ask(S1) == "NOT_YOURS"
    finally:
        await move(outside, S1, M1)
    assert await ask(new) == ""


async def test_while_org_is_gone_a_reach_is_known_for_sixty_seconds_in_all(outside: Outside) -> None:
    key = await outside.key("MERCHANT", subject_id=M1)
    assert await reason(await outside.signed(key, "GET", f"/v1/stores/{S1}")) == ""
    await outside.people.apps.stop("org")
    path = f"/v1/settlement/periods/2026-01/statements/{M2}"
    for now, expectation in ((59.0, "NOT_YOURS"), (61.0, "UNAVAILABLE")):
        outside.now = now
        assert await reason(await outside.signed(key, "GET", path)) == expectation


async def test_a_partner_may_what_its_credential_says(outside: Outside) -> None:
    permissions = ["mall.catalogue.read", "points.wallets.*", "org.*.read"]
    key = await outside.key("PARTNER", partner_code="AIR", permissions=permissions, name="Airline")
    other = await outside.key("PARTNER", partner_code="AIR", permissions=["member.tiers.read"])
    assert (
        key.credential.subject_id
        == other.credential.subject_id
        == ids.to_edge("ptn", ids.derive(GROUP, "partner", "AIR"))
    )
    assert sorted(key.credential.permissions) == sorted(permissions)
    # mall, member and points do not run: what is let in gets as far as to them.
    expected = [
        ("/v1/items", "UNAVAILABLE", "PERMISSION_DENIED"),
        ("/v1/tier-ladder", "PERMISSION_DENIED", "UNAVAILABLE"),
        (f"/v1/members/mbr_{'0' * 32}/balance", "UNAVAILABLE", "PERMISSION_DENIED"),
        # Has the pattern of the permission, but the contract does not let partners in.
        ("/v1/stores", "PERMISSION_DENIED", "PERMISSION_DENIED"),
    ]
    with capture_logs() as logs:
        for path, first, second in expected:
            assert await reason(await outside.signed(key, "GET", path)) == first, path
            assert await reason(await outside.signed(other, "GET", path)) == second, path
    # What is refused is refused before anybody is named.
    assert {entry["subject"] for entry in logs if entry["event"] == "request"} == {"", key.credential.subject_id}


async def test_credentials_for_merchants_and_partners_are_checked(outside: Outside) -> None:
    stranger = Caller(CallerKind.SYSTEM, "key_test", ids.derive("group", "other-group"))
    wrong: list[tuple[str, dict[str, Any], str]] = [
        ("MERCHANT", {"subject_id": ids.to_edge("mch", ids.new())}, "MERCHANT_UNKNOWN"),
        ("MERCHANT", {"subject_id": S1}, "INVALID_ARGUMENT"),
        ("MERCHANT", {"subject_id": M1, "permissions": ["points.wallets.read"]}, "INVALID_ARGUMENT"),
        ("TERMINAL", {"subject_id": M1, "partner_code": "AIR"}, "INVALID_ARGUMENT"),
        ("PARTNER", {"permissions": ["points.wallets.read"]}, "INVALID_ARGUMENT"),
        ("PARTNER", {"partner_code": "AIR"}, "INVALID_ARGUMENT"),
        ("PARTNER", {"partner_code": "AIR", "permissions": ["*"]}, "INVALID_ARGUMENT"),
        ("PARTNER", {"partner_code": "AIR", "permissions": ["*.wallets.read"]}, "INVALID_ARGUMENT"),
        ("PARTNER", {"partner_code": "AIR", "permissions": ["points.wallets.read org.a.b"]}, "INVALID_ARGUMENT"),
        ("PARTNER", {"subject_id": M1, "partner_code": "A", "permissions": ["a.b.c"]}, "INVALID_ARGUMENT"),
    ]
    for kind, fields, expectation in wrong:
        with pytest.raises(AppError) as refused:
            await outside.key(kind, **fields)
        assert refused.value.reason == expectation, (kind, fields)
    places = outside.people.apps.stub(places_pb2_grpc.PlaceServiceStub, "org")

    async def below(place_id: str, who: Caller) -> list[str]:
        request = places_pb2.GetPlacesBelowRequest(place_id=place_id)
        return sorted((await outside.people.apps.call(places.GetPlacesBelow, request, who)).place_ids)

    gateway = internal("gateway")
    assert {M1, M2, S1, S2} <= set(await below(MALL, gateway))
    assert S1 in await below(M1, gateway) and S2 not in await below(M1, gateway)
    assert await below(S1, gateway) == []
    for place_id, who, expectation in [
        ("nonsense", gateway, "PLACE_UNKNOWN"),
        (ids.to_edge("unt", ids.new()), gateway, "PLACE_UNKNOWN"),
        (MALL, internal("mall"), "PERMISSION_DENIED"),
        (MALL, stranger, "PERMISSION_DENIED"),
    ]:
        with pytest.raises(AppError) as refused:
            await below(place_id, who)
        assert refused.value.reason == expectation
