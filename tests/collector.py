"""Takes the traces that processes export, so that tests can look at what they tell."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Takes the traces that processes export."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.server = grpc.server(ThreadPoolExecutor(max_workers=1))
        trace_service_pb2_grpc.add_TraceServiceServicer_to_server(self, self.server)  # type: ignore[no-untyped-call]
        self.address = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def Export(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Keep the spans; texts stand in them as they are."""
        self._parts.append(request.SerializeToString())
        return trace_service_pb2.ExportTraceServiceResponse()

    @property
    def traces(self) -> bytes:
        """All that came so far."""
        return b"".join(tuple(self._parts))

    def close(self) -> None:
        """Take no more."""
        self.server.stop(0)
