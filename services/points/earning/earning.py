"""One sale and one rule set: what must hold of a sale whatever the rules, and what it earns. Pure."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from chassis import ids
from chassis.errors import InvalidArgument
from huitong.points.v1 import events_pb2, points_pb2
from services.points.convert import instant_of
from services.points.earning import rules
from services.points.earning.base import EarningBase, earning_base, line_taxes
from services.points.earning.currency_offers import Award, awards_of
from services.points.earning.expiry import nominal_expire_time
from services.points.earning.explanations import explanation_of, funded_to_proto
from services.points.earning.funding import Funding, fund
from services.points.earning.limits import AppliedLimit
from services.points.earning.offers import (
    NO_MORE,
    NO_SETTING,
    FirstIn,
    Matched,
    More,
    Setting,
    first_to_take,
    match_offers,
)
from services.points.earning.rating import NO_EARNING, Earning, points_for_sale, sale_facts
from services.points.earning.shares import largest_remainder
from services.points.errors import CurrencyMismatch, LinesDoNotSum, SaleEarnsTooMuch, SaleTimeInvalid, TendersDoNotSum
from services.points.governor.costs import Throttle
from services.points.lookup import Member, Store

DEFAULT_SOURCE = "pos"
LATEST_SALE = timedelta(hours=24)
EARLIEST_YEAR = 2000
# Of one sale. Rates and amounts are bounded one by one; together they could pass what JSON can carry.
MOST_POINTS = 10**12


def sale_id_of(store_id: UUID, source: str, receipt_no: str) -> UUID:
    """The id of a sale: its natural key."""
    return _sale_ids(store_id, source or DEFAULT_SOURCE)(receipt_no)


@lru_cache(maxsize=65_536)
def _sale_ids(store_id: UUID, source: str) -> Callable[[str], UUID]:
    return ids.deriver("sale", store_id, source)


class Known(NamedTuple):
    """What is known of a sale beside itself, its member and its store: what was decided over many sales."""

    # What limited offers may give, as in rating.points_for_sale.
    granted: Mapping[str, int] | None = None
    # What the sale may earn in all, and the limits that say so.
    granted_points: int | None = None
    limits: Sequence[AppliedLimit] = ()
    # The member's segments at the time of the sale, and where this is the member's first purchase.
    segments: Sequence[str] = ()
    first_in: Container[FirstIn] = ()
    # Set while the business unit is throttled at the time of the sale.
    throttle: Throttle | None = None


NOTHING_KNOWN = Known()


class Computed(NamedTuple):
    """What a sale earns by one rule set."""

    business_date: date
    rule_set: rules.RuleSet
    tier: rules.Tier
    earning: Earning
    line_nos: list[int]
    known: Known = NOTHING_KNOWN
    excluded_tax_minor: int = 0
    excluded_tender_minor: int = 0
    funding: Funding | None = None  # when a rule says who pays
    no_points_reason: points_pb2.NoPointsReason = points_pb2.NO_POINTS_REASON_UNSPECIFIED
    awards: Sequence[Award] = ()  # of other currencies

    @property
    def next_wants(self) -> list[tuple[rules.Rule, int]]:
        """What limited offers want to give that have to take now, before it is known what the others want."""
        if not self.earning.wants:
            return []
        taken = self.known.granted or {}
        untaken = {rule: want for rule, want in self.earning.wants if want and rule.rule_id not in taken}
        first = first_to_take(list(untaken), is_throttled=self.known.throttle is not None)
        return [(rule, untaken[rule]) for rule in first]

    def explanation(self, unlock_time: datetime | None, time_zone: str) -> bytes:
        """Why, as an Explanation, serialised."""
        policy = self.rule_set.expiry
        nominal = None
        if policy is not None and self.earning.points:
            nominal = nominal_expire_time(policy, self.business_date, time_zone)
        return explanation_of(
            self.earning,
            rule_set_version=self.rule_set.version,
            business_date=self.business_date,
            tier=self.tier,
            line_nos=self.line_nos,
            unlock_time=unlock_time,
            nominal_expire_time=nominal,
            no_points_reason=self.no_points_reason,
            limits=self.known.limits,
            excluded_tax_minor=self.excluded_tax_minor,
            excluded_tender_minor=self.excluded_tender_minor,
            funding=self.funding,
            throttle=self.known.throttle,
            base_rate=self.rule_set.applied_base_rate,
        )

    @property
    def recorded_part(self) -> bytes:
        """What SaleRecorded says of who pays, serialised; nothing when no rule says so."""
        if self.funding is None:
            return b""
        return events_pb2.SaleRecorded(funders=map(funded_to_proto, self.funding.in_all)).SerializeToString()

    def unlock_time(self, time_zone: str, now: datetime) -> datetime | None:
        """When the points can be spent; None when it is at once."""
        if not self.rule_set.pending_days or not self.earning.points:
            return None
        unlock_time = rules.unlock_of(self.business_date, self.rule_set.pending_days, time_zone)
        # A sale that comes in late: its time is over, so nothing has to wait for it.
        return unlock_time if unlock_time > now else None

    def expire_time(self, time_zone: str) -> datetime | None:
        """When the points expire, expiry.NEVER when they do not; None when there are no points."""
        if not self.earning.points:
            return None
        return self.rule_set.expire_time(self.business_date, time_zone)


class SaleLines(NamedTuple):
    """The lines of a sale, read once."""

    amounts_minor: list[int]
    categories: list[str]
    line_nos: list[int]


def lines_of(request: points_pb2.RecordSaleRequest) -> SaleLines:
    """Read them."""
    lines = SaleLines([], [], [])
    for line in request.lines:
        lines.amounts_minor.append(line.amount_minor)
        lines.categories.append(line.category)
        lines.line_nos.append(line.line_no)
    return lines


class Computation:
    """One sale by one rule set: called again whenever more is known of it, it keeps what that does not change.

    Both raise: TaxInvalid to be made, SaleEarnsTooMuch to be called.
    """

    __slots__ = (
        "_asked",
        "_awards",
        "_base",
        "_birth_month",
        "_business_date",
        "_earning",
        "_facts",
        "_given",
        "_is_birth_month",
        "_lines",
        "_matched",
        "_place",
        "_request",
        "_rule_set",
        "_sale_time",
        "_skipped",
        "_tier",
    )

    def __init__(
        self,
        request: points_pb2.RecordSaleRequest,
        lines: SaleLines,
        *,
        member: Member,
        place: Store,
        sale_time: datetime,
        rule_set: rules.RuleSet,
    ) -> None:
        self._request, self._lines, self._place, self._sale_time = request, lines, place, sale_time
        if rule_set.excludes_more:
            self._base = earning_base(rule_set, request, lines.amounts_minor, lines.categories)
        else:
            self._base = EarningBase(lines.amounts_minor, lines.categories, 0, 0)
        self._rule_set = rule_set.at(place)
        day = self._business_date = rules.business_date_of(sale_time, place.time_zone)
        self._tier = rules.tier_on(member.tiers, day)
        self._birth_month = member.birth_month
        self._is_birth_month = member.birth_month == month_of(sale_time, day, place.time_zone, member.time_zone)
        # What was known when the offers were matched and the points computed, and what that came to.
        self._asked: tuple[object, ...] | None = None
        self._given: tuple[object, ...] | None = None
        self._earning = NO_EARNING

    def __call__(self, known: Known = NOTHING_KNOWN) -> Computed:
        """What the sale earns by what is known of it."""
        rule_set, place = self._rule_set, self._place
        if rule_set.expiry is not None and rule_set.expiry.is_over(self._business_date):
            return _earns_nothing(self._business_date, rule_set, self._tier, self._lines)
        self._match(known)
        earning = self._earn(known)
        if known.granted_points is not None:
            earning = within(earning, known.granted_points)
        funding = None
        if rule_set.funders_of and earning.points:
            funding = fund(
                rule_set, earning.applied, merchant_id=place.merchant_id, business_unit_id=place.business_unit_id
            )
        return Computed(
            self._business_date,
            rule_set,
            self._tier,
            earning,
            self._lines.line_nos,
            known,
            self._base.excluded_tax_minor,
            self._base.excluded_tender_minor,
            funding,
            awards=self._awards,
        )

    def _match(self, known: Known) -> None:
        """Find the offers that match, and what those of other currencies give."""
        asked = (known.segments, known.first_in)
        if self._asked == asked:
            return
        rule_set, base = self._rule_set, self._base
        has_offers = bool(rule_set.offers or rule_set.currency_offers)
        self._facts = sale_facts(
            rule_set,
            amounts_minor=base.amounts_minor,
            categories=base.categories,
            store_id=self._place.store_id,
            business_date=self._business_date,
            tier=self._tier,
            birth_month=self._birth_month,
            is_birth_month=self._is_birth_month,
            setting=self._setting(known) if has_offers else NO_SETTING,
        )
        self._matched: Matched | None = None
        self._awards: Sequence[Award] = ()
        self._skipped: Sequence[tuple[str, str]] = ()
        if rule_set.offers:
            self._matched = match_offers(rule_set.offers, self._facts, excluded=rule_set.excluded_categories)
        if rule_set.currency_offers:
            self._awards, self._skipped = awards_of(
                rule_set.currency_offers,
                self._facts,
                excluded=rule_set.excluded_categories,
                base_rates=rule_set.line_rates(base.categories),
            )
        self._asked, self._given = asked, None

    def _earn(self, known: Known) -> Earning:
        """Compute what it earns before limits over all rules."""
        is_throttled = known.throttle is not None
        given = (known.granted, is_throttled)
        if self._given == given:
            return self._earning
        earning = points_for_sale(
            self._rule_set,
            self._facts,
            tier=self._tier,
            matched=self._matched,
            granted=known.granted,
            is_throttled=is_throttled,
        )
        if self._skipped:
            earning = earning._replace(skipped=(*earning.skipped, *self._skipped))
        if earning.points > MOST_POINTS or any(award.points > MOST_POINTS for award in self._awards):
            raise SaleEarnsTooMuch(points=earning.points, most_points=MOST_POINTS)
        self._earning, self._given = earning, given
        return earning

    def _setting(self, known: Known) -> Setting:
        request, place, rule_set = self._request, self._place, self._rule_set
        return Setting(
            place.merchant_id,
            place.business_unit_id,
            self._sale_time.astimezone(rules.zone(place.time_zone)).hour,
            request.source or DEFAULT_SOURCE,
            [line.item_code for line in request.lines],
            [line.quantity for line in request.lines],
            _more(request, self._lines, place, self._business_date, known) if rule_set.has_conditions else NO_MORE,
            place.category,
            rule_set.calendars.of(place.business_unit_id),
        )


def month_of(sale_time: datetime, business_date: date, time_zone: str, member_zone: str) -> int:
    """The month that a member's calendar shows at a sale; the store's calendar when the member's zone is unknown."""
    if not member_zone or member_zone == time_zone:
        return business_date.month
    return rules.business_date_of(sale_time, member_zone).month


