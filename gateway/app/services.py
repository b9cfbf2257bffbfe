"""Wires what lies below the graph in one running gateway, and owns its life."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from time import monotonic

import httpx

from gateway.bigcommerce.body import ACCEPTED_ENCODING
from gateway.bigcommerce.client import BigCommerceClient
from gateway.bigcommerce.limiter import MAXIMUM_IN_FLIGHT, RequestLimiter
from gateway.bigcommerce.protocol import LIST_SEGMENTS, LIST_SEGMENTS_BY_ID
from gateway.bigcommerce.upstream import Upstream
from gateway.cache.across import SharedFlights
from gateway.cache.backend import CacheBackend, RedisBackend
from gateway.cache.invalidations import Invalidations
from gateway.cache.lives import Lives
from gateway.cache.read_through import ReadThroughCache
from gateway.cache.redis_tier import RedisTier
from gateway.clock import NonDecreasingClock
from gateway.data_source import (
    LearnedLimits,
    SegmentLookups,
    SegmentReader,
    SegmentSource,
    StoredKeys,
)
from gateway.data_source.loader import SegmentLoader
from gateway.emulator import create_emulator, seeded_store
from gateway.redis.connection import RedisConnection, tls_context
from gateway.redis.keys import LAYOUT, key
from gateway.redis.leases import Leases
from gateway.settings import Settings

# The emulator inside the process: its address never leaves it, its token opens nothing else.
EMULATOR_URL = "http://emulator.localhost"
EMULATOR_STORE_HASH = "emulator"
EMULATOR_TOKEN = "emulator-token"  # noqa: S105 - see above

# Of the memory for cached answers; the rest is for blocks that are kept decoded.
STORED_SHARE = 0.75
# The collection that segments and the list of them are cached and invalidated as.
SEGMENTS = "segments"


@dataclass(frozen=True, slots=True)
class Services:
    """What lies below the graph in one running gateway; `cache` is that of the list's blocks."""

    http: httpx.AsyncClient
    redis: RedisConnection | None
    invalidations: Invalidations
    client: BigCommerceClient
    upstream: Upstream
    cache: ReadThroughCache
    rows_cache: ReadThroughCache
    segments: SegmentSource
    lookups: SegmentLookups
    segment_loader: SegmentLoader

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keeps connections open, and listens to what other processes tell."""
        try:
            async with self.http, self.invalidations:
                yield
        finally:
            if self.redis is not None:
                await self.redis.close()

    async def invalidate_segments(self) -> None:
        """Takes every segment and list that was read until now for out of date, in all replicas."""
        await self.invalidations.announce(SEGMENTS, self.cache.now())


def create_services(
    settings: Settings,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], float] | None = None,
) -> Services:
    """Wires the services below the graph; whoever calls runs them in `Services.running`.

    `transport` stands in for the network where it is given, `clock` tells seconds since the epoch,
    and never goes back.
    """
    # The quota is a matter of intervals: setting the wall clock must not move its reset.
    interval_clock = clock or monotonic
    clock = clock or NonDecreasingClock()
    store_hash = settings.store_hash or EMULATOR_STORE_HASH
    store_key = key(settings.redis_key_prefix, LAYOUT, store_hash)
    http = _http_client(settings, store_hash, transport)
    lives = Lives(
        settings.cache_ttl_seconds,
        settings.cache_stale_while_revalidate_seconds,
        settings.cache_stale_if_error_seconds,
    )
    redis = _redis(settings)
    client = BigCommerceClient(http)
    upstream = Upstream(
        RequestLimiter(client, interval_clock),
        clock,
        timeout_seconds=settings.request_timeout_seconds,
        reserve=settings.rate_limit_reserve,
    )
    invalidations = Invalidations(redis, store_key, keep_seconds=lives.longest, clock=clock)
    keys = StoredKeys(store_key, SEGMENTS)
    stored_bytes = int(settings.cache_max_bytes * STORED_SHARE)
    backend = CacheBackend(stored_bytes)
    shared = None if redis is None else _tier(redis, settings)

    def cache_of(operation: str) -> ReadThroughCache:
        """Returns what is filled by one operation: whether that fails says nothing of others."""
        return ReadThroughCache(
            backend,
            lives,
            clock=clock,
            shared=shared,
            reluctance=partial(upstream.reluctance, operation),
            invalidated_at=lambda: invalidations.invalidated_at(SEGMENTS),
            patience_seconds=settings.stale_patience_seconds,
            is_sound=keys.is_sound,
        )

    blocks, rows = cache_of(LIST_SEGMENTS), cache_of(LIST_SEGMENTS_BY_ID)
    limits = LearnedLimits(
        settings.upstream_page_size,
        blocks.now,
        upstream_fails=lambda: blocks.obstacle() is not None,
    )
    reader = SegmentReader()
    segments = SegmentSource(
        upstream,
        blocks,
        keys,
        limits,
        reader,
        name=f"segments of {store_hash}",
        decoded_bytes=settings.cache_max_bytes - stored_bytes if settings.cache_ttl_seconds else 0,
    )
    lookups = SegmentLookups(upstream, rows, keys, limits, reader, segments)
    loader = SegmentLoader(
        lookups,
        window_seconds=settings.lookup_window_milliseconds / 1000,
        patience_seconds=settings.stale_patience_seconds,
    )
    return Services(
        http, redis, invalidations, client, upstream, blocks, rows, segments, lookups, loader
    )


def _redis(settings: Settings) -> RedisConnection | None:
    if settings.redis_url is None:
        return None
    return RedisConnection(
        str(settings.redis_url.get_secret_value()),
        timeout_seconds=settings.redis_timeout_milliseconds / 1000,
        ca_file=settings.redis_ca_file,
        certificate_file=settings.redis_certificate_file,
        key_file=settings.redis_key_file,
    )


def _tier(redis: RedisConnection, settings: Settings) -> RedisTier:
    flights = SharedFlights(Leases(redis), patience_seconds=settings.request_timeout_seconds)
    return RedisTier(RedisBackend(redis), flights)


def _http_client(
    settings: Settings, store_hash: str, transport: httpx.AsyncBaseTransport | None
) -> httpx.AsyncClient:
    if settings.access_token is None:
        store = seeded_store(settings.emulator_segments)
        emulator = create_emulator(store, store_hash=store_hash, token=EMULATOR_TOKEN)
        transport = transport or httpx.ASGITransport(emulator)
        base, token = EMULATOR_URL, EMULATOR_TOKEN
    else:
        base = str(settings.upstream_url).rstrip("/")
        token = settings.access_token.get_secret_value()
    ca_file = settings.upstream_ca_file
    return httpx.AsyncClient(
        base_url=f"{base}/stores/{store_hash}/v3/",
        headers={
            "X-Auth-Token": token,
            "Accept": "application/json",
            "Accept-Encoding": ACCEPTED_ENCODING,
        },
        timeout=settings.request_timeout_seconds,
        limits=httpx.Limits(max_connections=MAXIMUM_IN_FLIGHT, max_keepalive_connections=None),
        transport=transport,
        verify=True if ca_file is None else tls_context(ca_file),
        # No proxy, no .netrc: nothing in the environment may send the token elsewhere.
        trust_env=False,
    )
