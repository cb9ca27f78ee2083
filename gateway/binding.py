"""From the parts of an HTTP request to a request message, and from the caller to its bound fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from chassis.errors import InvalidArgument, NotYours
from chassis.identity import CallerKind
from chassis.permissions import WHOLE_GROUP
from chassis.rpc import read_field
from gateway.auth.places import Reach
from gateway.contract import BoundField, HttpBinding, Operation

MAX_QUERY_FIELDS = 200
Guard = Callable[[Message, Reach], None]


class RequestShape:
    """Where the fields of one operation's request come from: path, query, body, headers.

    `is_raw`: the body is handed on as it came, of whatever content type, into a field of bytes.
    """

    def __init__(self, operation: Operation, http: HttpBinding, variables: tuple[str, ...]) -> None:
        """Raises ValueError when the binding names a field that the request does not have."""
        self._request = operation.request
        self._body = http.body
        # In NDJSON the body is one field only; the request's others may come from the query.
        self._body_is_all = http.body == "*"
        for name in variables:
            find_field(operation.request, name.split("."))
        self.is_raw = False
        if http.body not in ("", "*"):
            field = find_field(operation.request, [http.body])
            self.is_raw = field.type == FieldDescriptor.TYPE_BYTES
        self._headers = [(each.header.lower().encode(), each.field) for each in operation.door.headers]
        for _, name in self._headers:
            find_field(operation.request, [name])

    @property
    def has_body(self) -> bool:
        """Whether anything is read from the body."""
        return self._body != ""

    def compose(self, body: Any, query: bytes, variables: dict[str, str]) -> dict[str, Any]:
        """The request as one JSON object. Raises InvalidArgument."""
        if self._body_is_all:
            if type(body) is not dict:
                raise InvalidArgument([("", "must be an object")])
            request = body
            if query:
                name = query.split(b"=")[0].decode("latin-1")[:100]
                raise InvalidArgument([(name, "belongs into the body, not into the query")])
        else:
            request = {self._body: body} if self._body else {}
            self.add_query(request, query)
        for name, value in variables.items():
            self._put_path_variable(request, name, value)
        return request

    def add_headers(self, request: dict[str, Any], headers: Mapping[bytes, bytes]) -> None:
        """Put the headers that the operation asks for into `request`; one that is missing is empty."""
        for header, name in self._headers:
            request[name] = headers.get(header, b"").decode("latin-1")

    def add_query(self, request: dict[str, Any], query: bytes) -> None:
        """Put the query's parameters into `request`; repeated fields by repetition, inner ones as `page.size`."""
        if not query:
            return
        try:
            pairs = parse_qsl(
                query.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS, errors="strict"
            )
        except ValueError:
            raise InvalidArgument([("", "the query cannot be read")]) from None
        for name, text in pairs:
            path = name.split(".")
            try:
                field = find_field(self._request, path)
            except ValueError:
                raise InvalidArgument([(name[:100], "is not a field of this request")]) from None
            if path[0] == self._body:
                raise InvalidArgument([(name[:100], "belongs into the body, not into the query")])
            holder = _holder(request, path)
            value = _query_value(field, name, text)
            if field.is_repeated:
                holder.setdefault(path[-1], []).append(value)
            elif path[-1] in holder:
                raise InvalidArgument([(name, "is given more than once")])
            else:
                holder[path[-1]] = value

    def _put_path_variable(self, request: dict[str, Any], name: str, text: str) -> None:
        _refuse_nul(name, text)
        path = name.split(".")
        holder = _holder(request, path)
        if holder.get(path[-1]) not in (None, "", text):
            raise InvalidArgument([(name, "differs between path and body")])
        holder[path[-1]] = text


def find_field(descriptor: Descriptor, path: list[str] | tuple[str, ...]) -> FieldDescriptor:
    """The field at the end of `path`. Raises ValueError when there is none."""
    message: Descriptor | None = descriptor
    field: FieldDescriptor | None = None
    for name in path:
        field = message.fields_by_name.get(name) if message else None
        if field is None:
            raise ValueError(f"{descriptor.full_name} has no field {'.'.join(path)}")
        message = field.message_type
    assert field is not None  # noqa: S101 - a path has at least one name
    return field


