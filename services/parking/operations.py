"""Use cases of one transaction: plates, tariffs, entries, exits, quotes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import structlog

from chassis import ids
from chassis.db import Tx
from chassis.errors import AppError, InvalidArgument, RequestIdReused
from huitong.parking.v1 import events_pb2
from services.parking import merging, rules, store
from services.parking.convert import to_fee, to_timestamp
from services.parking.errors import (
    CarParkUnknown,
    EntryConflict,
    MemberUnknown,
    MerchantUnknown,
    NotYourVehicle,
    PlateNotInside,
    PlateTaken,
    PlateUnknown,
    TariffInvalid,
    TariffUnknown,
)
from services.parking.rules import Fee, Tariff
from services.parking.store import INSIDE, LEFT, LOST, CarPark, Stay

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Wish:
    """A plate that is to be a member's. The binding's id is the request's."""

    binding_id: UUID
    request_id: str
    member_id: UUID
    plate_no: str


@dataclass(frozen=True, slots=True)
class Bound:
    """A plate that is a member's since `bind_time`."""

    plate_no: str
    bind_time: datetime


async def bind_plates(tx: Tx, wishes: Sequence[Wish]) -> list[Bound | AppError]:
    """Make plates their members', also for stays that are going on; where one is already, nothing changes.

    Answers for each what it is, or MemberUnknown, PlateTaken, RequestIdReused.
    """
    members = {wish.member_id for wish in wishes}
    held = await store.hold_members(tx, members)
    survivors = await merging.survivors_of(tx, members)
    before = await store.find_bindings(tx, {wish.binding_id for wish in wishes})
    owners = {wish.binding_id: survivors.get(wish.member_id, wish.member_id) for wish in wishes}
    # The first line that names a plate, or a request id, has it.
    firsts: dict[UUID, Wish] = {}
    new: dict[str, Wish] = {}
    for wish in wishes:
        if (
            wish.member_id in held
            and firsts.setdefault(wish.binding_id, wish) == wish
            and wish.binding_id not in before
        ):
            new.setdefault(wish.plate_no, wish)
    bound: set[str] = set()
    if new:
        bound = await store.add_bindings(
            tx, {plate_no: (wish.binding_id, owners[wish.binding_id]) for plate_no, wish in new.items()}
        )
        await store.claim_stays(tx, {plate_no: owners[new[plate_no].binding_id] for plate_no in bound})
    for plate_no in sorted(bound):
        wish = new[plate_no]
        if wish.member_id in survivors:
            await merging.note_as_absorbed(tx, member_id=wish.member_id, item_id=wish.binding_id)
        member_edge = ids.to_edge("mbr", owners[wish.binding_id])
        tx.emit(events_pb2.PlateBound(member_id=member_edge), key=member_edge)
    theirs = {plate_no: (owners[new[plate_no].binding_id], tx.now) for plate_no in bound}
    others = {wish.plate_no for wish in wishes} - bound
    theirs |= await store.find_owners(tx, others) if others else {}

    def outcome(wish: Wish) -> Bound | AppError:
        if wish.member_id not in held:
            return MemberUnknown(member_id=ids.to_edge("mbr", wish.member_id))
        known, first = before.get(wish.binding_id), firsts[wish.binding_id]
        if known is not None:
            is_same = known.plate_no == wish.plate_no and known.member_id in (wish.member_id, owners[wish.binding_id])
            return Bound(wish.plate_no, known.bind_time) if is_same else RequestIdReused(request_id=wish.request_id)
        if (first.plate_no, first.member_id) != (wish.plate_no, wish.member_id):
            return RequestIdReused(request_id=wish.request_id)
        owner_id, bind_time = theirs.get(wish.plate_no, (None, tx.now))
        is_theirs = owner_id == owners[wish.binding_id]
        return Bound(wish.plate_no, bind_time) if is_theirs else PlateTaken(plate_no=wish.plate_no)

    return [outcome(wish) for wish in wishes]


async def unbind_plate(tx: Tx, *, member_id: UUID, plate_no: str) -> None:
    """Give the plate up. A stay that is going on stays the member's. Raises: PlateUnknown."""
    member_id = await merging.person_of(tx, member_id)
    if not await store.end_binding(tx, plate_no=plate_no, member_id=member_id):
        raise PlateUnknown(plate_no=plate_no)


async def set_tariff(tx: Tx, *, car_park_id: UUID, merchant_id: UUID, effective_time: datetime, tariff: Tariff) -> None:
    """Publish a tariff for stays that begin at `effective_time` or later; stays keep the tariff of their entry.

    Raises: CarParkUnknown, MerchantUnknown, TariffInvalid.
    """
    await get_car_park(tx, car_park_id)
    if not await store.is_merchant(tx, merchant_id):
        raise MerchantUnknown(merchant_id=ids.to_edge("mch", merchant_id))
    rules.check_tariff(tariff)
    if not await store.add_tariff(
        tx, car_park_id=car_park_id, merchant_id=merchant_id, effective_time=effective_time, tariff=tariff
    ):
        raise TariffInvalid(problem="another one is in force from that time on")