def _more(
    request: points_pb2.RecordSaleRequest, lines: SaleLines, place: Store, business_date: date, known: Known
) -> More:
    days_open = (business_date - place.opening_date).days + 1 if place.opening_date else 0
    return More(
        lines.amounts_minor,
        lines.categories,
        [one.kind for one in request.tenders],
        known.segments,
        known.first_in,
        max(0, days_open),
    )


def within(earning: Earning, granted_points: int) -> Earning:
    """No more than `granted_points` of what a sale earns, every rule and line giving up its share of the rest.

    Shares of what is left by largest remainder, so they add up to it. What a rule gave up counts as capped.
    """
    if granted_points >= earning.points:
        return earning
    shares = largest_remainder(granted_points, [applied.points for applied in earning.applied])
    return earning._replace(
        points=granted_points,
        line_points=largest_remainder(granted_points, earning.line_points),
        applied=[
            applied._replace(points=share, capped_points=applied.capped_points + applied.points - share)
            for applied, share in zip(earning.applied, shares, strict=True)
        ],
    )


def _earns_nothing(business_date: date, rule_set: rules.RuleSet, tier: rules.Tier, lines: SaleLines) -> Computed:
    """A sale after the day on which all points of the rule set expire: they would be charged for and never be there."""
    zeros = [0] * len(lines.line_nos)
    earning = Earning(0, 0, zeros, zeros, [])
    return Computed(
        business_date,
        rule_set,
        tier,
        earning,
        lines.line_nos,
        no_points_reason=points_pb2.NO_POINTS_REASON_EXPIRY_PAST,
    )


