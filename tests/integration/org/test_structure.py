"""The structure of a group, over gRPC on a real database."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from chassis import ids
from chassis.errors import AppError
from huitong.common.v1 import types_pb2
from huitong.org.v1 import events_pb2, org_pb2, org_pb2_grpc
from tests.apps import GROUP, Apps, internal, system, terminal

OTHER_GROUP = ids.derive("group", "other-group")
HEADER = "kind,code,name,parent_code,unit_kind,time_zone,currency_code,category,floor\n"
FILE = HEADER + (
    "terminal,T1,,S1,,,,,\n"  # before its store: order does not matter
    "unit,MALL,Mall,,mall,Asia/Shanghai,CNY,,\n"
    "unit,PARK,Car park,,parking,Asia/Shanghai,CNY,,\n"
    "merchant,M1,Grocer,MALL,,,,supermarket,\n"
    "store,S1,Grocer 1,M1,,,,,L1\n"
    "store,S2,Grocer 2,M1,,,,deli,L2\n"
)


class Org:
    """org with two groups."""

    def __init__(self, apps: Apps) -> None:
        self.apps = apps
        self.db: Any = None
        self.structure = apps.stub(org_pb2_grpc.StructureServiceStub, "org")

    async def start(self) -> Org:
        self.db = (await self.apps.start("org"))["org"].db
        await self.apps.as_owner(
            "org",
            """ALTER TABLE audit_entry DISABLE TRIGGER USER;
               TRUNCATE org_group, credential, outbox, request_log, audit_entry CASCADE;
               ALTER TABLE audit_entry ENABLE TRIGGER USER""",
        )
        for code in ("test-group", "other-group"):
            request = org_pb2.CreateGroupRequest(request_id=f"create-{code}", code=code, name=code)
            await self.apps.call(self.structure.CreateGroup, request, internal("suite"))
        await self.apps.as_owner("org", "TRUNCATE outbox")
        return self

    async def call(self, rpc: str, request: Any, group_id: UUID = GROUP) -> Any:
        return await self.apps.call(getattr(self.structure, rpc), request, system(group_id))

    async def load(self, csv: str, group_id: UUID = GROUP, validate_only: bool = False) -> Any:
        request = org_pb2.ImportStructureRequest(request_id=ids.new().hex, csv=csv, validate_only=validate_only)
        return await self.call("ImportStructure", request, group_id)

    async def events(self) -> list[tuple[str, Any]]:
        """Without the audit's, which every change has."""
        rows = await self.db.pool.fetch("SELECT type, payload FROM outbox ORDER BY xid::text::bigint, id")
        return [
            (
                row["type"].rpartition(".")[2],
                getattr(events_pb2, row["type"].rpartition(".")[2]).FromString(row["payload"]),
            )
            for row in rows
            if not row["type"].endswith(".AuditHeadMoved")
        ]


@pytest.fixture
async def org(apps: Apps) -> Org:
    return await Org(apps).start()


def edge(prefix: str, kind: str, code: str) -> str:
    return ids.to_edge(prefix, ids.derive(GROUP, kind, code))


def counts(response: org_pb2.ImportStructureResponse) -> tuple[int, int, int, int]:
    return response.created_count, response.updated_count, response.unchanged_count, len(response.errors)


async def refusal(call: Any) -> str:
    with pytest.raises(AppError) as refused:
        await call
    return refused.value.reason


def unit_request(code: str = "MALL", **changes: Any) -> org_pb2.CreateBusinessUnitRequest:
    values = {
        "request_id": ids.new().hex, "code": code, "name": "Mall", "kind": org_pb2.UNIT_KIND_MALL,
        "time_zone": "Asia/Shanghai", "currency_code": "CNY",
    }  # fmt: skip
    return org_pb2.CreateBusinessUnitRequest(**{**values, **changes})


