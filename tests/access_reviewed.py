"""Ids in requests that no binding holds to their caller, each with the reason why that is right.

A new RPC with such an id has to be added here by somebody who has looked at what its service does with it.
tests/whole/test_other_peoples_things.py shows what services answer for those of others.
"""

from __future__ import annotations

# Looked for among what is the caller's (the bound member, store or car park): another's is not there, or refused.
OWN = "looked for among the caller's own"
# Anybody of the group who may call may name any of the group's: the till serves every member, a gift goes to anybody.
GROUP = "any of the caller's group"
# Whoever knows it may use it, and nobody can guess it.
SECRET = "a secret of its holder"
# A name that the caller gives; what it names is the caller's by the bound field beside it.
LABEL = "a name that the caller gives"

MEMBER, TERMINAL, MERCHANT, PARTNER, VENDOR = "MEMBER", "TERMINAL", "MERCHANT", "PARTNER", "VENDOR"
# An operator with a grant for a part of the group, at an RPC that has a bound field for it.
NARROW = "OPERATOR"
_SALE = {
    "receipt_no": LABEL,
    "member_id": GROUP,
    "member_code": SECRET,
    "origin.payment_id": LABEL,
    "origin.device_id": LABEL,
}
_POOL = {"pool_id": OWN}

# By RPC (without "huitong."), audiences and field.
REVIEWED: dict[str, dict[tuple[str, ...], dict[str, str]]] = {
    # Of the merchant that is bound only.
    "mall.v1.CatalogueService.AddStock": {(NARROW,): {"item_id": OWN}},
    "mall.v1.CatalogueService.CreateItem": {(NARROW,): {"benefit_code": GROUP}},
    "mall.v1.CatalogueService.GetItem": {(MEMBER, TERMINAL, PARTNER): {"item_id": GROUP}},
    "mall.v1.CheckoutService.CommitCheckout": {
        (TERMINAL,): {
            "receipt_no": LABEL,
            # Spending needs the member's code, unless the group's own system asks.
            "member_id": GROUP,
            "member_code": SECRET,
            "coupon_code": SECRET,
            "offset_quote_token": SECRET,
            # The member's pool: points asks whether they are in it.
            "pool_id": OWN,
        }
    },
    "mall.v1.CheckoutService.GetCheckout": {(TERMINAL, NARROW): {"checkout_id": OWN}},
    "mall.v1.CheckoutService.QuoteCheckout": {
        (TERMINAL,): {"member_id": GROUP, "member_code": SECRET, "pool_id": OWN},
    },
    "mall.v1.CheckoutService.VoidCheckout": {(TERMINAL, NARROW): {"checkout_id": OWN}},
    "mall.v1.CouponService.IssueCoupon": {
        (PARTNER,): {"template_id": GROUP, "member_id": GROUP, "merchant_id": GROUP},
        (NARROW,): {"template_id": OWN, "member_id": GROUP},
    },
    # What the member has of the merchant that is bound.
    "mall.v1.CouponService.ListCoupons": {(MEMBER,): {"merchant_id": GROUP}, (NARROW,): {"member_id": GROUP}},
    "mall.v1.CouponService.ReverseWriteOff": {(TERMINAL, MERCHANT, NARROW): {"coupon_code": OWN}},
    "mall.v1.CouponService.WriteOffCoupon": {
        (TERMINAL, MERCHANT, NARROW): {"coupon_code": SECRET, "receipt_no": LABEL},
    },
    "mall.v1.OrderService.CancelOrder": {
        (MEMBER,): {"order_id": OWN, "merchant_id": GROUP},
        (NARROW,): {"order_id": OWN, "member_id": GROUP},
    },
    "mall.v1.OrderService.GetOrder": {
        (MEMBER,): {"order_id": OWN, "merchant_id": GROUP},
        (NARROW,): {"order_id": OWN, "member_id": GROUP},
    },
    "mall.v1.OrderService.ListOrders": {(MEMBER,): {"merchant_id": GROUP}, (NARROW,): {"member_id": GROUP}},
    "mall.v1.OrderService.PlaceOrder": {(MEMBER,): {"item_id": GROUP}},
    # Of the store's merchant only.
    "mall.v1.OrderService.UseVoucher": {(TERMINAL, MERCHANT, NARROW): {"voucher_code": SECRET}},
    "member.v1.BenefitService.CheckBenefit": {(TERMINAL,): {"member_id": GROUP, "benefit_code": LABEL}},
    "member.v1.BenefitService.ListTierBenefits": {(MEMBER, TERMINAL): {"tier_code": GROUP}},
    # A terminal gives back what was used in its own store.
    "member.v1.BenefitService.ReturnBenefit": {(TERMINAL,): {"use_id": OWN}},
    "member.v1.BenefitService.UseBenefit": {
        (TERMINAL,): {"member_id": GROUP, "benefit_code": LABEL, "member_code": SECRET}
    },
    "member.v1.MemberService.IdentifyMember": {
        (TERMINAL, PARTNER, NARROW): {
            "card_no": GROUP,
            "plate_no": GROUP,
            "unit_number.business_unit_id": GROUP,
            "member_code": SECRET,
            "spend_request_id": LABEL,
        },
        (TERMINAL, PARTNER): {"place_id": LABEL},
    },
    "member.v1.MemberService.JoinMember": {(TERMINAL, NARROW): {"device_id": LABEL}},
    "member.v1.MemberService.JoinMembers": {(NARROW,): {"members.device_id": LABEL}},
    # A code is sent to the member's phone, or given by the platform to whoever holds it.
    "member.v1.ProofService.ChangePhone": {(MEMBER,): {"one_time_code": SECRET}},
    "member.v1.ProofService.CompleteProof": {
        (MEMBER,): {
            "one_time_code": SECRET,
            "mini_program_login.app_id": GROUP,
            "mini_program_login.login_code": SECRET,
        },
    },
    "member.v1.ReferralService.UseReferralCode": {(MEMBER,): {"referral_code": SECRET}},
    "member.v1.TierService.GetTierProgress": {(PARTNER,): {"member_id": GROUP}},
    # Of a car that is the member's, by its plate; whoever pays pays for themselves.
    # Of the store that is bound.
    "org.v1.StructureService.UpdateTerminal": {(NARROW,): {"terminal_id": OWN}},
    "org.v1.WebhookService.DeleteWebhookEndpoint": {(PARTNER,): {"webhook_endpoint_id": OWN}},
    "org.v1.WebhookService.DisableWebhookEndpoint": {(PARTNER,): {"webhook_endpoint_id": OWN}},
    "org.v1.WebhookService.EnableWebhookEndpoint": {(PARTNER,): {"webhook_endpoint_id": OWN}},
    "org.v1.WebhookService.ListWebhookDeliveries": {(PARTNER,): {"webhook_endpoint_id": OWN}},
    "org.v1.WebhookService.ReplayWebhook": {(PARTNER,): {"webhook_endpoint_id": OWN}},
    "org.v1.WebhookService.RotateWebhookSecret": {(PARTNER,): {"webhook_endpoint_id": OWN}},
    "org.v1.WebhookService.SendTestEvent": {(PARTNER,): {"webhook_endpoint_id": OWN}},
    "org.v1.WebhookService.UpdateWebhookEndpoint": {(PARTNER,): {"webhook_endpoint_id": OWN}},
    # In the car park that is bound.
    "parking.v1.ParkingService.ListStays": {(MEMBER,): {"car_park_id": OWN}, (NARROW,): {"member_id": GROUP}},
    "parking.v1.ParkingService.PayFee": {(MEMBER,): {"car_park_id": GROUP, "plate_no": OWN}},
    "parking.v1.ParkingService.QuoteFee": {(MEMBER,): {"car_park_id": GROUP, "plate_no": OWN}},
    "parking.v1.ParkingService.RecordEntry": {(VENDOR,): {"plate_no": LABEL}},
    "parking.v1.ParkingService.RecordExit": {(VENDOR,): {"plate_no": LABEL}},
    "parking.v1.VehicleService.BindPlate": {(MEMBER,): {"plate_no": LABEL}},
    "parking.v1.VehicleService.UnbindPlate": {(MEMBER,): {"plate_no": OWN}},
    "points.v1.ConversionService.ConvertPoints": {
        (MEMBER,): {"from_currency_id": GROUP, "to_currency_id": GROUP, "rate_id": GROUP},
    },
    "points.v1.ConversionService.QuoteConversion": {
        (MEMBER,): {"from_currency_id": GROUP, "to_currency_id": GROUP},
    },
    "points.v1.CurrencyService.CreateCurrency": {(NARROW,): {"money_code": LABEL}},
    "points.v1.CurrencyService.ListWallets": {(TERMINAL, PARTNER): {"member_id": GROUP}},
    "points.v1.DeviceService.GetDeviceProgress": {(TERMINAL, MERCHANT): {"device_id": LABEL}},
    "points.v1.FamilyPoolService.ContributeToPool": {(MEMBER,): _POOL},
    "points.v1.FamilyPoolService.DissolveFamilyPool": {(MEMBER,): _POOL},
    "points.v1.FamilyPoolService.GetFamilyPool": {(MEMBER,): _POOL},
    # Only a pool to which the owner has invited the member.
    "points.v1.FamilyPoolService.JoinFamilyPool": {(MEMBER,): _POOL},
    "points.v1.FamilyPoolService.LeaveFamilyPool": {(MEMBER,): {**_POOL, "other_member_id": OWN}},
    "points.v1.FamilyPoolService.ListPoolStatement": {(MEMBER,): _POOL},
    "points.v1.FamilyPoolService.SetPoolMember": {(MEMBER,): {**_POOL, "other_member_id": GROUP}},
    "points.v1.LedgerService.GetTotals": {(NARROW,): {"currency_id": GROUP}},
    "points.v1.LotService.ListLots": {(MEMBER,): {"currency_id": GROUP}},
    "points.v1.RuleSimulationService.QuoteSale": {
        # For a till there are no drafts.
        (TERMINAL,): {**{f"sale.{name}": reason for name, reason in _SALE.items()}, "draft_id": OWN},
        (NARROW,): {**{f"sale.{name}": reason for name, reason in _SALE.items()}, "draft_id": GROUP},
    },
    "points.v1.SaleCaseService.ConfirmSale": {(TERMINAL, MERCHANT, NARROW): {"receipt_no": OWN}},
    "points.v1.SaleCaseService.DecideSaleCase": {(NARROW,): {"case_id": OWN}},
    "points.v1.SaleCaseService.RejectSale": {(TERMINAL, MERCHANT, NARROW): {"receipt_no": OWN}},
    # A narrow operator's is one of the store that is bound.
    "points.v1.SalesService.GetSale": {
        (MEMBER,): {"sale_id": OWN, "store_id": OWN},
        (NARROW,): {"sale_id": OWN, "member_id": GROUP},
    },
    "points.v1.SalesService.RecordSale": {(TERMINAL, MERCHANT, NARROW): _SALE},
    "points.v1.SalesService.RecordSales": {
        (TERMINAL, MERCHANT): {f"sales.{name}": reason for name, reason in _SALE.items()},
    },
    "points.v1.SalesService.RefundSale": {(TERMINAL, MERCHANT, NARROW): {"receipt_no": OWN, "member_id": OWN}},
    "points.v1.TillPaymentService.PayAtTill": {
        (TERMINAL,): {"member_id": GROUP, "member_code": SECRET, "currency_id": GROUP},
    },
    # To the very lots that it came from: the member gains, and any store of the merchant may.
    "points.v1.TillPaymentService.RefundTillPayment": {
        (TERMINAL,): {"member_id": GROUP, "currency_id": GROUP, "payment_txn_id": OWN},
    },
    "points.v1.WalletService.GetBalance": {
        (MEMBER,): {"currency_id": GROUP},
        (TERMINAL, PARTNER): {"member_id": GROUP, "currency_id": GROUP},
    },
    "points.v1.WalletService.ListStatement": {(MEMBER,): {"currency_id": GROUP, "absorbed_member_id": OWN}},
    "points.v1.WalletService.QuoteOffset": {
        (MEMBER,): {"store_id": GROUP, "quote_token": SECRET, "merchant_id": GROUP, "pool_id": OWN},
        (TERMINAL,): {"member_id": GROUP, "quote_token": SECRET, "merchant_id": GROUP, "pool_id": OWN},
    },
    "points.v1.WalletService.TransferPoints": {(MEMBER,): {"to_member_id": GROUP}},
}
