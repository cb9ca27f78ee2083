"""The audit over gRPC on a real database: who did what is recorded with it, and no change of the record goes unseen."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import asyncpg
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from typer.testing import CliRunner

from chassis import ids
from chassis.errors import AppError
from chassis.identity import Caller, CallerKind
from huitong.common.v1 import acts_pb2, acts_pb2_grpc
from huitong.org.v1 import audit_pb2, audit_pb2_grpc, events_pb2, org_pb2, org_pb2_grpc
from huitong.org.v1 import operators_pb2 as pb
from services.org.invariants import INVARIANTS
from suite.cli import app
from tests.apps import GROUP, Apps, internal, system
from tests.people import M1, MALL, S1, People, grant

OTHER_GROUP = ids.derive("group", "other-group")
SILENT = "ALTER TABLE audit_entry DISABLE TRIGGER USER"


class Books:
    """The audit, and means to tamper with it."""

    def __init__(self, people: People) -> None:
        self.people, self.db = people, people.db
        self.audit = people.apps.stub(audit_pb2_grpc.AuditServiceStub, "org")
        self.credentials = people.apps.stub(org_pb2_grpc.CredentialServiceStub, "org")

    async def structure(self, rpc: str, request: Any, who: Caller | None = None) -> Any:
        return await self.people.apps.call(getattr(self.people.structure, rpc), request, who or system())

    async def entries(self, who: Caller | None = None, **filters: Any) -> list[Any]:
        request = audit_pb2.ListAuditEntriesRequest(page_size=200, **filters)
        return list((await self.people.apps.call(self.audit.ListAuditEntries, request, who or system())).entries)

    async def verify(self, who: Caller | None = None, **known: Any) -> tuple[int, str]:
        request = audit_pb2.VerifyAuditRequest(**known)
        answer = await self.people.apps.call(self.audit.VerifyAudit, request, who or system())
        assert answer.is_intact == (answer.problem == "" and not answer.HasField("next"))
        return answer.entry_no, answer.problem

    async def tamper(self, sql: str) -> None:
        await self.people.apps.as_owner("org", f"{SILENT}; {sql}; ALTER TABLE audit_entry ENABLE TRIGGER USER")


@pytest.fixture
async def books(apps: Apps) -> Books:
    books = Books(await People(apps).start())
    await books.tamper(
        "TRUNCATE audit_entry; UPDATE org_group SET audit_no = 0, audit_hash = decode(repeat('00', 32), 'hex')"
    )
    return books


async def change_store(books: Books, floor: str, who: Caller | None = None, request_id: str = "") -> None:
    request = org_pb2.UpdateStoreRequest(request_id=request_id or ids.new().hex, store_id=S1, floor=floor)
    await books.structure("UpdateStore", request, who)


async def test_an_entry_says_who_did_what_to_what_and_how_it_was(books: Books) -> None:
    await change_store(books, "L1")
    who = Caller(CallerKind.OPERATOR, "opr_1", GROUP, "ops_1", {"": "*"})
    await change_store(books, "L7", who)
    newest, first = await books.entries()
    assert (newest.entry_no, newest.action, list(newest.subject_ids)) == (2, "UpdateStore", [S1])
    assert (newest.actor_kind, newest.actor, newest.via) == ("operator", "opr_1", "ops_1")
    assert (first.actor_kind, first.actor, first.via) == ("system", "key_test", "key_test")
    before, after = json.loads(newest.before_json), json.loads(newest.after_json)
    assert {name for name in after if after[name] != before[name]} == {"floor"}
    assert (before["floor"], after["floor"]) == ("L1", "L7")
    assert newest.previous_hash == first.hash and first.previous_hash == "0" * 64
    assert await books.verify() == (2, "")


async def test_every_kind_of_change_is_recorded_once_with_its_reason(books: Books) -> None:
    unit = org_pb2.CreateBusinessUnitRequest(
        request_id=ids.new().hex, code=f"U{ids.new().hex[-6:]}", name="U", kind=org_pb2.UNIT_KIND_MALL,
        time_zone="Asia/Shanghai", currency_code="CNY",
    )  # fmt: skip
    await books.structure("CreateBusinessUnit", unit)
    code = ids.new().hex[-6:]
    merchant = org_pb2.CreateMerchantRequest(
        request_id="m" + code * 2, code="M" + code, name="M", business_unit_id=MALL
    )
    await books.structure("CreateMerchant", merchant)
    store = org_pb2.CreateStoreRequest(request_id="s" + code * 2, code="S" + code, name="S", merchant_id=M1)
    await books.structure("CreateStore", store)
    till = org_pb2.CreateTerminalRequest(request_id="t" + code * 2, code="T" + code, store_id=S1)
    await books.structure("CreateTerminal", till)
    await change_store(books, "L3")
    change = org_pb2.UpdateTerminalRequest(
        request_id="u" + code * 2, terminal_id=ids.to_edge("trm", ids.derive(GROUP, "terminal", "T" + code)),
        store_id=S1, is_open=True, reason="because of UpdateTerminal",
    )  # fmt: skip
    await books.structure("UpdateTerminal", change)
    rename = org_pb2.UpdateBusinessUnitRequest(
        request_id="b" + code * 2, business_unit_id=MALL, name="The Mall", reason="because of UpdateBusinessUnit"
    )
    await books.structure("UpdateBusinessUnit", rename)
    load = org_pb2.ImportStructureRequest(request_id="i" + code * 2, csv="kind,code,name\n", validate_only=True)
    await books.structure("ImportStructure", load)
    load = org_pb2.ImportStructureRequest(request_id="j" + code * 2, csv="kind,code,name\n")
    await books.structure("ImportStructure", load)
    call = books.people.apps.call
    create = org_pb2.CreateCredentialRequest(request_id="c" + code * 2, kind=org_pb2.CREDENTIAL_KIND_SYSTEM)
    key_id = (await call(books.credentials.CreateCredential, create, system())).credential.key_id
    many = org_pb2.CreateTerminalCredentialsRequest(request_id="x" + code * 2, terminal_codes=["T" + code])
    await call(books.credentials.CreateTerminalCredentials, many, system())
    rotate = org_pb2.RotateCredentialRequest(request_id="r" + code * 2, key_id=key_id)
    await call(books.credentials.RotateCredential, rotate, system())
    revoke = org_pb2.RevokeCredentialRequest(request_id="v" + code * 2, key_id=key_id)
    await call(books.credentials.RevokeCredential, revoke, system())
    person = await books.people.enrol(grant("AUDITOR"))
    token = await books.people.log_in(person)
    await books.people.open("LogOut", pb.LogOutRequest(session_token=token))
    for rpc in ("SetOperatorGrants", "EndOperatorSessions", "ResetOperator", "DisableOperator"):
        request = getattr(pb, f"{rpc}Request")(
            request_id=rpc + code, operator_id=person.operator_id, reason=f"because of {rpc}"
        )
        await books.people.call(rpc, request)
        await books.people.call(rpc, request)  # sent again: done once, recorded once
    entries = (await books.entries())[::-1]
    assert [entry.action for entry in entries] == [
        "CreateBusinessUnit", "CreateMerchant", "CreateStore", "CreateTerminal", "UpdateStore", "UpdateTerminal",
        "UpdateBusinessUnit", "ImportStructure",
        "CreateCredential", "CreateTerminalCredentials", "RotateCredential", "RevokeCredential",
        "InviteOperator", "CompleteEnrolment", "LogIn", "LogOut",
        "SetOperatorGrants", "EndOperatorSessions", "ResetOperator", "DisableOperator",
    ]  # fmt: skip
    assert [entry.reason for entry in entries[-4:]] == [
        f"because of {rpc}" for rpc in ("SetOperatorGrants", "EndOperatorSessions", "ResetOperator", "DisableOperator")
    ]
    renamed = entries[6]
    assert renamed.reason == "because of UpdateBusinessUnit" and list(renamed.subject_ids) == [MALL]
    before, after = json.loads(renamed.before_json), json.loads(renamed.after_json)
    assert {name for name in after if after[name] != before[name]} == {"name"}
    login = entries[14]
    assert (login.actor, login.via) == (person.operator_id, "10.0.0.1")
    assert await books.verify() == (len(entries), "")


async def test_what_fails_is_not_recorded(books: Books) -> None:
    for store_id in ("sto_" + "0" * 32, "nonsense"):
        with pytest.raises(AppError):
            request = org_pb2.UpdateStoreRequest(request_id=ids.new().hex, store_id=store_id, floor="L9")
            await books.structure("UpdateStore", request)
    person = await books.people.enrol()
    count = len(await books.entries())
    with pytest.raises(AppError):
        await books.people.open("LogIn", books.people.login(person, password="wrong horse battery"))
    assert len(await books.entries()) == count


async def test_changes_at_once_make_one_chain(books: Books) -> None:
    # Invitations take no lock of their own on the group, changes of the structure do.
    changes = [change_store(books, f"L{n}") for n in range(10)]
    await asyncio.gather(*changes, *(books.people.invite() for _ in range(10)))
    assert [entry.entry_no for entry in await books.entries()] == list(range(20, 0, -1))
    assert await books.verify() == (20, "")


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("UPDATE audit_entry SET after = replace(after, 'L2', 'L5') WHERE entry_no = 3", (3, "ENTRY_CHANGED")),
        ("UPDATE audit_entry SET actor = 'opr_2' WHERE entry_no = 1", (1, "ENTRY_CHANGED")),
        ("UPDATE audit_entry SET time = time + interval '1 microsecond' WHERE entry_no = 2", (2, "ENTRY_CHANGED")),
        ("UPDATE audit_entry SET reason = 'asked to' WHERE entry_no = 5", (5, "ENTRY_CHANGED")),
        ("UPDATE audit_entry SET hash = sha256('x') WHERE entry_no = 4", (4, "ENTRY_CHANGED")),
        ("UPDATE audit_entry SET previous_hash = sha256('x') WHERE entry_no = 4", (4, "CHAIN_BROKEN")),
        ("DELETE FROM audit_entry WHERE entry_no = 3", (3, "ENTRY_MISSING")),
        ("DELETE FROM audit_entry WHERE entry_no = 1", (1, "ENTRY_MISSING")),
        ("DELETE FROM audit_entry WHERE entry_no = 5", (5, "ENTRY_MISSING")),
        ("DELETE FROM audit_entry", (1, "ENTRY_MISSING")),
        ("DELETE FROM audit_entry WHERE entry_no = 3; UPDATE audit_entry SET entry_no = entry_no - 1 "
         "WHERE entry_no > 3", (3, "CHAIN_BROKEN")),
        ("UPDATE org_group SET audit_no = 4", (5, "HEAD_BEHIND")),
        ("UPDATE org_group SET audit_hash = sha256('x')", (5, "HEAD_DIFFERS")),
    ],
)  # fmt: skip
async def test_the_first_broken_entry_is_named(books: Books, sql: str, answer: tuple[int, str]) -> None:
    for number in range(5):
        await change_store(books, f"L{number}")
    assert await books.verify() == (5, "")
    await books.tamper(sql)
    assert await books.verify() == answer


async def test_a_chain_cut_off_with_its_head_is_noticed_by_who_noted_the_head(books: Books) -> None:
    for number in range(5):
        await change_store(books, f"L{number}")
    noted = (await books.entries())[0]
    # The head went out as an event, too.
    payload = await books.db.pool.fetchval(
        "SELECT payload FROM outbox WHERE type LIKE '%.AuditHeadMoved' ORDER BY xid::text::bigint DESC, id DESC LIMIT 1"
    )
    told = events_pb2.AuditHeadMoved.FromString(payload)
    assert (told.entry_no, told.hash.hex()) == (5, noted.hash)
    known = {"known_entry_no": noted.entry_no, "known_hash": noted.hash}
    assert await books.verify(**known) == (5, "")
    await books.tamper(
        """DELETE FROM audit_entry WHERE entry_no > 3; UPDATE org_group SET audit_no = 3,
           audit_hash = (SELECT hash FROM audit_entry WHERE entry_no = 3)"""
    )
    assert await books.verify() == (3, ""), "from within the database alone it cannot be told"
    assert await books.verify(**known) == (4, "ENTRY_MISSING")
    await change_store(books, "L8")
    await change_store(books, "L9")
    assert await books.verify(**known) == (5, "KNOWN_HEAD_DIFFERS")


async def test_a_long_chain_is_verified_call_by_call(books: Books) -> None:
    acts_of = books.people.apps.stub(acts_pb2_grpc.ActServiceStub, "org")
    now = Timestamp()
    now.GetCurrentTime()
    for _ in range(51):
        acts = [
            acts_pb2.Act(act_id=ids.new().hex, time=now, service="mall", action="ChangeItem", actor="opr_1")
            for _ in range(200)
        ]
        request = acts_pb2.RecordActsRequest(request_id=ids.new().hex, acts=acts)
        await books.people.apps.call(acts_of.RecordActs, request, internal("mall"))

    async def ask(**fields: Any) -> Any:
        request = audit_pb2.VerifyAuditRequest(**fields)
        # As long as the door would wait.
        return await books.people.apps.call(books.audit.VerifyAudit, request, system(), timeout_s=5)

    first = await ask()
    assert (first.is_intact, first.problem, first.entry_no) == (False, "", 10_000)
    assert (first.next.entry_no, first.next.hash) == (first.entry_no, first.hash)
    start = {"from_entry_no": first.next.entry_no, "from_hash": first.next.hash}
    last = await ask(**start)
    assert (last.is_intact, last.entry_no, last.HasField("next")) == (True, 10_200, False)
    # From the head itself nothing is left to do but to see that it is the head.
    head = {"from_entry_no": last.entry_no, "from_hash": last.hash}
    assert (await ask(**head)).is_intact
    # What was noted is looked for on either side of where the call begins.
    for number, hash in ((10_000, first.hash), (10_200, last.hash)):
        assert await books.verify(**start, known_entry_no=number, known_hash=hash) == (10_200, "")
        wrong = await books.verify(**start, known_entry_no=number, known_hash="0" * 64)
        assert wrong == (number, "KNOWN_HEAD_DIFFERS")
    assert await books.verify(**start, known_entry_no=10_201, known_hash=last.hash) == (10_201, "ENTRY_MISSING")
    assert await books.verify(known_entry_no=10_201, known_hash=last.hash) == (10_000, "")
    # A call begins only where the chain was as it says.
    assert await books.verify(from_entry_no=9_999, from_hash=first.hash) == (9_999, "KNOWN_HEAD_DIFFERS")
    assert await books.verify(from_entry_no=10_201, from_hash=last.hash) == (10_201, "ENTRY_MISSING")
    with pytest.raises(AppError) as refused:
        await ask(from_entry_no=10_000)
    assert refused.value.reason == "INVALID_ARGUMENT"
    await books.tamper("UPDATE audit_entry SET actor = 'opr_2' WHERE entry_no = 10100")
    assert await books.verify() == (10_000, "")
    assert await books.verify(**start) == (10_100, "ENTRY_CHANGED")
    await books.tamper("DELETE FROM audit_entry WHERE entry_no = 10000")
    assert await books.verify(**start) == (10_000, "ENTRY_MISSING")
    assert await books.verify() == (10_000, "ENTRY_MISSING")


@pytest.mark.parametrize(
    "sql", ["UPDATE audit_entry SET reason = ''", "DELETE FROM audit_entry", "TRUNCATE audit_entry"]
)
async def test_the_database_refuses_to_change_an_entry(books: Books, sql: str) -> None:
    await change_store(books, "L1")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await books.db.pool.execute(sql)
    with pytest.raises(asyncpg.RaiseError, match="never changed"):  # the owner has to switch a trigger off
        await books.people.apps.as_owner("org", sql)


async def test_the_invariants_see_gaps_and_breaks(books: Books) -> None:
    async def violated() -> list[str]:
        return [name for name, sql in INVARIANTS.items() if await books.db.pool.fetch(sql)]

    for number in range(4):
        await change_store(books, f"L{number}")
    assert await violated() == []
    await books.tamper("UPDATE audit_entry SET hash = sha256('x') WHERE entry_no = 2")
    assert await violated() == ["11 an audit entry continues the one before it"]
    await books.tamper("DELETE FROM audit_entry WHERE entry_no = 4")
    assert (await violated())[0] == "11 a group's audit has no gap, and ends at its head"


async def test_entries_are_found_by_what_they_are_about_page_by_page_and_group_by_group(books: Books) -> None:
    who = Caller(CallerKind.OPERATOR, "opr_1", GROUP, "ops_1", {"": "*"})
    for number in range(3):
        await change_store(books, f"L{number}", who)
    person = await books.people.invite()
    of_person = await books.entries(subject_id=person.operator.operator_id)
    assert [entry.action for entry in of_person] == ["InviteOperator"]
    assert [entry.entry_no for entry in await books.entries(actor="opr_1")] == [3, 2, 1]
    assert [entry.entry_no for entry in await books.entries(action="InviteOperator")] == [4]
    assert await books.entries(subject_id=S1[:-1]) == []
    assert await books.entries(subject_id="%") == []
    time = of_person[0].time
    assert len(await books.entries(before_time=time)) == 3
    assert len(await books.entries(after_time=time)) == 1
    call, seen, token = books.people.apps.call, [], ""
    while True:
        request = audit_pb2.ListAuditEntriesRequest(page_size=3, page_token=token)
        page = await call(books.audit.ListAuditEntries, request, system())
        seen += [entry.entry_no for entry in page.entries]
        token = page.next_page_token
        if not token:
            break
    assert seen == [4, 3, 2, 1]
    assert await books.entries(system(OTHER_GROUP)) == []
    assert await books.verify(internal("suite", OTHER_GROUP)) == (0, "")


def test_the_command_names_the_first_broken_entry(local_servers: Any, sandbox: Any, monkeypatch: Any) -> None:
    async def prepare() -> tuple[Any, str]:
        apps = Apps(sandbox)
        try:
            books = Books(await People(apps).start())
            for number in range(3):
                await change_store(books, f"L{number}", request_id=f"for-command-{number}-{ids.new().hex}")
            return apps.settings, (await books.entries())[0].hash
        finally:
            await apps.stop()

    settings, last = asyncio.run(prepare())
    monkeypatch.setattr("suite.audit.running_settings", lambda home: settings)
    monkeypatch.setenv("LANG", "C")

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["audit", "verify", *arguments])
        return result.exit_code, result.output

    async def sql(text: str) -> Any:
        connection = await asyncpg.connect(settings.owner_database_url("org"))
        try:
            return await connection.fetchval(text)
        finally:
            await connection.close()

    count = asyncio.run(sql("SELECT audit_no FROM org_group WHERE code = 'test-group'"))
    code, output = run()
    assert code == 0 and f"head {count}:{last}" in output and "other-group" in output
    head = ("--group", "test-group", "--head")
    assert run(*head, f"{count}:{last}")[0] == 0
    code, output = run(*head, f"{count + 1}:{last}")
    assert code == 1 and f"broken at entry {count + 1}: ENTRY_MISSING" in output
    assert run("--head", "x")[0] == 2
    code, output = run("--group", "nowhere")
    assert code == 1 and "There is no group nowhere." in output
    for statement in (SILENT, f"UPDATE audit_entry SET after = '{{}}' WHERE entry_no = {count - 1} AND reason = ''"):
        asyncio.run(sql(statement))
    code, output = run("--group", "test-group")
    assert code == 1 and f"broken at entry {count - 1}: ENTRY_CHANGED" in output
