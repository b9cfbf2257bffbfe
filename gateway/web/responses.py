"""JSON responses: in UTF-8, and every error with a code."""

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from gateway.errors import ErrorCode
from gateway.web.negotiation import JSON

_encode = msgspec.json.Encoder().encode


def json_response(
    content: object,
    status: int = 200,
    *,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Returns a response that no cache stores, and that varies by `Accept`."""
    return Response(
        _encode(content),
        status,
        {"Cache-Control": "no-store", "Vary": "Accept", **(headers or {})},
        f"{media_type}; charset=utf-8",
    )


def error_response(
    message: str,
    code: ErrorCode,
    status: int,
    *,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Returns a response with one error, in the form of a GraphQL error."""
    errors = [{"message": message, "extensions": {"code": code}}]
    return json_response({"errors": errors}, status, media_type=media_type, headers=headers)
