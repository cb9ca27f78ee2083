"""Who the business is, and who runs it.

Tables: see tables.py. RPCs: huitong.org.v1, StructureService and CredentialService here, those of operators, of the
audit and of approvals in folders of their own. Every change writes an audit entry in its own transaction; what
operators do in other services is told by ActService (chassis.acts).
Events: GroupCreated, BusinessUnitSaved, MerchantSaved, StoreSaved (each with the whole state, and only when something
changed), CredentialRevoked, ApprovalDecided and AuditHeadMoved. It consumes none.
"""
