"""Schemathesis over every operation of the published contract, at the doors of the whole suite.

HUITONG_TEST_CONTRACT_EXAMPLES says how many requests of each kind are generated for an operation; `make nightly` asks
for many, and for every boundary value of every schema, methods and headers that are not there among them.

Of Schemathesis' checks these are left out:
- positive_data_acceptance: a schema does not say that an id leads to something, that one field excludes another or that
  a day is past. What is refused gives a reason that its operation declares (reason_is_declared), and the document's own
  examples are valid (tests/contract/test_openapi_document.py).
- use_after_free, ensure_resource_availability, object_level_authorization: they follow links from one operation to
  another, which the document has none of. Whose things are whose is in test_other_peoples_things.py.
- max_response_time: the machine is anybody's; a request that hangs fails by its timeout.
"""

from __future__ import annotations

import copy
import itertools
import json
import os
import random
from collections.abc import Iterator
from typing import Any

import httpx
import orjson
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from jsonschema_rs import Draft202012Validator
from schemathesis.checks import CheckContext, not_a_server_error
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    ignored_auth,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from chassis.identity import CallerKind
from tests.whole.inside import internal_words
from tests.whole.suite import DOCUMENT, WholeSuite

pytestmark = pytest.mark.timeout(600)

Case = schemathesis.Case[Any]
DEEP = "HUITONG_TEST_CONTRACT_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("HUITONG_TEST_CONTRACT_EXAMPLES", "10"))
# A request that takes longer hangs.
SECONDS = 20


def _configuration() -> schemathesis.Config:
    config = schemathesis.Config(seed=1)
    project = config.projects.default
    # Whoever has no key is refused before anything is read; other tests look at that.
    project.generation.update(with_security_parameters=False)
    project.phases.coverage.enabled = DEEP
    project.phases.stateful.enabled = False
    return config


SCHEMA = schemathesis.openapi.from_dict(copy.deepcopy(DOCUMENT), config=_configuration())
NDJSON = "application/x-ndjson"


@schemathesis.serializer(NDJSON)
def _lines(context: Any, value: Any) -> bytes:
    # The standard library's, since generated whole numbers may be of any size.
    return value if isinstance(value, bytes) else json.dumps(value, default=str).encode(errors="replace") + b"\n"


@pytest.fixture(scope="module")
def suite(whole: WholeSuite) -> WholeSuite:
    """The group that the contract's examples name."""
    return whole


@pytest.fixture(scope="module")
def session(suite: WholeSuite) -> Iterator[requests.Session]:
    """One connection for all."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


class Signed(requests.auth.AuthBase):
    """Signs what is sent, as it is sent."""

    def __init__(self, suite: WholeSuite, kind: CallerKind) -> None:
        self._suite, self._kind = suite, kind

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        path, _, query = request.path_url.partition("?")
        body: Any = request.body or b""
        content = body.encode() if isinstance(body, str) else body
        request.headers.update(self._suite.sign(self._kind, request.method or "", path, query, content))
        return request


_turns: dict[str, Iterator[int]] = {}


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_what_comes_back_is_what_the_contract_says(case: Case, suite: WholeSuite, session: requests.Session) -> None:
    definition = case.operation.definition.raw
    turn = next(_turns.setdefault(definition["operationId"], itertools.count()))
    audiences = definition["x-audiences"]
    kind = CallerKind(audiences[turn % len(audiences)])
    if turn // len(audiences) % 2 == 0:
        _put_real_ids(case, suite, random.Random(turn))
    case.call_and_validate(
        base_url=suite.url,
        session=session,
        auth=Signed(suite, kind),
        timeout=SECONDS,
        checks=[
            not_a_server_error,
            status_code_conformance,
            content_type_conformance,
            response_headers_conformance,
            response_schema_conformance,
            bad_data_is_refused,
            missing_required_header,
            unsupported_method,
            allow_header_conformance,
            who_calls_is_asked_for,
            lines_conform,
            reason_is_declared,
            nothing_internal_is_told,
        ],
    )


def _put_real_ids(case: Case, suite: WholeSuite, chance: random.Random) -> None:
    """Half of all requests name things that are there, else nearly every answer were that they are not."""
    for holder in (case.path_parameters, case.query, case.body):
        if isinstance(holder, dict):
            for name in holder.keys() & suite.ids.keys():
                if chance.random() < 0.9:
                    holder[name] = suite.ids[name]


_asking: set[str] = set()


def who_calls_is_asked_for(context: CheckContext, response: schemathesis.Response, case: Case) -> None:
    """What was done is refused without the key that it was done by, and with another: tried once for an operation."""
    if response.status_code == 200 and case.operation.label not in _asking:
        ignored_auth(context, response, case)
        _asking.add(case.operation.label)


def bad_data_is_refused(context: CheckContext, response: schemathesis.Response, case: Case) -> None:
    """What does not fit the document is refused, in a bulk answer by its line. A null is no value, and fits."""
    if response.headers.get("content-type", [""])[0] == NDJSON:
        is_right = any("error" in orjson.loads(line) for line in response.content.splitlines())
    else:
        body = _without_nulls(case.body)
        is_right = body != case.body and _fits(case, body)
    if not is_right:
        negative_data_rejection(context, response, case)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value


def _fits(case: Case, body: Any) -> bool:
    schema = case.operation.definition.raw["requestBody"]["content"]["application/json"]["schema"]
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]}).is_valid(body)


def lines_conform(context: CheckContext, response: schemathesis.Response, case: Case) -> None:
    """Each line of a bulk answer fits the schema of a line."""
    if response.headers.get("content-type", [""])[0] != NDJSON:
        return
    schema = case.operation.definition.raw["responses"]["200"]["content"][NDJSON]["schema"]
    validator = Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    for line in response.content.splitlines():
        validator.validate(orjson.loads(line))


def reason_is_declared(context: CheckContext, response: schemathesis.Response, case: Case) -> None:
    """A refusal's reason is one that its operation, or the answer with this status, names."""
    if response.status_code == 200:
        return
    problem = orjson.loads(response.content)
    general = DOCUMENT["components"]["responses"].get(f"E{response.status_code}", {}).get("x-reasons", [])
    # A method that the path does not take belongs to no operation.
    declared = {*general, *case.operation.definition.raw["x-errors"], "METHOD_NOT_ALLOWED"}
    assert problem["reason"] in declared, f"{problem['reason']} is not declared: {problem}"
    assert problem["status"] == response.status_code


def nothing_internal_is_told(context: CheckContext, response: schemathesis.Response, case: Case) -> None:
    """No refusal quotes a stack, a statement, a file or an address of ours."""
    # What was done may say again what callers called things, and "SELECT 1" is a name.
    assert response.status_code < 400 or not internal_words(response.content)


def test_the_gateway_publishes_this_document(suite: WholeSuite) -> None:
    assert httpx.get(f"{suite.url}/openapi.json", trust_env=False).json() == orjson.loads(orjson.dumps(DOCUMENT))
