"""Whether the services can serve answers, and how each of them stands."""

from gateway.app.services import Services
from gateway.bigcommerce.protocol import LIST_SEGMENTS
from gateway.errors import GatewayError
from gateway.pagination import read_total
from gateway.request_scope import open_request_scope
from gateway.web import Readiness

# Orchestrators wait about so long for the answer to a probe.
PROBE_SECONDS = 0.8


async def readiness_of(services: Services) -> Readiness:
    """Returns how the services stand; stale answers count, and so does not having asked yet.

    Not ready is a process that can neither read the list nor answer it from the cache. It then asks
    the upstream here, as often as probes are let through: a balancer sends it no requests that
    would find out.
    """
    is_ready = not services.upstream.health(LIST_SEGMENTS).is_down or await _can_read(services)
    return Readiness(
        is_ready,
        {
            "upstream": services.upstream.state,
            "quota": services.upstream.quota_state,
            "cache": "off" if services.cache.lives.fresh == 0 else "memory",
            "redis": "not set" if services.redis is None else services.redis.state,
        },
    )


async def _can_read(services: Services) -> bool:
    try:
        with open_request_scope(PROBE_SECONDS):
            await read_total(services.segments)
    except GatewayError:
        return False
    return True
