"""SessionService and SimulatorService: proto → plain values → operation → proto."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from grpc.aio import ServicerContext as Context

from chassis import ids, pages
from chassis.crypto import Vault
from chassis.db import Database, Tx
from chassis.errors import InvalidArgument, Unimplemented
from chassis.identity import SESSION_SCOPE, Caller, CallerKind, TokenBook
from chassis.ids import to_edge
from chassis.rpc import caller
from huitong.member.v1 import member_pb2, member_pb2_grpc
from services.member import convert, errors
from services.member.operations import phone_index
from services.member.risk.gate import Entrant, JoinGate
from services.member.risk.operations import note_device
from services.member.sessions import operations, rules, store
from services.member.sessions.operations import Opened, Refusal
from services.member.sessions.providers import PURPOSE, CodeProvider
from services.member.sessions.rules import SESSION_PREFIX, Session


class TokenMaker:
    """Makes the tokens of a session."""

    def __init__(self, vault: Vault, access_tokens: TokenBook) -> None:
        self._vault, self._access_tokens = vault, access_tokens

    def of(self, session: Session) -> member_pb2.Tokens:
        """The tokens of its current generation."""
        edge = convert.member_edge(session.member_id)
        scopes = {SESSION_SCOPE: to_edge(SESSION_PREFIX, session.session_id)}
        access = self._access_tokens.mint(Caller(CallerKind.MEMBER, edge, session.group_id, edge, scopes))
        tokens = member_pb2.Tokens(
            access_token=access,
            refresh_token=rules.make_refresh_token(operations.token_key(self._vault), session),
        )
        tokens.access_expire_time.FromDatetime(rules.expire_time_of(access))
        return tokens


class SessionServicer(member_pb2_grpc.SessionServiceServicer):
    """Login of members."""

    def __init__(self, db: Database, vault: Vault, provider: CodeProvider, tokens: TokenMaker, gate: JoinGate) -> None:
        self._db, self._vault, self._provider, self._tokens, self._gate = db, vault, provider, tokens, gate

    async def StartLogin(
        self, request: member_pb2.StartLoginRequest, context: Context
    ) -> member_pb2.StartLoginResponse:
        """See the proto."""
        async with self._db.transaction(_nobody_of(request.group_code)) as tx:
            await operations.start_login(tx, self._vault, self._provider, phone=request.phone)
        return member_pb2.StartLoginResponse(retry_seconds=rules.RESEND_SECONDS)

    async def CompleteLogin(
        self, request: member_pb2.CompleteLoginRequest, context: Context
    ) -> member_pb2.CompleteLoginResponse:
        """See the proto."""
        nobody = _nobody_of(request.group_code)
        proof = {"phone": request.phone, "one_time_code": request.one_time_code}
        async with self._db.reading(nobody) as tx:
            is_right = await operations.is_code_of(tx, self._vault, **proof)
        if is_right:  # whoever guesses learns nothing of the deny list, and uses up nobody's limits
            await self._gate.check_login(caller(), nobody, Entrant(request.phone, request.device_id))
        async with self._db.transaction(nobody) as tx:
            outcome = await operations.complete_login(tx, self._vault, **proof)
            if isinstance(outcome, Opened):
                await note_device(tx, self._vault, outcome.member.member_id, request.device_id)
        if outcome is Refusal.WRONG:
            raise errors.LoginCodeWrong
        if outcome is Refusal.EXPIRED:
            raise errors.LoginCodeExpired
        return member_pb2.CompleteLoginResponse(
            member=convert.member_message(outcome.member), tokens=self._tokens.of(outcome.session)
        )

    async def RefreshSession(
        self, request: member_pb2.RefreshSessionRequest, context: Context
    ) -> member_pb2.RefreshSessionResponse:
        """See the proto."""
        async with self._db.transaction(caller()) as tx:
            session = await operations.refresh_session(tx, self._vault, request.refresh_token)
        if session is None:
            raise errors.SessionEnded
        return member_pb2.RefreshSessionResponse(tokens=self._tokens.of(session))

    async def EndSession(
        self, request: member_pb2.EndSessionRequest, context: Context
    ) -> member_pb2.EndSessionResponse:
        """See the proto."""
        async with self._db.transaction(caller()) as tx:
            await operations.end_session(tx, self._vault, request.refresh_token)
        return member_pb2.EndSessionResponse()

    async def EndAllSessions(
        self, request: member_pb2.EndAllSessionsRequest, context: Context
    ) -> member_pb2.EndAllSessionsResponse:
        """See the proto."""
        member_id = convert.member_id_of(request.member_id)

        async def operation(tx: Tx) -> member_pb2.EndAllSessionsResponse:
            count = await store.log_out(tx, member_id)
            return member_pb2.EndAllSessionsResponse(ended_session_count=count)

        return await self._db.run_once(request, member_pb2.EndAllSessionsResponse, operation)


class SimulatorServicer(member_pb2_grpc.SimulatorServiceServicer):
    """Shows what the simulated provider has sent; there is none in production mode."""

    def __init__(self, db: Database, vault: Vault, *, is_simulated: bool) -> None:
        self._db, self._vault, self._is_simulated = db, vault, is_simulated

    async def ListSentMessages(
        self, request: member_pb2.ListSentMessagesRequest, context: Context
    ) -> member_pb2.ListSentMessagesResponse:
        """See the proto."""
        if not self._is_simulated:
            raise Unimplemented
        size = pages.page_size(request.page_size)
        async with self._db.reading(caller()) as tx:
            index = phone_index(self._vault, tx.group_id, request.phone) if request.phone else None
            messages = await store.list_messages(
                tx, phone_index=index, before=_before(request.page_token), limit=size + 1
            )
        page, token = messages[:size], ""
        if len(messages) > size:
            token = pages.encode_token(page[-1].send_time.isoformat(), page[-1].message_id.hex)
        return member_pb2.ListSentMessagesResponse(messages=map(self._message, page), next_page_token=token)

    def _message(self, sent: store.SentMessage) -> member_pb2.SentMessage:
        message = member_pb2.SentMessage(
            message_id=to_edge("msg", sent.message_id),
            phone=self._vault.decrypt(PURPOSE, sent.sealed_phone, bound_to=sent.message_id),
            one_time_code=self._vault.decrypt(PURPOSE, sent.sealed_code, bound_to=sent.message_id),
            purpose=sent.purpose,
        )
        message.send_time.FromDatetime(sent.send_time)
        return message


def _nobody_of(group_code: str) -> Caller:
    """Somebody who has not logged in, in the group with this code; its id follows from the code, as org derives it."""
    return Caller(CallerKind.PUBLIC, "", ids.derive("group", group_code))


def _before(token: str) -> tuple[datetime, UUID] | None:
    if not token:
        return None
    time, message_id = pages.decode_token(token, 2)
    try:
        return datetime.fromisoformat(time), UUID(message_id)
    except ValueError:
        raise InvalidArgument([("page_token", "is not a token that this list gave")]) from None
