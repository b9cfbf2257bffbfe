"""Reads and checks the parameters of a GraphQL request.

Source: GraphQL over HTTP, "Request" and "Persisted Documents". A malformed request is a
`RequestError` with status 400 and a sentence that says what to send.
"""

import codecs
import json
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec
from starlette.datastructures import QueryParams

from gateway.schema.persisted_documents import SHA256_HEX
from gateway.web.bounded_json import check_separators, check_values
from gateway.web.request_error import RequestError

PARAMETERS = ("query", "documentId", "operationName", "variables", "extensions")
# Parsed documents are cached by their text: without a limit, comments could fill the memory.
MAXIMUM_DOCUMENT_LENGTH = 100_000
# Each error of a document counts the lines before its place.
MAXIMUM_DOCUMENT_LINES = 2_000
# The version of Apollo's automatic persisted queries.
APQ_VERSION = 1
_QUOTED = {name: f'"{name}"'.encode() for name in PARAMETERS}


class GraphQLRequest(msgspec.Struct, frozen=True):
    """The parameters of a GraphQL request (GraphQL over HTTP, "Request Parameters").

    `query` is None if `document_id` or `sha256` names the document. `sha256` is the hash in
    `extensions.persistedQuery`, or the payload of a `documentId` with the prefix `sha256:`.
    """

    query: str | None
    operation_name: str | None = None
    variables: dict[str, object] = {}
    extensions: dict[str, object] = {}
    document_id: str | None = None
    sha256: str | None = None


def parse_query_string(parameters: QueryParams, document_id: str | None = None) -> GraphQLRequest:
    """Reads a GET request, whose `variables` and `extensions` are JSON text.

    `document_id` is that of the path. An empty string counts as not given (GraphQL over HTTP,
    "GET"). A byte order mark before JSON is ignored (RFC 8259, 8.1).
    """
    _check_once(name for name, _ in parameters.multi_items())
    fields: dict[str, object] = {name: text for name, text in parameters.items() if text}
    for name in ("variables", "extensions"):
        if text := parameters.get(name):
            try:
                fields[name] = msgspec.json.decode(text.removeprefix("\ufeff"))
            except (msgspec.MsgspecError, RecursionError) as error:
                raise RequestError(400, f"`{name}` in the URL has to be a JSON object.") from error
    return _check_parameters(fields, document_id, "in the URL")


def parse_json_body(body: bytes, document_id: str | None = None) -> GraphQLRequest:
    """Reads the body of a POST request, without its byte order mark (RFC 8259, 8.1).

    `document_id` is that of the path.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    check_separators(body)
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
    if _may_repeat_a_parameter(body, fields):
        try:
            pairs: list[tuple[str, object]] = json.loads(body, object_pairs_hook=list)
        except RecursionError as error:  # it takes fewer levels than msgspec
            raise RequestError(400, "The body is nested too deeply.") from error
        _check_once(name for name, _ in pairs)
    return _check_parameters(fields, document_id, "in the body")


def _may_repeat_a_parameter(body: bytes, fields: Iterable[str]) -> bool:
    """Whether a parameter may be repeated, which msgspec accepts; True if unsure.

    An escape may spell a parameter's name.
    """
    if b"\\u" in body:
        return True
    return any(body.count(_QUOTED[name]) > 1 for name in fields if name in _QUOTED)


def _check_once(names: Iterable[str]) -> None:
    for name, count in Counter(names).items():
        if count > 1 and name in PARAMETERS:
            raise RequestError(400, f"`{name}` stands {count} times in the request: send it once.")


def _check_parameters(
    fields: Mapping[str, object], path_id: str | None, place: str
) -> GraphQLRequest:
    text = fields.get("query") or None  # an empty string counts as not given, as in a URL
    document_id = _check_string(fields, "documentId")
    extensions = _check_object(fields, "extensions")
    sha256 = _query_hash(extensions) if extensions else None
    if path_id is not None and document_id is not None:
        raise RequestError(400, "The path has the `documentId` already: send it once.")
    document_id = document_id or path_id
    if document_id is not None and (text is not None or sha256 is not None):
        raise RequestError(
            400,
            "`documentId` stands for the document: send neither `query` nor "
            "`extensions.persistedQuery` with it.",
        )
    is_named = document_id is not None or sha256 is not None
    return GraphQLRequest(
        None if text is None and is_named else _check_query(text, place),
        _check_string(fields, "operationName"),
        _check_object(fields, "variables"),
        extensions,
        document_id,
        sha256 if document_id is None else _sha256_payload(document_id),
    )


def _check_query(query: object, place: str) -> str:
    if not isinstance(query, str) or not query.strip():
        message = f"`query` is missing: send the GraphQL document as a string {place}."
        raise RequestError(400, message)
    if len(query) > MAXIMUM_DOCUMENT_LENGTH:
        raise RequestError(
            400, f"The document is longer than {MAXIMUM_DOCUMENT_LENGTH} characters: split it."
        )
    is_long = len(query) >= MAXIMUM_DOCUMENT_LINES
    if is_long and query.count("\n") + query.count("\r") >= MAXIMUM_DOCUMENT_LINES:
        raise RequestError(
            400, f"The document has more than {MAXIMUM_DOCUMENT_LINES} lines: remove empty ones."
        )
    return query


def _query_hash(extensions: Mapping[str, object]) -> str | None:
    """Returns the hash of Apollo's automatic persisted queries, None without one."""
    persisted = extensions.get("persistedQuery")
    sha256 = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if not isinstance(persisted, dict) or not sha256:
        return None
    if persisted.get("version") != APQ_VERSION:
        raise RequestError(400, "Unsupported persisted query version")  # as Apollo Server says it
    if not isinstance(sha256, str):
        raise RequestError(400, "`sha256Hash` has to be a string.")
    return sha256


def _sha256_payload(document_id: str) -> str | None:
    """Returns the hash in a `documentId` such as `sha256:7dba…`, None if it has none."""
    prefix, _, payload = document_id.partition(":")
    return payload if prefix == "sha256" and SHA256_HEX.fullmatch(payload) else None


def _check_string(fields: Mapping[str, object], name: str) -> str | None:
    """Returns a parameter that has to be a string; None if it is not given, or empty."""
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise RequestError(400, f"`{name}` has to be a string.")
    return value or None


def _check_object(fields: Mapping[str, object], name: str) -> dict[str, object]:
    value = fields.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RequestError(400, f"`{name}` has to be a JSON object.")
    if value:
        check_values(name, value)
    return value
