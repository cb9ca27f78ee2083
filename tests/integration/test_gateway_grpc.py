"""The gateway's doors over gRPC: real HTTP/2, the same callers, limits and refusals as over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.message import Message

from chassis.errors import RemoteError, Unimplemented, from_rpc_error
from chassis.identity import (
    MEMBER_PROOF,
    PROOF_ID_SCOPE,
    PROOF_SCOPE,
    SESSION_SCOPE,
    Caller,
    CallerKind,
    TokenBook,
)
from gateway.auth.signing import sign_request
from gateway.grpc_door import LARGEST_BODY_BYTES, GrpcDoor, address_of
from tests import gateway_scratch as scratch
from tests.gateway_backend import GROUP, KEY, MEMBER, OTHER_MEMBER, OTHER_STORE, STORE, Door, open_door
from tests.support import Sandbox

SERVICE = "/huitong.scratch.v1.ScratchService"


@dataclass
class Line:
    """A client's channel to the door."""

    door: Door
    channel: grpc.aio.Channel

    async def call(self, rpc: str, wire: bytes, *metadata: tuple[str, str], timeout_s: float | None = 10) -> Any:
        """The answer's bytes and its trailing metadata. Raises RemoteError."""
        call = self.channel.unary_unary(f"{SERVICE}/{rpc}")(wire, metadata=metadata, timeout=timeout_s)
        try:
            return await call, dict(await call.trailing_metadata())
        except grpc.RpcError as error:
            failure = from_rpc_error(error)
            failure.trailing = dict(error.trailing_metadata() or ())  # type: ignore[attr-defined]
            raise failure from None

    def sign(self, rpc: str, wire: bytes, key_id: str = "key_till", **more: Any) -> tuple[str, str]:
        secret = f"secret of {key_id}"
        path = f"{SERVICE}/{rpc}"
        made = sign_request(key_id=key_id, secret=secret, method="POST", path=path, query="", body=wire, **more)
        return "authorization", made["Authorization"]

    async def signed(self, rpc: str, request: Message, key_id: str = "key_till") -> Any:
        wire = request.SerializeToString()
        return await self.call(rpc, wire, self.sign(rpc, wire, key_id))

    async def refused(self, rpc: str, wire: bytes, *metadata: tuple[str, str]) -> RemoteError:
        with pytest.raises(RemoteError) as refusal:
            await self.call(rpc, wire, *metadata)
        for inside in ("Traceback", "127.0.0.1", "redis", "Exception"):
            assert inside not in refusal.value.message
        return refusal.value


@pytest_asyncio.fixture
async def line(sandbox: Sandbox) -> AsyncIterator[Line]:
    async with open_door(sandbox.redis_url) as door:
        parts = door.parts
        server = grpc.aio.server(options=[("grpc.max_receive_message_length", LARGEST_BODY_BYTES)])
        own = GrpcDoor(parts.contract.operations(), upstream=parts.upstream, reception=parts.reception)
        server.add_generic_rpc_handlers((own,))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(
            f"127.0.0.1:{port}", options=[("grpc.max_send_message_length", 2 * LARGEST_BODY_BYTES)]
        ) as channel:
            yield Line(door, channel)
        await server.stop(0)


def sale(**changes: Any) -> Message:
    made: Message = scratch.message("RecordSaleRequest")(
        **{"request_id": "sale-0001", "store_id": STORE, "receipt_no": "R-1", **changes}
    )
    return made


def bearer(line: Line, member_id: str = MEMBER) -> tuple[str, str]:
    return "authorization", line.door.member(member_id)["authorization"]


async def test_a_signed_call_reaches_the_service_as_its_terminal(line: Line) -> None:
    traceparent = f"00-{'a' * 32}-{'b' * 16}-00"
    wire = sale(store_id="").SerializeToString()
    answer, more = await line.call("RecordSale", wire, line.sign("RecordSale", wire), ("traceparent", traceparent))
    assert scratch.message("RecordSaleResponse").FromString(answer).sale_id == "sale-R-1"
    assert more["trace-id"] == "a" * 32 and more["ratelimit"] and more["ratelimit-policy"] == '"calls";q=6000;w=60'
    ((rpc, request, caller, metadata),) = line.door.backend.calls
    assert (rpc, caller.kind, caller.subject, request.store_id) == ("RecordSale", CallerKind.TERMINAL, "trm_1", STORE)
    assert metadata["traceparent"] == traceparent


