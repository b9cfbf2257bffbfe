"""Why there is no answer, in words for the operator: nothing of what was sent, or of what came."""

import os
import socket
import ssl
from collections.abc import Iterator

# What libraries say of the upstream, and what is told. Other texts may repeat bytes that came: an
# upstream that echoes would echo the token.
SAYINGS = {
    "Server disconnected": "connection closed before the answer",
    "peer closed connection": "connection closed amid the answer",
}
KINDS = {
    "RemoteProtocolError": "the answer is no HTTP",
    "BodyUnreadable": "the body cannot be decompressed",
    "ReadError": "connection broken while its answer was read",
    "WriteError": "connection broken while the request was sent",
    "CloseError": "connection broken at its end",
}


def cause_in_words(error: BaseException) -> str:
    """Returns what went wrong with a connection, however deeply the reason is wrapped."""
    reasons = [reason for reason in _chain(error) if isinstance(reason, OSError)]
    match reasons[-1] if reasons else None:
        case ssl.SSLCertVerificationError() as reason:
            return f"TLS: certificate not accepted: {reason.verify_message.rstrip('.')}"
        case ssl.SSLError() as reason:
            return f"TLS: {(reason.reason or 'no handshake').replace('_', ' ').lower()}"
        case socket.gaierror():
            return "name not known"
        case OSError(errno=int(number)):
            return os.strerror(number).lower()
    kind = type(error).__name__
    told = (words for start, words in SAYINGS.items() if str(error).startswith(start))
    return next(told, KINDS.get(kind, kind))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yields an error and what it was raised from; of several attempts, the first one."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        else:
            error = error.__cause__ or error.__context__
