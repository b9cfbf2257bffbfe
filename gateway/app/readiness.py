"""The readiness of a process, and the state of each service for the operator."""

from gateway.app.composition import Services
from gateway.bigcommerce.listings import SEGMENTS
from gateway.errors import GatewayError
from gateway.pagination import read_total
from gateway.request_scope import open_request_scope
from gateway.web import Readiness

# Orchestrators wait about one second for the answer to a probe.
PROBE_SECONDS = 0.8


async def readiness_of(services: Services) -> Readiness:
    """Returns whether the process is ready, and the state of each service.

    It is ready while it can read the list of segments or answer it from the cache, stale or not. If
    the operation is down, this check is the probe: a load balancer sends no other requests to a
    process that is not ready.
    """
    is_ready = not services.upstream.health(SEGMENTS.operation).is_down or await _can_read(services)
    return Readiness(
        is_ready,
        {
            "upstream": services.upstream.state,
            "quota": services.upstream.quota_state,
            "cache": "off" if services.cache.policy.ttl == 0 else "memory",
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