async def test_ids_derive_from_codes_and_the_chain_is_answered(org: Org) -> None:
    unit = (await org.call("CreateBusinessUnit", unit_request())).business_unit
    assert unit.business_unit_id == ids.to_edge("unt", ids.derive(GROUP, "unit", "MALL"))
    request = org_pb2.CreateMerchantRequest(
        request_id="create-merchant", code="M1", name="M", business_unit_id=unit.business_unit_id, category="food"
    )
    merchant = (await org.call("CreateMerchant", request)).merchant
    made = await org.call(
        "CreateStore",
        org_pb2.CreateStoreRequest(request_id="create-store", code="S1", name="S", merchant_id=merchant.merchant_id),
    )
    till = org_pb2.CreateTerminalRequest(request_id="create-terminal", code="T1", store_id=made.store.store_id)
    made_terminal = (await org.call("CreateTerminal", till)).terminal
    assert made_terminal.terminal_id == ids.to_edge("trm", ids.derive(GROUP, "terminal", "T1"))
    got = await org.call("GetStore", org_pb2.GetStoreRequest(store_id=made.store.store_id))
    assert got.store == made.store
    assert (got.store.business_unit_id, got.store.merchant_id) == (unit.business_unit_id, merchant.merchant_id)
    assert (got.store.category, got.store.time_zone, got.store.currency_code) == ("food", "Asia/Shanghai", "CNY")
    assert got.store.is_open
    names = [name for name, _ in await org.events()]
    assert names == ["BusinessUnitSaved", "MerchantSaved", "StoreSaved"]
    assert (await org.events())[-1][1].store == made.store


async def test_taken_code_is_refused_and_an_equal_entity_is_answered(org: Org) -> None:
    first = await org.call("CreateBusinessUnit", unit_request())
    assert await org.call("CreateBusinessUnit", unit_request()) == first  # another request id, the same content
    assert await refusal(org.call("CreateBusinessUnit", unit_request(name="Another"))) == "CODE_TAKEN"
    assert len(await org.events()) == 1
    request = org_pb2.CreateGroupRequest(request_id="another-request", code="test-group", name="test-group")
    assert await refusal(org.apps.call(org.structure.CreateGroup, request, internal("suite"))) == "CODE_TAKEN"


async def test_group_is_created_by_the_suite_only_and_tells_of_itself(org: Org) -> None:
    request = org_pb2.CreateGroupRequest(request_id="create-third", code="third-group", name="Third")
    assert await refusal(org.call("CreateGroup", request)) == "PERMISSION_DENIED"
    made = await org.apps.call(org.structure.CreateGroup, request, internal("suite"))
    again = await org.apps.call(org.structure.CreateGroup, request, internal("suite"))
    assert again == made
    assert len(made.secret) >= 43
    assert made.group.group_id == ids.to_edge("grp", ids.derive("group", "third-group"))
    row = await org.db.pool.fetchrow("SELECT type, group_id FROM outbox WHERE type NOT LIKE '%.AuditHeadMoved'")
    assert (row["type"], row["group_id"]) == ("huitong.org.v1.GroupCreated", ids.derive("group", "third-group"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"time_zone": "Mars/Olympus"}, "TIME_ZONE_UNKNOWN"),
        ({"time_zone": "a\x00b"}, "TIME_ZONE_UNKNOWN"),
        ({"kind": 0}, "INVALID_ARGUMENT"),
        ({"kind": 99}, "INVALID_ARGUMENT"),
        ({"currency_code": "yuan"}, "INVALID_ARGUMENT"),
        ({"code": "a b"}, "INVALID_ARGUMENT"),
        ({"name": "a\x00b"}, "INVALID_ARGUMENT"),  # PostgreSQL has no such text
        ({"request_id": "request\x00id"}, "INVALID_ARGUMENT"),
    ],
)
async def test_bad_unit_is_refused(org: Org, changes: dict[str, Any], reason: str) -> None:
    assert await refusal(org.call("CreateBusinessUnit", unit_request(**changes))) == reason


async def test_import_keeps_good_rows_and_repeating_it_changes_nothing(org: Org) -> None:
    assert counts(await org.load(FILE, validate_only=True)) == (6, 0, 0, 0)
    assert await org.events() == []
    assert counts(await org.load(FILE)) == (6, 0, 0, 0)
    names = [name for name, _ in await org.events()]
    assert names == ["BusinessUnitSaved", "BusinessUnitSaved", "MerchantSaved", "StoreSaved", "StoreSaved"]
    assert counts(await org.load(FILE)) == (0, 0, 6, 0)
    assert len(await org.events()) == 5


