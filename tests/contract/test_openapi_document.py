"""The published OpenAPI document: complete, and its examples are requests that the validation rules let in."""

from __future__ import annotations

import base64
import copy
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import orjson
import pytest
from jsonschema_rs import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31

from chassis.rpc import validate
from gateway import codec
from gateway.binding import RequestShape, find_message
from gateway.contract import Contract, HttpBinding, Operation
from gateway.openapi import describe
from gateway.routing import Template

CONTRACT = Contract.load()
DOCUMENT = describe(CONTRACT)
DOORS = [(operation, http) for operation in CONTRACT.operations() for http in operation.http]

each_door = pytest.mark.parametrize("door", DOORS, ids=lambda door: f"{door[1].verb} {door[1].template}")


def entry_of(http: HttpBinding) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][Template.parse(http.template).open_path][http.verb.lower()]
    return found


def fits(schema: dict[str, Any], value: Any) -> None:
    Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(value)


@each_door
def test_an_example_fits_its_schema_and_the_rules_of_the_protos(door: tuple[Operation, HttpBinding]) -> None:
    operation, http = door
    entry = entry_of(http)
    parameters = entry.get("parameters", [])
    for parameter in parameters:
        fits(parameter["schema"], parameter["example"])
    variables = {each["name"]: each["example"] for each in parameters if each["in"] == "path"}
    content = entry.get("requestBody", {}).get("content", {"": {"example": {}}})
    for kind, media in content.items():
        example = copy.deepcopy(media["example"])
        if kind:
            fits(media["schema"], example)
        if kind == "application/x-ndjson":
            element = find_message(operation.request, [operation.door.ndjson_field])
            validate(codec.from_json(element)(example))
        else:
            shape = RequestShape(operation, http, tuple(variables))
            sent = base64.b64encode(example.encode()).decode() if shape.is_raw else example
            composed = shape.compose(sent, b"", variables)
            if not http.body:
                composed |= _query_of(parameters)
            validate(codec.from_json(operation.request)(composed))


def _query_of(parameters: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in parameters:
        if each["in"] == "query":
            *outer, last = each["name"].split(".")
            holder = found
            for name in outer:
                holder = holder.setdefault(name, {})
            holder[last] = each["example"]
    return found


@each_door
def test_an_answer_s_example_fits_its_schema(door: tuple[Operation, HttpBinding]) -> None:
    for media in entry_of(door[1])["responses"]["200"]["content"].values():
        fits(media["schema"], media["example"])


@each_door
def test_what_is_filled_in_from_the_caller_may_be_left_empty(door: tuple[Operation, HttpBinding]) -> None:
    operation, http = door
    content = entry_of(http).get("requestBody", {}).get("content", {})
    for bound in operation.bindings:
        name = bound.path[0]
        field = operation.request.fields_by_name[name]
        if (
            len(bound.path) > 1
            or field.is_repeated
            or "application/json" not in content
            or f"{{{name}" in http.template
        ):
            continue
        media = content["application/json"]
        fits(media["schema"], media["example"] | {name: ""})


@each_door
def test_an_operation_says_how_its_callers_prove_who_they_are(door: tuple[Operation, HttpBinding]) -> None:
    entry, schemes = entry_of(door[1]), DOCUMENT["components"]["securitySchemes"]
    named = {scheme for requirement in entry["security"] for scheme in requirement}
    assert named <= schemes.keys()
    assert bool(named) == ("public" not in entry["x-audiences"])


@each_door
def test_every_status_that_the_gateway_answers_is_declared(door: tuple[Operation, HttpBinding]) -> None:
    responses = entry_of(door[1])["responses"]
    assert {"200", "400", "401", "403", "404", "409", "413", "415", "422", "429", "431"} <= responses.keys()
    assert {"500", "501", "503", "504"} <= responses.keys() and "default" not in responses


def test_an_example_of_a_refusal_fits_its_schema() -> None:
    problem = DOCUMENT["components"]["schemas"]["Problem"]
    fits(problem, problem["example"])
    for response in DOCUMENT["components"]["responses"].values():
        media = response["content"]["application/problem+json"]
        fits(media["schema"], media["example"])


def test_the_document_is_what_openapi_says_a_document_is() -> None:
    """By the official meta-schema of OpenAPI 3.1 (which comes with Schemathesis), and its schemas by JSON Schema's."""
    document = orjson.loads(orjson.dumps(DOCUMENT))
    official = Draft202012Validator(OPENAPI_31)
    assert str(OPENAPI_31["$id"]).startswith("https://spec.openapis.org/oas/3.1/schema/")
    assert [f"{error.instance_path} {error.message}" for error in official.iter_errors(document)] == []
    broken = copy.deepcopy(document)
    broken["paths"]["/v1/members"]["post"]["parameters"] = [{"name": "nowhere", "schema": {}}]
    assert not official.is_valid(broken)
    for schema in _schemas(document):
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def _schemas(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every schema object, wherever it stands."""
    ahead: list[Any] = [document]
    while ahead:
        one = ahead.pop()
        if isinstance(one, dict):
            yield from [one["schema"]] if isinstance(one.get("schema"), dict) else one.get("schemas", {}).values()
            ahead += [value for name, value in one.items() if name not in ("example", "schema", "schemas")]
        elif isinstance(one, list):
            ahead += one


def test_what_the_document_points_to_is_there_and_names_are_unique() -> None:
    references, names = set[str](), []
    ahead: list[Any] = [DOCUMENT]
    while ahead:
        one = ahead.pop()
        if isinstance(one, dict):
            references |= {one["$ref"]} if "$ref" in one else set()
            names += [one["operationId"]] if "operationId" in one else []
            ahead += one.values()
        elif isinstance(one, list):
            ahead += one
    for reference in references:
        found: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
    assert len(set(names)) == len(names)
    for path, entries in DOCUMENT["paths"].items():
        for entry in entries.values():
            said = {each["name"] for each in entry.get("parameters", []) if each["in"] == "path"}
            assert said == set(re.findall(r"\{(\w+)\}", path)), path


def test_the_document_is_the_same_each_time() -> None:
    assert describe(Contract.load()) == DOCUMENT
