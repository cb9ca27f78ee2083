"""Roles against the contract: what operators can call somebody can be allowed to, and nobody more than is meant."""

from __future__ import annotations

import pytest

from chassis.identity import CallerKind
from chassis.permissions import permits
from gateway.contract import Contract, Operation
from gateway.openapi import describe
from gateway.routing import Template
from huitong.org.v1 import operators_pb2
from services.org.operators.rules import GROUP_ADMIN, GROUP_ONLY, PERMISSIONS, SCOPES

DOCUMENT = describe(Contract.load())
OPERATIONS = [each for each in Contract.load().operations() if CallerKind.OPERATOR in each.audiences]
DECLARED = {each.permission for each in OPERATIONS}

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
        if not any(permits(pattern, permission) for permission in DECLARED)
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


# By kind of place, the fields that may hold it or what lies below it.
_BELOW: dict[str, tuple[str, ...]] = {"store": ("store_id", "place_id")}
_BELOW["merchant"] = ("merchant_id", *_BELOW["store"])
_BELOW["business unit"] = ("business_unit_id", "car_park_id", *_BELOW["merchant"])
ROLES_OF_PARTS = [(role, kind) for role, kinds in SCOPES.items() for kind in kinds if kind != "group"]


def opens(operation: Operation, kind: str) -> bool:
    """Whether a grant for such a place can open the door."""
    bound = [each.path[-1] for each in operation.bindings if each.kind is CallerKind.OPERATOR]
    return operation.is_for_every_place or (bool(bound) and all(name in _BELOW[kind] for name in bound))


@pytest.mark.parametrize(("role", "kind"), ROLES_OF_PARTS)
def test_each_permission_of_a_role_for_a_part_opens_something_there(role: str, kind: str) -> None:
    closed = {
        permission
        for permission in DECLARED
        if permits(PERMISSIONS[role], permission)
        and not any(opens(each, kind) for each in OPERATIONS if each.permission == permission)
    }
    reviewed = {each for each in closed if permits(" ".join(GROUP_ONLY), each)}
    assert closed == reviewed, "bind the field that holds the place, or say in GROUP_ONLY why it is the group's"


@pytest.mark.parametrize("pattern", GROUP_ONLY)
def test_what_is_the_group_s_opens_nothing_for_a_part_and_is_in_a_role_for_one(pattern: str) -> None:
    found = [each for each in OPERATIONS if permits(pattern, each.permission)]
    assert [each.rpc for each in found if opens(each, "business unit")] == []
    assert any(permits(PERMISSIONS[role], each.permission) for role, _ in ROLES_OF_PARTS for each in found)


@each_operation
def test_a_door_for_every_place_only_shows_and_binds_no_place(operation: Operation) -> None:
    if operation.is_for_every_place:
        assert operation.permission.endswith(".read")
        assert not [each for each in operation.bindings if each.kind is CallerKind.OPERATOR]


@each_operation
def test_only_administrators_touch_people_and_keys(operation: Operation) -> None:
    if operation.permission in ("org.operators.write", "org.credentials.write"):
        assert [role for role, patterns in PERMISSIONS.items() if permits(patterns, operation.permission)] == [
            GROUP_ADMIN
        ]
