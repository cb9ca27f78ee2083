"""Channels to the services: bytes in, bytes out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import grpc
from grpc_health.v1 import health_pb2

from chassis.errors import from_rpc_error
from chassis.rpc import open_channel

READY_SECONDS = 1.0
Metadata = tuple[tuple[str, str], ...]


class Upstream:
    """One channel for each service; calls fail at once while it is stopped."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._channels = {name: open_channel(address) for name, address in addresses.items()}
        self._health = {
            name: channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            for name, channel in self._channels.items()
        }

    def call(self, service: str, rpc: str) -> Callable[[bytes, float, Metadata], Any]:
        """A function that calls `rpc` with serialised messages: (request, deadline seconds, metadata) → response.

        It raises AppError: the service's own, or what the failure of the transport means.
        """
        send = self._channels[service].unary_unary(rpc)

        async def invoke(request: bytes, seconds: float, metadata: Metadata) -> bytes:
            try:
                answer: bytes = await send(request, timeout=seconds, metadata=metadata)
                return answer
            except grpc.RpcError as error:
                raise from_rpc_error(error) from None

        return invoke

    async def readiness(self) -> dict[str, bool]:
        """For each service whether it says that it is ready."""
        answers = await asyncio.gather(*(self._is_ready(name) for name in self._health))
        return dict(zip(self._health, answers, strict=True))

    async def _is_ready(self, name: str) -> bool:
        try:
            answer = await self._health[name](health_pb2.HealthCheckRequest(), timeout=READY_SECONDS)
        except grpc.RpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    async def close(self) -> None:
        """Close all channels."""
        await asyncio.gather(*(channel.close() for channel in self._channels.values()))
