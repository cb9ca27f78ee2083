"""Use cases of places."""

from __future__ import annotations

from chassis.db import Tx
from chassis.errors import InvalidArgument
from chassis.ids import from_edge
from services.org import convert
from services.org.places import errors, store


async def places_below(tx: Tx, place_id: str) -> tuple[str, list[str]]:
    """The edge ids of the place's group, and of the merchants and stores below the place. Raises PlaceUnknown."""
    prefix = place_id.partition("_")[0]
    try:
        found = await store.find_below(tx, prefix, from_edge(prefix, place_id, "place_id"))
    except InvalidArgument:
        found = None
    if found is None:
        raise errors.PlaceUnknown(place_id=place_id)
    group_id, merchant_ids, store_ids = found
    below = [*map(convert.merchant_edge, merchant_ids), *map(convert.store_edge, store_ids)]
    return convert.group_edge(group_id), below
