"""Points: the ledger and its rules (积分通).

A folder for each capability; its docstring says what is where.

- ledger: lanes, wallets, transactions, postings, lots, holds, debts, issuer slots, the lane outbox; LotService.
- earning: rule sets as values, what a sale earns by them and why, limits, segments; SegmentService.
- rule_sets: drafts, simulations, versions; RuleService, RuleDraftService, RuleSimulationService.
- doors: payments, devices and their sales, sales that are compared, cases; DeviceService, SaleCaseService.
- wallets: currencies, conversion and its rates, stored value, transfers, family pools; CurrencyService,
  ConversionService, StoredValueService, FamilyPoolService.
- spending: redemptions, holds, offsets; TillPaymentService. governor: what earning costs; CostGovernorService.
- retention: renewals, reminders, hoarding; RetentionService. credits: adjustments, rewards; AdjustmentService.
- merging: merged members and what moved between them. privacy: who was erased; PersonalDataService.
- here: SalesService, WalletService, LedgerService (api.py), sales and returns (operations.py, refunds.py), copies of
  stores, merchants, members and their tiers (store.py, lookup.py).

Publishes SaleRecorded, PointsEarned, PointsActivated, SaleRefunded, PointsClawedBack, PointsRedeemed,
RedemptionReversed, PointsExpired, PointsCredited, PointsDebited, PointsDebitRefused, PointsTransferredOut,
PointsTransferredIn, PointsRenewed, PointsExpiringSoon, PointsHoardingStarted, PointsHoardingEnded, CostActionTaken,
SegmentsChanged, PointsConvertedOut, PointsConvertedIn, PointsMergedOut, PointsMergedIn, MergeFollowed and
CurrencyMoved; consumes the facts of org and member.

A sale takes this way: api → operations → earning (pure) → ledger.claims; doors when it brings a payment or a device's
number or may have to wait; earning.member_facts when a condition asks; earning.caps when something is limited → ledger
lane → one SQL call for the whole batch. A return takes its way through refunds. What a sale gives of other currencies
goes through earning.awards.
"""

LISTENS_TO = ("org", "member")
