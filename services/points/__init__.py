"""Points: the ledger and its rules (积分通).

Owns the tables of store.py: lanes, wallets, transactions, postings, lots, holds, debts, issuer slots, the lane outbox,
adjustments, claims of receipts and request ids, rule sets, and copies of stores, merchants, members and their tiers.
Serves huitong.points.v1 SalesService, WalletService, RuleService, LedgerService and AdjustmentService.
Publishes SaleRecorded, PointsEarned, PointsActivated, SaleRefunded, PointsClawedBack, PointsRedeemed,
RedemptionReversed, PointsExpired, PointsCredited, PointsDebited, PointsDebitRefused,
PointsTransferredOut and PointsTransferredIn; consumes the facts of org and
member.

A sale takes this way: api → operations → rules (pure) → claims → ledger lane → one SQL call for the whole batch.
"""
