"""Points: the ledger and its rules (积分通).

Owns the tables of store.py: lanes, wallets, transactions, postings, lots, holds, debts, issuer slots, the lane outbox,
claims of receipts and request ids, rule sets, and copies of stores, merchants, members and their tiers.
Serves huitong.points.v1 SalesService, WalletService, RuleService and LedgerService. Publishes SaleRecorded,
PointsEarned, SaleRefunded, PointsClawedBack, PointsRedeemed, RedemptionReversed and PointsExpired; consumes the facts
of org and member.

A sale takes this way: api → operations → rules (pure) → claims → ledger lane → one SQL call for the whole batch.
"""
