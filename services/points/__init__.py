"""Points: the ledger and its rules (积分通).

Owns the tables of store.py and door_tables.py: lanes, wallets, transactions, postings, lots, holds, debts, transfers,
issuer slots, the lane outbox, adjustments, claims of receipts and request ids, caps, rule sets with their drafts and
simulations, copies of stores, merchants, members and their tiers; payments, devices and their sales, sales that are
compared, and cases.
Serves huitong.points.v1 SalesService, WalletService, RuleService, RuleDraftService, RuleSimulationService,
LedgerService, AdjustmentService, SaleCaseService and DeviceService.
Publishes SaleRecorded, PointsEarned, PointsActivated, SaleRefunded, PointsClawedBack, PointsRedeemed,
RedemptionReversed, PointsExpired, PointsCredited, PointsDebited, PointsDebitRefused, PointsTransferredOut and
PointsTransferredIn; consumes the facts of org and member.

A sale takes this way: api → operations → earning and rules (pure) → claims, caps when an offer is limited, doors when
it brings a payment or a device's number or may have to wait → ledger lane → one SQL call for the whole batch.
"""
