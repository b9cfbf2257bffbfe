"""How old an answer is: `extensions.cache`, `Age`, and `Cache-Status` where it is stale.

Sources: RFC 9111, 5.1 (Age); RFC 9211 (Cache-Status), which took the place of RFC 7234's Warning.
"""

from collections.abc import Mapping

from gateway.request_scope import RequestScope

# RFC 9211, 2: which cache it was.
CACHE_NAME = "segments-gateway"


def cache_extension(scope: RequestScope, now: float) -> Mapping[str, object] | None:
    """Returns the answer's `extensions.cache`, None where it is made of nothing that was read.

    `age` is that of the oldest value in whole seconds, `error` the code of the upstream error for
    which something stale had to do.
    """
    if scope.oldest_read_at is None:
        return None
    told: dict[str, object] = {"age": _age(scope, now), "stale": scope.is_stale}
    if scope.stale_because is not None:
        told["error"] = scope.stale_because.value
    return told


def cache_headers(scope: RequestScope, now: float, fresh_seconds: float) -> dict[str, str]:
    """Returns `Age`, and where the answer is stale `Cache-Status`.

    Its `ttl` is negative: by how many seconds the oldest value outlived its life (RFC 9211, 2.4).
    Its `detail` is the code of the upstream error, where there was one.
    """
    if scope.oldest_read_at is None:
        return {}
    age = _age(scope, now)
    headers = {"Age": str(age)}
    if scope.is_stale:
        detail = f"; detail={scope.stale_because.value}" if scope.stale_because else ""
        headers["Cache-Status"] = f"{CACHE_NAME}; hit; ttl={int(fresh_seconds) - age}{detail}"
    return headers


def _age(scope: RequestScope, now: float) -> int:
    if scope.oldest_read_at is None:
        return 0
    # Times of reads are told apart by a few microseconds, which shall not take a second off.
    return max(0, int(now - scope.oldest_read_at + 0.001))
