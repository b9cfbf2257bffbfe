"""The ASGI application of one gateway process."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette

from gateway.app.authentication import create_authentication
from gateway.app.composition import create_services
from gateway.app.readiness import readiness_of
from gateway.identity import Client
from gateway.lifecycle import Lifecycle, Stage
from gateway.logs import configure_logging
from gateway.schema import Context, Federation, Graph, Limits, build_graph
from gateway.settings import Settings, load_settings
from gateway.web import Readiness, Timing, create_web

log = logging.getLogger(__name__)


def create_app(
    settings: Settings,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], float] | None = None,
) -> Starlette:
    """Returns the ASGI application of one gateway process.

    `app.state.services` are its `Services`, `app.state.lifecycle` its stage, which the server sets.
    `transport` and `clock` are those of `create_services`. Raises `SettingsError` if nothing says
    who may ask for a real store's data.
    """
    services = create_services(settings, transport, clock)
    lifecycle = Lifecycle()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with services.running():
            lifecycle.advance(Stage.RUNNING)
            yield
            lifecycle.advance(Stage.STOPPING)
        log.info("stopped after %d upstream requests", services.client.requests)

    graph = create_graph(settings)

    def new_context(client: Client) -> Context:
        return Context(
            client,
            services.lists,
            services.segment_lookups,
            graph.sdl,
            rows_allowed=settings.max_rows_per_request,
            representations_allowed=settings.max_representations,
        )

    async def readiness() -> Readiness:
        return await readiness_of(services)

    app = create_web(
        schema_for=graph.schema_for,
        authenticate=create_authentication(settings, services.cache.now),
        new_context=new_context,
        timing=Timing(
            settings.request_timeout_seconds, settings.cache_ttl_seconds, services.cache.now
        ),
        lifecycle=lifecycle,
        readiness=readiness,
        lifespan=lifespan,
        max_body_bytes=settings.max_body_bytes,
        graphiql=(
            not settings.reads_real_store if settings.graphiql is None else settings.graphiql
        ),
    )
    app.state.services = services
    app.state.lifecycle = lifecycle
    return app


def app_from_environment() -> Starlette:
    """Returns the application for the environment: the workers' factory."""
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format)
    return create_app(settings)


def create_graph(settings: Settings) -> Graph:
    """Returns the graph for the settings: its limits, and its settings as a subgraph."""
    return build_graph(
        Limits(settings.max_query_tokens, settings.max_query_depth, settings.max_query_aliases),
        Federation(
            settings.subgraph_contact_name, settings.subgraph_contact_url, settings.subgraph_node
        ),
    )