async def test_the_reason_for_a_call_goes_along(line: Line) -> None:
    wire = sale().SerializeToString()
    for given, told in (("made%20good", "made%20good"), ("%E8%A1%A5", "%E8%A1%A5"), ("100% sure", "100%25%20sure")):
        await line.call("RecordSale", wire, line.sign("RecordSale", wire), ("huitong-reason", given))
        assert line.door.backend.calls.pop()[3]["huitong-reason"] == told
    refused = await line.refused("RecordSale", wire, line.sign("RecordSale", wire), ("huitong-reason", "r" * 1_501))
    assert refused.reason == "INVALID_ARGUMENT" and line.door.backend.calls == []


async def test_what_is_not_the_callers_is_refused_also_in_a_batch(line: Line) -> None:
    batch = scratch.message("RecordSalesRequest")(sales=[sale(), sale(store_id=OTHER_STORE)])
    for rpc, request in (("RecordSale", sale(store_id=OTHER_STORE)), ("RecordSales", batch)):
        wire = request.SerializeToString()
        assert (await line.refused(rpc, wire, line.sign(rpc, wire))).reason == "NOT_YOURS"
    assert (await line.refused("RecordSale", b"", line.sign("RecordSale", b"", "key_gate"))).reason == (
        "PERMISSION_DENIED"
    )
    wire = scratch.message("GetBalanceRequest")(member_id=OTHER_MEMBER).SerializeToString()
    assert (await line.refused("GetBalance", wire, bearer(line))).reason == "NOT_YOURS"
    assert line.door.backend.calls == []
    own, _ = await line.call("GetBalance", b"", bearer(line))
    assert scratch.message("GetBalanceResponse").FromString(own).member_id == MEMBER


async def test_a_signature_covers_rpc_and_request_and_works_once(line: Line) -> None:
    wire = sale().SerializeToString()
    signed = line.sign("RecordSale", wire)
    for rpc, changed in (("RecordSale", sale(receipt_no="R-2").SerializeToString()), ("RecordSales", wire)):
        assert (await line.refused(rpc, changed, signed)).reason == "SIGNATURE_INVALID"
    await line.call("RecordSale", wire, signed)
    assert (await line.refused("RecordSale", wire, signed)).reason == "NONCE_REUSED"
    answers = await asyncio.gather(
        *(line.call("RecordSale", wire, one) for one in [line.sign("RecordSale", wire)] * 8), return_exceptions=True
    )
    assert sum(not isinstance(answer, Exception) for answer in answers) == 1
    late = line.sign("RecordSale", wire, timestamp=1_000_000)
    assert (await line.refused("RecordSale", wire, late)).reason == "SIGNATURE_EXPIRED"
    unknown = ("authorization", signed[1].replace("key_till", "key_nobody"))
    assert (await line.refused("RecordSale", wire, unknown)).reason == "KEY_UNKNOWN_OR_REVOKED"


async def test_nobody_and_nonsense_are_refused(line: Line) -> None:
    wire = sale().SerializeToString()
    assert (await line.refused("RecordSale", wire)).reason == "UNAUTHENTICATED"
    # Two of them: which would count?
    signed = line.sign("RecordSale", wire)
    assert (await line.refused("RecordSale", wire, signed, bearer(line))).reason == "UNAUTHENTICATED"
    assert (await line.refused("RecordSale", wire, ("authorization", "Bearer x.y.z"))).reason == "UNAUTHENTICATED"
    bad = b"\x0a\xff\xff"
    refusal = await line.refused("RecordSale", bad, line.sign("RecordSale", bad))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")
    # What is for the suite only, and what is nowhere, look alike.
    for rpc in ("Inside", "Nothing"):
        with pytest.raises(Unimplemented) as refused:
            await line.call(rpc, b"", line.sign(rpc, b"", "key_system"))
        assert refused.value.code is grpc.StatusCode.UNIMPLEMENTED
    large = sale(receipt_no="R" * (1024 * 1024)).SerializeToString()
    assert (await line.refused("RecordSale", large, line.sign("RecordSale", large))).reason == "BODY_TOO_LARGE"
    assert line.door.backend.calls == []
    # The public's own door asks nobody, whatever they bring.
    await line.call("Login", b"", ("authorization", "Bearer expired"))


