"""A request that is refused before any GraphQL is executed."""

from collections.abc import Mapping

from starlette.responses import Response

from gateway.errors import ErrorCode
from gateway.web.answers import error_answer


class RequestError(Exception):
    """A refusal: the HTTP status, a sentence that says what to send instead, and a code."""

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

    def answer(self, media_type: str) -> Response:
        """Returns the answer that tells the client."""
        return error_answer(
            self.message,
            self.code,
            self.status,
            media_type=media_type,
            headers=self.headers,
        )
