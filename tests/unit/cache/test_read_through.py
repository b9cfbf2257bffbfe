import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence

import pytest

from gateway.cache.backend import ENTRY_OVERHEAD_BYTES, CacheBackend
from gateway.cache.lives import Entry, Lives, Use, decode, encode
from gateway.cache.read_through import ReadThroughCache
from gateway.errors import (
    ErrorCode,
    UpstreamError,
    UpstreamForbidden,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from gateway.request_scope import RequestScope, open_request_scope

LIVES = Lives(fresh=15.0, while_revalidate=60.0, if_error=600.0)


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Upstream:
    """Answers b"1", b"2", … and counts; fails with `error` while there is one."""

    def __init__(self) -> None:
        self.calls = 0
        self.error: UpstreamError | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.reluctance: ErrorCode | None = None
        self.urgent_reluctance: ErrorCode | None = None

    async def __call__(self, keys: Sequence[str]) -> Mapping[str, Entry]:
        self.calls += 1
        call, read_at = self.calls, self.cache.now()
        await asyncio.sleep(0)
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return {key: Entry(read_at, str(call).encode()) for key in keys}

    def reluctant(self, *, urgent: bool) -> ErrorCode | None:
        return self.urgent_reluctance if urgent else self.reluctance

    cache: ReadThroughCache


def a_cache(
    lives: Lives = LIVES, maximum_bytes: int = 1_000_000, patience_seconds: float = 60.0
) -> tuple[ReadThroughCache, Upstream, Clock]:
    clock, upstream = Clock(), Upstream()
    upstream.cache = ReadThroughCache(
        CacheBackend(maximum_bytes),
        lives,
        clock=clock,
        reluctance=upstream.reluctant,
        patience_seconds=patience_seconds,
    )
    return upstream.cache, upstream, clock


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def answered(
    cache: ReadThroughCache, upstream: Upstream, not_before: float = 0.0
) -> tuple[bytes, RequestScope]:
    """Reads for a client; lets what began in the background end."""
    with open_request_scope(60.0) as scope:
        entry = await cache.read("key", upstream, not_before)
        cache.note(entry.read_at, entry.stale_for)
    await settle()
    return entry.value, scope


async def test_entry_is_fresh_until_its_age_reaches_its_life() -> None:
    cache, upstream, clock = a_cache(Lives(15.0))
    assert (await cache.read("key", upstream)).value == b"1"
    clock.seconds += 14.9
    assert (await cache.read("key", upstream)).value == b"1"
    clock.seconds += 0.2
    assert (await cache.read("key", upstream)).value == b"2"
    assert (cache.hits, cache.stale_hits, cache.misses, cache.fills) == (1, 0, 2, 2)


async def test_stale_entry_is_answered_while_one_fill_runs() -> None:
    cache, upstream, clock = a_cache()
    await cache.read("key", upstream)
    clock.seconds += 20
    upstream.gate.clear()
    for _ in range(3):
        value, scope = await answered(cache, upstream)
        assert (value, scope.is_stale, scope.stale_error) == (b"1", True, None)
    assert upstream.calls == 2
    upstream.gate.set()
    await settle()
    value, scope = await answered(cache, upstream)
    assert (value, scope.is_stale) == (b"2", False)
    assert (cache.hits, cache.stale_hits) == (4, 3)


async def test_entry_beyond_that_waits_for_its_fill() -> None:
    cache, upstream, clock = a_cache()
    await cache.read("key", upstream)
    clock.seconds += 75
    value, scope = await answered(cache, upstream)
    assert (value, scope.is_stale, scope.oldest_read_at) == (b"2", False, clock.seconds)


async def test_slow_fill_goes_on_without_a_reader_that_has_something_stale() -> None:
    cache, upstream, clock = a_cache(patience_seconds=0.01)
    await cache.read("key", upstream)
    clock.seconds += 75
    upstream.gate.clear()
    for _ in range(2):
        value, scope = await answered(cache, upstream)
        assert (value, scope.stale_error) == (b"1", ErrorCode.UPSTREAM_TIMEOUT)
    upstream.gate.set()
    await settle()
    value, scope = await answered(cache, upstream)
    assert (value, scope.is_stale, upstream.calls) == (b"2", False, 2)


async def test_one_request_waits_for_its_patience_once() -> None:
    cache, upstream, clock = a_cache(patience_seconds=0.2)
    for key in ("a", "b", "c"):
        await cache.read(key, upstream)
    clock.seconds += 80
    upstream.gate.clear()
    loop = asyncio.get_running_loop()
    began = loop.time()
    with open_request_scope(60.0):
        for key in ("a", "b", "c"):
            assert (await cache.read(key, upstream)).stale_for is ErrorCode.UPSTREAM_TIMEOUT
    assert 0.2 <= loop.time() - began < 0.4
    upstream.gate.set()
    await settle()


async def test_wrong_entry_is_not_used_because_its_fill_is_slow() -> None:
    cache, upstream, _ = a_cache(patience_seconds=0.0)
    await cache.read("key", upstream)
    upstream.gate.clear()
    reading = asyncio.ensure_future(cache.read("key", upstream, cache.now()))
    await settle()
    assert not reading.done()
    upstream.gate.set()
    assert (await reading).value == b"2"


async def test_entry_from_before_a_write_is_not_used_when_the_patience_ends() -> None:
    cache, upstream, clock = a_cache(patience_seconds=0.02)
    await cache.read("key", upstream)
    clock.seconds += 75
    upstream.gate.clear()
    reading = asyncio.ensure_future(cache.read("key", upstream))
    await settle()
    cache.invalidated_at = lambda: clock.seconds - 1
    await asyncio.sleep(0.04)
    assert not reading.done()
    upstream.gate.set()
    assert (await reading).value == b"2"


@pytest.mark.parametrize("error", [UpstreamUnavailable("down"), UpstreamTimeout("slow")])
async def test_stale_entry_stands_in_for_an_error_until_its_life_ends(
    error: UpstreamError,
) -> None:
    cache, upstream, clock = a_cache()
    await cache.read("key", upstream)
    upstream.error = error
    clock.seconds += 75
    value, scope = await answered(cache, upstream)
    assert (value, scope.is_stale, scope.stale_error) == (b"1", True, error.code)
    clock.seconds += 539.9
    assert (await answered(cache, upstream))[0] == b"1"
    clock.seconds += 0.2
    with pytest.raises(type(error)):
        await cache.read("key", upstream)
    assert upstream.calls == 4


async def test_failing_upstream_keeps_nobody_waiting_who_has_something_stale() -> None:
    cache, upstream, clock = a_cache()
    await cache.read("key", upstream)
    upstream.error = UpstreamUnavailable("down")
    clock.seconds += 75
    await answered(cache, upstream)
    upstream.gate.clear()
    value, scope = await answered(cache, upstream)  # would wait for ever otherwise
    assert (value, scope.stale_error) == (b"1", ErrorCode.UPSTREAM_UNAVAILABLE)
    assert upstream.calls == 3  # in the background
    upstream.error = None
    upstream.gate.set()
    await settle()
    assert (await answered(cache, upstream))[0] == b"3"


async def test_refused_credentials_give_nothing_stale_away() -> None:
    cache, upstream, clock = a_cache()
    await cache.read("key", upstream)
    clock.seconds += 20
    upstream.error = UpstreamForbidden()
    assert (await answered(cache, upstream))[0] == b"1"  # the fill behind it learns of it
    for _ in range(2):
        with pytest.raises(UpstreamForbidden):
            await cache.read("key", upstream)
    upstream.error = None
    assert (await cache.read("key", upstream)).value == b"5"


async def test_refusal_of_the_request_is_told_and_something_may_stand_in_for_it() -> None:
    cache, upstream, clock = a_cache()
    await cache.read("key", upstream)
    clock.seconds += 75
    upstream.error = UpstreamRefused("too large", 413)
    with pytest.raises(UpstreamRefused):
        await cache.read("key", upstream)
    entry = await cache.in_place_of(upstream.error, "key")
    assert (entry.value, entry.stale_for) == (b"1", ErrorCode.UPSTREAM_UNAVAILABLE)
    with pytest.raises(UpstreamRefused):
        await cache.in_place_of(upstream.error, "another")


async def test_unwelcome_fills_leave_what_is_stale() -> None:
    cache, upstream, clock = a_cache()
    await cache.read("key", upstream)
    upstream.reluctance = ErrorCode.RATE_LIMITED
    clock.seconds += 20
    value, scope = await answered(cache, upstream)
    assert (value, scope.is_stale, scope.stale_error) == (b"1", True, None)
    clock.seconds += 60
    value, scope = await answered(cache, upstream)
    assert (value, scope.stale_error) == (b"1", ErrorCode.RATE_LIMITED)
    assert upstream.calls == 1


async def test_superseded_entry_is_filled_unless_that_is_impossible() -> None:
    cache, upstream, clock = a_cache()
    await cache.read("key", upstream)
    upstream.reluctance = ErrorCode.RATE_LIMITED
    clock.seconds += 1
    assert (await answered(cache, upstream, not_before=cache.now()))[0] == b"2"
    clock.seconds += 1
    upstream.urgent_reluctance = ErrorCode.RATE_LIMITED
    value, scope = await answered(cache, upstream, not_before=cache.now())
    assert (value, scope.is_stale, scope.stale_error) == (b"2", True, ErrorCode.RATE_LIMITED)


async def test_nothing_from_before_an_invalidation_is_of_use() -> None:
    cache, upstream, _ = a_cache()
    await cache.read("key", upstream)
    invalidated_at = cache.now()
    cache.invalidated_at = lambda: invalidated_at
    upstream.error = UpstreamUnavailable("down")
    with pytest.raises(UpstreamUnavailable):
        await cache.read("key", upstream)
    upstream.error = None
    assert (await cache.read("key", upstream)).value == b"3"


async def test_flight_that_left_before_an_invalidation_is_not_enough() -> None:
    cache, upstream, _ = a_cache()
    upstream.gate.clear()
    early = asyncio.ensure_future(cache.read("key", upstream))
    await settle()
    invalidated_at = cache.now()
    cache.invalidated_at = lambda: invalidated_at
    late = asyncio.ensure_future(cache.read("key", upstream))
    await settle()
    upstream.gate.set()
    assert ((await early).value, (await late).value) == (b"2", b"2")
    assert upstream.calls == 2


async def test_invalidation_in_the_future_does_not_fill_without_end() -> None:
    cache, upstream, clock = a_cache()
    cache.invalidated_at = lambda: clock.seconds + 3600
    assert (await cache.read("key", upstream)).value == b"2"


async def test_life_of_zero_keeps_nothing_but_still_coalesces() -> None:
    cache, upstream, _ = a_cache(Lives(0.0, 60.0, 600.0))
    await asyncio.gather(*(cache.read("key", upstream) for _ in range(10)))
    assert upstream.calls == 1
    _, scope = await answered(cache, upstream)
    assert (upstream.calls, scope.is_stale) == (2, False)
    assert await cache.kept_many(["key"]) == [None]
    assert await cache.backend.get("key") is None


async def test_entry_read_before_not_before_is_filled_again() -> None:
    cache, upstream, _ = a_cache()
    await cache.read("key", upstream)
    assert (await cache.read("key", upstream, not_before=cache.now())).value == b"2"
    assert (await cache.read("key", upstream)).value == b"2"


async def test_flight_that_left_before_not_before_is_not_enough() -> None:
    cache, upstream, _ = a_cache()
    early = asyncio.ensure_future(cache.read("key", upstream))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    late = await cache.read("key", upstream, not_before=cache.now())
    assert ((await early).value, late.value) == (b"1", b"2")


async def test_errors_are_not_stored() -> None:
    cache, upstream, _ = a_cache()
    upstream.error = UpstreamUnavailable("down")
    with pytest.raises(UpstreamUnavailable):
        await cache.read("key", upstream)
    upstream.error = None
    assert (await cache.read("key", upstream)).value == b"2"


async def test_no_two_reads_share_a_time() -> None:
    cache, _, _ = a_cache()
    times = [cache.now() for _ in range(1000)]
    assert len(set(times)) == 1000
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("age", "use"),
    [
        (-16, None),  # from a clock that goes wrong
        (-1, Use.FRESH),
        (14.9, Use.FRESH),
        (15, Use.WHILE_REVALIDATE),
        (74.9, Use.WHILE_REVALIDATE),
        (75, Use.IF_ERROR),
        (614.9, Use.IF_ERROR),
        (615, None),
    ],
)
def test_use_of_a_value_ends_in_steps(age: float, use: Use | None) -> None:
    lives = Lives(15.0, 60.0, 600.0)
    assert lives.use_at(age) is use
    assert lives.longest == 615.0


