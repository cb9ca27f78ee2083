"""An empty HTTP door before the empty gRPC service. `python -m tests.bench.http_echo <port> <port of the echo>`"""

from __future__ import annotations

import asyncio
import sys

import grpc
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from huitong.points.v1 import points_pb2, points_pb2_grpc


async def main(port: int, echo_port: int) -> None:
    """Serve until killed."""
    stub = points_pb2_grpc.SalesServiceStub(grpc.aio.insecure_channel(f"127.0.0.1:{echo_port}"))

    async def pass_on(request: Request) -> Response:
        await request.body()
        await stub.RecordSale(points_pb2.RecordSaleRequest(member_id="mbr_0"))
        return Response(b"{}", media_type="application/json")

    app = Starlette(routes=[Route("/v1/sales", pass_on, methods=["POST"])])
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, loop="none", http="httptools", ws="none", log_config=None, access_log=False
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    uvloop.install()
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
