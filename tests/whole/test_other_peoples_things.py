"""What the bound fields do not cover: other groups', other members' and other stores' things, at the real services."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import orjson
import pytest
from google.protobuf.descriptor import Descriptor, MethodDescriptor

from chassis import ids
from chassis.identity import Caller, CallerKind
from tests.access_table import EXAMPLES, METHODS, OPERATIONS, Declared, Sent, put, sendings, texts_of
from tests.whole.suite import DOCUMENT, Doors, WholeSuite
from tests.whole.things import INSTEAD, LONG, RULES, SALE, furnish, furnish_more

pytestmark = pytest.mark.timeout(300)
RECORD_SALE = OPERATIONS["huitong.points.v1.SalesService.RecordSale"].request

# Where own ids are answered as another group's are, and why; where there is one, a test that shows instead that ids are
# looked for in the caller's group alone.
_RULES = "the example's rules do not fit; tests/integration/points/test_funders.py, test_currency_lanes.py"
_CAR = "no car has been inside; tests/integration/parking/test_parking_payments.py"
_HOOKS = "tests/integration/org/test_webhook_endpoints.py"
_VALUE = "there is no stored value; tests/integration/points/test_wallets.py, test_till_payments.py"
NOT_SHOWN_HERE: dict[str, str] = {
    "CheckoutService.CommitCheckout pool_id": "the receipt is there already; quotes ask the same of pools, above",
    "CouponService.ReverseWriteOff store_id": "nothing is written off; above",
    "BenefitService.UseBenefit store_id": "the use was given back; where it was is the word of the group's own system",
    "PrivacyService.GetErasure": "nobody asked for one",
    "SessionService.EndAllSessions": "nobody is logged in",
    "ReferralService.UseReferralCode referral_code": "who has bought something uses none",
    "WebhookService.CreateWebhookEndpoint": f"no address here may be sent to; {_HOOKS}",
    "WebhookService.DeleteWebhookEndpoint partner_id": f"it is deleted; {_HOOKS}",
    "ParkingService.GetParkingTotals": _CAR,
    "ParkingService.ListStays": _CAR,
    "ParkingService.PayFee": _CAR,
    "ParkingService.QuoteFee": _CAR,
    "ConversionService.ConvertPoints rate_id": "the rate is not agreed on",
    "CostGovernorService.ListCostActions": "nothing has cost too much",
    "CostGovernorService.ListUnitCosts": "no costs are noted",
    "FamilyPoolService.JoinFamilyPool member_id": "nobody is invited",
    "RuleDraftService.CreateRuleDraft": _RULES,
    "RuleService.PublishRuleSet": _RULES,
    "StoredValueService.RefundTopUp": _VALUE,
    "StoredValueService.TopUp": _VALUE,
    "TillPaymentService.RefundTillPayment member_id": _VALUE,
}


@pytest.fixture(scope="module")
def suite(whole: WholeSuite) -> WholeSuite:
    """A group with more in it."""
    own = whole.neighbour("own")
    own.run(furnish(own))
    own.run(furnish_more(own))
    return own


@pytest.fixture(scope="module")
def neighbour(suite: WholeSuite) -> WholeSuite:
    """Another group with the same things."""
    other = suite.neighbour("neighbour")
    suite.run(furnish(other))
    suite.run(furnish_more(other))
    return other


# Ids by other names, and names of things that are no ids.
INSTEAD_OF = {"subject_id": "terminal_id", "survivor_id": "member_id", "absorbed_member_id": "absorbed_id"}
CODES = {"coupon_code", "voucher_code", "referral_code", "card_no"}


def known(path: str, names: Any) -> str:
    """The thing that a field's id is of: "member_id" for "to_member_id" and "add_member_ids"."""
    last = path.rpartition(".")[2].removesuffix("s")
    if last in INSTEAD_OF:
        return INSTEAD_OF[last]
    if last == "scope_id":
        return "merchant_id" if "merchant_id" in names else ""
    things = (name for name in names if name.endswith("_id") or name in CODES)
    return next((name for name in things if last == name or last.endswith(f"_{name}")), "")


def choose(kind: Descriptor, request: dict[str, Any], name: str) -> None:
    """Have the field there, also where the example has another one of the same oneof."""
    field = kind.fields_by_name[name]
    if name in request:
        return
    if field.message_type:
        request[name] = deepcopy(EXAMPLES.example(field.message_type))
    for other in field.containing_oneof.fields if field.containing_oneof else ():
        if other.name != name:
            request.pop(other.name, None)


