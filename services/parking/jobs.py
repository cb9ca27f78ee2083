"""Recurring work: finish payments that a crash or an absent points service left open."""

from __future__ import annotations

from chassis.run import App
from services.parking.payments import Payments


def add(app: App, payments: Payments) -> None:
    """Register the jobs."""
    app.job("parking.finish-payments", payments.finish_open, every_seconds=2)
