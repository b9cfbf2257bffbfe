import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from clock import Clock
from redis.asyncio import Redis
from redis_front import front_before
from redis_server import RedisServer, redis_server
from tls_front import CERTIFICATE, KEY, tls_before

from gateway.redis.connection import (
    AWAY_SECONDS,
    MOST_CONNECTIONS,
    POOL_SECONDS,
    RedisConnection,
)

SECRET = "s3cr3t-passw0rd"
# As long as a busy machine may take; what has to run out of time is given little.
PLENTY = 20.0


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def connection(server: RedisServer, clock: Clock) -> AsyncIterator[RedisConnection]:
    connection = RedisConnection(server.url, timeout_seconds=PLENTY, clock=clock)
    yield connection
    await connection.close()


async def get(connection: RedisConnection, key: str = "k") -> bytes | str | None:
    return await connection.run(lambda redis: redis.get(key), b"otherwise")


async def put(connection: RedisConnection) -> bytes | str | bool | None:
    return await connection.run(lambda redis: redis.set("k", b"v"), False, purpose="answers")


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.levelname, record.getMessage()) for record in caplog.records]


async def test_state_is_known_after_the_first_call(connection: RedisConnection) -> None:
    assert connection.state == "not asked yet"
    assert await put(connection) is True
    assert await get(connection) == b"v"
    assert (connection.state, connection.failures) == ("connected", 0)


async def test_answer_that_a_busy_process_reads_late_is_no_failure(server: RedisServer) -> None:
    connection = RedisConnection(server.url, timeout_seconds=0.02)

    async def answer_late() -> bytes:
        now = asyncio.get_running_loop().time
        ends_at = now() + 0.05
        while now() < ends_at:
            pass
        for _ in range(10):
            await asyncio.sleep(0)
        return b"answer"

    assert await connection.run(lambda _: answer_late(), b"otherwise") == b"answer"
    assert (connection.state, connection.failures) == ("connected", 0)
    await connection.close()


async def test_redis_that_hangs_slows_one_call_alone(server: RedisServer, clock: Clock) -> None:
    connection = RedisConnection(server.url, timeout_seconds=0.4, clock=clock)
    assert await get(connection) is None
    server.freeze()
    assert [await get(connection) for _ in range(50)] == [b"otherwise"] * 50
    assert (connection.state, connection.failures, connection.passed_over) == ("away", 1, 49)
    server.thaw()
    clock.advance(AWAY_SECONDS)
    # The answer to the call that was cut short goes to no other.
    otherwise: bytes | str = b"otherwise"
    assert await connection.run(lambda redis: redis.echo("now"), otherwise) == b"now"
    assert connection.state == "connected"
    await connection.close()


