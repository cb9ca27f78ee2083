"""PaymentNoticeService: proto → operation → proto."""

from __future__ import annotations

from grpc.aio import ServicerContext as Context

from chassis import ids, pages
from chassis.crypto import Vault
from chassis.db import Database, Tx
from chassis.rpc import caller
from huitong.points.v1 import payment_notices_pb2 as pb
from huitong.points.v1 import payment_notices_pb2_grpc
from services.points.payment_notices import queries
from services.points.payment_notices.operations import PaymentNotices, set_source
from services.points.payment_notices.queries import NoticeSource


class PaymentNoticeServicer(payment_notices_pb2_grpc.PaymentNoticeServiceServicer):
    """Sources of notices, and the notices."""

    def __init__(self, database: Database, vault: Vault, notices: PaymentNotices) -> None:
        self._db, self._vault, self._notices = database, vault, notices

    async def SetNoticeSource(self, request: pb.SetNoticeSourceRequest, context: Context) -> pb.SetNoticeSourceResponse:
        """See the proto."""

        async def operation(tx: Tx) -> pb.SetNoticeSourceResponse:
            return pb.SetNoticeSourceResponse(notice_source=_message(await set_source(tx, self._vault, request)))

        return await self._db.run_once(request, pb.SetNoticeSourceResponse, operation)

    async def ListNoticeSources(
        self, request: pb.ListNoticeSourcesRequest, context: Context
    ) -> pb.ListNoticeSourcesResponse:
        """See the proto."""
        size = pages.page_size(request.page_size)
        after = pages.decode_token(request.page_token, 1)[0] if request.page_token else ""
        async with self._db.reading(caller()) as tx:
            found = await queries.list_sources(tx, after_mch_id=after, limit=size + 1)
        token = pages.encode_token(found[size - 1].mch_id) if len(found) > size else ""
        return pb.ListNoticeSourcesResponse(notice_sources=map(_message, found[:size]), next_page_token=token)

    async def ReceiveMallNotice(
        self, request: pb.ReceiveMallNoticeRequest, context: Context
    ) -> pb.ReceiveMallNoticeResponse:
        """See the proto."""
        await self._notices.receive(request)
        return pb.ReceiveMallNoticeResponse(code="SUCCESS", message="OK")


def _message(source: NoticeSource) -> pb.NoticeSource:
    edge = ids.to_edge("nts", source.notice_source_id)
    message = pb.NoticeSource(
        notice_source_id=edge,
        mch_id=source.mch_id,
        serials=sorted(source.platform_keys),
        path=f"/v1/notice-sources/{edge}/notices",
    )
    message.update_time.FromDatetime(source.update_time)
    return message
