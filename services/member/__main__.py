"""Starts member: `python -m services.member`."""

from __future__ import annotations

from chassis.crypto import Vault
from chassis.identity import MEMBER_ACCESS, MEMBER_ACCESS_SECONDS, TokenBook
from chassis.run import App, run_service
from huitong.mall.v1 import events_pb2 as mall_events
from huitong.member.v1 import imports_pb2_grpc, member_pb2_grpc, merging_pb2_grpc, miniprogram_pb2_grpc
from huitong.org.v1 import events_pb2 as org_events
from huitong.org.v1 import org_pb2_grpc
from huitong.parking.v1 import events_pb2 as parking_events
from huitong.points.v1 import events_pb2 as points_events
from services.member import consumers, jobs
from services.member.api import MemberServicer
from services.member.imports.api import MemberImportServicer
from services.member.merging.api import MemberMergeServicer
from services.member.merging.consumers import followed
from services.member.miniprogram.api import MiniProgramServicer
from services.member.miniprogram.wechat import WeChat
from services.member.sessions.api import SessionServicer, SimulatorServicer, TokenMaker
from services.member.sessions.providers import CodeProvider, MissingProvider, SimulatedProvider
from services.member.tiers import consumers as tier_consumers
from services.member.tiers.api import TierServicer


def build(app: App) -> None:
    """Wire member's parts together."""
    is_simulated = app.settings.mode != "production"
    vault = Vault(app.settings.data_key.get_secret_value())
    provider: CodeProvider = SimulatedProvider(vault) if is_simulated else MissingProvider()
    access_tokens = TokenBook(
        app.settings.internal_key.get_secret_value(), issuer=MEMBER_ACCESS, lifetime_seconds=MEMBER_ACCESS_SECONDS
    )
    tokens = TokenMaker(vault, access_tokens)
    wechat = WeChat(app.settings.wechat_url)
    structure = app.stub(org_pb2_grpc.StructureServiceStub, "org")

    app.serve(member_pb2_grpc.add_MemberServiceServicer_to_server, MemberServicer(app.db, vault, structure))
    app.serve(member_pb2_grpc.add_TierServiceServicer_to_server, TierServicer(app.db))
    app.serve(
        member_pb2_grpc.add_SessionServiceServicer_to_server,
        SessionServicer(app.db, vault, provider, tokens),
    )
    app.serve(
        member_pb2_grpc.add_SimulatorServiceServicer_to_server,
        SimulatorServicer(app.db, vault, is_simulated=is_simulated),
    )
    app.serve(
        miniprogram_pb2_grpc.add_MiniProgramServiceServicer_to_server,
        MiniProgramServicer(app.db, vault, wechat, tokens),
    )
    app.on_stop(wechat.close)
    app.serve(imports_pb2_grpc.add_MemberImportServiceServicer_to_server, MemberImportServicer(app.db, vault))
    app.serve(merging_pb2_grpc.add_MemberMergeServiceServicer_to_server, MemberMergeServicer(app.db))
    app.consume("org", {org_events.GroupCreated: consumers.on_groups, org_events.StoreSaved: consumers.on_stores})
    app.consume(
        "points",
        {
            points_events.SaleRecorded: tier_consumers.on_sales,
            points_events.SaleRefunded: tier_consumers.on_refunds,
            points_events.MergeFollowed: followed("points"),
        },
    )
    app.consume("mall", {mall_events.MergeFollowed: followed("mall")})
    app.consume("parking", {parking_events.MergeFollowed: followed("parking")})
    app.job("forget", jobs.forget(app.db), every_seconds=60)


if __name__ == "__main__":
    run_service("member")
