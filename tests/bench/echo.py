"""An empty service on the same library: what a unary call costs by itself. `python -m tests.bench.echo <port>`"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import grpc
import uvloop

from huitong.points.v1 import points_pb2, points_pb2_grpc


class Echo(points_pb2_grpc.SalesServiceServicer):
    """Answers at once."""

    async def RecordSale(self, request: points_pb2.RecordSaleRequest, context: Any) -> points_pb2.RecordSaleResponse:
        """Nothing is recorded."""
        return points_pb2.RecordSaleResponse(member_id=request.member_id)

    async def RecordSales(self, request: Any, context: Any) -> Any:
        """Not measured."""
        raise NotImplementedError

    RefundSale = GetSale = RecordSales


async def main(port: int) -> None:
    """Serve until killed."""
    server = grpc.aio.server()
    points_pb2_grpc.add_SalesServiceServicer_to_server(Echo(), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
