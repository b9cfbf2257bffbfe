"""The ASGI application of one gateway process."""

import gc
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette

from gateway.app.authentication import create_authentication
from gateway.app.composition import create_services
from gateway.app.readiness import readiness_of
from gateway.app.telemetry import Telemetry, create_telemetry
from gateway.at_once import AnswerAtOnce, no_answer
from gateway.identity import Client
from gateway.instrumentation import OFF, Instrumentation
from gateway.lifecycle import Lifecycle, Stage
from gateway.logs import configure_logging
from gateway.schema import (
    NO_TRUSTED_DOCUMENTS,
    Context,
    Federation,
    Graph,
    InvalidManifest,
    Limits,
    TrustedDocuments,
    WriteAllowance,
    WriteLimits,
    build_graph,
    load_trusted_documents,
)
from gateway.settings import Settings, SettingsError, load_settings
from gateway.web import (
    Answers,
    Authenticate,
    Authentication,
    Browsers,
    DocumentsByHash,
    Endpoint,
    Front,
    GraphQLEndpoint,
    HttpCaching,
    OperationExecution,
    Readiness,
    ReadyAnswers,
    ResponseCache,
    Web,
    for_operators,
    metrics,
    status_endpoints,
)

log = logging.getLogger(__name__)


def create_app(
    settings: Settings,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], float] | None = None,
    authenticate: Authenticate | None = None,
    *,
    plans: bool = True,
    address: str | None = None,
) -> Web:
    """Returns the ASGI application of one gateway process.

    `app.state.services` are its `Services`, `app.state.lifecycle` its stage, which the server sets,
    `app.state.telemetry` its `Telemetry`, `app.state.answers` its `AnswerCounts`,
    `app.state.response_cache` its `ResponseCache`.
    `transport` and `clock` are those of `create_services`; `authenticate` replaces the settings'
    way to name the client of a request if it is given. Without `plans`, graphql-core executes each
    operation: tests and benchmarks compare the two. `address` is what the gateway listens on, if it
    does. Raises `SettingsError` if nothing says who may ask for a real store's data, or the
    manifest of trusted documents cannot be used.
    """
    telemetry = create_telemetry(settings, address)
    services = create_services(settings, transport, clock, telemetry.instrumentation)
    lifecycle = Lifecycle()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with (
            telemetry.exporting(),
            services.running(),
            telemetry.running(services, ready),
        ):
            # What lives as long as the process is no garbage: searching all of it takes 40 ms.
            gc.collect()
            gc.freeze()
            lifecycle.advance(Stage.RUNNING)
            yield
            lifecycle.advance(Stage.STOPPING)
        log.info("stopped after %d upstream requests", services.client.requests)

    graph = create_graph(settings, telemetry.instrumentation)
    documents = DocumentsByHash(
        trusted_documents(settings, graph),
        None if settings.trusted_documents_only else services.persisted_documents,
    )

    write_limits = WriteLimits(
        settings.max_segments_per_mutation,
        settings.max_customers_per_mutation,
        settings.allow_deletes,
    )

    def new_context(client: Client) -> Context:
        return Context(
            client,
            services.lists,
            services.segment_lookups,
            services.customers,
            services.writes,
            graph.sdl,
            rows_allowed=settings.max_rows_per_request,
            representations_allowed=settings.max_representations,
            lists_allowed=settings.max_lists_per_request,
            turns=graph.turns,
            allowance=WriteAllowance(write_limits),
        )

    async def readiness() -> Readiness:
        return await readiness_of(services)

    authenticate = authenticate or create_authentication(settings, services.cache.now)
    answers = Answers(
        HttpCaching(
            settings.cache_ttl_seconds,
            shared=settings.shared_caches,
        )
    )
    ready = ReadyAnswers(
        ResponseCache(
            settings.response_cache_max_bytes,
            settings.cache_ttl_seconds,
            services.lists.changed_at,
        ),
        graph.planned if plans else _no_plan,
        graph.documents.operation,
        documents,
        new_context,
        answers,
        services.cache.now,
    )
    get_documents = settings.by_default_on_the_emulator(settings.allow_get_documents)
    graphql = GraphQLEndpoint(
        ready,
        OperationExecution(graph.schema_for),
        graph.documents.operation,
        documents,
        authenticate,
        new_context,
        answers,
        answer_seconds=settings.request_timeout_seconds,
        max_body_bytes=settings.max_body_bytes,
        graphiql=settings.by_default_on_the_emulator(settings.graphiql),
        get_documents=get_documents,
        instrumentation=telemetry.instrumentation,
    )

    def front(browsers: Browsers) -> AnswerAtOnce:
        if not isinstance(authenticate, Authentication):
            return no_answer
        return Front(
            ready,
            authenticate,
            browsers,
            max_body_bytes=settings.max_body_bytes,
            get_documents=get_documents,
            instrumentation=telemetry.instrumentation,
        ).answer_at_once

    app = Web(
        graphql,
        lifecycle=lifecycle,
        readiness=readiness,
        lifespan=lifespan,
        graphiql=settings.by_default_on_the_emulator(settings.graphiql),
        allowed_hosts=settings.allowed_hosts.split(","),
        cors_origins=settings.cors_origins.split(",") if settings.cors_origins else (),
        front=front,
        operators=_for_operators(settings, telemetry, authenticate),
    )
    app.state.answers = ready.counts
    app.state.response_cache = ready.responses
    app.state.services = services
    app.state.telemetry = telemetry
    app.state.lifecycle = lifecycle
    return app