async def get_car_park(tx: Tx, car_park_id: UUID) -> CarPark:
    """A car park of the caller's group. Raises CarParkUnknown."""
    car_park = await store.find_car_park(tx, car_park_id)
    if car_park is None:
        raise CarParkUnknown(car_park_id=ids.to_edge("unt", car_park_id))
    return car_park


async def record_entry(tx: Tx, *, car_park_id: UUID, plate_no: str, entry_time: datetime) -> Stay:
    """A vehicle came in. The same entry (car park, plate, time) is one stay, however often it is told.

    An earlier stay that is still going on lost its exit: it ends here and owes nothing more.
    Raises: CarParkUnknown, TariffUnknown, EntryConflict, InvalidArgument for a time far ahead.
    """
    check_not_far_ahead(tx, entry_time, "entry_time")
    car_park = await get_car_park(tx, car_park_id)
    latest = await store.lock_vehicle(tx, car_park_id, plate_no, create=True)
    stay_id = ids.derive(tx.group_id, "stay", car_park_id, plate_no, entry_time.isoformat())
    known = await store.find_stay(tx, stay_id)
    if known is not None:
        return known
    if latest is not None:
        until = latest.exit_time or latest.entry_time
        if entry_time < until or entry_time <= latest.entry_time:
            raise EntryConflict(plate_no=plate_no, entry_time=latest.entry_time.isoformat())
        if latest.state == INSIDE:
            await _lose_exit(tx, latest, entry_time)
    found = await store.find_tariff(tx, car_park_id, entry_time)
    if found is None:
        raise TariffUnknown(car_park_id=ids.to_edge("unt", car_park_id))
    merchant_id, tariff = found
    return await store.add_stay(
        tx,
        car_park,
        stay_id=stay_id,
        plate_no=plate_no,
        member_id=await store.find_owner(tx, plate_no),
        entry_time=entry_time,
        entry_date=rules.local_date(entry_time, car_park.time_zone),
        merchant_id=merchant_id,
        tariff=tariff,
    )


def check_not_far_ahead(tx: Tx, time: datetime, field: str) -> None:
    """Raises InvalidArgument for a time more than a day ahead of ours."""
    if time > tx.now + rules.MOST_AHEAD:
        raise InvalidArgument([(field, "is more than a day ahead")])


async def _lose_exit(tx: Tx, stay: Stay, entry_time: datetime) -> None:
    """End a stay whose exit never came: what was settled by payments stays, what was not is not asked for."""
    fee = stay.fee
    paid = fee.points_paid_minor + fee.money_paid_minor
    waived = fee.tier_waived_minor if paid else 0
    final = replace(
        fee,
        tariff_fee_minor=paid + waived,
        tier_waived_minor=waived,
        due_minor=0,
        stay_minutes=rules.whole_minutes(stay.entry_time, entry_time),
    )
    await _end_stay(tx, stay, final, state=LOST, exit_time=entry_time, member_id=stay.member_id)
    log.info("exit_lost", stay_id=str(stay.stay_id))


async def _end_stay(
    tx: Tx,
    stay: Stay,
    fee: Fee,
    *,
    state: str,
    exit_time: datetime,
    member_id: UUID | None,
    gate_paid_minor: int = 0,
    overpaid_minor: int = 0,
) -> None:
    await store.update_stay(
        tx,
        stay.stay_id,
        fee,
        state=state,
        member_id=member_id,
        exit_time=exit_time,
        counted_until_time=stay.account.counted_until_time,
        leave_before_time=stay.account.leave_before_time,
        gate_paid_minor=gate_paid_minor,
        overpaid_minor=overpaid_minor,
    )
    stay_edge = ids.to_edge("sty", stay.stay_id)
    tx.emit(
        events_pb2.StayEnded(
            stay_id=stay_edge,
            car_park_id=ids.to_edge("unt", stay.car_park_id),
            merchant_id=ids.to_edge("mch", stay.merchant_id),
            member_id=ids.to_edge("mbr", member_id) if member_id else "",
            entry_time=to_timestamp(stay.entry_time),
            exit_time=to_timestamp(exit_time),
            fee=to_fee(fee, stay.currency_code),
        ),
        key=stay_edge,
        event_id=ids.derive("stay-ended", stay.stay_id),
    )


async def owner_of(tx: Tx, stay: Stay) -> UUID | None:
    """The stay's member: the plate's owner at entry, else who has bound it since."""
    return stay.member_id or await store.find_owner(tx, stay.plate_no)


