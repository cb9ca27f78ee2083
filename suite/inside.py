"""The suite's own way into the services: progress, drained events, business time, the first group."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import grpc

from chassis import rpc
from chassis.config import SERVICES, Settings, load_settings
from chassis.errors import AppError
from chassis.identity import TokenBook
from huitong.common.v1 import control_pb2, control_pb2_grpc
from huitong.org.v1 import org_pb2, org_pb2_grpc
from suite.home import Home
from suite.state import environment


def running_settings(home: Home) -> Settings:
    """The settings that the running services have. Raises SuiteNotRunning."""
    values = {name.removeprefix("HUITONG_").lower(): value for name, value in environment(home).items()}
    return load_settings(**values)


class Inside:
    """Calls to every service as the suite itself."""

    def __init__(self, config: Settings, services: Iterable[str] = SERVICES) -> None:
        self._config = config
        self._tokens = TokenBook(config.internal_key.get_secret_value())
        self._channels = {name: rpc.open_channel(config.address(name)) for name in services}
        self._controls = {
            name: control_pb2_grpc.ControlServiceStub(channel) for name, channel in self._channels.items()
        }

    @property
    def services(self) -> list[str]:
        """Names of the services that are spoken to."""
        return list(self._channels)

    async def close(self) -> None:
        """Close the channels."""
        for channel in self._channels.values():
            await channel.close()

    async def call(self, method: Any, request: Any, *, group_id: UUID = rpc.NO_GROUP, timeout_s: float = 10.0) -> Any:
        """Call a service's RPC as the suite. Raises AppError."""
        rpc.speak_as("suite", self._tokens)
        return await rpc.call(method, request, group_id=group_id, timeout_s=timeout_s)

    def control(self, service: str) -> Any:
        """The control stub of a service."""
        return self._controls[service]

    def channel(self, service: str) -> grpc.aio.Channel:
        """The channel to a service."""
        return self._channels[service]

    async def progress(self) -> dict[str, control_pb2.GetProgressResponse]:
        """How far every service is."""
        request = control_pb2.GetProgressRequest()
        answers = await asyncio.gather(
            *(self.call(control.GetProgress, request) for control in self._controls.values())
        )
        return dict(zip(self._controls, answers, strict=True))

    async def drain(self, *, timeout_s: float = 120.0) -> None:
        """Wait until every event written so far, and every event that those caused, has been applied."""
        heads: dict[tuple[str, int], int] = {}
        async with asyncio.timeout(timeout_s):
            while True:
                marks = [
                    control_pb2.Consumed(producer=producer, lane=lane, pack_no=pack_no)
                    for (producer, lane), pack_no in heads.items()
                ]
                request = control_pb2.AwaitDrainedRequest(applied=marks)
                answers = await asyncio.gather(
                    *(self._patiently(partial(self._await_drained, name, request)) for name in self._controls)
                )
                newest = {
                    (name, lane.lane): lane.pack_no
                    for name, answer in zip(self._controls, answers, strict=True)
                    for lane in answer.produced
                }
                # Nobody wrote anything while the last packs were applied: there is nothing more to come.
                if newest == heads:
                    return
                heads = newest

    async def _await_drained(
        self, service: str, request: control_pb2.AwaitDrainedRequest
    ) -> control_pb2.AwaitDrainedResponse:
        return await self.call(self._controls[service].AwaitDrained, request, timeout_s=30.0)

    async def set_time(self, time: datetime, *, hold_at: datetime | None = None, strict: bool = False) -> None:
        """Tell every service what time it is, and wait until its jobs have done what is due by then.

        A service whose time is later already keeps it (an interrupted run taken up again), unless `strict`.
        """
        request = control_pb2.SetBusinessTimeRequest()
        request.business_time.FromDatetime(time)
        if hold_at is not None:
            request.hold_at_time.FromDatetime(hold_at)
        await asyncio.gather(*(self._set_time(control, request, strict) for control in self._controls.values()))

    async def _set_time(self, control: Any, request: control_pb2.SetBusinessTimeRequest, strict: bool) -> None:
        async def tell() -> None:
            try:
                await self.call(control.SetBusinessTime, request, timeout_s=110.0)
            except AppError as error:
                if strict or error.reason != "CLOCK_GOES_BACK":
                    raise

        await self._patiently(tell)

    async def _patiently(self, ask: Any, *, patience_s: float = 60.0) -> Any:
        """Ask again while a service is being restarted."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + patience_s
        while True:
            try:
                return await ask()
            except AppError as error:
                if error.code not in _PASSING or loop.time() > give_up:
                    raise
                await asyncio.sleep(0.2)

    async def create_group(self, *, code: str, name: str) -> org_pb2.CreateGroupResponse:
        """The group and its first system credential; asking again answers the same."""
        request = org_pb2.CreateGroupRequest(request_id=f"create-group-{code}", code=code, name=name)
        stub = org_pb2_grpc.StructureServiceStub(self._channels["org"])
        return await self.call(stub.CreateGroup, request)


_PASSING = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED)


def undrained(progress: dict[str, control_pb2.GetProgressResponse]) -> list[str]:
    """What still has to be packed, published or applied, a line each; empty when all is drained."""
    waiting = []
    heads = {(name, lane.lane): lane.pack_no for name, answer in progress.items() for lane in answer.produced}
    for name, answer in progress.items():
        for lane in answer.produced:
            if lane.waiting_event_count:
                waiting.append(f"{name} lane {lane.lane}: {lane.waiting_event_count} events to publish")
        marks = {(mark.producer, mark.lane): mark.pack_no for mark in answer.consumed}
        for producer in {producer for producer, _ in marks}:
            for (head_of, lane_no), pack_no in heads.items():
                behind = pack_no - marks.get((producer, lane_no), 0)
                if head_of == producer and behind > 0:
                    waiting.append(f"{name}: {behind} packs of {producer} lane {lane_no} to apply")
    return waiting