def find_message(descriptor: Descriptor, path: list[str] | tuple[str, ...]) -> Descriptor:
    """The message type of the field at the end of `path`. Raises ValueError when there is none."""
    message = find_field(descriptor, path).message_type
    if message is None:
        raise ValueError(f"{descriptor.full_name}: {'.'.join(path)} is no message")
    return message


def _holder(request: dict[str, Any], path: list[str]) -> dict[str, Any]:
    for name in path[:-1]:
        request = request.setdefault(name, {})
        if type(request) is not dict:
            raise InvalidArgument([(name, "must be an object")])
    return request


def _query_value(field: FieldDescriptor, name: str, text: str) -> Any:
    """`text` as the JSON value that the codec will check; whole numbers may stay strings of digits."""
    _refuse_nul(name, text)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        if text not in ("true", "false"):
            raise InvalidArgument([(name, "must be true or false")])
        return text == "true"
    if field.cpp_type in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        try:
            return float(text)
        except ValueError:
            raise InvalidArgument([(name, "must be a number")]) from None
    return text


def _refuse_nul(name: str, text: str) -> None:
    if "\0" in text:
        raise InvalidArgument([(name, "must not contain the character NUL")])


# --- the bound fields ---

# A merchant's other bound fields are stores, which nobody can fill in.
MERCHANT_FIELD = "merchant_id"


def no_guard(message: Message, reach: Reach) -> None:
    """For callers that nothing is bound to."""


def guards(descriptor: Descriptor, bindings: tuple[BoundField, ...], skip: int = 0) -> dict[CallerKind, Guard]:
    """By kind of caller, what fills and checks the bound fields of a message.

    `skip` leading names of each path lead to the message itself (the element of a batch).
    Raises ValueError for a path that does not end at a string.
    """
    result: dict[CallerKind, Guard] = {}
    for kind in {binding.kind for binding in bindings}:
        paths = [binding.path[skip:] for binding in bindings if binding.kind is kind]
        for path in paths:
            if find_field(descriptor, path).cpp_type != FieldDescriptor.CPPTYPE_STRING:
                raise ValueError(f"{descriptor.full_name}: only a string can be bound, not {'.'.join(path)}")
        result[kind] = _GUARDS.get(kind, _own_guard)(paths)
    return result


def _scope_guard(paths: list[tuple[str, ...]]) -> Guard:
    def guard(message: Message, reach: Reach) -> None:
        scopes = reach.caller.scopes
        if WHOLE_GROUP in scopes:
            return
        for path in paths:
            field = ".".join(path)
            # An empty value would mean everything.
            if not all(value and (value in scopes or reach.covers(value)) for value in read_field(message, field)):
                raise NotYours(field=field)

    return guard


def _place_guard(paths: list[tuple[str, ...]]) -> Guard:
    def guard(message: Message, reach: Reach) -> None:
        for path in paths:
            if path[-1] == MERCHANT_FIELD:
                _bind(message, path, reach.caller.bound_id, "")
                continue
            field = ".".join(path)
            if not all(value and reach.covers(value) for value in read_field(message, field)):
                raise NotYours(field=field)

    return guard


def _own_guard(paths: list[tuple[str, ...]]) -> Guard:
    def guard(message: Message, reach: Reach) -> None:
        for path in paths:
            _bind(message, path, reach.caller.bound_id, "")

    return guard


_GUARDS = {
    CallerKind.OPERATOR: _scope_guard,
    CallerKind.MERCHANT: _place_guard,
}


def _bind(message: Message, path: tuple[str, ...], bound_id: str, seen: str) -> None:
    name, where = path[0], f"{seen}{path[0]}"
    value = getattr(message, name)
    field = message.DESCRIPTOR.fields_by_name[name]
    if len(path) == 1:
        if not field.is_repeated:
            # A caller that is bound to nothing owns nothing.
            if (value and value != bound_id) or not bound_id:
                raise NotYours(field=where)
            if not value:
                setattr(message, name, bound_id)
        elif not value:
            value.append(bound_id)
        elif any(each != bound_id for each in value):
            raise NotYours(field=where)
    elif field.is_repeated:
        for index, each in enumerate(value):
            _bind(each, path[1:], bound_id, f"{where}[{index}].")
    elif message.HasField(name):
        # An absent message is left absent: filling it in would say something that the caller did not.
        _bind(value, path[1:], bound_id, f"{where}.")
