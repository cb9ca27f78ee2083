"""What operators can change is what the audit hears of: every RPC of the contract, and nothing private with it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from chassis.acts import KEEPER, recorded_kinds
from chassis.identity import CallerKind
from chassis.plain import is_private, plain_json
from gateway.contract import Contract, Operation
from huitong.mall.v1 import mall_pb2
from huitong.member.v1 import member_pb2, miniprogram_pb2
from huitong.org.v1 import org_pb2

SERVICES = Path(__file__).parents[2] / "services"
# Nothing is changed by these, though they are no GETs.
ONLY_READ = {
    "/huitong.points.v1.RuleSimulationService/QuoteSale",
    # An operator uses no code up: tests/integration/member/test_member_codes.py.
    "/huitong.member.v1.MemberService/IdentifyMember",
}
OPERATIONS = [each for each in Contract.load().operations() if CallerKind.OPERATOR in each.audiences]
CHANGES = [each for each in OPERATIONS if {http.verb for http in each.http} != {"GET"} and each.rpc not in ONLY_READ]


Function = ast.AsyncFunctionDef | ast.FunctionDef


class Source:
    """A service's functions and methods, and where their calls go."""

    def __init__(self, service: str) -> None:
        self.functions: dict[str, list[Function]] = {}
        self.methods: dict[tuple[str, str], Function] = {}
        self.parts: dict[tuple[str, str], str] = {}  # (class, "self._part"): the part's class
        for path in (SERVICES / service).rglob("*.py"):
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, Function):
                    self.functions.setdefault(node.name, []).append(node)
                if isinstance(node, ast.ClassDef):
                    self._read_class(node)

    def _read_class(self, node: ast.ClassDef) -> None:
        for method in node.body:
            if isinstance(method, Function):
                self.methods[node.name, method.name] = method
                if method.name == "__init__":
                    arguments = (*method.args.args, *method.args.kwonlyargs)
                    types = {one.arg: ast.unparse(one.annotation) for one in arguments if one.annotation}
                    for left, right in self._assigned(method):
                        self.parts[node.name, left] = types.get(right, right.partition("(")[0])

    @staticmethod
    def _assigned(method: Function) -> Iterator[tuple[str, str]]:
        for node in ast.walk(method):
            if isinstance(node, ast.Assign):
                lefts, rights = ast.unparse(node.targets[0]), ast.unparse(node.value)
                yield from zip(lefts.strip("()").split(", "), rights.strip("()").split(", "), strict=False)

    def reached(self, owner: str, function: Function) -> Iterator[tuple[str, Function]]:
        """Functions that one calls, each with its class."""
        for node in ast.walk(function):
            if isinstance(node, ast.Call):
                of, _, name = ast.unparse(node.func).rpartition(".")
                owned = owner if of == "self" else self.parts.get((owner, of), "")
                if (owned, name) in self.methods:
                    yield owned, self.methods[owned, name]
                elif not of.startswith("self"):
                    yield from (("", each) for each in self.functions.get(name, []))


@cache
def source_of(service: str) -> Source:
    return Source(service)


def is_noted(service: str, servicer: str, method: str) -> bool:
    """Whether the RPC comes to a transaction of its caller, or to acts.noted: both leave an entry."""
    source = source_of(service)
    ahead = [(servicer, source.methods[servicer, method])]
    seen = set()
    while ahead:
        owner, function = ahead.pop()
        if id(function) in seen:
            continue
        seen.add(id(function))
        text = ast.unparse(function)
        if re.search(r"\.run_once\((request|claim)|\.transaction\((rpc\.)?caller\(\)\)|acts\.noted\(", text):
            return True
        ahead += source.reached(owner, function)
    return False


@pytest.mark.parametrize("operation", CHANGES, ids=lambda operation: operation.rpc)
def test_every_change_that_an_operator_can_make_leaves_an_entry(operation: Operation) -> None:
    assert CallerKind.OPERATOR in recorded_kinds(operation.permission)
    service, method = operation.service, operation.method
    servicer = method.containing_service.name.removesuffix("Service") + "Servicer"
    if service == KEEPER:  # writes its entries itself: tests/integration/org/test_audit.py
        text = ast.unparse(source_of(service).methods[servicer, method.name])
        assert "self._audit.record(" in text or "self._change(" in text
    else:
        assert is_noted(service, servicer, method.name), "no transaction of its caller: see chassis.acts.noted"


def test_what_only_reads_is_not_recorded() -> None:
    reads = [each for each in OPERATIONS if {http.verb for http in each.http} == {"GET"}]
    assert {each.rpc for each in reads if recorded_kinds(each.permission) and each.service != KEEPER} <= {
        "/huitong.points.v1.RuleSimulationService/GetRuleSimulation",
        # Whoever may read every figure may not read these: their permissions do not end in `.read`.
        "/huitong.member.v1.ProfileService/GetProfile",
        "/huitong.member.v1.PrivacyService/ExportMemberData",
    }


def fields(message: Descriptor, seen: frozenset[str] = frozenset()) -> Iterator[FieldDescriptor]:
    if message.full_name in seen or message.full_name.startswith("google."):
        return
    for field in message.fields:
        if is_private(field):
            continue
        yield field
        if field.message_type is not None:
            yield from fields(field.message_type, seen | {message.full_name})


# Texts that operators may see of each other: names of things, codes of kinds, reasons. Whoever adds a field to a
# request or an answer that is recorded says here, or in chassis.plain, which it is.
PLAIN_TEXTS = """
    action actor added_by asked_by author benefit_code categories category certificate_sha256 changed_by code codes
    column combination_group condition confirmed_services content_hash currency_code decided_by decision_note denied_by
    event_types excluded_categories excluded_item_codes excluded_tenders floor id item_categories item_code key kind
    label label_zh legal_name level login measure merged_by missing_fields money_code name name_zh note open_services
    other_receipt_no other_source partner_code path payment_provider permission permissions problem proposed_by reason
    reason_code reason_text receipt_no recorded_by recurrence reject_reason requested_by section segment serial serials
    service set_by sha256 source sources store_categories summary tag tags task_code terminal_code terminal_codes
    tier_code tier_codes time_zone unmerge_reason unmerged_by url value version waiting_for
"""


def recorded_methods() -> list[MethodDescriptor]:
    operations = Contract.load().operations()
    return [each.method for each in operations if recorded_kinds(each.permission) & each.audiences]


def test_every_text_of_what_is_recorded_is_known_to_be_plain() -> None:
    texts = {
        field.name
        for method in recorded_methods()
        for message in (method.input_type, method.output_type)
        for field in fields(message)
        if field.cpp_type == FieldDescriptor.CPPTYPE_STRING
    }
    unknown = {name for name in texts if not name.endswith(("_id", "_ids"))} - set(PLAIN_TEXTS.split())
    assert unknown == set(), "is it somebody's? chassis.plain; is it not? PLAIN_TEXTS"


def test_what_is_private_stays_out() -> None:
    for message in (
        member_pb2.JoinMemberRequest(request_id="r", phone="+8613800000001", birth_month=7),
        member_pb2.IdentifyMemberRequest(member_code="1234"),
        miniprogram_pb2.SetMiniProgramRequest(request_id="r", app_secret="s"),
        org_pb2.CreateCredentialResponse(secret="s"),
        mall_pb2.IssueCouponResponse(coupon=mall_pb2.Coupon(code="BEARER")),
        mall_pb2.UseVoucherRequest(voucher_code="BEARER"),
    ):
        assert plain_json(message) in ('{"request_id":"r"}', "{}", '{"coupon":{}}')
