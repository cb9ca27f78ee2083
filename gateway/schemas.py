"""JSON Schema of messages, with their validation rules, comments and examples."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from buf.validate import validate_pb2
from gateway.binding import find_field
from gateway.contract import Comments, Operation, option
from gateway.wellknown import SAFE_INTEGER

EXAMPLE_DEPTH = 6
_INTEGER_KINDS = {
    FieldDescriptor.CPPTYPE_INT32: ("int32", "int32"),
    FieldDescriptor.CPPTYPE_UINT32: ("uint32", "int64"),
    FieldDescriptor.CPPTYPE_INT64: ("int64", "int64"),
    FieldDescriptor.CPPTYPE_UINT64: ("uint64", "int64"),
}
_WELL_KNOWN: dict[str, dict[str, Any]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time", "example": "2026-01-31T09:30:00+08:00"},
    "google.protobuf.Duration": {"type": "string", "pattern": r"^-?\d+(\.\d{1,9})?s$", "example": "1.5s"},
    "google.protobuf.Struct": {"type": "object"},
    "google.protobuf.Value": {},
    "google.protobuf.ListValue": {"type": "array", "items": {}},
    "google.protobuf.Any": {"type": "object"},
    "google.protobuf.FieldMask": {"type": "string", "example": "name"},
}
# What ids look like, by the end of the field's name.
_IDS = {
    "member_id": "mbr",
    "store_id": "sto",
    "merchant_id": "mch",
    "business_unit_id": "unt",
    "car_park_id": "unt",
    "terminal_id": "trm",
    "key_id": "key",
    "group_id": "grp",
    "partner_id": "ptn",
    "order_id": "ord",
    "hold_id": "hld",
    "txn_id": "txn",
    "sale_id": "txn",
    "refund_id": "txn",
    "top_up_id": "txn",
    "item_id": "itm",
    "template_id": "cpt",
    "coupon_id": "cpn",
    "checkout_id": "chk",
    "adjustment_id": "adj",
    "case_id": "cas",
    "currency_id": "cur",
    "rate_id": "rat",
    "draft_id": "rdr",
    "simulation_id": "rsm",
    "pool_id": "fpl",
    "subject_id": "trm",
    "stay_id": "sty",
    "import_id": "imp",
    "webhook_endpoint_id": "whe",
    "event_id": "evt",
    "notice_source_id": "nts",
}
# Examples by the end of a field's name; the first that fits the field's rules is taken.
_SAMPLES: tuple[tuple[str, Any], ...] = (
    ("request_id", "example-000001"),
    *((name, f"{prefix}_{'0' * 32}") for name, prefix in _IDS.items()),
    ("url", "https://partner.example/huitong"),
    ("phone", "+8613800000001"),
    ("email", "somebody@example.com"),
    ("one_time_code", "123456"),
    ("currency_code", "CNY"),
    ("time_zone", "Asia/Shanghai"),
    ("plate_no", "沪A12345"),
    ("receipt_no", "R-20260131-0001"),
    ("member_code", "123456789012345678901234"),
    ("amount_minor", 1250),
    ("offset_minor", 300),
    ("points", 100),
    ("year", 2026),
    ("period", "2026-01"),
    ("page_size", 50),
    ("page_token", ""),
    ("permissions", "member.members.identify"),
    ("partner_code", "AIRLINE"),
    ("name_zh", "示例"),
    ("name", "Example"),
    ("category", "GROCERY"),
    ("expiry_months", 12),
    ("months", 0),  # as for a tier that is held for good
    ("grace_days", 0),
)
_FALLBACKS = (
    "example",
    "EXAMPLE",
    "CNY",
    "a-1",
    "A1",
    "123456",
    "example-000001",
    "0" * 24,
    "0" * 32,
    "0" * 64,
    "+8613800000001",
)


class Schemas:
    """Collects the schema of every message that is referred to."""

    def __init__(self, comments: Comments, operations: Iterable[Operation]) -> None:
        self._comments = comments
        self._wanted: dict[str, Descriptor | EnumDescriptor] = {}
        operations = list(operations)
        asked = _reachable(operation.request for operation in operations)
        answered = _reachable(operation.response for operation in operations)
        # Answers may gain fields at any time; requests refuse what they do not know.
        self._closed = asked - answered
        self._bound = {name for operation in operations for name in _bound_fields(operation)}

    def components(self) -> dict[str, Any]:
        """The schemas of all messages and enums referred to so far and of what those refer to."""
        done: dict[str, Any] = {}
        while len(done) < len(self._wanted):
            for name, thing in list(self._wanted.items()):
                if name not in done:
                    done[name] = self._enum(thing) if isinstance(thing, EnumDescriptor) else self.message(thing)
        return dict(sorted(done.items()))

    def reference(self, message: Descriptor, without: Set[str] = frozenset()) -> dict[str, Any]:
        """A reference to the schema of `message`, or the schema itself when some fields are not part of it."""
        if message.full_name in _WELL_KNOWN or _is_wrapper(message):
            return self._single(message)
        if without:
            return self.message(message, without)
        return {"$ref": f"#/components/schemas/{self._want(message)}"}

    def _want(self, thing: Descriptor | EnumDescriptor) -> str:
        # Names are unique across packages only with their package: huitong.points.v1.Sale → points.Sale.
        parts = thing.full_name.split(".")
        name = ".".join(part for part in parts[1:] if not re.fullmatch(r"v\d+", part)) if len(parts) > 1 else parts[0]
        self._wanted.setdefault(name, thing)
        return name

    def message(self, message: Descriptor, without: Set[str] = frozenset()) -> dict[str, Any]:
        """The schema of `message` but for the fields `without`."""
        fields = [field for field in message.fields if field.name not in without]
        schema: dict[str, Any] = {"type": "object", "properties": {field.name: self.field(field) for field in fields}}
        comment = " ".join(self._comments.of(message).split())
        for oneof in message.oneofs:
            names = [field.name for field in oneof.fields if field.name not in without]
            if len(names) > 1:
                must = option(oneof, validate_pb2.oneof).required
                text = f"{'Exactly' if must else 'At most'} one of {', '.join(names)}."
                comment = f"{comment} {text}".strip()
                schema["x-oneof"] = [*schema.get("x-oneof", []), names]
        if comment:
            schema["description"] = comment
        required = [field.name for field in fields if self._is_required(field)]
        if required:
            schema["required"] = required
        if message.full_name in self._closed:
            schema["additionalProperties"] = False
        return schema

    def field(self, field: FieldDescriptor) -> dict[str, Any]:
        """The schema of one field with its rules and comment."""
        rules = _rules(field)
        schema: dict[str, Any]
        if _is_map(field):
            value = _map_value(field)
            schema = {"type": "object", "additionalProperties": self._single_field(value, rules.map.values)}
            _copy(rules.map, schema, min_pairs="minProperties", max_pairs="maxProperties")
        elif field.is_repeated:
            schema = {"type": "array", "items": self._single_field(field, rules.repeated.items)}
            _copy(rules.repeated, schema, min_items="minItems", max_items="maxItems")
            if rules.repeated.unique:
                schema["uniqueItems"] = True
        else:
            schema = self._single_field(field, rules)
        comment = " ".join(self._comments.of(field).split())
        if field.full_name in self._bound:
            comment = f"{comment} Filled in from the caller when it is bound to it.".strip()
            schema.pop("minLength", None)  # left empty it is filled in, too
        if comment:
            schema["description"] = comment
        return schema

    def _single_field(self, field: FieldDescriptor, rules: validate_pb2.FieldRules) -> dict[str, Any]:
        if field.message_type is not None:
            return self._single(field.message_type)
        if field.enum_type is not None:
            forbidden = set(rules.enum.not_in)
            if not forbidden and not getattr(rules.enum, "in"):
                return {"$ref": f"#/components/schemas/{self._want(field.enum_type)}"}
            allowed = set(getattr(rules.enum, "in")) or {value.number for value in field.enum_type.values}
            names = [value.name for value in field.enum_type.values if value.number in allowed - forbidden]
            return {"type": "string", "enum": names}
        return _scalar(field, rules)

    def _single(self, message: Descriptor) -> dict[str, Any]:
        if message.full_name in _WELL_KNOWN:
            return dict(_WELL_KNOWN[message.full_name])
        if _is_wrapper(message):
            return _scalar(message.fields_by_name["value"], validate_pb2.FieldRules())
        return {"$ref": f"#/components/schemas/{self._want(message)}"}

    def _enum(self, enum: EnumDescriptor) -> dict[str, Any]:
        texts = [
            f"{value.name}: {' '.join(text.split())}"
            for value in enum.values
            if (text := self._comments.of(f"{enum.full_name}.{value.name}"))
        ]
        description = "\n".join([" ".join(self._comments.of(enum).split()), *texts]).strip()
        schema: dict[str, Any] = {"type": "string", "enum": [value.name for value in enum.values]}
        return schema | ({"description": description} if description else {})

    def _is_required(self, field: FieldDescriptor) -> bool:
        """Whether leaving the field out is refused: by `required`, or because its empty value breaks a rule."""
        rules = _rules(field)
        if field.full_name in self._bound:
            return False
        if rules.required:
            return True
        if field.containing_oneof is not None or rules.ignore == validate_pb2.IGNORE_IF_ZERO_VALUE:
            return False
        if field.is_repeated:
            return bool(rules.repeated.min_items)
        if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            return bool(rules.string.min_len or (rules.string.pattern and not _fits(rules.string.pattern, "")))
        if field.enum_type is not None:
            return 0 in rules.enum.not_in
        kind = _INTEGER_KINDS.get(field.cpp_type)
        return bool(kind and (getattr(rules, kind[0]).gte > 0 or getattr(rules, kind[0]).HasField("gt")))

    # --- examples ---

    def example(self, message: Descriptor, without: Set[str] = frozenset(), depth: int = 0) -> Any:
        """A plausible value; of a oneof the first field only."""
        if message.full_name in _WELL_KNOWN:
            return _WELL_KNOWN[message.full_name].get("example", {})
        if _is_wrapper(message):
            return self._example_field(message.fields_by_name["value"], depth)
        result = {}
        for field in message.fields:
            oneof = field.containing_oneof
            later = oneof is not None and len(oneof.fields) > 1 and oneof.fields[0].name != field.name
            if field.name in without or later or field.name == "problem" or depth >= EXAMPLE_DEPTH:
                continue
            result[field.name] = self.example_of(field, depth)
        return result

    def example_of(self, field: FieldDescriptor, depth: int = 0) -> Any:
        """A plausible value of one field, a list or object when it is repeated."""
        value = self._example_field(field, depth)
        if _is_map(field):
            return {_example_key(field): value}
        return [value] if field.is_repeated else value

    def _example_field(self, field: FieldDescriptor, depth: int) -> Any:
        rules = _rules(field)
        if field.is_repeated and not _is_map(field):
            rules = rules.repeated.items
        if _is_map(field):
            return self._example_field(_map_value(field), depth)
        if field.message_type is not None:
            return self.example(field.message_type, depth=depth + 1)
        if field.enum_type is not None:
            names = [
                value.name for value in field.enum_type.values if value.number and value.number not in rules.enum.not_in
            ]
            return names[0] if names else field.enum_type.values[0].name
        if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            return False
        if field.type == FieldDescriptor.TYPE_BYTES:
            return ""
        samples = [sample for end, sample in _SAMPLES if field.name == end or field.name.endswith(f"_{end}")]
        if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            candidates = [sample for sample in samples if isinstance(sample, str)] + list(_FALLBACKS)
            candidates += getattr(rules.string, "in")
            return next((text for text in candidates if _string_fits(rules.string, text)), "example")
        numbers = [sample for sample in samples if isinstance(sample, int)] + [1, 0]
        return next((value for value in numbers if _number_fits(field, rules, value)), 1)


def _rules(field: FieldDescriptor) -> validate_pb2.FieldRules:
    rules: validate_pb2.FieldRules = option(field, validate_pb2.field)
    return rules


def _example_key(field: FieldDescriptor) -> str:
    assert field.message_type is not None  # noqa: S101 - a map's type is its entry
    kind = field.message_type.fields_by_name["key"].cpp_type
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        return "true"
    return "1" if kind in _INTEGER_KINDS else "key"


def _map_value(field: FieldDescriptor) -> FieldDescriptor:
    assert field.message_type is not None  # noqa: S101 - a map's type is its entry
    return field.message_type.fields_by_name["value"]


def _scalar(field: FieldDescriptor, rules: validate_pb2.FieldRules) -> dict[str, Any]:
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return {"type": "boolean"}
    if field.type == FieldDescriptor.TYPE_BYTES:
        return {"type": "string", "contentEncoding": "base64"}
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        schema: dict[str, Any] = {"type": "string"}
        _copy(rules.string, schema, min_len="minLength", max_len="maxLength", pattern="pattern")
        for kind in ("email", "hostname", "uri", "uuid", "ip"):
            if getattr(rules.string, kind):
                schema["format"] = kind
        if allowed := list(getattr(rules.string, "in")):
            schema["enum"] = allowed
        return schema
    if field.cpp_type in _INTEGER_KINDS:
        name, form = _INTEGER_KINDS[field.cpp_type]
        schema = {"type": "integer", "format": form}
        bounds = getattr(rules, name)
        _copy(bounds, schema, gte="minimum", lte="maximum", gt="exclusiveMinimum", lt="exclusiveMaximum")
        if "int64" in name and not ("maximum" in schema or "exclusiveMaximum" in schema):
            schema["maximum"] = SAFE_INTEGER - 1
        return schema
    schema = {"type": "number"}
    bounds = rules.double if field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE else rules.float
    _copy(bounds, schema, gte="minimum", lte="maximum", gt="exclusiveMinimum", lt="exclusiveMaximum")
    return schema


def _copy(rules: Any, schema: dict[str, Any], **names: str) -> None:
    for name, keyword in names.items():
        if rules.HasField(name):
            schema[keyword] = getattr(rules, name)


def _fits(pattern: str, text: str) -> bool:
    try:
        return bool(re.search(pattern, text))
    except re.error:  # RE2 knows forms that Python does not
        return True


def _string_fits(rules: validate_pb2.StringRules, text: str) -> bool:
    long_enough = len(text) >= rules.min_len and (not rules.HasField("max_len") or len(text) <= rules.max_len)
    allowed = getattr(rules, "in")
    return long_enough and (not allowed or text in allowed) and (not rules.pattern or _fits(rules.pattern, text))


def _number_fits(field: FieldDescriptor, rules: validate_pb2.FieldRules, value: int) -> bool:
    if field.cpp_type not in _INTEGER_KINDS:
        return True
    bounds: Any = getattr(rules, _INTEGER_KINDS[field.cpp_type][0])
    return not (
        (bounds.HasField("gte") and value < bounds.gte)
        or (bounds.HasField("gt") and value <= bounds.gt)
        or (bounds.HasField("lte") and value > bounds.lte)
        or (bounds.HasField("lt") and value >= bounds.lt)
    )


def _reachable(messages: Iterable[Descriptor]) -> set[str]:
    waiting, seen = list(messages), set()
    while waiting:
        message = waiting.pop()
        if message.full_name not in seen:
            seen.add(message.full_name)
            waiting += [field.message_type for field in message.fields if field.message_type]
    return seen


def _bound_fields(operation: Operation) -> list[str]:
    found = []
    for bound in operation.bindings:
        found.append(find_field(operation.request, bound.path).full_name)
    return found


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _is_wrapper(message: Descriptor) -> bool:
    return message.file.name == "google/protobuf/wrappers.proto"
