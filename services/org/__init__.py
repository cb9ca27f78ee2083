"""Who the business is, and who runs it.

Tables: see tables.py. RPCs: huitong.org.v1, StructureService and CredentialService here, those of operators, of the
audit, of approvals and of webhooks in folders of their own. Every change writes an audit entry in its own transaction;
what operators do in other services is told by ActService (chassis.acts).
Events: GroupCreated, BusinessUnitSaved, MerchantSaved, StoreSaved (each with the whole state, and only when something
changed), CredentialRevoked, ApprovalDecided, WebhookEndpointDisabled and AuditHeadMoved. It consumes what the other
services say, to tell partners (webhooks).
"""

LISTENS_TO = ("member", "points", "mall", "parking", "settlement")
