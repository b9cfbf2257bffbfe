"""A whole gateway in the test's process, over an emulator that the test holds in its hands."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.app import Services, create_app
from gateway.emulator import Store, create_emulator, seeded_store
from gateway.emulator.app import Emulator
from gateway.settings import load_settings
from gateway.web import Authenticate, Web


class EmulatedWire(httpx.ASGITransport):
    """Gives a connection that the emulator breaks as httpx gives one that broke on the way."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises `httpx.ReadError` where the connection breaks."""
        try:
            return await super().handle_async_request(request)
        except ConnectionResetError as error:
            raise httpx.ReadError(str(error), request=request) from error


# GraphQL answers are as deep and as wide as the query: a test that reads one knows its shape.
Answer = dict[str, Any]

PAGE = """
query Page($first: Int, $after: String, $last: Int, $before: String) {
  segments(first: $first, after: $after, last: $last, before: $before) {
    totalCount
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node { entityId } }
  }
}
"""


@dataclass
class InProcess:
    """The gateway, its emulator, and a client that asks it over HTTP without a socket.

    An upstream request whose query holds `refused_text` is answered with 422. The emulator does not
    see `ignored_text` in a query. `sent` has the method, the path and the query of each upstream
    request.
    """

    app: Web
    emulator: Emulator
    http: httpx.AsyncClient
    refused_text: str | None = None
    ignored_text: bytes = b""
    sent: list[tuple[str, str, bytes]] = field(default_factory=list)

    @property
    def services(self) -> Services:
        """What lies below the graph."""
        services = self.app.state.services
        assert isinstance(services, Services)
        return services

    @property
    def upstream_requests(self) -> int:
        """How many requests the emulator has got."""
        return self.emulator.requests.total()

    async def ask(self, query: str, **variables: object) -> Answer:
        """Returns the whole answer to a query."""
        response = await self.http.post(
            "/graphql", json={"query": query, "variables": variables}, timeout=60
        )
        answer: Answer = response.json()
        return answer

    async def data(self, query: str, **variables: object) -> Answer:
        """Returns the data of an answer without errors."""
        answer = await self.ask(query, **variables)
        assert "errors" not in answer, answer["errors"]
        data: Answer = answer["data"]
        return data

    async def page(self, **arguments: object) -> Answer:
        """Returns the `segments` of one page."""
        page: Answer = (await self.data(PAGE, **arguments))["segments"]
        return page

    async def walk(self, step: int, *, backward: bool = False) -> list[str]:
        """Pages through the whole list; checks `pageInfo` at every step; returns the ids."""
        ids: list[str] = []
        cursor = None
        while True:
            page = await self.page(
                **(
                    {"last": step, "before": cursor}
                    if backward
                    else {"first": step, "after": cursor}
                )
            )
            shown = [edge["node"]["entityId"] for edge in page["edges"]]
            ids = [*shown, *ids] if backward else [*ids, *shown]
            info = page["pageInfo"]
            behind, ahead = ("hasPreviousPage", "hasNextPage")
            if backward:
                behind, ahead = ahead, behind
            assert info[behind] is (len(ids) > len(shown))
            assert info[ahead] is (len(ids) < page["totalCount"])
            assert info["startCursor"] == (page["edges"][0]["cursor"] if shown else None)
            assert info["endCursor"] == (page["edges"][-1]["cursor"] if shown else None)
            if not info[ahead]:
                return ids
            cursor = info["startCursor" if backward else "endCursor"]


def in_process(
    store: Store | int = 1000,
    *,
    profiles: int = 400,
    max_limit: int = 250,
    over_limit: Literal["clamp", "refuse"] = "clamp",
    past_the_end: Literal["empty", "refuse"] = "empty",
    latency_seconds: float = 0.0,
    longest_query: int = 8000,
    too_long: int = 414,
    clock: Callable[[], float] = time.time,
    authenticate: Authenticate | None = None,
    plans: bool = True,
    **settings: str,
) -> InProcess:
    """Returns a gateway over an emulator of this store; a number seeds one of as many segments.

    A seeded store has this number of shopper `profiles`.

    A query string of more than `longest_query` bytes is answered with the status `too_long`.
    `authenticate` replaces the settings' way to name the client of a request. Without `plans`,
    graphql-core executes each operation. `settings` are variables without their prefix, such as
    `CACHE_TTL_SECONDS="0"`.
    """
    emulator = create_emulator(
        seeded_store(store, profiles) if isinstance(store, int) else store,
        store_hash="teststore",
        token="test-token",
        max_limit=max_limit,
        over_limit=over_limit,
        past_the_end=past_the_end,
        latency_seconds=latency_seconds,
        rate_limit_quota=1_000_000,
        clock=clock,
    )

    async def picky(scope: Scope, receive: Receive, send: Send) -> None:
        query = scope["query_string"]
        gateway.sent.append((scope["method"], scope["path"], query))
        if gateway.ignored_text:
            scope["query_string"] = query.replace(gateway.ignored_text, b"")
        answer: ASGIApp = emulator
        if len(query) > longest_query:
            answer = Response(status_code=too_long)
        elif gateway.refused_text is not None and gateway.refused_text.encode() in query:
            answer = Response(status_code=422)
        await answer(scope, receive, send)

    environment = {
        "STORE_HASH": "teststore",
        "ACCESS_TOKEN": "test-token",
        "UPSTREAM_URL": "http://localhost",
        **settings,
    }
    app = create_app(
        load_settings({f"GATEWAY_{name}": value for name, value in environment.items()}),
        EmulatedWire(picky),
        clock,
        authenticate,
        plans=plans,
    )
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://localhost", timeout=60
    )
    state = emulator.state.emulator
    assert isinstance(state, Emulator)
    gateway = InProcess(app, state, http)
    return gateway
