"""One client at full speed, and another one whose new ids are never refused."""

import asyncio
from uuid import UUID

import httpx
from clock import Clock, settle
from in_process import InProcess, in_process
from starlette.requests import Request

from gateway.identity import ALL_SCOPES, Client

ONE = "query($id: ID!) { segment(entityId: $id) { name } }"
MANY = "query($ids: [ID!]!) { segmentsByEntityId(entityIds: $ids) { name } }"


async def by_header(request: Request) -> Client:
    """The client that the header `X-Client` names."""
    return Client(request.headers["x-client"], ALL_SCOPES)


async def ask(gateway: InProcess, client: str, query: str, **variables: object) -> list[str]:
    """Returns the codes of the errors."""
    answer = await gateway.http.post(
        "/graphql", json={"query": query, "variables": variables}, headers={"X-Client": client}
    )
    assert answer.status_code == httpx.codes.OK
    return [error["extensions"]["code"] for error in answer.json().get("errors", ())]


def a_gateway(clock: Clock, ttl: str = "15") -> InProcess:
    gateway = in_process(
        1000,
        clock=clock,
        authenticate=by_header,
        CACHE_TTL_SECONDS=ttl,
        REQUEST_TIMEOUT_SECONDS="1",
    )
    gateway.emulator.window.quota = 150
    return gateway


async def test_client_at_full_speed_has_no_new_id_of_another_refused() -> None:
    """Without a cache, so that each lookup is a request: the worst case."""
    clock = Clock()
    gateway = a_gateway(clock, ttl="0")
    ids = [row.id for row in gateway.emulator.store.segments]
    made_up = iter(range(10**6))
    refused = 0
    for second in range(25):
        attacks = [
            ask(gateway, "attacker", MANY, ids=[str(UUID(int=next(made_up))) for _ in range(200)])
            for _ in range(20)
        ]
        victim = asyncio.ensure_future(ask(gateway, "victim", ONE, id=ids[second]))
        results = await asyncio.gather(*attacks)
        refused += sum("RATE_LIMITED" in codes for codes in results)
        assert await victim == []
        clock.advance(2.4)
        await settle()
    assert refused > 100
    assert gateway.emulator.statuses["429"] == 0


async def test_refused_fill_of_one_client_is_tried_again_by_another_that_joined_it() -> None:
    clock = Clock()
    gateway = a_gateway(clock)
    (row_id, *_) = [row.id for row in gateway.emulator.store.segments]
    shares = gateway.services.upstream._limiter.shares
    for _ in range(60):
        shares.record("heavy")
    await ask(gateway, "other", ONE, id=str(UUID(int=1)))
    for _ in range(140):  # by another app
        gateway.emulator.window.take()
    await ask(gateway, "other", ONE, id=str(UUID(int=2)))
    heavy, light = await asyncio.gather(
        ask(gateway, "heavy", ONE, id=row_id), ask(gateway, "light", ONE, id=row_id)
    )
    assert (heavy, light) == (["RATE_LIMITED"], [])
