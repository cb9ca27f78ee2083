"""Mall: what points, benefits of tiers and coupons buy.

Tables: item, voucher_order, coupon_template, coupon, coupon_write_off, checkout; copies of merchants, stores, members.
RPCs: CatalogueService, OrderService, CouponService, CheckoutService, MallReportService (huitong.mall.v1).
Events out: OrderCompleted, OrderCancelled, VoucherUsed, CouponWrittenOff, CouponWriteOffReversed.
Events in: org's MerchantSaved and StoreSaved, member's MemberJoined.

Orders (of points and benefits) and checkouts span mall, member and points. Each is a saga (saga.py) whose state is its
row here; what a crash leaves is finished by a job.
"""

LISTENS_TO = ("org", "member")
