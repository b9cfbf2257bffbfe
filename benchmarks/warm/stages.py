"""`python -m benchmarks.warm.stages`: where the time of a warm page goes, in microseconds of CPU.

It calls the parts of a gateway one by one, without sockets; a table goes into docs/performance.md.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time
from typing import Any

import msgspec
import uvicorn
import uvloop
from starlette.applications import Starlette

from benchmarks.page import conditions, with_marked
from benchmarks.warm.works import WORKS
from gateway.app import create_app
from gateway.identity import Client
from gateway.pagination import connection_arguments, still_page
from gateway.server.connections import ConnectionsState
from gateway.server.protocol import HttpProtocol
from gateway.settings import load_settings
from gateway.web.front import Front
from gateway.web.ready_answers import OperationRequest

PAGE = Path("docs/performance.md")
ROUNDS, CALLS = 10, 1000
DOCUMENT = WORKS[0].document
BODY = msgspec.json.encode({"query": DOCUMENT, "variables": {}})
HEADERS = [
    (b"host", b"localhost"),
    (b"accept", b"application/json"),
    (b"content-type", b"application/json"),
    (b"content-length", b"%d" % len(BODY)),
]
REQUEST = b"POST /graphql HTTP/1.1\r\n%b\r\n%b" % (
    b"".join([b"%b: %b\r\n" % header for header in HEADERS]),
    BODY,
)


class Nowhere(asyncio.Transport):
    """A transport that writes nothing."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Returns the addresses of a connection on loopback."""
        return {"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)}.get(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Drops what is written."""

    def is_closing(self) -> bool:
        """It is open."""
        return False

    def get_write_buffer_size(self) -> int:
        """Nothing waits."""
        return 0


async def microseconds(call: Callable[[], Any], calls: int = CALLS) -> float:
    """Returns the least CPU time of a call, of several rounds; awaits what it returns."""
    least = float("inf")
    for _ in range(ROUNDS):
        began = process_time()
        for _ in range(calls):
            made = call()
            if asyncio.iscoroutine(made):
                await made
        least = min(least, process_time() - began)
    return least / calls * 1e6


async def stages() -> Sequence[tuple[str, float]]:
    """Returns what is done for a warm page of 50, and how long it takes."""
    settings = {"GATEWAY_CACHE_TTL_SECONDS": "3600", "GATEWAY_EMULATOR_SEGMENTS": "1000"}
    app = create_app(load_settings(settings))
    front: Front = app.answer_at_once.__self__  # type: ignore[attr-defined] # a method of it
    ready, services = front._ready, app.state.services

    async def send(_: Any) -> None:
        """Takes what is sent."""

    async def receive() -> Any:
        return {"type": "http.request", "body": BODY}

    def scope() -> dict[str, Any]:
        return {
            "type": "http",
            "method": "POST",
            "path": "/graphql",
            "root_path": "",
            "query_string": b"",
            "headers": HEADERS,
            "client": ("127.0.0.1", 1),
        }

    await app(scope(), receive, send)
    for _ in range(2):
        whole = front.answer_at_once(scope(), BODY)

    class Constant(Starlette):
        def answer_at_once(self, _scope: Any, _body: bytes) -> Any:
            return whole

    config = uvicorn.Config(Constant(), http=HttpProtocol, log_config=None, proxy_headers=False)
    config.load()
    connection = HttpProtocol(config=config, server_state=ConnectionsState(), app_state={})
    connection.connection_made(Nowhere())

    async def serve() -> None:
        connection.data_received(REQUEST)
        while not connection.cycle.response_complete:  # noqa: ASYNC110 - one turn is what it takes
            await asyncio.sleep(0)

    client = front._authentication.at_once(scope(), None) or Client("", frozenset())
    asked = OperationRequest("/graphql", BODY, "application/json", client, has_authorization=False)
    context = ready._new_context(client)
    source = services.segments
    arguments = connection_arguments(50, None, None, None, source.name)
    without_plans = create_app(load_settings(settings), plans=False)
    schema = without_plans._graphql._execution

    async def execute() -> None:
        graph = await schema.schema_for(DOCUMENT, client.name)
        await graph.execute(DOCUMENT, context_value=ready._new_context(client))

    await execute()
    key = asked.key
    return (
        ("server: parse the request, write an answer once", await microseconds(serve)),
        ("all of an answer from the response cache", await microseconds(
            lambda: front.answer_at_once(scope(), BODY))),
        ("· find it, and see that it is fresh", await microseconds(
            lambda: ready.responses.find(key, ready.now()))),
        ("parse the body", await microseconds(asked._parse)),
        ("all of a plan", await microseconds(
            lambda: ready._planned(DOCUMENT, None, {}, context))),
        ("· find the page in its blocks", await microseconds(
            lambda: still_page(source, arguments))),
        ("graphql-core's execution of the same operation", await microseconds(execute, 20)),
    )  # fmt: skip


def table(rows: Sequence[tuple[str, float]]) -> str:
    """Returns the table of the page."""
    lines = ["| stage | µs |", "|---|--:|"]
    lines += [f"| {name} | {duration:.1f} |" for name, duration in rows]
    return "\n".join(lines)


def main() -> None:
    """Measures, prints, and writes the table into the page."""
    text = f"On {conditions()}, the least of {ROUNDS} rounds.\n\n{table(uvloop.run(stages()))}"
    print(text)
    PAGE.write_text(with_marked(PAGE.read_text("utf-8"), "stages", text), "utf-8")


if __name__ == "__main__":
    main()
