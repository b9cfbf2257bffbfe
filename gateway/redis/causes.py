"""Why a call to Redis failed, in words for the operator: without host, key or password."""

import re

from redis.exceptions import AuthenticationError, BusyLoadingError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError

from gateway.socket_errors import describe_socket_error, innermost_os_error

# Patterns in error answers, which are those of a command or of a script that runs one.
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


def describe_refusal(error: RedisError) -> str:
    """Returns what an error answer of Redis means; the name of the error if it is not known."""
    text = f"{type(error).__name__} {error}"
    found = (words for pattern, words in REFUSALS.items() if re.search(pattern, text))
    return next(found, type(error).__name__)


def describe_redis_error(error: BaseException) -> str:
    """Returns why there was no answer that can be used; the innermost cause counts."""
    if isinstance(error, AuthenticationError):
        return "it does not accept the user and the password"
    if isinstance(error, BusyLoadingError):
        return "it is still loading its data"
    known = describe_socket_error(error, ca_setting="GATEWAY_REDIS_CA_FILE")
    if known is not None:
        return known
    match innermost_os_error(error):
        case TimeoutError():
            return "no answer in time"
        case OSError():
            return "no connection"
    if isinstance(error, RedisConnectionError):
        return "connection closed"
    return f"its answer makes no sense ({type(error).__name__})"
