"""Two gateways over equal stores, one of which executes each document: their answers are equal."""

import asyncio
import inspect
import json
from collections import Counter
from collections.abc import MutableMapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from clock import Clock
from in_process import InProcess, in_process
from operation_values import ROWS
from operations import Operation
from starlette.requests import Request

from gateway.app import create_app
from gateway.emulator import Fault, SegmentRow, Store
from gateway.emulator.faults import Rule
from gateway.identity import ALL_SCOPES, AccessScope, Client

HAS_PLANS = "plans" in inspect.signature(create_app).parameters
# More than every timeout of a request: what runs in the background has ended.
QUIET_SECONDS = 100.0
# No sum of waits comes near a whole second, where ages and freshness change.
FRACTION = 0.0137
DAY = "2024-05-01T10:00:00Z"
CLIENTS = {
    "all": ALL_SCOPES,
    "another with all": ALL_SCOPES,
    "reader": frozenset({AccessScope.SEGMENTS_READ}),
    "router": frozenset({AccessScope.FEDERATION}),
    "nothing": frozenset[AccessScope](),
}
JSON, GRAPHQL_RESPONSE = "application/json", "application/graphql-response+json"
COMPARED_HEADERS = ("content-type", "age", "cache-status", "vary", "x-request-id")


async def named_by_a_header(request: Request) -> Client:
    """Returns the client that the header `X-Client` names."""
    name = request.headers["x-client"]
    return Client(name, CLIENTS[name])


@dataclass(frozen=True)
class Ask:
    """One HTTP request, sent several times."""

    operation: Operation
    client: str = "all"
    method: Literal["POST", "GET"] = "POST"
    accept: str = JSON
    indent: int | None = None
    times: int = 1


@dataclass(frozen=True)
class Wait:
    """Seconds pass."""

    seconds: int


@dataclass(frozen=True)
class Fail:
    """The upstream answers with a fault from now on, `seconds` late; None: it is healthy."""

    fault: Fault | None
    status: int | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Change:
    """Rows of the store change, from the one at `at` on."""

    kind: Literal["delete", "insert", "rename", "move"]
    at: int
    rows: int = 1


@dataclass(frozen=True)
class Invalidate:
    """A write to the list is announced."""


@dataclass(frozen=True)
class Clamp:
    """The upstream gives at most so many rows to a page."""

    rows: int


Step = Ask | Wait | Fail | Change | Invalidate | Clamp


