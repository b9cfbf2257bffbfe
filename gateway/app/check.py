"""`gateway check`: reads the upstream once, and reports the result to the operator."""

from typing import TYPE_CHECKING

import httpx

from gateway.app.composition import Services, create_services
from gateway.bigcommerce.transport_errors import describe_transport_error
from gateway.errors import GatewayError, UpstreamForbidden, UpstreamUnavailable
from gateway.pagination import read_total
from gateway.redis.keys import key
from gateway.settings import Settings

if TYPE_CHECKING:
    from gateway.redis.connection import RedisConnection


async def check(
    settings: Settings, transport: httpx.AsyncBaseTransport | None = None
) -> tuple[bool, str]:
    """Reads the upstream once; returns whether it and Redis work, and the report."""
    # Without the cache, here and in Redis, the store itself answers.
    services = create_services(settings.model_copy(update={"cache_ttl_seconds": 0.0}), transport)
    upstream = settings.upstream_name()
    statuses: list[int] = []

    async def keep_status(response: httpx.Response) -> None:
        statuses.append(response.status_code)

    services.http.event_hooks = {"response": [keep_status]}
    async with services.running():
        try:
            total = await read_total(services.segments)
        except UpstreamForbidden:
            return False, (
                f"{upstream}: the API refused the token. GATEWAY_ACCESS_TOKEN has to be of the "
                "store that GATEWAY_STORE_HASH names, with the scope store_v2_customers_read_only."
            )
        except GatewayError as error:
            remedy = _remedy(error, statuses[-1] if statuses else None)
            return False, f"{upstream}: {error.message}{remedy}"
        is_well, redis = True, ""
        if services.redis is not None:
            state = await _state_of(services.redis, key(settings.redis_key_prefix, "check"))
            is_well = state == "connected"
            redis = f"; Redis {'' if state.startswith('refuses') else 'is '}{state}"
    return is_well, f"{upstream} answers: {total} segments; {_quota(services)}{redis}."


def _remedy(error: GatewayError, status: int | None) -> str:
    """Returns the cause of an error, or advice; an empty string if neither is known."""
    cause = error.__cause__
    if isinstance(error, UpstreamUnavailable) and isinstance(cause, httpx.TransportError):
        return f" The reason: {describe_transport_error(cause)}."
    if status is not None and 300 <= status < 400:
        return (
            " That is a redirect, which the gateway does not follow. Check GATEWAY_UPSTREAM_URL: "
            "its scheme, its host and its path."
        )
    return " Check GATEWAY_UPSTREAM_URL." if status == 404 else ""


def _quota(services: Services) -> str:
    quota = services.client.rate_limit
    if quota is None:
        return "its answer has no X-Rate-Limit headers"
    return (
        f"{quota.remaining} of {quota.limit} requests are left "
        f"for the next {quota.resets_in:.0f} seconds"
    )


async def _state_of(redis: "RedisConnection", redis_key: str) -> str:
    """Writes a key that expires at once, and returns the state of the connection after it."""
    await redis.run(lambda client: client.set(redis_key, b"1", px=1000), None, purpose="answers")
    return redis.state
