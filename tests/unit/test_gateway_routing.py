"""Path templates and query parameters."""

from __future__ import annotations

import pytest

from chassis.errors import InvalidArgument, NotYours
from chassis.identity import Caller, CallerKind
from gateway.auth.places import no_reach
from gateway.binding import RequestShape, guards
from gateway.contract import BoundField, Contract, Operation
from gateway.routing import RouteTable, Template
from tests import gateway_scratch as scratch

OPERATIONS = {op.method.name: op for op in Contract.of(scratch.files(), scratch.pool()).operations()}


def table(*routes: str) -> RouteTable[str]:
    return RouteTable((route.split()[0], Template.parse(route.split()[1]), route) for route in routes)


ROUTES = table(
    "GET /v1/sales",
    "POST /v1/sales",
    "POST /v1/sales:batch",
    "GET /v1/sales/{sale_id}",
    "POST /v1/sales/{sale_id}:cancel",
    "GET /v1/members/{member_id}/sales/{sale.id}",
    "GET /v1/files/{name=**}",
    "GET /v1/{name=shelves/*}/books",
)


@pytest.mark.parametrize(
    ("verb", "path", "route", "variables"),
    [
        ("GET", "/v1/sales", "GET /v1/sales", {}),
        ("POST", "/v1/sales:batch", "POST /v1/sales:batch", {}),
        ("GET", "/v1/sales/s1", "GET /v1/sales/{sale_id}", {"sale_id": "s1"}),
        ("POST", "/v1/sales/s1:cancel", "POST /v1/sales/{sale_id}:cancel", {"sale_id": "s1"}),
        (
            "GET",
            "/v1/members/m/sales/s",
            "GET /v1/members/{member_id}/sales/{sale.id}",
            {"member_id": "m", "sale.id": "s"},
        ),
        # decoded after matching: an encoded slash stays inside its segment
        ("GET", "/v1/sales/a%2Fb", "GET /v1/sales/{sale_id}", {"sale_id": "a/b"}),
        ("GET", "/v1/sales/%E6%B2%AA", "GET /v1/sales/{sale_id}", {"sale_id": "沪"}),
        ("GET", "/v1/files/a/b/c", "GET /v1/files/{name=**}", {"name": "a/b/c"}),
        ("GET", "/v1/shelves/1/books", "GET /v1/{name=shelves/*}/books", {"name": "shelves/1"}),
    ],
)
def test_a_path_finds_its_route(verb: str, path: str, route: str, variables: dict[str, str]) -> None:
    assert ROUTES.find(verb, path) == (route, variables)


@pytest.mark.parametrize("path", ["/v1/sales/", "/v1/sales/a/b", "/v1", "/v1/sales/a:b:cancel", "/v1/sales/:cancel"])
def test_what_is_nowhere_is_not_found(path: str) -> None:
    assert ROUTES.find("GET", path) is None and ROUTES.find("POST", path) is None


def test_verbs_of_a_path() -> None:
    assert ROUTES.verbs("/v1/sales") == ["GET", "POST"]
    assert ROUTES.verbs("/v1/nothing") == []


def test_two_operations_cannot_claim_one_route() -> None:
    with pytest.raises(ValueError, match="two operations"):
        table("GET /v1/a", "GET /v1/a")


@pytest.mark.parametrize("text", ["v1/a", "/v1/{", "/v1/{a", "/v1/{A}"])
def test_a_broken_template_is_told_at_start(text: str) -> None:
    with pytest.raises(ValueError, match="template"):
        Template.parse(text)


def shape(name: str, index: int = 0) -> RequestShape:
    operation = OPERATIONS[name]
    http = operation.http[index]
    return RequestShape(operation, http, Template.parse(http.template).variables)


