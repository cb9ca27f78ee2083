"""What the user of a service may not do in NATS, tried as that user on the real server."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import ConsumerConfig, StreamConfig
from nats.js.errors import NotFoundError
from typer.testing import CliRunner

from chassis import subjects
from chassis.config import SERVICES, Settings, load_settings
from chassis.run import build_app
from suite.cli import app as cli
from suite.servers import script
from tests.support import Sandbox


class Users:
    """Connections as the users of services."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.stream = sandbox, sandbox.stream
        self.settings: Settings = load_settings(
            **{name.removeprefix("HUITONG_").lower(): value for name, value in sandbox.environment.items()}
        )
        self.open: list[Client] = []

    async def connect(self, service: str = "") -> tuple[Client, asyncio.Queue[Exception]]:
        """As a service (or as the suite), and what the server says against it."""
        told: asyncio.Queue[Exception] = asyncio.Queue()
        url = self.settings.events_url(service) if service else self.sandbox.nats_url
        prefix = subjects.inbox(service) if service else "_INBOX"
        client = await nats.connect(url, inbox_prefix=prefix, error_cb=told.put, allow_reconnect=False)
        self.open.append(client)
        return client, told

    async def close(self) -> None:
        for client in self.open:
            await client.close()


@pytest.fixture
async def users(sandbox: Sandbox) -> AsyncIterator[Users]:
    """There is the stream that services share."""
    users = Users(sandbox)
    client, _ = await users.connect()
    await client.jetstream().add_stream(StreamConfig(name=users.stream, subjects=[f"{users.stream}.>"]))
    yield users
    await users.close()


async def violation(told: asyncio.Queue[Exception]) -> str:
    async with asyncio.timeout(10):
        return str(await told.get())


REFUSED_TO_PUBLISH = (
    # Events of others, and answers to them.
    *("{s}.member.0", "{s}.points.0.more", "other.points", "_INBOX_member.x.y"),
    # The stream itself, and messages past the consumers.
    *("$JS.API.STREAM.DELETE.{s}", "$JS.API.STREAM.PURGE.{s}", "$JS.API.STREAM.UPDATE.{s}"),
    *("$JS.API.STREAM.MSG.GET.{s}", "$JS.API.STREAM.MSG.DELETE.{s}", "$JS.API.DIRECT.GET.{s}"),
    # A consumer of its own name that takes more than it listens to.
    *("$JS.API.CONSUMER.CREATE.{s}", "$JS.API.CONSUMER.CREATE.{s}.points-member"),
    *("$JS.API.CONSUMER.CREATE.{s}.points-member.{s}.mall.*", "$JS.API.CONSUMER.CREATE.{s}.points-mall.{s}.mall.*"),
    "$JS.API.CONSUMER.DURABLE.CREATE.{s}.points-member",
    # Consumers of others.
    *("$JS.API.CONSUMER.CREATE.{s}.mall-member.{s}.member.*", "$JS.API.CONSUMER.MSG.NEXT.{s}.mall-member"),
    *("$JS.API.CONSUMER.DELETE.{s}.mall-member", "$JS.ACK.{s}.mall-member.1.1.1.1.0"),
)


@pytest.mark.parametrize("subject", REFUSED_TO_PUBLISH)
async def test_what_a_service_may_not_publish_is_refused(users: Users, subject: str) -> None:
    client, told = await users.connect("points")
    await client.publish(subject.format(s=users.stream), b"{}")
    assert "permissions violation for publish" in await violation(told)


@pytest.mark.parametrize("subject", ["_INBOX_member.>", "_INBOX.>", "{s}.member.*", "{s}.points.*", "$JS.>", ">"])
async def test_what_a_service_may_not_read_is_refused(users: Users, subject: str) -> None:
    client, told = await users.connect("points")
    await client.subscribe(subject.format(s=users.stream))
    assert "permissions violation for subscription" in await violation(told)


async def test_a_consumer_filters_what_its_subject_says(users: Users) -> None:
    """Otherwise a service could ask by a subject that it may use for a consumer of events that it may not see."""
    client, _ = await users.connect("points")
    mine = f"{users.stream}.points-member.{users.stream}.member.*"
    config = ConsumerConfig(durable_name="points-member", name="points-member", filter_subject=f"{users.stream}.mall.*")
    request = json.dumps({"stream_name": users.stream, "config": config.as_dict()}).encode()
    answer = json.loads((await client.request(f"$JS.API.CONSUMER.CREATE.{mine}", request)).data)
    assert "error" in answer
    with pytest.raises(NotFoundError):
        await client.jetstream().consumer_info(users.stream, "points-member")


@pytest.mark.parametrize("user", ["", "huitong:wrong@", "huitong_points:wrong@", "somebody:wrong@"])
async def test_whoever_has_no_password_is_not_let_in(users: Users, user: str) -> None:
    server = users.sandbox.nats_url.rpartition("@")[2]

    async def quiet(_: Exception) -> None:
        pass

    with pytest.raises(NatsError, match="Authorization Violation"):
        await nats.connect(f"nats://{user}{server}", allow_reconnect=False, error_cb=quiet)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_says_whom_it_listens_to(users: Users, service: str) -> None:
    app = build_app(service, users.settings)
    assert sorted(consumer.producer for consumer in app.consumers) == sorted(subjects.listens_to(service))
    with pytest.raises(ValueError, match="LISTENS_TO"):
        app.consume(service, {})


def test_the_block_for_a_server_of_ones_own_is_what_the_server_reads(tmp_path: Path) -> None:
    printed = CliRunner().invoke(cli, ["events", "users"]).output
    assert all(f"huitong.{service}.*" in printed for service in SERVICES)
    settings = tmp_path / "nats.conf"
    settings.write_text(printed)
    passwords = {f"HUITONG_{service.upper()}_NATS_PASSWORD": "secret" for service in SERVICES}
    program = str(script("nats-server"))
    subprocess.run([program, "-t", "-c", str(settings)], env=passwords, check=True, capture_output=True)
