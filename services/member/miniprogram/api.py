"""MiniProgramService: proto → plain values → operation → proto."""

from __future__ import annotations

import time
from uuid import UUID

from grpc.aio import ServicerContext as Context

from chassis import pages
from chassis.crypto import Vault
from chassis.db import Database, Tx
from chassis.identity import Caller, CallerKind
from chassis.ids import to_edge
from chassis.rpc import caller
from huitong.member.v1 import miniprogram_pb2, miniprogram_pb2_grpc
from services.member import convert
from services.member.errors import MemberUnknown
from services.member.miniprogram import operations, store
from services.member.miniprogram.errors import MiniProgramTicketExpired, MiniProgramUnknown
from services.member.miniprogram.rules import make_ticket, read_ticket
from services.member.miniprogram.store import MiniProgram
from services.member.miniprogram.wechat import WeChat, WeChatUser
from services.member.risk.gate import Entrant, JoinGate
from services.member.risk.operations import note_device
from services.member.sessions.api import TokenMaker


class MiniProgramServicer(miniprogram_pb2_grpc.MiniProgramServiceServicer):
    """Mini-programs, and the login through them."""

    def __init__(self, db: Database, vault: Vault, wechat: WeChat, tokens: TokenMaker, gate: JoinGate) -> None:
        self._db, self._vault, self._wechat, self._tokens, self._gate = db, vault, wechat, tokens, gate

    async def SetMiniProgram(
        self, request: miniprogram_pb2.SetMiniProgramRequest, context: Context
    ) -> miniprogram_pb2.SetMiniProgramResponse:
        """See the proto."""

        async def operation(tx: Tx) -> miniprogram_pb2.SetMiniProgramResponse:
            saved = await operations.set_mini_program(
                tx, self._vault, app_id=request.app_id, app_secret=request.app_secret
            )
            return miniprogram_pb2.SetMiniProgramResponse(mini_program=_message(saved))

        return await self._db.run_once(request, miniprogram_pb2.SetMiniProgramResponse, operation)

    async def ListMiniPrograms(
        self, request: miniprogram_pb2.ListMiniProgramsRequest, context: Context
    ) -> miniprogram_pb2.ListMiniProgramsResponse:
        """See the proto."""
        size = pages.page_size(request.page_size)
        after = pages.decode_token(request.page_token, 1)[0] if request.page_token else ""
        async with self._db.reading(caller()) as tx:
            found = await store.list_mini_programs(tx, after_app_id=after, limit=size + 1)
        token = pages.encode_token(found[size - 1].app_id) if len(found) > size else ""
        return miniprogram_pb2.ListMiniProgramsResponse(
            mini_programs=map(_message, found[:size]), next_page_token=token
        )

    async def LogInByMiniProgram(
        self, request: miniprogram_pb2.LogInByMiniProgramRequest, context: Context
    ) -> miniprogram_pb2.LogInByMiniProgramResponse:
        """See the proto."""
        async with self._db.reading(caller()) as tx:
            program = await store.find_mini_program(tx, request.app_id)
        if program is None:
            raise MiniProgramUnknown
        credentials, nobody = operations.credentials_of(self._vault, program), _nobody_in(program.group_id)
        if request.WhichOneof("proof") == "link_ticket":
            user = read_ticket(self._vault, program.app_id, request.link_ticket, now_s=time.time())
            if user is None:
                raise MiniProgramTicketExpired
        else:
            user = await self._wechat.user_behind(credentials, request.login_code)
        accounts = operations.identities(nobody.group_id, self._vault, program.app_id, user)
        await self._gate.check_login(caller(), nobody, Entrant(device_id=request.device_id, accounts=accounts))
        async with self._db.transaction(nobody) as tx:
            opened = await operations.log_in_known(tx, self._vault, program.app_id, user)
            if opened is not None:
                await note_device(tx, self._vault, opened.member.member_id, request.device_id)
        if opened is None and request.phone_code:
            phone = await self._wechat.phone_behind(credentials, request.phone_code)
            await self._gate.check_login(caller(), nobody, Entrant(phone, request.device_id))
            async with self._db.transaction(nobody) as tx:
                opened = await operations.log_in_with_phone(tx, self._vault, program.app_id, user, phone)
                await note_device(tx, self._vault, opened.member.member_id, request.device_id)
        if opened is None:
            ticket = make_ticket(self._vault, program.app_id, user, now_s=time.time())
            return miniprogram_pb2.LogInByMiniProgramResponse(link_ticket=ticket)
        return miniprogram_pb2.LogInByMiniProgramResponse(
            member=convert.member_message(opened.member), tokens=self._tokens.of(opened.session)
        )

    async def GetMiniProgramMember(
        self, request: miniprogram_pb2.GetMiniProgramMemberRequest, context: Context
    ) -> miniprogram_pb2.GetMiniProgramMemberResponse:
        """See the proto."""
        user = WeChatUser(request.openid, "")
        async with self._db.reading(caller()) as tx:
            member_id = await operations.member_behind(tx, self._vault, request.app_id, user)
        if member_id is None:
            raise MemberUnknown
        return miniprogram_pb2.GetMiniProgramMemberResponse(member_id=to_edge("mbr", member_id))


def _nobody_in(group_id: UUID) -> Caller:
    """Somebody who has not logged in."""
    return Caller(CallerKind.PUBLIC, "", group_id)


def _message(program: MiniProgram) -> miniprogram_pb2.MiniProgram:
    message = miniprogram_pb2.MiniProgram(app_id=program.app_id)
    message.update_time.FromDatetime(program.update_time)
    return message