async def test_limits_and_refusals_of_services_arrive_whole(line: Line) -> None:
    cancel = scratch.message("CancelSaleRequest")(request_id="cancel-01", sale_id="sale-1")
    for _ in range(3):
        await line.signed("CancelSale", cancel, "key_gate")
    wire = cancel.SerializeToString()
    refusal = await line.refused("CancelSale", wire, line.sign("CancelSale", wire, "key_gate"))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED")
    assert refusal.trailing["ratelimit"].startswith('"calls";r=0') and refusal.trailing["trace-id"]  # type: ignore[attr-defined]

    from tests.gateway_backend import StoreUnknown

    def unknown(_: Any) -> Message:
        raise StoreUnknown(store_id=STORE)

    line.door.backend.answers["RecordSale"] = unknown
    wire = sale().SerializeToString()
    refusal = await line.refused("RecordSale", wire, line.sign("RecordSale", wire))
    assert (refusal.reason, refusal.values, refusal.message_zh) == (
        "STORE_UNKNOWN",
        {"store_id": STORE},
        f"没有门店 {STORE}。",
    )


async def test_a_member_proves_what_is_to_be_proved(line: Line) -> None:
    gift = scratch.message("GiveAwayRequest")(request_id="gift-0001", points=5).SerializeToString()
    scopes = {SESSION_SCOPE: "ses_1"}
    access = TokenBook(KEY, issuer="huitong-member", lifetime_seconds=900)
    token = ("authorization", f"Bearer {access.mint(Caller(CallerKind.MEMBER, MEMBER, GROUP, MEMBER, scopes))}")
    assert (await line.refused("GiveAway", gift, token)).reason == "PROOF_NEEDED"
    proved = {**scopes, PROOF_SCOPE: "PROOF_GIFTING", PROOF_ID_SCOPE: "prf_1"}
    proofs = TokenBook(KEY, issuer=MEMBER_PROOF, lifetime_seconds=300)
    proof = ("huitong-proof", proofs.mint(Caller(CallerKind.MEMBER, MEMBER, GROUP, MEMBER, proved)))
    answer, _ = await line.call("GiveAway", gift, token, proof)
    assert scratch.message("RecordSaleResponse").FromString(answer).sale_id == "gift-5"
    other = scratch.message("GiveAwayRequest")(request_id="gift-0002", points=6).SerializeToString()
    assert (await line.refused("GiveAway", other, token, proof)).reason == "PROOF_USED"


async def test_whoever_fails_too_often_waits(line: Line) -> None:
    wire = sale().SerializeToString()
    reasons = [(await line.refused("RecordSale", wire, ("authorization", "Bearer x"))).reason for _ in range(62)]
    assert reasons[0] == "UNAUTHENTICATED" and reasons[-1] == "RATE_LIMITED"
    assert (await line.refused("RecordSale", wire, line.sign("RecordSale", wire))).reason == "RATE_LIMITED"


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:192.0.2.1:5000", "192.0.2.1"),
        ("ipv6:[2001:db8:1:2:3::1]:5000", "2001:db8:1:2::/64"),
        ("ipv6:%5B2001:db8:1:2:3::1%5D:5000", "2001:db8:1:2::/64"),
        ("ipv6:[::ffff:192.0.2.1]:5000", "192.0.2.1"),
        ("unix:/tmp/socket", "unknown"),
    ],
)
def test_a_peer_stands_for_its_address(peer: str, address: str) -> None:
    assert address_of(peer) == address
