"""Whether the parts can serve answers, and how each of them stands."""

from gateway.answer_scope import answering
from gateway.app.parts import Parts
from gateway.bigcommerce.protocol import LIST_SEGMENTS
from gateway.errors import GatewayError
from gateway.pagination import read_total
from gateway.web import Readiness

# Orchestrators wait about so long for the answer to a probe.
PROBE_SECONDS = 0.8


async def readiness_of(parts: Parts) -> Readiness:
    """Returns how the parts stand; stale answers count, and so does not having asked yet.

    Not ready is a process that can neither read the list nor answer it from the cache. It then asks
    the upstream here, as often as probes are let through: a balancer sends it no requests that
    would find out.
    """
    is_ready = not parts.upstream.health(LIST_SEGMENTS).is_down or await _can_read(parts)
    return Readiness(
        is_ready,
        {
            "upstream": parts.upstream.state,
            "quota": parts.upstream.quota_state,
            "cache": "off" if parts.cache.lives.fresh == 0 else "memory",
            "redis": "not set" if parts.redis is None else parts.redis.state,
        },
    )


async def _can_read(parts: Parts) -> bool:
    try:
        with answering(PROBE_SECONDS):
            await read_total(parts.segments)
    except GatewayError:
        return False
    return True
