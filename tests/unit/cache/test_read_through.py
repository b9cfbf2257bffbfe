import asyncio

import pytest

from gateway.cache.backend import ENTRY_OVERHEAD_BYTES, CacheBackend
from gateway.cache.read_through import Entry, ReadThroughCache
from gateway.errors import UpstreamUnavailable


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


class Upstream:
    """Answers b"1", b"2", … and counts."""

    def __init__(self, cache: ReadThroughCache) -> None:
        self.cache = cache
        self.calls = 0

    async def __call__(self) -> Entry:
        self.calls += 1
        read_at = self.cache.now()
        await asyncio.sleep(0)
        return Entry(read_at, str(self.calls).encode())


def a_cache(
    ttl_seconds: float = 15.0, maximum_bytes: int = 1_000_000
) -> tuple[ReadThroughCache, Upstream, Clock]:
    clock = Clock()
    cache = ReadThroughCache(CacheBackend(maximum_bytes), ttl_seconds=ttl_seconds, clock=clock)
    return cache, Upstream(cache), clock


async def test_entry_is_a_hit_until_its_age_reaches_its_life() -> None:
    cache, upstream, clock = a_cache()
    assert (await cache.read("key", upstream)).value == b"1"
    clock.seconds += 14.9
    assert (await cache.read("key", upstream)).value == b"1"
    clock.seconds += 0.2
    assert (await cache.read("key", upstream)).value == b"2"
    assert (cache.hits, cache.misses, cache.fills) == (1, 2, 2)


async def test_life_of_zero_keeps_nothing_but_still_coalesces() -> None:
    cache, upstream, _ = a_cache(ttl_seconds=0)
    await asyncio.gather(*(cache.read("key", upstream) for _ in range(10)))
    assert upstream.calls == 1
    await cache.read("key", upstream)
    assert upstream.calls == 2
    assert await cache.peek_many(["key"]) == [None]


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

    async def fail() -> Entry:
        raise UpstreamUnavailable("down")

    with pytest.raises(UpstreamUnavailable):
        await cache.read("key", fail)
    assert (await cache.read("key", upstream)).value == b"1"


async def test_no_two_reads_share_a_time() -> None:
    cache, _, _ = a_cache()
    times = [cache.now() for _ in range(1000)]
    assert len(set(times)) == 1000
    assert times == sorted(times)


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
