"""Use cases of a member's data: what keeps it, and how it goes."""

from __future__ import annotations

from uuid import UUID

from chassis.db import Database, Tx
from chassis.errors import AppError
from chassis.ids import to_edge
from chassis.personal_data import PersonalDataServicer
from chassis.rpc import internal_caller
from services.mall.privacy import store
from services.mall.privacy.errors import CheckoutOpen, OrderOpen


async def find_blockers(tx: Tx, member_id: UUID) -> list[AppError]:
    """Orders and checkouts that are being worked on."""
    orders = await store.find_open_orders(tx, member_id)
    checkouts = await store.find_open_checkouts(tx, member_id)
    return [
        *(OrderOpen(order_id=to_edge("ord", order_id)) for order_id in orders),
        *(CheckoutOpen(checkout_id=to_edge("chk", checkout_id)) for checkout_id in checkouts),
    ]


def personal_data(db: Database) -> PersonalDataServicer:
    """The service that member asks."""

    async def erase(group_id: UUID, member_id: UUID) -> None:
        async with db.transaction(internal_caller("mall", group_id)) as tx:
            if blockers := await find_blockers(tx, member_id):
                raise blockers[0]
            await store.forget(tx, member_id)

    return PersonalDataServicer(
        db,
        service="mall",
        sections=store.SECTIONS,
        prefixes=store.PREFIXES,
        find_blockers=find_blockers,
        erase=erase,
    )
