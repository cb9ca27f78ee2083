"""JSON ⇄ proto, compiled once per message type from its descriptor.

For every message two Python functions are written and compiled: one checks a parsed JSON object and rewrites what
differs (times, enums, bytes) in place, so that the message's own C constructor can take the whole tree in one call;
one reads a message into plain values for orjson. That is several times faster than `json_format`, and stricter:
unknown fields, unknown enum names, fractions for whole numbers and integers beyond ±2^53 are refused with their path.

Output names every scalar, list and map, also when empty; messages and optional fields only when set.
"""

from __future__ import annotations

from collections.abc import Callable
from keyword import kwlist
from typing import Any

import orjson
from google.protobuf import json_format, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from chassis.errors import InvalidArgument
from gateway.wellknown import (
    FLOAT_MAX,
    SAFE_INTEGER,
    BadValue,
    base64_text,
    duration_fields,
    duration_text,
    number,
    raw_bytes,
    timestamp_fields,
    timestamp_text,
    whole,
)

_KEYWORDS = frozenset(kwlist)
MAX_DEPTH = 32  # of messages that can contain themselves; all others end by themselves

_INTEGERS = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (1 - SAFE_INTEGER, SAFE_INTEGER - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, SAFE_INTEGER - 1),
}
_PLAIN = {
    FieldDescriptor.CPPTYPE_STRING: ("str", "must be a string"),
    FieldDescriptor.CPPTYPE_BOOL: ("bool", "must be true or false"),
}
_WRAPPERS = {
    f"google.protobuf.{name}Value"
    for name in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
}
# Left to json_format: their JSON form has nothing to do with their fields, and no hot path carries them.
_FOREIGN = {f"google.protobuf.{name}" for name in ("Struct", "Value", "ListValue", "Any", "FieldMask")}

Check = Callable[..., Any]
_checks: dict[str, Check] = {}
_writers: dict[str, Callable[[Any], Any]] = {}


class MalformedJson(InvalidArgument):
    """The body is not valid JSON: {detail}."""

    reason, zh = "MALFORMED_JSON", "请求体不是有效的 JSON：{detail}。"

    def __init__(self, detail: str) -> None:
        super().__init__([("", detail)])
        self.values["detail"] = detail
        del self.values["fields"]
        self.args = (self.message,)


