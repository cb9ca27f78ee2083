"""Roles against the contract: what operators can call somebody can be allowed to, and nobody more than is meant."""

from __future__ import annotations

import pytest

from chassis.identity import CallerKind
from chassis.permissions import permits
from gateway.contract import Contract, Operation
from gateway.openapi import describe
from gateway.routing import Template
from huitong.org.v1 import operators_pb2
from services.org.operators.rules import GROUP_ADMIN, PERMISSIONS, SCOPES

DOCUMENT = describe(Contract.load())
OPERATIONS = [each for each in Contract.load().operations() if CallerKind.OPERATOR in each.audiences]
DECLARED = {each.permission for each in OPERATIONS}
# The points service's protos do not name operators yet.
LATER = ("points.",)

each_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.rpc)


def test_every_role_of_the_contract_has_permissions_and_scopes() -> None:
    roles = {name.removeprefix("ROLE_") for name, _ in operators_pb2.Role.items()} - {"UNSPECIFIED"}
    assert roles == set(PERMISSIONS) == set(SCOPES)


@each_operation
def test_what_operators_may_call_is_given_by_a_role_besides_the_administrator_s(operation: Operation) -> None:
    given = {role for role, patterns in PERMISSIONS.items() if permits(patterns, operation.permission)}
    assert GROUP_ADMIN in given
    only_admins = {
        *("org.operators.write", "org.credentials.write", "org.webhooks.write"),
        # A person's data in full: not for roles that sell or check figures.
        *("member.profiles.view", "member.profiles.write", "member.consents.write", "member.privacy-settings.write"),
        *("member.personal-data.export", "member.erasures.write"),
    }
    assert given != {GROUP_ADMIN} or operation.permission in only_admins, (
        "give it to a role, or say that it is reserved"
    )


@each_operation
def test_the_api_page_says_that_operators_come_with_a_session(operation: Operation) -> None:
    for http in operation.http:
        described = DOCUMENT["paths"][Template.parse(http.template).open_path][http.verb.lower()]
        assert {"operatorSession": []} in described["security"]
        assert "operator" in described["x-audiences"]


@pytest.mark.parametrize("role", PERMISSIONS)
def test_every_pattern_of_a_role_means_something(role: str) -> None:
    dead = [
        pattern
        for pattern in PERMISSIONS[role].split()
        if not pattern.startswith(LATER) and not any(permits(pattern, permission) for permission in DECLARED)
    ]
    assert dead == []


def test_an_auditor_changes_nothing() -> None:
    assert {each for each in DECLARED if permits(PERMISSIONS["AUDITOR"], each)} == {
        each for each in DECLARED if each.endswith(".read")
    }
    changing = [
        operation.rpc
        for operation in OPERATIONS
        if permits(PERMISSIONS["AUDITOR"], operation.permission) and {http.verb for http in operation.http} != {"GET"}
    ]
    assert changing == []


@pytest.mark.parametrize("role", [role for role, kinds in SCOPES.items() if "group" not in kinds])
def test_a_role_for_a_part_can_call_something_there(role: str) -> None:
    fields = {
        "business unit": ("business_unit_id", "car_park_id"), "merchant": ("merchant_id",), "store": ("store_id",),
    }  # fmt: skip
    for kind in SCOPES[role]:
        reachable = [
            operation.rpc
            for operation in OPERATIONS
            for bound in operation.bindings
            if bound.kind is CallerKind.OPERATOR
            and bound.path[-1] in fields[kind]
            and permits(PERMISSIONS[role], operation.permission)
        ]
        assert reachable, f"{role} for one {kind} can do nothing"


@each_operation
def test_only_administrators_touch_people_and_keys(operation: Operation) -> None:
    if operation.permission in ("org.operators.write", "org.credentials.write"):
        assert [role for role, patterns in PERMISSIONS.items() if permits(patterns, operation.permission)] == [
            GROUP_ADMIN
        ]
