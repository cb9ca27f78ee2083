"""All services and the gateway in a thread of the test's process, with one group that has a little of everything."""

from __future__ import annotations

import asyncio
import copy
import re
import threading
import time
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any, TypeVar

import httpx
import orjson
import uvicorn
from pydantic import SecretStr

from chassis import ids
from chassis.config import SERVICES, Settings
from chassis.ended_sessions import gateway_prefix
from chassis.identity import (
    MEMBER_PROOF_SECONDS,
    PROOF_ID_SCOPE,
    PROOF_SCOPE,
    SESSION_SCOPE,
    Caller,
    CallerKind,
    access_tokens,
    proof_tokens,
)
from chassis.ids import from_edge, to_edge
from gateway import limits
from gateway.app import Parts, create_app
from gateway.auth.signing import sign_request
from gateway.contract import Contract
from gateway.openapi import describe
from gateway.routing import RouteTable, Template
from huitong.org.v1 import org_pb2, org_pb2_grpc
from services.org.operators.rules import PERMISSIONS
from suite.simulators.wechat import WeChatSimulator
from tests.apps import EVERY_PROOF, Apps, internal
from tests.people import People, grant
from tests.support import Sandbox

T = TypeVar("T")
CONTRACT = Contract.load()
DOCUMENT = describe(CONTRACT)
# One call after the other from one caller, faster than any real one: limits would answer instead of the services.
CALLS_PER_MINUTE = 6_000_000
# What the examples call the group.
GROUP_CODE = "example"
# Points of sales from there wait until somebody confirms them.
AWAITED = "folio"
TIERS = [{"code": "BASIC", "name": "Basic", "min_growth": 0, "earn_multiplier_bps": 10_000}]
RULES = {
    "effective_date": {"year": 2015, "month": 1, "day": 1},
    "base_points": 1,
    "base_step_minor": 100,
    "rules": [{"rule_id": "base", "kind": "RULE_KIND_BASE", "name": "Base"}],
    "expiry_months": 12,
    "family_pool_members": 5,
    "confirmation": {"sources": [AWAITED], "longest_wait_days": 30},
}
PARTNER_PERMISSIONS = sorted(
    {operation.permission for operation in CONTRACT.operations() if CallerKind.PARTNER in operation.audiences}
)


# By HTTP route, and by the path of the RPC.
_PROOFS = RouteTable(
    (verb, Template.parse(path), operation.proof)
    for operation in CONTRACT.operations()
    for verb, path in (("POST", operation.rpc), *((http.verb, http.template) for http in operation.http))
)


class _Gate(limits.Gate):
    def _ask(self, admission: Any) -> asyncio.Future[int]:
        return super()._ask(replace(admission, calls_per_minute=CALLS_PER_MINUTE))


class _Parts(Parts):
    @classmethod
    def of(cls, config: Settings) -> Parts:
        gate = _Gate(limits.open_valkey(config.redis_url), prefix=gateway_prefix(config.stream))
        return replace(super().of(config), gate=gate)