def body_of(method: MethodDescriptor, own: WholeSuite, foreign: str, other: WholeSuite) -> dict[str, Any]:
    """The example with own ids, and another group's in the field `foreign`."""
    request: dict[str, Any] = deepcopy(EXAMPLES.example(method.input_type))
    for name, value in INSTEAD.get(method.full_name.partition(".v1.")[2], {}).items():
        if isinstance(value, dict):
            for each in request[name]:
                each.update(value)
        else:
            request[name] = value
    for path in texts_of(method.input_type):
        thing = known(path, own.ids)
        if thing and (path == foreign or present(request, path.split("."))):
            choose(method.input_type, request, path.split(".")[0])
            put(request, path.split("."), (other if path == foreign else own).ids[thing])
    if "request_id" in request:
        request["request_id"] = ids.new().hex
    return request


def present(holder: Any, path: list[str]) -> bool:
    """Whether the example has something there."""
    each = holder[0] if isinstance(holder, list) and holder else holder
    if not isinstance(each, dict) or path[0] not in each:
        return False
    return bool(each[path[0]]) if len(path) == 1 else present(each[path[0]], path[1:])


def ask(client: httpx.Client, suite: WholeSuite, kind: CallerKind, sent: Sent) -> tuple[int, dict[str, Any]]:
    """Status and answer; the first line's for a batch of lines."""
    path = sent.path + (f"?{sent.query}" if sent.query else "")
    headers = suite.sign(kind, sent.verb, sent.path, sent.query, sent.body) | {"content-type": sent.content_type}
    answer = client.request(sent.verb, path, content=sent.body, headers=headers)
    return answer.status_code, answer.json()


def outcome(method: MethodDescriptor, status: int, body: dict[str, Any]) -> str:
    """The reason of a refusal, "nothing" for an empty list, else "done"."""
    if status != 200:
        return str(body["reason"])
    results = body.get("results")
    if results and all("problem" in each for each in results):
        return str(results[0]["problem"]["reason"])
    if method.name.startswith("List") and not any(value for value in body.values() if isinstance(value, list)):
        return "nothing"
    # Figures of a place in which nothing was.
    if method.name.endswith("Totals") and is_blank(body):
        return "nothing"
    # What a till of another group's has sent here, and how many sessions of its member ended.
    return "nothing" if body.get("highest_seq") == 0 or body.get("ended_session_count") == 0 else "done"


def is_blank(value: Any) -> bool:
    """Whether there is nothing in it but zeros."""
    if isinstance(value, dict | list):
        return all(map(is_blank, value.values() if isinstance(value, dict) else value))
    return value in (0, "0", "")


@pytest.fixture(scope="module")
def client(suite: WholeSuite) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=suite.url, timeout=20, trust_env=False) as client:
        yield client


# --- the same group's others ---


@pytest.fixture(scope="module")
def others(suite: WholeSuite, neighbour: WholeSuite) -> WholeSuite:
    """The same group, seen by another member, and by another merchant with a store and a till of its own."""
    other = copy.copy(suite)
    other.ids, other.keys, other.callers = dict(suite.ids), dict(suite.keys), dict(suite.callers)
    other.run(_settle(other, suite.callers[CallerKind.MEMBER]))
    return other


async def _settle(other: WholeSuite, member: Caller) -> None:
    async with httpx.AsyncClient(base_url=other.url, timeout=20, trust_env=False) as client:
        doors = Doors(other, client)
        doors.count = 2_000
        made = await doors.post("MemberService_JoinMember", phone="+8613900000009")
        member_id = other.ids["member_id"] = made["member"]["member_id"]
        other.callers[CallerKind.MEMBER] = replace(member, subject=member_id, bound_id=member_id)
        await doors.make("merchant_id", "merchant.merchant_id", "StructureService_CreateMerchant", code="BAKER")
        await doors.make("store_id", "store.store_id", "StructureService_CreateStore", code="S9")
        await doors.make("terminal_id", "terminal.terminal_id", "StructureService_CreateTerminal", code="T9")
        for kind in (CallerKind.TERMINAL, CallerKind.MERCHANT):
            key = await doors.post(
                "CredentialService_CreateCredential", kind=f"CREDENTIAL_KIND_{kind.name}",
                subject_id=other.ids[f"{kind.value}_id"], approval_id="", permissions=[], partner_code="",
            )  # fmt: skip
            other.keys[kind] = key["credential"]["key_id"], key["secret"]
        await other.apps.drain()
        sale = {"receipt_no": "R-by-baker", "member_id": member.subject, **SALE}
        await doors.make("sale_id", "sale_id", "SalesService_RecordSale", **sale)


