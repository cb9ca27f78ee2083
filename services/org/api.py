"""RPCs of org: proto → plain values → operation → proto."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import TypeVar
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
from services.org import convert, errors, operations, rules, store
from services.org.approvals import operations as approvals
from services.org.approvals.convert import approval_message
from services.org.approvals.rules import content_of
from services.org.audit.operations import Audit
from services.org.rules import origin_of

T = TypeVar("T")
CREATE_CREDENTIAL = "huitong.org.v1.CredentialService/CreateCredential"


class StructureServicer(org_pb2_grpc.StructureServiceServicer):
    """The structure of a group."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db, self._vault, self._audit = db, vault, Audit(vault)

    async def CreateGroup(self, request: org_pb2.CreateGroupRequest, context: Context) -> org_pb2.CreateGroupResponse:
        """See the proto."""
        _check_plain(name=request.name)

        async def operation(tx: Tx) -> org_pb2.CreateGroupResponse:
            group, credential = await operations.create_group(
                tx, self._vault, code=request.code, name=request.name, origin=origin_of(request)
            )
            response = org_pb2.CreateGroupResponse(
                group=convert.group_message(group), system_credential=convert.credential_message(credential)
            )
            ids_made = (response.group.group_id, response.system_credential.key_id)
            await self._audit.record(tx, request, *ids_made, after=response, group_id=group.group_id)
            return response

        response = await self._db.run_once(request, org_pb2.CreateGroupResponse, operation)
        key_id = response.system_credential.key_id
        response.secret = (await _secrets_of(self._db, self._vault, [key_id], request))[key_id]
        return response

    async def CreateBusinessUnit(
        self, request: org_pb2.CreateBusinessUnitRequest, context: Context
    ) -> org_pb2.CreateBusinessUnitResponse:
        """See the proto."""
        _check_plain(name=request.name)

        async def operation(tx: Tx) -> org_pb2.CreateBusinessUnitResponse:
            unit = await operations.create_unit(
                tx,
                code=request.code,
                name=request.name,
                kind=org_pb2.UnitKind.Name(request.kind).removeprefix("UNIT_KIND_"),
                time_zone=request.time_zone,
                currency_code=request.currency_code,
            )
            message = convert.unit_message(unit)
            await self._audit.record(tx, request, message.business_unit_id, after=message)
            return org_pb2.CreateBusinessUnitResponse(business_unit=message)

        return await self._db.run_once(request, org_pb2.CreateBusinessUnitResponse, operation)

    async def UpdateBusinessUnit(
        self, request: org_pb2.UpdateBusinessUnitRequest, context: Context
    ) -> org_pb2.UpdateBusinessUnitResponse:
        """See the proto."""
        _check_plain(name=request.name)
        unit_id = from_edge("unt", request.business_unit_id, "business_unit_id")

        async def operation(tx: Tx) -> org_pb2.UpdateBusinessUnitResponse:
            old, new, merchant_count, store_count = await operations.update_unit(
                tx,
                unit_id=unit_id,
                name=request.name if request.HasField("name") else None,
                is_open=request.is_open if request.HasField("is_open") else None,
                kind=org_pb2.UnitKind.Name(request.kind).removeprefix("UNIT_KIND_") if request.kind else "",
                time_zone=request.time_zone,
                currency_code=request.currency_code,
            )
            before, after = convert.unit_message(old), convert.unit_message(new)
            await self._audit.record(tx, request, after.business_unit_id, before=before, after=after)
            return org_pb2.UpdateBusinessUnitResponse(
                business_unit=after, closed_merchant_count=merchant_count, closed_store_count=store_count
            )

        return await self._db.run_once(request, org_pb2.UpdateBusinessUnitResponse, operation)

    async def ListBusinessUnits(
        self, request: org_pb2.ListBusinessUnitsRequest, context: Context
    ) -> org_pb2.ListBusinessUnitsResponse:
        """See the proto."""
        size = pages.page_size(request.page_size)
        async with self._db.reading(caller()) as tx:
            units = await store.list_units(tx, after_code=_after_code(request.page_token), limit=size + 1)
        page, token = _page(units, size, lambda unit: [unit.code])
        return org_pb2.ListBusinessUnitsResponse(business_units=map(convert.unit_message, page), next_page_token=token)

    async def CreateMerchant(
        self, request: org_pb2.CreateMerchantRequest, context: Context
    ) -> org_pb2.CreateMerchantResponse:
        """See the proto."""
        _check_plain(name=request.name, category=request.category, legal_name=request.legal_name)
        unit_id = from_edge("unt", request.business_unit_id, "business_unit_id")

        async def operation(tx: Tx) -> org_pb2.CreateMerchantResponse:
            merchant = await operations.create_merchant(
                tx,
                code=request.code,
                name=request.name,
                unit_id=unit_id,
                category=request.category,
                legal_name=request.legal_name,
            )
            message = convert.merchant_message(merchant)
            await self._audit.record(tx, request, message.merchant_id, after=message)
            return org_pb2.CreateMerchantResponse(merchant=message)

        return await self._db.run_once(request, org_pb2.CreateMerchantResponse, operation)

    async def UpdateMerchant(
        self, request: org_pb2.UpdateMerchantRequest, context: Context
    ) -> org_pb2.UpdateMerchantResponse:
        """See the proto."""
        _check_plain(name=request.name, category=request.category, legal_name=request.legal_name)
        merchant_id = from_edge("mch", request.merchant_id, "merchant_id")

        async def operation(tx: Tx) -> org_pb2.UpdateMerchantResponse:
            old, new, closed_count = await operations.update_merchant(
                tx,
                merchant_id=merchant_id,
                name=request.name if request.HasField("name") else None,
                category=request.category if request.HasField("category") else None,
                is_open=request.is_open if request.HasField("is_open") else None,
                legal_name=request.legal_name if request.HasField("legal_name") else None,
            )
            before, after = convert.merchant_message(old), convert.merchant_message(new)
            await self._audit.record(tx, request, after.merchant_id, before=before, after=after)
            return org_pb2.UpdateMerchantResponse(merchant=after, closed_store_count=closed_count)

        return await self._db.run_once(request, org_pb2.UpdateMerchantResponse, operation)

    async def ListMerchants(
        self, request: org_pb2.ListMerchantsRequest, context: Context
    ) -> org_pb2.ListMerchantsResponse:
        """See the proto."""
        size = pages.page_size(request.page_size)
        unit_id = _optional("unt", request.business_unit_id, "business_unit_id")
        async with self._db.reading(caller()) as tx:
            merchants = await store.list_merchants(
                tx, unit_id=unit_id, after_code=_after_code(request.page_token), limit=size + 1
            )
        page, token = _page(merchants, size, lambda one: [one.code])
        return org_pb2.ListMerchantsResponse(merchants=map(convert.merchant_message, page), next_page_token=token)

    async def CreateStore(self, request: org_pb2.CreateStoreRequest, context: Context) -> org_pb2.CreateStoreResponse:
        """See the proto."""
        _check_plain(name=request.name, category=request.category, floor=request.floor)
        merchant_id = from_edge("mch", request.merchant_id, "merchant_id")

        async def operation(tx: Tx) -> org_pb2.CreateStoreResponse:
            one = await operations.create_store(
                tx,
                code=request.code,
                name=request.name,
                merchant_id=merchant_id,
                category=request.category,
                floor=request.floor,
                opening_date=_opening_date(request),
            )
            message = convert.store_message(one)
            await self._audit.record(tx, request, message.store_id, after=message)
            return org_pb2.CreateStoreResponse(store=message)

        return await self._db.run_once(request, org_pb2.CreateStoreResponse, operation)

    async def UpdateStore(self, request: org_pb2.UpdateStoreRequest, context: Context) -> org_pb2.UpdateStoreResponse:
        """See the proto."""
        _check_plain(name=request.name, category=request.category, floor=request.floor)
        store_id = from_edge("sto", request.store_id, "store_id")

        async def operation(tx: Tx) -> org_pb2.UpdateStoreResponse:
            old, new = await operations.update_store(
                tx,
                store_id=store_id,
                name=request.name if request.HasField("name") else None,
                category=request.category if request.HasField("category") else None,
                floor=request.floor if request.HasField("floor") else None,
                is_open=request.is_open if request.HasField("is_open") else None,
                opening_date=_opening_date(request),
            )
            before, after = convert.store_message(old), convert.store_message(new)
            await self._audit.record(tx, request, after.store_id, before=before, after=after)
            return org_pb2.UpdateStoreResponse(store=after)

        return await self._db.run_once(request, org_pb2.UpdateStoreResponse, operation)

    async def GetStore(self, request: org_pb2.GetStoreRequest, context: Context) -> org_pb2.GetStoreResponse:
        """See the proto."""
        store_id = from_edge("sto", request.store_id, "store_id")
        async with self._db.reading(caller()) as tx:
            one = await store.find_store(tx, store_id)
        if one is None:
            raise errors.StoreUnknown(store_id=request.store_id)
        return org_pb2.GetStoreResponse(store=convert.store_message(one))

    async def ListStores(self, request: org_pb2.ListStoresRequest, context: Context) -> org_pb2.ListStoresResponse:
        """See the proto."""
        size = pages.page_size(request.page_size)
        merchant_id = _optional("mch", request.merchant_id, "merchant_id")
        async with self._db.reading(caller()) as tx:
            stores = await store.list_stores(
                tx, merchant_id=merchant_id, after_code=_after_code(request.page_token), limit=size + 1
            )
        page, token = _page(stores, size, lambda one: [one.code])
        return org_pb2.ListStoresResponse(stores=map(convert.store_message, page), next_page_token=token)

    async def CreateTerminal(
        self, request: org_pb2.CreateTerminalRequest, context: Context
    ) -> org_pb2.CreateTerminalResponse:
        """See the proto."""
        _check_plain(name=request.name)
        store_id = from_edge("sto", request.store_id, "store_id")

        async def operation(tx: Tx) -> org_pb2.CreateTerminalResponse:
            terminal = await operations.create_terminal(tx, code=request.code, store_id=store_id, name=request.name)
            message = convert.terminal_message(terminal)
            await self._audit.record(tx, request, message.terminal_id, after=message)
            return org_pb2.CreateTerminalResponse(terminal=message)

        return await self._db.run_once(request, org_pb2.CreateTerminalResponse, operation)

    async def UpdateTerminal(
        self, request: org_pb2.UpdateTerminalRequest, context: Context
    ) -> org_pb2.UpdateTerminalResponse:
        """See the proto."""
        _check_plain(name=request.name)
        terminal_id = from_edge("trm", request.terminal_id, "terminal_id")
        store_id = from_edge("sto", request.store_id, "store_id")

        async def operation(tx: Tx) -> org_pb2.UpdateTerminalResponse:
            old, new = await operations.update_terminal(
                tx,
                terminal_id=terminal_id,
                store_id=store_id,
                name=request.name if request.HasField("name") else None,
                is_open=request.is_open if request.HasField("is_open") else None,
            )
            before, after = convert.terminal_message(old), convert.terminal_message(new)
            await self._audit.record(tx, request, after.terminal_id, before=before, after=after)
            return org_pb2.UpdateTerminalResponse(terminal=after)

        return await self._db.run_once(request, org_pb2.UpdateTerminalResponse, operation)

    async def ListTerminals(
        self, request: org_pb2.ListTerminalsRequest, context: Context
    ) -> org_pb2.ListTerminalsResponse:
        """See the proto."""
        size = pages.page_size(request.page_size)
        store_id = _optional("sto", request.store_id, "store_id")
        async with self._db.reading(caller()) as tx:
            terminals = await store.list_terminals(
                tx, store_id=store_id, after_code=_after_code(request.page_token), limit=size + 1
            )
        page, token = _page(terminals, size, lambda one: [one.code])
        return org_pb2.ListTerminalsResponse(terminals=map(convert.terminal_message, page), next_page_token=token)

    async def ImportStructure(
        self, request: org_pb2.ImportStructureRequest, context: Context
    ) -> org_pb2.ImportStructureResponse:
        """See the proto."""

        async def operation(tx: Tx) -> org_pb2.ImportStructureResponse:
            done = operations.Import(tx, validate_only=request.validate_only)
            await done.run(request.csv)
            response = org_pb2.ImportStructureResponse(
                created_count=done.created_count,
                updated_count=done.updated_count,
                unchanged_count=done.unchanged_count,
            )
            if not request.validate_only:
                # One entry for a file: the events say what became of each row.
                await self._audit.record(
                    tx, request, f"sha256:{sha256(request.csv.encode()).hexdigest()}", after=response
                )
            response.errors.extend(map(convert.fault_message, done.faults))
            return response

        return await self._db.run_once(request, org_pb2.ImportStructureResponse, operation)


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
        _check_plain(name=request.name)
        kind = org_pb2.CredentialKind.Name(request.kind).removeprefix("CREDENTIAL_KIND_")
        who = caller()
        subject_id = _subject(kind, request, who)
        is_person = who.kind is CallerKind.OPERATOR
        if request.approval_id and not is_person:
            raise InvalidArgument([("approval_id", "is for operators")])
        approval_id = _optional("apr", request.approval_id, "approval_id")
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
            made = convert.credential_message(credential)
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
        response.secret = (await _secrets_of(self._db, self._vault, [key_id], request))[key_id]
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
        found = await _secrets_of(self._db, self._vault, key_ids, request)
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
            message = convert.credential_message(credential)
            await self._audit.record(tx, request, message.key_id, after=message)
            return org_pb2.RotateCredentialResponse(credential=message)

        response = await self._db.run_once(request, org_pb2.RotateCredentialResponse, operation)
        found = await _secrets_of(self._db, self._vault, [request.key_id], request)
        response.secret = found[request.key_id]
        return response

    async def RevokeCredential(
        self, request: org_pb2.RevokeCredentialRequest, context: Context
    ) -> org_pb2.RevokeCredentialResponse:
        """See the proto."""
        key_id = from_edge("key", request.key_id, "key_id")

        async def operation(tx: Tx) -> org_pb2.RevokeCredentialResponse:
            old, new = await operations.revoke_credential(tx, key_id=key_id)
            before, message = convert.credential_message(old), convert.credential_message(new)
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
            before, message = convert.credential_message(old), convert.credential_message(new)
            await self._audit.record(tx, request, message.key_id, before=before, after=message)
            return org_pb2.SetCredentialCertificatesResponse(credential=message)

        return await self._db.run_once(request, org_pb2.SetCredentialCertificatesResponse, operation)

    async def ListCredentials(
        self, request: org_pb2.ListCredentialsRequest, context: Context
    ) -> org_pb2.ListCredentialsResponse:
        """See the proto."""
        size = pages.page_size(request.page_size)
        async with self._db.reading(caller()) as tx:
            credentials = await store.list_credentials(tx, before=_before(request.page_token), limit=size + 1)
        page, token = _page(credentials, size, lambda one: [one.create_time.isoformat(), one.key_id.hex])
        return org_pb2.ListCredentialsResponse(credentials=map(convert.credential_message, page), next_page_token=token)

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
            kind=convert.credential_kind(credential.kind),
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
            response.subject_id = response.bound_id = convert.subject_edge(credential)
        elif credential.kind == "PARTNER":
            response.subject_id = response.bound_id = convert.subject_edge(credential)
            response.scopes[WHOLE_GROUP] = credential.permissions
        return response


