"""The check of Redis: it writes one key, which expires after a second, and reads it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from gateway.app.check.results import CheckResult, problem, skipped, well

if TYPE_CHECKING:
    from gateway.redis.connection import RedisConnection

CONNECTED: Final = "connected"
WITHOUT: Final = "Until then, each process has a cache of its own."


@dataclass(frozen=True, slots=True)
class RedisState:
    """The state of Redis after a write and a read; `milliseconds` are those of the read."""

    state: str
    failure: str = ""
    uses_tls: bool = False
    milliseconds: float = 0.0


async def state_of_redis(
    redis: "RedisConnection", key: str, *, uses_tls: bool, clock: Callable[[], float]
) -> RedisState:
    """Writes the key, which connects, then reads it; the second call is measured."""
    await redis.run(lambda client: client.set(key, b"1", px=1000), None, purpose="answers")
    started = clock()
    await redis.run(lambda client: client.get(key), None)
    return RedisState(redis.state, redis.failure, uses_tls, (clock() - started) * 1000)


def check_redis(redis: RedisState | None) -> CheckResult:
    """Returns the result."""
    if redis is None:
        return skipped("redis")
    way = "TLS" if redis.uses_tls else "plain TCP"
    if redis.state == CONNECTED:
        return well(
            "redis",
            f"Connected by {way}: one key was written, which expires after a second, and read in "
            f"{redis.milliseconds:.0f} ms.",
        )
    failure = f": {redis.failure}" if redis.failure else ""
    if redis.state == "away":
        return problem(
            "redis",
            f"It is away{failure}.",
            f"Check that Redis runs, and GATEWAY_REDIS_URL, which asks for {way}. {WITHOUT}",
        )
    return problem(
        "redis",
        f"It {redis.state}{failure}.",
        f"Its user has to be able to read and write the gateway's keys. {WITHOUT}",
    )
