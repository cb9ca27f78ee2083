"""Keys of machines, over gRPC on a real database."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import UUID

import pytest

from chassis import ids
from chassis.errors import AppError
from huitong.org.v1 import org_pb2, org_pb2_grpc
from tests.apps import GROUP, Apps, internal, system

OTHER_GROUP = ids.derive("group", "other-group")
HEADER = "kind,code,name,parent_code,unit_kind,time_zone,currency_code,category,floor\n"
FILE = HEADER + (
    "unit,MALL,Mall,,mall,Asia/Shanghai,CNY,,\n"
    "unit,PARK,Car park,,parking,Asia/Shanghai,CNY,,\n"
    "merchant,M1,Grocer,MALL,,,,supermarket,\n"
    "store,S1,Grocer 1,M1,,,,,L1\n"
)
TERMINAL = org_pb2.CREDENTIAL_KIND_TERMINAL
VENDOR = org_pb2.CREDENTIAL_KIND_VENDOR
SYSTEM = org_pb2.CREDENTIAL_KIND_SYSTEM


def edge(prefix: str, kind: str, code: str) -> str:
    return ids.to_edge(prefix, ids.derive(GROUP, kind, code))


class Keys:
    """org with a mall, a car park, and terminals."""

    def __init__(self, apps: Apps) -> None:
        self.apps = apps
        self.db: Any = None
        self.structure = apps.stub(org_pb2_grpc.StructureServiceStub, "org")
        self.credentials = apps.stub(org_pb2_grpc.CredentialServiceStub, "org")

    async def start(self, terminal_count: int = 3) -> Keys:
        self.db = (await self.apps.start("org"))["org"].db
        for code in ("test-group", "other-group"):
            request = org_pb2.CreateGroupRequest(request_id=f"create-{code}", code=code, name=code)
            await self.apps.call(self.structure.CreateGroup, request, internal("suite"))
        terminals = "".join(f"terminal,T{number},,S1,,,,,\n" for number in range(terminal_count))
        load = org_pb2.ImportStructureRequest(request_id=ids.new().hex, csv=FILE + terminals)
        assert not (await self.apps.call(self.structure.ImportStructure, load, system())).errors
        return self

    async def call(self, rpc: str, request: Any, group_id: UUID = GROUP) -> Any:
        return await self.apps.call(getattr(self.credentials, rpc), request, system(group_id))

    async def create(self, kind: Any, subject_id: str = "", group_id: UUID = GROUP) -> Any:
        request = org_pb2.CreateCredentialRequest(request_id=ids.new().hex, kind=kind, subject_id=subject_id)
        return await self.call("CreateCredential", request, group_id)

    async def look_up(self, key_id: str) -> Any:
        request = org_pb2.GetCredentialSecretRequest(key_id=key_id)
        nobody = internal("gateway", UUID(int=0))
        return await self.apps.call(self.credentials.GetCredentialSecret, request, nobody)

    async def rotate(self, key_id: str, overlap_seconds: int) -> str:
        request = org_pb2.RotateCredentialRequest(
            request_id=ids.new().hex, key_id=key_id, overlap_seconds=overlap_seconds
        )
        response = await self.call("RotateCredential", request)
        assert await self.call("RotateCredential", request) == response
        return response.secret


@pytest.fixture
async def keys(apps: Apps) -> Keys:
    return await Keys(apps).start()


async def refusal(call: Any) -> str:
    with pytest.raises(AppError) as refused:
        await call
    return refused.value.reason


async def test_gateway_learns_whom_a_key_stands_for(keys: Keys) -> None:
    made = await keys.create(TERMINAL, edge("trm", "terminal", "T0"))
    found = await keys.look_up(made.credential.key_id)
    assert found.kind == TERMINAL
    assert found.group_id == ids.to_edge("grp", GROUP)
    assert (found.subject_id, found.bound_id) == (edge("trm", "terminal", "T0"), edge("sto", "store", "S1"))
    assert dict(found.scopes) == {
        "merchant_id": edge("mch", "merchant", "M1"),
        "business_unit_id": edge("unt", "unit", "MALL"),
    }
    assert list(found.secrets) == [made.secret]

    made = await keys.create(VENDOR, edge("unt", "unit", "PARK"))
    found = await keys.look_up(made.credential.key_id)
    assert (found.subject_id, found.bound_id) == (edge("unt", "unit", "PARK"),) * 2

    made = await keys.create(SYSTEM)
    found = await keys.look_up(made.credential.key_id)
    assert (found.subject_id, found.bound_id, dict(found.scopes)) == (made.credential.key_id, "", {})
    assert made.credential.subject_id == ids.to_edge("grp", GROUP)


async def test_retry_answers_the_same_secret_also_after_a_rotation(keys: Keys) -> None:
    request = org_pb2.CreateCredentialRequest(request_id="create-credential-1", kind=SYSTEM, name="ERP")
    answers = await asyncio.gather(*(keys.call("CreateCredential", request) for _ in range(10)))
    assert all(answer == answers[0] for answer in answers)
    await keys.rotate(answers[0].credential.key_id, 0)
    assert await keys.call("CreateCredential", request) == answers[0]


async def test_requests_of_two_rpcs_may_have_ids_that_look_alike(keys: Keys) -> None:
    request = org_pb2.CreateCredentialRequest(request_id="rotate:abcdefgh", kind=SYSTEM)
    made = await keys.call("CreateCredential", request)
    secrets = {made.secret}
    for request_id in ("abcdefgh", "rotate:abcdefgh"):
        rotate = org_pb2.RotateCredentialRequest(request_id=request_id, key_id=made.credential.key_id)
        rotated = await keys.call("RotateCredential", rotate)
        assert await keys.call("RotateCredential", rotate) == rotated
        secrets.add(rotated.secret)
    assert len(secrets) == 3
    assert await keys.call("CreateCredential", request) == made
    # The group's first key and that of a terminal.
    load = org_pb2.ImportStructureRequest(request_id="import-alike", csv=HEADER + "terminal,group,,S1,,,,,\n")
    await keys.apps.call(keys.structure.ImportStructure, load, system())
    bulk = org_pb2.CreateTerminalCredentialsRequest(request_id="create-test-group", terminal_codes=["group"])
    (one,) = (await keys.call("CreateTerminalCredentials", bulk)).credentials
    assert list((await keys.look_up(one.key_id)).secrets) == [one.secret]


async def test_secret_is_nowhere_in_the_database(keys: Keys) -> None:
    secrets = [(await keys.create(SYSTEM)).secret]
    request = org_pb2.CreateTerminalCredentialsRequest(request_id="bulk-secret-1", terminal_codes=["T0", "T1"])
    secrets += [one.secret for one in (await keys.call("CreateTerminalCredentials", request)).credentials]
    tables = [row[0] for row in await keys.db.pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    for table in tables:
        for row in await keys.db.pool.fetch(f"SELECT * FROM {table}"):
            for value in row.values():
                content = value if isinstance(value, bytes) else str(value).encode()
                assert not any(secret.encode() in content for secret in secrets), table


async def test_a_thousand_terminals_get_keys_in_one_quick_call(apps: Apps) -> None:
    keys = await Keys(apps).start(terminal_count=1000)
    codes = [f"T{number}" for number in range(999, -1, -1)]
    request = org_pb2.CreateTerminalCredentialsRequest(request_id="bulk-1000", terminal_codes=codes)
    started = time.monotonic()
    made = await keys.call("CreateTerminalCredentials", request)
    assert time.monotonic() - started < 5  # a query per terminal takes longer on the slowest machine we know
    assert [one.terminal_code for one in made.credentials] == codes
    assert len({one.secret for one in made.credentials}) == len({one.key_id for one in made.credentials}) == 1000
    assert await keys.call("CreateTerminalCredentials", request) == made
    found = await keys.look_up(made.credentials[7].key_id)
    assert list(found.secrets) == [made.credentials[7].secret]
    assert found.bound_id == made.credentials[7].store_id


async def test_two_secrets_at_most_overlap_and_the_old_one_ends(keys: Keys) -> None:
    made = await keys.create(SYSTEM)
    key_id = made.credential.key_id
    second = await keys.rotate(key_id, 3600)
    assert list((await keys.look_up(key_id)).secrets) == [second, made.secret]
    third = await keys.rotate(key_id, 1)
    assert list((await keys.look_up(key_id)).secrets) == [third, second]
    await asyncio.sleep(1.1)
    assert list((await keys.look_up(key_id)).secrets) == [third]
    fourth = await keys.rotate(key_id, 0)
    assert list((await keys.look_up(key_id)).secrets) == [fourth]


async def test_revoked_key_has_no_secret_and_stays_revoked(keys: Keys) -> None:
    key_id = (await keys.create(SYSTEM)).credential.key_id
    await keys.apps.as_owner("org", "TRUNCATE outbox")
    for attempt in range(2):
        request = org_pb2.RevokeCredentialRequest(request_id=f"revoke-{key_id}-{attempt}", key_id=key_id)
        assert (await keys.call("RevokeCredential", request)).credential.is_revoked
    found = await keys.look_up(key_id)
    assert (found.is_revoked, list(found.secrets)) == (True, [])
    assert await refusal(keys.rotate(key_id, 60)) == "CREDENTIAL_REVOKED"
    events = await keys.db.pool.fetch("SELECT type, key FROM outbox WHERE type NOT LIKE '%.AuditHeadMoved'")
    assert [(row["type"], row["key"]) for row in events] == [("huitong.org.v1.CredentialRevoked", key_id)]


async def test_the_keys_of_a_closed_terminal_do_not_work_until_it_is_opened(keys: Keys) -> None:
    terminal_id, store_id = edge("trm", "terminal", "T0"), edge("sto", "store", "S1")
    made = await keys.create(TERMINAL, terminal_id)

    async def set_open(is_open: bool) -> None:
        request = org_pb2.UpdateTerminalRequest(
            request_id=ids.new().hex, terminal_id=terminal_id, store_id=store_id, is_open=is_open
        )
        await keys.apps.call(keys.structure.UpdateTerminal, request, system())

    await set_open(False)
    found = await keys.look_up(made.credential.key_id)
    assert (found.is_revoked, list(found.secrets)) == (True, [])
    assert await refusal(keys.create(TERMINAL, terminal_id)) == "TERMINAL_CLOSED"
    bulk = org_pb2.CreateTerminalCredentialsRequest(request_id="closed-bulk", terminal_codes=["T1", "T0"])
    assert await refusal(keys.call("CreateTerminalCredentials", bulk)) == "TERMINAL_CLOSED"
    await set_open(True)
    found = await keys.look_up(made.credential.key_id)
    assert (found.is_revoked, list(found.secrets)) == (False, [made.secret])


async def test_only_the_gateway_reads_secrets(keys: Keys) -> None:
    key_id = (await keys.create(SYSTEM)).credential.key_id
    request = org_pb2.GetCredentialSecretRequest(key_id=key_id)
    for who in (internal("member"), system()):
        call = keys.apps.call(keys.credentials.GetCredentialSecret, request, who)
        assert await refusal(call) == "PERMISSION_DENIED"
    for unknown in (ids.to_edge("key", ids.new()), "key_", "nonsense", "key_a\x00"):
        assert await refusal(keys.look_up(unknown)) == "CREDENTIAL_UNKNOWN"


async def test_foreign_or_unfit_subjects_are_refused(keys: Keys) -> None:
    own_terminal, car_park = edge("trm", "terminal", "T0"), edge("unt", "unit", "PARK")
    key_id = (await keys.create(SYSTEM)).credential.key_id
    assert await refusal(keys.create(TERMINAL, own_terminal, OTHER_GROUP)) == "TERMINAL_UNKNOWN"
    assert await refusal(keys.create(VENDOR, car_park, OTHER_GROUP)) == "BUSINESS_UNIT_UNKNOWN"
    assert await refusal(keys.create(VENDOR, edge("unt", "unit", "MALL"))) == "NOT_A_CAR_PARK"
    assert await refusal(keys.create(TERMINAL, car_park)) == "INVALID_ARGUMENT"
    assert await refusal(keys.create(SYSTEM, car_park)) == "INVALID_ARGUMENT"
    bulk = org_pb2.CreateTerminalCredentialsRequest(request_id="foreign-bulk", terminal_codes=["T0"])
    assert await refusal(keys.call("CreateTerminalCredentials", bulk, OTHER_GROUP)) == "TERMINAL_UNKNOWN"
    for codes, reason in ((["T0", "T0"], "INVALID_ARGUMENT"), (["T0", "a\x00"], "TERMINAL_UNKNOWN")):
        bulk = org_pb2.CreateTerminalCredentialsRequest(request_id="unfit-bulk", terminal_codes=codes)
        assert await refusal(keys.call("CreateTerminalCredentials", bulk)) == reason
    revoke = org_pb2.RevokeCredentialRequest(request_id="foreign-revoke", key_id=key_id)
    assert await refusal(keys.call("RevokeCredential", revoke, OTHER_GROUP)) == "CREDENTIAL_UNKNOWN"
    rotate = org_pb2.RotateCredentialRequest(request_id="foreign-rotate", key_id=key_id)
    assert await refusal(keys.call("RotateCredential", rotate, OTHER_GROUP)) == "CREDENTIAL_UNKNOWN"


async def test_credentials_are_listed_newest_first_without_secrets(keys: Keys) -> None:
    await keys.apps.as_owner("org", "TRUNCATE credential, credential_secret")
    made = [(await keys.create(SYSTEM)).credential.key_id for _ in range(5)]
    seen, token = [], ""
    while True:
        page = await keys.call("ListCredentials", org_pb2.ListCredentialsRequest(page_size=2, page_token=token))
        seen += [one.key_id for one in page.credentials]
        token = page.next_page_token
        if not token:
            break
    assert seen == made[::-1]
    assert not (await keys.call("ListCredentials", org_pb2.ListCredentialsRequest(), OTHER_GROUP)).credentials
    request = org_pb2.ListCredentialsRequest(page_token="WyJhIiwiYiJd")
    assert await refusal(keys.call("ListCredentials", request)) == "INVALID_ARGUMENT"