async def _secrets_of(db: Database, vault: Vault, key_edges: Sequence[str], request: Message) -> dict[str, str]:
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


def _check_plain(**fields: str) -> None:
    wrong = [(field, "has control characters") for field, text in fields.items() if not rules.is_plain(text)]
    if wrong:
        raise InvalidArgument(wrong)


def _opening_date(request: org_pb2.CreateStoreRequest | org_pb2.UpdateStoreRequest) -> date | None:
    return convert.from_date(request.opening_date, "opening_date") if request.HasField("opening_date") else None


def _optional(prefix: str, text: str, field: str) -> UUID | None:
    return from_edge(prefix, text, field) if text else None


def _page(rows: Sequence[T], size: int, key: Callable[[T], Iterable[object]]) -> tuple[Sequence[T], str]:
    """The rows of this page, and the token of the next when there was one row more."""
    if len(rows) <= size:
        return rows, ""
    return rows[:size], pages.encode_token(*key(rows[size - 1]))


def _after_code(token: str) -> str:
    if not token:
        return ""
    (code,) = pages.decode_token(token, 1)
    if not rules.CODE.fullmatch(code):
        raise InvalidArgument([("page_token", "is not a token that this list gave")])
    return code


def _before(token: str) -> tuple[datetime, UUID] | None:
    if not token:
        return None
    time, key_id = pages.decode_token(token, 2)
    try:
        return datetime.fromisoformat(time), UUID(key_id)
    except ValueError:
        raise InvalidArgument([("page_token", "is not a token that this list gave")]) from None