def tell(client: httpx.Client, who: WholeSuite, kind: CallerKind, verb: str, path: str, **fields: Any) -> str:
    """The reason of a refusal, or "done"."""
    fields = {name: value for name, value in {"request_id": ids.new().hex, **fields}.items() if value is not None}
    sent = Sent(verb, path, body=orjson.dumps(fields))
    if verb == "GET":
        fields.pop("request_id", None)
        sent = Sent(verb, path, urlencode(fields))
    status, answer = ask(client, who, kind, sent)
    return "done" if status == 200 else str(answer["reason"])


def test_a_pool_s_points_are_for_who_is_in_it_at_a_till_too(
    suite: WholeSuite, others: WholeSuite, client: httpx.Client
) -> None:
    where = {"store_id": suite.ids["store_id"], "pool_id": suite.ids["pool_id"], "request_id": None}
    purchase = {"total": SALE["total"], "lines": SALE["lines"], "sale_time": "2026-01-31T09:30:00+08:00"}
    for path, fields in (("offsets:quote", {"order_total": SALE["total"]}), ("checkouts:quote", purchase)):
        told = [
            tell(client, suite, CallerKind.TERMINAL, "POST", f"/v1/{path}", **where, member_id=member_id, **fields)
            for member_id in (others.ids["member_id"], suite.ids["member_id"])
        ]
        assert told == ["NOT_IN_POOL", "done"], path


def test_another_member_s_things_are_not_there(suite: WholeSuite, others: WholeSuite, client: httpx.Client) -> None:
    me, she = f"/v1/members/{others.ids['member_id']}", f"/v1/members/{suite.ids['member_id']}"
    order, sale, pool = (suite.ids[name] for name in ("order_id", "sale_id", "pool_id"))
    fee = {"car_park_id": suite.ids["car_park_id"], "plate_no": suite.ids["plate_no"]}
    document = {entry["operationId"]: (verb.upper(), path) for path, entries in DOCUMENT["paths"].items()
                for verb, entry in entries.items()}  # fmt: skip

    def told(who: WholeSuite, operation_id: str, **fields: Any) -> str:
        verb, path = document[operation_id]
        names = {"member_id": who.ids["member_id"], "order_id": order, "sale_id": sale, "pool_id": pool}
        names |= {"plate_no": suite.ids["plate_no"]}
        filled = re.sub(r"\{(\w+)\}", lambda match: quote(names[match[1]]), path)
        return tell(client, who, CallerKind.MEMBER, verb, filled, **fields)

    # By operation: what another is told, and what the member whose they are is told.
    expected: dict[str, tuple[dict[str, Any], str, str]] = {
        "OrderService_GetOrder": ({}, "ORDER_UNKNOWN", "done"),
        "OrderService_CancelOrder": ({}, "ORDER_UNKNOWN", "done"),
        "SalesService_GetSale": ({}, "SALE_UNKNOWN", "done"),
        "WalletService_ListStatement": ({"absorbed_member_id": suite.ids["absorbed_id"]}, "MEMBER_UNKNOWN", "done"),
        "WalletService_QuoteOffset": (
            {"store_id": suite.ids["store_id"], "order_total": SALE["total"], "pool_id": pool, "request_id": None},
            "NOT_IN_POOL", "done"),
        "FamilyPoolService_GetFamilyPool": ({}, "NOT_IN_POOL", "done"),
        "FamilyPoolService_ListPoolStatement": ({}, "NOT_IN_POOL", "done"),
        "FamilyPoolService_ContributeToPool": ({"points": 1}, "NOT_IN_POOL", "done"),
        "FamilyPoolService_SetPoolMember": (
            {"other_member_id": others.ids["member_id"], "may_spend": True}, "POOL_OWNER_REQUIRED", "done"),
        "FamilyPoolService_LeaveFamilyPool": (
            {"other_member_id": suite.ids["member_id"]}, "POOL_OWNER_REQUIRED", "POOL_OWNER_STAYS"),
        "FamilyPoolService_DissolveFamilyPool": ({}, "POOL_OWNER_REQUIRED", "done"),
        "ParkingService_QuoteFee": ({**fee, "request_id": None}, "NOT_YOUR_VEHICLE", "PLATE_NOT_INSIDE"),
        "ParkingService_PayFee": (fee, "NOT_YOUR_VEHICLE", "PLATE_NOT_INSIDE"),
        "VehicleService_UnbindPlate": ({"plate_no": suite.ids["plate_no"]}, "PLATE_UNKNOWN", "done"),
    }  # fmt: skip
    found = {
        name: (told(others, name, **fields), told(suite, name, **fields)) for name, (fields, *_) in expected.items()
    }
    assert found == {name: (another, own) for name, (_, another, own) in expected.items()}
    for path in ("", "/balance", "/statement", "/wallets", "/tier", "/plates", "/coupons", "/orders", "/code"):
        assert tell(client, others, CallerKind.MEMBER, "GET", f"{she}{path}") == "NOT_YOURS"
        assert tell(client, others, CallerKind.MEMBER, "GET", f"{me}{path}") == "done"


