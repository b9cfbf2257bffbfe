import errno
import ssl
from socket import gaierror

import pytest
from redis._parsers.base import BaseParser
from redis.exceptions import AuthenticationError, BusyLoadingError, InvalidResponse
from redis.exceptions import ConnectionError as RedisConnectionError

from gateway.redis.causes import describe_redis_error, describe_refusal

FULL = "it is full (maxmemory)"
MAY_NOT = "the user may not do it"
REPLICA = "it is a replica that takes no writes"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("OOM command not allowed when used memory > 'maxmemory'.", FULL),
        (
            "ERR Error running script (call to f_1): @user_script:4: @user_script: 4: "
            "-OOM command not allowed when used memory > 'maxmemory'.",
            FULL,
        ),
        ("NOPERM this user has no permissions to run the 'set' command", MAY_NOT),
        ("NOPERM this user has no permissions to access one of the keys used", MAY_NOT),
        (
            "ERR Error running script (call to f_1): @user_script: 4: "
            "The user executing the script can't run this command or subcommand",
            MAY_NOT,
        ),
        (
            "ERR ACL failure in script: User gateway has no permissions to run the 'set' command",
            MAY_NOT,
        ),
        ("READONLY You can't write against a read only replica.", REPLICA),
        ("MISCONF Redis is configured to save RDB snapshots", "it cannot save to its disk"),
        ("NOREPLICAS Not enough good replicas to write.", "it has too few replicas"),
        ("MOVED 3999 127.0.0.1:6381", "it is a cluster, which the gateway does not know"),
        ("CROSSSLOT Keys in request don't hash to the same slot", "it is a cluster, which the "
         "gateway does not know"),
        ("CLUSTERDOWN Hash slot not served", "it is a cluster, which the gateway does not know"),
        (
            "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
            "it is a replica that has lost its primary",
        ),
        (
            "WRONGTYPE Operation against a key holding the wrong kind of value",
            "a key of the gateway holds a value of another type",
        ),
        ("ERR the key s3cr3t is no such thing", "ResponseError"),
    ],
)  # fmt: skip
def test_error_answer_in_words(answer: str, words: str) -> None:
    error = BaseParser.parse_error(answer)  # type: ignore[no-untyped-call]
    assert describe_refusal(error) == words


def raised(error: Exception, by: BaseException | None = None) -> Exception:
    try:
        raise error from by
    except Exception as caught:
        return caught


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError(), "no answer in time"),
        (TimeoutError(errno.ETIMEDOUT, "s3cr3t"), "connection timed out"),
        (AuthenticationError("s3cr3t"), "it does not accept the user and the password"),
        (BusyLoadingError("s3cr3t"), "it is still loading its data"),
        (RedisConnectionError("s3cr3t:6379"), "connection closed"),
        (
            raised(RedisConnectionError("s3cr3t"), OSError(errno.ECONNREFUSED, "s3cr3t")),
            "connection refused",
        ),
        (raised(RedisConnectionError("s3cr3t"), gaierror(-2, "s3cr3t")), "name not known"),
        (raised(RedisConnectionError("s3cr3t"), OSError("several: s3cr3t")), "no connection"),
        (ValueError("s3cr3t"), "its answer makes no sense (ValueError)"),
        (InvalidResponse("s3cr3t"), "its answer makes no sense (InvalidResponse)"),
    ],
)
def test_reason_holds_no_host_key_or_password(error: Exception, words: str) -> None:
    assert describe_redis_error(error) == words


def test_server_without_tls_is_described() -> None:
    incoming = ssl.MemoryBIO()
    incoming.write(b"-ERR s3cr3t is no command\r\n")
    context = ssl.create_default_context()
    client = context.wrap_bio(incoming, ssl.MemoryBIO(), server_hostname="s3cr3t")
    with pytest.raises(ssl.SSLError) as caught:
        client.do_handshake()
    assert describe_redis_error(raised(RedisConnectionError("s3cr3t"), caught.value)) in (
        "TLS: wrong version number",
        "TLS: record layer failure",
    )
