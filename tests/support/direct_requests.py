"""HTTP requests to a gateway in the test's process, without a client library in between."""

import asyncio
import json
from collections.abc import MutableMapping
from dataclasses import dataclass
from time import time
from typing import Any, Literal
from urllib.parse import urlencode

import msgspec
from in_process import InProcess
from operations import Operation
from starlette.types import Scope

from gateway.at_once import WholeAnswer
from gateway.identity import ALL_SCOPES, AccessScope, Client
from gateway.web.authentication import Authentication, Peers

# More than every timeout of a request: what runs in the background has ended.
QUIET_SECONDS = 100.0
CLIENTS = {
    "all": ALL_SCOPES,
    "another with all": ALL_SCOPES,
    "reader": frozenset({AccessScope.SEGMENTS_READ}),
    "router": frozenset({AccessScope.FEDERATION}),
    "nothing": frozenset[AccessScope](),
}
JSON, GRAPHQL_RESPONSE = "application/json", "application/graphql-response+json"


class NamedByHeader(Authentication):
    """The client of a request is the one that the header `X-Client` names."""

    def __init__(self) -> None:
        super().__init__(time, peers=Peers(), anonymous=ALL_SCOPES)

    def at_once(self, scope: Scope, authorization: bytes | None) -> Client:
        """Returns the client, without a wait."""
        name = dict(scope["headers"])[b"x-client"].decode()
        return Client(name, CLIENTS[name])


@dataclass(frozen=True)
class Ask:
    """One HTTP request, sent several times.

    The body of one that `is_whole` has come when the request begins: the gateway's own server takes
    an answer at once, if there is one.
    """

    operation: Operation
    client: str = "all"
    method: Literal["POST", "GET"] = "POST"
    accept: str = JSON
    indent: int | None = None
    times: int = 1
    is_whole: bool = True


@dataclass(frozen=True)
class Received:
    """One answer as it came over ASGI."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def compared(self) -> object:
        """What two gateways answer alike: all, byte by byte.

        Headers, cache tags, and the errors of fields that end at the same time may have any order.
        """
        tags = ",".join(sorted(self.headers.get("cache-tag", "").split(",")))
        headers = {**self.headers, "cache-tag": tags}
        if not self.body.startswith(b'{"errors":'):
            return self.status, headers, self.body
        answer = msgspec.json.decode(self.body, type=dict[str, msgspec.Raw])
        errors = msgspec.json.decode(answer.pop("errors"), type=list[msgspec.Raw])
        rest = [(name, bytes(value)) for name, value in answer.items()]
        return self.status, headers, sorted(map(bytes, errors)), rest

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
    scope: dict[str, object] = {
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

    async def answer() -> WholeAnswer | None:
        at_once = gateway.app.answer_at_once(scope, body) if ask.is_whole else None
        if at_once is None:
            await gateway.app(scope, receive, send)
        return at_once

    whole = await asyncio.create_task(answer())
    await asyncio.sleep(QUIET_SECONDS)
    if whole is not None:
        lines = whole.lines.decode("latin-1").removesuffix("\r\n").split("\r\n")
        head = [line.partition(": ")[::2] for line in lines]
        return Received(whole.status, dict(head), b"".join(whole.parts))
    head = [(name.decode(), text.decode()) for name, text in sent[0]["headers"]]
    body_sent = b"".join(message["body"] for message in sent[1:])
    return Received(sent[0]["status"], dict(head), body_sent)