async def test_import_changes_what_the_file_says_and_leaves_what_it_does_not(org: Org) -> None:
    await org.load(FILE)
    changed = HEADER + (
        "merchant,M1,Grocer & Sons,MALL,,,,,\n"  # empty category: stays
        "store,S1,Grocer 1,M1,,,,,B1\n"
        "store,S2,Grocer 2,M1,,,,deli,L2\n"
    )
    assert counts(await org.load(changed)) == (0, 2, 1, 0)
    events = (await org.events())[5:]
    assert [name for name, _ in events] == ["MerchantSaved", "StoreSaved"]
    merchant, one = events[0][1].merchant, events[1][1].store
    assert (merchant.name, merchant.category) == ("Grocer & Sons", "supermarket")
    assert (one.floor, one.category) == ("B1", "supermarket")


async def test_a_merchant_has_the_name_that_it_is_registered_by(org: Org) -> None:
    unit = (await org.call("CreateBusinessUnit", unit_request())).business_unit
    given = {
        "code": "M1",
        "name": "Grocer",
        "business_unit_id": unit.business_unit_id,
        "legal_name": "上海示例食品有限公司",
    }

    async def create(**changes: Any) -> Any:
        request = org_pb2.CreateMerchantRequest(**{"request_id": ids.new().hex, **given, **changes})
        return (await org.call("CreateMerchant", request)).merchant

    async def registered() -> str:
        (one,) = (await org.call("ListMerchants", org_pb2.ListMerchantsRequest())).merchants
        assert (await org.events())[-1][1].merchant == one
        return str(one.legal_name)

    made = await create()
    assert (made.name, made.legal_name, await registered()) == ("Grocer", given["legal_name"], given["legal_name"])
    assert await refusal(create(legal_name="Another Ltd")) == "CODE_TAKEN"
    assert await refusal(create(legal_name="司" * 201)) == "INVALID_ARGUMENT"
    assert await refusal(create(legal_name="a\tb")) == "INVALID_ARGUMENT"
    file = "kind,code,name,parent_code,legal_name\nmerchant,M1,Grocer,MALL,"
    assert counts(await org.load(f"{file}\n")) == (0, 0, 1, 0), "an empty cell leaves what is there"
    assert counts(await org.load(f"{file}上海新名食品有限公司\n")) == (0, 1, 0, 0)
    assert await registered() == "上海新名食品有限公司"
    change = {"request_id": ids.new().hex, "merchant_id": made.merchant_id, "legal_name": "Example Foods Ltd"}
    changed = (await org.call("UpdateMerchant", org_pb2.UpdateMerchantRequest(**change))).merchant
    assert (changed.name, changed.legal_name) == ("Grocer", await registered()) == ("Grocer", "Example Foods Ltd")


async def test_import_reports_what_does_not_fit_the_group(org: Org) -> None:
    await org.load(FILE)
    await org.load(HEADER + "unit,HOTEL,Hotel,,hotel,Asia/Shanghai,CNY,,\nmerchant,M2,Inn,HOTEL,,,,,\n")
    response = await org.load(
        HEADER
        + "unit,MALL,Mall,,mall,Europe/Berlin,CNY,,\n"
        + "unit,PARK,Car park,,parking,Asia/Shanghai,EUR,,\n"
        + "unit,HOTEL,Hotel,,mall,Asia/Shanghai,CNY,,\n"
        + "merchant,M1,Grocer,HOTEL,,,,,\n"
        + "merchant,M3,Nobody's,NOWHERE,,,,,\n"
        + "store,S3,Orphan,M3,,,,,\n"
        + "terminal,T3,,S3,,,,,\n"
        + "store,S1,Grocer 1,M2,,,,,\n"
        + "terminal,T1,,S2,,,,,\n"
        + "store,S4,Good,M2,,,,,\n"
    )
    assert [(error.line, error.column, error.reason) for error in response.errors] == [
        (2, "time_zone", "TIME_ZONE_FIXED"),
        (3, "currency_code", "CURRENCY_FIXED"),
        (4, "unit_kind", "UNIT_KIND_FIXED"),
        (5, "parent_code", "PARENT_FIXED"),
        (6, "parent_code", "PARENT_UNKNOWN"),
        (7, "parent_code", "PARENT_UNKNOWN"),
        (8, "parent_code", "PARENT_UNKNOWN"),
        (9, "parent_code", "PARENT_FIXED"),
        (10, "parent_code", "PARENT_FIXED"),
    ]
    assert all(error.message and error.message_zh for error in response.errors)
    assert "NOWHERE" in response.errors[4].message
    assert "NOWHERE" in response.errors[4].message_zh
    assert counts(response)[:3] == (1, 0, 0)


