"""One read of the upstream, and what it tells the operator."""

import httpx

from gateway.app.services import Services, create_services
from gateway.bigcommerce.causes import cause_in_words
from gateway.errors import GatewayError, UpstreamForbidden, UpstreamRefused, UpstreamUnavailable
from gateway.pagination import read_total
from gateway.redis.keys import key
from gateway.settings import Settings


async def check(
    settings: Settings, transport: httpx.AsyncBaseTransport | None = None
) -> tuple[bool, str]:
    """Reads the upstream once; returns whether all is well, and a sentence that says so."""
    # Nothing is kept, here or in Redis: the store itself is to be asked.
    services = create_services(settings.model_copy(update={"cache_ttl_seconds": 0.0}), transport)
    upstream = settings.upstream_name()
    async with services.running():
        try:
            total = await read_total(services.segments)
        except UpstreamForbidden:
            return False, (
                f"{upstream}: the API refused the token. GATEWAY_ACCESS_TOKEN has to be of the "
                "store that GATEWAY_STORE_HASH names, with the scope store_v2_customers_read_only."
            )
        except GatewayError as error:
            return False, f"{upstream}: {error.message}{_remedy(error)}"
        is_kept, cache = await _check_cache(services, key(settings.redis_key_prefix, "check"))
    quota = services.client.rate_limit
    left = (
        "no quota was told"
        if quota is None
        else f"{quota.remaining} of {quota.limit} requests are left "
        f"for the next {quota.resets_in:.0f} seconds"
    )
    return is_kept, f"{upstream} answers: {total} segments; {left}; {cache}."


def _remedy(error: GatewayError) -> str:
    """Returns why an error came, or what to do about it; nothing where neither is known."""
    cause = error.__cause__
    if isinstance(cause, httpx.ConnectTimeout):
        return " The reason: no connection within the time."
    if isinstance(error, UpstreamUnavailable) and isinstance(cause, httpx.TransportError):
        return f" The reason: {cause_in_words(cause)}."
    if isinstance(error, UpstreamRefused) and error.status == 404:
        return " Check GATEWAY_UPSTREAM_URL."
    return ""


async def _check_cache(services: Services, redis_key: str) -> tuple[bool, str]:
    """Tells whether the cache keeps what it is given, and how Redis stands, in a clause."""
    await services.cache.backend.set_many([("check", b"1")])
    is_kept = await services.cache.backend.get("check") == b"1"
    told = "the cache is memory, and " + ("works" if is_kept else "does not keep what it is given")
    if services.redis is None:
        return is_kept, told
    await services.redis.run(
        lambda redis: redis.set(redis_key, b"1", px=1000), None, purpose="answers"
    )
    state = services.redis.state
    verb = "" if state.startswith("refuses") else "is "
    return is_kept and state == "connected", f"{told}; Redis {verb}{state}"
