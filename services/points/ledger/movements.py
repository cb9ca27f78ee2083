"""What members are told that a movement of the ledger is."""

from __future__ import annotations

from uuid import UUID

from huitong.points.v1 import points_pb2
from huitong.points.v1.points_pb2 import MovementKind
from services.points.ledger.ledger import Kind

_MOVEMENTS: dict[Kind, MovementKind] = {
    Kind.EARN: points_pb2.MOVEMENT_KIND_EARN,
    Kind.CLAW_BACK: points_pb2.MOVEMENT_KIND_CLAW_BACK,
    Kind.REDEEM: points_pb2.MOVEMENT_KIND_REDEEM,
    Kind.CAPTURE: points_pb2.MOVEMENT_KIND_REDEEM,
    Kind.REVERSE: points_pb2.MOVEMENT_KIND_REDEEM_REVERSAL,
    Kind.EXPIRE: points_pb2.MOVEMENT_KIND_EXPIRE,
    Kind.ACTIVATE: points_pb2.MOVEMENT_KIND_ACTIVATE,
    Kind.UNLOCK: points_pb2.MOVEMENT_KIND_ACTIVATE,
    Kind.RENEW: points_pb2.MOVEMENT_KIND_RENEW,
    Kind.CREDIT: points_pb2.MOVEMENT_KIND_CREDIT,
    Kind.DEBIT: points_pb2.MOVEMENT_KIND_DEBIT,
    Kind.TRANSFER_OUT: points_pb2.MOVEMENT_KIND_TRANSFER_OUT,
    Kind.TRANSFER_IN: points_pb2.MOVEMENT_KIND_TRANSFER_IN,
    Kind.FUND: points_pb2.MOVEMENT_KIND_TOP_UP,
    Kind.CONVERT_OUT: points_pb2.MOVEMENT_KIND_CONVERT_OUT,
    Kind.REFUND_FUNDING: points_pb2.MOVEMENT_KIND_TOP_UP_REFUND,
    Kind.AWARD: points_pb2.MOVEMENT_KIND_EARN,
    Kind.AWARD_RETURN: points_pb2.MOVEMENT_KIND_CLAW_BACK,
    Kind.MERGE_OUT: points_pb2.MOVEMENT_KIND_MERGE_OUT,
    Kind.MERGE_IN: points_pb2.MOVEMENT_KIND_MERGE_IN,
}


def movement_of(kind: Kind, ref_id: UUID | None) -> MovementKind:
    """A transaction's kind; `ref_id` is the transaction's, by which a conversion is told from a top-up."""
    if kind is Kind.FUND and ref_id is not None:
        return points_pb2.MOVEMENT_KIND_CONVERT_IN
    return _MOVEMENTS[kind]
