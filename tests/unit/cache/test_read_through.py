"""Every read goes through a fill that the test counts; another process is another cache."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from functools import partial

import pytest
from cache_counts import total_of
from clock import Clock, settle
from redis_server import RedisServer, redis_server
from virtual_time import run_in_virtual_time

from gateway.cache.entries import EntryKind
from gateway.cache.memory import DECODED_WEIGHT, ENTRY_OVERHEAD_BYTES, Memory
from gateway.cache.policy import CachePolicy, Entry
from gateway.cache.read_through import ReadThroughCache
from gateway.cache.shared_store import SharedStore
from gateway.cache.single_flight import call_for_all
from gateway.errors import (
    ErrorCode,
    UpstreamError,
    UpstreamForbidden,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from gateway.redis.connection import RedisConnection
from gateway.redis.lock import SharedLocks
from gateway.redis.signer import Signer
from gateway.request_scope import open_request_scope

PLENTY = 20.0
SIGNER = Signer("token")
POLICY = CachePolicy(15.0, 60.0, 600.0)
# Ages at which a value is refreshed, served in place of an error, and not served.
REVALIDATED, SPARE, EXPIRED = 20.0, 80.0, 620.0
DOWN, TIMEOUT = ErrorCode.UPSTREAM_UNAVAILABLE, ErrorCode.UPSTREAM_TIMEOUT
LIMITED, FORBIDDEN = ErrorCode.RATE_LIMITED, ErrorCode.UPSTREAM_FORBIDDEN

# A value, or the code of an error; in a pair, a stale value and why it is served.
Seen = str | None | ErrorCode | tuple[str | None, ErrorCode]


class TextCodec:
    def encode(self, value: str | None) -> bytes:
        return b"" if value is None else value.encode()

    def decode(self, key: str, raw: bytes, read_at: float) -> str | None:
        if raw == b"odd":
            raise ValueError
        return raw.decode() or None


ROWS: EntryKind[str | None] = EntryKind("rows", "list_rows", TextCodec(), "rows")


class Process:
    """A cache over an upstream that answers "1", "2", … or an error, once its gate is open."""

    def __init__(
        self,
        clock: Clock,
        policy: CachePolicy = POLICY,
        *,
        patience_seconds: float = PLENTY,
        memory_bytes: int = 1_000_000,
        redis: RedisConnection | None = None,
    ) -> None:
        self.clock = clock
        self.redis = redis
        self.fills: list[Sequence[str]] = []
        self.errors: dict[str, Exception] = {}
        self.error: Exception | None = None
        self.absent: set[str] = set()
        self.gate = asyncio.Event()
        self.gate.set()
        self.written_at = 0.0
        self.foreground: ErrorCode | None = None
        self.background: ErrorCode | None = None
        self.forbidden: set[str] = set()
        self.beyond_share: UpstreamError | None = None
        self.cache = ReadThroughCache(
            policy,
            Memory(memory_bytes),
            self,
            clock=clock,
            patience_seconds=patience_seconds,
            written_at=lambda collection: self.written_at if collection == "rows" else 0.0,
            shared=None if redis is None else SharedStore(redis, policy.max_age, SIGNER),
            locks=None if redis is None else SharedLocks(redis, seconds=3.0),
        )

    def defer_reason(self, operation: str, *, foreground: bool) -> ErrorCode | None:
        return self.foreground if foreground else self.background

    def share_refusal(self) -> UpstreamError | None:
        return self.beyond_share

    def is_forbidden(self, operation: str) -> bool:
        return operation in self.forbidden

    def fill(self, keys: Sequence[str]) -> Mapping[str, "asyncio.Future[Entry[str | None]]"]:
        self.fills.append(keys)
        number = str(len(self.fills))
        return call_for_all(keys, partial(self.answer, number))

    async def answer(
        self, number: str, keys: Sequence[str]
    ) -> Mapping[str, Entry[str | None] | Exception]:
        read_at = self.cache.now()
        await self.gate.wait()
        entries: dict[str, Entry[str | None]] = {
            key: Entry(read_at, None if key in self.absent else number)
            for key in keys
            if key not in self.errors and self.error is None
        }
        await self.cache.store(ROWS, entries)
        return {key: entries.get(key) or self.errors.get(key) or self._error for key in keys}

    @property
    def _error(self) -> Exception:
        assert self.error is not None
        return self.error

    async def read(self, keys: str, not_before: float = 0) -> list[Seen]:
        """Returns what a read of keys, a letter each, gives; refreshes end before it returns."""
        outcomes = await self.cache.read(ROWS, [*keys], self.fill, not_before)
        assert outcomes.keys() == {*keys}
        await settle()
        return [seen(outcomes[key]) for key in keys]

    def ready(self, keys: str, not_before: float = 0) -> list[str | None] | None:
        entries = self.cache.ready(ROWS, keys, not_before)
        return None if entries is None else [entry.value for entry in entries]

    def serve(self, keys: str) -> None:
        entries = self.cache.ready(ROWS, keys)
        assert entries is not None
        self.cache.serve(ROWS, dict(zip(keys, entries, strict=True)), self.fill)

    def reading(self, keys: str, not_before: float = 0) -> "asyncio.Task[list[Seen]]":
        return asyncio.ensure_future(self.read(keys, not_before))

    @property
    def counts(self) -> tuple[int, int, int]:
        total = total_of(self.cache.counts)
        return total.hit + total.stale, total.stale, total.miss + total.coalesced


def seen(outcome: Entry[str | None] | UpstreamError) -> Seen:
    if isinstance(outcome, UpstreamError):
        return outcome.code
    reason = outcome.stale_because
    return outcome.value if reason is None else (outcome.value, reason)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def process(clock: Clock) -> Process:
    return Process(clock)


# One key and many: the policy.


async def test_entry_is_fresh_until_its_age_reaches_the_ttl(clock: Clock) -> None:
    process = Process(clock, CachePolicy(15.0))
    assert await process.read("a") == ["1"]
    clock.advance(14.9)
    assert await process.read("a") == ["1"]
    clock.advance(0.2)
    assert await process.read("a") == ["2"]
    assert process.counts == (1, 0, 2)


async def test_stale_entry_is_served_while_one_refresh_runs(process: Process) -> None:
    await process.read("a")
    process.clock.advance(REVALIDATED)
    process.gate.clear()
    for _ in range(3):
        assert await process.read("a") == ["1"]
    assert len(process.fills) == 2
    process.gate.set()
    await settle()
    assert await process.read("a") == ["2"]
    assert process.counts == (4, 3, 1)


async def test_entry_that_is_too_old_for_that_waits_for_its_fill(process: Process) -> None:
    await process.read("a")
    process.clock.advance(SPARE)
    assert await process.read("a") == ["2"]


async def test_each_key_of_a_read_is_judged_by_itself_and_one_fill_is_for_all_it_lacks(
    process: Process,
) -> None:
    for key, seconds in (("e", EXPIRED - SPARE), ("d", SPARE - REVALIDATED), ("c", REVALIDATED)):
        await process.read(key)
        process.clock.advance(seconds)
    await process.read("b")
    process.fills.clear()
    process.gate.clear()
    reading = process.reading("abcde")
    await settle()
    assert process.fills == [["c"], ["a", "d", "e"]]
    process.gate.set()
    assert await reading == ["2", "4", "3", "2", "2"]
    assert process.counts == (2, 1, 7)


async def test_keys_that_are_in_flight_are_joined(process: Process) -> None:
    process.gate.clear()
    readings = [process.reading(keys) for keys in ("ab", "bc", "ca")]
    await settle()
    process.gate.set()
    assert await asyncio.gather(*readings) == [["1", "1"], ["1", "2"], ["2", "1"]]
    assert process.fills == [["a", "b"], ["c"]]
    assert process.cache.fills.flights.coalesced == 3


async def test_no_key_needs_no_fill(process: Process) -> None:
    assert await process.read("") == []
    assert process.fills == []


async def test_reader_that_is_cancelled_ends_no_fill(process: Process) -> None:
    process.gate.clear()
    leaves, stays = process.reading("a"), process.reading("a")
    await settle()
    leaves.cancel()
    await settle()
    process.gate.set()
    assert await stays == ["1"]
    assert len(process.fills) == 1


async def test_absence_is_fresh_and_then_served_only_in_place_of_an_error(
    process: Process,
) -> None:
    process.absent = {"a"}
    for _ in range(2):
        assert await process.read("a") == [None]
    process.clock.advance(REVALIDATED)
    process.absent = set()
    process.error = UpstreamUnavailable("down")
    assert await process.read("a") == [(None, DOWN)]
    process.clock.advance(1)
    process.error = None
    assert await process.read("a") == ["3"]


async def test_ttl_of_zero_stores_nothing_but_still_coalesces(clock: Clock) -> None:
    process = Process(clock, CachePolicy(0.0, 60.0, 600.0))
    process.gate.clear()
    readings = [process.reading("a") for _ in range(10)]
    await settle()
    process.gate.set()
    assert await asyncio.gather(*readings) == [["1"]] * 10
    process.error = UpstreamUnavailable("down")
    assert await process.read("a") == [DOWN]
    assert len(process.fills) == 2


async def test_ready_entries_are_those_that_a_read_serves_without_a_fill(process: Process) -> None:
    assert process.ready("a") is None
    await process.read("ab")
    read_at = process.clock()
    assert process.ready("ba") == ["1", "1"]
    assert process.ready("abc") is None
    process.clock.advance(REVALIDATED)
    assert process.ready("ab") == ["1", "1"]
    assert process.ready("a", not_before=read_at + 1) is None
    process.clock.advance(SPARE - REVALIDATED)
    process.foreground = DOWN  # a read serves them because of the error
    assert process.ready("ab") is None
    assert (process.counts, process.fills) == ((0, 0, 2), [["a", "b"]])


async def test_written_refused_and_absent_entries_are_not_ready(process: Process) -> None:
    process.absent = {"a"}
    await process.read("ab")
    assert process.ready("ab") == [None, "1"]
    process.clock.advance(REVALIDATED)
    assert process.ready("a") is None
    assert process.ready("b") == ["1"]
    process.forbidden = {ROWS.operation}
    assert process.ready("b") is None
    process.forbidden = set()
    process.written_at = process.clock()
    assert process.ready("b") is None


async def test_nothing_is_ready_without_a_cache(clock: Clock) -> None:
    process = Process(clock, CachePolicy(0.0, 60.0, 600.0))
    await process.read("a")
    assert process.ready("a") is None
    assert process.cache.freshness.fresh_between("rows") == (math.inf, clock())


async def test_ready_entries_that_are_served_are_hits_and_the_stale_ones_are_refreshed(
    process: Process,
) -> None:
    await process.read("a")
    process.clock.advance(REVALIDATED)
    await process.read("b")
    process.serve("ab")
    await settle()
    assert process.fills == [["a"], ["b"], ["a"]]
    assert process.counts == (2, 1, 2)
    process.serve("ab")
    assert process.counts == (4, 1, 2)
    assert process.ready("ab") == ["3", "2"]


async def test_ready_entry_was_used_last(clock: Clock) -> None:
    entry = DECODED_WEIGHT + ENTRY_OVERHEAD_BYTES
    process = Process(clock, memory_bytes=2 * entry)
    await process.read("a")
    await process.read("b")
    assert process.ready("a") == ["1"]
    await process.read("c")
    assert process.ready("a") == ["1"]
    assert process.ready("b") is None


async def test_value_is_fresh_that_was_read_since_its_ttl_its_write_and_its_invalidation(
    process: Process,
) -> None:
    now, freshness = process.clock(), process.cache.freshness
    assert freshness.fresh_between("rows") == (now - 15, now)
    process.written_at = now - 7
    assert freshness.fresh_between("rows") == (now - 7, now)
    assert freshness.fresh_between("rows", now - 3) == (now - 3, now)
    assert freshness.fresh_between("rows", now - 10) == (now - 7, now)
    assert freshness.fresh_between("other") == (now - 15, now)
    assert not freshness.is_stale(now - 14.9)
    assert freshness.is_stale(now - 15)


async def test_reads_of_one_time_differ_by_a_microsecond(process: Process) -> None:
    first, second = process.cache.now(), process.cache.now()
    assert 0 < second - first < 0.001
    process.clock.advance(14.9)
    assert process.cache.freshness.is_fresh("rows", second)
    process.clock.advance(0.2)
    assert not process.cache.freshness.is_fresh("rows", second)


@pytest.mark.parametrize(
    ("seconds", "reason", "is_stale"),
    [(14.9, None, False), (15.1, None, True), (1, DOWN, True)],
)
async def test_answer_is_stale_by_age_or_because_of_an_error(
    process: Process, seconds: float, reason: ErrorCode | None, is_stale: bool
) -> None:
    read_at = process.clock() - seconds
    process.cache.record_read(
        ROWS.collection, read_at, reason
    )  # outside of a request nothing is recorded
    with open_request_scope(PLENTY) as scope:
        process.cache.record_read(ROWS.collection, read_at, reason)
    found = (scope.oldest_read_at, scope.is_stale, scope.stale_because)
    assert found == (read_at, is_stale, reason)


# Errors.


@pytest.mark.parametrize(
    "error",
    [UpstreamUnavailable("down"), UpstreamTimeout(), UpstreamRefused("no", 400)],
)
async def test_stale_entry_is_served_in_place_of_an_error_until_it_expires(
    process: Process, error: UpstreamError
) -> None:
    await process.read("a")
    process.error = error
    process.clock.advance(SPARE)
    assert await process.read("a") == [("1", error.code)]
    process.clock.advance(614.9 - SPARE)
    assert await process.read("a") == [("1", error.code)]
    process.clock.advance(0.2)
    assert await process.read("a") == [error.code]
    assert len(process.fills) == 4


async def test_error_of_one_key_is_that_of_no_other(process: Process) -> None:
    process.errors["b"] = UpstreamRefused("no", 422)
    assert await process.read("abc") == ["1", DOWN, "1"]


async def test_errors_are_not_stored(process: Process) -> None:
    process.error = UpstreamUnavailable("down")
    assert await process.read("a") == [DOWN]
    process.error = None
    assert await process.read("a") == ["2"]


async def test_error_that_is_none_of_the_upstream_reaches_the_reader(process: Process) -> None:
    await process.read("a")
    process.error = ZeroDivisionError()
    process.clock.advance(SPARE)
    with pytest.raises(ZeroDivisionError):
        await process.read("a")


async def test_fill_that_is_cancelled_is_forgotten(process: Process) -> None:
    process.gate.clear()
    reading = process.reading("a")
    await settle()
    process.cache.fills.flights.run(["a"], process.fill)["a"].cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert process.cache.fills.recent_error("a") is None


async def test_key_that_has_just_failed_is_neither_waited_for_nor_refreshed_for_a_second(
    process: Process,
) -> None:
    await process.read("ab")
    process.errors["a"] = UpstreamRefused("no", 422)
    process.clock.advance(SPARE)
    assert await process.read("a") == [("1", DOWN)]
    process.gate.clear()
    assert await process.read("a") == [("1", DOWN)]  # at once
    assert len(process.fills) == 2
    process.gate.set()
    assert await process.read("b") == ["3"]
    process.clock.advance(1)
    del process.errors["a"]
    assert await process.read("a") == ["4"]


async def test_refresh_that_failed_is_tried_again_after_a_second(process: Process) -> None:
    await process.read("a")
    process.error = UpstreamUnavailable("down")
    process.clock.advance(REVALIDATED)
    for _ in range(3):
        assert await process.read("a") == ["1"]
    assert len(process.fills) == 2
    process.clock.advance(1)
    process.error = None
    assert await process.read("a") == ["1"]
    assert await process.read("a") == ["3"]


async def test_key_that_was_filled_since_it_failed_is_refreshed(clock: Clock) -> None:
    process = Process(clock, CachePolicy(0.2, 60.0))
    process.error = UpstreamUnavailable("down")
    assert await process.read("a") == [DOWN]
    process.error = None
    assert await process.read("a") == ["2"]
    clock.advance(0.3)
    assert await process.read("a") == ["2"]
    assert await process.read("a") == ["3"]


async def test_upstream_that_defers_refreshes_leaves_stale_entries(process: Process) -> None:
    await process.read("a")
    process.background = LIMITED
    process.clock.advance(REVALIDATED)
    assert await process.read("a") == ["1"]
    process.clock.advance(SPARE - REVALIDATED)
    assert await process.read("a") == [("1", LIMITED)]
    assert len(process.fills) == 1
    assert process.counts == (2, 2, 1)


async def test_failing_upstream_is_not_waited_for_but_asked_in_the_background(
    process: Process,
) -> None:
    await process.read("a")
    process.foreground = DOWN
    process.clock.advance(SPARE)
    process.gate.clear()
    assert await process.read("a") == [("1", DOWN)]
    process.gate.set()
    await settle()
    assert await process.read("a") == ["2"]


async def test_refused_token_gives_away_nothing_stale(process: Process) -> None:
    await process.read("ab")
    process.clock.advance(REVALIDATED)
    await process.read("b")
    process.error = UpstreamForbidden()
    process.forbidden = {"list_rows"}
    assert await process.read("ab") == [FORBIDDEN, "2"]
    assert await process.read("b", process.cache.now()) == [FORBIDDEN]
    process.error = UpstreamTimeout()
    assert await process.read("b", process.cache.now()) == [TIMEOUT]
    process.forbidden = {"another_operation"}
    process.error = None
    process.clock.advance(1)
    assert await process.read("a") == ["1"]


async def test_error_that_refuses_the_token_is_not_replaced_by_a_stale_entry(
    process: Process,
) -> None:
    await process.read("a")
    process.clock.advance(SPARE)
    process.error = UpstreamForbidden()
    assert await process.read("a") == [FORBIDDEN]
    process.error = None  # the token is accepted again, which its next fill shows
    assert await process.read("a") == ["3"]


# Writes, and entries that may be wrong.


async def test_entry_from_before_a_write_is_not_served_even_in_place_of_an_error(
    process: Process,
) -> None:
    await process.read("a")
    process.written_at = process.cache.now()
    process.error = UpstreamUnavailable("down")
    assert await process.read("a") == [DOWN]
    process.error = None
    assert await process.read("a") == ["3"]


async def test_fill_that_left_before_a_write_is_followed_by_another(process: Process) -> None:
    process.gate.clear()
    readings = [process.reading("a"), process.reading("ab")]
    await settle()
    process.written_at = process.cache.now()
    readings.append(process.reading("bc"))
    await settle()
    process.gate.set()
    assert await asyncio.gather(*readings) == [["4"], ["4", "5"], ["5", "3"]]
    assert process.fills == [["a"], ["b"], ["c"], ["a"], ["b"]]


async def test_fill_that_left_before_not_before_is_followed_by_another(process: Process) -> None:
    process.gate.clear()
    early = process.reading("ab")
    await settle()
    late = process.reading("bc", process.cache.now())
    await settle()
    process.gate.set()
    assert (await early, await late) == (["1", "1"], ["3", "2"])
    assert process.fills == [["a", "b"], ["c"], ["b"]]


async def test_write_in_the_future_does_not_fill_without_end(process: Process) -> None:
    process.written_at = process.clock() + 3600
    assert await process.read("a") == ["2"]


async def test_entry_from_before_not_before_is_filled_unless_that_fails(process: Process) -> None:
    await process.read("a")
    process.background = LIMITED  # which keeps only refreshes from the upstream
    assert await process.read("a", process.cache.now()) == ["2"]
    process.error = UpstreamUnavailable("down")
    assert await process.read("a", process.cache.now()) == [("2", DOWN)]
    process.error = None
    assert await process.read("a", process.cache.now()) == ["4"]  # though it has just failed
    process.foreground = LIMITED
    assert await process.read("a", process.cache.now()) == [("4", LIMITED)]
    assert len(process.fills) == 4


async def test_entry_from_before_not_before_is_not_served_while_it_is_refreshed(
    clock: Clock,
) -> None:
    process = Process(clock, CachePolicy(15.0, 60.0))
    await process.read("a")
    process.clock.advance(REVALIDATED)
    process.error = UpstreamUnavailable("down")
    assert await process.read("a", process.cache.now()) == [DOWN]


# Time: patience and deadline.


def in_a_request(
    play: Callable[[Process], Awaitable[None]], *, memory_bytes: int = 1_000_000
) -> None:
    """Plays in virtual time, in a request of ten seconds with a patience of one."""

    async def main() -> None:
        with open_request_scope(10.0):
            await play(Process(Clock(), patience_seconds=1.0, memory_bytes=memory_bytes))

    run_in_virtual_time(main())


def loop_time() -> float:
    return asyncio.get_running_loop().time()


def test_slow_fill_is_waited_for_as_long_as_the_patience_and_goes_on() -> None:
    async def play(process: Process) -> None:
        await process.read("abc")
        process.clock.advance(SPARE)
        process.gate.clear()
        for keys in ("a", "ab", "c"):  # one request is patient once
            assert await process.read(keys) == [("1", TIMEOUT)] * len(keys)
            assert loop_time() == 1.0
        process.gate.set()
        await settle()
        assert await process.read("abc") == ["2", "3", "4"]

    in_a_request(play)


def test_key_without_an_entry_is_waited_for_until_the_deadline() -> None:
    async def play(process: Process) -> None:
        await process.read("a")
        process.clock.advance(SPARE)
        process.gate.clear()
        assert await process.read("ab") == [("1", TIMEOUT), TIMEOUT]
        assert loop_time() == 10.0
        process.gate.set()
        await settle()
        assert await process.read("ab") == ["2", "2"]

    in_a_request(play)


def test_outside_of_a_request_a_fill_is_waited_for_to_its_end() -> None:
    async def main() -> None:
        process = Process(Clock(), patience_seconds=1.0)
        process.gate.clear()
        asyncio.get_running_loop().call_later(1000.0, process.gate.set)
        assert await process.read("a") == ["1"]
        process.clock.advance(SPARE)
        process.gate.clear()
        assert await process.read("a") == [("1", TIMEOUT)]
        assert loop_time() == 1001.0

    run_in_virtual_time(main())


def test_entry_from_before_not_before_is_not_served_because_its_fill_is_slow() -> None:
    async def play(process: Process) -> None:
        await process.read("a")
        process.gate.clear()
        asyncio.get_running_loop().call_later(5.0, process.gate.set)
        assert await process.read("a", process.cache.now()) == ["2"]

    in_a_request(play)


@pytest.mark.parametrize("trouble", ["write", "refused token", "age"])
def test_entry_that_expires_during_the_patience_is_waited_for(trouble: str) -> None:
    async def play(process: Process) -> None:
        await process.read("a")
        process.clock.advance(SPARE)
        process.gate.clear()

        def happen() -> None:
            match trouble:
                case "write":
                    process.written_at = process.clock() - 1
                case "refused token":
                    process.forbidden = {"list_rows"}
                case _:
                    process.clock.advance(EXPIRED - SPARE)

        asyncio.get_running_loop().call_later(0.5, happen)
        asyncio.get_running_loop().call_later(5.0, process.gate.set)
        assert await process.read("a") == ["2"]
        assert loop_time() == 5.0

    in_a_request(play)


def test_entry_that_the_memory_drops_during_the_patience_is_still_served() -> None:
    async def play(process: Process) -> None:
        await process.read("a")
        process.clock.advance(SPARE)
        process.gate.clear()
        reading = process.reading("a")
        await settle()
        newer: Entry[str | None] = Entry(process.cache.now(), "b")
        await process.cache.store(ROWS, {"b": newer})
        assert await reading == [("1", TIMEOUT)]

    in_a_request(play, memory_bytes=410)


# What processes share.


@pytest.fixture(scope="module")
def running() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def server(running: RedisServer) -> RedisServer:
    running.admin.flushall()
    return running


Start = Callable[..., Process]


@pytest.fixture
async def start(server: RedisServer, clock: Clock) -> AsyncIterator[Start]:
    """Returns one more process on the same Redis."""
    connections: list[RedisConnection] = []

    def start(policy: CachePolicy = POLICY) -> Process:
        connections.append(RedisConnection(server.url, timeout_seconds=PLENTY))
        return Process(clock, policy, redis=connections[-1])

    yield start
    for connection in connections:
        await connection.close()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PLENTY):
        while not is_so():  # noqa: ASYNC110 - Redis answers when it does
            await asyncio.sleep(0)


def calls_of(server: RedisServer, command: str) -> int:
    statistics = server.admin.info("commandstats").get(f"cmdstat_{command}", {"calls": 0})
    return int(statistics["calls"])


async def test_what_another_process_has_filled_is_a_hit_and_stays_in_memory(
    start: Start, server: RedisServer
) -> None:
    first, second = start(), start()
    first.absent = {"b"}
    await first.read("ab")
    assert await second.read("ab") == ["1", None]
    server.admin.flushall()
    assert await second.read("ab") == ["1", None]
    assert (second.fills, second.counts) == ([], (4, 0, 0))


async def test_ttl_of_zero_asks_no_redis(start: Start) -> None:
    process = start(CachePolicy(0.0, 60.0, 600.0))
    assert await process.read("a") == ["1"]
    entry = await process.cache.fill_once(ROWS, "a", partial(filled, process), 0)
    assert entry.value == "2"
    assert process.redis is not None
    assert process.redis.state == "not asked yet"


async def filled(process: Process) -> Entry[str | None]:
    """Fills "a" by itself."""
    return await process.fill(["a"])["a"]


@pytest.mark.parametrize(
    ("seconds", "raw"),
    [
        (0.0, b"odd"),
        (1e9, b"9"),
        (-1e9, b"9"),
        (math.inf, b"9"),
        (-math.inf, b"9"),
        (math.nan, b"9"),
    ],
)
async def test_bytes_that_are_no_usable_entry_are_a_miss_and_are_replaced(
    start: Start, server: RedisServer, seconds: float, raw: bytes
) -> None:
    process = start()
    server.admin.set("a", SIGNER.sign("a", process.clock() + seconds, raw))
    process.error = UpstreamUnavailable("down")
    assert await process.read("a") == [DOWN]
    process.error = None
    assert await process.read("a") == ["2"]
    assert await process.read("a") == ["2"]
    assert await start().read("a") == ["2"]


@pytest.mark.parametrize("is_newer", [True, False])
async def test_newest_of_memory_and_redis_is_served(
    start: Start, server: RedisServer, is_newer: bool
) -> None:
    process = start()
    await process.read("a")
    process.error = UpstreamUnavailable("down")
    server.admin.set("a", SIGNER.sign("a", process.clock() + (1 if is_newer else -1), b"9"))
    process.clock.advance(SPARE)
    assert await process.read("a") == [("9" if is_newer else "1", DOWN)]


async def test_entry_that_memory_has_is_ready_and_peeked_at_without_redis(
    start: Start, server: RedisServer
) -> None:
    process = start()
    await process.read("a")
    reads = calls_of(server, "mget")
    assert process.ready("a") == ["1"]
    assert [*await process.cache.peek(ROWS, ["a"])] == ["a"]
    assert await process.read("a") == ["1"]
    assert calls_of(server, "mget") == reads


async def test_readers_of_a_key_ask_redis_once(start: Start, server: RedisServer) -> None:
    first, second = start(), start()
    await first.read("a")
    before = calls_of(server, "mget")
    assert await asyncio.gather(*(second.read("a") for _ in range(200))) == [["1"]] * 200
    assert calls_of(server, "mget") == before + 1


async def test_refresh_takes_what_another_process_has_filled(start: Start) -> None:
    first, second = start(), start()
    await first.read("a")
    await second.read("a")
    first.clock.advance(REVALIDATED)
    await first.read("a")
    await until(lambda: not first.cache.fills.flights._flights)
    assert await first.read("a") == ["2"]
    assert await second.read("a") == ["1"]
    await until(lambda: not second.cache.fills.flights._flights)
    assert await second.read("a") == ["2"]
    assert (first.fills, second.fills) == ([["a"], ["a"]], [])


async def test_refresh_of_a_key_asks_redis_once_and_fills_what_it_lacks(
    start: Start, server: RedisServer
) -> None:
    process = start()
    await process.read("ab")
    process.clock.advance(REVALIDATED)
    process.errors["b"] = UpstreamUnavailable("down")
    process.gate.clear()
    before = calls_of(server, "mget")
    assert await asyncio.gather(*(process.read("ab") for _ in range(200))) == [["1", "1"]] * 200
    await until(lambda: len(process.fills) == 2)
    process.gate.set()
    await until(lambda: not process.cache.fills.flights._flights)
    assert calls_of(server, "mget") == before + 1
    assert await process.read("ab") == ["2", "1"]


async def test_refresh_takes_no_entry_from_before_not_before(start: Start) -> None:
    process = start()
    await process.read("a")
    process.foreground = DOWN
    not_before = process.cache.now()
    assert await process.read("a", not_before) == [("1", DOWN)]
    await until(lambda: not process.cache.fills.flights._flights)
    assert await process.read("a", not_before) == ["2"]


async def test_entry_of_another_process_is_served_in_place_of_an_error(
    start: Start, server: RedisServer
) -> None:
    process = start()
    process.error = UpstreamUnavailable("down")
    process.gate.clear()
    reading = process.reading("ab")
    await until(lambda: process.fills != [])
    server.admin.set("a", SIGNER.sign("a", process.clock(), b"9"))
    server.admin.set("b", SIGNER.sign("b", process.clock() - SPARE, b"9"))
    process.gate.set()
    assert await reading == ["9", ("9", DOWN)]


async def test_one_process_fills_a_key_and_the_others_wait_for_it(start: Start) -> None:
    processes = [start() for _ in range(3)]
    entries = await asyncio.gather(
        *(process.cache.fill_once(ROWS, "a", partial(filled, process), 0) for process in processes)
    )
    assert [entry.value for entry in entries] == ["1"] * 3
    assert sorted(len(process.fills) for process in processes) == [0, 0, 1]


async def test_process_fills_what_another_one_filled_too_early(start: Start) -> None:
    first, second = start(), start()
    await first.read("a")
    entry = await second.cache.fill_once(ROWS, "a", partial(filled, second), first.cache.now())
    assert (entry.value, second.fills) == ("1", [["a"]])


async def test_redis_that_is_away_costs_no_answer(start: Start, server: RedisServer) -> None:
    process = start()
    server.kill()
    try:
        assert await process.read("a") == ["1"]
        entry = await process.cache.fill_once(ROWS, "a", partial(filled, process), 0)
        assert entry.value == "2"
    finally:
        server.start()
