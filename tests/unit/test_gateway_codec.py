"""JSON ⇄ proto: the same as json_format where both agree, stricter where money is at stake."""

from __future__ import annotations

import math
from typing import Any

import orjson
import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import InvalidArgument
from gateway import codec
from tests import gateway_scratch as scratch

Kinds = scratch.message("Kinds")
Sale = scratch.message("RecordSaleRequest")
decode_kinds, plain_kinds = codec.from_json(Kinds.DESCRIPTOR), codec.to_plain(Kinds.DESCRIPTOR)
decode_sale, plain_sale = codec.from_json(Sale.DESCRIPTOR), codec.to_plain(Sale.DESCRIPTOR)
SAFE = 2**53 - 1

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
safe_integers = st.integers(-SAFE, SAFE)
times = st.integers(-62_135_596_800, 253_402_300_799)
line_fields = st.fixed_dictionaries(
    {}, optional={"sku": texts, "quantity": safe_integers, "amount_minor": safe_integers}
)
enums = st.sampled_from([0, 1, 2])
stamps = st.fixed_dictionaries({"seconds": times, "nanos": st.integers(0, 999_999_999)})
durations = st.integers(-(10**12), 10**12).map(
    lambda n: {"seconds": int(n / 1000), "nanos": int(math.fmod(n, 1000)) * 1_000_000}
)


def _kinds(depth: int) -> st.SearchStrategy[dict[str, Any]]:
    fields: dict[str, st.SearchStrategy[Any]] = {
        "i32": st.integers(-(2**31), 2**31 - 1),
        "u32": st.integers(0, 2**32 - 1),
        "i64": safe_integers,
        "u64": st.integers(0, SAFE),
        "s64": safe_integers,
        "x32": st.integers(0, 2**32 - 1),
        "d": st.floats(allow_nan=False, allow_infinity=False),
        "f": st.floats(width=32, allow_nan=False, allow_infinity=False),
        "b": st.booleans(),
        "s": texts,
        "raw": st.binary(max_size=8),
        "e": enums,
        "maybe": safe_integers,
        "maybe_s": texts,
        "t": stamps,
        "dur": durations,
        "ws": texts.map(lambda text: {"value": text}),
        "wi": safe_integers.map(lambda value: {"value": value}),
        "is": st.lists(safe_integers, max_size=3),
        "ss": st.lists(texts, max_size=3),
        "es": st.lists(enums, max_size=3),
        "ts": st.lists(stamps, max_size=2),
        "lines": st.lists(line_fields, max_size=3),
        "labels": st.dictionaries(texts, texts, max_size=3),
        "by_flag": st.dictionaries(st.booleans(), enums, max_size=2),
        "from": texts,
    }
    if depth:
        fields["self"] = _kinds(depth - 1)
    return st.fixed_dictionaries({}, optional=fields)


@settings(max_examples=300)
@given(_kinds(2), st.sampled_from([None, "left", "right"]))
def test_round_trip_agrees_with_json_format(fields: dict[str, Any], choice: str | None) -> None:
    message = Kinds(**fields)
    if choice == "left":
        message.left = ""
    elif choice == "right":
        message.right.SetInParent()
    ours = orjson.dumps(plain_kinds(message))
    assert json_format.Parse(ours, Kinds()) == message
    theirs = json_format.MessageToJson(message, preserving_proto_field_name=True)
    assert decode_kinds(codec.parse_json(theirs.encode())) == message
    assert decode_kinds(codec.parse_json(ours)) == message