async def fee_of(tx: Tx, stay: Stay, member_id: UUID | None, time: datetime) -> Fee:
    """The stay's fee if it ended at `time`, with the tier that its member held on the day of entry."""
    free_minutes = await store.find_free_minutes(tx, member_id, stay.entry_date)
    return rules.fee_at(stay.account, free_minutes, time)


async def record_exit(
    tx: Tx, *, car_park_id: UUID, plate_no: str, exit_time: datetime, gate_paid_minor: int
) -> tuple[Stay, Fee, bool]:
    """A vehicle stands at the exit, and the gate may have taken money: the stay, its fee, and whether it may leave.

    Decided from this database alone. What the gate took beyond the due is kept apart, as overpaid.
    Raises: CarParkUnknown, PlateNotInside, InvalidArgument for a time far ahead.
    """
    check_not_far_ahead(tx, exit_time, "exit_time")
    latest = await store.lock_vehicle(tx, car_park_id, plate_no)
    if latest is None or latest.state != INSIDE or exit_time < latest.entry_time:
        return await _record_late_exit(tx, car_park_id, plate_no, exit_time, gate_paid_minor)
    member_id = await owner_of(tx, latest)
    fee = await fee_of(tx, latest, member_id, exit_time)
    taken = min(gate_paid_minor, fee.due_minor)
    overpaid = gate_paid_minor - taken
    fee = replace(fee, money_paid_minor=fee.money_paid_minor + taken, due_minor=fee.due_minor - taken)
    if fee.due_minor == 0:
        await _end_stay(
            tx,
            latest,
            fee,
            state=LEFT,
            exit_time=exit_time,
            member_id=member_id,
            gate_paid_minor=taken,
            overpaid_minor=overpaid,
        )
        return latest, fee, True
    await store.update_stay(
        tx,
        latest.stay_id,
        fee,
        state=INSIDE,
        member_id=member_id,
        exit_time=None,
        counted_until_time=fee.counted_time if taken else latest.account.counted_until_time,
        leave_before_time=latest.account.leave_before_time,
        gate_paid_minor=taken,
        overpaid_minor=overpaid,
    )
    return latest, fee, False


async def _record_late_exit(
    tx: Tx, car_park_id: UUID, plate_no: str, exit_time: datetime, gate_paid_minor: int
) -> tuple[Stay, Fee, bool]:
    """An exit of a stay that has ended: told again, or lost and found. It has left, so it may."""
    stay = await store.find_ended(tx, car_park_id, plate_no, exit_time)
    if stay is None:
        if await store.find_car_park(tx, car_park_id) is None:
            raise CarParkUnknown(car_park_id=ids.to_edge("unt", car_park_id))
        raise PlateNotInside(plate_no=plate_no)
    if stay.state == LEFT:
        return stay, stay.fee, True
    fee = replace(
        stay.fee,
        tariff_fee_minor=stay.fee.tariff_fee_minor + gate_paid_minor,
        money_paid_minor=stay.fee.money_paid_minor + gate_paid_minor,
        stay_minutes=rules.whole_minutes(stay.entry_time, exit_time),
    )
    await store.update_stay(
        tx,
        stay.stay_id,
        fee,
        state=LEFT,
        member_id=stay.member_id,
        exit_time=exit_time,
        counted_until_time=stay.account.counted_until_time,
        leave_before_time=stay.account.leave_before_time,
        gate_paid_minor=gate_paid_minor,
    )
    return stay, fee, True


def check_vehicle(stay: Stay | None, *, plate_no: str, owner_id: UUID | None, member_id: UUID) -> Stay:
    """The stay, when there is one and it is the member's.

    Raises: NotYourVehicle (before anything is told about a plate of somebody else), PlateNotInside.
    """
    if owner_id != member_id:
        raise NotYourVehicle(plate_no=plate_no)
    if stay is None or stay.state != INSIDE:
        raise PlateNotInside(plate_no=plate_no)
    return stay


async def quote_fee(tx: Tx, *, member_id: UUID, car_park_id: UUID, plate_no: str, time: datetime) -> tuple[Stay, Fee]:
    """What the member's stay costs at `time`. Raises: NotYourVehicle, PlateNotInside."""
    stay = await store.find_inside(tx, car_park_id, plate_no)
    owner_id = await (owner_of(tx, stay) if stay else store.find_owner(tx, plate_no))
    member_id = await merging.person_of(tx, member_id)
    stay = check_vehicle(stay, plate_no=plate_no, owner_id=owner_id, member_id=member_id)
    if time < stay.entry_time:
        raise PlateNotInside(plate_no=plate_no)
    return stay, await fee_of(tx, stay, owner_id, time)
