"""What travels with a refusal, and times that are none."""

from __future__ import annotations

import json

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import VALUE_BYTES, AppError, InvalidArgument, Violation, cut
from chassis.plain import plain_json
from chassis.rpc import validate
from chassis.times import impossible_times
from huitong.mall.v1 import mall_pb2
from huitong.points.v1 import points_pb2

LAST = Timestamp(seconds=253_402_300_799, nanos=999_999_999)


class Wrong(AppError):
    """{what} is wrong."""


def test_a_refusal_of_many_fields_fits_into_the_headers_that_carry_it() -> None:
    error = InvalidArgument([(f"lines[{index}].amount_minor", "must be greater than 0") for index in range(500)])
    assert len(error.to_status().SerializeToString()) < 5_000
    assert error.violations[0] == Violation("lines[0].amount_minor", "must be greater than 0")
    assert error.violations[-1] == Violation("", f"and {500 - len(error.violations) + 1} more")


def test_one_field_is_named_however_long_its_name() -> None:
    (violation,) = InvalidArgument([("f" * 5_000, "is wrong")]).violations
    assert violation == Violation("f" * (VALUE_BYTES - 3) + "…", "is wrong")


def test_long_values_are_cut_between_characters() -> None:
    assert cut("会员" * 1_000, 11) == "会员…"
    assert cut("short", 11) == "short"
    assert cut("\ud800", 11) == "\ud800"
    assert len(Wrong(what="积" * 5_000).to_status().SerializeToString()) < 2_500


@pytest.mark.parametrize(
    ("seconds", "nanos", "fine"),
    [
        (0, 0, True),
        (LAST.seconds, LAST.nanos, True),
        (LAST.seconds + 1, 0, False),  # the year 10000
        (-62_135_596_801, 0, False),  # before the year 1
        (0, -1, False),
        (0, 1_000_000_000, False),
    ],
)
def test_a_time_out_of_range_is_named_with_its_path(seconds: int, nanos: int, fine: bool) -> None:
    stamp = Timestamp(seconds=seconds, nanos=nanos)
    sale = points_pb2.RecordSaleRequest(sale_time=stamp)
    many = points_pb2.ListStatementResponse(
        entries=[points_pb2.StatementEntry(occur_time=LAST), points_pb2.StatementEntry(occur_time=stamp)]
    )
    assert [path for path, _ in impossible_times(sale)] == ([] if fine else ["sale_time"])
    assert [path for path, _ in impossible_times(many)] == ([] if fine else ["entries[1].occur_time"])
    # Of a batch whose elements are each answered by themselves nothing is said as a whole.
    assert impossible_times(points_pb2.RecordSalesRequest(sales=[sale])) == []


def test_a_message_without_times_has_no_wrong_one() -> None:
    assert impossible_times(points_pb2.GetBalanceRequest(member_id="x")) == []
    assert impossible_times(Duration()) == []


def test_what_is_recorded_of_a_batch_leaves_out_times_that_are_none() -> None:
    good = points_pb2.RecordSaleRequest(receipt_no="1", sale_time=LAST)
    bad = points_pb2.RecordSaleRequest(receipt_no="2", sale_time=Timestamp(seconds=LAST.seconds + 1))
    kept = json.loads(plain_json(points_pb2.RecordSalesRequest(sales=[good, bad])))["sales"]
    assert [(sale["receipt_no"], "sale_time" in sale) for sale in kept] == [("1", True), ("2", False)]


def test_a_rule_about_several_fields_is_said_without_a_field() -> None:
    item = mall_pb2.CreateItemRequest(request_id="12345678", code="C", name="c", merchant_id="mch_1")
    with pytest.raises(InvalidArgument) as refused:
        validate(item)
    assert refused.value.violations == [Violation("", "costs points, a benefit or both")]
    item.price_points = 1
    validate(item)
