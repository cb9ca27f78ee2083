"""ProofService: proto → plain values → operation → proto."""

from __future__ import annotations

from uuid import UUID

from grpc.aio import ServicerContext as Context

from chassis.crypto import Vault
from chassis.db import Database, Tx
from chassis.errors import InvalidArgument
from chassis.identity import SESSION_SCOPE, TokenBook
from chassis.ids import from_edge
from chassis.rpc import caller
from huitong.member.v1 import proofs_pb2, proofs_pb2_grpc
from services.member import convert, errors
from services.member.miniprogram import store as program_store
from services.member.miniprogram.errors import MiniProgramUnknown
from services.member.miniprogram.operations import credentials_of
from services.member.miniprogram.wechat import WeChat, WeChatUser
from services.member.operations import phone_index
from services.member.proofs import operations
from services.member.proofs.rules import Holder, Proof, claims_of
from services.member.sessions.operations import Refusal
from services.member.sessions.providers import CodeProvider
from services.member.sessions.rules import RESEND_SECONDS, SESSION_PREFIX


class ProofServicer(proofs_pb2_grpc.ProofServiceServicer):
    """Proofs, and the change of a phone."""

    def __init__(self, db: Database, vault: Vault, provider: CodeProvider, wechat: WeChat, proofs: TokenBook) -> None:
        self._db, self._vault, self._provider, self._wechat, self._proofs = db, vault, provider, wechat, proofs

    async def StartProof(
        self, request: proofs_pb2.StartProofRequest, context: Context
    ) -> proofs_pb2.StartProofResponse:
        """See the proto."""
        holder = _holder(request.member_id)

        async def operation(tx: Tx) -> proofs_pb2.StartProofResponse:
            await operations.start_proof(tx, self._vault, self._provider, holder, purpose=request.purpose)
            return proofs_pb2.StartProofResponse(retry_seconds=RESEND_SECONDS)

        return await self._db.run_once(request, proofs_pb2.StartProofResponse, operation)

    async def CompleteProof(
        self, request: proofs_pb2.CompleteProofRequest, context: Context
    ) -> proofs_pb2.CompleteProofResponse:
        """See the proto. Not `run_once`, which would keep the proof itself."""
        holder = _holder(request.member_id)
        login = request.mini_program_login if request.WhichOneof("shown") == "mini_program_login" else None
        shown = (login.app_id, login.login_code) if login else (request.one_time_code,)
        fingerprint = operations.proof_print(self._vault, holder, purpose=request.purpose, shown=shown)
        async with self._db.reading(caller()) as tx:
            given: Proof | Refusal | None = await operations.find_proof(
                tx, holder, request_id=request.request_id, fingerprint=fingerprint
            )
        if given is None:
            user = await self._user_behind(login) if login else None
            given = await self._prove(request, holder, fingerprint, user)
        if isinstance(given, Refusal):
            raise _error(given)
        response = proofs_pb2.CompleteProofResponse(
            proof=self._proofs.mint_until(claims_of(given), given.expire_time.timestamp())
        )
        response.expire_time.FromDatetime(given.expire_time)
        return response

    async def StartPhoneChange(
        self, request: proofs_pb2.StartPhoneChangeRequest, context: Context
    ) -> proofs_pb2.StartPhoneChangeResponse:
        """See the proto."""
        holder = _holder(request.member_id)

        async def operation(tx: Tx) -> proofs_pb2.StartPhoneChangeResponse:
            await operations.require_session(tx, holder)
            await operations.start_phone_change(
                tx, self._vault, self._provider, member_id=holder.member_id, new_phone=request.new_phone
            )
            return proofs_pb2.StartPhoneChangeResponse(retry_seconds=RESEND_SECONDS)

        # The request's hash is kept, and a plain hash of a phone could be guessed.
        keyed = proofs_pb2.StartPhoneChangeRequest()
        keyed.CopyFrom(request)
        keyed.new_phone = phone_index(self._vault, caller().group_id, request.new_phone).hex()
        return await self._db.run_once(keyed, proofs_pb2.StartPhoneChangeResponse, operation)

    async def ChangePhone(
        self, request: proofs_pb2.ChangePhoneRequest, context: Context
    ) -> proofs_pb2.ChangePhoneResponse:
        """See the proto."""
        holder = _holder(request.member_id)
        async with self._db.transaction(caller()) as tx:
            await operations.require_session(tx, holder)
            outcome = await operations.change_phone(
                tx,
                self._vault,
                holder,
                request_id=request.request_id,
                new_phone=request.new_phone,
                one_time_code=request.one_time_code,
            )
        if isinstance(outcome, Refusal):
            raise _error(outcome)
        return proofs_pb2.ChangePhoneResponse(member=convert.member_message(outcome))

    async def _user_behind(self, login: proofs_pb2.MiniProgramLogin) -> WeChatUser:
        async with self._db.reading(caller()) as tx:
            program = await program_store.find_mini_program(tx, login.app_id)
        if program is None or program.group_id != caller().group_id:
            raise MiniProgramUnknown
        return await self._wechat.user_behind(credentials_of(self._vault, program), login.login_code)

    async def _prove(
        self, request: proofs_pb2.CompleteProofRequest, holder: Holder, fingerprint: bytes, user: WeChatUser | None
    ) -> Proof | Refusal:
        async with self._db.transaction(caller()) as tx:
            if user is None:
                return await operations.prove_by_code(
                    tx,
                    self._vault,
                    holder,
                    request_id=request.request_id,
                    fingerprint=fingerprint,
                    purpose=request.purpose,
                    one_time_code=request.one_time_code,
                )
            return await operations.prove_by_mini_program(
                tx,
                self._vault,
                holder,
                request_id=request.request_id,
                fingerprint=fingerprint,
                purpose=request.purpose,
                app_id=request.mini_program_login.app_id,
                user=user,
            )


def _holder(member_id: str) -> Holder:
    """The member in the session of the access token that the call was made with. Raises SessionEnded."""
    return Holder(convert.member_id_of(member_id), _session_id(caller().scopes.get(SESSION_SCOPE, "")))


def _session_id(text: str) -> UUID:
    try:
        return from_edge(SESSION_PREFIX, text, "session")
    except InvalidArgument:
        raise errors.SessionEnded from None


def _error(refusal: Refusal) -> errors.LoginCodeWrong | errors.LoginCodeExpired:
    return errors.LoginCodeWrong() if refusal is Refusal.WRONG else errors.LoginCodeExpired()
