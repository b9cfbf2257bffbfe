"""How fresh an answer is: `extensions.cache`, `Age`, and `Cache-Status` if it is stale.

Sources: RFC 9111, 5.1 (Age); RFC 9211 (Cache-Status), which replaces RFC 7234's Warning.
"""

from collections.abc import Mapping

from gateway.request_scope import RequestScope

# RFC 9211, 2: the name of the cache.
CACHE_NAME = "segments-gateway"


def cache_extension(scope: RequestScope, now: float) -> Mapping[str, object] | None:
    """Returns `extensions.cache`, None for an answer without values from the upstream.

    `age` is that of the oldest value in whole seconds, `error` the code of the upstream error
    because of which a stale value was served.
    """
    if scope.oldest_read_at is None:
        return None
    extension: dict[str, object] = {"age": _age(scope, now), "stale": scope.is_stale}
    if scope.stale_because is not None:
        extension["error"] = scope.stale_because.value
    return extension


def cache_headers(scope: RequestScope, now: float, fresh_seconds: float) -> dict[str, str]:
    """Returns `Age`, and `Cache-Status` if the answer is stale.

    Its `ttl` is negative: the seconds since the oldest value became stale (RFC 9211, 2.4). Its
    `detail` is the code of the upstream error, if there was one.
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
    # Read times are up to some microseconds ahead: the tolerance keeps ages from rounding down.
    return max(0, int(now - scope.oldest_read_at + 0.001))
