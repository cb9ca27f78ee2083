"""From a platform's notice to a sale, or a return of one."""

from __future__ import annotations

import time
from datetime import datetime
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from chassis import ids, rpc
from chassis.crypto import Vault
from chassis.db import Database, Tx
from chassis.errors import AppError
from chassis.identity import Caller, CallerKind
from huitong.common.v1 import types_pb2
from huitong.member.v1 import miniprogram_pb2, miniprogram_pb2_grpc
from huitong.points.v1 import payment_notices_pb2 as pb
from huitong.points.v1 import points_pb2
from services.points.doors.operations import payment_key_of
from services.points.earning.earning import sale_id_of
from services.points.lookup import Lookup
from services.points.operations import Sales
from services.points.payment_notices import queries
from services.points.payment_notices.errors import NoticeInvalid, NoticeSourceUnknown
from services.points.payment_notices.queries import NoticeSource
from services.points.payment_notices.rules import Notice, Payment, Refund, check_signature, open_notice, read_key
from services.points.refunds import Refunds

KEY_PURPOSE = "points.notice-source"
SOURCE, PROVIDER = "payment-notice", "wechat-pay"
CURRENCY = "CNY"
RECORD_SECONDS = 4.0


async def set_source(tx: Tx, vault: Vault, request: pb.SetNoticeSourceRequest) -> NoticeSource:
    """Keep what a merchant number's notices are verified and opened with. Raises NoticeKeyInvalid."""
    for key in request.platform_keys:
        read_key(key.serial, key.public_key_pem)
    source_id = ids.derive(tx.group_id, "notice-source", request.mch_id)
    return await queries.save_source(
        tx,
        source_id,
        mch_id=request.mch_id,
        sealed_key=vault.encrypt(KEY_PURPOSE, request.api_v3_key, bound_to=source_id),
        platform_keys={key.serial: key.public_key_pem for key in request.platform_keys},
    )


class PaymentNotices:
    """Does what the platform's notices tell of. All of it may come again, and in any order."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        lookup: Lookup,
        sales: Sales,
        refunds: Refunds,
        mini_programs: miniprogram_pb2_grpc.MiniProgramServiceStub,
    ) -> None:
        self._db, self._vault, self._lookup = database, vault, lookup
        self._sales, self._refunds, self._mini_programs = sales, refunds, mini_programs

    async def receive(self, request: pb.ReceiveMallNoticeRequest) -> None:
        """Record what a notice tells of. Raises NoticeSourceUnknown, NoticeSignatureInvalid, NoticeInvalid,
        NoticeKindUnknown, MemberUnknown, and what recording a sale or a return raises.
        """
        source_id = ids.from_edge("nts", request.notice_source_id, "notice_source_id")
        async with self._db.reading(rpc.caller()) as tx:
            source = await queries.find_source(tx, source_id)
        if source is None:
            raise NoticeSourceUnknown
        check_signature(
            source.platform_keys,
            serial=request.serial,
            timestamp=request.timestamp,
            nonce=request.nonce,
            body=request.body,
            signature=request.signature,
            now_s=time.time(),
        )
        key = self._vault.decrypt(KEY_PURPOSE, source.sealed_key, bound_to=source.notice_source_id)
        notice = open_notice(request.body, key)
        if notice.mchid != source.mch_id:
            raise NoticeInvalid(what="mchid")
        if isinstance(notice, Refund):
            await self._refund(source.group_id, notice)
        else:
            await self._record(source.group_id, notice)

    async def _record(self, group_id: UUID, notice: Payment) -> None:
        member_id = await self._member_of(group_id, notice)
        sale = points_pb2.RecordSaleRequest(
            request_id=f"{PROVIDER}-{notice.transaction_id}",
            store_id=ids.to_edge("sto", _store_of(group_id, notice)),
            source=SOURCE,
            receipt_no=notice.transaction_id,
            sale_time=_stamp(notice.time_end),
            member_id=member_id,
            total=types_pb2.Money(currency_code=CURRENCY, amount_minor=notice.amount),
            lines=[points_pb2.SaleLine(line_no=1, amount_minor=notice.amount)],
            origin={"payment_provider": PROVIDER, "payment_id": notice.transaction_id},
        )
        (answer,) = await self._sales.record_sales(group_id, [sale], timeout_s=RECORD_SECONDS)
        if isinstance(answer, AppError):
            raise answer

    async def _refund(self, group_id: UUID, notice: Refund) -> None:
        store_id = _store_of(group_id, notice)
        if await self._earned_elsewhere(group_id, store_id, notice):
            return
        refund = points_pb2.RefundSaleRequest(
            request_id=f"{PROVIDER}-{notice.refund_id}",
            store_id=ids.to_edge("sto", store_id),
            source=SOURCE,
            receipt_no=notice.transaction_id,
            refund_time=_stamp(notice.refund_time),
            lines=[points_pb2.RefundLine(line_no=1, amount_minor=notice.refund_amount)],
        )
        await self._refunds.refund_sale(group_id, refund)

    async def _earned_elsewhere(self, group_id: UUID, store_id: UUID, notice: Refund) -> bool:
        """Whether another door's sale is the purchase: its own return takes the points back, and only that one may."""
        store = await self._lookup.store(group_id, store_id)
        payment_key = payment_key_of(group_id, store.merchant_id, PROVIDER, notice.transaction_id)
        async with self._db.reading(Caller(CallerKind.PUBLIC, "", group_id)) as tx:
            claimer = await queries.find_claimer(tx, payment_key)
        return claimer not in (None, sale_id_of(store_id, SOURCE, notice.transaction_id))

    async def _member_of(self, group_id: UUID, notice: Notice) -> str:
        asked = miniprogram_pb2.GetMiniProgramMemberRequest(app_id=notice.appid, openid=notice.openid)
        found: miniprogram_pb2.GetMiniProgramMemberResponse = await rpc.call(
            self._mini_programs.GetMiniProgramMember, asked, group_id=group_id
        )
        return found.member_id


def _store_of(group_id: UUID, notice: Notice) -> UUID:
    """The store whose code the mall has given the platform as the shop's number."""
    return ids.derive(group_id, "store", notice.shop_number)


def _stamp(time: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp
