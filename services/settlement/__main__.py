"""Wiring of settlement."""

from __future__ import annotations

from chassis.run import App, run_service
from chassis.upstream import Upstream
from huitong.common.v1 import control_pb2_grpc
from huitong.org.v1 import events_pb2 as org_events
from huitong.org.v1 import org_pb2_grpc
from huitong.points.v1 import points_pb2_grpc
from huitong.settlement.v1 import settlement_pb2_grpc
from services.settlement import consumers
from services.settlement.api import ContractServicer, StatementServicer
from services.settlement.copies import Copies
from services.settlement.jobs import Jobs
from services.settlement.movements import FACTS


def build(app: App) -> None:
    """Serve contracts and statements, accrue the facts of four services, close months."""
    copies = Copies(app.db, app.stub(org_pb2_grpc.StructureServiceStub, "org"))
    ledger = app.stub(points_pb2_grpc.LedgerServiceStub, "points")
    app.serve(settlement_pb2_grpc.add_ContractServiceServicer_to_server, ContractServicer(app.db, copies))
    app.serve(settlement_pb2_grpc.add_StatementServiceServicer_to_server, StatementServicer(app.db, ledger))

    app.consume(
        "org",
        {org_events.BusinessUnitSaved: consumers.take_units, org_events.MerchantSaved: consumers.take_merchants},
    )
    for producer, messages in FACTS.items():
        app.consume(producer, dict.fromkeys(messages, consumers.take_movements))

    controls = {name: app.stub(control_pb2_grpc.ControlServiceStub, name) for name in FACTS}
    jobs = Jobs(app.db, Upstream(app.db, controls).is_past)
    app.job("settlement.post-waiting", jobs.post_waiting, every_seconds=5)
    app.job("settlement.close-periods", jobs.close_periods, every_seconds=2)


if __name__ == "__main__":
    run_service("settlement")
