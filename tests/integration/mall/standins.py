"""Small in-process stand-ins for org, member and points: they keep promises, and fail when told to."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any, ClassVar

import grpc

from chassis import ids, rpc
from chassis.errors import AppError, Unavailable
from huitong.member.v1 import benefits_pb2, benefits_pb2_grpc, member_pb2, member_pb2_grpc
from huitong.org.v1 import org_pb2, org_pb2_grpc
from huitong.points.v1 import points_pb2, points_pb2_grpc
from tests.apps import Apps

NOT_FOUND = grpc.StatusCode.NOT_FOUND


def refusal(reason: str, code: grpc.StatusCode = grpc.StatusCode.FAILED_PRECONDITION) -> AppError:
    """A typed error as a real service would answer it."""
    kind = type(reason, (AppError,), {"code": code, "reason": reason, "__doc__": f"Refused: {reason}."})
    error: AppError = kind()
    return error


class Points:
    """Balances, holds, sales. Every request id takes effect once; `faults[method]` says what happens to the next calls:
    "before" fails before the effect, "after" loses the answer, a name in capitals refuses with that reason."""

    # 100 points = 3.00, at most 15%
    step_points, step_minor, max_share_bps = 100, 300, 1500

    def __init__(self) -> None:
        self.available: dict[str, int] = defaultdict(int)
        self.held: dict[str, int] = defaultdict(int)
        self.spent: dict[str, int] = defaultdict(int)
        self.holds: dict[str, dict[str, Any]] = {}
        self.txns: dict[str, dict[str, Any]] = {}
        self.sales: dict[tuple[str, str, str], points_pb2.RecordSaleRequest] = {}
        self.refunded: set[tuple[str, str, str]] = set()
        self.faults: dict[str, list[str]] = defaultdict(list)
        self.calls: dict[str, int] = defaultdict(int)
        self._answers: dict[tuple[str, str], tuple[bytes, Any]] = {}

    async def once(self, method: str, request: Any, effect: Any) -> Any:
        """Run `effect` once for a request id, with the faults that were asked for."""
        self.calls[method] += 1
        fault = self.faults[method].pop(0) if self.faults[method] else ""
        if fault == "before":
            raise Unavailable
        if fault.isupper():
            raise refusal(fault)
        key = (method, request.request_id)
        content = request.SerializeToString(deterministic=True)
        if key not in self._answers:
            self._answers[key] = (content, effect())
        known, answer = self._answers[key]
        if known != content:
            raise refusal("REQUEST_ID_REUSED", grpc.StatusCode.ALREADY_EXISTS)
        if fault == "after":
            raise Unavailable
        await asyncio.sleep(0)
        return answer


class Wallets(points_pb2_grpc.WalletServiceServicer):
    """points.WalletService."""

    def __init__(self, points: Points) -> None:
        self.points = points

    async def QuoteOffset(self, request: Any, _: Any) -> Any:
        p = self.points
        cap = request.order_total.amount_minor * p.max_share_bps // 10000 // p.step_minor
        steps = min(cap, p.available[request.member_id] // p.step_points)
        answer = points_pb2.QuoteOffsetResponse(
            max_points=steps * p.step_points,
            step_points=p.step_points,
            step_minor=p.step_minor,
            max_share_bps=p.max_share_bps,
            available_points=p.available[request.member_id],
        )
        answer.max_offset.amount_minor = steps * p.step_minor
        answer.max_offset.currency_code = request.order_total.currency_code
        return answer

    async def Hold(self, request: Any, _: Any) -> Any:
        p = self.points

        def effect() -> Any:
            known = p.holds.get(request.request_id)
            if known:
                raise refusal("HOLD_RELEASED")
            if p.available[request.member_id] < request.points:
                raise refusal("INSUFFICIENT_POINTS")
            p.available[request.member_id] -= request.points
            p.held[request.member_id] += request.points
            p.holds[request.request_id] = {"member": request.member_id, "points": request.points, "state": "held"}
            return points_pb2.HoldResponse(
                hold_id=f"hld_{request.request_id}", available_points=p.available[request.member_id]
            )

        return await p.once("Hold", request, effect)

    async def Capture(self, request: Any, _: Any) -> Any:
        p = self.points

        def effect() -> Any:
            hold = p.holds[request.hold_id.removeprefix("hld_")]
            if hold["state"] != "held":
                raise refusal("HOLD_RELEASED")
            hold["state"] = "captured"
            p.held[hold["member"]] -= hold["points"]
            p.spent[hold["member"]] += hold["points"]
            txn_id = f"txn_{request.hold_id}"
            p.txns[txn_id] = {"member": hold["member"], "points": hold["points"], "reversed": False}
            return points_pb2.CaptureResponse(
                txn_id=txn_id, points=hold["points"], available_points=p.available[hold["member"]]
            )

        return await p.once("Capture", request, effect)

    async def Release(self, request: Any, _: Any) -> Any:
        p = self.points

        def effect() -> Any:
            hold = p.holds.setdefault(
                request.hold_request_id, {"member": request.member_id, "points": 0, "state": "released"}
            )
            if hold["state"] == "captured":
                raise refusal("HOLD_CAPTURED")
            released = hold["points"] if hold["state"] == "held" else 0
            hold["state"] = "released"
            p.held[request.member_id] -= released
            p.available[request.member_id] += released
            return points_pb2.ReleaseResponse(released_points=released, available_points=p.available[request.member_id])

        return await p.once("Release", request, effect)

    async def ReverseRedemption(self, request: Any, _: Any) -> Any:
        p = self.points

        def effect() -> Any:
            txn = p.txns[request.redemption_txn_id]
            if txn["reversed"]:
                raise refusal("REVERSAL_EXCEEDS_REDEMPTION")
            txn["reversed"] = True
            p.spent[txn["member"]] -= txn["points"]
            p.available[txn["member"]] += txn["points"]
            return points_pb2.ReverseRedemptionResponse(
                txn_id="txn_back", points=txn["points"], available_points=p.available[txn["member"]]
            )

        return await p.once("ReverseRedemption", request, effect)


class Sales(points_pb2_grpc.SalesServiceServicer):
    """points.SalesService: one point for each whole yuan."""

    def __init__(self, points: Points) -> None:
        self.points = points

    async def RecordSale(self, request: Any, _: Any) -> Any:
        p = self.points
        key = (request.store_id, request.source, request.receipt_no)

        def effect() -> Any:
            if sum(line.amount_minor for line in request.lines) != request.total.amount_minor:
                raise refusal("LINES_DO_NOT_SUM")
            if key in p.sales:
                raise refusal("RECEIPT_CHANGED")
            p.sales[key] = request
            earned = request.total.amount_minor // 100
            p.available[request.member_id] += earned
            return points_pb2.RecordSaleResponse(
                sale_id=f"sal_{request.receipt_no}",
                member_id=request.member_id,
                points=earned,
                available_points=p.available[request.member_id],
                explanation=points_pb2.Explanation(rule_set_version=1),
            )

        return await p.once("RecordSale", request, effect)

    async def RefundSale(self, request: Any, _: Any) -> Any:
        p = self.points
        key = (request.store_id, request.source, request.receipt_no)

        def effect() -> Any:
            if key in p.refunded:
                raise refusal("REFUND_EXCEEDS_SALE")
            p.refunded.add(key)
            sale = p.sales[key]
            p.available[sale.member_id] -= sale.total.amount_minor // 100
            return points_pb2.RefundSaleResponse(available_points=p.available[sale.member_id])

        return await p.once("RefundSale", request, effect)


class Members(member_pb2_grpc.MemberServiceServicer):
    """member.MemberService: knows `known`; a code is "code:<member id>" and spends once."""

    def __init__(self) -> None:
        self.known: set[tuple[str, str]] = set()
        self.spent_for: dict[str, str] = {}
        self.asked = 0

    async def GetMember(self, request: Any, _: Any) -> Any:
        self.asked += 1
        if (rpc.caller().group_id.hex, request.member_id) not in self.known:
            raise refusal("MEMBER_UNKNOWN", NOT_FOUND)
        return member_pb2.GetMemberResponse(member=member_pb2.Member(member_id=request.member_id))

    async def IdentifyMember(self, request: Any, _: Any) -> Any:
        member_id = request.member_code.removeprefix("code:")
        if (rpc.caller().group_id.hex, member_id) not in self.known:
            raise refusal("MEMBER_CODE_INVALID", grpc.StatusCode.INVALID_ARGUMENT)
        spend_id = request.spend_request_id
        if spend_id and self.spent_for.setdefault(request.member_code, spend_id) != spend_id:
            raise refusal("MEMBER_CODE_USED")
        return member_pb2.IdentifyMemberResponse(member_id=member_id, may_spend=True)


class Benefits(benefits_pb2_grpc.BenefitServiceServicer):
    """member.BenefitService: `left` units of every benefit for each member, at `price_bps`; fails as Points does."""

    def __init__(self, points: Points) -> None:
        self.points = points
        self.left: dict[str, int] = defaultdict(int)
        self.price_bps = 0
        self.uses: dict[tuple[str, str, str], str] = {}  # by member, benefit and reference: "used" or "returned"

    async def UseBenefit(self, request: Any, _: Any) -> Any:
        key = (request.member_id, request.benefit_code, request.reference)

        def effect() -> Any:
            if self.uses.get(key) == "returned":
                raise refusal("BENEFIT_RETURNED")
            if key not in self.uses:
                if not self.left[request.member_id]:
                    raise refusal("BENEFIT_QUOTA_USED")
                self.left[request.member_id] -= request.quantity
                self.uses[key] = "used"
            return benefits_pb2.UseBenefitResponse(use=benefits_pb2.BenefitUse(price_bps=self.price_bps))

        return await self.points.once("UseBenefit", request, effect)

    async def CancelBenefitUse(self, request: Any, _: Any) -> Any:
        key = (request.member_id, request.benefit_code, request.reference)

        def effect() -> Any:
            if self.uses.get(key) == "used":
                self.left[request.member_id] += 1
            self.uses[key] = "returned"
            return benefits_pb2.CancelBenefitUseResponse()

        return await self.points.once("CancelBenefitUse", request, effect)


class Structure(org_pb2_grpc.StructureServiceServicer):
    """org.StructureService: a mall with merchants A and B, stores A1, A2 and B1, for every group."""

    merchants: ClassVar = {name: ids.to_edge("mch", ids.derive("merchant", name)) for name in "AB"}
    stores: ClassVar = {name: ids.to_edge("sto", ids.derive("store", name)) for name in ("A1", "A2", "B1")}
    unit: ClassVar = ids.to_edge("unt", ids.derive("unit", "mall"))

    def __init__(self, group_hex: str) -> None:
        self.group_hex = group_hex
        self.asked = 0

    async def GetStore(self, request: Any, _: Any) -> Any:
        self.asked += 1
        names = [name for name, store_id in self.stores.items() if store_id == request.store_id]
        if not names or rpc.caller().group_id.hex != self.group_hex:
            raise refusal("STORE_UNKNOWN", NOT_FOUND)
        return org_pb2.GetStoreResponse(
            store=org_pb2.Store(
                store_id=request.store_id,
                code=names[0],
                merchant_id=self.merchants[names[0][0]],
                business_unit_id=self.unit,
                time_zone="Asia/Shanghai",
                currency_code="CNY",
            )
        )

    async def ListMerchants(self, _request: Any, _: Any) -> Any:
        found = rpc.caller().group_id.hex == self.group_hex
        return org_pb2.ListMerchantsResponse(
            merchants=[
                org_pb2.Merchant(merchant_id=merchant_id, code=name, name=name, business_unit_id=self.unit)
                for name, merchant_id in self.merchants.items()
                if found
            ]
        )


class StandIns:
    """Serves all three on the addresses where the mall looks for them."""

    def __init__(self, apps: Apps, group_hex: str) -> None:
        self.apps = apps
        self.points = Points()
        self.members = Members()  # type: ignore[abstract]
        self.benefits = Benefits(self.points)  # type: ignore[abstract]
        self.structure = Structure(group_hex)  # type: ignore[abstract]
        self._servers: dict[str, grpc.aio.Server] = {}

    async def start(self, *names: str) -> None:
        for name in names:
            server = rpc.open_server(name, self.apps.tokens)
            if name == "points":
                points_pb2_grpc.add_WalletServiceServicer_to_server(
                    Wallets(self.points),  # type: ignore[abstract]
                    server,
                )
                points_pb2_grpc.add_SalesServiceServicer_to_server(
                    Sales(self.points),  # type: ignore[abstract]
                    server,
                )
            elif name == "member":
                member_pb2_grpc.add_MemberServiceServicer_to_server(self.members, server)
                benefits_pb2_grpc.add_BenefitServiceServicer_to_server(self.benefits, server)
            else:
                org_pb2_grpc.add_StructureServiceServicer_to_server(self.structure, server)
            assert server.add_insecure_port(self.apps.settings.address(name))
            await server.start()
            self._servers[name] = server

    async def stop(self, *names: str) -> None:
        for name in names or list(self._servers):
            await self._servers.pop(name).stop(None)
