"""What to do about a read that is refused or fails."""

from typing import Final

import httpx

from gateway.bigcommerce.transport_errors import describe_transport_error
from gateway.errors import UpstreamError, UpstreamUnavailable

READ_SCOPE_REMEDY: Final = (
    "GATEWAY_ACCESS_TOKEN has to be of the store that GATEWAY_STORE_HASH names, with the scope "
    "store_v2_customers_read_only."
)
MODIFY_SCOPE_REMEDY: Final = (
    "GATEWAY_ACCESS_TOKEN has to have the scope store_v2_customers, for writes too."
)


def remedy_of(error: UpstreamError, status: int | None) -> str:
    """Returns the cause of an error, or advice; an empty string if neither is known.

    `status` is that of the newest answer, None if it cannot be due to the URL.
    """
    cause = error.__cause__
    if isinstance(error, UpstreamUnavailable) and isinstance(cause, httpx.TransportError):
        return f"The reason: {describe_transport_error(cause)}."
    if status is not None and 300 <= status < 400:
        return (
            "That is a redirect, which the gateway does not follow. Check GATEWAY_UPSTREAM_URL: "
            "its scheme, its host and its path."
        )
    return "Check GATEWAY_UPSTREAM_URL." if status == 404 else ""
