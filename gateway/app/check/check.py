"""Runs a check: reads the store without the cache, and writes one key to Redis if it is set."""

from typing import TYPE_CHECKING

import httpx

from gateway.app.check.reading import StoreReader
from gateway.app.check.report import CheckReport
from gateway.app.composition import create_services
from gateway.redis.keys import key
from gateway.settings import Settings, upstream_name

if TYPE_CHECKING:
    from gateway.redis.connection import RedisConnection


async def check(
    settings: Settings, transport: httpx.AsyncBaseTransport | None = None
) -> CheckReport:
    """Reads the store, and returns the report; `transport` replaces the network if given."""
    services = create_services(settings, transport)
    statuses: list[int] = []

    async def keep_status(response: httpx.Response) -> None:
        statuses.append(response.status_code)

    services.http.event_hooks = {"response": [keep_status]}
    reader = StoreReader(
        services.upstream, settings.upstream_page_size, lambda: statuses[-1] if statuses else None
    )
    redis = None
    async with services.running():
        findings = await reader.read()
        if services.redis is not None:
            redis = await _state_of(services.redis, key(settings.redis_key_prefix, "check"))
    return CheckReport(
        upstream_name(settings),
        settings.uses_emulator,
        findings,
        services.client.rate_limit,
        redis,
        services.client.requests,
    )


async def _state_of(redis: "RedisConnection", redis_key: str) -> str:
    """Writes a key that expires at once, and returns the state of the connection after it."""
    await redis.run(lambda client: client.set(redis_key, b"1", px=1000), None, purpose="answers")
    return redis.state
