"""AttributeService: proto → plain values → operation → proto."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TypeVar
from uuid import UUID

from google.protobuf.message import Message
from grpc.aio import ServicerContext as Context

from chassis import pages, rpc
from chassis.crypto import Vault
from chassis.db import Database, Tx
from chassis.errors import AppError, InvalidArgument
from chassis.rpc import caller
from huitong.common.v1 import types_pb2
from huitong.member.v1 import attributes_pb2 as pb
from huitong.member.v1 import attributes_pb2_grpc
from services.member import convert
from services.member.attributes import operations, rules, store
from services.member.attributes.operations import Item
from services.member.attributes.rules import Type, Value
from services.member.rules import is_plain

MOST_ITEMS = 1_000
REQUEST_PURPOSE = "member.attribute-request"
T = TypeVar("T")
_FIELDS = {
    "text_value": Type.TEXT,
    "integer_value": Type.INTEGER,
    "decimal_value": Type.DECIMAL,
    "boolean_value": Type.BOOLEAN,
    "date_value": Type.DATE,
    "choice_value": Type.CHOICE,
}
_NAMES = {kind: name for name, kind in _FIELDS.items()}


class AttributeServicer(attributes_pb2_grpc.AttributeServiceServicer):
    """Attributes and tags of members."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db, self._vault = db, vault

    async def DefineAttribute(self, request: pb.DefineAttributeRequest, context: Context) -> pb.DefineAttributeResponse:
        """See the proto."""
        defined = request.definition
        labels = [defined.label, defined.label_zh]
        labels += [label for choice in defined.choices for label in (choice.label, choice.label_zh)]
        if not all(map(is_plain, labels)):
            raise InvalidArgument([("definition", "a label has control characters")])

        async def operation(tx: Tx) -> pb.DefineAttributeResponse:
            if before := await operations.define(tx, request.definition):
                tx.before = pb.DefineAttributeResponse(definition=before)
            return pb.DefineAttributeResponse(definition=request.definition)

        return await self._db.run_once(request, pb.DefineAttributeResponse, operation)

    async def ListAttributeDefinitions(
        self, request: pb.ListAttributeDefinitionsRequest, context: Context
    ) -> pb.ListAttributeDefinitionsResponse:
        """See the proto."""
        size = pages.page_size(request.page_size)
        after = pages.decode_token(request.page_token, 1)[0] if request.page_token else ""
        async with self._db.reading(caller()) as tx:
            rows = await store.list_definitions(tx, after_key=after, limit=size + 1)
        found = [pb.AttributeDefinition.FromString(content) for content in rows[:size]]
        token = pages.encode_token(found[-1].key) if len(rows) > size else ""
        return pb.ListAttributeDefinitionsResponse(definitions=found, next_page_token=token)

    async def SetMemberAttributes(
        self, request: pb.SetMemberAttributesRequest, context: Context
    ) -> pb.SetMemberAttributesResponse:
        """See the proto."""
        source = rules.source_of(caller().kind, request.source)
        items, answers = _each(request.items, _item)

        async def operation(tx: Tx) -> pb.SetMemberAttributesResponse:
            done = {**answers, **await operations.set_attributes(tx, self._vault, items, source)}
            return pb.SetMemberAttributesResponse(results=_results(done))

        # The log of requests keeps a plain hash of each, from which a value could be guessed: this one is keyed.
        print_ = self._vault.blind_index(REQUEST_PURPOSE, request.SerializeToString(deterministic=True))
        request_kept = pb.SetMemberAttributesRequest(
            request_id=request.request_id, items=[pb.AttributeItem(key=print_.hex())]
        )
        return await self._db.run_once(request_kept, pb.SetMemberAttributesResponse, operation)

    async def GetMemberAttributes(
        self, request: pb.GetMemberAttributesRequest, context: Context
    ) -> pb.GetMemberAttributesResponse:
        """See the proto."""
        member_id = convert.member_id_of(request.member_id)
        async with self._db.reading(caller()) as tx:
            attributes, tags = await operations.get_attributes(tx, self._vault, member_id)
        answer = pb.GetMemberAttributesResponse()
        for kind, value, one in attributes:
            shown = answer.attributes.add(
                key=one.key,
                value=_value_message(kind, value),
                source=one.source,
                set_by=one.set_by,
            )
            shown.set_time.FromDatetime(one.set_time)
        for tag in tags:
            shown_tag = answer.tags.add(tag=tag.tag, source=tag.source, added_by=tag.added_by)
            shown_tag.add_time.FromDatetime(tag.add_time)
        return answer

    async def AddTags(self, request: pb.AddTagsRequest, context: Context) -> pb.AddTagsResponse:
        """See the proto."""

        async def operation(tx: Tx) -> pb.AddTagsResponse:
            return pb.AddTagsResponse(results=await _change_tags(tx, request, add=True))

        return await self._db.run_once(request, pb.AddTagsResponse, operation)

    async def RemoveTags(self, request: pb.RemoveTagsRequest, context: Context) -> pb.RemoveTagsResponse:
        """See the proto."""

        async def operation(tx: Tx) -> pb.RemoveTagsResponse:
            return pb.RemoveTagsResponse(results=await _change_tags(tx, request, add=False))

        return await self._db.run_once(request, pb.RemoveTagsResponse, operation)

    async def ListMembersByTag(
        self, request: pb.ListMembersByTagRequest, context: Context
    ) -> pb.ListMembersByTagResponse:
        """See the proto."""
        size, after = pages.page_size(request.page_size), UUID(int=0)
        if request.page_token:
            try:
                after = UUID(pages.decode_token(request.page_token, 1)[0])
            except ValueError:
                raise InvalidArgument([("page_token", "is not a token that this list gave")]) from None
        async with self._db.reading(caller()) as tx:
            found = await store.list_tagged(tx, request.tag, after_id=after, limit=size + 1)
        token = pages.encode_token(found[size - 1].hex) if len(found) > size else ""
        return pb.ListMembersByTagResponse(member_ids=map(convert.member_edge, found[:size]), next_page_token=token)


