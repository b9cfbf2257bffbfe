"""The composition root: wires every part once, and owns their life."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from starlette.applications import Starlette

from gateway.bigcommerce.client import MAXIMUM_IN_FLIGHT, BigCommerceClient
from gateway.cache.backend import CacheBackend
from gateway.cache.lives import Lives
from gateway.cache.read_through import ReadThroughCache
from gateway.data_source import LearnedLimits, SegmentLookups, SegmentSource, StoredKeys
from gateway.emulator import create_emulator, seeded_store
from gateway.errors import GatewayError, UpstreamForbidden
from gateway.lifecycle import Lifecycle, Stage
from gateway.loaders import SegmentLoader
from gateway.logs import configure_logging
from gateway.pagination import read_total
from gateway.schema import Context, Federation, Graph, Limits, build_graph
from gateway.settings import Settings, load_settings
from gateway.steady_time import SteadyTime
from gateway.web import Readiness, Timing, create_web

# The emulator inside the process: its address never leaves it, its token opens nothing else.
EMULATOR_URL = "http://emulator.localhost"
EMULATOR_STORE_HASH = "emulator"
EMULATOR_TOKEN = "emulator-token"  # noqa: S105 - see above

# Of the memory for cached answers; the rest is for blocks that are kept decoded.
STORED_SHARE = 0.75

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What lies below the graph in one running gateway."""

    http: httpx.AsyncClient
    client: BigCommerceClient
    cache: ReadThroughCache
    segments: SegmentSource
    lookups: SegmentLookups
    segment_loader: SegmentLoader


def create_parts(
    settings: Settings,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], float] | None = None,
) -> Parts:
    """Wires the parts below the graph; whoever calls closes `http`.

    `transport` stands in for the network where it is given, `clock` tells seconds, and never
    goes back.
    """
    store_hash = settings.store_hash or EMULATOR_STORE_HASH
    http = _http_client(settings, store_hash, transport)
    client = BigCommerceClient(http, timeout_seconds=settings.request_timeout_seconds)
    stored_bytes = int(settings.cache_max_bytes * STORED_SHARE)
    lives = Lives(
        settings.cache_ttl_seconds,
        settings.cache_stale_while_revalidate_seconds,
        settings.cache_stale_if_error_seconds,
    )
    clock = clock or SteadyTime()
    cache = ReadThroughCache(CacheBackend(stored_bytes), lives, clock=clock)
    keys = StoredKeys(store_hash)
    limits = LearnedLimits(settings.upstream_page_size, cache.now)
    segments = SegmentSource(
        client,
        cache,
        keys,
        limits,
        name=f"segments of {store_hash}",
        decoded_bytes=settings.cache_max_bytes - stored_bytes if settings.cache_ttl_seconds else 0,
    )
    lookups = SegmentLookups(client, cache, keys, limits, segments)
    loader = SegmentLoader(lookups, window_seconds=settings.lookup_window_milliseconds / 1000)
    return Parts(http, client, cache, segments, lookups, loader)


def create_app(
    settings: Settings,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], float] | None = None,
) -> Starlette:
    """Returns the ASGI application of one gateway process.

    `app.state.parts` are its `Parts`; by `app.state.lifecycle` the server tells it of its end.
    `transport` and `clock` are those of `create_parts`.
    """
    parts = create_parts(settings, transport, clock)
    lifecycle = Lifecycle()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with parts.http:
            lifecycle.advance(Stage.RUNNING)
            yield
            lifecycle.advance(Stage.STOPPING)
        log.info("stopped after %d upstream requests", parts.client.requests)

    graph = create_graph(settings)

    def new_context() -> Context:
        return Context(
            parts.segments,
            parts.segment_loader,
            graph.sdl,
            rows_allowed=settings.max_rows_per_request,
            representations_allowed=settings.max_representations,
        )

    async def readiness() -> Readiness:
        """Tells of the parts; that the process starts or drains is told without it."""
        return Readiness(
            True,
            {"upstream": "emulator" if settings.uses_emulator else "store", "cache": "memory"},
        )

    app = create_web(
        schema_for=graph.schema_for,
        new_context=new_context,
        timing=Timing(
            settings.request_timeout_seconds, settings.cache_ttl_seconds, parts.cache.now
        ),
        lifecycle=lifecycle,
        readiness=readiness,
        lifespan=lifespan,
        max_body_bytes=settings.max_body_bytes,
        graphiql=settings.graphiql,
    )
    app.state.parts = parts
    app.state.lifecycle = lifecycle
    return app


def app_from_environment() -> Starlette:
    """Returns the application that the environment describes: the workers' factory."""
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format)
    return create_app(settings)


def create_graph(settings: Settings) -> Graph:
    """Returns the graph that the settings describe: its limits, and what it is as a subgraph."""
    return build_graph(
        Limits(settings.max_query_tokens, settings.max_query_depth, settings.max_query_aliases),
        Federation(
            settings.subgraph_contact_name, settings.subgraph_contact_url, settings.subgraph_node
        ),
    )


async def check(
    settings: Settings, transport: httpx.AsyncBaseTransport | None = None
) -> tuple[bool, str]:
    """Reads the upstream once; returns whether all is well, and a sentence that says so."""
    parts = create_parts(settings, transport)
    upstream = settings.upstream_name()
    async with parts.http:
        try:
            total = await read_total(parts.segments)
        except UpstreamForbidden:
            return False, (
                f"{upstream}: the API refused the token. GATEWAY_ACCESS_TOKEN has to be of the "
                "store that GATEWAY_STORE_HASH names, with the scope store_v2_customers_read_only."
            )
        except GatewayError as error:
            return False, f"{upstream}: {error.message}"
    quota = parts.client.rate_limit
    left = (
        "no quota was told"
        if quota is None
        else f"{quota.requests_left} of {quota.requests_quota} requests are left "
        f"for the next {quota.resets_in:.0f} seconds"
    )
    await parts.cache.backend.set_many([("check", b"1")])
    is_kept = await parts.cache.backend.get("check") == b"1"
    cache = "memory, and works" if is_kept else "memory, and does not keep what it is given"
    return is_kept, f"{upstream} answers: {total} segments; {left}; the cache is {cache}."


def _http_client(
    settings: Settings, store_hash: str, transport: httpx.AsyncBaseTransport | None
) -> httpx.AsyncClient:
    if settings.access_token is None:
        store = seeded_store(settings.emulator_segments)
        emulator = create_emulator(store, store_hash=store_hash, token=EMULATOR_TOKEN)
        transport = transport or httpx.ASGITransport(emulator)
        base, token = EMULATOR_URL, EMULATOR_TOKEN
    else:
        base, token = settings.upstream_url, settings.access_token.get_secret_value()
    return httpx.AsyncClient(
        base_url=f"{base}/stores/{store_hash}/v3/",
        headers={"X-Auth-Token": token, "Accept": "application/json"},
        timeout=settings.request_timeout_seconds,
        limits=httpx.Limits(max_connections=MAXIMUM_IN_FLIGHT, max_keepalive_connections=None),
        transport=transport,
        # No proxy, no .netrc: nothing in the environment may send the token elsewhere.
        trust_env=False,
    )