def test_query_parameters_become_fields() -> None:
    query = b"store_ids=a&store_ids=b&page.size=5&open=true&channel=CHANNEL_STORE&at_least=1.5&page.token=%E6%B2%AA"
    assert shape("ListSales").compose({}, query, {}) == {
        "store_ids": ["a", "b"],
        "page": {"size": "5", "token": "沪"},
        "open": True,
        "channel": "CHANNEL_STORE",
        "at_least": 1.5,
    }


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (b"nope=1", "nope"),
        (b"page.nope=1", "page.nope"),
        (b"page=1&page.size=2", "page"),
        (b"open=yes", "open"),
        (b"open=true&open=true", "open"),
        (b"at_least=x", "at_least"),
        (b"store_ids=%00", "store_ids"),
        (b"store_ids=%ff", ""),
        (b"&".join([b"store_ids=a"] * 300), ""),
    ],
)
def test_a_bad_query_is_refused_by_name(query: bytes, field: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        shape("ListSales").compose({}, query, {})
    assert refused.value.violations[0][0] == field


def test_a_named_body_is_one_field_and_the_query_gives_the_others() -> None:
    value = shape("UpdateKinds").compose({"i64": 1}, b"dry_run=true", {"name": "n"})
    assert value == {"kinds": {"i64": 1}, "dry_run": True, "name": "n"}


def test_what_belongs_into_the_body_is_not_taken_from_the_query() -> None:
    for name, query in (("RecordSale", b"store_id=x"), ("UpdateKinds", b"kinds.i64=1")):
        with pytest.raises(InvalidArgument, match="belongs into the body"):
            shape(name).compose({}, query, {"name": "n"} if name == "UpdateKinds" else {})


def test_path_and_body_must_agree() -> None:
    assert shape("CancelSale").compose({"sale_id": "s"}, b"", {"sale_id": "s"}) == {"sale_id": "s"}
    with pytest.raises(InvalidArgument, match="differs between path and body"):
        shape("CancelSale").compose({"sale_id": "other"}, b"", {"sale_id": "s"})


# --- bound fields ---

TILL = Caller(CallerKind.TERMINAL, "trm_1", bound_id="sto_mine")


def guard(operation: Operation, *paths: str):
    bindings = tuple(BoundField(CallerKind.TERMINAL, tuple(path.split("."))) for path in paths)
    bind = guards(operation.request, bindings)[CallerKind.TERMINAL]
    return lambda message, caller: bind(message, no_reach(caller))


def test_an_empty_bound_field_is_filled_in() -> None:
    request = scratch.message("RecordSaleRequest")()
    guard(OPERATIONS["RecordSale"], "store_id")(request, TILL)
    assert request.store_id == "sto_mine"


def test_another_value_is_not_yours() -> None:
    request = scratch.message("RecordSaleRequest")(store_id="sto_other")
    with pytest.raises(NotYours):
        guard(OPERATIONS["RecordSale"], "store_id")(request, TILL)


def test_every_element_of_a_batch_is_bound() -> None:
    request = scratch.message("RecordSalesRequest")(sales=[{}, {"store_id": "sto_mine"}])
    check = guard(OPERATIONS["RecordSales"], "sales.store_id")
    check(request, TILL)
    assert [sale.store_id for sale in request.sales] == ["sto_mine"] * 2
    request.sales.add(store_id="sto_other")
    with pytest.raises(NotYours) as refused:
        check(request, TILL)
    assert refused.value.values["field"] == "sales[2].store_id"


def test_a_repeated_bound_field_holds_the_caller_only() -> None:
    check = guard(OPERATIONS["ListSales"], "store_ids")
    request = scratch.message("ListSalesRequest")()
    check(request, TILL)
    assert list(request.store_ids) == ["sto_mine"]
    with pytest.raises(NotYours):
        check(scratch.message("ListSalesRequest")(store_ids=["sto_mine", "sto_other"]), TILL)


def test_a_caller_bound_to_nothing_owns_nothing() -> None:
    with pytest.raises(NotYours):
        guard(OPERATIONS["RecordSale"], "store_id")(
            scratch.message("RecordSaleRequest")(), Caller(CallerKind.TERMINAL, "trm_1")
        )


def test_a_binding_to_a_field_that_does_not_exist_is_told_at_start() -> None:
    for path in ("nope", "sales.nope", "paid"):
        with pytest.raises(ValueError, match="RecordSaleRequest"):
            guard(OPERATIONS["RecordSale"], path)


def test_only_what_is_declared_for_outside_is_an_operation() -> None:
    assert "Inside" not in OPERATIONS and "RecordSale" in OPERATIONS
