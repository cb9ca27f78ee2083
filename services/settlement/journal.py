"""From movements to balanced entries: pure. The journal is loaded with what a run of facts refers to, posts them in
order, and remembers what has to be written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import singledispatchmethod
from uuid import UUID

from chassis import ids
from services.settlement import rules
from services.settlement.errors import FactContradicts, NotYet
from services.settlement.funding import FunderShare, Shares
from services.settlement.rules import Account, Figure, Kind, Line, Part, Terms

Lot = tuple[UUID, UUID, int]  # lot, issuer, points


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """What every fact that moves money has. `source_id` is the id of the ledger transaction, write-off or stay."""

    merchant_id: UUID
    source_id: str
    occur_time: datetime
    business_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue(Movement):
    """Points came into being. `lot_id` is None when all of them repaid debt."""

    points: int
    sale_id: UUID | None
    lot_id: UUID | None
    lot_points: int = 0
    # Who pays, when it is not the issuer alone; their points sum to `points`.
    funders: tuple[FunderShare, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClawBack(Movement):
    """Points of returned goods were taken back from the issuer's point of view."""

    points: int
    sale_id: UUID
    lots: tuple[Lot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Debit(Movement):
    """Points of one issuer's lots were debited by hand: a claw-back that no sale is behind."""

    points: int
    lots: tuple[Lot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeem(Movement):
    """The merchant took points."""

    points: int
    lots: tuple[Lot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemReversal(Movement):
    """Points of a redemption went back to the member."""

    points: int
    lots: tuple[Lot, ...]
    redemption_source_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expire(Movement):
    """Points of one issuer's lots expired."""

    points: int
    lots: tuple[Lot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon(Movement):
    """The merchant took a coupon, or (is_reversal) gave it back."""

    discount_minor: int
    platform_share_bps: int
    is_reversal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingWaiver(Movement):
    """A tier waived a part of a parking fee."""

    waived_minor: int


@dataclass(frozen=True, slots=True)
class Party:
    """A merchant as accrual needs it."""

    time_zone: str
    contracts: Sequence[Terms]


@dataclass(slots=True)
class IssueState:
    """What was issued for a sale or a credit, at which price, and how much of it was clawed back and debited."""

    merchant_id: UUID
    entry_id: UUID
    sale_id: UUID | None
    lot_id: UUID | None
    lot_points: int
    points: int
    price_centi: int
    clawed_points: int = 0
    debited_points: int = 0
    funders: tuple[FunderShare, ...] = ()


@dataclass(slots=True)
class RedemptionState:
    """What a redemption paid, and how much of it was given back."""

    merchant_id: UUID
    entry_id: UUID
    points: int
    paid_minor: int
    fee_minor: int
    reversed_points: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement in money. Its lines sum to zero."""

    entry_id: UUID
    kind: Kind
    merchant_id: UUID
    period: str
    business_date: date
    occur_time: datetime
    source_id: str
    points: int
    lines: list[Line]
    parts: list[Part]

    @property
    def amount_minor(self) -> int:
        """What the merchant gets (negative: pays)."""
        return sum(line.amount_minor for line in self.lines if line.account is Account.MERCHANT)


TOTAL_POINTS = ("issued_points", "clawed_back_points", "accepted_points", "expired_points", "spent_points")
# Of accounts that are not the merchant's.
OTHERS_MONEY = ("fund_minor", "platform_minor", "unit_minor")
TOTAL_MONEY = (
    "issue_charge_minor",
    "claw_back_minor",
    "reimbursement_minor",
    "platform_fee_minor",
    "coupon_minor",
    "parking_waiver_minor",
    "breakage_minor",
    "funding_minor",
    *OTHERS_MONEY,
)
TOTAL_FIGURES = (*TOTAL_POINTS, *TOTAL_MONEY, "entry_count")
_COLUMN_OF_FIGURE = {
    Figure.ISSUE_CHARGE: "issue_charge_minor",
    Figure.CLAW_BACK: "claw_back_minor",
    Figure.REIMBURSEMENT: "reimbursement_minor",
    Figure.PLATFORM_FEE: "platform_fee_minor",
    Figure.COUPON: "coupon_minor",
    Figure.PARKING_WAIVER: "parking_waiver_minor",
    Figure.BREAKAGE: "breakage_minor",
    Figure.FUNDING: "funding_minor",
}
_COLUMN_OF_ACCOUNT = {
    Account.FUND: "fund_minor",
    Account.PLATFORM: "platform_minor",
    Account.UNIT: "unit_minor",
}
_POINTS_OF_KIND = {
    Kind.ISSUE: ("issued_points", 1),
    Kind.CLAW_BACK: ("clawed_back_points", 1),
    Kind.REDEEM: ("accepted_points", 1),
    Kind.REDEEM_REVERSAL: ("accepted_points", -1),
    Kind.EXPIRE: ("expired_points", 1),
}
_SPENT_SIGN = {Kind.REDEEM: 1, Kind.REDEEM_REVERSAL: -1}


def entry_id(group_id: UUID, kind: Kind, source_id: str, merchant_id: UUID) -> UUID:
    """The same movement always has the same entry."""
    return ids.derive(group_id, "entry", int(kind), source_id, merchant_id)


@dataclass(slots=True)
class Journal:
    """State that a run of movements of one group refers to, and what posting them changed."""

    group_id: UUID
    closed_period: str
    parties: dict[UUID, Party]
    posted: set[UUID] = field(default_factory=set)
    issues_by_sale: dict[UUID, IssueState] = field(default_factory=dict)
    issues_by_lot: dict[UUID, IssueState] = field(default_factory=dict)
    redemptions: dict[UUID, RedemptionState] = field(default_factory=dict)

    entries: list[Entry] = field(default_factory=list)
    new_issues: list[IssueState] = field(default_factory=list)
    new_redemptions: list[RedemptionState] = field(default_factory=list)
    changed_issues: dict[UUID, IssueState] = field(default_factory=dict)
    changed_redemptions: dict[UUID, RedemptionState] = field(default_factory=dict)

    @singledispatchmethod
    def post(self, movement: Movement) -> None:
        """Add the movement's entry; one that was posted before changes nothing.

        Raises: NotYet when what it refers to has not arrived, FactContradicts when it takes back more than there was.
        """
        raise NotImplementedError(type(movement).__name__)

    @post.register
    def _(self, movement: Issue) -> None:
        def lines(terms: Terms, entry: UUID) -> tuple[list[Line], list[Part]]:
            state = IssueState(
                movement.merchant_id,
                entry,
                movement.sale_id,
                movement.lot_id,
                movement.lot_points,
                movement.points,
                terms.issue_price_centi,
                funders=movement.funders,
            )
            self.new_issues.append(state)
            self.remember_issue(state)
            shares.add(
                movement.funders,
                lot_id=movement.lot_id,
                issuer_id=movement.merchant_id,
                points=(0, movement.points),
                amounts=(0, rules.value_minor(movement.points, terms.issue_price_centi)),
                sign=1,
            )
            return rules.issue_lines(movement.points, terms.issue_price_centi), []

        shares = Shares()
        self._add(Kind.ISSUE, movement, movement.points, lines, shares)

    @post.register
    def _(self, movement: ClawBack) -> None:
        def lines(terms: Terms, entry: UUID) -> tuple[list[Line], list[Part]]:
            state = self.issues_by_sale.get(movement.sale_id)
            if state is None:
                raise NotYet(f"sale {movement.sale_id} has not been issued for")
            if state.clawed_points + movement.points > state.points:
                raise FactContradicts(f"{movement.source_id} claws back more than sale {movement.sale_id} earned")
            found = rules.claw_back_lines(movement.points, state.price_centi, state.clawed_points)
            self._give_back(shares, state, state.clawed_points, state.clawed_points + movement.points)
            state.clawed_points += movement.points
            self.changed_issues[state.entry_id] = state
            # The money is the sale's; the lots that gave the points back only say where they were found.
            return found, [Part(lot, issuer, points, 0) for lot, issuer, points in movement.lots]

        shares = Shares()
        self._add(Kind.CLAW_BACK, movement, movement.points, lines, shares)

    @post.register
    def _(self, movement: Debit) -> None:
        def lines(terms: Terms, entry: UUID) -> tuple[list[Line], list[Part]]:
            parts = []
            for lot, issuer, points in movement.lots:
                state = self.issues_by_lot.get(lot)
                if state is None:
                    raise NotYet(f"lot {lot} has not been issued")
                before, after = state.debited_points, state.debited_points + points
                if after > state.lot_points:
                    raise FactContradicts(f"{movement.source_id} debits more than lot {lot} had")
                amount = rules.value_minor(after, state.price_centi) - rules.value_minor(before, state.price_centi)
                parts.append(Part(lot, issuer, points, amount))
            # Nothing is changed before all of it is known to be right.
            for lot, _, points in movement.lots:
                state = self.issues_by_lot[lot]
                self._give_back(shares, state, state.debited_points, state.debited_points + points)
                state.debited_points += points
                self.changed_issues[state.entry_id] = state
            return rules.debit_lines(sum(part.amount_minor for part in parts)), parts

        shares = Shares()
        self._add(Kind.CLAW_BACK, movement, movement.points, lines, shares)

    @post.register
    def _(self, movement: Redeem) -> None:
        def lines(terms: Terms, entry: UUID) -> tuple[list[Line], list[Part]]:
            found = rules.redeem_lines(movement.points, terms)
            paid = _merchant_gets(found, Figure.REIMBURSEMENT)
            state = RedemptionState(
                movement.merchant_id, entry, movement.points, paid, -_merchant_gets(found, Figure.PLATFORM_FEE)
            )
            self.new_redemptions.append(state)
            self.redemptions[entry] = state
            return found, rules.share_over_lots(movement.lots, paid)

        self._add(Kind.REDEEM, movement, movement.points, lines)

    @post.register
    def _(self, movement: RedeemReversal) -> None:
        def lines(terms: Terms, entry: UUID) -> tuple[list[Line], list[Part]]:
            original = entry_id(self.group_id, Kind.REDEEM, movement.redemption_source_id, movement.merchant_id)
            state = self.redemptions.get(original)
            if state is None:
                raise NotYet(f"redemption {movement.redemption_source_id} has not been accrued")
            before, after = state.reversed_points, state.reversed_points + movement.points
            if after > state.points:
                raise FactContradicts(f"{movement.source_id} gives back more than was redeemed")
            paid = rules.given_back(state.paid_minor, state.points, before, after)
            fee = rules.given_back(state.fee_minor, state.points, before, after)
            state.reversed_points = after
            self.changed_redemptions[state.entry_id] = state
            parts = rules.share_over_lots(movement.lots, paid)
            taken_back = [Part(part.lot_id, part.issuer_id, part.points, -part.amount_minor) for part in parts]
            return rules.reimbursement_lines(-paid, -fee), taken_back

        self._add(Kind.REDEEM_REVERSAL, movement, movement.points, lines)

    @post.register
    def _(self, movement: Expire) -> None:
        def lines(terms: Terms, entry: UUID) -> tuple[list[Line], list[Part]]:
            parts = []
            for lot, issuer, points in movement.lots:
                state = self.issues_by_lot.get(lot)
                if state is None:
                    raise NotYet(f"lot {lot} has not been issued")
                parts.append(Part(lot, issuer, points, rules.value_minor(points, state.price_centi)))
            amount = sum(part.amount_minor for part in parts)
            for part in parts if terms.merchant_keeps_breakage else ():
                shares.add(
                    self.issues_by_lot[part.lot_id].funders,
                    lot_id=part.lot_id,
                    issuer_id=part.issuer_id,
                    points=(0, part.points),
                    amounts=(0, part.amount_minor),
                    sign=-1,
                )
            return rules.expire_lines(amount, merchant_keeps=terms.merchant_keeps_breakage), parts

        shares = Shares()
        self._add(Kind.EXPIRE, movement, movement.points, lines, shares)

    @post.register
    def _(self, movement: Coupon) -> None:
        kind, sign = (Kind.COUPON_REVERSAL, -1) if movement.is_reversal else (Kind.COUPON, 1)
        found = rules.coupon_lines(movement.discount_minor, movement.platform_share_bps, sign=sign)
        self._add(kind, movement, 0, lambda terms, entry: (found, []))

    @post.register
    def _(self, movement: ParkingWaiver) -> None:
        self._add(
            Kind.PARKING_WAIVER,
            movement,
            0,
            lambda terms, entry: (rules.waiver_lines(movement.waived_minor, terms), []),
        )

    def remember_issue(self, state: IssueState) -> None:
        """Make an issue findable by its sale and by its lot."""
        if state.sale_id is not None:
            self.issues_by_sale[state.sale_id] = state
        if state.lot_id is not None:
            self.issues_by_lot[state.lot_id] = state

    def _give_back(self, shares: Shares, state: IssueState, before: int, after: int) -> None:
        """Funders get back what the points of a sale that were taken back, `after` in all, had cost them."""
        shares.add(
            state.funders,
            lot_id=state.lot_id,
            issuer_id=state.merchant_id,
            points=(before, after),
            amounts=(rules.value_minor(before, state.price_centi), rules.value_minor(after, state.price_centi)),
            sign=-1,
        )

    def _add(
        self,
        kind: Kind,
        movement: Movement,
        points: int,
        lines: Callable[[Terms, UUID], tuple[list[Line], list[Part]]],
        shares: Shares | None = None,
    ) -> None:
        """Add the movement's entry, and those by which others pay their `shares` of it, which `lines` fills."""
        identity = entry_id(self.group_id, kind, movement.source_id, movement.merchant_id)
        if identity in self.posted:
            return
        party = self.parties.get(movement.merchant_id)
        if party is None:
            raise NotYet(f"merchant {movement.merchant_id} is not known")
        day = movement.business_date or rules.local_date(movement.occur_time, party.time_zone)
        found, parts = lines(rules.terms_on(party.contracts, day), identity)
        self.posted.add(identity)
        first = Entry(
            identity,
            kind,
            movement.merchant_id,
            rules.period_of(day, self.closed_period),
            day,
            movement.occur_time,
            movement.source_id,
            points,
            found,
            parts,
        )
        self.entries.append(first)
        if shares is not None and shares.amounts:
            self._add_funding(first, movement.merchant_id, *shares.issuer_side())
            for payer in shares.merchant_sides():
                self._add_funding(first, *payer)

    def _add_funding(self, first: Entry, merchant_id: UUID, points: int, lines: list[Line], parts: list[Part]) -> None:
        # One transaction may have points of several issuers, so whose points they are is part of the id.
        source = f"{first.source_id}/{first.merchant_id}"
        self.entries.append(
            replace(
                first,
                entry_id=entry_id(self.group_id, Kind.FUNDING, source, merchant_id),
                kind=Kind.FUNDING,
                merchant_id=merchant_id,
                points=points,
                lines=lines,
                parts=parts,
            )
        )

    def totals(self) -> dict[tuple[UUID, str], dict[str, int]]:
        """What the new entries add, by (merchant, period); figures as in TOTAL_FIGURES."""
        sums: dict[tuple[UUID, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(TOTAL_FIGURES, 0))
        for entry in self.entries:
            row = sums[entry.merchant_id, entry.period]
            row["entry_count"] += 1
            if entry.kind in _POINTS_OF_KIND:
                column, sign = _POINTS_OF_KIND[entry.kind]
                row[column] += sign * entry.points
            for line in entry.lines:
                if line.account is Account.MERCHANT:
                    row[_COLUMN_OF_FIGURE[line.figure]] += line.amount_minor
                else:
                    row[_COLUMN_OF_ACCOUNT[line.account]] += line.amount_minor
            if entry.kind in _SPENT_SIGN:
                for part in entry.parts:
                    sums[part.issuer_id, entry.period]["spent_points"] += _SPENT_SIGN[entry.kind] * part.points
        return sums


def _merchant_gets(lines: Sequence[Line], figure: Figure) -> int:
    return sum(line.amount_minor for line in lines if line.account is Account.MERCHANT and line.figure is figure)
