"""Starts org: `python -m services.org`."""

from __future__ import annotations

from chassis.crypto import Vault
from chassis.run import App, run_service
from huitong.org.v1 import org_pb2_grpc
from services.org.api import CredentialServicer, StructureServicer


def build(app: App) -> None:
    """Wire org's parts together."""
    vault = Vault(app.settings.data_key.get_secret_value())
    app.serve(org_pb2_grpc.add_StructureServiceServicer_to_server, StructureServicer(app.db, vault))
    app.serve(org_pb2_grpc.add_CredentialServiceServicer_to_server, CredentialServicer(app.db, vault))


if __name__ == "__main__":
    run_service("org")