@pytest.mark.parametrize("kind", [CallerKind.TERMINAL, CallerKind.MERCHANT])
def test_another_store_s_things_are_not_there(
    suite: WholeSuite, others: WholeSuite, neighbour: WholeSuite, client: httpx.Client, kind: CallerKind
) -> None:
    own, other, foreign = (each.ids["store_id"] for each in (suite, others, neighbour))
    receipt = {"receipt_no": "R-20260131-0001", "source": "example"}
    coupon = {"coupon_code": suite.ids["coupon_code"]}
    checkout = suite.ids["checkout_id"]
    # Verb, path, fields; what the other store is told; what the store whose they are is told.
    expected: list[tuple[str, str, dict[str, Any], str, str]] = [
        ("POST", "/v1/refunds", {**receipt, "refund_time": "2026-02-01T09:30:00+08:00"}, "SALE_UNKNOWN", "done"),
        ("POST", "/v1/sales:confirm", receipt, "SALE_UNKNOWN", "done"),
        ("POST", "/v1/sales:reject", receipt, "SALE_UNKNOWN", "SALE_NOT_AWAITED"),
        ("POST", "/v1/coupons:writeOff", {**coupon, "lines": SALE["lines"]}, "COUPON_NOT_APPLICABLE", "done"),
        ("POST", "/v1/coupons:reverseWriteOff", coupon, "WRONG_STORE", "done"),
        ("POST", "/v1/vouchers:use", {"voucher_code": suite.ids["voucher_code"]}, "WRONG_STORE", "done"),
    ]
    if kind is CallerKind.TERMINAL:
        get = "/v1/stores/{store_id}/checkouts/" + checkout
        expected.append(("GET", get, {}, "WRONG_STORE", "done"))
        expected.append(("POST", f"/v1/checkouts/{checkout}:void", {}, "WRONG_STORE", "done"))
        given_back = f"/v1/benefit-uses/{suite.ids['use_id']}:return"
        expected.append(("POST", given_back, {}, "BENEFIT_USE_UNKNOWN", "done"))
    else:
        # The till has done it.
        expected[0], expected[-1] = (*expected[0][:4], "REFUND_EXCEEDS_SALE"), (*expected[-1][:4], "VOUCHER_USED")
    for verb, path, fields, another, mine in expected:
        told = []
        for who, store_id in ((others, other), (suite, own)):
            more = {} if verb == "GET" else {"store_id": store_id, **fields}
            told.append(tell(client, who, kind, verb, path.replace("{store_id}", store_id), **more))
        assert told == [another, mine], path
        for store_id in (other, foreign):
            more = {} if verb == "GET" else {"store_id": store_id, **fields}
            named = path.replace("{store_id}", store_id)
            assert tell(client, suite, kind, verb, named, **more) == "NOT_YOURS", "nor by naming the other's store"
    sale = {name: value for name, value in EXAMPLES.example(RECORD_SALE).items() if name not in ("origin", "tenders")}
    sale |= {"member_id": suite.ids["member_id"]}
    lines = [sale | {"request_id": f"{kind}-{number}", "receipt_no": f"{kind}-{number}", "store_id": store_id}
             for number, store_id in enumerate((own, other, foreign, own), start=1)]  # fmt: skip
    whole = Sent("POST", "/v1/sales:batch", body=orjson.dumps({"sales": lines}))
    assert ask(client, suite, kind, whole)[1]["reason"] == "NOT_YOURS"
    single = Sent("POST", whole.path, body=b"\n".join(map(orjson.dumps, lines)), content_type="application/x-ndjson")
    headers = suite.sign(kind, "POST", single.path, "", single.body) | {"content-type": single.content_type}
    answer = client.post(single.path, content=single.body, headers=headers)
    told = [line["error"]["reason"] if "error" in line else "done" for line in map(orjson.loads, answer.iter_lines())]
    assert told == ["done", "NOT_YOURS", "NOT_YOURS", "done"]


