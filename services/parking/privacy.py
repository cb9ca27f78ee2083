"""What parking keeps about a member, and how it is taken away.

A stay is what a car park has earned, so it stays; the plate in it becomes a pseudonym that is made of nothing. One
plate has one pseudonym, so that a car park's own figures still tell vehicles apart.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from uuid import UUID

import grpc
from sqlalchemy import text

from chassis import ids
from chassis.db import Database, Tx
from chassis.errors import AppError
from chassis.personal_data import PersonalDataServicer, Section
from chassis.rpc import internal_caller
from huitong.parking.v1 import parking_pb2 as pb

PREFIXES = {
    "member_id": "mbr",
    "stay_id": "sty",
    "car_park_id": "unt",
    "merchant_id": "mch",
}
SECTIONS: Sequence[Section] = (
    Section(
        "tiers",
        """SELECT effective_date, tier_code, free_parking_minutes FROM member_tier
           WHERE member_id = :member_id AND group_id = :group_id ORDER BY effective_date""",
    ),
    Section(
        "plates",
        """SELECT plate_no, bind_time, unbind_time FROM plate_binding
           WHERE member_id = :member_id AND group_id = :group_id ORDER BY bind_time, binding_id""",
    ),
    Section(
        "stays",
        """SELECT stay_id, car_park_id, plate_no, merchant_id, state, currency_code, entry_time, exit_time,
                  tariff_fee_minor, tier_waived_minor, points_paid_minor, money_paid_minor, due_minor, points
           FROM stay WHERE member_id = :member_id AND group_id = :group_id ORDER BY entry_time, stay_id""",
    ),
    Section(
        "payments",
        """SELECT stay_id, state, pay_time, points, points_minor, money_minor FROM pay_intent
           WHERE member_id = :member_id AND group_id = :group_id ORDER BY create_time, request_id""",
    ),
)


class VehicleInside(AppError):
    """A vehicle of this member is inside; stay {stay_id} has not ended."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "VEHICLE_INSIDE"
    zh = "该会员的车辆仍在场内（停车记录 {stay_id}）。"


class ParkingPaymentOpen(AppError):
    """A payment of stay {stay_id} is being worked on."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "PARKING_PAYMENT_OPEN"
    zh = "停车记录 {stay_id} 的缴费正在处理中。"


async def find_blockers(tx: Tx, member_id: UUID) -> list[AppError]:
    """Vehicles that are inside, payments that are being worked on."""
    values = {"member_id": member_id, "group_id": tx.group_id}
    inside = await tx.execute(
        text(
            """SELECT stay_id FROM stay
               WHERE member_id = :member_id AND group_id = :group_id AND state = 'inside' ORDER BY stay_id"""
        ),
        values,
    )
    found: list[AppError] = [VehicleInside(stay_id=ids.to_edge("sty", stay_id)) for stay_id in inside.scalars()]
    paying = await tx.execute(
        text(
            """SELECT stay_id FROM pay_intent
               WHERE member_id = :member_id AND group_id = :group_id AND state IN ('pending', 'reversing')
               ORDER BY stay_id"""
        ),
        values,
    )
    return found + [ParkingPaymentOpen(stay_id=ids.to_edge("sty", stay_id)) for stay_id in paying.scalars()]


async def _forget(tx: Tx, member_id: UUID) -> None:
    """Lock order: the member's copy, which a binding holds, then vehicles, then stays."""
    values = {"member_id": member_id, "group_id": tx.group_id}
    await tx.execute(text("DELETE FROM member WHERE member_id = :member_id AND group_id = :group_id"), values)
    await tx.execute(text("DELETE FROM member_tier WHERE member_id = :member_id AND group_id = :group_id"), values)
    plates = (await tx.execute(text(_PLATES), values)).scalars().all()
    for plate_no in plates:
        await _forget_plate(tx, member_id, plate_no)
    await tx.execute(text("DELETE FROM plate_binding WHERE member_id = :member_id AND group_id = :group_id"), values)
    await tx.execute(
        text("UPDATE pay_intent SET request_hash = '' WHERE member_id = :member_id AND group_id = :group_id"), values
    )


_PLATES = """SELECT plate_no FROM plate_binding WHERE member_id = :member_id AND group_id = :group_id
    UNION SELECT plate_no FROM stay
          WHERE member_id = :member_id AND group_id = :group_id AND plate_no NOT LIKE 'ERASED-%'
    ORDER BY plate_no"""


async def _forget_plate(tx: Tx, member_id: UUID, plate_no: str) -> None:
    """Give the member's stays with this plate, and those of nobody, a pseudonym; other members' stays are theirs."""
    values = {
        "member_id": member_id,
        "group_id": tx.group_id,
        "plate_no": plate_no,
        "pseudonym": f"ERASED-{secrets.token_hex(8)}",
        # What a repeated binding is answered with has the plate in it.
        "binding": pb.BindPlateRequest.DESCRIPTOR.full_name,
        "plate_bytes": plate_no.encode(),
    }
    for statement in _FORGET_PLATE:
        await tx.execute(text(statement), values)


_HERE = "car_park_id IN (SELECT c.car_park_id FROM car_park c WHERE c.group_id = :group_id) AND plate_no = :plate_no"
_FORGET_PLATE = (
    f"SELECT 1 FROM vehicle WHERE {_HERE} ORDER BY car_park_id FOR UPDATE",
    f"""UPDATE stay SET plate_no = :pseudonym
        WHERE {_HERE} AND state <> 'inside' AND (
          member_id = :member_id OR member_id IS NULL AND NOT EXISTS (
            SELECT FROM plate_binding b
            WHERE b.group_id = :group_id AND b.plate_no = :plate_no AND b.member_id <> :member_id))""",
    f"""UPDATE vehicle v SET latest_stay_id = (
          SELECT s.stay_id FROM stay s WHERE s.car_park_id = v.car_park_id AND s.plate_no = v.plate_no
          ORDER BY s.entry_time DESC LIMIT 1)
        WHERE v.{_HERE}""",
    f"DELETE FROM vehicle WHERE {_HERE} AND latest_stay_id IS NULL",
    """UPDATE request_log SET response = '', request_hash = ''
       WHERE group_id = :group_id AND method = :binding AND position(CAST(:plate_bytes AS bytea) IN response) > 0""",
)


def personal_data(database: Database) -> PersonalDataServicer:
    """The service that member asks."""

    async def erase(group_id: UUID, member_id: UUID) -> None:
        async with database.transaction(internal_caller("parking", group_id)) as tx:
            if blockers := await find_blockers(tx, member_id):
                raise blockers[0]
            await _forget(tx, member_id)

    return PersonalDataServicer(
        database,
        service="parking",
        sections=SECTIONS,
        prefixes=PREFIXES,
        find_blockers=find_blockers,
        erase=erase,
    )
