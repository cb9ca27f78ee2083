"""Every change that the contract lets operators make, made at the gateway, and what the audit says of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from chassis.identity import CallerKind
from tests.access_table import OPERATIONS, sendings
from tests.audits import told_of
from tests.contract.test_operator_acts import CHANGES
from tests.people import HEADER, People, grant
from tests.whole.suite import AWAITED, Doors, WholeSuite
from tests.whole.test_other_peoples_things import body_of, outcome
from tests.whole.things import INSTEAD, LATER, RULES, SALE, furnish

pytestmark = pytest.mark.timeout(120)

# An answer's ids that later requests name.
KEPT = {"denial_id", "merge_id", "draft_id", "operator_id"}
SELF = "$member_id"
TIERS = [
    {"code": "BASIC", "name": "Basic", "min_growth": 0, "earn_multiplier_bps": 10_000},
    {"code": "GOLD", "name": "Gold", "min_growth": 900, "earn_multiplier_bps": 12_000},
]
DEFINITION = {"key": "size", "type": "ATTRIBUTE_TYPE_TEXT", "label": "Size", "label_zh": "尺码"}
PROGRAM = {"referrer_points": 200, "min_amount": {"amount_minor": 1_000, "currency_code": "CNY"},
           "merchant_id": "$merchant_id", "use_within_days": 30}  # fmt: skip
BENEFIT = {"benefit_code": "LOUNGE", "kind": "BENEFIT_KIND_LOUNGE_ENTRY", "name": "Lounge", "quota": 1,
           "period": "QUOTA_PERIOD_MONTH"}  # fmt: skip
GRANTS = [{"role": "ROLE_AUDITOR"}]
RATE: dict[str, Any] = {"from_currency_id": "$currency_id", "to_currency_id": "$group_currency", **LATER}
TERMS = {"merchant_id": "$merchant_id", "issue_price_centi": 2, "redeem_price_centi": 2,
         "effective_date": {"year": 2026, "month": 2, "day": 1}}  # fmt: skip
ADJUSTMENT = INSTEAD["AdjustmentService.RequestAdjustment"]
KEY: dict[str, Any] = {"approval_id": None, "permissions": [], "partner_code": ""}

# RPCs in the order in which they can be done, each with what its request has besides the contract's example; None
# leaves a field out.
WALK: list[tuple[str, dict[str, Any]]] = [
    ("CatalogueService.CreateItem", {"code": "walked", "benefit_code": None}),
    ("CatalogueService.AddStock", {}),
    ("CouponService.CreateTemplate", {"code": "WALKED", **INSTEAD["CouponService.CreateTemplate"]}),
    ("CouponService.CreateTemplates", {}),
    ("CouponService.IssueCoupon", {}),
    ("CouponService.WriteOffCoupon", {"coupon_code": "$coupon_code"}),
    ("CouponService.ReverseWriteOff", {"coupon_code": "$coupon_code"}),
    ("OrderService.UseVoucher", {"voucher_code": "$voucher_code"}),
    ("OrderService.CancelOrder", {}),
    ("CheckoutService.VoidCheckout", {}),
    ("SalesService.RecordSale", {"receipt_no": "walked", **SALE}),
    ("SalesService.RecordSale", {"receipt_no": "awaited", **SALE, "source": AWAITED}),
    ("SaleCaseService.ConfirmSale", {"receipt_no": "awaited", "source": AWAITED}),
    ("SalesService.RecordSale", {"receipt_no": "refused", **SALE, "source": AWAITED}),
    ("SaleCaseService.RejectSale", {"receipt_no": "refused", "source": AWAITED}),
    ("SalesService.RefundSale", {"receipt_no": "walked", "lines": None}),
    ("AttributeService.DefineAttribute", {"definition": DEFINITION}),
    ("AttributeService.DefineAttribute", {"definition": {**DEFINITION, "label": "Shoe size"}}),
    ("AttributeService.SetMemberAttributes", {"items": [{"member_id": SELF, "key": "size",
                                                         "value": {"text_value": "42"}}]}),
    ("AttributeService.AddTags", {}),
    ("AttributeService.RemoveTags", {}),
    ("TierService.SetTierLadder", {"tiers": TIERS, "effective_date": None, "policy": None}),
    ("TierService.SetTierLadder", {"tiers": TIERS, "effective_date": {"year": 2090, "month": 1, "day": 1},
                                   "policy": None}),
    ("TierProgramService.CancelTierLadder", {"version": 3}),
    ("TierProgramService.SetTierMatches", {"matches": [{"level": "PLATINUM", "tier_code": "GOLD", "months": 12}]}),
    ("TierProgramService.SetTierMatches", {"matches": [{"level": "PLATINUM", "tier_code": "GOLD", "months": 6}]}),
    ("TierProgramService.StartTierRecalculation", {}),
    ("BenefitService.SetTierBenefits", {"tier_code": "GOLD", "benefits": [BENEFIT]}),
    ("BenefitService.SetTierBenefits", {"tier_code": "GOLD", "benefits": [{**BENEFIT, "quota": 2}]}),
    ("ConsentService.SaveConsentText", {}),
    ("ConsentService.SetConsent", {}),
    ("ConsentService.SetConsent", {"is_given": False}),
    ("ReferralService.SetReferralProgram", {}),
    ("ReferralService.SetReferralProgram", {"program": PROGRAM}),
    ("PrivacyService.SetPrivacySettings", {}),
    ("RiskService.SetRiskPolicy", {}),
    ("RiskService.DenyIdentity", {}),
    ("RiskService.LiftDenial", {}),
    ("ProfileService.UpdateProfile", {}),
    ("MemberService.JoinMember", {"phone": "+8613800000002"}),
    ("MemberService.JoinMembers", {"members": [{"request_id": "walk-join", "phone": "+8613800000003"}]}),
    ("MemberMergeService.MergeMembers", {"survivor_id": SELF, "absorbed_id": "$joined_id"}),
    ("MemberMergeService.UnmergeMembers", {"merge_id": "$merge_id"}),
    ("SegmentService.ChangeSegment", {"add_member_ids": [SELF], "remove_member_ids": []}),
    ("CurrencyService.CreateCurrency", INSTEAD["CurrencyService.CreateCurrency"]),
    ("ConversionService.ProposeConversionRate", RATE),
    ("ConversionService.DecideConversionRate", {"rate_id": "$proposed_rate_id", "is_approved": True}),
    ("CurrencyService.CloseCurrency", {}),
    ("RetentionService.RenewPoints", {"expiring_before": "2100-01-01T00:00:00Z",
                                      "expire_time": "2101-01-01T00:00:00Z"}),
    ("AdjustmentService.ApproveAdjustment", {}),
    ("AdjustmentService.RequestAdjustment", INSTEAD["AdjustmentService.RequestAdjustment"]),
    ("AdjustmentService.RejectAdjustment", {"adjustment_id": "$asked_adjustment_id"}),
    ("RuleSimulationService.StartRuleSimulation", {}),
    ("RuleDraftService.ApproveRuleDraft", {}),
    ("RuleDraftService.RollBackRules", {"version": 1}),
    ("RuleDraftService.CreateRuleDraft", {"rule_set": {**RULES, "base_points": 2}}),
    ("RuleDraftService.DiscardRuleDraft", {}),
    ("ParkingService.SetTariff", {}),
    ("ParkingService.SetTariff", {"effective_time": "2026-03-01T00:00:00+08:00", "tariff": {"hour_minor": 900}}),
    ("ContractService.SetContract", {}),
    ("ContractService.SetContracts", {"contracts": [{"request_id": "walk-terms", "contract": TERMS}]}),
    ("StructureService.CreateBusinessUnit", {"code": "UNIT", "kind": "UNIT_KIND_MALL"}),
    ("StructureService.UpdateBusinessUnit", {"name": "Renamed", "is_open": None, "kind": None, "time_zone": None,
                                             "currency_code": None}),
    ("StructureService.CreateMerchant", {"code": "MERCHANT"}),
    ("StructureService.UpdateMerchant", {"is_open": None, "name": "Renamed"}),
    ("StructureService.CreateStore", {"code": "STORE"}),
    ("StructureService.UpdateStore", {"is_open": None, "name": "Renamed"}),
    ("StructureService.CreateTerminal", {"code": "TERMINAL"}),
    ("StructureService.UpdateTerminal", {"is_open": None, "name": "Renamed"}),
    ("StructureService.ImportStructure", {"csv": f"{HEADER}merchant,FILED,Filed,MALL,,,,bakery,\n"}),
    ("CredentialService.CreateCredential", {"approval_id": None, "permissions": [], "partner_code": ""}),
    ("CredentialService.RevokeCredential", {}),
    ("ApprovalService.Approve", {"approval_id": "$first_approval_id"}),
    ("ApprovalService.Reject", {"approval_id": "$second_approval_id"}),
    ("OperatorService.InviteOperator", {"login": "walked", "grants": GRANTS}),
    ("OperatorService.SetOperatorGrants", {"grants": [*GRANTS, {"role": "ROLE_FINANCE"}]}),
    ("OperatorService.EndOperatorSessions", {"operator_id": "$other_operator_id"}),
    ("OperatorService.ResetOperator", {"operator_id": "$other_operator_id"}),
    ("OperatorService.DisableOperator", {}),
    ("RiskService.FreezeMember", {}),
    ("RiskService.UnfreezeMember", {}),
    ("PrivacyService.RequestErasure", {}),
    ("PrivacyService.WithdrawErasure", {}),
    ("RiskService.CloseMember", {}),
]  # fmt: skip
# What the suite has nothing for: an address that may be sent to, a sale that is suspicious, a guest of a hotel, so many
# members that one can be in time to stop.
ELSEWHERE = {
    **dict.fromkeys(
        (f"WebhookService.{name}" for name in (
            "CreateWebhookEndpoint", "UpdateWebhookEndpoint", "DisableWebhookEndpoint", "EnableWebhookEndpoint",
            "DeleteWebhookEndpoint", "RotateWebhookSecret", "SendTestEvent", "ReplayWebhook")),
        "tests/integration/org/test_webhook_endpoints.py",
    ),
    "SaleCaseService.DecideSaleCase": "tests/integration/points/test_velocity.py",
    "TierProgramService.GrantTierMatch": "tests/integration/member/test_tier_program.py",
    "TierProgramService.CancelTierRecalculation": "tests/integration/member/test_tier_program.py",
}  # fmt: skip
NEW, DIFFERENCE, PERSONAL = "something new", "the answer says what it changed", "what was is nobody's to read"
# What has nothing of before to show.
WITHOUT_BEFORE = {
    "CreateItem": NEW, "CreateTemplate": NEW, "CreateTemplates": NEW, "IssueCoupon": NEW, "SaveConsentText": NEW,
    "DenyIdentity": NEW, "JoinMember": NEW, "JoinMembers": NEW, "MergeMembers": NEW, "RequestErasure": NEW,
    "StartTierRecalculation": NEW, "RequestAdjustment": NEW, "CreateRuleDraft": NEW, "RollBackRules": NEW,
    "StartRuleSimulation": NEW, "CreateCurrency": NEW, "ProposeConversionRate": NEW, "CreateBusinessUnit": NEW,
    "CreateMerchant": NEW, "CreateStore": NEW, "CreateTerminal": NEW, "RequestApproval": NEW, "InviteOperator": NEW,
    "AddTags": DIFFERENCE, "RemoveTags": DIFFERENCE, "ChangeSegment": DIFFERENCE, "ImportStructure": DIFFERENCE,
    "EndOperatorSessions": DIFFERENCE, "RenewPoints": DIFFERENCE, "RecordSale": NEW, "RefundSale": DIFFERENCE,
    "UpdateProfile": PERSONAL, "SetMemberAttributes": PERSONAL,
}  # fmt: skip
# What has nothing of afterwards to show.
WITHOUT_AFTER = {"LiftDenial": "it is gone", "UpdateProfile": PERSONAL}
# An operator's key is asked for first.
NAMED = {"CreateCredential": "RequestApproval"}
# About the group as a whole, or tiers and texts that have no ids.
WITHOUT_IDS = {
    "SetTierLadder", "CancelTierLadder", "SetTierBenefits", "SaveConsentText", "SetPrivacySettings", "SetRiskPolicy",
    "DefineAttribute",
}  # fmt: skip
FIELDS = ("actor", "via", "before_json", "request_json", "after_json", "subject_ids")
OWN_WORDS = ("reason", "reason_text", "decision_note", "note")


class Walk:
    """An operator who does one thing after the other, and says why."""

    def __init__(self, suite: WholeSuite, client: httpx.Client) -> None:
        self.suite, self.client, self.count = suite, client, 0

    def do(self, short: str, fields: dict[str, Any]) -> str:
        """Do it; answers the reason that was given for it, in the request if it has a place for it."""
        method = next(each.method for name, each in OPERATIONS.items() if name.endswith(f".v1.{short}"))
        body = {**body_of(method, self.suite, "", self.suite), **fields}
        self.count += 1
        reason = f"because {self.count}: 客户要求"
        own = next((name for name in OWN_WORDS if name in body), "")
        told = {own: f"in its own words {self.count}"} if own else {}
        sent = next(sendings(method, self._filled({k: v for k, v in (body | told).items() if v is not None})))
        headers = self.suite.sign(CallerKind.OPERATOR, sent.verb, sent.path, sent.query, sent.body)
        headers |= {"content-type": sent.content_type, "huitong-reason": quote(reason)}
        path, deadline = sent.path + (f"?{sent.query}" if sent.query else ""), time.monotonic() + 20
        while True:
            answer = self.client.request(sent.verb, path, content=sent.body, headers=headers)
            said = outcome(method, answer.status_code, answer.json())
            if said != "MERGE_NOT_COMPLETED" or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        assert said in ("done", "nothing"), f"{short}: {answer.text}"
        self._keep(answer.json())
        if short == "MemberService.JoinMember":
            self.suite.ids["joined_id"] = answer.json()["member"]["member_id"]
        return told.get(own, reason)

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._filled(one) for name, one in value.items()}
        if isinstance(value, list):
            return [self._filled(one) for one in value]
        return self.suite.ids[value[1:]] if isinstance(value, str) and value.startswith("$") else value

    def _keep(self, value: Any) -> None:
        if isinstance(value, list):
            for one in value:
                self._keep(one)
        elif isinstance(value, dict):
            self.suite.ids |= {name: value[name] for name in KEPT & value.keys()}
            for one in value.values():
                self._keep(one)

    def entries(self, reasons: set[str]) -> dict[str, dict[str, Any]]:
        """What the audit says of what was done for these reasons, once all is there: most services tell it later."""
        actor, deadline = self.suite.callers[CallerKind.OPERATOR].subject, time.monotonic() + 20
        headers = self.suite.sign(CallerKind.OPERATOR, "GET", "", "", b"")
        while True:
            answer = self.client.get(f"/v1/audit-entries?page_size=200&actor={actor}", headers=headers)
            found = {each["reason"]: each for each in reversed(answer.json()["entries"])}
            if reasons <= found.keys() or time.monotonic() > deadline:
                return found
            time.sleep(0.05)


async def prepare(suite: WholeSuite) -> None:
    """What a second person is needed for, asked for by others: the group's system, another operator."""
    await furnish(suite)
    people = People(suite.apps)
    people.db = suite.apps.running["org"].db
    other = await people.enrol(grant("GROUP_ADMIN"), group_id=suite.group_id)
    session = await people.log_in(other, group_code="audit")
    suite.ids["other_operator_id"] = other.operator_id
    async with httpx.AsyncClient(base_url=suite.url, timeout=20, trust_env=False) as client:
        doors = Doors(suite, client)
        doors.count = 2_000
        listed = await client.get("/v1/currencies", headers={"authorization": f"Bearer {session}"})
        suite.ids["group_currency"] = listed.json()["currencies"][0]["currency_id"]
        rate = RATE | {name: suite.ids[RATE[name][1:]] for name in ("from_currency_id", "to_currency_id")}
        await doors.make("proposed_rate_id", "rate.rate_id", "ConversionService_ProposeConversionRate", **rate)
        await doors.make(
            "asked_adjustment_id", "adjustment.adjustment_id", "AdjustmentService_RequestAdjustment", **ADJUSTMENT
        )
        for name in ("first", "second"):
            body = {"request_id": f"{name}-key", "kind": "CREDENTIAL_KIND_SYSTEM", "name": name}
            headers = {"authorization": f"Bearer {session}"}
            answer = await client.post("/v1/credentials", json=body, headers=headers)
            suite.ids[f"{name}_approval_id"] = answer.json()["approval"]["approval_id"]


