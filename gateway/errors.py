"""The whole error tree of the gateway.

GatewayError                    what a client is told, with a code
├── BadUserInput                BAD_USER_INPUT: the request's fault; the message says what to send
│   └── BadCursor               BAD_CURSOR: a cursor that this list did not mint
└── UpstreamError               the store's API did not give a usable answer
    ├── UpstreamUnavailable     UPSTREAM_UNAVAILABLE: unreachable, or a status such as 500
    │   └── UpstreamUnreadable  UPSTREAM_UNAVAILABLE: it answered, with a body that cannot be used
    ├── UpstreamTimeout         UPSTREAM_TIMEOUT: no answer within the time allowed
    ├── RateLimited             RATE_LIMITED: the store's quota is used up; `retryAfter` in seconds
    ├── UpstreamForbidden       UPSTREAM_FORBIDDEN: the gateway's own token was refused
    └── UpstreamRefused         UPSTREAM_UNAVAILABLE: any other 4xx, or a page that is not there

Messages reach clients: they never hold a token, an upstream URL or a Python word.
"""

from enum import StrEnum
from typing import ClassVar


class ErrorCode(StrEnum):
    """Every value that `extensions.code` of an error can have."""

    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    BAD_REQUEST = "BAD_REQUEST"
    PERSISTED_QUERY_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    BAD_CURSOR = "BAD_CURSOR"
    UPSTREAM_UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
    UPSTREAM_TIMEOUT = "UPSTREAM_TIMEOUT"
    UPSTREAM_FORBIDDEN = "UPSTREAM_FORBIDDEN"
    RATE_LIMITED = "RATE_LIMITED"
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"


class GatewayError(Exception):
    """An error that a client is told as it is: a sentence, a code and what goes with the code."""

    code: ClassVar[ErrorCode]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def extensions(self) -> dict[str, object]:
        """The `extensions` of the GraphQL error; graphql-core copies them from here."""
        return {"code": self.code.value}


class BadUserInput(GatewayError):
    """The request asks for something that does not make sense; the message says what would."""

    code = ErrorCode.BAD_USER_INPUT


class BadCursor(BadUserInput):
    """A cursor that is malformed, of another version, or of another list."""

    code = ErrorCode.BAD_CURSOR


class UpstreamError(GatewayError):
    """The upstream gave no usable answer.

    `was_sent` is False where it is sure that the upstream got nothing of the request: a write may
    then be sent again.
    """

    code = ErrorCode.UPSTREAM_UNAVAILABLE

    def __init__(self, message: str, *, was_sent: bool = True) -> None:
        super().__init__(message)
        self.was_sent = was_sent


class UpstreamUnavailable(UpstreamError):
    """The upstream is unreachable, or failed."""


class UpstreamUnreadable(UpstreamUnavailable):
    """The upstream answered with a success whose body cannot be used: its API is up."""


class UpstreamTimeout(UpstreamError):
    """The upstream did not answer within `GATEWAY_REQUEST_TIMEOUT_SECONDS`."""

    code = ErrorCode.UPSTREAM_TIMEOUT


class RateLimited(UpstreamError):
    """The store's quota is used up; `retry_after` is in seconds, None where it is not known."""

    code = ErrorCode.RATE_LIMITED

    def __init__(self, message: str, retry_after: float | None, *, was_sent: bool = True) -> None:
        super().__init__(message, was_sent=was_sent)
        self.retry_after = retry_after

    @property
    def extensions(self) -> dict[str, object]:
        """The code, and `retryAfter` in seconds where it is known."""
        if self.retry_after is None:
            return super().extensions
        return {**super().extensions, "retryAfter": self.retry_after}


class UpstreamForbidden(UpstreamError):
    """The upstream refused the gateway's own token (401 or 403): nothing a client can mend."""

    code = ErrorCode.UPSTREAM_FORBIDDEN

    def __init__(self, *, was_sent: bool = True) -> None:
        super().__init__(
            "The store's API refused the gateway's own credentials. "
            "Its operator has to check the access token, its scopes and the store hash.",
            was_sent=was_sent,
        )


class UpstreamRefused(UpstreamError):
    """The upstream refused this very request: maybe its page, its size or its many ids."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
