"""Starts member: `python -m services.member`."""

from __future__ import annotations

from chassis.crypto import Vault
from chassis.ended_sessions import gateway_prefix
from chassis.identity import access_tokens, proof_tokens
from chassis.run import App, run_service
from chassis.upstream import Upstream
from chassis.valkey import open_valkey
from chassis.velocity import Velocity
from huitong.common.v1 import control_pb2_grpc, personal_data_pb2_grpc
from huitong.mall.v1 import events_pb2 as mall_events
from huitong.member.v1 import (
    attributes_pb2_grpc,
    benefits_pb2_grpc,
    consents_pb2_grpc,
    imports_pb2_grpc,
    member_pb2_grpc,
    merging_pb2_grpc,
    miniprogram_pb2_grpc,
    privacy_pb2_grpc,
    profile_pb2_grpc,
    proofs_pb2_grpc,
    referral_pb2_grpc,
    risk_pb2_grpc,
    tiers_pb2_grpc,
)
from huitong.org.v1 import events_pb2 as org_events
from huitong.org.v1 import org_pb2_grpc
from huitong.parking.v1 import events_pb2 as parking_events
from huitong.parking.v1 import parking_pb2_grpc
from huitong.points.v1 import events_pb2 as points_events
from huitong.points.v1 import rewards_pb2_grpc
from services.member import consumers, jobs
from services.member.api import MemberServicer
from services.member.attributes import consumers as attribute_consumers
from services.member.attributes.api import AttributeServicer
from services.member.benefits.api import BenefitServicer
from services.member.consents.api import ConsentServicer
from services.member.imports.api import MemberImportServicer
from services.member.merging.api import MemberMergeServicer
from services.member.merging.consumers import followed
from services.member.miniprogram.api import MiniProgramServicer
from services.member.miniprogram.wechat import WeChat
from services.member.privacy.api import PrivacyServicer
from services.member.privacy.operations import Erasures, Exports
from services.member.privacy.rules import SERVICES
from services.member.profile.api import ProfileServicer
from services.member.proofs.api import ProofServicer
from services.member.referral import consumers as referral_consumers
from services.member.referral import jobs as referral_jobs
from services.member.referral.api import ReferralServicer
from services.member.risk.api import RiskServicer
from services.member.risk.gate import JoinGate
from services.member.sessions.api import SessionServicer, SimulatorServicer, TokenMaker
from services.member.sessions.jobs import tell_ended
from services.member.sessions.providers import CodeProvider, MissingProvider, SimulatedProvider
from services.member.tiers import consumers as tier_consumers
from services.member.tiers.api import TierServicer
from services.member.tiers.jobs import TierJobs
from services.member.tiers.program_api import TierProgramServicer


