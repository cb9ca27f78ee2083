"""One person, one identity, and what it is worth to the group.

Tables: member, member_state, member_identity, join_request, code_use (here), standing and those of tier_tables.py
(`tiers`), those of benefit_tables.py (`benefits`), login_challenge, login_outbox, session (`sessions`), mini_program
(`miniprogram`), member_import, member_import_row (`imports`), member_merge (`merging`), denied_identity, member_device,
risk_policy (`risk`), referral_program, referral_code, referral (`referral`), attribute_definition, member_attribute,
member_tag (`attributes`), member_profile (`profile`), consent_text and consent (`consents`), privacy_settings and
erasure (`privacy`), and the copies group_copy and store_copy.
RPCs: huitong.member.v1.MemberService (here), TierService and TierProgramService (`tiers`), BenefitService (`benefits`),
SessionService and SimulatorService (`sessions`), MiniProgramService (`miniprogram`), MemberImportService (`imports`),
RiskService (`risk`), ReferralService (`referral`), AttributeService (`attributes`), ProfileService (`profile`),
ConsentService (`consents`), PrivacyService (`privacy`), MemberMergeService (`merging`).
Events: MemberJoined, TierChanged, GrowthRecorded, TierMatched, BenefitUsed, BenefitReturned, MemberStateChanged,
RiskPolicyChanged, ReferralMade, ReferralRewarded, TagsChanged, MemberProfileChanged, ConsentChanged, MemberErased,
MemberMerged, MemberUnmerged. It consumes org's GroupCreated and StoreSaved, points' SaleRecorded, SaleRefunded and
SegmentsChanged, and MergeFollowed of points, the mall and parking. Parking is asked whose a plate is.
"""

LISTENS_TO = ("org", "points", "mall", "parking")