def test_a_till_knows_of_no_drafts_and_a_merchant_of_its_own_contract(
    suite: WholeSuite, others: WholeSuite, neighbour: WholeSuite, client: httpx.Client
) -> None:
    sale = EXAMPLES.example(RECORD_SALE) | {name: suite.ids[name] for name in ("store_id", "member_id")}
    quote_sale = {"sale": sale, "draft_id": suite.ids["draft_id"]}
    for kind, expectation in ((CallerKind.TERMINAL, "RULE_DRAFT_UNKNOWN"), (CallerKind.SYSTEM, "done")):
        sent = Sent("POST", "/v1/sales:quote", body=orjson.dumps(quote_sale))
        status, answer = ask(client, suite, kind, sent)
        assert (answer["reason"] if status != 200 else "done") == expectation, answer
    merchant, period = CallerKind.MERCHANT, "/v1/settlement/periods/2026-01/statements"
    _, contracts = ask(client, suite, merchant, Sent("GET", "/v1/contracts"))
    assert {each["merchant_id"] for each in contracts["contracts"]} == {suite.ids["merchant_id"]}
    assert tell(client, suite, merchant, "GET", f"{period}/{suite.ids['merchant_id']}") == "done"
    for who in (others, neighbour):
        assert tell(client, suite, merchant, "GET", f"{period}/{who.ids['merchant_id']}") == "NOT_YOURS"
        _, refused = ask(client, suite, merchant, Sent("GET", "/v1/contracts", f"merchant_id={who.ids['merchant_id']}"))
        assert refused["reason"] == "NOT_YOURS"
    partner = CallerKind.PARTNER
    for who, expectation in ((suite, "done"), (others, "done"), (neighbour, "MEMBER_UNKNOWN")):
        assert tell(client, suite, partner, "GET", f"/v1/members/{who.ids['member_id']}/balance") == expectation
        coupon = {"template_id": suite.ids["template_id"], "member_id": who.ids["member_id"]}
        told = tell(client, suite, partner, "POST", "/v1/coupons", **coupon)
        assert (told == "MEMBER_UNKNOWN") == (who is neighbour), told
    assert tell(client, suite, partner, "GET", f"/v1/members/{suite.ids['member_id']}/statement") == "PERMISSION_DENIED"