def parse_json(body: bytes) -> Any:
    """The JSON value in `body`. Raises MalformedJson, and InvalidArgument for text with NUL characters."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedJson(_json_problem(error)) from None
    # PostgreSQL cannot store NUL. The scan of the body is cheap, the walk happens only when it finds something.
    if b"\\u0000" in body:
        _refuse_nul(value, "")
    return value


def _json_problem(error: orjson.JSONDecodeError) -> str:
    return f"{error.msg.split(': ')[0]} (line {error.lineno}, column {error.colno})"


def _refuse_nul(value: Any, path: str) -> None:
    if isinstance(value, str) and "\0" in value:
        raise InvalidArgument([(path, "must not contain the character NUL")])
    if isinstance(value, dict):
        for name, inner in value.items():
            _refuse_nul(name, path)
            _refuse_nul(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _refuse_nul(inner, f"{path}[{index}]")


def from_json(descriptor: Descriptor) -> Callable[[Any], Message]:
    """A function from a parsed JSON object, which it may change, to a message.

    The function raises InvalidArgument with the path of the first field that does not fit.
    """
    check, build = _check_for(descriptor), message_factory.GetMessageClass(descriptor)

    def decode(value: Any) -> Message:
        try:
            checked = check(value, 0)
            return build(**checked) if type(checked) is dict else checked
        except BadValue as error:
            raise InvalidArgument([(error.path, error.text)]) from None
        except (TypeError, ValueError):
            # Cannot happen after the checks; if it does the caller sent it, and it must not look like our fault.
            raise InvalidArgument([("", "does not fit the request's schema")]) from None

    return decode


def message_class(descriptor: Descriptor) -> type[Message]:
    """The class of a message type."""
    return message_factory.GetMessageClass(descriptor)


def to_plain(descriptor: Descriptor) -> Callable[[Message], Any]:
    """A function from a message to plain values that orjson can write."""
    return _writer_for(descriptor)


# --- checking and rewriting what came in ---


def _check_for(descriptor: Descriptor) -> Check:
    name = descriptor.full_name
    if name not in _checks:
        special = _special_check(descriptor)
        if special is not None:
            _checks[name] = special
        else:
            # A message may contain itself: callers reach the entry through this late lookup while it is compiled.
            _checks[name] = lambda value, depth: _checks[name](value, depth)
            _checks[name] = _compile_check(descriptor)
    return _checks[name]


def _special_check(descriptor: Descriptor) -> Check | None:
    name = descriptor.full_name
    if name == "google.protobuf.Timestamp":
        return lambda value, depth: timestamp_fields(value)
    if name == "google.protobuf.Duration":
        return lambda value, depth: duration_fields(value)
    if name in _WRAPPERS:
        inner = _value_check(descriptor.fields_by_name["value"])
        return lambda value, depth: {"value": inner(value)}
    if name in _FOREIGN:
        return lambda value, depth: _foreign(descriptor, value)
    return None


def _foreign(descriptor: Descriptor, value: Any) -> Message:
    message = message_factory.GetMessageClass(descriptor)()
    try:
        return json_format.ParseDict(value, message, max_recursion_depth=MAX_DEPTH)
    except (json_format.ParseError, ValueError, TypeError, AttributeError, RecursionError):
        raise BadValue(f"is not a {descriptor.name}") from None


def _compile_check(descriptor: Descriptor) -> Check:
    scope: dict[str, Any] = {"BadValue": BadValue, "explain": _explainer(descriptor), "whole": whole, "MAX": MAX_DEPTH}
    lines = [
        "def check(d, depth):",
        "  if type(d) is not dict: raise BadValue('must be an object')",
        "  get = d.get",
        "  n = 0",
    ]
    if _contains_itself(descriptor):
        lines += ["  if depth >= MAX: raise BadValue('is nested too deeply')", "  depth += 1"]
    for field in descriptor.fields:
        lines += [f"  v = get({field.name!r})", "  if v is not None:", "    n += 1"]
        lines += ["    " + line for line in _field_check(field, scope)]
    for oneof in descriptor.oneofs:
        if len(oneof.fields) > 1:
            names = [field.name for field in oneof.fields]
            lines += [
                f"  if sum([get(k) is not None for k in {names!r}]) > 1:",
                f"    raise BadValue('only one of {', '.join(names)} may be set')",
            ]
    lines += ["  if n != len(d): explain(d)", "  return d"]
    exec("\n".join(lines), scope)  # noqa: S102 - source made from our own descriptors, never from a request
    check: Check = scope["check"]
    return check


def _explainer(descriptor: Descriptor) -> Callable[[dict[str, Any]], None]:
    known = frozenset(field.name for field in descriptor.fields)

    def explain(value: dict[str, Any]) -> None:
        # Called when some key was not counted: null for a known field means "not set", anything else is unknown.
        for name in value:
            if name not in known:
                raise BadValue("is not a field of this request", name[:100])

    return explain


def _field_check(field: FieldDescriptor, scope: dict[str, Any]) -> list[str]:
    """Source lines that check the variable v, the value of `field` in d, and put back what had to be rewritten."""
    name, tag = field.name, f"f{field.number}"
    if _is_map(field):
        scope[tag] = _map_check(field)
        return _guarded(name, f"d[{name!r}] = {tag}(v, depth)")
    plain = _PLAIN.get(field.cpp_type) if field.type != FieldDescriptor.TYPE_BYTES else None
    if field.is_repeated:
        lines = [f"if type(v) is not list: raise BadValue('must be a list', {name!r})", "i = 0"]
        if plain:
            return [
                *lines,
                "for x in v:",
                f"  if type(x) is not {plain[0]}: raise BadValue({plain[1]!r}, f'{name}[{{i}}]')",
                "  i += 1",
            ]
        scope[tag] = _element_check(field)
        body = ["for x in v:", f"  v[i] = {tag}(x, depth)", "  i += 1"]
        return [
            *lines,
            "try:",
            *("  " + line for line in body),
            "except BadValue as e:",
            f"  raise e.under(f'{name}[{{i}}]')",
        ]
    if plain:
        return [f"if type(v) is not {plain[0]}: raise BadValue({plain[1]!r}, {name!r})"]
    if field.cpp_type in _INTEGERS:
        low, high = _INTEGERS[field.cpp_type]
        return [
            f"if type(v) is not int or not {low} <= v <= {high}:",
            *("  " + line for line in _guarded(name, f"d[{name!r}] = whole(v, {low}, {high})")),
        ]
    scope[tag] = _element_check(field)
    return _guarded(name, f"d[{name!r}] = {tag}(v, depth)")


def _guarded(name: str, statement: str) -> list[str]:
    return ["try:", f"  {statement}", "except BadValue as e:", f"  raise e.under({name!r})"]


def _element_check(field: FieldDescriptor) -> Check:
    if field.message_type is not None:
        return _check_for(field.message_type)
    inner = _value_check(field)
    return lambda value, depth: inner(value)


def _value_check(field: FieldDescriptor) -> Callable[[Any], Any]:
    """A check of one scalar value that returns what the constructor takes."""
    if field.cpp_type in _INTEGERS:
        low, high = _INTEGERS[field.cpp_type]
        return lambda value: whole(value, low, high)
    if field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE:
        return number
    if field.cpp_type == FieldDescriptor.CPPTYPE_FLOAT:
        return lambda value: number(value, FLOAT_MAX)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return raw_bytes
    if field.enum_type is not None:
        numbers = {value.name: value.number for value in field.enum_type.values}
        expected = "must be one of " + ", ".join(name for name, no in numbers.items() if no or len(numbers) == 1)

        def check_enum(value: Any) -> int:
            found = numbers.get(value) if type(value) is str else None
            if found is None:
                raise BadValue(expected)
            return found

        return check_enum
    kind, text = _PLAIN[field.cpp_type]
    wanted = str if kind == "str" else bool

    def check_plain(value: Any) -> Any:
        if type(value) is not wanted:
            raise BadValue(text)
        return value

    return check_plain


def _map_check(field: FieldDescriptor) -> Check:
    key_field, value_field = _map_fields(field)
    check = _element_check(value_field)
    read_key = _map_key(key_field)
    # The C constructor merges message values of maps from messages only, not from plain objects.
    build = message_factory.GetMessageClass(value_field.message_type) if value_field.message_type else None

    def check_map(value: Any, depth: int) -> dict[Any, Any]:
        if type(value) is not dict:
            raise BadValue("must be an object")
        result: dict[Any, Any] = {}
        for name, inner in value.items():
            try:
                checked = check(inner, depth)
                result[read_key(name)] = build(**checked) if build and type(checked) is dict else checked
            except BadValue as error:
                raise error.under(f"[{name[:100]!r}]") from None
        return result

    return check_map


def _map_key(field: FieldDescriptor) -> Callable[[str], Any]:
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return lambda name: name
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:

        def bool_key(name: str) -> bool:
            if name not in ("true", "false"):
                raise BadValue("has a key that is not true or false")
            return name == "true"

        return bool_key
    low, high = _INTEGERS[field.cpp_type]
    return lambda name: whole(name, low, high)


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _map_fields(field: FieldDescriptor) -> tuple[FieldDescriptor, FieldDescriptor]:
    assert field.message_type is not None  # noqa: S101 - a map's type is its entry
    return field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]


def _contains_itself(descriptor: Descriptor) -> bool:
    seen: set[str] = set()
    waiting = [field.message_type for field in descriptor.fields if field.message_type]
    while waiting:
        current = waiting.pop()
        if current.full_name == descriptor.full_name:
            return True
        if current.full_name not in seen:
            seen.add(current.full_name)
            waiting += [field.message_type for field in current.fields if field.message_type]
    return False


# --- writing what goes out ---


def _writer_for(descriptor: Descriptor) -> Callable[[Any], Any]:
    name = descriptor.full_name
    if name not in _writers:
        if name == "google.protobuf.Timestamp":
            _writers[name] = timestamp_text
        elif name == "google.protobuf.Duration":
            _writers[name] = duration_text
        elif name in _WRAPPERS:
            write = _value_writer(descriptor.fields_by_name["value"])
            _writers[name] = (lambda message: write(message.value)) if write else (lambda message: message.value)
        elif name in _FOREIGN:
            _writers[name] = json_format.MessageToDict
        else:
            _writers[name] = lambda message: _writers[name](message)
            _writers[name] = _compile_writer(descriptor)
    return _writers[name]


def _compile_writer(descriptor: Descriptor) -> Callable[[Any], Any]:
    scope: dict[str, Any] = {}
    lines, literal = [], []
    fields = list(descriptor.fields)
    while fields and not _has_presence(fields[0]):
        field = fields.pop(0)
        literal.append(f"{field.name!r}: {_read(field, scope)}")
    lines.append(f"  o = {{{', '.join(literal)}}}")
    for field in fields:
        guard = f"if m.HasField({field.name!r}): " if _has_presence(field) else ""
        lines.append(f"  {guard}o[{field.name!r}] = {_read(field, scope)}")
    exec("\n".join(["def write(m):", *lines, "  return o"]), scope)  # noqa: S102 - as above
    write: Callable[[Any], Any] = scope["write"]
    return write


def _has_presence(field: FieldDescriptor) -> bool:
    return bool(field.has_presence) and not field.is_repeated


def _read(field: FieldDescriptor, scope: dict[str, Any]) -> str:
    """A Python expression for the plain value of `field` of m."""
    source, tag = _attribute(field.name), f"w{field.number}"
    if _is_map(field):
        key_field, value_field = _map_fields(field)
        write, key_kind = _value_writer(value_field), key_field.cpp_type
        key = "k" if key_kind == FieldDescriptor.CPPTYPE_STRING else "str(k).lower()"
        if write is None:
            return f"{{{key}: v for k, v in {source}.items()}}"
        scope[tag] = write
        return f"{{{key}: {tag}(v) for k, v in {source}.items()}}"
    write = _value_writer(field)
    if write is None:
        return f"list({source})" if field.is_repeated else source
    scope[tag] = write
    return f"[{tag}(x) for x in {source}]" if field.is_repeated else f"{tag}({source})"


def _attribute(name: str) -> str:
    # A field may be called like a Python keyword.
    return f"m.{name}" if name.isidentifier() and name not in _KEYWORDS else f"getattr(m, {name!r})"


def _value_writer(field: FieldDescriptor) -> Callable[[Any], Any] | None:
    """What turns one value into its JSON form; None when it already is."""
    if field.message_type is not None:
        return _writer_for(field.message_type)
    if field.enum_type is not None:
        names = {value.number: value.name for value in field.enum_type.values}
        return lambda value: names.get(value, value)
    return base64_text if field.type == FieldDescriptor.TYPE_BYTES else None
