"""What the cache asks of the upstream before it fills an entry."""

from typing import Protocol

from gateway.errors import ErrorCode, UpstreamError


class OperationStates(Protocol):
    """The states of operations: `gateway.bigcommerce.operations.Upstream` implements it."""

    def defer_reason(self, operation: str, *, foreground: bool) -> ErrorCode | None:
        """Returns the code for which a refresh is skipped or, in the foreground, not awaited."""

    def is_forbidden(self, operation: str) -> bool:
        """Whether the operation refuses the gateway's token."""

    def share_refusal(self) -> UpstreamError | None:
        """Returns the error for a client beyond its share of the quota, else None."""
