"""WebhookService: proto → plain values → operation → proto."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from grpc.aio import ServicerContext as Context

from chassis import pages
from chassis.crypto import Vault
from chassis.db import Database, Tx
from chassis.errors import InvalidArgument
from chassis.rpc import caller
from huitong.org.v1 import webhooks_pb2 as pb
from huitong.org.v1 import webhooks_pb2_grpc
from services.org.audit.operations import Audit
from services.org.rules import Origin, is_plain, origin_of
from services.org.webhooks import convert, operations, rules, store
from services.org.webhooks.courier import Courier
from services.org.webhooks.operations import endpoint_id_of, partner_id_of
from services.org.webhooks.rules import Endpoint

M = TypeVar("M", bound=Message)
Change = Callable[[Tx, Endpoint], Awaitable[Endpoint]]


class WebhookServicer(webhooks_pb2_grpc.WebhookServiceServicer):
    """Endpoints of the caller's group, or of the partner who calls.

    `wake` is called when there is something to send, `listen` when somebody wants to hear what happens.
    """

    def __init__(
        self,
        db: Database,
        vault: Vault,
        courier: Courier,
        *,
        wake: Callable[[], None],
        listen: Callable[[], Awaitable[None]],
    ) -> None:
        self._db, self._vault, self._audit, self._courier = db, vault, Audit(vault), courier
        self._wake, self._listen = wake, listen

    async def CreateWebhookEndpoint(
        self, request: pb.CreateWebhookEndpointRequest, context: Context
    ) -> pb.CreateWebhookEndpointResponse:
        """See the proto."""
        _check_name(request.name)
        partner_id = partner_id_of(request.partner_id)
        await self._courier.check(request.url)
        await self._listen()  # from before the endpoint is there, so that nothing of what comes after it is missed

        async def operation(tx: Tx) -> pb.CreateWebhookEndpointResponse:
            one = await operations.create(
                tx,
                self._vault,
                partner_id=partner_id,
                name=request.name,
                url=request.url,
                event_types=request.event_types,
                origin=origin_of(request),
            )
            message = convert.endpoint_message(one)
            await self._audit.record(tx, request, one.edge, after=message)
            return pb.CreateWebhookEndpointResponse(webhook_endpoint=message)

        response = await self._db.run_once(request, pb.CreateWebhookEndpointResponse, operation)
        response.secret = await self._secret(response.webhook_endpoint, origin_of(request))
        return response

    async def ListWebhookEndpoints(
        self, request: pb.ListWebhookEndpointsRequest, context: Context
    ) -> pb.ListWebhookEndpointsResponse:
        """See the proto."""
        size = pages.page_size(request.page_size)
        async with self._db.reading(caller()) as tx:
            found = await store.list_endpoints(
                tx,
                partner_id=partner_id_of(request.partner_id),
                before=_before(request.page_token),
                limit=size + 1,
            )
        token = ""
        if len(found) > size:
            token = pages.encode_token(found[size - 1].create_time.isoformat(), found[size - 1].endpoint_id.hex)
        messages = map(convert.endpoint_message, found[:size])
        return pb.ListWebhookEndpointsResponse(webhook_endpoints=messages, next_page_token=token)

    async def UpdateWebhookEndpoint(
        self, request: pb.UpdateWebhookEndpointRequest, context: Context
    ) -> pb.UpdateWebhookEndpointResponse:
        """See the proto."""
        changes: dict[str, object] = {}
        if request.HasField("name"):
            _check_name(request.name)
            changes["name"] = request.name
        if request.HasField("url"):
            await self._courier.check(request.url)
            changes["url"] = request.url
        if request.event_types:
            changes["event_types"] = list(request.event_types)

        async def change(tx: Tx, one: Endpoint) -> Endpoint:
            if request.event_types:
                await operations.check_types(tx, one.partner_id, request.event_types)
            return await store.change_endpoint(tx, one.endpoint_id, **changes) if changes else one

        return await self._change(request, pb.UpdateWebhookEndpointResponse, change)

    async def DisableWebhookEndpoint(
        self, request: pb.DisableWebhookEndpointRequest, context: Context
    ) -> pb.DisableWebhookEndpointResponse:
        """See the proto."""

        async def change(tx: Tx, one: Endpoint) -> Endpoint:
            return await operations.disable(tx, one, rules.REQUESTED)

        return await self._change(request, pb.DisableWebhookEndpointResponse, change)

    async def EnableWebhookEndpoint(
        self, request: pb.EnableWebhookEndpointRequest, context: Context
    ) -> pb.EnableWebhookEndpointResponse:
        """See the proto."""
        response = await self._change(request, pb.EnableWebhookEndpointResponse, operations.enable)
        self._wake()
        return response

    async def DeleteWebhookEndpoint(
        self, request: pb.DeleteWebhookEndpointRequest, context: Context
    ) -> pb.DeleteWebhookEndpointResponse:
        """See the proto."""
        return await self._change(request, pb.DeleteWebhookEndpointResponse, operations.delete)

    async def RotateWebhookSecret(
        self, request: pb.RotateWebhookSecretRequest, context: Context
    ) -> pb.RotateWebhookSecretResponse:
        """See the proto."""

        async def change(tx: Tx, one: Endpoint) -> Endpoint:
            await operations.rotate(
                tx, self._vault, one, overlap_seconds=request.overlap_seconds, origin=origin_of(request)
            )
            return one

        response = await self._change(request, pb.RotateWebhookSecretResponse, change)
        response.secret = await self._secret(response.webhook_endpoint, origin_of(request))
        return response

    async def SendTestEvent(self, request: pb.SendTestEventRequest, context: Context) -> pb.SendTestEventResponse:
        """See the proto."""
        endpoint_id = endpoint_id_of(request.webhook_endpoint_id)

        async def operation(tx: Tx) -> pb.SendTestEventResponse:
            event_id = await operations.send_test(
                tx, endpoint_id, partner_id_of(request.partner_id), request_id=request.request_id
            )
            response = pb.SendTestEventResponse(event_id=event_id)
            await self._audit.record(tx, request, request.webhook_endpoint_id, event_id, after=response)
            return response

        response = await self._db.run_once(request, pb.SendTestEventResponse, operation)
        self._wake()
        return response

    async def ReplayWebhook(self, request: pb.ReplayWebhookRequest, context: Context) -> pb.ReplayWebhookResponse:
        """See the proto."""
        endpoint_id = endpoint_id_of(request.webhook_endpoint_id)
        since, until = _time(request.since_time), None
        if request.HasField("until_time"):
            until = _time(request.until_time)

        async def operation(tx: Tx) -> pb.ReplayWebhookResponse:
            count = await operations.replay(
                tx, endpoint_id, partner_id_of(request.partner_id), since=since, until=until
            )
            response = pb.ReplayWebhookResponse(event_count=count)
            await self._audit.record(tx, request, request.webhook_endpoint_id, after=response)
            return response

        response = await self._db.run_once(request, pb.ReplayWebhookResponse, operation)
        self._wake()
        return response

    async def ListWebhookDeliveries(
        self, request: pb.ListWebhookDeliveriesRequest, context: Context
    ) -> pb.ListWebhookDeliveriesResponse:
        """See the proto."""
        endpoint_id = endpoint_id_of(request.webhook_endpoint_id)
        size = pages.page_size(request.page_size)
        prefix = "WEBHOOK_DELIVERY_STATE_"
        state = pb.WebhookDeliveryState.Name(request.state).removeprefix(prefix) if request.state else ""
        async with self._db.reading(caller()) as tx:
            await operations.get(tx, endpoint_id, partner_id_of(request.partner_id))
            found = await store.list_deliveries(
                tx, endpoint_id, state=state, before=_before(request.page_token), limit=size + 1
            )
        token = ""
        if len(found) > size:
            token = pages.encode_token(found[size - 1].create_time.isoformat(), found[size - 1].event_id.hex)
        messages = map(convert.delivery_message, found[:size])
        return pb.ListWebhookDeliveriesResponse(deliveries=messages, next_page_token=token)

    async def _change(self, request: Message, response_type: type[M], change: Change) -> M:
        """Change an endpoint once, and record what it was and is."""
        edge: str = request.webhook_endpoint_id  # type: ignore[attr-defined]
        endpoint_id, partner_id = endpoint_id_of(edge), partner_id_of(request.partner_id)  # type: ignore[attr-defined]

        async def operation(tx: Tx) -> M:
            one = await operations.get(tx, endpoint_id, partner_id, lock=True)
            before, after = convert.endpoint_message(one), convert.endpoint_message(await change(tx, one))
            await self._audit.record(tx, request, edge, before=before, after=after)
            return response_type(webhook_endpoint=after)

        return await self._db.run_once(request, response_type, operation)

    async def _secret(self, endpoint: pb.WebhookEndpoint, origin: Origin) -> str:
        async with self._db.reading(caller()) as tx:
            endpoint_id = endpoint_id_of(endpoint.webhook_endpoint_id)
            return await operations.secret_of_request(tx, self._vault, endpoint_id=endpoint_id, origin=origin)


def _check_name(name: str) -> None:
    if not is_plain(name):
        raise InvalidArgument([("name", "has control characters")])


def _time(value: Timestamp) -> datetime:
    return value.ToDatetime(tzinfo=UTC)


def _before(token: str) -> tuple[datetime, UUID] | None:
    if not token:
        return None
    time, key = pages.decode_token(token, 2)
    try:
        return datetime.fromisoformat(time), UUID(key)
    except ValueError:
        raise InvalidArgument([("page_token", "is not a token that this list gave")]) from None
