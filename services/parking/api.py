"""VehicleService and ParkingService: proto → plain values → operation → proto."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

import grpc

from chassis import ids, pages, rpc
from chassis.db import Database, Tx
from chassis.errors import AppError, InvalidArgument, Unavailable
from huitong.parking.v1 import parking_pb2 as pb
from huitong.parking.v1 import parking_pb2_grpc
from services.parking import merging, operations, rules, store
from services.parking.convert import read_time, to_fee, to_money, to_timestamp
from services.parking.copies import Copies
from services.parking.operations import Bound, Wish
from services.parking.payments import Payments
from services.parking.rules import Tariff, normalise_plate


class VehicleServicer(parking_pb2_grpc.VehicleServiceServicer):
    """Members' vehicles."""

    def __init__(self, database: Database, copies: Copies) -> None:
        self._db, self._copies = database, copies

    async def BindPlate(self, request: pb.BindPlateRequest, context: grpc.aio.ServicerContext) -> pb.BindPlateResponse:
        """Make a plate the member's."""
        wish = _wish(request)
        await self._copies.ensure_members([wish.member_id])

        async def operation(tx: Tx) -> pb.BindPlateResponse:
            (outcome,) = await operations.bind_plates(tx, [wish])
            if isinstance(outcome, AppError):
                raise outcome
            return _bound_message(outcome)

        return await self._db.run_once(request, pb.BindPlateResponse, operation)

    async def BindPlates(
        self, request: pb.BindPlatesRequest, context: grpc.aio.ServicerContext
    ) -> pb.BindPlatesResponse:
        """Make many plates their members'; a bad line holds up no other. One transaction."""
        lines = [_wish_or_error(line) for line in request.plates]
        wishes = [line for line in lines if isinstance(line, Wish)]
        await self._copies.ensure_members([wish.member_id for wish in wishes])
        async with self._db.transaction(rpc.caller()) as tx:
            bound = iter(await operations.bind_plates(tx, wishes))
        outcomes = [next(bound) if isinstance(line, Wish) else line for line in lines]
        return pb.BindPlatesResponse(
            results=[
                pb.BindPlatesResult(problem=outcome.to_problem())
                if isinstance(outcome, AppError)
                else pb.BindPlatesResult(bound=_bound_message(outcome))
                for outcome in outcomes
            ]
        )

    async def UnbindPlate(
        self, request: pb.UnbindPlateRequest, context: grpc.aio.ServicerContext
    ) -> pb.UnbindPlateResponse:
        """Give a plate up."""
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        plate_no = normalise_plate(request.plate_no)

        async def operation(tx: Tx) -> pb.UnbindPlateResponse:
            await operations.unbind_plate(tx, member_id=member_id, plate_no=plate_no)
            return pb.UnbindPlateResponse()

        return await self._db.run_once(request, pb.UnbindPlateResponse, operation)

    async def ListPlates(
        self, request: pb.ListPlatesRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListPlatesResponse:
        """A member's plates."""
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        async with self._db.reading(rpc.caller()) as tx:
            rows = await store.list_plates(tx, await merging.person_of(tx, member_id))
        return pb.ListPlatesResponse(
            plates=[pb.Plate(plate_no=row.plate_no, bind_time=to_timestamp(row.bind_time)) for row in rows]
        )

    async def GetPlateOwner(
        self, request: pb.GetPlateOwnerRequest, context: grpc.aio.ServicerContext
    ) -> pb.GetPlateOwnerResponse:
        """Whose a plate is now."""
        plate_no = normalise_plate(request.plate_no)
        async with self._db.reading(rpc.caller()) as tx:
            member_id = await store.find_owner(tx, plate_no)
        return pb.GetPlateOwnerResponse(member_id=ids.to_edge("mbr", member_id) if member_id else "")


def _wish(request: pb.BindPlateRequest) -> Wish:
    binding_id = ids.derive(rpc.caller().group_id, "plate-binding", request.request_id)
    member_id = ids.from_edge("mbr", request.member_id, "member_id")
    return Wish(binding_id, request.request_id, member_id, normalise_plate(request.plate_no))


def _wish_or_error(request: pb.BindPlateRequest) -> Wish | AppError:
    try:
        return _wish(request)
    except AppError as error:
        return error


def _bound_message(bound: Bound) -> pb.BindPlateResponse:
    return pb.BindPlateResponse(plate=pb.Plate(plate_no=bound.plate_no, bind_time=to_timestamp(bound.bind_time)))


class ParkingServicer(parking_pb2_grpc.ParkingServiceServicer):
    """Stays, from entry to the paid fee."""

    def __init__(self, database: Database, copies: Copies, payments: Payments) -> None:
        self._db, self._copies, self._payments = database, copies, payments

    async def SetTariff(self, request: pb.SetTariffRequest, context: grpc.aio.ServicerContext) -> pb.SetTariffResponse:
        """Publish a car park's tariff."""
        car_park_id = ids.from_edge("unt", request.car_park_id, "car_park_id")
        merchant_id = ids.from_edge("mch", request.merchant_id, "merchant_id")
        effective_time = read_time(request.effective_time, "effective_time")
        tariff = Tariff(
            request.tariff.free_minutes,
            request.tariff.hour_minor,
            request.tariff.day_cap_minor,
            request.tariff.exit_grace_minutes,
        )
        await self._copies.ensure_car_park(car_park_id, merchant_id)

        async def operation(tx: Tx) -> pb.SetTariffResponse:
            if before := await store.find_tariff(tx, car_park_id, effective_time):
                tx.before = pb.SetTariffResponse(tariff=pb.Tariff(**asdict(before[1])))
            await operations.set_tariff(
                tx, car_park_id=car_park_id, merchant_id=merchant_id, effective_time=effective_time, tariff=tariff
            )
            return pb.SetTariffResponse(tariff=request.tariff)

        return await self._db.run_once(request, pb.SetTariffResponse, operation)

    async def RecordEntry(
        self, request: pb.RecordEntryRequest, context: grpc.aio.ServicerContext
    ) -> pb.RecordEntryResponse:
        """A vehicle came in."""
        car_park_id = ids.from_edge("unt", request.car_park_id, "car_park_id")
        plate_no = normalise_plate(request.plate_no)
        entry_time = read_time(request.entry_time, "entry_time")
        await self._copies.ensure_car_park(car_park_id)

        async def operation(tx: Tx) -> pb.RecordEntryResponse:
            stay = await operations.record_entry(tx, car_park_id=car_park_id, plate_no=plate_no, entry_time=entry_time)
            return pb.RecordEntryResponse(
                stay_id=ids.to_edge("sty", stay.stay_id), is_member=stay.member_id is not None
            )

        return await self._db.run_once(request, pb.RecordEntryResponse, operation)

    async def RecordExit(
        self, request: pb.RecordExitRequest, context: grpc.aio.ServicerContext
    ) -> pb.RecordExitResponse:
        """May a vehicle leave? Decided from this database alone, so that no other service can hold up the gate."""
        car_park_id = ids.from_edge("unt", request.car_park_id, "car_park_id")
        plate_no = normalise_plate(request.plate_no)
        exit_time = read_time(request.exit_time, "exit_time")

        async def operation(tx: Tx) -> pb.RecordExitResponse:
            stay, fee, may_leave = await operations.record_exit(
                tx,
                car_park_id=car_park_id,
                plate_no=plate_no,
                exit_time=exit_time,
                gate_paid_minor=request.gate_paid_minor,
            )
            return pb.RecordExitResponse(
                stay_id=ids.to_edge("sty", stay.stay_id),
                may_leave=may_leave,
                due=to_money(fee.due_minor, stay.currency_code),
                fee=to_fee(fee, stay.currency_code),
            )

        return await self._db.run_once(request, pb.RecordExitResponse, operation)

    async def QuoteFee(self, request: pb.QuoteFeeRequest, context: grpc.aio.ServicerContext) -> pb.QuoteFeeResponse:
        """What a stay costs at a time, and how many points could pay. When points is away the fee is still told."""
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        car_park_id = ids.from_edge("unt", request.car_park_id, "car_park_id")
        plate_no = normalise_plate(request.plate_no)
        async with self._db.reading(rpc.caller()) as tx:
            time = read_time(request.at_time, "at_time") if request.HasField("at_time") else tx.now
            stay, fee = await operations.quote_fee(
                tx, member_id=member_id, car_park_id=car_park_id, plate_no=plate_no, time=time
            )
            car_park = await operations.get_car_park(tx, car_park_id)
        answer = pb.QuoteFeeResponse(stay_id=ids.to_edge("sty", stay.stay_id), fee=to_fee(fee, stay.currency_code))
        points_minor = 0
        if fee.due_minor:
            try:
                offset = await self._payments.find_offset(
                    member_id,
                    day=rules.local_date(time, car_park.time_zone),
                    merchant_id=stay.merchant_id,
                    due=to_money(fee.due_minor, stay.currency_code),
                )
                answer.max_points, points_minor = rules.most_points(fee.due_minor, offset)
            except Unavailable:
                answer.points_unavailable = True
        answer.max_points_value.CopyFrom(to_money(points_minor, stay.currency_code))
        return answer

    async def PayFee(self, request: pb.PayFeeRequest, context: grpc.aio.ServicerContext) -> pb.PayFeeResponse:
        """Pay what is due."""
        return await self._payments.pay(request, plate_no=normalise_plate(request.plate_no))

    async def ListStays(self, request: pb.ListStaysRequest, context: grpc.aio.ServicerContext) -> pb.ListStaysResponse:
        """A member's stays, newest first; of one that is going on, the fee as of now."""
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        car_park_id = ids.optional_from_edge("unt", request.car_park_id, "car_park_id")
        size = pages.page_size(request.page_size)
        before = _read_token(request.page_token) if request.page_token else None
        async with self._db.reading(rpc.caller()) as tx:
            member_id = await merging.person_of(tx, member_id)
            rows = await store.list_stays(tx, member_id, car_park_id, before=before, limit=size + 1)
            answer = pb.ListStaysResponse()
            for stay in rows[:size]:
                fee = stay.fee
                if stay.state == store.INSIDE:
                    fee = await operations.fee_of(tx, stay, member_id, max(tx.now, stay.entry_time))
                answer.stays.add(
                    stay_id=ids.to_edge("sty", stay.stay_id),
                    car_park_id=ids.to_edge("unt", stay.car_park_id),
                    plate_no=stay.plate_no,
                    entry_time=to_timestamp(stay.entry_time),
                    exit_time=to_timestamp(stay.exit_time) if stay.exit_time else None,
                    fee=to_fee(fee, stay.currency_code),
                )
        if len(rows) > size:
            last = rows[size - 1]
            answer.next_page_token = pages.encode_token(last.entry_time.isoformat(), last.stay_id)
        return answer

    async def GetParkingTotals(
        self, request: pb.GetParkingTotalsRequest, context: grpc.aio.ServicerContext
    ) -> pb.GetParkingTotalsResponse:
        """Stays and fees of each car park."""
        car_park_id = ids.optional_from_edge("unt", request.car_park_id, "car_park_id")
        async with self._db.reading(rpc.caller()) as tx:
            rows = await store.list_totals(tx, car_park_id)
        return pb.GetParkingTotalsResponse(
            car_parks=[
                pb.CarParkTotals(
                    car_park_id=ids.to_edge("unt", row.car_park_id),
                    stay_count=row.stay_count,
                    tariff_fee_minor=row.tariff_fee_minor,
                    tier_waived_minor=row.tier_waived_minor,
                    points_paid_minor=row.points_paid_minor,
                    points=row.points,
                    money_paid_minor=row.money_paid_minor,
                    due_minor=row.due_minor,
                )
                for row in rows
            ]
        )


def _read_token(token: str) -> tuple[datetime, UUID]:
    time_text, id_text = pages.decode_token(token, 2)
    try:
        time, stay_id = datetime.fromisoformat(time_text), UUID(id_text)
    except ValueError:
        raise InvalidArgument([("page_token", "is not a token that this list gave")]) from None
    if time.tzinfo is None:
        raise InvalidArgument([("page_token", "is not a token that this list gave")])
    return time, stay_id
