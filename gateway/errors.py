"""The whole error tree of the gateway.

GatewayError                    a sentence for the client, with a code
├── BadUserInput                BAD_USER_INPUT: invalid input; the message says what to send
│   └── BadCursor               BAD_CURSOR: a cursor that this list did not mint
├── Forbidden                   FORBIDDEN: the client lacks the scope of a field
└── UpstreamError               the store's API did not give a usable answer
    ├── UpstreamUnavailable     UPSTREAM_UNAVAILABLE: unreachable, or a status such as 500
    │   ├── UpstreamUnreadable  UPSTREAM_UNAVAILABLE: it answered, with a body that cannot be used
    │   └── CircuitOpen         UPSTREAM_UNAVAILABLE: not sent, after failures in a row
    ├── UpstreamTimeout         UPSTREAM_TIMEOUT: no answer within the time allowed
    │   └── DeadlineTooClose    UPSTREAM_TIMEOUT: not sent, with too little time left for an answer
    ├── RateLimited             RATE_LIMITED: the store's quota is used up; `retryAfter` in seconds
    │   └── QuotaExhausted      RATE_LIMITED: not sent, because the quota resets too late
    ├── UpstreamForbidden       UPSTREAM_FORBIDDEN: the gateway's own token was refused
    └── UpstreamRefused         UPSTREAM_UNAVAILABLE: any other 4xx, or a page that does not exist

Clients see the messages: they never contain a token, an upstream URL or a Python literal.
"""

import math
from enum import StrEnum
from typing import ClassVar


class ErrorCode(StrEnum):
    """Every value that `extensions.code` of an error can have."""

    GRAPHQL_PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
    GRAPHQL_VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
    BAD_REQUEST = "BAD_REQUEST"
    PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    OVERLOADED = "OVERLOADED"
    BAD_USER_INPUT = "BAD_USER_INPUT"
    BAD_CURSOR = "BAD_CURSOR"
    UPSTREAM_UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
    UPSTREAM_TIMEOUT = "UPSTREAM_TIMEOUT"
    UPSTREAM_FORBIDDEN = "UPSTREAM_FORBIDDEN"
    RATE_LIMITED = "RATE_LIMITED"
    INTERNAL_SERVER_ERROR = "INTERNAL_SERVER_ERROR"


class GatewayError(Exception):
    """An error that clients see unmasked: a message, a code and the extensions of the code."""

    code: ClassVar[ErrorCode]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def extensions(self) -> dict[str, object]:
        """The `extensions` of the GraphQL error; graphql-core copies them from here."""
        return {"code": self.code.value}


class BadUserInput(GatewayError):
    """The request has an invalid argument; the message says what to send instead."""

    code = ErrorCode.BAD_USER_INPUT


class BadCursor(BadUserInput):
    """A cursor that is malformed, of another version, or of another list."""

    code = ErrorCode.BAD_CURSOR


class Forbidden(GatewayError):
    """The client lacks a scope; the message names it."""

    code = ErrorCode.FORBIDDEN


class UpstreamError(GatewayError):
    """The upstream gave no usable answer.

    `was_sent` is False if the upstream cannot have received the request. Then even a write may be
    sent again.
    """

    code = ErrorCode.UPSTREAM_UNAVAILABLE

    def __init__(self, message: str, *, was_sent: bool = True) -> None:
        super().__init__(message)
        self.was_sent = was_sent


class UpstreamUnavailable(UpstreamError):
    """The upstream is unreachable, or failed."""


class UpstreamUnreadable(UpstreamUnavailable):
    """The upstream answered 2xx with an unusable body: its API is up."""


class CircuitOpen(UpstreamUnavailable):
    """The request was not sent, because the operation failed several times in a row."""

    def __init__(self) -> None:
        super().__init__(
            "The store's API has failed again and again, and is asked again in a moment.",
            was_sent=False,
        )


class UpstreamTimeout(UpstreamError):
    """The upstream did not answer within `GATEWAY_REQUEST_TIMEOUT_SECONDS`."""

    code = ErrorCode.UPSTREAM_TIMEOUT

    def __init__(self, *, was_sent: bool = True) -> None:
        super().__init__("The store's API did not answer in time.", was_sent=was_sent)


class DeadlineTooClose(UpstreamTimeout):
    """The request was not sent, because too little time is left for an answer."""

    def __init__(self) -> None:
        super().__init__(was_sent=False)


class RateLimited(UpstreamError):
    """The store's quota is used up; `retry_after` is whole seconds, 1 or more, None if unknown."""

    code = ErrorCode.RATE_LIMITED

    def __init__(self, seconds: float | None = None, *, was_sent: bool = True) -> None:
        self.retry_after = None if seconds is None else max(1, math.ceil(seconds))
        match self.retry_after:
            case None:
                when = "later"
            case 1:
                when = "in 1 second"
            case after:
                when = f"in {after} seconds"
        super().__init__(f"The store's API limits its rate. Try again {when}.", was_sent=was_sent)

    @property
    def extensions(self) -> dict[str, object]:
        """The code, and `retryAfter` in seconds if it is known."""
        if self.retry_after is None:
            return super().extensions
        return {**super().extensions, "retryAfter": self.retry_after}


class QuotaExhausted(RateLimited):
    """The request was not sent, because the quota resets after its deadline."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds, was_sent=False)


class UpstreamForbidden(UpstreamError):
    """The upstream refused the gateway's token (401 or 403): only the operator can fix this."""

    code = ErrorCode.UPSTREAM_FORBIDDEN

    def __init__(self, *, was_sent: bool = True) -> None:
        super().__init__(
            "The store's API refused the gateway's own credentials. "
            "Its operator has to check the access token, its scopes and the store hash.",
            was_sent=was_sent,
        )


class UpstreamRefused(UpstreamError):
    """The upstream refused this request (any 4xx but 401, 403, 408 and 429), not the gateway.

    It is not retried, and no failure of the operation: a stale value is served in its place. A page
    size is refused with 413 or 422: smaller ones are tried. Ids are asked for again in halves.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
