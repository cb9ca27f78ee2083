"""Every RPC of the contract, walked: who may call it, what is bound, how it is repeated, what it says about itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from buf.validate import validate_pb2
from chassis.identity import CallerKind
from gateway.binding import find_field, find_message, guards
from gateway.contract import Contract, access_of, audience_kind, http_bindings, option
from gateway.openapi import describe, error_reasons
from gateway.routing import RouteTable, Template
from huitong.common.v1 import access_pb2
from tools import protos

CONTRACT = Contract.load()
METHODS = sorted(CONTRACT.methods(), key=lambda method: method.full_name)
OPERATIONS = CONTRACT.operations()
DOCUMENT = describe(CONTRACT)
# Looks, computes or proves something, and leaves no effect that a second call would double.
READING = ("Export", "Get", "List", "Quote", "Identify", "Count", "Preview", "Simulate", "Check", "Reconcile", "Verify")
# The request field that names the caller of each kind: where it is there, it must be bound.
OWN_FIELDS = {
    CallerKind.MEMBER: ("member_id",),
    CallerKind.TERMINAL: ("store_id",),
    CallerKind.VENDOR: ("car_park_id",),
    CallerKind.MERCHANT: ("merchant_id", "store_id"),
}

each_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name.removeprefix("huitong."))
each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.rpc)


@each_method
def test_an_rpc_says_what_it_does(method: MethodDescriptor) -> None:
    assert CONTRACT.comments.of(method)


@each_method
def test_an_rpc_says_who_may_call_it(method: MethodDescriptor) -> None:
    access = access_of(method)
    kinds = [audience_kind(audience) for audience in access.audiences]
    assert kinds and len(set(kinds)) == len(kinds)
    area = "control" if method.containing_service.name == "ControlService" else method.full_name.split(".")[1]
    assert re.fullmatch(rf"{area}\.[a-z-]+\.[a-z-]+", access.permission), "a permission is service.thing.action"
    if access.services:
        assert CallerKind.INTERNAL in kinds, "a list of services says nothing without the audience INTERNAL"


@each_method
def test_an_rpc_that_is_for_outside_has_a_way_in_and_no_other_has(method: MethodDescriptor) -> None:
    outside = {audience_kind(audience) for audience in access_of(method).audiences} - {CallerKind.INTERNAL}
    assert bool(outside) == bool(http_bindings(method))


@each_method
def test_a_bound_field_exists_and_its_audience_may_call(method: MethodDescriptor) -> None:
    access = access_of(method)
    for binding in access.bindings:
        assert binding.audience in access.audiences
        field = find_field(method.input_type, binding.field.split("."))
        assert field.cpp_type == FieldDescriptor.CPPTYPE_STRING


@each_operation
def test_a_field_that_names_the_caller_is_bound(operation) -> None:
    for kind in operation.audiences & OWN_FIELDS.keys():
        bound = {".".join(each.path) for each in operation.bindings if each.kind is kind}
        assert {path for path in string_fields(operation.request) if path.split(".")[-1] in OWN_FIELDS[kind]} <= bound
        # Whoever is a place of the group and names none would be let in for all of them.
        assert bound or kind not in (CallerKind.MERCHANT, CallerKind.VENDOR)


def string_fields(message: Descriptor, prefix: str = "", depth: int = 0) -> set[str]:
    found = set()
    for field in message.fields:
        if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            found.add(prefix + field.name)
        elif field.message_type and depth < 3 and not field.message_type.full_name.startswith("google."):
            found |= string_fields(field.message_type, f"{prefix}{field.name}.", depth + 1)
    return found


@each_method
def test_what_changes_something_can_be_repeated_safely(method: MethodDescriptor) -> None:
    public_only = [audience_kind(each) for each in access_of(method).audiences] == [CallerKind.PUBLIC]
    if method.name.startswith(READING) or public_only or method.containing_service.name == "ControlService":
        return
    request = method.input_type
    batch = option(method, access_pb2.door).ndjson_field
    holder = find_message(request, [batch]) if batch else request
    assert "request_id" in holder.fields_by_name, "a change needs a request_id"
    rules = option(holder.fields_by_name["request_id"], validate_pb2.field)
    assert (rules.required or rules.string.min_len) and rules.string.max_len, "request_id is required and bounded"


@each_operation
def test_what_takes_something_from_a_member_asks_them_for_a_proof(operation) -> None:
    kind, action = CallerKind.MEMBER, operation.permission.rpartition(".")[2]
    if kind in operation.audiences:
        takes = action in ("spend", "place", "pay", "transfer", "gift") or operation.method.name == "ChangePhone"
        assert bool(operation.proof) >= takes, "declare `proof` in the access rule"
    if operation.proof:
        bound = {".".join(each.path) for each in operation.bindings if each.kind is kind}
        assert "member_id" in bound and not operation.door.ndjson_field, "a proof is one member's, for one request"
        assert "PROOF_NEEDED" in described(operation)["x-errors"]


def described(operation) -> dict[str, Any]:
    paths = DOCUMENT["paths"].values()
    return next(entry for path in paths for entry in path.values() if entry["x-rpc"] == operation.rpc[1:])


@each_method
def test_a_page_has_its_three_fields(method: MethodDescriptor) -> None:
    if method.name.startswith("List") and "page_size" in method.input_type.fields_by_name:
        assert "page_token" in method.input_type.fields_by_name
        assert "next_page_token" in method.output_type.fields_by_name or method.name == "ListParkedEvents"


@each_method
def test_a_page_has_at_most_200_entries(method: MethodDescriptor) -> None:
    """Whoever asks for more is refused, and by the protos, not by each service in its own way."""
    for message in _messages_below(method.input_type):
        size = message.fields_by_name.get("page_size")
        if size is not None:
            rule = option(size, validate_pb2.field).int32
            assert (rule.HasField("gte"), rule.gte, rule.lte) == (True, 0, 200), size.full_name


def _messages_below(top: Descriptor) -> list[Descriptor]:
    found = {top.full_name: top}
    ahead = [top]
    while ahead:
        inner = [field.message_type for field in ahead.pop().fields if field.message_type is not None]
        new = {each.full_name: each for each in inner if each.full_name not in found}
        found |= new
        ahead += new.values()
    return list(found.values())


@each_operation
def test_path_variables_and_bodies_are_fields(operation) -> None:
    for http in operation.http:
        for name in Template.parse(http.template).variables:
            assert find_field(operation.request, name.split(".")).cpp_type == FieldDescriptor.CPPTYPE_STRING
        assert http.verb != "GET" or not http.body, "a GET has no body"
        assert http.verb not in ("POST", "PUT", "PATCH") or http.body, "a change has a body"
        assert http.template.startswith("/v1/")


@each_operation
def test_a_read_is_a_get_and_a_change_is_not(operation) -> None:
    name, verbs = operation.method.name, {http.verb for http in operation.http}
    if name.startswith(("Get", "List", "Count")):
        assert verbs == {"GET"}
    assert "GET" not in verbs or name.startswith(READING), "what can be fetched changes nothing"


@each_operation
def test_a_bulk_door_has_repeated_messages_on_both_sides(operation) -> None:
    door = operation.door
    if not door.ndjson_field:
        return
    sent = find_field(operation.request, [door.ndjson_field])
    answered = find_field(operation.response, [door.ndjson_result_field])
    assert sent.is_repeated and answered.is_repeated
    assert sent.message_type is not None and answered.message_type is not None
    rules = option(sent, validate_pb2.field)
    # Either the whole list is checked, or the service checks each element (and their number) by itself.
    assert rules.repeated.max_items == 1000 or rules.ignore == validate_pb2.IGNORE_ALWAYS
    assert find_message(answered.message_type, ["problem"]).full_name == "huitong.common.v1.Problem"


def test_no_two_operations_claim_one_route() -> None:
    RouteTable((http.verb, Template.parse(http.template), op) for op in OPERATIONS for http in op.http)


@each_operation
def test_bindings_compile(operation) -> None:
    assert set(guards(operation.request, operation.bindings)) <= operation.audiences


def test_the_api_page_describes_every_operation() -> None:
    found = {entry["x-rpc"] for path in DOCUMENT["paths"].values() for entry in path.values()}
    assert found == {operation.rpc[1:] for operation in OPERATIONS}


UNRULED = """syntax = "proto3";
package huitong.unruled.v1;
import "google/api/annotations.proto";
import "huitong/common/v1/access.proto";
message Asked {}
service UnruledService {
  rpc Open(Asked) returns (Asked) {
    option (google.api.http) = {get: "/v1/open"};
  }
  rpc Nobody(Asked) returns (Asked) {
    option (google.api.http) = {get: "/v1/nobody"};
    option (huitong.common.v1.access) = {permission: "unruled.things.read"};
  }
  rpc Inside(Asked) returns (Asked);
  rpc Ruled(Asked) returns (Asked) {
    option (google.api.http) = {get: "/v1/ruled"};
    option (huitong.common.v1.access) = {audiences: AUDIENCE_SYSTEM permission: "unruled.things.read"};
  }
}
"""


def test_a_route_without_an_access_rule_fails_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    access = "huitong/common/v1/access.proto"
    for name, text in ((access, (protos.PROTOS / access).read_text()), ("huitong/unruled/v1/unruled.proto", UNRULED)):
        (tmp_path / "protos" / name).parent.mkdir(parents=True)
        (tmp_path / "protos" / name).write_text(text)
    monkeypatch.setattr(protos, "PROTOS", tmp_path / "protos")
    with pytest.raises(SystemExit, match="no access rule") as ended:
        protos.generate(tmp_path / "gen")
    for name, is_named in {"Open": True, "Nobody": True, "Inside": False, "Ruled": False}.items():
        assert (f"huitong.unruled.v1.UnruledService.{name}" in str(ended.value)) == is_named


def test_every_route_of_the_contract_has_an_access_rule() -> None:
    written = descriptor_pb2.FileDescriptorSet.FromString((protos.ROOT / "gen/huitong/descriptors.binpb").read_bytes())
    assert protos.without_access_rule(written) == []


def test_error_reasons_are_read_from_comments() -> None:
    assert error_reasons("Does it.\nErrors: STORE_UNKNOWN, X_Y (why),\nREQUEST_ID_REUSED.") == [
        "STORE_UNKNOWN",
        "X_Y",
        "REQUEST_ID_REUSED",
    ]
    assert error_reasons("Errors: none; an unknown token is ended already.") == []
    assert error_reasons("Says SOME_THING.") == []