async def test_redis_that_is_away_is_passed_over_and_logged_once(
    server: RedisServer,
    connection: RedisConnection,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    server.kill()
    assert [await get(connection) for _ in range(3)] == [b"otherwise"] * 3
    assert (connection.failures, connection.passed_over) == (1, 2)
    clock.advance(AWAY_SECONDS)
    assert await get(connection) == b"otherwise"
    assert (connection.failures, connection.passed_over) == (2, 2)
    server.start()
    clock.advance(AWAY_SECONDS)
    assert await get(connection) is None
    assert connection.state == "connected"
    assert logged(caplog) == [
        ("WARNING", "Redis is away and passed over: connection refused"),
        ("INFO", "Redis works again"),
    ]


async def test_one_call_alone_probes(connection: RedisConnection, clock: Clock) -> None:
    async def break_off() -> bytes:
        raise ConnectionResetError

    await connection.run(lambda _: break_off(), b"")
    clock.advance(AWAY_SECONDS)
    gate = asyncio.Event()
    probe = asyncio.create_task(connection.run(lambda _: gate.wait(), False))
    await asyncio.sleep(0)
    assert await get(connection) == b"otherwise"
    assert connection.passed_over == 1
    probe.cancel()
    await asyncio.wait([probe])
    # The next call probes in place of the cancelled one.
    assert await get(connection) is None
    assert connection.state == "connected"


async def test_late_answer_to_an_early_call_does_not_bring_it_back(
    connection: RedisConnection,
) -> None:
    gate = asyncio.Event()
    early = asyncio.create_task(connection.run(lambda _: gate.wait(), False))
    await asyncio.sleep(0)

    async def break_off() -> bytes:
        raise ConnectionResetError

    await connection.run(lambda _: break_off(), b"")
    gate.set()
    assert await early
    assert connection.state == "away"


async def test_restart_between_two_calls_goes_unnoticed(
    server: RedisServer, connection: RedisConnection
) -> None:
    await put(connection)
    server.restart()
    for _ in range(3):
        await asyncio.sleep(0)  # turns of the loop, in which it hears of the closed connection
    assert await get(connection) is None
    assert connection.failures == 0


async def test_full_redis_refuses_writes_and_is_read(
    server: RedisServer, connection: RedisConnection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await put(connection)
    server.fill()
    assert [await put(connection) for _ in range(2)] == [False, False]
    assert await get(connection) == b"v"
    assert (connection.state, connection.failures) == ("refuses writes", 2)
    server.empty()
    assert await put(connection) is True
    assert connection.state == "connected"
    assert logged(caplog) == [
        ("WARNING", "Redis refuses answers: it is full (maxmemory)"),
        ("INFO", "Redis works again"),
    ]


async def test_call_after_a_failure_reaches_another_server(
    server: RedisServer, clock: Clock
) -> None:
    with redis_server() as replacement:
        async with front_before(server.port) as front:
            connection = RedisConnection(front.url, timeout_seconds=PLENTY, clock=clock)
            assert await put(connection) is True
            server.admin.replicaof("127.0.0.1", replacement.port)
            front.leads_to = replacement.port
            assert await put(connection) is False
            assert await put(connection) is True
            assert replacement.admin.get("k") == b"v"
            assert connection.state == "connected"
            await connection.close()


async def test_server_that_hangs_loses_all_its_connections(
    server: RedisServer, clock: Clock
) -> None:
    with redis_server() as replacement:
        replacement.admin.set("k", "new")
        async with front_before(server.port) as front:
            connection = RedisConnection(front.url, timeout_seconds=0.4, clock=clock)
            await asyncio.gather(*(get(connection) for _ in range(MOST_CONNECTIONS)))
            assert front.connections == MOST_CONNECTIONS
            server.freeze()
            front.leads_to = replacement.port
            assert await get(connection) == b"otherwise"
            clock.advance(AWAY_SECONDS)
            assert await get(connection) == b"new"
            await connection.close()
            server.thaw()


async def test_connections_are_made_anew_once_in_a_pause(server: RedisServer, clock: Clock) -> None:
    async with front_before(server.port) as front:
        connection = RedisConnection(front.url, timeout_seconds=PLENTY, clock=clock)
        await put(connection)
        server.fill()
        for expected in (2, 3, 4):
            assert [await put(connection) for _ in range(10)] == [False] * 10
            assert await get(connection) == b"v"
            assert front.connections == expected
            assert len(server.admin.client_list()) <= 2  # one of them is the test's own
            clock.advance(POOL_SECONDS)
        await connection.close()


async def test_call_in_flight_finishes_where_it_began(
    server: RedisServer, connection: RedisConnection
) -> None:
    await put(connection)
    popping = asyncio.create_task(
        connection.run(lambda redis: redis.blpop(["queue"]), None)  # waits on its connection
    )
    while not any(client["cmd"] == "blpop" for client in server.admin.client_list()):  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.005)
    server.fill()
    assert await put(connection) is False
    server.empty()
    server.admin.rpush("queue", "late")
    assert await popping == (b"queue", b"late")
    assert await get(connection) is None
    # The first connection closes once it is released.
    while len(server.admin.client_list()) > 2:  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.005)


