"""Who may call what as an operator: patterns, scopes, and the guard that every service has."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.errors import AppError, NotYours, PermissionDenied
from chassis.identity import Caller, CallerKind
from chassis.permissions import check_scope, narrowed, permits
from chassis.rpc import Guard
from huitong.org.v1 import org_pb2
from huitong.settlement.v1 import settlement_pb2
from tests.apps import GROUP

M1, M2, S1 = "mch_" + "1" * 32, "mch_" + "2" * 32, "sto_" + "1" * 32


def operator(**scopes: str) -> Caller:
    """`operator(group="*.read", mch_1="…")`"""
    return Caller(CallerKind.OPERATOR, "opr_1", GROUP, "ops_1", {k.replace("group", ""): v for k, v in scopes.items()})


def guard(module: Any, service: str, rpc: str) -> Guard:
    return Guard(module.DESCRIPTOR.services_by_name[service].methods_by_name[rpc])


def refusal(check: Guard, who: Caller, request: Any) -> str:
    try:
        check.check(who, request)
    except AppError as error:
        return error.reason
    return ""


@pytest.mark.parametrize(
    ("patterns", "permission", "answer"),
    [
        ("*", "org.operators.write", True),
        ("*.read", "org.operators.read", True),
        ("*.read", "org.operators.write", False),
        ("points.rules.*", "points.rules.write", True),
        ("points.rules.*", "points.rulesets.write", False),
        ("a.b.c org.structure.read", "org.structure.read", True),
        ("org.structure.read", "org.structure.readers", False),
        ("org.structure.read", "x.org.structure.read", False),
        ("", "org.structure.read", False),
    ],
)
def test_patterns(patterns: str, permission: str, answer: bool) -> None:
    assert permits(patterns, permission) is answer


def test_a_call_carries_only_what_it_needs() -> None:
    who = operator(group="org.*", **{M1: "*.read"})
    assert narrowed(who, "org.structure.read", "X", has_binding=True).scopes == {"": "org.structure.read"}
    assert narrowed(who, "mall.coupons.read", "X", has_binding=True).scopes == {M1: "mall.coupons.read"}
    for permission, has_binding in (("mall.coupons.write", True), ("mall.coupons.read", False)):
        with pytest.raises(PermissionDenied):
            narrowed(who, permission, "X", has_binding=has_binding)


def test_an_empty_field_would_mean_everything() -> None:
    check_scope(operator(group="*"), ["", M1], "merchant_id")
    check_scope(operator(**{M1: "*"}), [M1, M1], "merchant_id")
    for values in ([""], [M1, ""], [M2], [M1, M2]):
        with pytest.raises(NotYours):
            check_scope(operator(**{M1: "*"}), values, "merchant_id")


def test_the_guard_asks_for_permission_and_scope() -> None:
    statement = guard(settlement_pb2, "StatementService", "GetStatement")
    own = settlement_pb2.GetStatementRequest(merchant_id=M1)
    assert refusal(statement, operator(group="settlement.*"), own) == ""
    assert refusal(statement, operator(**{M1: "settlement.statements.read"}), own) == ""
    assert refusal(statement, operator(**{M1: "settlement.contracts.read"}), own) == "PERMISSION_DENIED"
    # A grant that holds elsewhere does not carry over, however the two are combined.
    mixed = operator(**{M1: "org.structure.read", M2: "settlement.statements.read"})
    assert refusal(statement, mixed, own) == "NOT_YOURS"
    assert refusal(statement, operator(**{S1: "settlement.statements.read"}), own) == "NOT_YOURS"
    assert refusal(statement, operator(), own) == "PERMISSION_DENIED"
    periods = guard(settlement_pb2, "StatementService", "ListPeriods")
    request = settlement_pb2.ListPeriodsRequest()
    assert refusal(periods, operator(**{M1: "settlement.*"}), request) == "PERMISSION_DENIED"
    assert refusal(periods, operator(group="settlement.*"), request) == ""


def test_every_element_of_a_batch_is_checked() -> None:
    contracts = guard(settlement_pb2, "ContractService", "SetContracts")

    def batch(*merchant_ids: str) -> Any:
        each = [
            settlement_pb2.SetContractRequest(contract=settlement_pb2.Contract(merchant_id=merchant_id))
            for merchant_id in merchant_ids
        ]
        return settlement_pb2.SetContractsRequest(contracts=each)

    who = operator(**{M1: "settlement.contracts.write"})
    assert refusal(contracts, who, batch(M1, M1)) == ""
    assert refusal(contracts, who, batch(M1, M2)) == "NOT_YOURS"
    assert refusal(contracts, who, batch(M1, "")) == "NOT_YOURS"


def test_what_is_not_declared_for_operators_is_closed_to_all_of_them() -> None:
    lookup = guard(org_pb2, "CredentialService", "GetCredentialSecret")
    assert refusal(lookup, operator(group="*"), org_pb2.GetCredentialSecretRequest(key_id="k")) == "PERMISSION_DENIED"
