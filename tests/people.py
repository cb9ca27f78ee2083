"""Operators for tests: invited, enrolled and logged in over gRPC."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from chassis import ids
from chassis.identity import Caller, CallerKind
from huitong.org.v1 import operators_pb2 as pb
from huitong.org.v1 import operators_pb2_grpc, org_pb2, org_pb2_grpc
from tests.apps import GROUP, Apps, internal, system

PASSWORD = "correct horse battery"
HEADER = "kind,code,name,parent_code,unit_kind,time_zone,currency_code,category,floor\n"
FILE = HEADER + (
    "unit,MALL,Mall,,mall,Asia/Shanghai,CNY,,\n"
    "unit,PARK,Car park,,parking,Asia/Shanghai,CNY,,\n"
    "merchant,M1,Grocer,MALL,,,,supermarket,\n"
    "merchant,M2,Baker,MALL,,,,bakery,\n"
    "store,S1,Grocer 1,M1,,,,,L1\n"
    "store,S2,Baker 1,M2,,,,,L1\n"
)
MALL = ids.to_edge("unt", ids.derive(GROUP, "unit", "MALL"))
PARK = ids.to_edge("unt", ids.derive(GROUP, "unit", "PARK"))
M1, M2 = (ids.to_edge("mch", ids.derive(GROUP, "merchant", code)) for code in ("M1", "M2"))
S1, S2 = (ids.to_edge("sto", ids.derive(GROUP, "store", code)) for code in ("S1", "S2"))


def grant(role: str, scope_id: str = "") -> pb.Grant:
    """`grant("MERCHANT_OWNER", M1)`"""
    return pb.Grant(role=f"ROLE_{role}", scope_id=scope_id)


def totp(secret: str, *, step: int = 0, now: float | None = None) -> str:
    """The code that an authenticator app shows, or shows `step` times 30 seconds later."""
    moment = int(time.time() if now is None else now) + 30 * step
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(moment).decode()


def public_from(address: str) -> Caller:
    """Somebody who has not logged in, at an address."""
    return Caller(CallerKind.PUBLIC, address)


@dataclass
class Person:
    """An operator with what they know and have."""

    operator_id: str
    login: str
    totp_secret: str
    password: str = PASSWORD


class People:
    """org with a structure, and the people who run it."""

    def __init__(self, apps: Apps) -> None:
        self.apps = apps
        self.db: Any = None
        self.operators = apps.stub(operators_pb2_grpc.OperatorServiceStub, "org")
        self.sessions = apps.stub(operators_pb2_grpc.OperatorSessionServiceStub, "org")
        self.structure = apps.stub(org_pb2_grpc.StructureServiceStub, "org")

    async def start(self) -> People:
        """Start org with two groups, and a structure in one of them."""
        self.db = (await self.apps.start("org"))["org"].db
        for code in ("test-group", "other-group"):
            request = org_pb2.CreateGroupRequest(request_id=f"create-{code}", code=code, name=code)
            await self.apps.call(self.structure.CreateGroup, request, internal("suite"))
        load = org_pb2.ImportStructureRequest(request_id="load-structure", csv=FILE)
        assert not (await self.apps.call(self.structure.ImportStructure, load, system())).errors
        await self.apps.as_owner("org", "TRUNCATE login_tries")
        return self

    async def call(self, rpc: str, request: Any, who: Caller | None = None) -> Any:
        """Call OperatorService, as a system of the group unless told otherwise."""
        return await self.apps.call(getattr(self.operators, rpc), request, who or system())

    async def open(self, rpc: str, request: Any, address: str = "10.0.0.1") -> Any:
        """Call OperatorSessionService as the public."""
        return await self.apps.call(getattr(self.sessions, rpc), request, public_from(address))

    async def invite(self, *grants: pb.Grant, login: str = "", group_id: UUID = GROUP) -> Any:
        """Invite somebody; the login is new when none is given."""
        request = pb.InviteOperatorRequest(
            request_id=ids.new().hex, login=login or f"p{ids.new().hex[-12:]}", name="Somebody", grants=grants
        )
        return await self.call("InviteOperator", request, system(group_id))

    async def hire(self, *grants: pb.Grant, group_id: UUID = GROUP) -> Caller:
        """Somebody as the gateway would hand them on; what they may do is in org's database."""
        invited = await self.invite(*grants, group_id=group_id)
        return Caller(CallerKind.OPERATOR, invited.operator.operator_id, group_id, "ops_1", {"": "*"})

    async def enrol(self, *grants: pb.Grant, group_id: UUID = GROUP) -> Person:
        """Somebody who can log in."""
        invited = await self.invite(*grants, group_id=group_id)
        return await self.take_up(invited)

    async def take_up(self, invited: Any, password: str = PASSWORD) -> Person:
        """Enrol with an invitation."""
        begun = await self.open("BeginEnrolment", pb.BeginEnrolmentRequest(invitation=invited.invitation))
        request = pb.CompleteEnrolmentRequest(
            invitation=invited.invitation, password=password, totp_code=totp(begun.totp_secret)
        )
        await self.open("CompleteEnrolment", request)
        person = Person(invited.operator.operator_id, invited.operator.login, begun.totp_secret, password)
        await self.forget_codes(person)
        return person

    async def forget_codes(self, person: Person) -> None:
        """As if half a minute had passed: the code that is shown now was not used yet."""
        operator_id = ids.from_edge("opr", person.operator_id, "")
        await self.db.pool.execute("UPDATE operator SET last_totp_step = NULL WHERE operator_id = $1", operator_id)

    def login(self, person: Person, **changes: Any) -> pb.LogInRequest:
        """The request by which the person logs in now."""
        fields: dict[str, Any] = {
            "group_code": "test-group",
            "login": person.login,
            "password": person.password,
            "totp_code": totp(person.totp_secret),
        }
        return pb.LogInRequest(**(fields | changes))

    async def log_in(self, person: Person, address: str = "10.0.0.1", **changes: Any) -> str:
        """A session's token."""
        await self.forget_codes(person)
        return (await self.open("LogIn", self.login(person, **changes), address)).session_token
