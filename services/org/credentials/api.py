"""RPCs of credentials: proto → plain values → operation → proto."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from google.protobuf.message import Message
from grpc.aio import ServicerContext as Context

from chassis import pages
from chassis.crypto import Vault
from chassis.db import Database, Tx
from chassis.errors import InvalidArgument, NotYours
from chassis.identity import Caller, CallerKind
from chassis.ids import from_edge
from chassis.permissions import WHOLE_GROUP
from chassis.rpc import caller
from huitong.org.v1 import approvals_pb2, org_pb2, org_pb2_grpc
from services.org import convert, errors, rules
from services.org.approvals import operations as approvals
from services.org.approvals.convert import approval_message
from services.org.approvals.rules import content_of
from services.org.audit.operations import Audit
from services.org.credentials import operations, store
from services.org.credentials.convert import credential_kind, credential_message, subject_edge
from services.org.rules import origin_of

CREATE_CREDENTIAL = "huitong.org.v1.CredentialService/CreateCredential"


class CredentialServicer(org_pb2_grpc.CredentialServiceServicer):
    """Keys of machines.

    The answer that `run_once` stores for retries holds no secret. The secret is stored once, encrypted, under the
    request that made it, and is filled in on the way out: a retry therefore answers the same one.
    """

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db, self._vault, self._audit = db, vault, Audit(vault)

    async def CreateCredential(
        self, request: org_pb2.CreateCredentialRequest, context: Context
    ) -> org_pb2.CreateCredentialResponse:
        """See the proto."""
        convert.check_plain(name=request.name)
        kind = org_pb2.CredentialKind.Name(request.kind).removeprefix("CREDENTIAL_KIND_")
        who = caller()
        subject_id = _subject(kind, request, who)
        is_person = who.kind is CallerKind.OPERATOR
        if request.approval_id and not is_person:
            raise InvalidArgument([("approval_id", "is for operators")])
        approval_id = from_edge("apr", request.approval_id, "approval_id") if request.approval_id else None
        if approval_id:
            # Also before a retry's answer: whoever else knows the request gets no secret by it.
            async with self._db.reading(who) as tx:
                await approvals.check_own(tx, approval_id)

        async def operation(tx: Tx) -> org_pb2.CreateCredentialResponse:
            if is_person and not approval_id:
                await operations.check_subject(tx, kind=kind, subject_id=subject_id)
                message = await self._ask(tx, request, kind)
                return org_pb2.CreateCredentialResponse(approval=message)
            if approval_id:
                await approvals.use(tx, approval_id, action=CREATE_CREDENTIAL, content=content_of(request))
            credential = await operations.create_credential(
                tx, self._vault,
                kind=kind, subject_id=subject_id, name=request.name, origin=origin_of(request),
                permissions=" ".join(sorted(set(request.permissions))),
            )  # fmt: skip
            made = credential_message(credential)
            subjects = [made.key_id, request.approval_id] if approval_id else [made.key_id]
            await self._audit.record(tx, request, *subjects, after=made)
            return org_pb2.CreateCredentialResponse(credential=made)

        response = await self._db.run_once(request, org_pb2.CreateCredentialResponse, operation)
        if not response.HasField("credential"):
            return response
        if is_person and not approval_id:
            # Made by a system with this very request; knowing it is no claim to the secret.
            raise NotYours(field="request_id")
        key_id = response.credential.key_id
        response.secret = (await secrets_of(self._db, self._vault, [key_id], request))[key_id]
        return response

    async def _ask(self, tx: Tx, request: org_pb2.CreateCredentialRequest, kind: str) -> approvals_pb2.Approval:
        of_whom = request.subject_id or request.partner_code or "the group"
        if request.permissions:
            of_whom += f" with {' '.join(request.permissions)}"
        one = await approvals.ask(
            tx,
            action=CREATE_CREDENTIAL,
            permission="org.credentials.write",
            content=content_of(request),
            summary=f"Issue a {kind.lower()} credential for {of_whom}, named {request.name!r} 签发凭证",
            asked_by=tx.caller.subject,
            request_id=request.request_id,
        )
        message = approval_message(one, tx.now)
        asked = approvals_pb2.RequestApprovalRequest(
            request_id=request.request_id,
            action=one.action,
            permission=one.permission,
            summary=one.summary,
            asked_by=one.asked_by,
        )
        await self._audit.record(tx, asked, message.approval_id, after=message)
        return message

    async def CreateTerminalCredentials(
        self, request: org_pb2.CreateTerminalCredentialsRequest, context: Context
    ) -> org_pb2.CreateTerminalCredentialsResponse:
        """See the proto."""
        codes = list(request.terminal_codes)
        if len(set(codes)) != len(codes):
            raise InvalidArgument([("terminal_codes", "names a terminal twice")])
        for code in codes:
            if not rules.CODE.fullmatch(code):
                raise errors.TerminalUnknown(terminal=code[:64])

        async def operation(tx: Tx) -> org_pb2.CreateTerminalCredentialsResponse:
            made = await operations.create_terminal_credentials(
                tx, self._vault, terminal_codes=codes, origin=origin_of(request)
            )
            response = org_pb2.CreateTerminalCredentialsResponse(
                credentials=[
                    org_pb2.TerminalCredential(
                        terminal_code=terminal.code,
                        terminal_id=convert.terminal_edge(terminal.terminal_id),
                        store_id=convert.store_edge(terminal.store_id),
                        key_id=convert.key_edge(credential.key_id),
                    )
                    for terminal, credential in made
                ]
            )
            await self._audit.record(tx, request, *(one.key_id for one in response.credentials), after=response)
            return response

        response = await self._db.run_once(request, org_pb2.CreateTerminalCredentialsResponse, operation)
        key_ids = [one.key_id for one in response.credentials]
        found = await secrets_of(self._db, self._vault, key_ids, request)
        for one in response.credentials:
            one.secret = found[one.key_id]
        return response

    async def RotateCredential(
        self, request: org_pb2.RotateCredentialRequest, context: Context
    ) -> org_pb2.RotateCredentialResponse:
        """See the proto."""
        key_id = from_edge("key", request.key_id, "key_id")

        async def operation(tx: Tx) -> org_pb2.RotateCredentialResponse:
            credential = await operations.rotate_credential(
                tx, self._vault,
                key_id=key_id, overlap_seconds=request.overlap_seconds, origin=origin_of(request),
            )  # fmt: skip
            message = credential_message(credential)
            await self._audit.record(tx, request, message.key_id, after=message)
            return org_pb2.RotateCredentialResponse(credential=message)

        response = await self._db.run_once(request, org_pb2.RotateCredentialResponse, operation)
        found = await secrets_of(self._db, self._vault, [request.key_id], request)
        response.secret = found[request.key_id]
        return response

    async def RevokeCredential(
        self, request: org_pb2.RevokeCredentialRequest, context: Context
    ) -> org_pb2.RevokeCredentialResponse:
        """See the proto."""
        key_id = from_edge("key", request.key_id, "key_id")

        async def operation(tx: Tx) -> org_pb2.RevokeCredentialResponse:
            old, new = await operations.revoke_credential(tx, key_id=key_id)
            before, message = credential_message(old), credential_message(new)
            await self._audit.record(tx, request, message.key_id, before=before, after=message)
            return org_pb2.RevokeCredentialResponse(credential=message)

        return await self._db.run_once(request, org_pb2.RevokeCredentialResponse, operation)

    async def SetCredentialCertificates(
        self, request: org_pb2.SetCredentialCertificatesRequest, context: Context
    ) -> org_pb2.SetCredentialCertificatesResponse:
        """See the proto."""
        key_id = from_edge("key", request.key_id, "key_id")

        async def operation(tx: Tx) -> org_pb2.SetCredentialCertificatesResponse:
            certificates = list(request.certificate_sha256)
            old, new = await operations.set_certificates(tx, key_id=key_id, certificates=certificates)
            before, message = credential_message(old), credential_message(new)
            await self._audit.record(tx, request, message.key_id, before=before, after=message)
            return org_pb2.SetCredentialCertificatesResponse(credential=message)

        return await self._db.run_once(request, org_pb2.SetCredentialCertificatesResponse, operation)

    async def ListCredentials(
        self, request: org_pb2.ListCredentialsRequest, context: Context
    ) -> org_pb2.ListCredentialsResponse:
        """See the proto."""
        size = pages.page_size(request.page_size)
        async with self._db.reading(caller()) as tx:
            before = pages.decode_place(request.page_token) if request.page_token else None
            found = await store.list_credentials(tx, before=before, limit=size + 1)
            token = (
                pages.encode_token(found[size - 1].create_time.isoformat(), found[size - 1].key_id.hex)
                if len(found) > size
                else ""
            )
        return org_pb2.ListCredentialsResponse(credentials=map(credential_message, found[:size]), next_page_token=token)

    async def GetCredentialSecret(
        self, request: org_pb2.GetCredentialSecretRequest, context: Context
    ) -> org_pb2.GetCredentialSecretResponse:
        """See the proto."""
        try:
            key_id = from_edge("key", request.key_id, "key_id")
        except InvalidArgument:
            raise errors.CredentialUnknown(key_id=request.key_id) from None
        async with self._db.reading(caller()) as tx:
            credential = await store.find_credential(tx, key_id)
            if credential is None:
                raise errors.CredentialUnknown(key_id=request.key_id)
            is_terminal = credential.kind == "TERMINAL"
            binding = await store.find_binding(tx, credential.subject_id) if is_terminal else None
            is_closed = binding is not None and not binding.is_open
            is_revoked = credential.revoke_time is not None or is_closed
            sealed = [] if is_revoked else await store.find_working_secrets(tx, key_id)
        response = org_pb2.GetCredentialSecretResponse(
            kind=credential_kind(credential.kind),
            group_id=convert.group_edge(credential.group_id),
            subject_id=request.key_id,
            secrets=[operations.open_secret(self._vault, key_id, one) for one in sealed],
            is_revoked=is_revoked,
            certificate_sha256=credential.certificates,
        )
        if binding:
            response.subject_id = convert.terminal_edge(credential.subject_id)
            response.bound_id = convert.store_edge(binding.store_id)
            response.scopes["merchant_id"] = convert.merchant_edge(binding.merchant_id)
            response.scopes["business_unit_id"] = convert.unit_edge(binding.unit_id)
        elif credential.kind in ("VENDOR", "MERCHANT"):
            response.subject_id = response.bound_id = subject_edge(credential)
        elif credential.kind == "PARTNER":
            response.subject_id = response.bound_id = subject_edge(credential)
            response.scopes[WHOLE_GROUP] = credential.permissions
        return response


async def secrets_of(db: Database, vault: Vault, key_edges: Sequence[str], request: Message) -> dict[str, str]:
    """The secrets that a request made, by key, decrypted."""
    key_ids = {edge: from_edge("key", edge, "key_id") for edge in key_edges}
    async with db.reading(caller()) as tx:
        sealed = await store.find_secrets_of_request(tx, key_ids.values(), origin_of(request))
    return {edge: operations.open_secret(vault, key_id, sealed[key_id]) for edge, key_id in key_ids.items()}


_SUBJECT_PREFIX = {"TERMINAL": "trm", "VENDOR": "unt", "MERCHANT": "mch"}


def _subject(kind: str, request: org_pb2.CreateCredentialRequest, who: Caller) -> UUID:
    is_partner, subject_id = kind == "PARTNER", request.subject_id
    for field, is_given in (("permissions", bool(request.permissions)), ("partner_code", bool(request.partner_code))):
        if is_given != is_partner:
            raise InvalidArgument([(field, "is needed for a partner" if is_partner else "is for partners only")])
    if kind in _SUBJECT_PREFIX:
        return from_edge(_SUBJECT_PREFIX[kind], subject_id, "subject_id")
    if subject_id not in ("", "" if is_partner else convert.group_edge(who.group_id)):
        raise InvalidArgument([("subject_id", f"must be empty for a {kind.lower()}")])
    return rules.entity_id(who.group_id, "partner", request.partner_code) if is_partner else who.group_id
