from huitong.org.v1 import approvals_pb2 as _approvals_pb2
from huitong.org.v1 import org_pb2 as _org_pb2
from huitong.org.v1 import webhooks_pb2 as _webhooks_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GroupCreated(_message.Message):
    __slots__ = ("group",)
    GROUP_FIELD_NUMBER: _ClassVar[int]
    group: _org_pb2.Group
    def __init__(self, group: _Optional[_Union[_org_pb2.Group, _Mapping]] = ...) -> None: ...

class BusinessUnitSaved(_message.Message):
    __slots__ = ("business_unit",)
    BUSINESS_UNIT_FIELD_NUMBER: _ClassVar[int]
    business_unit: _org_pb2.BusinessUnit
    def __init__(self, business_unit: _Optional[_Union[_org_pb2.BusinessUnit, _Mapping]] = ...) -> None: ...

class MerchantSaved(_message.Message):
    __slots__ = ("merchant",)
    MERCHANT_FIELD_NUMBER: _ClassVar[int]
    merchant: _org_pb2.Merchant
    def __init__(self, merchant: _Optional[_Union[_org_pb2.Merchant, _Mapping]] = ...) -> None: ...

class StoreSaved(_message.Message):
    __slots__ = ("store",)
    STORE_FIELD_NUMBER: _ClassVar[int]
    store: _org_pb2.Store
    def __init__(self, store: _Optional[_Union[_org_pb2.Store, _Mapping]] = ...) -> None: ...

class CredentialRevoked(_message.Message):
    __slots__ = ("key_id",)
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    key_id: str
    def __init__(self, key_id: _Optional[str] = ...) -> None: ...

class AuditHeadMoved(_message.Message):
    __slots__ = ("group_id", "entry_no", "hash")
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    ENTRY_NO_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    group_id: str
    entry_no: int
    hash: bytes
    def __init__(self, group_id: _Optional[str] = ..., entry_no: _Optional[int] = ..., hash: _Optional[bytes] = ...) -> None: ...

class ApprovalDecided(_message.Message):
    __slots__ = ("approval", "content")
    APPROVAL_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    approval: _approvals_pb2.Approval
    content: bytes
    def __init__(self, approval: _Optional[_Union[_approvals_pb2.Approval, _Mapping]] = ..., content: _Optional[bytes] = ...) -> None: ...

class WebhookEndpointDisabled(_message.Message):
    __slots__ = ("webhook_endpoint",)
    WEBHOOK_ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    webhook_endpoint: _webhooks_pb2.WebhookEndpoint
    def __init__(self, webhook_endpoint: _Optional[_Union[_webhooks_pb2.WebhookEndpoint, _Mapping]] = ...) -> None: ...
