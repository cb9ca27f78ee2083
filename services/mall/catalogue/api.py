"""CatalogueService."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeAlias
from uuid import UUID

import grpc

from chassis.db import Database, Tx
from chassis.errors import InvalidArgument
from chassis.ids import derive, from_edge, optional_from_edge, to_edge
from chassis.pages import decode_token, encode_token, page_size
from chassis.rpc import caller
from huitong.mall.v1 import mall_pb2, mall_pb2_grpc
from services.mall.catalogue import operations, store
from services.mall.catalogue.rules import Item
from services.mall.copies import Copies

Context: TypeAlias = grpc.aio.ServicerContext


class CatalogueServicer(mall_pb2_grpc.CatalogueServiceServicer):
    """Vouchers that points buy."""

    def __init__(self, db: Database, copies: Copies) -> None:
        self._db, self._copies = db, copies

    async def CreateItem(self, request: mall_pb2.CreateItemRequest, _: Context) -> mall_pb2.CreateItemResponse:
        """See the proto."""
        group_id = caller().group_id
        new = Item(
            group_id=group_id,
            item_id=derive(group_id, "item", request.code),
            code=request.code,
            name=request.name,
            name_zh=request.name_zh,
            merchant_id=from_edge("mch", request.merchant_id, "merchant_id"),
            price_points=request.price_points,
            face_value_minor=request.face_value_minor,
            stock_total=request.stock,
            stock_left=request.stock,
            limit_per_member=request.limit_per_member,
            benefit_code=request.benefit_code,
        )
        await self._copies.require_merchant(group_id, new.merchant_id)

        async def create(tx: Tx) -> mall_pb2.CreateItemResponse:
            return mall_pb2.CreateItemResponse(item=item_to_proto(await operations.create_item(tx, new)))

        return await self._db.run_once(request, mall_pb2.CreateItemResponse, create)

    async def AddStock(self, request: mall_pb2.AddStockRequest, _: Context) -> mall_pb2.AddStockResponse:
        """See the proto."""
        item_id = from_edge("itm", request.item_id, "item_id")
        merchant_id = optional_from_edge("mch", request.merchant_id, "merchant_id")

        async def add(tx: Tx) -> mall_pb2.AddStockResponse:
            changed = await operations.add_stock(
                tx, item_id=item_id, merchant_id=merchant_id, quantity=request.quantity
            )
            before = replace(changed, stock_left=changed.stock_left - request.quantity)
            tx.before = mall_pb2.AddStockResponse(item=item_to_proto(before))
            return mall_pb2.AddStockResponse(item=item_to_proto(changed))

        return await self._db.run_once(request, mall_pb2.AddStockResponse, add)

    async def GetItem(self, request: mall_pb2.GetItemRequest, _: Context) -> mall_pb2.GetItemResponse:
        """See the proto."""
        async with self._db.reading(caller()) as tx:
            found = await operations.get_item(tx, from_edge("itm", request.item_id, "item_id"))
        return mall_pb2.GetItemResponse(item=item_to_proto(found))

    async def ListItems(self, request: mall_pb2.ListItemsRequest, _: Context) -> mall_pb2.ListItemsResponse:
        """See the proto."""
        limit = page_size(request.page_size)
        after = _read_token(request.page_token)
        async with self._db.reading(caller()) as tx:
            items = await store.list_items(tx, after=after, limit=limit + 1)
        response = mall_pb2.ListItemsResponse(items=[item_to_proto(item) for item in items[:limit]])
        if len(items) > limit:
            response.next_page_token = encode_token(items[limit - 1].price_points, items[limit - 1].item_id.hex)
        return response


def _read_token(token: str) -> tuple[int, UUID] | None:
    if not token:
        return None
    price, item_id = decode_token(token, 2)
    try:
        return int(price), UUID(hex=item_id)
    except ValueError:
        raise InvalidArgument([("page_token", "is not a token that this list gave")]) from None


def item_to_proto(item: Item) -> mall_pb2.Item:
    """The item as callers see it."""
    return mall_pb2.Item(
        item_id=to_edge("itm", item.item_id),
        code=item.code,
        name=item.name,
        name_zh=item.name_zh,
        merchant_id=to_edge("mch", item.merchant_id),
        price_points=item.price_points,
        face_value_minor=item.face_value_minor,
        stock_left=item.stock_left,
        limit_per_member=item.limit_per_member,
        benefit_code=item.benefit_code,
    )
