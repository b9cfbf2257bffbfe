"""Descriptions of failed Redis calls for the operator, without host, key or password."""

import re

from redis.exceptions import AuthenticationError, BusyLoadingError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError

from gateway.socket_errors import describe_socket_error, innermost_os_error

# Patterns in the error answers to a command, or to a script that runs the command.
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
    r"AnswerTooLarge": "a key of the gateway holds more than 8 MiB",
    r"\bWRONGTYPE\b": "a key of the gateway holds a value of another type",
}


def describe_refusal(error: RedisError) -> str:
    """Returns the meaning of an error answer of Redis, the error's name if it is unknown."""
    text = f"{type(error).__name__} {error}"
    found = (words for pattern, words in REFUSALS.items() if re.search(pattern, text))
    return next(found, type(error).__name__)


def describe_redis_error(error: BaseException) -> str:
    """Returns the reason for a missing or unusable answer: that of the innermost cause."""
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
