"""Asking a part whether it is ready, without waiting long for an answer."""

from __future__ import annotations

import asyncio
import contextlib

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from suite.parts import Part


class Probe:
    """Asks one part; keeps its channel, so that asking every second costs little."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._channel: grpc.aio.Channel | None = None

    async def ready(self, timeout: float = 2.0) -> bool:
        """Whether the part says that it serves. `timeout` in seconds."""
        if self._part.readiness == "http":
            return await self._http(timeout)
        return await self._grpc(timeout)

    async def _grpc(self, timeout: float) -> bool:
        if self._channel is None:
            # A restarted service is met at once: the default waits up to two minutes between attempts to connect.
            options = [("grpc.max_reconnect_backoff_ms", 500), ("grpc.initial_reconnect_backoff_ms", 100)]
            options += [("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1)]
            self._channel = grpc.aio.insecure_channel(self._part.address, options=options)
        try:
            answer = await health_pb2_grpc.HealthStub(self._channel).Check(
                health_pb2.HealthCheckRequest(service=""), timeout=timeout
            )
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)

    async def _http(self, timeout: float) -> bool:
        try:
            async with asyncio.timeout(timeout):
                reader, writer = await asyncio.open_connection(self._part.host, self._part.port)
                try:
                    request = f"GET /healthz HTTP/1.1\r\nHost: {self._part.address}\r\nConnection: close\r\n\r\n"
                    writer.write(request.encode())
                    status = await reader.readline()
                finally:
                    writer.close()
                    with contextlib.suppress(OSError):
                        await writer.wait_closed()
        except (OSError, TimeoutError):
            return False
        return b" 200 " in status

    async def close(self) -> None:
        """Let go of the connection."""
        if self._channel is not None:
            await self._channel.close()
            self._channel = None