def check_sale(request: points_pb2.RecordSaleRequest, lines: SaleLines, *, place: Store, now: datetime) -> datetime:
    """What must hold for a sale whatever the rules; answers its time.

    Raises: LinesDoNotSum, TendersDoNotSum, TaxInvalid, InvalidArgument (a line number twice), CurrencyMismatch,
    SaleTimeInvalid.
    """
    lines_minor = sum(lines.amounts_minor)
    if lines_minor != request.total.amount_minor:
        raise LinesDoNotSum(lines_minor=lines_minor, total_minor=request.total.amount_minor)
    if request.tenders:
        tenders_minor = sum(one.amount_minor for one in request.tenders)
        if tenders_minor != lines_minor:
            raise TendersDoNotSum(tenders_minor=tenders_minor, total_minor=lines_minor)
    if request.tax_minor:
        line_taxes(request)
    if len(set(lines.line_nos)) != len(lines.line_nos):
        raise InvalidArgument([("lines.line_no", "each line needs a number of its own")])
    if request.total.currency_code != place.currency_code:
        raise CurrencyMismatch(expected=place.currency_code, currency_code=request.total.currency_code)
    sale_time = instant_of(request.sale_time)
    check_time(sale_time, now)
    return sale_time


def check_time(instant: datetime, now: datetime) -> None:
    """Raises SaleTimeInvalid for a time before 2000 or more than a day after `now`."""
    if instant.year < EARLIEST_YEAR or instant > now + LATEST_SALE:
        raise SaleTimeInvalid(sale_time=instant.isoformat())
