"""The only connection to Redis: calls are bounded in time, and their failures are not raised."""

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
from gateway.redis.parser import BoundedParser
from gateway.redis.tls import tls_context

MOST_CONNECTIONS = 16
# To connect, with a password and a database, takes several turns of the event loop.
MOST_TURNS = 50
# The longest time for which Redis is skipped after a failure.
AWAY_SECONDS = 1.0
# The pool is replaced at most once in this time.
POOL_SECONDS = 0.5

RedisClient: TypeAlias = Redis
T = TypeVar("T")

log = logging.getLogger(__name__)


class RedisConnection:
    """Calls one Redis, each call within `timeout_seconds`, connecting and queueing included.

    An answer of more than 8 MiB is a failure, and is not read to its end.

    After a failure, Redis is skipped for 0.5 to 1 second; then one call probes it. `failures`
    counts the calls that failed, `passed_over` those that were skipped; `failure` is the reason for
    the newest one that failed, empty if there is none. With `ca_file`, only the
    authorities in it are trusted.
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
        self.failure = ""
        self._timeout_seconds = timeout_seconds
        self._clock = clock
        self._pool_stays_until = 0.0
        self._closing: set[asyncio.Task[None]] = set()
        # An empty pool raises; the slots make calls wait for a connection instead.
        self._slots = asyncio.Semaphore(MOST_CONNECTIONS)
        self._breaker = CircuitBreaker(
            clock, threshold=1, shortest=AWAY_SECONDS, longest=AWAY_SECONDS
        )
        self._was_asked = False
        self._refused: set[str] = set()
        # The warnings that were logged since Redis last worked.
        self._warnings: set[str] = set()

    @property
    def state(self) -> str:
        """One of: connected, not available, not asked yet, refuses writes, refuses reads."""
        if self._breaker.is_open:
            return "away"
        if self._refused:
            return "refuses reads" if "reads" in self._refused else "refuses writes"
        return "connected" if self._was_asked else "not asked yet"

    @property
    def is_up(self) -> bool:
        """Whether its last call did not fail."""
        return not self._breaker.is_open and not self._refused

    async def run(
        self, call: Callable[[RedisClient], Awaitable[T]], otherwise: T, *, purpose: str = "reads"
    ) -> T:
        """Returns the result of `call`, `otherwise` if it fails or is skipped.

        `call` also checks the answer of Redis: any exception that it raises is a failure. `purpose`
        is for the log. A call that times out or is cancelled closes its connection, so that no
        other call reads its answer.
        """
        if not self._breaker.allows_request:
            self.passed_over += 1
            return otherwise
        probe = self._breaker.enter()
        try:
            answer = await self._in_time(call)
        except ResponseError as error:
            self._answered(probe)
            self._refused.add(purpose)
            self.failure = describe_refusal(error)
            self._warn(self.failure, f"Redis refuses {purpose}: {self.failure}")
        except Exception as error:
            self._was_asked = True
            self._breaker.record_failure(probe)
            self.failure = describe_redis_error(error)
            self._warn("away", f"Redis is away and passed over: {self.failure}")
        except BaseException:
            self._breaker.record_cancelled(probe)
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

    async def _in_time(self, call: Callable[[RedisClient], Awaitable[T]]) -> T:
        """Returns the result of `call` within the timeout; raises `TimeoutError` after it.

        In a busy process the answer may have arrived unread: a herd of requests would then fill
        without the lock. So a late call has some more turns of the event loop.
        """
        calling = asyncio.ensure_future(self._call(call))
        try:
            await asyncio.wait({calling}, timeout=self._timeout_seconds)
            turns = MOST_TURNS
            while turns and not calling.done():
                turns -= 1
                await asyncio.sleep(0)
        finally:
            calling.cancel()
        if not calling.done():
            await asyncio.wait({calling})  # its connection closes
            if calling.cancelled():
                raise TimeoutError
        return calling.result()

    async def _call(self, call: Callable[[RedisClient], Awaitable[T]]) -> T:
        async with self._slots:
            return await call(self.client)

    def _answered(self, probe: int | None) -> None:
        self._was_asked = True
        # An answer to a call from before the breaker opened does not say that Redis is back.
        if not self._breaker.is_open or probe is not None:
            self._breaker.record_success()

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
            # No HELLO and no CLIENT SETINFO: the Redis user needs no permission for them.
            protocol=2,
            driver_info=None,
            parser_class=BoundedParser,
        )

    def _connect_anew(self) -> None:
        """Replaces the pool, at most once in `POOL_SECONDS`.

        After a failover, the address leads to another server, while the old primary still answers
        on open connections, as a read-only replica, or hangs. Calls in flight finish on the old
        pool.
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
        # redis-py has no type annotations for this method.
        await pool.update_active_connections_for_reconnect()  # type: ignore[no-untyped-call]
        await pool.disconnect(inuse_connections=False)


class _TlsConnection(SSLConnection):
    """Uses the given TLS context: redis-py's own always trusts the system's authorities too."""

    def __init__(self, *, context: ssl.SSLContext, **options: Any) -> None:
        super().__init__(**options)
        self.ssl_context.context = context