def test_entry_survives_as_bytes_and_other_bytes_are_a_miss() -> None:
    entry = Entry(1_800_000_000.123456, b"value")
    assert decode(encode(entry)) == entry
    assert decode(b"short") is None
    assert decode(encode(entry)[:-1]) is None
    assert decode(encode(entry).replace(b"value", b"eulav")) is None


async def test_backend_drops_the_least_recently_used_at_its_bound() -> None:
    backend = CacheBackend(3 * (ENTRY_OVERHEAD_BYTES + 100))
    await backend.set_many([(key, b"x" * 100) for key in "abc"])
    assert await backend.get("a") == b"x" * 100
    await backend.set_many([("d", b"y" * 100)])
    assert [value is not None for value in await backend.get_many(list("abcd"))] == [
        True,
        False,
        True,
        True,
    ]


async def test_value_larger_than_the_whole_cache_is_left_out() -> None:
    backend = CacheBackend(1000)
    await backend.set_many([("large", b"x" * 2000), ("small", b"y")])
    assert await backend.get_many(["large", "small"]) == [None, b"y"]
    assert backend.errors == 0


class Shared:
    """A tier whose values another process has filled; nothing is filled here."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        return [self.values.get(key) for key in keys]

    async def set_many(self, pairs: Sequence[tuple[str, bytes]], life_seconds: float) -> None:
        self.values.update(pairs)

    async def do_many(
        self,
        keys: Sequence[str],
        fill: Callable[[Sequence[str]], Awaitable[Mapping[str, bytes]]],
        is_enough: Callable[[bytes], bool],
    ) -> Mapping[str, bytes]:
        enough = {key: raw for key in keys if (raw := self.values.get(key)) and is_enough(raw)}
        return enough or await fill(keys)


def a_shared_cache() -> tuple[ReadThroughCache, Upstream, Clock, Shared]:
    clock, upstream, shared = Clock(), Upstream(), Shared()
    upstream.cache = ReadThroughCache(
        CacheBackend(1_000_000),
        LIVES,
        clock=clock,
        shared=shared,
        is_sound=lambda key, value: value != b"unsound",
    )
    return upstream.cache, upstream, clock, shared


@pytest.mark.parametrize(
    ("seconds", "value"),
    [
        (0.0, b"unsound"),
        (1e9, b"theirs"),
        (math.inf, b"theirs"),
        (-math.inf, b"theirs"),
        (math.nan, b"theirs"),
    ],
)
async def test_what_others_store_without_being_sound_is_a_miss(
    seconds: float, value: bytes
) -> None:
    cache, upstream, clock, shared = a_shared_cache()
    shared.values["key"] = encode(Entry(clock.seconds + seconds, value))
    assert await cache.kept_many(["key"], by_others=True) == [None]
    with pytest.raises(UpstreamUnavailable):
        await cache.in_place_of(UpstreamUnavailable("down"), "key")
    assert (await cache.read("key", upstream)).value == b"1"
    assert decode(shared.values["key"]) == (await cache.read("key", upstream))
    assert (upstream.calls, cache.misses, cache.hits) == (1, 1, 1)


async def test_what_another_process_has_just_filled_is_fresh_where_our_fill_fails() -> None:
    cache, upstream, clock, shared = a_shared_cache()
    shared.values["key"] = encode(Entry(clock.seconds, b"theirs"))
    entry = await cache.in_place_of(UpstreamUnavailable("down"), "key")
    assert (entry.value, entry.stale_for) == (b"theirs", None)
    assert upstream.calls == 0


async def test_what_others_read_does_not_make_up_for_our_refused_credentials() -> None:
    cache, upstream, clock, shared = a_shared_cache()
    await cache.read("key", upstream)
    upstream.error = UpstreamForbidden()
    clock.seconds += 20
    with pytest.raises(UpstreamForbidden):
        await cache.fill_many(["key"], upstream)
    shared.values["another"] = encode(Entry(clock.seconds, b"theirs"))
    assert (await cache.fill_many(["another"], upstream))["another"].value == b"theirs"
    with pytest.raises(UpstreamForbidden):  # ours is still refused, and stale values kept back
        await cache.read("key", upstream)
    upstream.error = None
    await cache.fill_many(["third"], upstream)
    assert (await cache.read("key", upstream)).value == b"1"
