"""One person, one identity, and what it is worth to the group.

Tables: member, member_identity, join_request, code_use (here), tier_ladder, tier, standing (`tiers`), login_challenge,
login_outbox, session (`sessions`), mini_program (`miniprogram`), member_import, member_import_row (`imports`), and the
copies group_copy and store_copy; member_profile (`profile`), consent_text and consent (`consents`), privacy_settings
and erasure (`privacy`).
RPCs: huitong.member.v1.MemberService (here), TierService (`tiers`), SessionService and SimulatorService (`sessions`),
MiniProgramService (`miniprogram`), MemberImportService (`imports`), ProfileService (`profile`), ConsentService
(`consents`), PrivacyService (`privacy`).
Events: MemberJoined, TierChanged, MemberProfileChanged, ConsentChanged, MemberErased. It consumes org's GroupCreated
and StoreSaved, and points' SaleRecorded and SaleRefunded.
"""
