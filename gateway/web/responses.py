"""How the web room writes JSON: every answer in UTF-8, every error with a code."""

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from gateway.errors import ErrorCode
from gateway.web.negotiation import JSON

_encode = msgspec.json.Encoder().encode


def json_answer(
    content: object,
    status: int = 200,
    *,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Returns an answer that no cache keeps and that depends on `Accept`."""
    return Response(
        _encode(content),
        status,
        {"Cache-Control": "no-store", "Vary": "Accept", **(headers or {})},
        f"{media_type}; charset=utf-8",
    )


def error_answer(
    message: str,
    code: ErrorCode,
    status: int,
    *,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Returns an answer with one error, in the form that GraphQL gives errors."""
    errors = [{"message": message, "extensions": {"code": code}}]
    return json_answer({"errors": errors}, status, media_type=media_type, headers=headers)