@given(
    st.recursive(
        st.none() | st.booleans() | safe_integers | st.floats() | texts,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["lines", "paid", "sku", "amount_minor", "sale_time", "channel", "request_id"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
@settings(max_examples=300)
def test_any_json_is_decoded_or_refused_with_a_typed_error(value: Any) -> None:
    try:
        message = decode_sale(orjson.loads(orjson.dumps(value)))
    except InvalidArgument as error:
        assert error.violations
    else:
        assert decode_sale(plain_sale(message)) == message


def test_defaults_are_written_and_absent_messages_are_not() -> None:
    plain = plain_kinds(Kinds())
    assert plain["i64"] == 0 and plain["s"] == "" and plain["b"] is False and plain["e"] == "CHANNEL_UNSPECIFIED"
    assert plain["ss"] == [] and plain["labels"] == {}
    assert not {"maybe", "maybe_s", "t", "dur", "ws", "self", "left", "right"} & set(plain)
    assert plain_kinds(Kinds(maybe=0))["maybe"] == 0


def test_int64_is_a_number_and_digits_are_accepted() -> None:
    assert plain_kinds(Kinds(i64=SAFE))["i64"] == SAFE
    assert decode_kinds({"i64": str(SAFE), "i32": "-5", "is": ["1", 2]}) == Kinds(i64=SAFE, i32=-5, **{"is": [1, 2]})


def test_struct_goes_both_ways() -> None:
    value = {"any": {"a": [1.5, True, None, {"b": "c"}]}}
    message: Any = decode_kinds(orjson.loads(orjson.dumps(value)))
    assert plain_kinds(message)["any"] == value["any"]


def test_map_of_messages() -> None:
    message: Any = decode_kinds({"line_by_no": {"7": {"sku": "a"}}})
    assert message.line_by_no[7].sku == "a"
    assert plain_kinds(message)["line_by_no"]["7"]["sku"] == "a"


def test_null_means_not_set() -> None:
    assert decode_kinds({"i64": None, "t": None, "left": None, "lines": None}) == Kinds()


BAD = [
    # unknown names
    ({"foo": 1}, "foo"),
    ({"lines": [{}, {}, {"foo": 1}]}, "lines[2].foo"),
    ({"foo": None}, "foo"),
    # camelCase is another name
    ({"maybeS": "x"}, "maybeS"),
    ({"self": {"self": {"nope": 1}}}, "self.self.nope"),
    ({"line_by_no": {"1": {"nope": 1}}}, "line_by_no['1'].nope"),
    # whole numbers
    ({"i64": 1.5}, "i64"),
    # 12.0 might be yuan
    ({"i64": 12.0}, "i64"),
    ({"i64": 2**53}, "i64"),
    ({"i64": -(2**53)}, "i64"),
    ({"i64": str(2**53)}, "i64"),
    ({"i64": "1e3"}, "i64"),
    ({"i64": " 1"}, "i64"),
    ({"i64": "٣"}, "i64"),
    ({"i64": True}, "i64"),
    ({"i64": []}, "i64"),
    ({"i64": 1e30}, "i64"),
    ({"u64": -1}, "u64"),
    ({"i32": 2**31}, "i32"),
    ({"u32": -1}, "u32"),
    ({"is": [1, 2.5]}, "is[1]"),
    ({"is": [None]}, "is[0]"),
    ({"is": 1}, "is"),
    ({"wi": 0.5}, "wi"),
    # other scalars
    ({"s": 1}, "s"),
    ({"ss": ["a", 1]}, "ss[1]"),
    ({"b": 1}, "b"),
    ({"b": "true"}, "b"),
    ({"d": "1"}, "d"),
    ({"d": True}, "d"),
    ({"f": 1e39}, "f"),
    ({"raw": "?"}, "raw"),
    ({"raw": "a"}, "raw"),
    # enums by exact name
    ({"e": "STORE"}, "e"),
    ({"e": 1}, "e"),
    ({"e": "channel_store"}, "e"),
    ({"e": ["CHANNEL_STORE"]}, "e"),
    ({"es": ["CHANNEL_STORE", "NOPE"]}, "es[1]"),
    # times
    ({"t": "2026-01-31"}, "t"),
    ({"t": "2026-01-31T09:30:00"}, "t"),
    ({"t": "2026-02-30T09:30:00Z"}, "t"),
    ({"t": "2026-01-31T25:30:00Z"}, "t"),
    ({"t": 1769823000}, "t"),
    ({"t": {"seconds": 1}}, "t"),
    ({"t": "0001-01-01T00:00:00+08:00"}, "t"),
    ({"ts": ["2026-01-31T09:30:00Z", "x"]}, "ts[1]"),
    ({"dur": "1"}, "dur"),
    ({"dur": "1m"}, "dur"),
    ({"dur": 5}, "dur"),
    # shapes
    ({"self": []}, "self"),
    ({"lines": {}}, "lines"),
    ({"lines": [1]}, "lines[0]"),
    ({"labels": []}, "labels"),
    ({"labels": {"a": 1}}, "labels['a']"),
    ({"line_by_no": {"x": {}}}, "line_by_no['x']"),
    ({"by_flag": {"yes": "CHANNEL_STORE"}}, "by_flag['yes']"),
    ({"any": 5}, "any"),
    # only one of
    ({"left": "a", "right": {}}, ""),
    ([], ""),
    (None, ""),
    ("x", ""),
]


@pytest.mark.parametrize(("value", "path"), BAD, ids=lambda part: repr(part)[:40])
def test_what_does_not_fit_is_refused_with_its_path(value: Any, path: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        decode_kinds(value)
    assert [violation.field for violation in refused.value.violations] == [path]


def test_messages_within_themselves_end_somewhere() -> None:
    value: dict[str, Any] = {}
    for _ in range(codec.MAX_DEPTH + 1):
        value = {"self": value}
    with pytest.raises(InvalidArgument, match="nested too deeply"):
        decode_kinds(value)
    deep: Any = 1
    for _ in range(100):
        deep = {"a": deep}
    with pytest.raises(InvalidArgument):
        decode_kinds({"any": deep})


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":}', b"{'a':1}", b"\xff", b"[" * 5000, b'{"d": NaN}', b'"\\ud800"'])
def test_broken_json_is_told_without_our_insides(body: bytes) -> None:
    with pytest.raises(codec.MalformedJson) as refused:
        codec.parse_json(body)
    assert refused.value.reason == "MALFORMED_JSON"
    assert "line" in refused.value.message and refused.value.message_zh.startswith("请求体")


@pytest.mark.parametrize("value", [{"s": "a\0"}, {"labels": {"a\0": "b"}}, {"ss": ["x", "\0"]}])
def test_nul_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArgument, match="NUL"):
        codec.parse_json(orjson.dumps(value))


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert codec.parse_json(rb'{"s":"\\u0000"}') == {"s": "\\u0000"}


@pytest.mark.parametrize(
    ("text", "seconds", "nanos"),
    [
        ("1970-01-01T00:00:00Z", 0, 0),
        ("1970-01-01T08:00:00+08:00", 0, 0),
        ("2026-01-31T09:30:00.5Z", 1769851800, 500_000_000),
        ("2026-01-31T09:30:00.123456789Z", 1769851800, 123_456_789),
        ("1969-12-31T23:59:59.25Z", -1, 250_000_000),
    ],
)
def test_times(text: str, seconds: int, nanos: int) -> None:
    message: Any = decode_kinds({"t": text})
    assert (message.t.seconds, message.t.nanos) == (seconds, nanos)
    assert decode_kinds(plain_kinds(message)) == message