async def _change_tags(tx: Tx, request: pb.AddTagsRequest | pb.RemoveTagsRequest, *, add: bool) -> list[pb.ItemResult]:
    source = rules.source_of(tx.caller.kind, request.source)
    items, answers = _each(request.items, _tag)
    return _results({**answers, **await operations.change_tags(tx, items, source, add=add)})


def _each(items: Sequence[Message], read: Callable[..., T]) -> tuple[dict[int, T], dict[int, bool | AppError]]:
    """The items by their places, and what is wrong with those that cannot be read. Raises InvalidArgument."""
    if not 1 <= len(items) <= MOST_ITEMS:
        raise InvalidArgument([("items", f"must be 1 to {MOST_ITEMS}")])
    good: dict[int, T] = {}
    bad: dict[int, bool | AppError] = {}
    for place, item in enumerate(items):
        try:
            rpc.validate(item)
            good[place] = read(item)
        except AppError as error:
            bad[place] = error
    return good, bad


def _item(item: pb.AttributeItem) -> Item:
    member_id = convert.member_id_of(item.member_id)
    if not item.HasField("value"):
        return Item(member_id, item.key, None)
    name = item.value.WhichOneof("value") or ""
    value = getattr(item.value, name)
    if name == "date_value":
        try:
            value = date(value.year, value.month, value.day)
        except ValueError:
            raise InvalidArgument([("value.date_value", "is no day")]) from None
    if name == "text_value" and not is_plain(value):
        raise InvalidArgument([("value.text_value", "has control characters")])
    return Item(member_id, item.key, (_FIELDS[name], value))


def _tag(item: pb.TagItem) -> tuple[UUID, str]:
    return convert.member_id_of(item.member_id), item.tag


def _results(answers: Mapping[int, bool | AppError]) -> list[pb.ItemResult]:
    return [
        pb.ItemResult(problem=answer.to_problem()) if isinstance(answer, AppError) else pb.ItemResult(is_changed=answer)
        for _, answer in sorted(answers.items(), key=lambda one: one[0])
    ]


def _value_message(kind: Type, value: Value) -> pb.AttributeValue:
    if isinstance(value, date):
        return pb.AttributeValue(date_value=types_pb2.BusinessDate(year=value.year, month=value.month, day=value.day))
    return pb.AttributeValue(**{_NAMES[kind]: value})  # type: ignore[arg-type]