def build(app: App) -> None:
    """Wire member's parts together."""
    is_simulated = app.settings.mode != "production"
    vault = Vault(app.settings.data_key.get_secret_value())
    provider: CodeProvider = SimulatedProvider(vault) if is_simulated else MissingProvider()
    tokens = TokenMaker(vault, access_tokens(app.settings))
    wechat = WeChat(app.settings.wechat_url)
    valkey = open_valkey(app.settings.redis_url)
    app.on_stop(valkey.aclose)
    gate = JoinGate(app.db, vault, Velocity(valkey, prefix=f"{app.settings.stream}:member:velocity"))
    structure = app.stub(org_pb2_grpc.StructureServiceStub, "org")
    vehicles = app.stub(parking_pb2_grpc.VehicleServiceStub, "parking")

    app.serve(
        member_pb2_grpc.add_MemberServiceServicer_to_server,
        MemberServicer(app.db, vault, structure, vehicles, gate),
    )
    app.serve(member_pb2_grpc.add_TierServiceServicer_to_server, TierServicer(app.db))
    app.serve(benefits_pb2_grpc.add_BenefitServiceServicer_to_server, BenefitServicer(app.db, vault))
    app.serve(
        member_pb2_grpc.add_SessionServiceServicer_to_server,
        SessionServicer(app.db, vault, provider, tokens, gate),
    )
    app.serve(
        member_pb2_grpc.add_SimulatorServiceServicer_to_server,
        SimulatorServicer(app.db, vault, is_simulated=is_simulated),
    )
    app.serve(
        miniprogram_pb2_grpc.add_MiniProgramServiceServicer_to_server,
        MiniProgramServicer(app.db, vault, wechat, tokens, gate),
    )
    app.serve(
        proofs_pb2_grpc.add_ProofServiceServicer_to_server,
        ProofServicer(app.db, vault, provider, wechat, proof_tokens(app.settings)),
    )
    app.on_stop(wechat.close)
    app.serve(referral_pb2_grpc.add_ReferralServiceServicer_to_server, ReferralServicer(app.db, vault, structure))
    app.serve(attributes_pb2_grpc.add_AttributeServiceServicer_to_server, AttributeServicer(app.db, vault))
    app.serve(risk_pb2_grpc.add_RiskServiceServicer_to_server, RiskServicer(app.db, vault))
    app.serve(
        imports_pb2_grpc.add_MemberImportServiceServicer_to_server, MemberImportServicer(app.db, vault, structure)
    )
    app.serve(merging_pb2_grpc.add_MemberMergeServiceServicer_to_server, MemberMergeServicer(app.db))
    app.consume("org", {org_events.GroupCreated: consumers.on_groups, org_events.StoreSaved: consumers.on_stores})
    app.consume(
        "points",
        {
            points_events.SaleRecorded: consumers.in_turn(tier_consumers.on_sales, referral_consumers.on_sales),
            points_events.SaleRefunded: consumers.in_turn(tier_consumers.on_refunds, referral_consumers.on_refunds),
            points_events.SegmentsChanged: attribute_consumers.on_segments,
            points_events.MergeFollowed: followed("points"),
        },
    )
    app.consume("mall", {mall_events.MergeFollowed: followed("mall")})
    app.consume("parking", {parking_events.MergeFollowed: followed("parking")})
    rewards = app.stub(rewards_pb2_grpc.RewardServiceStub, "points")
    app.job("member-referrals", referral_jobs.reward(app.db, rewards), every_seconds=5)
    app.job("forget", jobs.forget(app.db), every_seconds=60)
    tell = tell_ended(app.db, valkey, gateway_prefix(app.settings.stream))
    app.job("sessions.tell-ended", tell, every_seconds=2)
    _build_tiers(app, vault)
    _build_privacy(app, vault)


def _build_tiers(app: App, vault: Vault) -> None:
    """The close of a qualifying period, and grading groups anew."""
    points = app.stub(control_pb2_grpc.ControlServiceStub, "points")
    tier_jobs = TierJobs(app.db, Upstream(app.db, {"points": points}).is_past)
    app.job("tiers.close-day", tier_jobs.close_day, every_seconds=5)
    recalculate = app.job("tiers.recalculate", tier_jobs.recalculate, every_seconds=5)
    app.serve(
        tiers_pb2_grpc.add_TierProgramServiceServicer_to_server,
        TierProgramServicer(app.db, vault, app.stub(org_pb2_grpc.StructureServiceStub, "org"), recalculate.wake),
    )


def _build_privacy(app: App, vault: Vault) -> None:
    """Profiles, consents, export and erasure."""
    others = {name: app.stub(personal_data_pb2_grpc.PersonalDataServiceStub, name) for name in SERVICES}
    app.job("erasures", Erasures(app.db, others).run, every_seconds=5)
    erasures = app.jobs[-1]
    app.serve(profile_pb2_grpc.add_ProfileServiceServicer_to_server, ProfileServicer(app.db, vault))
    app.serve(consents_pb2_grpc.add_ConsentServiceServicer_to_server, ConsentServicer(app.db, vault))
    app.serve(
        privacy_pb2_grpc.add_PrivacyServiceServicer_to_server,
        PrivacyServicer(app.db, Exports(app.db, vault, others), wake=erasures.wake),
    )


if __name__ == "__main__":
    run_service("member")
