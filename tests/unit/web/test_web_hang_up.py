import asyncio

import msgspec
import pytest
import strawberry
from bare_endpoint import bare_endpoint
from documents_in_memory import always
from starlette.requests import ClientDisconnect
from starlette.types import Message

from gateway.web import GraphQLEndpoint
from gateway.web.hang_up import UNWATCHED_SECONDS, unless_hung_up


class Client:
    """An ASGI client that sends one POST, and disconnects at `hangs_up`."""

    def __init__(self, document: str) -> None:
        body = msgspec.json.encode({"query": document})
        self._messages: list[Message] = [{"type": "http.request", "body": body}]
        self.hangs_up = asyncio.Event()
        self.was_noticed = asyncio.Event()
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        if self._messages:
            return self._messages.pop()
        await self.hangs_up.wait()
        self.was_noticed.set()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)


class Work:
    """Work that runs until `may_end`."""

    def __init__(self) -> None:
        self.is_begun = asyncio.Event()
        self.may_end = asyncio.Event()
        self.ended_as = "not at all"

    async def do(self) -> str:
        self.is_begun.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.ended_as = "cancelled"
            raise
        self.ended_as = "done"
        return self.ended_as


def endpoint(work: Work) -> GraphQLEndpoint:
    @strawberry.type
    class Query:
        @strawberry.field
        async def read(self) -> str:
            return await work.do()

    @strawberry.type
    class Mutation:
        @strawberry.mutation
        async def write(self) -> str:
            return await work.do()

    schema = strawberry.Schema(Query, Mutation)
    return bare_endpoint(always(schema), max_body_bytes=1000)


async def started(client: Client, work: Work) -> asyncio.Task[None]:
    headers = [(b"content-type", b"application/json")]
    scope: dict[str, object] = {
        "type": "http",
        "method": "POST",
        "path": "/graphql",
        "request_id": "r1",
        "headers": headers,
    }
    task = asyncio.create_task(endpoint(work)(scope, client.receive, client.send))
    await work.is_begun.wait()
    return task


async def test_query_is_cancelled_when_its_client_hangs_up() -> None:
    client, work = Client("{ read }"), Work()
    task = await started(client, work)
    client.hangs_up.set()
    await task
    assert work.ended_as == "cancelled"
    assert client.sent[0]["status"] == 499


async def test_mutation_runs_to_its_end_when_its_client_hangs_up() -> None:
    client, work = Client("mutation { write }"), Work()
    task = await started(client, work)
    client.hangs_up.set()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.was_noticed.wait(), 2 * UNWATCHED_SECONDS)
    work.may_end.set()
    await task
    assert work.ended_as == "done"
    assert client.sent[1]["body"] == b'{"data":{"write":"done"}}'


async def test_query_of_a_patient_client_is_answered() -> None:
    client, work = Client("{ read }"), Work()
    task = await started(client, work)
    work.may_end.set()
    await task
    assert client.sent[1]["body"] == b'{"data":{"read":"done"}}'


async def test_cancellation_by_the_server_is_raised() -> None:
    client, work = Client("{ read }"), Work()
    task = await started(client, work)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (work.ended_as, client.sent) == ("cancelled", [])


async def test_watcher_leaves_no_task_behind() -> None:
    async def gone() -> Message:
        return {"type": "http.disconnect"}

    with pytest.raises(ClientDisconnect):
        await unless_hung_up(gone, Work().do())
    assert asyncio.all_tasks() == {asyncio.current_task()}
