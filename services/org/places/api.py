"""RPCs about what lies below a place."""

from __future__ import annotations

from grpc.aio import ServicerContext as Context

from chassis.db import Database
from chassis.rpc import caller
from huitong.org.v1 import places_pb2 as pb
from huitong.org.v1 import places_pb2_grpc
from services.org.places import operations


class PlaceServicer(places_pb2_grpc.PlaceServiceServicer):
    """The structure as the gateway needs it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def GetPlacesBelow(self, request: pb.GetPlacesBelowRequest, context: Context) -> pb.GetPlacesBelowResponse:
        """See the proto."""
        async with self._db.reading(caller()) as tx:
            group_id, place_ids = await operations.places_below(tx, request.place_id)
        return pb.GetPlacesBelowResponse(group_id=group_id, place_ids=place_ids)