def _for_operators(
    settings: Settings, telemetry: Telemetry, authenticate: Authenticate
) -> dict[str, Endpoint]:
    """Returns the endpoints for operators by path."""
    endpoints: dict[str, Endpoint] = {}
    if (counted := telemetry.metrics) is not None and settings.metrics:
        endpoint = metrics(lambda: counted.before_reading(), counted.exposition)
        endpoints["/metrics"] = for_operators(authenticate, endpoint)
    if telemetry.history is not None:
        endpoints |= status_endpoints(authenticate, telemetry.history.since)
    return endpoints


def _no_plan(*_: object) -> None:
    """Has no answer to any operation."""


def app_from_environment(address: str | None = None) -> Starlette:
    """Returns the application for the environment: the workers' factory.

    Exits with status 2 if the manifest of trusted documents has become one that cannot be used.
    """
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format)
    try:
        return create_app(settings, address=address)
    except SettingsError as error:
        log.error("this worker cannot start: %s", error)
        sys.exit(2)


def create_graph(settings: Settings, instrumentation: Instrumentation = OFF) -> Graph:
    """Returns the graph for the settings: its limits, and its settings as a subgraph."""
    return build_graph(
        Limits(settings.max_query_tokens, settings.max_query_depth, settings.max_query_aliases),
        Federation(
            settings.subgraph_contact_name,
            settings.subgraph_contact_url,
            settings.subgraph_node,
            settings.subgraph_scopes,
            settings.subgraph_payload_query,
        ),
        introspection=settings.by_default_on_the_emulator(settings.introspection),
        instrumentation=instrumentation,
    )


def trusted_documents(settings: Settings, graph: Graph) -> TrustedDocuments:
    """Returns the documents of the settings' manifest, after adding them to the graph.

    Raises `SettingsError` if there is one that cannot be used.
    """
    file = settings.trusted_documents_file
    if file is None:
        return NO_TRUSTED_DOCUMENTS
    try:
        return load_trusted_documents(file.read_bytes(), graph)
    except OSError as error:
        raise SettingsError(f"GATEWAY_TRUSTED_DOCUMENTS_FILE: {error.strerror}.") from error
    except InvalidManifest as error:
        raise SettingsError(f"GATEWAY_TRUSTED_DOCUMENTS_FILE: {error}") from error
