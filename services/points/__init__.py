"""Points: the ledger and its rules (积分通).

Owns the tables of store.py: lanes, wallets, transactions, postings, lots, holds, debts, issuer slots, the lane outbox,
adjustments, claims of receipts and request ids, caps, rule sets with their drafts and simulations, and
copies of stores, merchants, members and their tiers; and those of wallet_tables.py: transfers, currencies, conversion
and its rates, family pools.
Serves huitong.points.v1 SalesService, WalletService, RuleService, RuleDraftService, RuleSimulationService,
LedgerService, AdjustmentService, CurrencyService, StoredValueService, ConversionService and FamilyPoolService.
Publishes SaleRecorded, PointsEarned, PointsActivated, SaleRefunded, PointsClawedBack, PointsRedeemed,
RedemptionReversed, PointsExpired, PointsCredited, PointsDebited, PointsDebitRefused, PointsTransferredOut,
PointsTransferredIn, PointsConvertedOut, PointsConvertedIn and CurrencyMoved; consumes the facts of org and member.

A sale takes this way: api → operations → earning and rules (pure) → claims, and caps when an offer is limited → ledger
lane → one SQL call for the whole batch.
"""
