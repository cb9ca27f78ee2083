"""`huitong events`: how far events are, and what was parked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from chassis.config import SERVICES
from chassis.errors import AppError
from chassis.subjects import permissions
from huitong.common.v1 import control_pb2
from suite.errors import SuiteError, say
from suite.home import Home, default_home
from suite.inside import Inside, running_settings

events = typer.Typer(no_args_is_help=True, help="How far events are, and events that could not be applied.")
console = Console()


def _with_inside(work: Callable[[Inside], Awaitable[None]]) -> None:
    async def run() -> None:
        inside = Inside(running_settings(Home(default_home())))
        try:
            await work(inside)
        finally:
            await inside.close()

    try:
        asyncio.run(run())
    except (SuiteError, AppError) as error:
        console.print(f"[bold red]{say('Error', '错误')}:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None


@events.command("users")
def users(
    stream: Annotated[str, typer.Option(envvar="HUITONG_STREAM", help="the stream that services use")] = "huitong",
) -> None:
    """Print the users that a NATS server of your own gives the services: a part of its settings.

    Passwords are read by that server from its environment: HUITONG_POINTS_NATS_PASSWORD and the like.
    """
    block = ",\n".join(
        f'  {{user: "huitong_{service}", password: $HUITONG_{service.upper()}_NATS_PASSWORD, '
        f"permissions: {json.dumps(permissions(service, stream), indent=2)}}}"
        for service in SERVICES
    )
    typer.echo(f"authorization {{ users: [\n{block}\n]}}")


@events.command("status")
def status() -> None:
    """Show each producer's lanes and how far each consumer is behind."""

    async def work(inside: Inside) -> None:
        progress = await inside.progress()
        table = Table("producer", "lane", "packs", "to publish", "consumers behind", "parked")
        for name, answer in progress.items():
            for lane in answer.produced:
                behind = []
                for consumer, other in progress.items():
                    marks = {(mark.producer, mark.lane): mark.pack_no for mark in other.consumed}
                    if any(producer == name for producer, _ in marks):
                        behind.append(f"{consumer} {lane.pack_no - marks.get((name, lane.lane), 0)}")
                table.add_row(
                    name,
                    str(lane.lane),
                    str(lane.pack_no),
                    str(lane.waiting_event_count),
                    ", ".join(behind) or "-",
                    str(answer.parked_event_count),
                )
        console.print(table)

    _with_inside(work)


@events.command("parked")
def parked() -> None:
    """List events that kept failing, with their reasons."""

    async def work(inside: Inside) -> None:
        table = Table("service", "event", "type", "from", "tries", "reason")
        for service in inside.services:
            token = ""
            while True:
                request = control_pb2.ListParkedEventsRequest(page_size=200, page_token=token)
                answer = await inside.call(inside.control(service).ListParkedEvents, request)
                for event in answer.events:
                    table.add_row(
                        service,
                        event.event_id,
                        event.type,
                        f"{event.producer} {event.lane}/{event.pack_no}",
                        str(event.attempt_count),
                        event.reason,
                    )
                token = answer.next_page_token
                if not token:
                    break
        console.print(table if table.row_count else say("Nothing is parked.", "没有被搁置的事件。"))

    _with_inside(work)


@events.command("retry")
def retry(
    service: Annotated[str, typer.Argument(help="the service that parked them")],
    event_ids: Annotated[list[str] | None, typer.Argument(help="default: all that it parked")] = None,
) -> None:
    """Apply parked events again; those that succeed leave the list."""

    async def work(inside: Inside) -> None:
        if service not in inside.services:
            raise typer.BadParameter(f"there is no service {service}")
        request = control_pb2.RetryParkedEventsRequest(event_ids=event_ids or [])
        answer = await inside.call(inside.control(service).RetryParkedEvents, request, timeout_s=60)
        console.print(
            say(
                f"{answer.applied_count} applied, {answer.still_parked_count} still parked",
                f"已处理 {answer.applied_count} 个，仍搁置 {answer.still_parked_count} 个",
            )
        )

    _with_inside(work)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(events, name="events")