def test_who_works_in_a_part_reaches_what_is_there_and_nothing_beside_it(
    suite: WholeSuite, others: WholeSuite, neighbour: WholeSuite, client: httpx.Client
) -> None:
    mine, theirs = suite.ids, others.ids
    merchant, store = {"merchant_id": mine["merchant_id"]}, {"store_id": mine["store_id"]}
    people = {
        "clerk": suite.seen_by("MERCHANT_CLERK", mine["store_id"]),
        "owner": suite.seen_by("MERCHANT_OWNER", mine["merchant_id"]),
        "operator": suite.seen_by("UNIT_OPERATOR", mine["business_unit_id"]),
        "marketing": suite.seen_by("MARKETING", mine["business_unit_id"]),
        "finance": suite.seen_by("FINANCE", mine["business_unit_id"]),
        "auditor": suite.seen_by("AUDITOR", mine["business_unit_id"]),
    }
    she = f"/v1/members/{mine['member_id']}"
    identify = {"phone": "+8613900000009", "request_id": None}
    bought = {name: value for name, value in EXAMPLES.example(RECORD_SALE).items() if name not in ("origin", "tenders")}
    bought |= {"member_id": mine["member_id"]}
    template = EXAMPLES.example(OPERATIONS["huitong.mall.v1.CouponService.CreateTemplate"].request) | LONG
    item = {"code": "unit-item", "name": "Tea", "price_points": 1, "stock": 5}
    issue = {"member_id": mine["member_id"]}
    # Who; verb and path; fields; what they are told; other fields, and what they are told with those instead.
    expected: list[tuple[str, str, dict[str, Any], str, dict[str, Any], str]] = [
        ("clerk", "POST /v1/members:identify", identify | {"place_id": mine["store_id"]}, "done",
         {"place_id": theirs["store_id"]}, "NOT_YOURS"),
        ("owner", "POST /v1/members:identify", identify | {"place_id": mine["merchant_id"]}, "done",
         {"place_id": ""}, "NOT_YOURS"),
        ("clerk", "POST /v1/members", {"phone": "+8613900000010", **store}, "done",
         {"store_id": theirs["store_id"]}, "NOT_YOURS"),
        ("clerk", "POST /v1/sales", bought | store | {"receipt_no": "by-clerk"}, "done",
         {"store_id": theirs["store_id"]}, "NOT_YOURS"),
        ("owner", "POST /v1/refunds",
         {**store, "receipt_no": "by-clerk", "source": bought["source"], "refund_time": "2026-02-01T09:30:00+08:00"},
         "done", {"receipt_no": "R-by-baker"}, "SALE_UNKNOWN"),
        ("owner", f"GET {she}/sales/{mine['large_sale_id']}?store_id={mine['store_id']}", {}, "done", {}, ""),
        ("owner", f"GET {she}/sales/{theirs['sale_id']}?store_id={mine['store_id']}", {}, "SALE_UNKNOWN", {}, ""),
        ("owner", f"GET {she}/sales/{theirs['sale_id']}?store_id={theirs['store_id']}", {}, "NOT_YOURS", {}, ""),
        ("clerk", "GET /v1/items", {}, "done", {}, ""),
        ("clerk", "GET /v1/business-units", {}, "done", {}, ""),
        ("marketing", "POST /v1/items", item | merchant, "done",
         {"merchant_id": neighbour.ids["merchant_id"]}, "NOT_YOURS"),
        ("marketing", f"POST /v1/items/{mine['item_id']}:addStock", {"quantity": 1, **merchant}, "done",
         {"merchant_id": theirs["merchant_id"]}, "ITEM_UNKNOWN"),
        ("marketing", "POST /v1/coupon-templates", template | merchant | {"code": "UNIT"}, "done",
         {"merchant_id": ""}, "NOT_YOURS"),
        ("marketing", "POST /v1/coupons", issue | merchant | {"template_id": mine["template_id"]}, "done",
         {"merchant_id": theirs["merchant_id"]}, "TEMPLATE_UNKNOWN"),
        ("marketing", f"GET {she}/orders/{mine['order_id']}?merchant_id={mine['merchant_id']}", {}, "done", {}, ""),
        ("marketing", f"GET {she}/orders/{mine['order_id']}?merchant_id={theirs['merchant_id']}", {},
         "ORDER_UNKNOWN", {}, ""),
        ("marketing", "GET /v1/rule-sets", {}, "done", {}, ""),
        ("marketing", "POST /v1/rule-drafts", {"rule_set": RULES}, "PERMISSION_DENIED", {}, ""),
        ("operator", f"GET /v1/reports/mall?business_unit_id={mine['business_unit_id']}", {}, "done", {}, ""),
        ("operator", "GET /v1/reports/mall", {}, "NOT_YOURS", {}, ""),
        ("operator", f"GET /v1/reports/parking?car_park_id={mine['car_park_id']}", {}, "NOT_YOURS", {}, ""),
        ("finance", f"GET /v1/settlement/periods/2026-01/statements?business_unit_id={mine['business_unit_id']}", {},
         "done", {}, ""),
        ("finance", f"GET /v1/reports/settlement?business_unit_id={neighbour.ids['business_unit_id']}", {},
         "NOT_YOURS", {}, ""),
        ("finance", f"GET /v1/sale-cases?business_unit_id={mine['business_unit_id']}", {}, "done", {}, ""),
        ("finance", f"GET /v1/sale-cases?business_unit_id={mine['car_park_id']}", {}, "NOT_YOURS", {}, ""),
        ("auditor", f"GET /v1/reports/points-costs?business_unit_id={mine['business_unit_id']}", {}, "done", {}, ""),
        ("auditor", f"GET {she}/balance", {}, "PERMISSION_DENIED", {}, ""),
        ("auditor", f"POST {she}:freeze", {}, "PERMISSION_DENIED", {}, ""),
    ]  # fmt: skip
    for who, route, fields, told, instead, told_instead in expected:
        verb, _, path = route.partition(" ")
        if instead:
            answer = tell(client, people[who], CallerKind.OPERATOR, verb, path, **fields | instead)
            assert answer == told_instead, (who, route, instead)
        assert tell(client, people[who], CallerKind.OPERATOR, verb, path, **fields) == told, (who, route)


