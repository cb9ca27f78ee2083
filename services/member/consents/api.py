"""ConsentService: proto → plain values → operation → proto."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from grpc.aio import ServicerContext as Context

from chassis.crypto import Vault
from chassis.db import Database, Tx
from chassis.errors import InvalidArgument
from chassis.ids import to_edge
from chassis.pages import decode_token, encode_token, page_size
from chassis.rpc import caller
from huitong.member.v1 import consents_pb2 as pb
from huitong.member.v1 import consents_pb2_grpc
from services.member import convert, errors
from services.member import store as member_store
from services.member.consents import operations, store
from services.member.consents.store import Consent, ConsentText
from services.member.requests import keyed
from services.member.rules import is_plain


class ConsentServicer(consents_pb2_grpc.ConsentServiceServicer):
    """Consents and what they are given to."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db, self._vault = db, vault

    async def SaveConsentText(self, request: pb.SaveConsentTextRequest, context: Context) -> pb.SaveConsentTextResponse:
        """See the proto."""
        sent = request.text

        async def operation(tx: Tx) -> pb.SaveConsentTextResponse:
            new = ConsentText(sent.purpose, sent.version, sent.url, sent.sha256)
            return pb.SaveConsentTextResponse(text=_text_message(await operations.save_text(tx, new)))

        return await self._db.run_once(request, pb.SaveConsentTextResponse, operation)

    async def ListConsentTexts(
        self, request: pb.ListConsentTextsRequest, context: Context
    ) -> pb.ListConsentTextsResponse:
        """See the proto."""
        size = page_size(request.page_size)
        after = None
        if request.page_token:
            purpose, time, version = decode_token(request.page_token, 3)
            if not purpose.isdecimal() or int(purpose) > 100:
                raise _bad_token()
            after = (int(purpose), _time_of(time), version)
        async with self._db.reading(caller()) as tx:
            rows = await store.list_texts(tx, after=after, limit=size + 1)
        token = ""
        if len(rows) > size:
            last, time_saved = rows[size - 1]
            token = encode_token(last.purpose, time_saved.isoformat(), last.version)
        return pb.ListConsentTextsResponse(texts=[_text_message(one) for one, _ in rows[:size]], next_page_token=token)

    async def SetConsent(self, request: pb.SetConsentRequest, context: Context) -> pb.SetConsentResponse:
        """See the proto."""
        member_id = convert.member_id_of(request.member_id)
        if not is_plain(request.evidence):
            raise InvalidArgument([("evidence", "has control characters")])

        async def operation(tx: Tx) -> pb.SetConsentResponse:
            before, new = await operations.set_consent(tx, self._vault, request, member_id)
            tx.before = self._message(before) if before else None
            response = pb.SetConsentResponse(consent_id=to_edge("cns", new.consent_id))
            response.record_time.FromDatetime(new.record_time)
            return response

        # What is kept of the request must not tell the evidence.
        claim = pb.SetConsentRequest()
        claim.CopyFrom(request)
        claim.evidence = keyed(self._vault, request)
        return await self._db.run_once(claim, pb.SetConsentResponse, operation)

    async def ListConsents(self, request: pb.ListConsentsRequest, context: Context) -> pb.ListConsentsResponse:
        """See the proto."""
        member_id = convert.member_id_of(request.member_id)
        size = page_size(request.page_size)
        before = None
        if request.page_token:
            time, consent_id = decode_token(request.page_token, 2)
            try:
                before = (_time_of(time), UUID(consent_id))
            except ValueError:
                raise _bad_token() from None
        async with self._db.reading(caller()) as tx:
            member_id = await member_store.leader_of(tx, member_id)
            if not await store.has_member(tx, member_id):
                raise errors.MemberUnknown
            in_force = [] if before else await store.list_in_force(tx, member_id)
            rows = await store.list_records(tx, member_id, before=before, limit=size + 1)
        token = encode_token(rows[size - 1].record_time.isoformat(), rows[size - 1].consent_id) if rows[size:] else ""
        return pb.ListConsentsResponse(
            in_force=map(self._message, in_force), records=map(self._message, rows[:size]), next_page_token=token
        )

    def _message(self, record: Consent) -> pb.Consent:
        message = pb.Consent(
            consent_id=to_edge("cns", record.consent_id),
            purpose=record.purpose,  # type: ignore[arg-type]
            version=record.version,
            is_given=record.is_given,
            channel=record.channel,  # type: ignore[arg-type]
            evidence=operations.evidence_of(self._vault, record),
            recorded_by=record.recorded_by,
        )
        message.record_time.FromDatetime(record.record_time)
        return message


def _text_message(kept: ConsentText) -> pb.ConsentText:
    return pb.ConsentText(
        purpose=kept.purpose,  # type: ignore[arg-type]
        version=kept.version,
        url=kept.url,
        sha256=kept.sha256,
    )


def _time_of(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _bad_token() from None


def _bad_token() -> InvalidArgument:
    return InvalidArgument([("page_token", "is not a token that this list gave")])