@pytest.fixture(scope="module")
def walk(whole: WholeSuite) -> Iterator[Walk]:
    suite = whole.neighbour("audit")
    suite.run(prepare(suite))
    with httpx.Client(base_url=suite.url, timeout=20, trust_env=False) as client:
        yield Walk(suite, client)
    suite.run(suite.apps.drain())


def test_the_walk_passes_every_change() -> None:
    changes = {each.method.full_name.partition(".v1.")[2] for each in CHANGES}
    assert {name for name, _ in WALK} | ELSEWHERE.keys() == changes
    assert {name for name, _ in WALK}.isdisjoint(ELSEWHERE)


def test_what_the_walk_cannot_pass_is_asserted_elsewhere() -> None:
    walked = {name for name, _ in WALK}
    assert {name: path for name, path in told_of().items() if name not in walked} == ELSEWHERE


def test_every_change_of_an_operator_says_who_what_before_after_and_why(walk: Walk) -> None:
    # Of what is done twice, the second time there is something to be changed.
    given = {name: walk.do(name, fields) for name, fields in WALK}
    entries = walk.entries(set(given.values()))
    wrong = {}
    for name, reason in given.items():
        rpc, entry = name.partition(".")[2], entries.get(reason)
        if entry is None:
            wrong[name] = "says not why"
            continue
        has = {field for field in FIELDS if entry.get(field) not in (None, "", "{}", [])}
        expected = set(FIELDS)
        expected -= {"before_json"} if NAMED.get(rpc, rpc) in WITHOUT_BEFORE else set()
        expected -= {"after_json"} if rpc in WITHOUT_AFTER else set()
        expected -= {"subject_ids"} if rpc in WITHOUT_IDS else set()
        if entry["action"] != NAMED.get(rpc, rpc) or entry["actor_kind"] != "operator" or has != expected:
            wrong[name] = f"{entry['action']} {sorted(has ^ expected)}"
        elif entry["before_json"] == entry["after_json"]:
            wrong[name] = "is as it was"
    assert wrong == {}


def test_a_retry_for_another_reason_is_a_retry_and_a_reason_has_its_measure(walk: Walk) -> None:
    again = {"request_id": "the-same-request"}
    first, _ = (walk.do("ReferralService.SetReferralProgram", again) for _ in range(2))
    walk.entries({first})
    headers = walk.suite.sign(CallerKind.OPERATOR, "GET", "", "", b"")
    # As some clients send it: the bytes of UTF-8 as they are.
    tags = {"request_id": "raw-reason", "items": [{"member_id": walk.suite.ids["member_id"], "tag": "RAW"}]}
    raw = headers | {"huitong-reason": "客" * 500}
    for reason, expected in (("客" * 501, 400), (raw["huitong-reason"], 200)):
        sent = [(name.encode(), value.encode()) for name, value in (raw | {"huitong-reason": reason}).items()]
        answer = walk.client.post("/v1/members:addTags", json=tags, headers=sent)
        assert answer.status_code == expected, answer.text
    assert set(walk.entries({raw["huitong-reason"]})) >= {first, raw["huitong-reason"]}
    assert f"because {walk.count}: 客户要求" not in walk.entries(set())
