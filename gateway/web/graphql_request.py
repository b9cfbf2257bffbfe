"""Reads and checks the parameters of a GraphQL request.

Source: GraphQL over HTTP, "Request". A malformed request is a `RequestError` with status 400 and a
sentence that says what to send; a persisted query without its document is one with status 200.
"""

import codecs
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec
from starlette.datastructures import QueryParams

from gateway.errors import ErrorCode
from gateway.web.request_error import RequestError

PARAMETERS = ("query", "operationName", "variables", "extensions")
# Parsed documents are cached by their text: without a limit, comments could fill the memory.
MAXIMUM_DOCUMENT_LENGTH = 100_000
_QUOTED_PARAMETERS = tuple(f'"{name}"'.encode() for name in PARAMETERS)


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """The parameters of a GraphQL request (GraphQL over HTTP, "Request Parameters")."""

    query: str
    operation_name: str | None = None
    variables: dict[str, object] = field(default_factory=dict)
    extensions: dict[str, object] = field(default_factory=dict)


def parse_query_string(parameters: QueryParams) -> GraphQLRequest:
    """Reads a GET request, whose `variables` and `extensions` are JSON text.

    An empty string counts as not given (GraphQL over HTTP, "GET"). A byte order mark before JSON is
    ignored (RFC 8259, 8.1).
    """
    _check_once(name for name, _ in parameters.multi_items())
    fields: dict[str, object] = {name: text for name, text in parameters.items() if text}
    for name in ("variables", "extensions"):
        if text := parameters.get(name):
            try:
                fields[name] = msgspec.json.decode(text.removeprefix("\ufeff"))
            except (msgspec.MsgspecError, RecursionError) as error:
                raise RequestError(400, f"`{name}` in the URL has to be a JSON object.") from error
    return _check_parameters(fields, "in the URL")


def parse_json_body(body: bytes) -> GraphQLRequest:
    """Reads the body of a POST request, without its byte order mark (RFC 8259, 8.1)."""
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(400, "The body is not valid JSON in UTF-8.") from error
    if isinstance(fields, list):
        raise RequestError(
            400,
            "Batches are not offered. Send one operation as a JSON object; lookups of "
            "requests sent side by side share their upstream requests anyway.",
        )
    if not isinstance(fields, dict):
        raise RequestError(400, 'The body has to be a JSON object such as {"query": "…"}.')
    if _may_repeat_a_parameter(body):
        pairs: list[tuple[str, object]] = json.loads(body, object_pairs_hook=list)
        _check_once(name for name, _ in pairs)
    return _check_parameters(fields, "in the body")


def _may_repeat_a_parameter(body: bytes) -> bool:
    """Whether a parameter may be repeated, which msgspec accepts; True if unsure.

    An escape may spell a parameter's name.
    """
    return b"\\u" in body or any(body.count(name) > 1 for name in _QUOTED_PARAMETERS)


def _check_once(names: Iterable[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1 and name in PARAMETERS:
            raise RequestError(400, f"`{name}` stands {count} times in the request: send it once.")


def _check_parameters(fields: Mapping[str, object], place: str) -> GraphQLRequest:
    query = fields.get("query")
    if not query and _has_query_hash(fields.get("extensions")):
        # Clients compare the message, and then send the document. Some of them read no body of a
        # 4xx, hence the status 200 (docs/decisions/0021).
        raise RequestError(
            200, "PersistedQueryNotSupported", code=ErrorCode.PERSISTED_QUERY_NOT_FOUND
        )
    if not isinstance(query, str) or not query.strip():
        message = f"`query` is missing: send the GraphQL document as a string {place}."
        raise RequestError(400, message)
    if len(query) > MAXIMUM_DOCUMENT_LENGTH:
        raise RequestError(
            400, f"The document is longer than {MAXIMUM_DOCUMENT_LENGTH} characters: split it."
        )
    operation_name = fields.get("operationName")
    if operation_name is not None and not isinstance(operation_name, str):
        raise RequestError(400, "`operationName` has to be a string.")
    # An empty name counts as not given, as in a URL.
    return GraphQLRequest(
        query,
        operation_name or None,
        _check_object(fields, "variables"),
        _check_object(fields, "extensions"),
    )


def _has_query_hash(extensions: object) -> bool:
    """Whether a hash replaces the document, as in Apollo's automatic persisted queries."""
    persisted = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
    return isinstance(persisted, dict) and bool(persisted.get("sha256Hash"))


def _check_object(fields: Mapping[str, object], name: str) -> dict[str, object]:
    value = fields.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RequestError(400, f"`{name}` has to be a JSON object.")
    return value
