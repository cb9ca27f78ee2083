"""RPCs of org: proto → plain values → operation → proto."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from hashlib import sha256
from typing import TypeVar
from uuid import UUID

from grpc.aio import ServicerContext as Context

from chassis import pages
from chassis.crypto import Vault
from chassis.db import Database, Tx
from chassis.errors import InvalidArgument
from chassis.ids import from_edge
from chassis.rpc import caller
from huitong.org.v1 import org_pb2, org_pb2_grpc
from services.org import convert, errors, operations, rules, store
from services.org.audit.operations import Audit
from services.org.credentials.api import secrets_of
from services.org.credentials.convert import credential_message
from services.org.rules import origin_of

T = TypeVar("T")


class StructureServicer(org_pb2_grpc.StructureServiceServicer):
    """The structure of a group."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db, self._vault, self._audit = db, vault, Audit(vault)

    async def CreateGroup(self, request: org_pb2.CreateGroupRequest, context: Context) -> org_pb2.CreateGroupResponse:
        """See the proto."""
        convert.check_plain(name=request.name)

        async def operation(tx: Tx) -> org_pb2.CreateGroupResponse:
            group, credential = await operations.create_group(
                tx, self._vault, code=request.code, name=request.name, origin=origin_of(request)
            )
            response = org_pb2.CreateGroupResponse(
                group=convert.group_message(group), system_credential=credential_message(credential)
            )
            ids_made = (response.group.group_id, response.system_credential.key_id)
            await self._audit.record(tx, request, *ids_made, after=response, group_id=group.group_id)
            return response

        response = await self._db.run_once(request, org_pb2.CreateGroupResponse, operation)
        key_id = response.system_credential.key_id
        response.secret = (await secrets_of(self._db, self._vault, [key_id], request))[key_id]
        return response

    async def CreateBusinessUnit(
        self, request: org_pb2.CreateBusinessUnitRequest, context: Context
    ) -> org_pb2.CreateBusinessUnitResponse:
        """See the proto."""
        convert.check_plain(name=request.name)

        async def operation(tx: Tx) -> org_pb2.CreateBusinessUnitResponse:
            unit = await operations.create_unit(
                tx,
                code=request.code,
                name=request.name,
                kind=org_pb2.UnitKind.Name(request.kind).removeprefix("UNIT_KIND_"),
                time_zone=request.time_zone,
                currency_code=request.currency_code,
            )
            message = convert.unit_message(unit)
            await self._audit.record(tx, request, message.business_unit_id, after=message)
            return org_pb2.CreateBusinessUnitResponse(business_unit=message)

        return await self._db.run_once(request, org_pb2.CreateBusinessUnitResponse, operation)

    async def UpdateBusinessUnit(
        self, request: org_pb2.UpdateBusinessUnitRequest, context: Context
    ) -> org_pb2.UpdateBusinessUnitResponse:
        """See the proto."""
        convert.check_plain(name=request.name)
        unit_id = from_edge("unt", request.business_unit_id, "business_unit_id")

        async def operation(tx: Tx) -> org_pb2.UpdateBusinessUnitResponse:
            old, new, merchant_count, store_count = await operations.update_unit(
                tx,
                unit_id=unit_id,
                name=request.name if request.HasField("name") else None,
                is_open=request.is_open if request.HasField("is_open") else None,
                kind=org_pb2.UnitKind.Name(request.kind).removeprefix("UNIT_KIND_") if request.kind else "",
                time_zone=request.time_zone,
                currency_code=request.currency_code,
            )
            before, after = convert.unit_message(old), convert.unit_message(new)
            await self._audit.record(tx, request, after.business_unit_id, before=before, after=after)
            return org_pb2.UpdateBusinessUnitResponse(
                business_unit=after, closed_merchant_count=merchant_count, closed_store_count=store_count
            )

        return await self._db.run_once(request, org_pb2.UpdateBusinessUnitResponse, operation)

    async def ListBusinessUnits(
        self, request: org_pb2.ListBusinessUnitsRequest, context: Context
    ) -> org_pb2.ListBusinessUnitsResponse:
        """See the proto."""
        size = pages.page_size(request.page_size)
        async with self._db.reading(caller()) as tx:
            units = await store.list_units(tx, after_code=_after_code(request.page_token), limit=size + 1)
        page, token = _page(units, size, lambda unit: [unit.code])
        return org_pb2.ListBusinessUnitsResponse(business_units=map(convert.unit_message, page), next_page_token=token)

    async def CreateMerchant(
        self, request: org_pb2.CreateMerchantRequest, context: Context
    ) -> org_pb2.CreateMerchantResponse:
        """See the proto."""
        convert.check_plain(name=request.name, category=request.category, legal_name=request.legal_name)
        unit_id = from_edge("unt", request.business_unit_id, "business_unit_id")

        async def operation(tx: Tx) -> org_pb2.CreateMerchantResponse:
            merchant = await operations.create_merchant(
                tx,
                code=request.code,
                name=request.name,
                unit_id=unit_id,
                category=request.category,
                legal_name=request.legal_name,
            )
            message = convert.merchant_message(merchant)
            await self._audit.record(tx, request, message.merchant_id, after=message)
            return org_pb2.CreateMerchantResponse(merchant=message)

        return await self._db.run_once(request, org_pb2.CreateMerchantResponse, operation)

    async def UpdateMerchant(
        self, request: org_pb2.UpdateMerchantRequest, context: Context
    ) -> org_pb2.UpdateMerchantResponse:
        """See the proto."""
        convert.check_plain(name=request.name, category=request.category, legal_name=request.legal_name)
        merchant_id = from_edge("mch", request.merchant_id, "merchant_id")

        async def operation(tx: Tx) -> org_pb2.UpdateMerchantResponse:
            old, new, closed_count = await operations.update_merchant(
                tx,
                merchant_id=merchant_id,
                name=request.name if request.HasField("name") else None,
                category=request.category if request.HasField("category") else None,
                is_open=request.is_open if request.HasField("is_open") else None,
                legal_name=request.legal_name if request.HasField("legal_name") else None,
            )
            before, after = convert.merchant_message(old), convert.merchant_message(new)
            await self._audit.record(tx, request, after.merchant_id, before=before, after=after)
            return org_pb2.UpdateMerchantResponse(merchant=after, closed_store_count=closed_count)

        return await self._db.run_once(request, org_pb2.UpdateMerchantResponse, operation)

    async def ListMerchants(
        self, request: org_pb2.ListMerchantsRequest, context: Context
    ) -> org_pb2.ListMerchantsResponse:
        """See the proto."""
        size = pages.page_size(request.page_size)
        unit_id = _optional("unt", request.business_unit_id, "business_unit_id")
        async with self._db.reading(caller()) as tx:
            merchants = await store.list_merchants(
                tx, unit_id=unit_id, after_code=_after_code(request.page_token), limit=size + 1
            )
        page, token = _page(merchants, size, lambda one: [one.code])
        return org_pb2.ListMerchantsResponse(merchants=map(convert.merchant_message, page), next_page_token=token)

    async def CreateStore(self, request: org_pb2.CreateStoreRequest, context: Context) -> org_pb2.CreateStoreResponse:
        """See the proto."""
        convert.check_plain(name=request.name, category=request.category, floor=request.floor)
        merchant_id = from_edge("mch", request.merchant_id, "merchant_id")

        async def operation(tx: Tx) -> org_pb2.CreateStoreResponse:
            one = await operations.create_store(
                tx,
                code=request.code,
                name=request.name,
                merchant_id=merchant_id,
                category=request.category,
                floor=request.floor,
                opening_date=_opening_date(request),
            )
            message = convert.store_message(one)
            await self._audit.record(tx, request, message.store_id, after=message)
            return org_pb2.CreateStoreResponse(store=message)

        return await self._db.run_once(request, org_pb2.CreateStoreResponse, operation)

    async def UpdateStore(self, request: org_pb2.UpdateStoreRequest, context: Context) -> org_pb2.UpdateStoreResponse:
        """See the proto."""
        convert.check_plain(name=request.name, category=request.category, floor=request.floor)
        store_id = from_edge("sto", request.store_id, "store_id")

        async def operation(tx: Tx) -> org_pb2.UpdateStoreResponse:
            old, new = await operations.update_store(
                tx,
                store_id=store_id,
                name=request.name if request.HasField("name") else None,
                category=request.category if request.HasField("category") else None,
                floor=request.floor if request.HasField("floor") else None,
                is_open=request.is_open if request.HasField("is_open") else None,
                opening_date=_opening_date(request),
            )
            before, after = convert.store_message(old), convert.store_message(new)
            await self._audit.record(tx, request, after.store_id, before=before, after=after)
            return org_pb2.UpdateStoreResponse(store=after)

        return await self._db.run_once(request, org_pb2.UpdateStoreResponse, operation)

    async def GetStore(self, request: org_pb2.GetStoreRequest, context: Context) -> org_pb2.GetStoreResponse:
        """See the proto."""
        store_id = from_edge("sto", request.store_id, "store_id")
        async with self._db.reading(caller()) as tx:
            one = await store.find_store(tx, store_id)
        if one is None:
            raise errors.StoreUnknown(store_id=request.store_id)
        return org_pb2.GetStoreResponse(store=convert.store_message(one))

    async def ListStores(self, request: org_pb2.ListStoresRequest, context: Context) -> org_pb2.ListStoresResponse:
        """See the proto."""
        size = pages.page_size(request.page_size)
        merchant_id = _optional("mch", request.merchant_id, "merchant_id")
        async with self._db.reading(caller()) as tx:
            stores = await store.list_stores(
                tx, merchant_id=merchant_id, after_code=_after_code(request.page_token), limit=size + 1
            )
        page, token = _page(stores, size, lambda one: [one.code])
        return org_pb2.ListStoresResponse(stores=map(convert.store_message, page), next_page_token=token)

    async def CreateTerminal(
        self, request: org_pb2.CreateTerminalRequest, context: Context
    ) -> org_pb2.CreateTerminalResponse:
        """See the proto."""
        convert.check_plain(name=request.name)
        store_id = from_edge("sto", request.store_id, "store_id")

        async def operation(tx: Tx) -> org_pb2.CreateTerminalResponse:
            terminal = await operations.create_terminal(tx, code=request.code, store_id=store_id, name=request.name)
            message = convert.terminal_message(terminal)
            await self._audit.record(tx, request, message.terminal_id, after=message)
            return org_pb2.CreateTerminalResponse(terminal=message)

        return await self._db.run_once(request, org_pb2.CreateTerminalResponse, operation)

    async def UpdateTerminal(
        self, request: org_pb2.UpdateTerminalRequest, context: Context
    ) -> org_pb2.UpdateTerminalResponse:
        """See the proto."""
        convert.check_plain(name=request.name)
        terminal_id = from_edge("trm", request.terminal_id, "terminal_id")
        store_id = from_edge("sto", request.store_id, "store_id")

        async def operation(tx: Tx) -> org_pb2.UpdateTerminalResponse:
            old, new = await operations.update_terminal(
                tx,
                terminal_id=terminal_id,
                store_id=store_id,
                name=request.name if request.HasField("name") else None,
                is_open=request.is_open if request.HasField("is_open") else None,
            )
            before, after = convert.terminal_message(old), convert.terminal_message(new)
            await self._audit.record(tx, request, after.terminal_id, before=before, after=after)
            return org_pb2.UpdateTerminalResponse(terminal=after)

        return await self._db.run_once(request, org_pb2.UpdateTerminalResponse, operation)

    async def ListTerminals(
        self, request: org_pb2.ListTerminalsRequest, context: Context
    ) -> org_pb2.ListTerminalsResponse:
        """See the proto."""
        size = pages.page_size(request.page_size)
        store_id = _optional("sto", request.store_id, "store_id")
        async with self._db.reading(caller()) as tx:
            terminals = await store.list_terminals(
                tx, store_id=store_id, after_code=_after_code(request.page_token), limit=size + 1
            )
        page, token = _page(terminals, size, lambda one: [one.code])
        return org_pb2.ListTerminalsResponse(terminals=map(convert.terminal_message, page), next_page_token=token)

    async def ImportStructure(
        self, request: org_pb2.ImportStructureRequest, context: Context
    ) -> org_pb2.ImportStructureResponse:
        """See the proto."""

        async def operation(tx: Tx) -> org_pb2.ImportStructureResponse:
            done = operations.Import(tx, validate_only=request.validate_only)
            await done.run(request.csv)
            response = org_pb2.ImportStructureResponse(
                created_count=done.created_count,
                updated_count=done.updated_count,
                unchanged_count=done.unchanged_count,
            )
            if not request.validate_only:
                # One entry for a file: the events say what became of each row.
                await self._audit.record(
                    tx, request, f"sha256:{sha256(request.csv.encode()).hexdigest()}", after=response
                )
            response.errors.extend(map(convert.fault_message, done.faults))
            return response

        return await self._db.run_once(request, org_pb2.ImportStructureResponse, operation)


def _opening_date(request: org_pb2.CreateStoreRequest | org_pb2.UpdateStoreRequest) -> date | None:
    return convert.from_date(request.opening_date, "opening_date") if request.HasField("opening_date") else None


def _optional(prefix: str, text: str, field: str) -> UUID | None:
    return from_edge(prefix, text, field) if text else None


def _page(rows: Sequence[T], size: int, key: Callable[[T], Iterable[object]]) -> tuple[Sequence[T], str]:
    """The rows of this page, and the token of the next when there was one row more."""
    if len(rows) <= size:
        return rows, ""
    return rows[:size], pages.encode_token(*key(rows[size - 1]))


def _after_code(token: str) -> str:
    if not token:
        return ""
    (code,) = pages.decode_token(token, 1)
    if not rules.CODE.fullmatch(code):
        raise InvalidArgument([("page_token", "is not a token that this list gave")])
    return code
