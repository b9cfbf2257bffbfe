"""Why Redis did not do what it was asked, in words for the operator: no host, key or password."""

import os
import re
import socket
import ssl
from collections.abc import Iterator

from redis.exceptions import AuthenticationError, BusyLoadingError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError

# What stands in an error answer, at its beginning or in what a script tells of it.
REFUSALS = {
    r"\bOOM\b|OutOfMemory": "it is full (maxmemory)",
    r"\bNOPERM\b|NoPermission|can't (?:run|access)|no permissions": "the user may not do it",
    r"\bREADONLY\b|ReadOnly|\bread only\b": "it is a replica that takes no writes",
    r"\bMISCONF\b": "it cannot save to its disk",
    r"\bNOREPLICAS\b": "it has too few replicas",
    r"\bMASTERDOWN\b|MasterDown": "it is a replica that has lost its primary",
    r"\bMOVED\b|\bCROSSSLOT\b|Moved|CrossSlot": "it is a cluster, which the gateway does not know",
    r"\bCLUSTERDOWN\b|ClusterDown": "it is a cluster, which the gateway does not know",
    r"DB index is out of range": "it has no database with the number in GATEWAY_REDIS_URL",
    r"\bWRONGTYPE\b": "a key of the gateway holds a value of another type",
}

# OpenSSL's X509_V_ERR_: no issuer, self-signed, self-signed in the chain, no issuer here, no chain.
UNKNOWN_ISSUER = {2, 18, 19, 20, 21}


def refusal_in_words(error: RedisError) -> str:
    """Returns what an error answer of Redis says."""
    told = f"{type(error).__name__} {error}"
    found = (words for pattern, words in REFUSALS.items() if re.search(pattern, told))
    return next(found, type(error).__name__)


def cause_in_words(error: BaseException) -> str:
    """Returns why there was no answer, however deeply the reason is wrapped."""
    if isinstance(error, AuthenticationError):
        return "it does not accept the user and the password"
    if isinstance(error, BusyLoadingError):
        return "it is still loading its data"
    known = system_cause_in_words(error, ca_setting="GATEWAY_REDIS_CA_FILE")
    if known is not None:
        return known
    reasons = [reason for reason in _chain(error) if isinstance(reason, OSError)]
    if reasons:
        return "no answer in time" if isinstance(reasons[-1], TimeoutError) else "no connection"
    if isinstance(error, RedisConnectionError):
        return "connection closed"
    return f"its answer makes no sense ({type(error).__name__})"


def system_cause_in_words(error: BaseException, *, ca_setting: str) -> str | None:
    """Returns what the system said of a connection, however deeply it is wrapped; None for nothing.

    It holds no host, port or path. Where a certificate's issuer is not known, it names the setting
    that mends this.
    """
    reasons = [reason for reason in _chain(error) if isinstance(reason, OSError)]
    match reasons[-1] if reasons else None:
        case ssl.SSLCertVerificationError() as reason:
            told, _, _ = reason.verify_message.rstrip(".").partition(
                ", certificate is not valid for"
            )
            remedy = f"; {ca_setting} has to name a file with its issuer's certificate"
            is_of_unknown_issuer = reason.verify_code in UNKNOWN_ISSUER
            return f"TLS: certificate not accepted: {told}{remedy if is_of_unknown_issuer else ''}"
        case ssl.SSLError() as reason:
            return f"TLS: {(reason.reason or 'no handshake').replace('_', ' ').lower()}"
        case socket.gaierror():
            return "name not known"
        case OSError(errno=int(number)):
            return os.strerror(number).lower()
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yields an error and what it was raised from; of several attempts, the first one."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        else:
            error = error.__cause__ or error.__context__
