"""One read of the upstream, and what it tells the operator."""

import httpx

from gateway.app.parts import Parts, create_parts
from gateway.bigcommerce.causes import connection_cause_in_words
from gateway.errors import GatewayError, UpstreamForbidden
from gateway.pagination import read_total
from gateway.settings import Settings


async def check(
    settings: Settings, transport: httpx.AsyncBaseTransport | None = None
) -> tuple[bool, str]:
    """Reads the upstream once; returns whether all is well, and a sentence that says so."""
    # Nothing is kept, here or in Redis: the store itself is to be asked.
    parts = create_parts(settings.model_copy(update={"cache_ttl_seconds": 0.0}), transport)
    upstream = settings.upstream_name()
    async with parts.running():
        try:
            total = await read_total(parts.segments)
        except UpstreamForbidden:
            return False, (
                f"{upstream}: the API refused the token. GATEWAY_ACCESS_TOKEN has to be of the "
                "store that GATEWAY_STORE_HASH names, with the scope store_v2_customers_read_only."
            )
        except GatewayError as error:
            cause = connection_cause_in_words(error)
            reason = "" if cause is None else f" The reason: {cause}."
            return False, f"{upstream}: {error.message}{reason}"
        is_kept, cache = await _check_cache(parts)
    quota = parts.client.rate_limit
    left = (
        "no quota was told"
        if quota is None
        else f"{quota.remaining} of {quota.limit} requests are left "
        f"for the next {quota.resets_in:.0f} seconds"
    )
    return is_kept, f"{upstream} answers: {total} segments; {left}; {cache}."


async def _check_cache(parts: Parts) -> tuple[bool, str]:
    """Tells whether the cache keeps what it is given, and how Redis stands, in a clause."""
    await parts.cache.backend.set_many([("check", b"1")])
    is_kept = await parts.cache.backend.get("check") == b"1"
    told = "the cache is memory, and " + ("works" if is_kept else "does not keep what it is given")
    if parts.redis is None:
        return is_kept, told
    return is_kept and parts.redis.state == "connected", f"{told}; Redis is {parts.redis.state}"