async def test_import_at_once_creates_each_entity_once(org: Org) -> None:
    responses = await asyncio.gather(*(org.load(FILE) for _ in range(5)))
    assert sorted(response.created_count for response in responses) == [0, 0, 0, 0, 6]
    assert len(await org.events()) == 5


async def test_retried_import_gets_the_first_answer(org: Org) -> None:
    request = org_pb2.ImportStructureRequest(request_id="import-once", csv=FILE + "x,,,,,,,,\n")
    first = await org.call("ImportStructure", request)
    assert counts(first) == (6, 0, 0, 1)
    assert await org.call("ImportStructure", request) == first
    request.csv = FILE
    assert await refusal(org.call("ImportStructure", request)) == "REQUEST_ID_REUSED"


async def test_unreadable_file_is_refused_as_a_whole(org: Org) -> None:
    assert await refusal(org.load("code,colour\nx,y\n")) == "CSV_UNREADABLE"


async def test_store_changes_only_in_what_is_given_and_tells_only_of_changes(org: Org) -> None:
    await org.load(FILE)
    store_id = ids.to_edge("sto", ids.derive(GROUP, "store", "S1"))

    async def update(**changes: Any) -> Any:
        request = org_pb2.UpdateStoreRequest(request_id=ids.new().hex, store_id=store_id, **changes)
        return (await org.call("UpdateStore", request)).store

    closed = await update(is_open=False, floor="")
    assert (closed.is_open, closed.floor, closed.name) == (False, "", "Grocer 1")
    assert await update(is_open=False) == closed
    assert [name for name, _ in (await org.events())[5:]] == ["StoreSaved"]
    opened = await update(opening_date=types_pb2.BusinessDate(year=2026, month=2, day=28))
    assert (opened.opening_date.month, opened.is_open) == (2, False)
    assert (await update(floor="B2")).opening_date == opened.opening_date
    assert await refusal(update(opening_date=types_pb2.BusinessDate(year=2026, month=2, day=29))) == "INVALID_ARGUMENT"


async def test_lists_page_by_code(org: Org) -> None:
    rows = "".join(f"store,S{number:03},S,M1,,,,,\n" for number in range(7))
    await org.load(HEADER + "unit,MALL,M,,mall,Asia/Shanghai,CNY,,\nmerchant,M1,M,MALL,,,,,\n" + rows)
    seen, token = [], ""
    while True:
        page = await org.call("ListStores", org_pb2.ListStoresRequest(page_size=3, page_token=token))
        seen += [one.code for one in page.stores]
        token = page.next_page_token
        if not token:
            break
    assert seen == [f"S{number:03}" for number in range(7)]
    merchant_id = ids.to_edge("mch", ids.derive(GROUP, "merchant", "M2"))
    assert not (await org.call("ListStores", org_pb2.ListStoresRequest(merchant_id=merchant_id))).stores
    assert len((await org.call("ListMerchants", org_pb2.ListMerchantsRequest())).merchants) == 1
    assert len((await org.call("ListBusinessUnits", org_pb2.ListBusinessUnitsRequest())).business_units) == 1
    for token in ("!!", "WyJhIiwiYiJd", "WyJhXHUwMDAwYiJd"):  # noise, two values, a NUL
        request = org_pb2.ListStoresRequest(page_token=token)
        assert await refusal(org.call("ListStores", request)) == "INVALID_ARGUMENT"


