"""Who the business is.

Tables: org_group, business_unit, merchant, store, terminal, credential, credential_secret.
RPCs: huitong.org.v1.StructureService and CredentialService.
Events: GroupCreated, BusinessUnitSaved, MerchantSaved, StoreSaved (each with the whole state, and only when something
changed) and CredentialRevoked. It consumes none.
"""
