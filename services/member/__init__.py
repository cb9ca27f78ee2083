"""One person, one identity, and what it is worth to the group.

Tables: member, member_identity, join_request, code_use (here), standing and those of tier_tables.py (`tiers`), those of
benefit_tables.py (`benefits`), login_challenge, login_outbox, session (`sessions`), mini_program (`miniprogram`),
member_import, member_import_row (`imports`), and the copies group_copy and store_copy.
RPCs: huitong.member.v1.MemberService (here), TierService and TierProgramService (`tiers`), BenefitService (`benefits`),
SessionService and SimulatorService (`sessions`), MiniProgramService (`miniprogram`), MemberImportService (`imports`).
Events: MemberJoined, TierChanged, GrowthRecorded, TierMatched, BenefitUsed, BenefitReturned. It consumes org's
GroupCreated and StoreSaved, and points' SaleRecorded and SaleRefunded.
"""