async def test_foreign_group_sees_nothing_and_its_ids_are_unknown(org: Org) -> None:
    await org.load(FILE)
    await org.load(FILE, OTHER_GROUP)  # the same codes in another group
    unit_id, merchant_id = edge("unt", "unit", "MALL"), edge("mch", "merchant", "M1")
    store_id, terminal_id = edge("sto", "store", "S1"), edge("trm", "terminal", "T1")
    store_of = {"request_id": "foreign-2", "code": "T9", "store_id": store_id}
    merchant_of: dict[str, Any] = {"request_id": "foreign-3", "code": "S9", "name": "S", "merchant_id": merchant_id}
    unit_of = {"request_id": "foreign-4", "code": "M9", "name": "M", "business_unit_id": unit_id}
    cases: list[tuple[str, Any, str]] = [
        ("GetStore", org_pb2.GetStoreRequest(store_id=store_id), "STORE_UNKNOWN"),
        ("UpdateStore", org_pb2.UpdateStoreRequest(request_id="foreign-1", store_id=store_id), "STORE_UNKNOWN"),
        ("CreateTerminal", org_pb2.CreateTerminalRequest(**store_of), "STORE_UNKNOWN"),
        ("CreateStore", org_pb2.CreateStoreRequest(**merchant_of), "MERCHANT_UNKNOWN"),
        ("CreateMerchant", org_pb2.CreateMerchantRequest(**unit_of), "BUSINESS_UNIT_UNKNOWN"),
        (
            "UpdateBusinessUnit",
            org_pb2.UpdateBusinessUnitRequest(request_id="foreign-5", business_unit_id=unit_id),
            "BUSINESS_UNIT_UNKNOWN",
        ),
        (
            "UpdateTerminal",
            org_pb2.UpdateTerminalRequest(request_id="foreign-6", terminal_id=terminal_id, store_id=store_id),
            "TERMINAL_UNKNOWN",
        ),
    ]
    for rpc, request, reason in cases:
        assert await refusal(org.call(rpc, request, OTHER_GROUP)) == reason, rpc
    listed = (await org.call("ListStores", org_pb2.ListStoresRequest(), OTHER_GROUP)).stores
    assert {one.store_id for one in listed} == {
        ids.to_edge("sto", ids.derive(OTHER_GROUP, "store", code)) for code in ("S1", "S2")
    }
    foreign_list = org_pb2.ListStoresRequest(merchant_id=merchant_id)
    assert not (await org.call("ListStores", foreign_list, OTHER_GROUP)).stores
    foreign_terminals = org_pb2.ListTerminalsRequest(store_id=store_id)
    assert not (await org.call("ListTerminals", foreign_terminals, OTHER_GROUP)).terminals
    assert await refusal(org.load(FILE, ids.derive("group", "no-such-group"))) == "GROUP_UNKNOWN"


async def test_terminal_reads_its_own_store_only(org: Org) -> None:
    await org.load(FILE)
    own, other = (ids.to_edge("sto", ids.derive(GROUP, "store", code)) for code in ("S1", "S2"))
    request = org_pb2.GetStoreRequest(store_id=own)
    assert (await org.apps.call(org.structure.GetStore, request, terminal(own))).store.code == "S1"
    request = org_pb2.GetStoreRequest(store_id=other)
    assert await refusal(org.apps.call(org.structure.GetStore, request, terminal(own))) == "NOT_YOURS"


async def test_migrated_tables_are_the_declared_ones(org: Org) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from chassis import tables
    from services.org import store

    def differences(connection: Any) -> list[Any]:
        context = MigrationContext.configure(
            connection,
            opts={"include_name": lambda name, kind, parents: kind != "table" or name in store.metadata.tables},
        )
        return compare_metadata(context, store.metadata)

    async with org.db.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        names = (
            await connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        ).scalars()
        extra = {"alembic_version", "alembic_version_chassis"}
        assert set(names) - extra == set(store.metadata.tables) | set(tables.metadata.tables)


