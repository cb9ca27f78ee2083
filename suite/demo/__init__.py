"""`huitong demo`: a year of real purchases through the gateway's doors. docs/demo-year.md publishes its rules."""

import typer

from suite.demo import command, rules, tour


def register(app: typer.Typer) -> None:
    """Add the demo's commands."""
    command.register(app)
    tour.register(app)
    rules.register(app)
