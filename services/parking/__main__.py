"""Wiring of parking."""

from __future__ import annotations

from chassis.personal_data import on_members_erased
from chassis.run import App, run_service
from huitong.common.v1 import personal_data_pb2_grpc
from huitong.member.v1 import events_pb2 as member_events
from huitong.member.v1 import member_pb2_grpc
from huitong.org.v1 import events_pb2 as org_events
from huitong.org.v1 import org_pb2_grpc
from huitong.parking.v1 import parking_pb2_grpc
from huitong.points.v1 import points_pb2_grpc
from services.parking import consumers, jobs, merging
from services.parking.api import ParkingServicer, VehicleServicer
from services.parking.copies import Copies
from services.parking.payments import Payments
from services.parking.privacy import personal_data


def build(app: App) -> None:
    """Serve plates and stays, keep copies of org's and member's facts, finish payments that were left open."""
    copies = Copies(
        app.db,
        app.stub(org_pb2_grpc.StructureServiceStub, "org"),
        app.stub(member_pb2_grpc.MemberServiceStub, "member"),
        app.stub(member_pb2_grpc.TierServiceStub, "member"),
    )
    payments = Payments(
        app.db,
        app.stub(points_pb2_grpc.WalletServiceStub, "points"),
        app.stub(points_pb2_grpc.RuleServiceStub, "points"),
    )
    app.serve(parking_pb2_grpc.add_VehicleServiceServicer_to_server, VehicleServicer(app.db, copies))
    app.serve(parking_pb2_grpc.add_ParkingServiceServicer_to_server, ParkingServicer(app.db, copies, payments))
    app.serve(personal_data_pb2_grpc.add_PersonalDataServiceServicer_to_server, personal_data(app.db))

    app.consume(
        "org",
        {org_events.BusinessUnitSaved: consumers.take_units, org_events.MerchantSaved: consumers.take_merchants},
    )
    app.consume(
        "member",
        {
            member_events.MemberJoined: consumers.take_members,
            member_events.TierChanged: consumers.take_members,
            member_events.MemberMerged: merging.take_merges,
            member_events.MemberUnmerged: merging.take_unmerges,
            member_events.MemberErased: on_members_erased,
        },
    )
    jobs.add(app, payments)
    app.job("parking.merges", merging.follower(app.db), every_seconds=2)


if __name__ == "__main__":
    run_service("parking")