async def test_a_unit_is_renamed_and_stays_what_it_was_otherwise(org: Org) -> None:
    await org.load(FILE)
    unit_id = edge("unt", "unit", "MALL")

    async def update(**changes: Any) -> Any:
        request = org_pb2.UpdateBusinessUnitRequest(request_id=ids.new().hex, business_unit_id=unit_id, **changes)
        return (await org.call("UpdateBusinessUnit", request)).business_unit

    same = {"kind": org_pb2.UNIT_KIND_MALL, "time_zone": "Asia/Shanghai", "currency_code": "CNY"}
    renamed = await update(name="The Mall", **same)
    assert (renamed.name, renamed.is_open, renamed.code) == ("The Mall", True, "MALL")
    assert await update(name="The Mall") == renamed
    told = (await org.events())[5:]
    assert [(name, event.business_unit) for name, event in told] == [("BusinessUnitSaved", renamed)]
    for change, reason in (
        ({"kind": org_pb2.UNIT_KIND_PARKING}, "UNIT_KIND_FIXED"),
        ({"time_zone": "Europe/Berlin"}, "TIME_ZONE_FIXED"),
        ({"currency_code": "EUR"}, "CURRENCY_FIXED"),
    ):
        assert await refusal(update(name="Another", **{**same, **change})) == reason
    assert len(await org.events()) == 6
    assert await refusal(update(name="a\x00b")) == "INVALID_ARGUMENT"
    # The file changes the name, too, and leaves a closed one closed.
    await update(is_open=False)
    assert counts(await org.load(HEADER + "unit,MALL,Mall,,mall,Asia/Shanghai,CNY,,\n")) == (0, 1, 0, 0)
    (mall, _) = (await org.call("ListBusinessUnits", org_pb2.ListBusinessUnitsRequest())).business_units
    assert (mall.name, mall.is_open) == ("Mall", False)


async def test_a_unit_closes_with_its_merchants_and_their_stores(org: Org) -> None:
    await org.load(FILE + "merchant,M2,Baker,MALL,,,,,\nstore,S9,Baker,M2,,,,,\nmerchant,P1,Parking,PARK,,,,,\n")
    unit_id, merchant_id = edge("unt", "unit", "MALL"), edge("mch", "merchant", "M1")
    close = org_pb2.UpdateMerchantRequest(
        request_id="close-m2", merchant_id=edge("mch", "merchant", "M2"), is_open=False
    )
    await org.call("UpdateMerchant", close)
    await org.apps.as_owner("org", "TRUNCATE outbox")

    async def update(is_open: bool) -> Any:
        request = org_pb2.UpdateBusinessUnitRequest(request_id=ids.new().hex, business_unit_id=unit_id, is_open=is_open)
        return await org.call("UpdateBusinessUnit", request)

    async def reopen() -> Any:
        request = org_pb2.UpdateMerchantRequest(request_id=ids.new().hex, merchant_id=merchant_id, is_open=True)
        return (await org.call("UpdateMerchant", request)).merchant

    closed = await update(False)
    assert not closed.business_unit.is_open
    assert (closed.closed_merchant_count, closed.closed_store_count) == (1, 2)
    told = [
        (name, getattr(event, next(iter(event.DESCRIPTOR.fields_by_name))).code) for name, event in await org.events()
    ]
    assert told[:2] == [("BusinessUnitSaved", "MALL"), ("MerchantSaved", "M1")]
    assert sorted(told[2:]) == [("StoreSaved", "S1"), ("StoreSaved", "S2")]
    listed = (await org.call("ListMerchants", org_pb2.ListMerchantsRequest())).merchants
    assert {one.code: one.is_open for one in listed} == {"M1": False, "M2": False, "P1": True}
    new = org_pb2.CreateMerchantRequest(request_id="new-merchant", code="M9", name="M9", business_unit_id=unit_id)
    assert await refusal(org.call("CreateMerchant", new)) == "BUSINESS_UNIT_CLOSED"
    assert await refusal(reopen()) == "BUSINESS_UNIT_CLOSED"
    (fault,) = (await org.load(HEADER + "merchant,M9,Grocer 9,MALL,,,,,\n")).errors
    assert (fault.line, fault.column, fault.reason) == (2, "parent_code", "PARENT_CLOSED")
    opened = await update(True)
    assert (opened.closed_merchant_count, opened.closed_store_count) == (0, 0)
    assert (await reopen()).is_open


