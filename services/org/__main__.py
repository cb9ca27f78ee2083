"""Starts org: `python -m services.org`."""

from __future__ import annotations

import asyncio

from chassis.crypto import Vault
from chassis.run import App, run_service
from huitong.common.v1 import acts_pb2_grpc
from huitong.org.v1 import (
    approvals_pb2_grpc,
    audit_pb2_grpc,
    operators_pb2_grpc,
    org_pb2_grpc,
    places_pb2_grpc,
    webhooks_pb2_grpc,
)
from services.org import LISTENS_TO, jobs
from services.org.api import StructureServicer
from services.org.approvals.api import ApprovalServicer
from services.org.audit.api import ActServicer, AuditServicer
from services.org.credentials.api import CredentialServicer
from services.org.operators.api import OperatorServicer, OperatorSessionServicer
from services.org.operators.passwords import Passwords
from services.org.places.api import PlaceServicer
from services.org.webhooks import consumers as webhook_consumers
from services.org.webhooks import jobs as webhook_jobs
from services.org.webhooks.api import WebhookServicer
from services.org.webhooks.courier import Courier


def build(app: App) -> None:
    """Wire org's parts together."""
    db, vault = app.db, Vault(app.settings.data_key.get_secret_value())
    app.serve(org_pb2_grpc.add_StructureServiceServicer_to_server, StructureServicer(db, vault))
    app.serve(org_pb2_grpc.add_CredentialServiceServicer_to_server, CredentialServicer(db, vault))
    app.serve(operators_pb2_grpc.add_OperatorServiceServicer_to_server, OperatorServicer(db, vault))
    sessions = OperatorSessionServicer(db, vault, Passwords())
    app.serve(operators_pb2_grpc.add_OperatorSessionServiceServicer_to_server, sessions)
    app.serve(audit_pb2_grpc.add_AuditServiceServicer_to_server, AuditServicer(db, vault))
    app.serve(acts_pb2_grpc.add_ActServiceServicer_to_server, ActServicer(db, vault))
    app.serve(approvals_pb2_grpc.add_ApprovalServiceServicer_to_server, ApprovalServicer(db, vault))
    app.serve(places_pb2_grpc.add_PlaceServiceServicer_to_server, PlaceServicer(db))
    app.job("forget", jobs.forget(db), every_seconds=60)
    _webhooks(app, vault)


def _webhooks(app: App, vault: Vault) -> None:
    timeout_s, is_local = app.settings.webhook_timeout_seconds, app.settings.may_send_inwards
    courier = Courier(timeout_s=timeout_s, is_local=is_local)
    sender = webhook_jobs.Sender(
        app.db,
        vault,
        courier,
        holder=app.holder,
        timeout_s=timeout_s,
        first_wait_seconds=app.settings.webhook_retry_seconds,
    )
    needed = webhook_consumers.is_anybody_listening(app.db)
    consumers = [
        app.consume(producer, webhook_consumers.handlers(producer, expect=sender.expect), needed=needed)
        for producer in LISTENS_TO
    ]

    async def listen() -> None:
        await asyncio.gather(*(consumer.listen() for consumer in consumers))

    servicer = WebhookServicer(app.db, vault, courier, wake=sender.wake, listen=listen)
    app.serve(webhooks_pb2_grpc.add_WebhookServiceServicer_to_server, servicer)
    app.activity.listen(sender.moved)
    app.background("webhooks", sender.run)
    app.job("forget-webhooks", webhook_jobs.forget(app.db), every_seconds=600)
    app.on_stop(courier.close)


if __name__ == "__main__":
    run_service("org")