@dataclass(frozen=True)
class Received:
    """One answer as it came over ASGI."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def compared(self) -> tuple[int, dict[str, str | None], bytes]:
        """What two gateways answer alike: of the headers, those that are about the answer."""
        return self.status, {n: self.headers.get(n) for n in COMPARED_HEADERS}, self.body

    @property
    def cache(self) -> dict[str, Any] | None:
        """The extension `cache`, None if the answer has none."""
        answer = json.loads(self.body)
        found: dict[str, Any] | None = answer.get("extensions", {}).get("cache")
        return found


async def receive_answer(gateway: InProcess, ask: Ask) -> Received:
    """Sends a request to the application without a client library between, and returns the answer.

    It returns once nothing runs in the background, in virtual time.
    """
    operation = ask.operation
    fields: dict[str, object] = {"query": operation.document}
    if operation.variables:
        fields["variables"] = operation.variables
    if operation.name is not None:
        fields["operationName"] = operation.name
    query = body = b""
    if ask.method == "POST":
        body = json.dumps(fields, indent=ask.indent).encode()
    else:
        texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in fields.items()}
        query = urlencode(texts).encode()
    headers = {
        "host": "localhost",
        "accept": ask.accept,
        "x-client": ask.client,
        "x-request-id": "twin",
        "content-type": JSON,
        "content-length": str(len(body)),
    }
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": ask.method,
        "scheme": "http",
        "path": "/graphql",
        "raw_path": b"/graphql",
        "query_string": query,
        "root_path": "",
        "headers": [(name.encode(), text.encode()) for name, text in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    incoming = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        if incoming:
            return incoming.pop()
        await asyncio.Event().wait()  # the client stays
        raise AssertionError

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await asyncio.create_task(gateway.app(scope, receive, send))
    await asyncio.sleep(QUIET_SECONDS)
    return Received(
        sent[0]["status"],
        {name.decode(): text.decode() for name, text in sent[0]["headers"]},
        b"".join(message["body"] for message in sent[1:]),
    )


def new_gateway(clock: Clock, *, plans: bool = True, **settings: str) -> InProcess:
    """Returns a gateway over a store of its own, whose clients a header names."""
    if HAS_PLANS:
        settings = {"RESPONSE_CACHE_MAX_BYTES": str(2**24 if plans else 0), **settings}
    return in_process(
        Store([*ROWS]),
        clock=clock,
        authenticate=named_by_a_header,
        plans=plans,
        ALLOW_GET_DOCUMENTS="true",
        INTROSPECTION="true",
        **settings,
    )


class Twins:
    """A gateway with plans and a response cache, and one that has neither.

    Each step is done to both. Raises `AssertionError` where they answer an `Ask` differently, or
    have sent other requests upstream.
    """

    def __init__(self, **settings: str) -> None:
        self.clock = Clock()
        self.planning = new_gateway(self.clock, **settings)
        self.executing = new_gateway(self.clock, plans=False, **settings)
        self.answers = 0
        self._inserted = 0

    async def do(self, step: Step) -> None:
        """Does one step to both gateways, or to their stores."""
        self.clock.advance(FRACTION)
        match step:
            case Ask():
                for _ in range(step.times):
                    await self._compare(step)
            case Wait():
                self.clock.advance(step.seconds)
            case Change():
                self._inserted += 1
                for gateway in self._both():
                    change_rows(gateway.emulator.store, step, self._inserted)
            case _:
                for gateway in self._both():
                    await _do(gateway, step)

    def counts(self) -> Counter[str]:
        """Returns how the gateway with plans answered: cached, planned, executed."""
        return counts_of(self.planning)

    def _both(self) -> tuple[InProcess, InProcess]:
        return self.planning, self.executing

    async def _compare(self, ask: Ask) -> None:
        self.answers += 1
        planned = await receive_answer(self.planning, ask)
        executed = await receive_answer(self.executing, ask)
        assert planned.compared == executed.compared
        assert sorted(self.planning.sent) == sorted(self.executing.sent)
        for gateway in self._both():
            gateway.sent.clear()


def counts_of(gateway: InProcess) -> Counter[str]:
    """Returns how a gateway answered: cached, planned, executed."""
    answers = getattr(gateway.app.state, "answers", None)
    return Counter({n: getattr(answers, n, 0) for n in ("cached", "planned", "executed")})


async def _do(gateway: InProcess, step: Fail | Invalidate | Clamp) -> None:
    emulator = gateway.emulator
    match step:
        case Fail():
            emulator.faults.clear()
            emulator.latency_seconds = step.seconds
            if step.fault is not None:
                emulator.faults.rules.append(Rule(step.fault, status=step.status))
        case Invalidate():
            services = gateway.services
            await services.invalidations.announce("segments", services.cache.now())
        case Clamp():
            emulator.max_limit = step.rows


def change_rows(store: Store, change: Change, number: int) -> None:
    """Changes rows of a store; `number` makes ids and names that no other change makes."""
    at = change.at % (len(store.segments) + 1)
    until = at + change.rows
    rows = store.segments[at:until]
    match change.kind:
        case "delete":
            store.delete([row.id for row in rows])
        case "insert":
            for place in range(change.rows):
                row_id = str(UUID(int=number * 1000 + place, version=4))
                store.insert(SegmentRow(row_id, f"New {row_id}", None, DAY, DAY), at)
        case "rename":
            store.segments[at:until] = [
                replace(row, name=f'{row.name} "{number}"\n\u2028', updated_at=DAY) for row in rows
            ]
        case "move":
            del store.segments[at:until]
            store.segments.extend(rows)