async def test_terminals_are_listed_renamed_and_closed(org: Org) -> None:
    await org.load(FILE + "".join(f"terminal,A{n},Till {n},S2,,,,,\n" for n in range(5)))
    stores = [edge("sto", "store", code) for code in ("S1", "S2")]

    async def listed(store_id: str = "") -> dict[str, Any]:
        seen: dict[str, Any] = {}
        token = ""
        while True:
            request = org_pb2.ListTerminalsRequest(page_size=2, page_token=token, store_id=store_id)
            page = await org.call("ListTerminals", request)
            assert len(page.terminals) <= 2
            seen |= {one.code: one for one in page.terminals}
            token = page.next_page_token
            if not token:
                return seen

    async def update(store_id: str, **changes: Any) -> Any:
        request = org_pb2.UpdateTerminalRequest(
            request_id=ids.new().hex, terminal_id=edge("trm", "terminal", "A3"), store_id=store_id, **changes
        )
        return (await org.call("UpdateTerminal", request)).terminal

    assert list(await listed()) == ["A0", "A1", "A2", "A3", "A4", "T1"]
    assert list(await listed(stores[0])) == ["T1"]
    of_second = await listed(stores[1])
    assert [(one.name, one.is_open) for one in of_second.values()] == [(f"Till {n}", True) for n in range(5)]
    closed = await update(stores[1], is_open=False)
    assert (closed.name, closed.is_open, closed.store_id) == ("Till 3", False, stores[1])
    assert (await update(stores[1], name="")).name == ""
    assert await refusal(update(stores[0], is_open=True)) == "TERMINAL_UNKNOWN"
    assert (await listed())["A3"] == org_pb2.Terminal(
        terminal_id=closed.terminal_id, code="A3", store_id=stores[1], name="", is_open=False
    )
    # The file says nothing of that, and an empty name leaves what is there.
    assert counts(await org.load(HEADER + "terminal,A3,Till 33,S2,,,,,\nterminal,A4,,S2,,,,,\n")) == (0, 1, 1, 0)
    assert not (await listed())["A3"].is_open and (await listed())["A3"].name == "Till 33"
    assert (await update(stores[1], is_open=True)).is_open
    request = org_pb2.ListTerminalsRequest(store_id=stores[0])
    assert (
        await refusal(org.apps.call(org.structure.ListTerminals, request, terminal(stores[0]))) == "PERMISSION_DENIED"
    )