def test_figures_of_a_unit_are_those_of_what_is_in_it(suite: WholeSuite, client: httpx.Client) -> None:
    suite.run(suite.apps.drain())
    for path in (
        "reports/mall",
        "reports/settlement",
        "reports/points-totals",
        "settlement/periods/2026-01/statements",
    ):
        figures = {}
        for name in ("business_unit_id", "car_park_id"):
            sent = Sent("GET", f"/v1/{path}", f"business_unit_id={suite.ids[name]}")
            status, figures[name] = ask(client, suite, CallerKind.SYSTEM, sent)
            assert status == 200, figures[name]
        _, whole = ask(client, suite, CallerKind.SYSTEM, Sent("GET", f"/v1/{path}"))
        there = figures["business_unit_id"]
        assert not is_blank(there) and is_blank(figures["car_park_id"]), path
        # All of the group's merchants are in this unit, and all of its coupons are for one of them.
        shared = {name: value for name, value in there.items() if name not in ("fund_minor", "platform_minor")}
        assert shared == {name: whole[name] for name in shared}, path


# With own ids these requests are done, as the walk of the group's system below shows for those that it may send.
@pytest.mark.parametrize(
    ("kind", "least"),
    [
        (CallerKind.MEMBER, 80), (CallerKind.TERMINAL, 40), (CallerKind.MERCHANT, 15), (CallerKind.VENDOR, 2),
        (CallerKind.PARTNER, 8), (CallerKind.OPERATOR, 100),
    ],
)  # fmt: skip
def test_nothing_of_another_group_is_there_for_anybody(
    suite: WholeSuite, neighbour: WholeSuite, client: httpx.Client, kind: CallerKind, least: int
) -> None:
    taken: list[str] = []
    tried = 0
    for method, path in _foreign_fields(suite, kind):
        sent = next(sendings(method, body_of(method, suite, path, neighbour)))
        told = outcome(method, *ask(client, suite, kind, sent))
        if told == "done":
            taken.append(f"{method.full_name} {path}")
        tried += 1
    assert taken == [], "another group's was taken"
    assert tried >= least, tried


# What is done to own things after all else: they are there no more, then.
ENDING = ("SetReferral", "Disable", "Close", "Unmerge", "Delete")


def _place(method: MethodDescriptor) -> int:
    return next((place for place, start in enumerate(ENDING) if method.name.startswith(start)), -1)


def _foreign_fields(suite: WholeSuite, kind: CallerKind) -> Iterator[tuple[MethodDescriptor, str]]:
    """The fields of all that `kind` may call in which another's id may stand."""
    for method in sorted(METHODS, key=_place):
        if method.full_name in OPERATIONS and kind.name in Declared.of(method).audiences:
            yield from ((method, path) for path in texts_of(method.input_type) if known(path, suite.ids))


def test_nothing_of_another_group_is_there(suite: WholeSuite, neighbour: WholeSuite, client: httpx.Client) -> None:
    alike: set[str] = set()
    taken: list[str] = []
    tried = 0
    for method, path in _foreign_fields(suite, CallerKind.SYSTEM):
        named = f"{method.full_name.partition('.v1.')[2]} {path}"
        told = []
        # The foreign one first: what is done with own ids may be done only once.
        for foreign in (path, ""):
            sent = next(sendings(method, body_of(method, suite, foreign, neighbour)))
            told.append(outcome(method, *ask(client, suite, CallerKind.SYSTEM, sent)))
        tried += 1
        if told[0] == "done":
            taken.append(named)
        elif told[0] == told[1]:
            alike.add(named)
    assert tried > 100
    assert taken == [], "another group's was taken"
    # Where own ids are refused just the same nothing is shown: give it a request that can be done, as INSTEAD does.
    named_here = {named for named in alike if {named, named.partition(" ")[0]} & NOT_SHOWN_HERE.keys()}
    assert alike == named_here
    assert [named for named in NOT_SHOWN_HERE if not any(each.startswith(named) for each in alike)] == []
