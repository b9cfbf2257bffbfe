"""What to do about a read that is refused or fails."""

from typing import Final

import httpx

from gateway.bigcommerce.transport_errors import describe_transport_error
from gateway.errors import UpstreamError, UpstreamTimeout, UpstreamUnavailable

READ_SCOPE_REMEDY: Final = (
    "GATEWAY_ACCESS_TOKEN has to be of the store that GATEWAY_STORE_HASH names, with the scope "
    "store_v2_customers_read_only."
)
MODIFY_SCOPE_REMEDY: Final = (
    "GATEWAY_ACCESS_TOKEN has to have the scope store_v2_customers, for writes too."
)


ADVICE: Final = (
    # The beginning of the reason, and what to do about it.
    (
        "name not known",
        "Check the host of GATEWAY_UPSTREAM_URL, and the DNS of this machine or container.",
    ),
    (
        "connection refused",
        "Nothing listens there: check the host and the port of GATEWAY_UPSTREAM_URL.",
    ),
    (
        "no route to host",
        "Check the network of this machine or container, and firewalls on the way.",
    ),
    (
        "network is unreachable",
        "Check the network of this machine or container, and firewalls on the way.",
    ),
    (
        "TLS: certificate not accepted: certificate has expired",
        "Check the clock of this machine; if it is right, the certificate has to be renewed.",
    ),
    (
        "TLS: certificate not accepted: certificate is not yet valid",
        "Check the clock of this machine.",
    ),
    (
        "TLS: certificate not accepted: Hostname mismatch",
        "Check the host of GATEWAY_UPSTREAM_URL: the certificate is for another name.",
    ),
    (
        "TLS: wrong version number",
        "What listens there does not speak TLS: check the scheme and the port of "
        "GATEWAY_UPSTREAM_URL.",
    ),
)
TIMEOUT_REMEDY: Final = (
    "Check the network and firewalls on the way, which may drop packets without an answer; "
    "GATEWAY_REQUEST_TIMEOUT_SECONDS allows more time."
)
LATER_REMEDY: Final = "Try again later, and look at https://status.bigcommerce.com."


def remedy_of(error: UpstreamError, status: int | None) -> str:
    """Returns the cause of an error with what to do, an empty string if nothing is known.

    `status` is that of the newest answer, None if it cannot be due to the URL.
    """
    cause = error.__cause__
    if isinstance(error, UpstreamUnavailable) and isinstance(cause, httpx.TransportError):
        reason = describe_transport_error(cause)
        advice = next((advice for start, advice in ADVICE if reason.startswith(start)), "")
        return f"The reason: {reason}. {advice}".rstrip()
    if isinstance(error, UpstreamTimeout):
        return TIMEOUT_REMEDY
    if status is None:
        return ""
    if 300 <= status < 400:
        return (
            "That is a redirect, which the gateway does not follow. Check GATEWAY_UPSTREAM_URL: "
            "its scheme, its host and its path."
        )
    if status == 404:
        return "Check GATEWAY_UPSTREAM_URL and GATEWAY_STORE_HASH."
    return LATER_REMEDY if status in (429, *range(500, 600)) else ""
