"""The contract as the gateway needs it: every RPC with its HTTP bindings, access rule, door and comments."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.api import annotations_pb2
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor

from chassis.identity import CallerKind
from huitong.common.v1 import access_pb2

_VERBS = ("get", "put", "post", "delete", "patch")


@dataclass(frozen=True, slots=True)
class HttpBinding:
    """One way in: a verb and a path template; `body` is "*", "" or the name of the field that the body is."""

    verb: str
    template: str
    body: str
    response_body: str


@dataclass(frozen=True, slots=True)
class BoundField:
    """A request field that must be the caller itself, as a path of field names."""

    kind: CallerKind
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One RPC that can be reached from outside."""

    method: MethodDescriptor
    http: tuple[HttpBinding, ...]
    audiences: frozenset[CallerKind]
    permission: str
    bindings: tuple[BoundField, ...]
    door: access_pb2.Door
    # What a member must have proved, "PROOF_SPENDING"; "" when nothing.
    proof: str = ""
    # A grant for a part of the group lets in without naming a place.
    is_for_every_place: bool = False

    @property
    def rpc(self) -> str:
        """The gRPC path, "/huitong.points.v1.PointsService/RecordSale"."""
        return f"/{self.method.containing_service.full_name}/{self.method.name}"

    @property
    def service(self) -> str:
        """The process that serves it, "points" of huitong.points.v1."""
        return self.method.containing_service.full_name.split(".")[1]

    @property
    def request(self) -> Descriptor:
        """Its request message."""
        return self.method.input_type

    @property
    def response(self) -> Descriptor:
        """Its response message."""
        return self.method.output_type


class Comments:
    """The protos' comments, by full name of what they stand above."""

    def __init__(self, files: descriptor_pb2.FileDescriptorSet) -> None:
        self._texts: dict[str, str] = {}
        for file in files.file:
            names = dict(_paths(file))
            for location in file.source_code_info.location:
                text = location.leading_comments.strip() or location.trailing_comments.strip()
                name = names.get(tuple(location.path))
                if text and name:
                    self._texts[name] = "\n".join(line.strip() for line in text.splitlines())

    def of(
        self, thing: Descriptor | FieldDescriptor | EnumDescriptor | MethodDescriptor | ServiceDescriptor | str
    ) -> str:
        """The comment above `thing`, or ""."""
        return self._texts.get(thing if isinstance(thing, str) else thing.full_name, "")


def _paths(file: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    # Numbers are those of descriptor.proto: a location's path names fields and indexes from the file downwards.
    for i, service in enumerate(file.service):
        yield (6, i), f"{file.package}.{service.name}"
        for j, method in enumerate(service.method):
            yield (6, i, 2, j), f"{file.package}.{service.name}.{method.name}"
    for i, enum in enumerate(file.enum_type):
        yield from _enum_paths((5, i), file.package, enum)
    for i, message in enumerate(file.message_type):
        yield from _message_paths((4, i), file.package, message)


def _message_paths(
    path: tuple[int, ...], scope: str, message: descriptor_pb2.DescriptorProto
) -> Iterator[tuple[tuple[int, ...], str]]:
    name = f"{scope}.{message.name}"
    yield path, name
    for i, field in enumerate(message.field):
        yield (*path, 2, i), f"{name}.{field.name}"
    for i, enum in enumerate(message.enum_type):
        yield from _enum_paths((*path, 4, i), name, enum)
    for i, nested in enumerate(message.nested_type):
        yield from _message_paths((*path, 3, i), name, nested)


def _enum_paths(
    path: tuple[int, ...], scope: str, enum: descriptor_pb2.EnumDescriptorProto
) -> Iterator[tuple[tuple[int, ...], str]]:
    yield path, f"{scope}.{enum.name}"
    for i, value in enumerate(enum.value):
        yield (*path, 2, i), f"{scope}.{enum.name}.{value.name}"


@dataclass(frozen=True)
class Contract:
    """All services of a set of files."""

    services: tuple[ServiceDescriptor, ...]
    comments: Comments

    @classmethod
    def of(cls, files: descriptor_pb2.FileDescriptorSet, pool: descriptor_pool.DescriptorPool) -> Contract:
        """The contract in `files`, which `pool` must hold already."""
        found = [
            pool.FindServiceByName(f"{file.package}.{service.name}") for file in files.file for service in file.service
        ]
        return cls(tuple(found), Comments(files))

    @classmethod
    def load(cls) -> Contract:
        """The suite's own, generated by `make protos`."""
        files = descriptor_pb2.FileDescriptorSet.FromString(_generated().read_bytes())
        for file in files.file:
            importlib.import_module(file.name.removesuffix(".proto").replace("/", ".") + "_pb2")
        return cls.of(files, descriptor_pool.Default())

    def methods(self) -> Iterable[MethodDescriptor]:
        """Every RPC, also those that only the suite may call."""
        return (method for service in self.services for method in service.methods)

    def operations(self) -> list[Operation]:
        """Every RPC with an HTTP binding and an audience outside the suite."""
        found = [_operation(method) for method in self.methods()]
        return [operation for operation in found if operation]


def _generated() -> Path:
    # The access options' own module lies in gen/huitong/common/v1.
    return Path(str(access_pb2.__file__)).parents[2] / "descriptors.binpb"


def option(thing: Any, extension: Any) -> Any:
    """The value of an option of ours or google's; its empty value when it is not set."""
    return thing.GetOptions().Extensions[extension]


def access_of(method: MethodDescriptor) -> access_pb2.Access:
    """The access rule of `method`; an empty one lets nobody in."""
    access: access_pb2.Access = option(method, access_pb2.access)
    return access


def http_bindings(method: MethodDescriptor) -> tuple[HttpBinding, ...]:
    """The google.api.http rule of `method` and its additional bindings."""
    if not method.GetOptions().HasExtension(annotations_pb2.http):
        return ()
    rule = option(method, annotations_pb2.http)
    result = []
    for each in (rule, *rule.additional_bindings):
        verb = each.WhichOneof("pattern")
        if verb in _VERBS:
            result.append(HttpBinding(verb.upper(), getattr(each, verb), each.body, each.response_body))
    return tuple(result)


def audience_kind(audience: int) -> CallerKind:
    """AUDIENCE_MEMBER → CallerKind.MEMBER."""
    return CallerKind(access_pb2.Audience.Name(audience).removeprefix("AUDIENCE_").lower())


def _operation(method: MethodDescriptor) -> Operation | None:
    http, access = http_bindings(method), access_of(method)
    audiences = frozenset(audience_kind(audience) for audience in access.audiences) - {CallerKind.INTERNAL}
    if not http or not audiences:
        return None
    bindings = tuple(BoundField(audience_kind(each.audience), tuple(each.field.split("."))) for each in access.bindings)
    door = option(method, access_pb2.door)
    proof = access_pb2.Proof.Name(access.proof) if access.proof else ""
    return Operation(method, http, audiences, access.permission, bindings, door, proof, access.is_for_every_place)
