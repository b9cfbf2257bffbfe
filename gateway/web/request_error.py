"""The error for a request that is refused before GraphQL is executed."""

from collections.abc import Mapping

from starlette.responses import Response

from gateway.errors import ErrorCode
from gateway.web.responses import error_response


class RequestError(Exception):
    """A refused request: the HTTP status, a sentence that says what to send instead, a code."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: ErrorCode = ErrorCode.BAD_REQUEST,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = headers

    def response(self, media_type: str) -> Response:
        """Returns the response to the client."""
        return error_response(
            self.message,
            self.code,
            self.status,
            media_type=media_type,
            headers=self.headers,
        )
