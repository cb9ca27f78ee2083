"""What a group of the suite has besides what every one has, so that there is something to be somebody's."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from chassis.crypto import Vault
from chassis.identity import CallerKind
from chassis.ids import from_edge
from services.org.rules import Origin
from services.org.webhooks import operations as webhooks
from tests.whole.suite import AWAITED, Doors, WholeSuite

LONG = {
    "valid_from_time": "2020-01-01T00:00:00Z",
    "valid_until_time": "2040-01-01T00:00:00Z",
    "categories": [],
    "amount_off_minor": 100,
    "min_spend_minor": 0,
    "limit_per_member": 10,
    "quantity": 10,
}
SALE: dict[str, Any] = {
    "total": {"amount_minor": 90_000, "currency_code": "CNY"},
    "lines": [{"line_no": 1, "amount_minor": 90_000, "category": "GROCERY", "item_code": "A-1", "quantity": 1}],
    "tenders": None,
    "tax_minor": None,
    "origin": None,
}
RULES = {
    "effective_date": {"year": 2037, "month": 1, "day": 1},
    "base_points": 1,
    "base_step_minor": 100,
    "rules": [{"rule_id": "base", "kind": "RULE_KIND_BASE", "name": "Base"}],
    "expiry_months": 12,
}
UNIT_POINTS = {"kind": "CURRENCY_KIND_UNIT_POINTS", "money_code": "", "code": "UNIT"} | dict.fromkeys(
    ("max_balance_minor", "anonymous_max_balance_minor", "max_top_up_minor"), 0
)
LATER: dict[str, Any] = {"start_time": "2090-01-01T00:00:00Z", "end_time": None}
LOUNGE = {"benefit_code": "LOUNGE", "kind": "BENEFIT_KIND_LOUNGE_ENTRY", "name": "Lounge", "quota": 1000,
          "period": "QUOTA_PERIOD_MONTH"}  # fmt: skip
PROGRAM: dict[str, Any] = {
    "referrer_points": 1,
    "min_amount": {"amount_minor": 1, "currency_code": "CNY"},
    "use_within_days": 365,
    "is_open": True,
}
OPERATOR = CallerKind.OPERATOR
# What a request has to be besides the contract's example, so that it can be done with own ids.
INSTEAD: dict[str, dict[str, Any]] = {
    "CouponService.CreateTemplate": {**LONG, "code": "OTHER"},
    "CouponService.CreateTemplates": {"templates": {**LONG, "code": "OTHERS"}},
    "CurrencyService.CreateCurrency": {**UNIT_POINTS, "code": "MORE"},
    "AdjustmentService.RequestAdjustment": {"currency_id": ""},
    "WalletService.GetBalance": {"currency_id": ""},
    "WalletService.ListStatement": {"currency_id": ""},
    "WalletService.QuoteOffset": {"merchant_id": "", "quote_token": "", "pool_id": ""},
    "CheckoutService.CommitCheckout": {"coupon_code": "", "offset_quote_token": "", "pool_id": "", "offset_points": 0},
    "OperatorService.InviteOperator": {"grants": {"role": "ROLE_MERCHANT_OWNER"}, "login": "somebody.else"},
    "OperatorService.SetOperatorGrants": {"grants": {"role": "ROLE_MERCHANT_OWNER"}},
    "RuleSimulationService.QuoteSale": {"draft_id": ""},
    "CredentialService.CreateCredential": {"permissions": [], "partner_code": "", "approval_id": ""},
    "BenefitService.UseBenefit": {"benefit_code": "LOUNGE", "member_code": ""},
    "TierProgramService.SetTierMatches": {"matches": {"tier_code": "BASIC"}},
    "AuditService.ListAuditEntries": {"actor": "", "action": "", "after_time": "", "before_time": ""},
    "WebhookService.UpdateWebhookEndpoint": {"url": None},
    "SaleCaseService.ListSaleCases": {"state": "", "kind": ""},
    "LedgerService.GetTotals": {"currency_id": ""},
}


async def furnish(suite: WholeSuite) -> None:
    """More things to be somebody's."""
    async with httpx.AsyncClient(base_url=suite.url, timeout=20, trust_env=False) as client:
        doors = Doors(suite, client)
        doors.count = 1_000

        sale = {"receipt_no": "R-large", **SALE}
        await doors.make("large_sale_id", "sale_id", "SalesService_RecordSale", **sale)
        await doors.make("template_id", "template.template_id", "CouponService_CreateTemplate", **LONG)
        coupon = await doors.post("CouponService_IssueCoupon")
        suite.ids["coupon_code"] = coupon["coupon"]["code"]
        await doors.make("currency_id", "currency.currency_id", "CurrencyService_CreateCurrency", **UNIT_POINTS)
        await doors.make("draft_id", "draft.draft_id", "RuleDraftService_CreateRuleDraft", rule_set=RULES)
        adjustment = INSTEAD["AdjustmentService.RequestAdjustment"]
        await doors.make(
            "adjustment_id", "adjustment.adjustment_id", "AdjustmentService_RequestAdjustment", **adjustment
        )
        await doors.make("operator_id", "operator.operator_id", "OperatorService_InviteOperator", grants=[])
        await doors.make("order_id", "order.order_id", "OrderService_PlaceOrder")
        await doors.make("item_id", "item.item_id", "CatalogueService_CreateItem", code="second", benefit_code="")
        order = await doors.post("OrderService_PlaceOrder")
        suite.ids["voucher_code"] = order["order"]["voucher"]["code"]
        await doors.make(
            "checkout_id", "checkout.checkout_id", "CheckoutService_CommitCheckout",
            **INSTEAD["CheckoutService.CommitCheckout"], member_code=None,
        )  # fmt: skip


