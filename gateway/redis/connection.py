"""The connection to Redis, the only one: bounded in time, and never an error of its caller."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from typing import Any, TypeAlias, TypeVar

from redis.asyncio import ConnectionPool, Redis, SSLConnection
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from gateway.redis.availability import Availability
from gateway.redis.causes import cause_in_words, refusal_in_words

MOST_CONNECTIONS = 16
# Connecting, with a password and a database, takes several turns.
MOST_TURNS, MOST_TURNS_SECONDS = 50, 1.0
SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 1.0

RedisClient: TypeAlias = Redis
T = TypeVar("T")


class RedisConnection:
    """Asks one Redis, each call for at most `timeout_seconds`, connecting and queueing included.

    `failures` counts calls that failed, `passed_over` those that were not made since Redis is away.
    After a failure the next call connects anew: by then the address may lead to another server.
    With `ca_file`, Redis' certificate is checked with those in it alone.
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
        # The pool fails where it is empty; here callers queue.
        self._slots = asyncio.Semaphore(MOST_CONNECTIONS)
        self._availability = Availability(
            clock, lambda: SystemRandom().uniform(SHORTEST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        )

    @property
    def state(self) -> str:
        """How it stands: connected, away, not asked yet, refuses writes, or refuses reads."""
        return self._availability.state

    async def run(
        self, call: Callable[[RedisClient], Awaitable[T]], otherwise: T, *, purpose: str = "reads"
    ) -> T:
        """Returns what `call` returns, `otherwise` where it fails or Redis is away.

        `call` also checks what Redis answered: any exception it raises is a failure. `purpose`
        names in the log what Redis refuses; calls of one purpose are refused together. A call cut
        short, by time or by a cancelled caller, closes its connection: no other call reads its
        answer.
        """
        ask = self._availability.ask()
        if ask is None:
            self.passed_over += 1
            return otherwise
        try:
            answer = await self._in_time(self._call(call))
        except ResponseError as error:
            self.failures += 1
            self._availability.refused(ask, purpose, refusal_in_words(error))
            self._connect_anew()
            return otherwise
        except Exception as error:
            self.failures += 1
            self._availability.failed(ask, cause_in_words(error))
            self._connect_anew()
            return otherwise
        except BaseException:
            self._availability.gave_up(ask)
            raise
        self._availability.answered(ask, purpose)
        return answer

    async def _call(self, call: Callable[[RedisClient], Awaitable[T]]) -> T:
        async with self._slots:
            return await call(self.client)

    async def _in_time(self, call: Coroutine[None, None, T]) -> T:
        """Returns what a call does within the timeout; raises `TimeoutError` behind it.

        Time in which this process was too busy to take the answer tells nothing of Redis: behind
        the timeout the call has some more turns of the event loop, which cost nothing in an idle
        one.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._timeout_seconds
        working = asyncio.ensure_future(call)
        try:
            await asyncio.wait({working}, timeout=self._timeout_seconds)
            for _ in range(MOST_TURNS):
                if working.done() or loop.time() > ends + MOST_TURNS_SECONDS:
                    break
                await asyncio.sleep(0)
        finally:
            if not working.done():
                working.cancel()
        if not working.done():
            await asyncio.wait({working})
            if working.cancelled():
                raise TimeoutError
        return working.result()

    def _new_pool(self) -> ConnectionPool:
        return ConnectionPool(
            **self._options,
            max_connections=MOST_CONNECTIONS,
            # The time of the whole call is bounded in `run`: these would only start it anew.
            socket_timeout=None,
            socket_connect_timeout=None,
            retry=Retry(NoBackoff(), 0),
            # No HELLO and no CLIENT SETINFO: two commands less that a user has to be allowed.
            protocol=2,
            driver_info=None,
        )

    def _connect_anew(self) -> None:
        """Replaces the pool, at most once in `SHORTEST_PAUSE_SECONDS`.

        After a failover the old primary still answers on open connections, as a replica that
        refuses writes, or hangs. Calls in flight finish on the old pool.
        """
        now = self._clock()
        if now < self._pool_stays_until:
            return
        self._pool_stays_until = now + SHORTEST_PAUSE_SECONDS
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