async def test_each_reason_is_logged_once_until_no_call_fails(
    server: RedisServer, connection: RedisConnection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def lock() -> bytes | str | bool | None:
        return await connection.run(lambda redis: redis.set("l", b"1"), False, purpose="leases")

    await put(connection)
    for _ in range(2):
        server.fill()
        assert [await put(connection), await lock(), await lock()] == [False] * 3
        assert (await get(connection), connection.state) == (b"v", "refuses writes")
        server.empty()
        assert (await put(connection), connection.state) == (True, "refuses writes")
        assert (await lock(), connection.state) == (True, "connected")
    assert logged(caplog) == 2 * [
        ("WARNING", "Redis refuses answers: it is full (maxmemory)"),
        ("INFO", "Redis works again"),
    ]


async def test_answer_that_its_call_cannot_read_is_a_failure(connection: RedisConnection) -> None:
    async def read(redis: Redis) -> bytes:
        await redis.ping()
        raise ValueError

    assert await connection.run(read, b"otherwise") == b"otherwise"
    assert (connection.state, connection.failures) == ("away", 1)


async def test_call_that_is_cancelled_leaves_nothing_for_the_next(
    server: RedisServer, connection: RedisConnection
) -> None:
    server.admin.mset({f"k{n}": f"v{n}" for n in range(400)})
    await get(connection)
    for turns in range(0, 40, 2):
        calls = [asyncio.create_task(get(connection, f"k{n}")) for n in range(20)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for call in calls[::2]:
            call.cancel()
        answers = await asyncio.gather(*calls, return_exceptions=True)
        assert answers[1::2] == [f"v{n}".encode() for n in range(1, 20, 2)]
        assert [await get(connection, f"k{n}") for n in range(3)] == [b"v0", b"v1", b"v2"]
    assert (connection.failures, connection.state) == (0, "connected")


async def test_calls_beyond_the_connections_queue(
    server: RedisServer, connection: RedisConnection
) -> None:
    answers = await asyncio.gather(*(get(connection, "k") for _ in range(20 * MOST_CONNECTIONS)))
    assert answers == [None] * (20 * MOST_CONNECTIONS)
    # One more than the gateway's is the test's own.
    assert len(server.admin.client_list()) <= MOST_CONNECTIONS + 1


@pytest.mark.parametrize("who", [f"gateway:{SECRET}", f":{SECRET}", ""])
async def test_password_that_is_not_accepted_is_logged_without_it(
    who: str, server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.admin.config_set("requirepass", "another")
    url = f"redis://{who}@127.0.0.1:{server.port}"
    connection = RedisConnection(url, timeout_seconds=PLENTY)
    assert await get(connection) == b"otherwise"
    await connection.close()
    assert logged(caplog) == [
        ("WARNING", "Redis is away and passed over: it does not accept the user and the password")
    ]


async def test_command_that_the_user_may_not_run_is_logged(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.admin.acl_setuser(
        "reader", True, passwords=[f"+{SECRET}"], keys=["*"], commands=["+get"]
    )
    url = f"redis://reader:{SECRET}@127.0.0.1:{server.port}"
    connection = RedisConnection(url, timeout_seconds=PLENTY)
    assert await get(connection) is None
    assert await put(connection) is False
    assert connection.state == "refuses writes"
    assert logged(caplog) == [("WARNING", "Redis refuses answers: the user may not do it")]
    await connection.close()


async def test_certificate_is_checked_with_the_file_alone(server: RedisServer) -> None:
    async with tls_before(server.port) as port:
        url = f"rediss://127.0.0.1:{port}/3"
        connection = RedisConnection(url, timeout_seconds=PLENTY, ca_file=CERTIFICATE)
        assert await put(connection) is True
        assert server.admin.info("keyspace") == {"db3": {"keys": 1, "expires": 0, "avg_ttl": 0}}
        await connection.close()


@pytest.mark.parametrize(
    ("host", "ca_file", "reason"),
    [
        (
            "127.0.0.1",
            None,
            "self-signed certificate; "
            "GATEWAY_REDIS_CA_FILE has to name a file with its issuer's certificate",
        ),
        ("localhost", CERTIFICATE, "Hostname mismatch"),
    ],
)
async def test_certificate_of_another_is_not_accepted(
    host: str,
    ca_file: Path | None,
    reason: str,
    server: RedisServer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with tls_before(server.port) as port:
        url = f"rediss://{host}:{port}"
        connection = RedisConnection(url, timeout_seconds=PLENTY, ca_file=ca_file)
        assert await get(connection) == b"otherwise"
        await connection.close()
    ((_, message),) = logged(caplog)
    # OpenSSL 1.1 writes it without a hyphen.
    assert message.replace("self signed", "self-signed") == (
        f"Redis is away and passed over: TLS: certificate not accepted: {reason}"
    )


async def test_own_certificate_is_shown(server: RedisServer) -> None:
    async with tls_before(server.port, asks_for_a_certificate=True) as port:
        connection = RedisConnection(
            f"rediss://127.0.0.1:{port}",
            timeout_seconds=PLENTY,
            ca_file=CERTIFICATE,
            certificate_file=CERTIFICATE,
            key_file=KEY,
        )
        assert await put(connection) is True
        await connection.close()


async def test_user_password_and_database_are_read_from_the_url(server: RedisServer) -> None:
    password = "p@ss/w:rd %"
    server.admin.acl_setuser(
        "a@b", True, passwords=[f"+{password}"], keys=["*"], commands=["+@all"]
    )
    url = f"redis://a%40b:p%40ss%2Fw%3Ard%20%25@127.0.0.1:{server.port}/2"
    connection = RedisConnection(url, timeout_seconds=PLENTY)
    assert await put(connection) is True
    assert server.admin.info("keyspace") == {"db2": {"keys": 1, "expires": 0, "avg_ttl": 0}}
    await connection.close()
