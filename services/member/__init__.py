"""One person, one identity, and what it is worth to the group.

Tables: member, member_identity, join_request, code_use (here), tier_ladder, tier, standing (`tiers`), login_challenge,
login_outbox, session (`sessions`), mini_program (`miniprogram`), member_import, member_import_row (`imports`),
member_merge (`merging`), and the copies group_copy and store_copy.
RPCs: huitong.member.v1.MemberService (here), TierService (`tiers`), SessionService and SimulatorService (`sessions`),
MiniProgramService (`miniprogram`), MemberImportService (`imports`), MemberMergeService (`merging`).
Events: MemberJoined, TierChanged, MemberMerged, MemberUnmerged. It consumes org's GroupCreated and StoreSaved, points'
SaleRecorded and SaleRefunded, and MergeFollowed of points, the mall and parking.
"""