class WholeSuite:
    """Always `close()` it. Every method may be called from the test's own thread."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.port = sandbox.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.rpc_port = sandbox.free_port()
        self.ids: dict[str, str] = {}
        # Another of what may be closed, so that nothing else misses it.
        self.spare: dict[str, str] = {}
        self.keys: dict[CallerKind, tuple[str, str]] = {}
        self.apps = Apps(sandbox)
        # Of all groups, to be looked for in what was logged.
        self.secrets = _secrets(self.apps.settings)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="whole-suite", daemon=True)
        self._thread.start()
        self._servers: list[tuple[uvicorn.Server, asyncio.Task[None]]] = []
        try:
            self.run(self._start(sandbox))
        except BaseException:
            self.close()
            raise

    def run(self, work: Awaitable[T], timeout_s: float = 100) -> T:
        """Do `work` where the services run."""

        async def done() -> T:
            return await work

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(timeout_s)

    def close(self) -> None:
        """Stop everything."""
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def sign(self, kind: CallerKind, method: str, path: str, query: str, body: bytes) -> dict[str, str]:
        """The headers that make a request one of `kind`."""
        if kind is CallerKind.PUBLIC:
            return {}
        if kind is CallerKind.MEMBER:
            return self._member(method, path)
        if kind is CallerKind.OPERATOR:
            return {"Authorization": f"Bearer {self._session}"}
        key_id, secret = self.keys[kind]
        return sign_request(key_id=key_id, secret=secret, method=method, path=path, query=query, body=body)

    def _member(self, method: str, path: str) -> dict[str, str]:
        """A member with a fresh proof of what the door asks for."""
        member, found = self.callers[CallerKind.MEMBER], _PROOFS.find(method, path)
        session = {SESSION_SCOPE: member.scopes[SESSION_SCOPE]}
        headers = {"Authorization": f"Bearer {self._members.mint(replace(member, scopes=session))}"}
        if found and found[0]:
            shown = replace(member, scopes={**session, PROOF_SCOPE: found[0], PROOF_ID_SCOPE: ids.new().hex})
            headers["Huitong-Proof"] = self._proofs.mint_until(shown, time.time() + MEMBER_PROOF_SECONDS)
        return headers

    async def _start(self, sandbox: Sandbox) -> None:
        apps = self.apps
        provider = WeChatSimulator()
        provider.add_app("example", "example")
        provider_port = sandbox.free_port()
        await self._serve(provider.app(), provider_port)
        more: dict[str, Any] = {"gateway_port": self.port, "gateway_grpc_port": self.rpc_port}
        more |= {"wechat_url": f"http://127.0.0.1:{provider_port}"}
        apps.settings = settings = apps.settings.model_copy(update=more)
        await apps.start(*SERVICES)
        self._members, self._proofs = access_tokens(settings), proof_tokens(settings)
        await self._serve(create_app(settings, _Parts), self.port)
        await self._found(GROUP_CODE)

    def neighbour(self, code: str) -> WholeSuite:
        """Another group in the same suite, with the same things in it. It ends with the suite."""
        other = copy.copy(self)
        other.ids, other.spare, other.keys, other.callers = {}, {}, {}, {}
        self.run(other._found(code))
        return other

    async def _found(self, group_code: str) -> None:
        apps = self.apps
        structure = apps.stub(org_pb2_grpc.StructureServiceStub, "org")
        request = org_pb2.CreateGroupRequest(request_id=f"create-{group_code}", code=group_code, name="Whole")
        made = await apps.call(structure.CreateGroup, request, internal("suite"))
        self.keys[CallerKind.SYSTEM] = made.system_credential.key_id, made.secret
        self.secrets.add(made.secret)
        self.group_id = from_edge("grp", made.group.group_id, "group_id")
        async with httpx.AsyncClient(base_url=self.url, timeout=20) as client:
            await self._furnish(Doors(self, client))
        self.group_code = group_code
        await self._log_in("GROUP_ADMIN", "")

    def seen_by(self, role: str, scope_id: str) -> WholeSuite:
        """The same group, with another person of it as its operator."""
        other = copy.copy(self)
        other.callers = dict(self.callers)
        self.run(other._log_in(role, scope_id))
        return other

    async def _log_in(self, role: str, scope_id: str) -> None:
        people = People(self.apps)
        people.db = self.apps.running["org"].db
        person = await people.enrol(grant(role, scope_id), group_id=self.group_id)
        self._session = await people.log_in(person, group_code=self.group_code)
        self.callers[CallerKind.OPERATOR] = Caller(
            CallerKind.OPERATOR, person.operator_id, self.group_id, scopes={scope_id: PERMISSIONS[role]}
        )

    async def _serve(self, app: Any, port: int) -> None:
        config = uvicorn.Config(
            app, host="127.0.0.1", port=port, loop="none", http="httptools", log_config=None, access_log=False
        )
        server = uvicorn.Server(config)
        # Signals are the test run's own, so not `serve()`, which would take them.
        self._servers.append((server, asyncio.create_task(server._serve())))
        while not server.started:
            await asyncio.sleep(0.02)

    async def _stop(self) -> None:
        for server, task in reversed(self._servers):
            server.should_exit = True
            await task
        await self.apps.stop()

    async def _furnish(self, doors: Doors) -> None:
        await self._structure(doors)
        await self.apps.drain()
        await self._terms(doors)
        made = await doors.post("MemberService_JoinMember")
        member_id = self.ids["member_id"] = made["member"]["member_id"]
        scopes = {SESSION_SCOPE: to_edge("mss", ids.new()), PROOF_SCOPE: EVERY_PROOF}
        self.callers[CallerKind.MEMBER] = Caller(CallerKind.MEMBER, member_id, self.group_id, member_id, scopes)
        await self.apps.drain()
        await doors.make("sale_id", "sale_id", "SalesService_RecordSale")
        await doors.make("item_id", "item.item_id", "CatalogueService_CreateItem", benefit_code="")
        await doors.make("import_id", "member_import.import_id", "MemberImportService_CreateMemberImport")
        await doors.make("pool_id", "pool.pool_id", "FamilyPoolService_CreateFamilyPool")
        await doors.make("plate_no", "plate.plate_no", "VehicleService_BindPlate")
        await doors.make("draft_id", "draft.draft_id", "RuleDraftService_CreateRuleDraft", rule_set=RULES)
        await self._spare(doors)

    async def _spare(self, doors: Doors) -> None:
        made = await doors.post("MemberService_JoinMember", phone="+8613800000099")
        self.spare["member_id"] = made["member"]["member_id"]
        unit = "StructureService_CreateBusinessUnit"
        made = await doors.post(unit, code="SPARE", kind="UNIT_KIND_MALL")
        self.spare["business_unit_id"] = made["business_unit"]["business_unit_id"]
        made = await doors.post(
            "StructureService_CreateMerchant", code="SPARE", business_unit_id=self.spare["business_unit_id"]
        )
        self.spare["merchant_id"] = made["merchant"]["merchant_id"]
        made = await doors.post("StructureService_CreateStore", code="SPARE", merchant_id=self.spare["merchant_id"])
        self.spare["store_id"] = made["store"]["store_id"]

    async def _structure(self, doors: Doors) -> None:
        unit, store = "StructureService_CreateBusinessUnit", "StructureService_CreateStore"
        await doors.make("business_unit_id", "business_unit.business_unit_id", unit, code="MALL", kind="UNIT_KIND_MALL")
        await doors.make("car_park_id", "business_unit.business_unit_id", unit, code="CARS", kind="UNIT_KIND_PARKING")
        await doors.make("merchant_id", "merchant.merchant_id", "StructureService_CreateMerchant", code="GROCER")
        await doors.make("store_id", "store.store_id", store, code="S1")
        await doors.make("terminal_id", "terminal.terminal_id", "StructureService_CreateTerminal", code="T1")
        group = self.group_id
        subjects = {
            CallerKind.TERMINAL: "terminal_id",
            CallerKind.VENDOR: "car_park_id",
            CallerKind.MERCHANT: "merchant_id",
            CallerKind.PARTNER: "",
            CallerKind.SYSTEM: "",
        }
        for kind, name in subjects.items():
            subject_id = self.ids.get(name, "")
            made = await doors.post(
                "CredentialService_CreateCredential",
                kind=f"CREDENTIAL_KIND_{kind.name}",
                subject_id=subject_id,
                approval_id="",
                permissions=PARTNER_PERMISSIONS if kind is CallerKind.PARTNER else [],
                partner_code="AIRLINE" if kind is CallerKind.PARTNER else "",
            )
            self.secrets.add(made["secret"])
            if kind is CallerKind.SYSTEM:
                # The key that may be rotated and revoked is nobody's.
                self.ids["key_id"] = made["credential"]["key_id"]
            else:
                self.keys[kind] = made["credential"]["key_id"], made["secret"]
        self.callers = {
            CallerKind.SYSTEM: Caller(CallerKind.SYSTEM, self.keys[CallerKind.SYSTEM][0], group),
            CallerKind.TERMINAL: Caller(
                CallerKind.TERMINAL, self.ids["terminal_id"], group, bound_id=self.ids["store_id"]
            ),
            CallerKind.VENDOR: Caller(
                CallerKind.VENDOR, self.ids["car_park_id"], group, bound_id=self.ids["car_park_id"]
            ),
            CallerKind.MERCHANT: Caller(
                CallerKind.MERCHANT,
                self.ids["merchant_id"],
                group,
                bound_id=self.ids["merchant_id"],
                scopes={self.ids["store_id"]: ""},
            ),
            CallerKind.PARTNER: Caller(CallerKind.PARTNER, "ptn_1", group, scopes={"": " ".join(PARTNER_PERMISSIONS)}),
            CallerKind.PUBLIC: Caller(CallerKind.PUBLIC, "127.0.0.1"),
            CallerKind.INTERNAL: internal("suite", group),
        }
        # The terminal that may be closed is nobody's, either.
        await doors.make("terminal_id", "terminal.terminal_id", "StructureService_CreateTerminal", code="T2")

    async def _terms(self, doors: Doors) -> None:
        await doors.post("TierService_SetTierLadder", tiers=TIERS, effective_date=None)
        await doors.post("RuleService_PublishRuleSet", rule_set=RULES)


def _secrets(settings: Settings) -> set[str]:
    """What a process is told and tells nobody."""
    return {value.get_secret_value() for _, value in settings if isinstance(value, SecretStr) and value}


class Doors:
    """Sends the document's own examples, with real ids where there are some."""

    def __init__(self, suite: WholeSuite, client: httpx.AsyncClient) -> None:
        self._suite, self._client, self.count = suite, client, 0

    async def make(self, name: str, path: str, operation_id: str, **fields: Any) -> None:
        """Post, and keep the id at `path` of the answer."""
        found: Any = await self.post(operation_id, **fields)
        for part in path.split("."):
            found = found[part]
        self._suite.ids[name] = found

    async def get(self, path: str, query: str = "") -> dict[str, Any]:
        """What the group's system reads."""
        headers = self._suite.sign(CallerKind.SYSTEM, "GET", path, query, b"")
        answer = await self._client.get(path + (f"?{query}" if query else ""), headers=headers)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        found: dict[str, Any] = answer.json()
        return found

    async def post(self, operation_id: str, *, by: CallerKind = CallerKind.SYSTEM, **fields: Any) -> dict[str, Any]:
        """An operation's example with other fields, without those that are None; by the system if not told."""
        path, operation = next(
            (path, entry)
            for path, entries in DOCUMENT["paths"].items()
            for entry in entries.values()
            if entry["operationId"] == operation_id
        )
        self.count += 1
        example = operation["requestBody"]["content"]["application/json"]["example"]
        real = {name: value for name, value in self._suite.ids.items() if name in example}
        path = re.sub(r"\{(\w+)\}", lambda match: str(fields.pop(match[1], "") or self._suite.ids[match[1]]), path)
        sent = {**example, **real, "request_id": f"furnish-{self.count:06}", **fields}
        body = orjson.dumps({name: value for name, value in sent.items() if value is not None})
        headers = self._suite.sign(by, "POST", path, "", body)
        answer = await self._client.post(path, content=body, headers=headers | {"content-type": "application/json"})
        assert answer.status_code == 200, f"{operation_id}: {answer.text}"
        made: dict[str, Any] = answer.json()
        return made


def operations() -> list[dict[str, Any]]:
    """Every operation of the document."""
    return [entry for entries in DOCUMENT["paths"].values() for entry in entries.values()]
