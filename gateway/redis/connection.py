"""The only connection to Redis: bounded in time, and never an error of its caller."""

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from redis.asyncio import ConnectionPool, Redis, SSLConnection
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from gateway.breaker import CircuitBreaker
from gateway.redis.causes import describe_redis_error, describe_refusal

MOST_CONNECTIONS = 16
# The longest time for which Redis is passed over after a failure.
AWAY_SECONDS = 1.0
# The pool is replaced at most once in this time.
POOL_SECONDS = 0.5

RedisClient: TypeAlias = Redis
T = TypeVar("T")

log = logging.getLogger(__name__)


class RedisConnection:
    """Asks one Redis, each call for at most `timeout_seconds`, connecting and queueing included.

    After a failure Redis is passed over for half a second to a second, then one call probes.
    `failures` counts calls that failed, `passed_over` those that were not made. With `ca_file`, the
    certificate of Redis is checked with those in it alone.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float,
        ca_file: Path | None = None,
        certificate_file: Path | None = None,
        key_file: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        options: dict[str, Any] = dict(parse_url(url))
        if options.get("connection_class") is SSLConnection:
            context = tls_context(ca_file, certificate_file, key_file)
            options |= {"connection_class": _TlsConnection, "context": context}
        self._options = options
        self.client = Redis.from_pool(self._new_pool())
        self.failures = self.passed_over = 0
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._pool_stays_until = 0.0
        self._closing: set[asyncio.Task[None]] = set()
        # The pool raises when it is empty; with these, calls queue.
        self._slots = asyncio.Semaphore(MOST_CONNECTIONS)
        self._breaker = CircuitBreaker(
            clock, threshold=1, shortest=AWAY_SECONDS, longest=AWAY_SECONDS
        )
        self._was_asked = False
        self._refused: set[str] = set()
        # The warnings logged since the last time that no call failed.
        self._warnings: set[str] = set()

    @property
    def state(self) -> str:
        """One of: connected, away, not asked yet, refuses writes, refuses reads."""
        if self._breaker.is_open:
            return "away"
        if self._refused:
            return "refuses reads" if "reads" in self._refused else "refuses writes"
        return "connected" if self._was_asked else "not asked yet"

    async def run(
        self, call: Callable[[RedisClient], Awaitable[T]], otherwise: T, *, purpose: str = "reads"
    ) -> T:
        """Returns what `call` returns, `otherwise` if it fails or Redis is away.

        `call` also checks the answer of Redis: any exception it raises is a failure. `purpose`
        names in the log what Redis refuses. A call cut short, by time or by a cancelled caller,
        closes its connection, so that no other call reads its answer.
        """
        if not self._breaker.allows_request:
            self.passed_over += 1
            return otherwise
        probe = self._breaker.enter()
        try:
            async with asyncio.timeout(self._timeout_seconds), self._slots:
                answer = await call(self.client)
        except ResponseError as error:
            self._answered(probe)
            self._refused.add(purpose)
            reason = describe_refusal(error)
            self._warn(reason, f"Redis refuses {purpose}: {reason}")
        except Exception as error:
            self._was_asked = True
            self._breaker.failed(probe)
            self._warn("away", f"Redis is away and passed over: {describe_redis_error(error)}")
        except BaseException:
            self._breaker.cancelled(probe)
            raise
        else:
            self._answered(probe)
            self._refused.discard(purpose)
            if self._warnings and self.state == "connected":
                self._warnings.clear()
                log.info("Redis works again")
            return answer
        self.failures += 1
        self._connect_anew()
        return otherwise

    def _answered(self, probe: int | None) -> None:
        self._was_asked = True
        # An answer to a call from before the breaker opened does not say that Redis is back.
        if not self._breaker.is_open or probe is not None:
            self._breaker.succeeded()

    def _warn(self, reason: str, message: str) -> None:
        if reason not in self._warnings:
            self._warnings.add(reason)
            log.warning(message)

    def _new_pool(self) -> ConnectionPool:
        return ConnectionPool(
            **self._options,
            max_connections=MOST_CONNECTIONS,
            # `run` bounds the time of the whole call.
            socket_timeout=None,
            socket_connect_timeout=None,
            retry=Retry(NoBackoff(), 0),
            # No HELLO and no CLIENT SETINFO: two commands less that a user has to be allowed.
            protocol=2,
            driver_info=None,
        )

    def _connect_anew(self) -> None:
        """Replaces the pool, at most once in `POOL_SECONDS`.

        The address may lead to another server by now: after a failover the old primary still
        answers on open connections, as a replica that refuses writes, or hangs. Calls in flight
        finish on the old pool.
        """
        now = self._clock()
        if now < self._pool_stays_until:
            return
        self._pool_stays_until = now + POOL_SECONDS
        old, self.client.connection_pool = self.client.connection_pool, self._new_pool()
        closing = asyncio.create_task(_close_unused(old))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Closes all connections; one that does not close in time is dropped."""
        with suppress(Exception):
            async with asyncio.timeout(self._timeout_seconds):
                await asyncio.gather(self.client.aclose(), *self._closing)


async def _close_unused(pool: ConnectionPool) -> None:
    """Closes the idle connections of a pool now, and those in use once they are released."""
    with suppress(Exception):
        # redis-py leaves this one without types.
        await pool.update_active_connections_for_reconnect()  # type: ignore[no-untyped-call]
        await pool.disconnect(inuse_connections=False)


def read_values(answer: object, keys: int) -> list[bytes | None]:
    """Returns the answer to `MGET` of this many keys; raises `ValueError` for any other."""
    if not isinstance(answer, list) or len(answer) != keys:
        raise ValueError
    if not all(value is None or isinstance(value, bytes) for value in answer):
        raise ValueError
    return answer


class _TlsConnection(SSLConnection):
    """Checks with a context of ours: redis-py's own always takes the system's certificates too."""

    def __init__(self, *, context: ssl.SSLContext, **options: Any) -> None:
        super().__init__(**options)
        self.ssl_context.context = context


def tls_context(
    ca_file: Path | None, certificate_file: Path | None = None, key_file: Path | None = None
) -> ssl.SSLContext:
    """Returns what TLS connections are made with.

    Raises `OSError` where a file cannot be read or is no certificate or key.
    """
    context = ssl.create_default_context(cafile=ca_file)
    if certificate_file is not None:
        # A key with a password would ask for it on the terminal.
        context.load_cert_chain(certificate_file, key_file, password=lambda: "")
    return context
