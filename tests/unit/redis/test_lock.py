import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from redis_server import RedisServer, redis_server

from gateway.redis.connection import RedisConnection
from gateway.redis.lock import SharedLocks

PLENTY = 20.0
LOCK = "a!lock"

Start = Callable[..., SharedLocks]


@pytest.fixture(scope="module")
def running() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def server(running: RedisServer) -> RedisServer:
    running.admin.flushall()
    return running


@pytest.fixture
async def start(server: RedisServer) -> AsyncIterator[Start]:
    """Returns the locks of one more process."""
    connections: list[RedisConnection] = []

    def start(seconds: float = PLENTY) -> SharedLocks:
        connections.append(RedisConnection(server.url, timeout_seconds=PLENTY))
        return SharedLocks(connections[-1], seconds=seconds)

    yield start
    for connection in connections:
        await connection.close()


async def test_one_process_at_a_time_holds_a_lock(server: RedisServer, start: Start) -> None:
    holding: list[int] = []

    async def hold(process: int, locks: SharedLocks) -> None:
        async with locks.held("a"):
            holding.append(process)
            server.admin.ping()
            await asyncio.sleep(0)
            assert holding[-1] == process
            assert server.admin.keys() == [LOCK.encode()]

    async with asyncio.timeout(PLENTY):
        await asyncio.gather(*(hold(process, start()) for process in range(4)))
    assert sorted(holding) == [0, 1, 2, 3]
    assert server.admin.dbsize() == 0


async def test_locks_of_different_keys_do_not_wait_for_each_other(start: Start) -> None:
    async with start().held("a"), start().held("b"):
        pass


async def test_lock_of_a_killed_process_frees_itself(server: RedisServer, start: Start) -> None:
    locks = start(seconds=3.0)
    async with locks.held("a"):
        assert 0 < server.admin.pttl(LOCK) <= 3000
        waiting = asyncio.create_task(hold_once(start()))
        server.admin.pexpire(LOCK, 1)  # as its time runs out
        assert await waiting


async def hold_once(locks: SharedLocks) -> bool:
    async with locks.held("a"):
        return True


async def test_lock_is_waited_for_no_longer_than_its_time(
    server: RedisServer, start: Start
) -> None:
    server.admin.set(LOCK, "of another process", px=390)
    server.admin.config_resetstat()
    loop = asyncio.get_running_loop()
    began_at = loop.time()
    assert await hold_once(start(seconds=0.2))
    assert loop.time() - began_at >= 0.2
    assert "cmdstat_del" not in server.admin.info("commandstats")


@pytest.mark.parametrize(
    "words",
    [
        ["SET", "odd"],
        ["SET", "odd", "EX", "60"],
        ["SET", "odd", "PX", str(10**15)],
        ["HSET", "odd", "odd"],
        ["SADD", "odd"],
    ],
)
async def test_what_outlasts_a_lock_in_its_place_is_removed_once_it_was_waited_for(
    words: list[str], server: RedisServer, start: Start
) -> None:
    server.admin.execute_command(words[0], LOCK, *words[1:])  # type: ignore[no-untyped-call]
    locks = start(seconds=0.1)
    assert await hold_once(locks)
    assert server.admin.dbsize() == 0
    assert locks._connection.failures == 0


async def test_lock_that_ran_out_is_left_to_its_next_holder(
    server: RedisServer, start: Start
) -> None:
    locks = start()
    async with locks.held("a"):
        server.admin.set(LOCK, "of another process", ex=60)
    async with locks.held("b"):
        server.admin.delete("b!lock")
    assert server.admin.get(LOCK) == b"of another process"
    assert locks._connection.failures == 0


async def test_block_that_fails_releases_its_lock(server: RedisServer, start: Start) -> None:
    with pytest.raises(ZeroDivisionError):
        async with start().held("a"):
            raise ZeroDivisionError
    assert server.admin.dbsize() == 0


async def test_block_that_is_cancelled_releases_its_lock(server: RedisServer, start: Start) -> None:
    is_held = asyncio.Event()

    async def hold() -> None:
        async with start().held("a"):
            is_held.set()
            await asyncio.Event().wait()

    holding = asyncio.create_task(hold())
    await is_held.wait()
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding
    assert server.admin.dbsize() == 0


@pytest.mark.parametrize("trouble", [RedisServer.kill, RedisServer.fill])
async def test_redis_that_is_away_or_refuses_writes_is_not_waited_for(
    trouble: Callable[[RedisServer], None], server: RedisServer, start: Start
) -> None:
    server.admin.set(LOCK, "of another process", ex=60)
    locks = start()
    trouble(server)
    try:
        assert await hold_once(locks)
        assert locks._connection.failures == 1
    finally:
        server.restart()


async def test_waiter_goes_on_when_redis_forgets_the_lock(
    server: RedisServer, start: Start
) -> None:
    server.admin.set(LOCK, "of another process", ex=60)
    waiting = asyncio.create_task(hold_once(start()))
    server.admin.flushall()
    async with asyncio.timeout(PLENTY):
        assert await waiting