async def test_a_merchant_closes_with_its_stores_and_its_history_stays(org: Org) -> None:
    assert not (await org.load(FILE)).errors
    merchant_id = ids.to_edge("mch", ids.derive(GROUP, "merchant", "M1"))
    store_ids = [ids.to_edge("sto", ids.derive(GROUP, "store", code)) for code in ("S1", "S2")]
    await org.call(
        "UpdateStore", org_pb2.UpdateStoreRequest(request_id="close-s2", store_id=store_ids[1], is_open=False)
    )
    await org.apps.as_owner("org", "TRUNCATE outbox")

    async def update(**changes: Any) -> Any:
        request = org_pb2.UpdateMerchantRequest(request_id=ids.new().hex, merchant_id=merchant_id, **changes)
        return await org.call("UpdateMerchant", request)

    async def reopen(store_id: str) -> Any:
        request = org_pb2.UpdateStoreRequest(request_id=ids.new().hex, store_id=store_id, is_open=True)
        return await org.call("UpdateStore", request)

    changed = await update(name="New name", category="deli")
    assert (changed.merchant.name, changed.merchant.category, changed.merchant.is_open) == ("New name", "deli", True)
    closed = await update(is_open=False)
    assert (closed.merchant.is_open, closed.closed_store_count) == (False, 1)
    told = [(name, getattr(event, name.removesuffix("Saved").lower()).is_open) for name, event in await org.events()]
    assert told == [("MerchantSaved", True), ("MerchantSaved", False), ("StoreSaved", False)]
    # It is known as before, under the same ids.
    got = (await org.call("GetStore", org_pb2.GetStoreRequest(store_id=store_ids[0]))).store
    assert (got.merchant_id, got.is_open) == (merchant_id, False)
    new = org_pb2.CreateStoreRequest(request_id="new-store", code="S9", name="S9", merchant_id=merchant_id)
    assert await refusal(org.call("CreateStore", new)) == "MERCHANT_CLOSED"
    assert await refusal(reopen(store_ids[0])) == "MERCHANT_CLOSED"
    again = await org.load(FILE + "store,S9,Grocer 9,M1,,,,,L9\n")
    assert [(fault.line, fault.reason) for fault in again.errors] == [(len(FILE.splitlines()) + 1, "PARENT_CLOSED")]
    assert not (await org.call("GetStore", org_pb2.GetStoreRequest(store_id=store_ids[0]))).store.is_open
    assert (await update(is_open=True)).closed_store_count == 0
    assert not (await org.call("GetStore", org_pb2.GetStoreRequest(store_id=store_ids[0]))).store.is_open
    assert (await reopen(store_ids[0])).store.is_open
    assert await refusal(org.call("UpdateMerchant", org_pb2.UpdateMerchantRequest(
        request_id="foreign-merchant", merchant_id=merchant_id), OTHER_GROUP)) == "MERCHANT_UNKNOWN"  # fmt: skip


async def test_a_file_of_five_thousand_rows_comes_in_at_once_with_a_line_for_each_that_does_not(org: Org) -> None:
    places = [("BJ", "Asia/Shanghai", "CNY"), ("TYO", "Asia/Tokyo", "JPY"), ("NYC", "America/New_York", "USD")]
    rows = [f"unit,{code},Mall {code},,mall,{zone},{money},,\n" for code, zone, money in places]
    rows += [f"merchant,M{n},Chain {n},{places[n % 3][0]},,,,fashion,\n" for n in range(97)]
    rows += [f"store,S{n:04d},Shop {n},M{n % 97},,,,,L{n % 9}\n" for n in range(4_896)]
    bad = [
        ("store,S0001,Shop 1 again,M1,,,,,L1\n", "CODE_REPEATED"),
        ("store,B1,Nobody's,M999,,,,,L1\n", "PARENT_UNKNOWN"),
        ("unit,MARS,Mars,,mall,Mars/Olympus,CNY,,\n", "TIME_ZONE_UNKNOWN"),
        ("store,B2,,M1,,,,,L1\n", "NAME_INVALID"),
    ]
    answer = await org.load(HEADER + "".join(rows) + "".join(line for line, _ in bad))
    assert counts(answer) == (len(rows), 0, 0, len(bad)) and len(rows) + len(bad) == 5_000
    assert [(fault.line, fault.reason) for fault in answer.errors] == [
        (len(rows) + 2 + place, reason) for place, (_, reason) in enumerate(bad)
    ]
    # Each store has its unit's clock and money.
    for n in range(3):
        store_id = ids.to_edge("sto", ids.derive(GROUP, "store", f"S{n:04d}"))
        found = (await org.call("GetStore", org_pb2.GetStoreRequest(store_id=store_id))).store
        assert (found.time_zone, found.currency_code) == places[n][1:]
    await org.apps.as_owner("org", "TRUNCATE outbox")
    # A whole floor moves: the same stores under the same ids, told one by one, and nothing else.
    moved = [line.replace(",L8\n", ",B1\n") for line in rows if line.endswith(",L8\n")]
    assert counts(await org.load(HEADER + "".join(moved))) == (0, len(moved), 0, 0)
    told = [event.store for _, event in await org.events()]
    assert {one.floor for one in told} == {"B1"}
    assert {one.store_id for one in told} == {
        ids.to_edge("sto", ids.derive(GROUP, "store", line.split(",")[1])) for line in moved
    }
