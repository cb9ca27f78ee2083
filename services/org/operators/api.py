"""OperatorService and OperatorSessionService: proto → plain values → operation → proto."""

from __future__ import annotations

import time
from collections.abc import Callable

from grpc.aio import ServicerContext as Context

from chassis import ids, pages
from chassis.crypto import Vault
from chassis.db import Database, Tx
from chassis.errors import InvalidArgument, NotYours
from chassis.identity import Caller, CallerKind
from chassis.ids import from_edge
from chassis.rpc import caller
from huitong.org.v1 import operators_pb2 as pb
from huitong.org.v1 import operators_pb2_grpc
from services.org import rules as org_rules
from services.org.audit.operations import Audit
from services.org.convert import group_edge
from services.org.operators import convert, errors, operations, rules, store
from services.org.operators.passwords import Passwords
from services.org.operators.rules import Operator
from services.org.rules import Origin, origin_of

MOST_SESSIONS = 100


class OperatorServicer(operators_pb2_grpc.OperatorServiceServicer):
    """Operators of the caller's group."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db, self._vault, self._audit = db, vault, Audit(vault)

    async def InviteOperator(self, request: pb.InviteOperatorRequest, context: Context) -> pb.InviteOperatorResponse:
        """See the proto."""
        if not org_rules.is_plain(request.name):
            raise InvalidArgument([("name", "has control characters")])
        grants = convert.grants_of(request.grants)

        async def operation(tx: Tx) -> pb.InviteOperatorResponse:
            invited = await operations.invite(
                tx, self._vault, login=request.login, name=request.name, grants=grants, origin=origin_of(request)
            )
            message = convert.operator_message(*invited)
            await self._audit.record(tx, request, message.operator_id, after=message)
            return pb.InviteOperatorResponse(operator=message)

        response = await self._db.run_once(request, pb.InviteOperatorResponse, operation)
        response.invitation = await self._invitation(response.operator, origin_of(request))
        return response

    async def ListOperators(self, request: pb.ListOperatorsRequest, context: Context) -> pb.ListOperatorsResponse:
        """See the proto."""
        size = pages.page_size(request.page_size)
        after = pages.decode_token(request.page_token, 1)[0] if request.page_token else ""
        async with self._db.reading(caller()) as tx:
            found = await store.list_operators(tx, after_login=after, limit=size + 1)
            grants = await store.find_grants(tx, [one.operator_id for one in found])
        token = pages.encode_token(found[size - 1].login) if len(found) > size else ""
        messages = [convert.operator_message(one, grants[one.operator_id]) for one in found[:size]]
        return pb.ListOperatorsResponse(operators=messages, next_page_token=token)

    async def GetOperator(self, request: pb.GetOperatorRequest, context: Context) -> pb.GetOperatorResponse:
        """See the proto."""
        operator_id = from_edge("opr", request.operator_id, "operator_id")
        async with self._db.reading(caller()) as tx:
            found = await operations.get(tx, operator_id)
        return pb.GetOperatorResponse(operator=convert.operator_message(*found))

    async def SetOperatorGrants(
        self, request: pb.SetOperatorGrantsRequest, context: Context
    ) -> pb.SetOperatorGrantsResponse:
        """See the proto."""
        operator_id = from_edge("opr", request.operator_id, "operator_id")
        grants = convert.grants_of(request.grants)

        async def operation(tx: Tx) -> pb.SetOperatorGrantsResponse:
            one, old = await operations.lock(tx, operator_id)
            await operations.set_grants(tx, one, grants)
            after = convert.operator_message(*await operations.get(tx, operator_id))
            before = convert.operator_message(one, old)
            await self._audit.record(tx, request, request.operator_id, before=before, after=after)
            return pb.SetOperatorGrantsResponse(operator=after)

        return await self._db.run_once(request, pb.SetOperatorGrantsResponse, operation)

    async def DisableOperator(self, request: pb.DisableOperatorRequest, context: Context) -> pb.DisableOperatorResponse:
        """See the proto."""
        operator_id = from_edge("opr", request.operator_id, "operator_id")

        async def operation(tx: Tx) -> pb.DisableOperatorResponse:
            one, old = await operations.lock(tx, operator_id)
            await operations.disable(tx, one)
            after = convert.operator_message(*await operations.get(tx, operator_id))
            before = convert.operator_message(one, old)
            await self._audit.record(tx, request, request.operator_id, before=before, after=after)
            return pb.DisableOperatorResponse(operator=after)

        return await self._db.run_once(request, pb.DisableOperatorResponse, operation)

    async def ResetOperator(self, request: pb.ResetOperatorRequest, context: Context) -> pb.ResetOperatorResponse:
        """See the proto."""
        operator_id = from_edge("opr", request.operator_id, "operator_id")

        async def operation(tx: Tx) -> pb.ResetOperatorResponse:
            one, old = await operations.lock(tx, operator_id)
            await operations.reset(tx, self._vault, one, origin=origin_of(request))
            after = convert.operator_message(*await operations.get(tx, operator_id))
            before = convert.operator_message(one, old)
            await self._audit.record(tx, request, request.operator_id, before=before, after=after)
            return pb.ResetOperatorResponse(operator=after)

        response = await self._db.run_once(request, pb.ResetOperatorResponse, operation)
        response.invitation = await self._invitation(response.operator, origin_of(request))
        return response

    async def ListOperatorSessions(
        self, request: pb.ListOperatorSessionsRequest, context: Context
    ) -> pb.ListOperatorSessionsResponse:
        """See the proto."""
        operator_id = from_edge("opr", request.operator_id, "operator_id")
        async with self._db.reading(caller()) as tx:
            await operations.get(tx, operator_id)
            sessions = await store.list_sessions(tx, operator_id, limit=MOST_SESSIONS)
        return pb.ListOperatorSessionsResponse(sessions=map(convert.session_message, sessions))

    async def EndOperatorSessions(
        self, request: pb.EndOperatorSessionsRequest, context: Context
    ) -> pb.EndOperatorSessionsResponse:
        """See the proto."""
        operator_id = from_edge("opr", request.operator_id, "operator_id")

        async def operation(tx: Tx) -> pb.EndOperatorSessionsResponse:
            await operations.lock(tx, operator_id, may_be_own=True)
            response = pb.EndOperatorSessionsResponse(ended_count=await store.end_sessions(tx, operator_id))
            await self._audit.record(tx, request, request.operator_id, after=response)
            return response

        return await self._db.run_once(request, pb.EndOperatorSessionsResponse, operation)

    async def _invitation(self, one: pb.Operator, origin: Origin) -> str:
        """The invitation that a request made. Raises NotYours for an operator who did not make it.

        Otherwise whoever knows the request could enrol in the person's place.
        """
        operator_id, who = from_edge("opr", one.operator_id, "operator_id"), caller()
        if who.kind is CallerKind.OPERATOR:
            async with self._db.reading(who) as tx:
                invited, _ = await operations.get(tx, operator_id)
            if invited.invited_by != who.subject:
                raise NotYours(field="request_id")
        return operations.invitation_of(self._vault, operator_id, origin)


class OperatorSessionServicer(operators_pb2_grpc.OperatorSessionServiceServicer):
    """Enrolment and login. `clock` tells real time in unix seconds, for one-time codes."""

    def __init__(
        self, db: Database, vault: Vault, passwords: Passwords, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._db, self._vault, self._passwords, self._clock = db, vault, passwords, clock
        self._audit = Audit(vault)

    async def BeginEnrolment(self, request: pb.BeginEnrolmentRequest, context: Context) -> pb.BeginEnrolmentResponse:
        """See the proto."""
        async with self._db.transaction(caller()) as tx:
            one, secret = await operations.begin_enrolment(tx, self._vault, request.invitation)
        uri = rules.totp_uri(secret, login=one.login, issuer=operations.ISSUER)
        return pb.BeginEnrolmentResponse(login=one.login, totp_secret=secret, totp_uri=uri)

    async def CompleteEnrolment(
        self, request: pb.CompleteEnrolmentRequest, context: Context
    ) -> pb.CompleteEnrolmentResponse:
        """See the proto."""
        async with self._db.transaction(caller()) as tx:
            one = await operations.check_enrolment(
                tx,
                self._vault,
                invitation=request.invitation,
                password=request.password,
                code=request.totp_code,
                now=self._clock(),
            )
            one = await operations.complete_enrolment(tx, one, await self._passwords.hash(request.password))
            who = _operator_from(one, caller().subject)
            message = convert.operator_message(one, [])
            message.ClearField("grants")  # they are as they were
            await self._audit.record(tx, request, who.subject, after=message, who=who, group_id=one.group_id)
        return pb.CompleteEnrolmentResponse(login=one.login)

    async def LogIn(self, request: pb.LogInRequest, context: Context) -> pb.LogInResponse:
        """See the proto."""
        login, address = request.login.lower(), caller().subject
        nobody = Caller(CallerKind.PUBLIC, address, ids.derive("group", request.group_code))
        # Three steps: while a password is checked, which takes long, no connection is held.
        async with self._db.transaction(nobody) as tx:
            tried = await operations.take_try(tx, self._vault, login=login, address=address)
            known = await store.find_by_login(tx, login)
        password_hash = known.password_hash if known else None
        is_right = await self._passwords.fits(password_hash, request.password)
        new_hash = None
        if is_right and password_hash and self._passwords.is_outdated(password_hash):
            new_hash = await self._passwords.hash(request.password)
        async with self._db.transaction(nobody) as tx:
            opened = await operations.open_session(
                tx,
                self._vault,
                tried,
                known=known,
                is_password_right=is_right,
                code=request.totp_code,
                now=self._clock(),
                address=address,
                new_password_hash=new_hash,
            )
            if opened:
                session = convert.session_message(opened.session)
                who = _operator_from(opened.operator, address)
                await self._audit.record(tx, request, who.subject, session.session_id, after=session, who=who)
        if opened is None:
            raise errors.LoginRefused
        response = pb.LogInResponse(
            session_token=opened.token, operator=convert.operator_message(opened.operator, opened.grants)
        )
        response.expire_time.FromDatetime(opened.session.expire_time)
        return response

    async def LogOut(self, request: pb.LogOutRequest, context: Context) -> pb.LogOutResponse:
        """See the proto."""
        async with self._db.transaction(caller()) as tx:
            ended = await store.end_session(tx, rules.token_hash(request.session_token))
            if ended:
                group_id, operator_id, session_id = ended
                who = Caller(
                    CallerKind.OPERATOR, convert.operator_edge(operator_id), bound_id=convert.session_edge(session_id)
                )
                await self._audit.record(tx, request, who.subject, who.bound_id, who=who, group_id=group_id)
        return pb.LogOutResponse()

    async def GetOperatorSession(
        self, request: pb.GetOperatorSessionRequest, context: Context
    ) -> pb.GetOperatorSessionResponse:
        """See the proto."""
        async with self._db.transaction(caller()) as tx:
            found = await store.use_session(tx, request.token_hash)
            if found is None:
                raise errors.SessionUnknown
            group_id, session = found
            grants = (await store.find_grants(tx, [session.operator_id]))[session.operator_id]
        return pb.GetOperatorSessionResponse(
            group_id=group_edge(group_id),
            operator_id=convert.operator_edge(session.operator_id),
            session_id=convert.session_edge(session.session_id),
            permissions=rules.permissions_of(grants),
        )


def _operator_from(one: Operator, address: str) -> Caller:
    """The operator as the audit names somebody who has no session yet: by the address that they came from."""
    return Caller(CallerKind.OPERATOR, convert.operator_edge(one.operator_id), one.group_id, bound_id=address)
