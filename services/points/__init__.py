"""Points: the ledger and its rules (积分通).

Owns the tables of ledger_tables.py (lanes, wallets, transactions, postings, lots, holds, debts, issuer slots, the lane
outbox), store.py (adjustments, claims of receipts and request ids, rule sets with their drafts and simulations, and
copies of stores, merchants, members and their tiers), cap_tables.py (limits over many sales), purchase_tables.py
(segments of members, claims of first purchases), cost_tables.py (the cost governor's), retention_tables.py (renewals of
lots, reminders sent, members who hoard), door_tables.py (payments, devices and their sales, sales that are compared,
cases), wallet_tables.py (transfers, currencies, conversion and its rates, family pools), merge_tables.py (merged
members and what moved between them) and personal_tables.py (who was erased).
Serves huitong.points.v1 SalesService, WalletService, RuleService, RuleDraftService, RuleSimulationService,
LedgerService, AdjustmentService, SegmentService, CostGovernorService, RetentionService, LotService,
SaleCaseService, DeviceService, CurrencyService, StoredValueService, TillPaymentService, ConversionService and
FamilyPoolService.
It also serves huitong.common.v1 PersonalDataService (personal_data.py).
Publishes SaleRecorded, PointsEarned, PointsActivated, SaleRefunded, PointsClawedBack, PointsRedeemed,
RedemptionReversed, PointsExpired, PointsCredited, PointsDebited, PointsDebitRefused, PointsTransferredOut,
PointsTransferredIn, PointsRenewed, PointsExpiringSoon, PointsHoardingStarted, PointsHoardingEnded, CostActionTaken,
PointsConvertedOut, PointsConvertedIn, PointsMergedOut, PointsMergedIn, MergeFollowed and CurrencyMoved; consumes the
facts of org and member.

A sale takes this way: api → operations → earning and rules (pure) → claims; doors when it brings a payment or a
device's number or may have to wait; member_facts when a condition asks; caps when something is limited → ledger lane →
one SQL call for the whole batch. A return takes its way through refunds. What a sale gives of other currencies goes
through awards.
"""
