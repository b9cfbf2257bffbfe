"""Creates the services below the graph: upstream, cache, Redis and lists."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from time import monotonic
from typing import TYPE_CHECKING

import httpx

from gateway.bigcommerce.body import ACCEPTED_ENCODING
from gateway.bigcommerce.client import BigCommerceClient
from gateway.bigcommerce.limiter import MAXIMUM_IN_FLIGHT, RequestLimiter
from gateway.bigcommerce.models import Segment
from gateway.bigcommerce.operations import Upstream
from gateway.cache.invalidations import Invalidations
from gateway.cache.memory import Memory
from gateway.cache.policy import CachePolicy
from gateway.cache.read_through import ReadThroughCache
from gateway.cache.shared_store import SharedStore
from gateway.clock import NonDecreasingClock
from gateway.data_source import (
    ALL_SEGMENTS,
    Customers,
    LearnedLimits,
    Lists,
    ListSource,
    Lookups,
)
from gateway.data_source.writes import Writes
from gateway.emulator import create_emulator, seeded_store
from gateway.instrumentation import OFF, Instrumentation
from gateway.redis.keys import LAYOUT, key
from gateway.redis.lock import SharedLocks
from gateway.redis.signer import Signer
from gateway.redis.tls import tls_context
from gateway.schema import PersistedDocuments
from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.redis.connection import RedisConnection

# The emulator inside the process: its address never leaves it, its token opens nothing else.
EMULATOR_URL = "http://emulator.localhost"
EMULATOR_STORE_HASH = "emulator"
EMULATOR_TOKEN = "emulator-token"  # noqa: S105 - see above


@dataclass(frozen=True, slots=True)
class Services:
    """The services below the graph in one running gateway."""

    http: httpx.AsyncClient
    redis: "RedisConnection | None"
    invalidations: Invalidations
    client: BigCommerceClient
    upstream: Upstream
    cache: ReadThroughCache
    lists: Lists
    segment_lookups: Lookups[Segment]
    customers: Customers
    writes: Writes
    persisted_documents: PersistedDocuments

    @property
    def segments(self) -> ListSource[Segment]:
        """The list of all segments."""
        return self.lists.of(ALL_SEGMENTS)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keeps connections open, and follows the writes of other processes."""
        try:
            async with self.http, self.invalidations:
                try:
                    yield
                finally:
                    await self.writes.running.finish(self.upstream.timeout_seconds)
        finally:
            if self.redis is not None:
                await self.redis.close()


def create_services(
    settings: Settings,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], float] | None = None,
    instrumentation: Instrumentation = OFF,
) -> Services:
    """Creates and connects the services below the graph; the caller enters `Services.running`.

    `transport` replaces the network if it is given. `clock` returns seconds since the epoch, and
    never goes back.
    """
    # The quota counts intervals: a change of the wall clock must not move its reset.
    interval_clock = clock or monotonic
    clock = clock or NonDecreasingClock()
    store_hash = settings.store_hash or EMULATOR_STORE_HASH
    store_key = key(settings.redis_key_prefix, LAYOUT, store_hash)
    policy = CachePolicy(
        settings.cache_ttl_seconds,
        settings.cache_stale_while_revalidate_seconds,
        settings.cache_stale_if_error_seconds,
    )
    token = _token_of(settings)
    http = _http_client(settings, store_hash, token, transport)
    client = BigCommerceClient(http, instrumentation)
    upstream = Upstream(
        client,
        RequestLimiter(
            interval_clock,
            reserve=settings.rate_limit_reserve,
            per_client=settings.rate_limit_per_client,
        ),
        clock,
        timeout_seconds=settings.request_timeout_seconds,
    )
    redis = _redis(settings)
    signer = Signer(token)
    memory = Memory(settings.cache_max_bytes)
    invalidations = Invalidations(
        redis,
        store_key,
        signer=signer,
        keep_seconds=policy.max_age,
        clock=clock,
        row_written=memory.outdate,
    )
    cache = ReadThroughCache(
        policy,
        memory,
        upstream,
        clock=clock,
        patience_seconds=settings.stale_patience_seconds,
        written_at=invalidations.written_at,
        rows_written=invalidations.rows_written,
        shared=None if redis is None else SharedStore(redis, policy.max_age, signer),
        locks=None if redis is None else SharedLocks(redis, seconds=upstream.attempt_seconds),
    )
    limits = LearnedLimits(settings.upstream_page_size, cache.now)
    lists = Lists(upstream, cache, limits, store_hash=store_hash, store_key=store_key)
    window_seconds = settings.lookup_window_milliseconds / 1000
    segment_lookups = Lookups(
        ALL_SEGMENTS, lists, window_seconds=window_seconds, instrumentation=instrumentation
    )
    customers = Customers(lists, window_seconds=window_seconds, instrumentation=instrumentation)
    persisted_documents = PersistedDocuments(redis, store_key, interval_clock)
    return Services(
        http,
        redis,
        invalidations,
        client,
        upstream,
        cache,
        lists,
        segment_lookups,
        customers,
        Writes(
            lists,
            segment_lookups,
            invalidations,
            batch_segments=settings.write_batch_segments,
            batch_profiles=settings.write_batch_profiles,
        ),
        persisted_documents,
    )


def _token_of(settings: Settings) -> str:
    token = settings.access_token
    return EMULATOR_TOKEN if token is None else token.get_secret_value()


def _redis(settings: Settings) -> "RedisConnection | None":
    if settings.redis_url is None:
        return None
    # Here, because only a gateway with Redis pays for the import of its client.
    from gateway.redis.connection import RedisConnection

    return RedisConnection(
        str(settings.redis_url.get_secret_value()),
        timeout_seconds=settings.redis_timeout_milliseconds / 1000,
        ca_file=settings.redis_ca_file,
        certificate_file=settings.redis_certificate_file,
        key_file=settings.redis_key_file,
    )


def _http_client(
    settings: Settings, store_hash: str, token: str, transport: httpx.AsyncBaseTransport | None
) -> httpx.AsyncClient:
    if settings.access_token is None:
        store = seeded_store(settings.emulator_segments)
        emulator = create_emulator(store, store_hash=store_hash, token=EMULATOR_TOKEN)
        transport = transport or httpx.ASGITransport(emulator)
        base = EMULATOR_URL
    else:
        base = str(settings.upstream_url).rstrip("/")
    ca_file = settings.upstream_ca_file
    return httpx.AsyncClient(
        base_url=f"{base}/stores/{store_hash}/v3/",
        headers={
            "X-Auth-Token": token,
            "Accept": "application/json",
            "Accept-Encoding": ACCEPTED_ENCODING,
        },
        # Cookies are neither kept nor sent.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        timeout=None,  # noqa: S113 - the client bounds each request
        limits=httpx.Limits(max_connections=MAXIMUM_IN_FLIGHT, max_keepalive_connections=None),
        transport=transport,
        verify=True if ca_file is None else tls_context(ca_file),
        # No proxy, no .netrc: nothing in the environment may send the token elsewhere.
        trust_env=False,
    )