async def furnish_more(suite: WholeSuite) -> None:
    """What few RPCs name."""
    async with httpx.AsyncClient(base_url=suite.url, timeout=20, trust_env=False) as client:
        doors = Doors(suite, client)
        doors.count = 3_000
        ids, member = suite.ids, suite.ids["member_id"]
        ids["card_no"] = (await doors.get(f"/v1/members/{member}"))["member"]["card_no"]
        ids["referral_code"] = (await doors.get(f"/v1/members/{member}/referral-code"))["referral_code"]
        await doors.make("denial_id", "denial.denial_id", "RiskService_DenyIdentity", phone="+8613700000001")
        await doors.post("ReferralService_SetReferralProgram", program=PROGRAM | {"merchant_id": ids["merchant_id"]})
        await doors.post(
            "TierProgramService_SetTierMatches", matches=[{"level": "GOLD", "tier_code": "BASIC", "months": 1}]
        )
        await doors.post("BenefitService_SetTierBenefits", tier_code="BASIC", benefits=[LOUNGE])
        use: dict[str, Any] = {"benefit_code": "LOUNGE", "member_code": None}
        await doors.make("use_id", "use.use_id", "BenefitService_UseBenefit", **use)
        await doors.post("SalesService_RecordSale", receipt_no="R-awaited", **SALE, source=AWAITED)
        ids["case_id"] = (await doors.get("/v1/sale-cases"))["cases"][0]["case_id"]
        currencies = (await doors.get("/v1/currencies"))["currencies"]
        group_currency = next(one["currency_id"] for one in currencies if one["currency_id"] != ids["currency_id"])
        rate: dict[str, Any] = {"from_currency_id": ids["currency_id"], "to_currency_id": group_currency, **LATER}
        await doors.make("rate_id", "rate.rate_id", "ConversionService_ProposeConversionRate", by=OPERATOR, **rate)
        simulation = {"draft_id": ids["draft_id"]}
        await doors.make(
            "simulation_id", "simulation.simulation_id", "RuleSimulationService_StartRuleSimulation", **simulation
        )
        key = {"kind": "CREDENTIAL_KIND_SYSTEM", "subject_id": "", "approval_id": "", "permissions": [],
               "partner_code": ""}  # fmt: skip
        create = "CredentialService_CreateCredential"
        await doors.make("approval_id", "approval.approval_id", create, by=OPERATOR, **key)
        partner = key | {"kind": "CREDENTIAL_KIND_PARTNER", "permissions": ["events.member.*"], "partner_code": "BANK"}
        await doors.make("partner_id", "credential.subject_id", create, **partner)
        await _merge(suite, doors)
        await doors.make(
            "recalculation_id", "recalculation.recalculation_id", "TierProgramService_StartTierRecalculation"
        )
        await _register(suite)


async def _merge(suite: WholeSuite, doors: Doors) -> None:
    """The member, and somebody who turns out to be the same."""
    joined = await doors.post("MemberService_JoinMember", phone="+8613900000019")
    absorbed_id = suite.ids["absorbed_id"] = joined["member"]["member_id"]
    await suite.apps.drain()
    both = {"survivor_id": suite.ids["member_id"], "absorbed_id": absorbed_id}
    await doors.make("merge_id", "merge.merge_id", "MemberMergeService_MergeMembers", **both)
    path = f"/v1/member-merges/{suite.ids['merge_id']}"
    async with asyncio.timeout(20):
        while (await doors.get(path))["merge"]["state"] != "MERGE_STATE_COMPLETED":
            await asyncio.sleep(0.05)


async def _register(suite: WholeSuite) -> None:
    """An endpoint at an address that the suite sends nothing to, and so would not take from anybody."""
    partner_id = from_edge("ptn", suite.ids["partner_id"], "partner_id")
    org, vault = suite.apps.running["org"], Vault(suite.apps.settings.data_key.get_secret_value())
    async with org.db.transaction(suite.callers[CallerKind.INTERNAL]) as tx:
        made = await webhooks.create(
            tx, vault, partner_id=partner_id, name="inside", url="https://localhost/", event_types=["member.joined"],
            origin=Origin("CreateWebhookEndpoint", "furnish-endpoint"),
        )  # fmt: skip
    suite.ids["webhook_endpoint_id"] = made.edge
