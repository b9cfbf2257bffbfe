"""Descriptions of connection failures for the operator, without host, port or path."""

import os
import socket
import ssl
from collections.abc import Iterator

# OpenSSL's X509_V_ERR_: no issuer, self-signed, self-signed in the chain, no issuer here, no chain.
UNKNOWN_ISSUER = {2, 18, 19, 20, 21}


def describe_socket_error(error: BaseException, *, ca_setting: str) -> str | None:
    """Returns the reason that the system or TLS gives for a failure, None if neither is the cause.

    The innermost cause counts. For a certificate of an unknown issuer, the text names the setting
    that fixes this.
    """
    match innermost_os_error(error):
        case ssl.SSLCertVerificationError() as reason:
            text, _, _ = reason.verify_message.rstrip(".").partition(
                ", certificate is not valid for"
            )
            remedy = f"; {ca_setting} has to name a file with its issuer's certificate"
            is_issuer_unknown = reason.verify_code in UNKNOWN_ISSUER
            return f"TLS: certificate not accepted: {text}{remedy if is_issuer_unknown else ''}"
        case ssl.SSLError() as reason:
            return f"TLS: {(reason.reason or 'no handshake').replace('_', ' ').lower()}"
        case socket.gaierror():
            return "name not known"
        case OSError(errno=int(number)):
            return os.strerror(number).lower()
    return None


def innermost_os_error(error: BaseException) -> OSError | None:
    """Returns the last `OSError` in the chain of causes, None if there is none."""
    reasons = [reason for reason in _causes(error) if isinstance(reason, OSError)]
    return reasons[-1] if reasons else None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yields an error and its causes, outermost first; of a group of attempts, the first one."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        else:
            error = error.__cause__ or error.__context__
