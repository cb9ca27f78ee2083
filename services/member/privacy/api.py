"""PrivacyService: proto → plain values → operation → proto."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from grpc.aio import ServicerContext as Context

from chassis.db import Database, Tx
from chassis.ids import to_edge
from chassis.pages import page_size
from chassis.rpc import caller
from huitong.common.v1 import types_pb2
from huitong.member.v1 import privacy_pb2 as pb
from huitong.member.v1 import privacy_pb2_grpc
from services.member import convert
from services.member.privacy import operations, store
from services.member.privacy.operations import Exports
from services.member.privacy.rules import Erasure, Settings, State


class PrivacyServicer(privacy_pb2_grpc.PrivacyServiceServicer):
    """Export and erasure. `wake` makes the job that drives erasures look at once."""

    def __init__(self, db: Database, exports: Exports, *, wake: Callable[[], None]) -> None:
        self._db, self._exports, self._wake = db, exports, wake

    async def GetPrivacySettings(
        self, request: pb.GetPrivacySettingsRequest, context: Context
    ) -> pb.GetPrivacySettingsResponse:
        """See the proto."""
        async with self._db.reading(caller()) as tx:
            settings = await store.get_settings(tx)
        return pb.GetPrivacySettingsResponse(settings=_settings(settings))

    async def SetPrivacySettings(
        self, request: pb.SetPrivacySettingsRequest, context: Context
    ) -> pb.SetPrivacySettingsResponse:
        """See the proto."""
        settings = Settings(request.settings.erasure_wait_hours, request.settings.birthday_change_limit)

        async def operation(tx: Tx) -> pb.SetPrivacySettingsResponse:
            tx.before = pb.SetPrivacySettingsResponse(settings=_settings(await store.get_settings(tx)))
            await operations.set_settings(tx, settings)
            return pb.SetPrivacySettingsResponse(settings=_settings(settings))

        return await self._db.run_once(request, pb.SetPrivacySettingsResponse, operation)

    async def ExportMemberData(
        self, request: pb.ExportMemberDataRequest, context: Context
    ) -> pb.ExportMemberDataResponse:
        """See the proto."""
        records, token = await self._exports.page(
            convert.member_id_of(request.member_id), token=request.page_token, size=page_size(request.page_size)
        )
        return pb.ExportMemberDataResponse(records=records, next_page_token=token)

    async def RequestErasure(self, request: pb.RequestErasureRequest, context: Context) -> pb.RequestErasureResponse:
        """See the proto."""
        member_id = convert.member_id_of(request.member_id)

        async def operation(tx: Tx) -> pb.RequestErasureResponse:
            one = await operations.request_erasure(tx, member_id, request_id=request.request_id)
            return pb.RequestErasureResponse(erasure=_message(one))

        response = await self._db.run_once(request, pb.RequestErasureResponse, operation)
        self._wake()
        return response

    async def WithdrawErasure(self, request: pb.WithdrawErasureRequest, context: Context) -> pb.WithdrawErasureResponse:
        """See the proto."""
        member_id = convert.member_id_of(request.member_id)

        async def operation(tx: Tx) -> pb.WithdrawErasureResponse:
            before, one = await operations.withdraw_erasure(tx, member_id)
            tx.before = pb.WithdrawErasureResponse(erasure=_message(before))
            return pb.WithdrawErasureResponse(erasure=_message(one))

        return await self._db.run_once(request, pb.WithdrawErasureResponse, operation)

    async def GetErasure(self, request: pb.GetErasureRequest, context: Context) -> pb.GetErasureResponse:
        """See the proto."""
        async with self._db.reading(caller()) as tx:
            one = await operations.get_erasure(tx, convert.member_id_of(request.member_id))
        return pb.GetErasureResponse(erasure=_message(one))


def _settings(settings: Settings) -> pb.PrivacySettings:
    return pb.PrivacySettings(
        erasure_wait_hours=settings.erasure_wait_hours, birthday_change_limit=settings.birthday_change_limit
    )


def _message(one: Erasure) -> pb.Erasure:
    message = pb.Erasure(
        erasure_id=to_edge("ers", one.erasure_id),
        member_id=convert.member_edge(one.member_id),
        state=one.state,  # type: ignore[arg-type]
        requested_by=one.requested_by,
        blockers=map(_blocker, one.blockers),
        confirmed_services=one.confirmed_services,
        open_services=[] if one.state == State.WITHDRAWN else one.open_services,
    )
    for name in ("request_time", "due_time", "begin_time", "done_time"):
        if (time := getattr(one, name)) is not None:
            getattr(message, name).FromDatetime(time)
    return message


def _blocker(kept: dict[str, Any]) -> pb.ErasureBlocker:
    fields = {name: kept[name] for name in ("reason", "message", "message_zh", "metadata")}
    return pb.ErasureBlocker(service=kept["service"], problem=types_pb2.Problem(**fields))
