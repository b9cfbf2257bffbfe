"""Runs a check: reads the store without the cache, and writes one key to Redis if it is set."""

import os
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from typing import Final

import httpx

from gateway.app.check.configuration import check_configuration
from gateway.app.check.reading import StoreReader
from gateway.app.check.redis import check_redis, state_of_redis
from gateway.app.check.report import CheckReport
from gateway.app.check.store import CheckedStore, Connection, check_store
from gateway.app.check.token_keys import check_token_keys
from gateway.app.composition import create_services
from gateway.redis.keys import key
from gateway.settings import Settings, upstream_name

TRACING_PACKAGE: Final = "opentelemetry.sdk"


async def check(
    settings: Settings,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Callable[[], float] = time.monotonic,
    now: Callable[[], float] = time.time,
) -> CheckReport:
    """Checks everything, and returns the report; `transport` replaces the network if given.

    `clock` measures, `now` returns seconds since the epoch.
    """
    services = create_services(settings, transport)
    watch = _Watch(clock, now)
    services.http.event_hooks = {"request": [watch.sent], "response": [watch.answered]}
    reader = StoreReader(
        services.upstream, settings.upstream_page_size, lambda: watch.connection.status
    )
    redis = None
    async with services.running():
        findings = await reader.read()
        if services.redis is not None and settings.redis_url is not None:
            redis = await state_of_redis(
                services.redis,
                key(settings.redis_key_prefix, "check"),
                uses_tls=settings.redis_url.get_secret_value().scheme == "rediss",
                clock=clock,
            )
    store = CheckedStore(
        upstream_name(settings),
        settings.upstream_url.host or "",
        settings.uses_emulator,
        findings,
        watch.connection,
        services.client.rate_limit,
        settings.rate_limit_reserve,
    )
    configuration = check_configuration(
        settings, os.environ, has_tracing=_is_installed(TRACING_PACKAGE)
    )
    groups = {
        "Settings": [*configuration, await check_token_keys(settings)],
        "Store": check_store(store),
        "Redis": [check_redis(redis)],
    }
    return CheckReport(
        store, groups, None if redis is None else redis.state, services.client.requests
    )


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # of the package around it
        return False


class _Watch:
    """Keeps what the newest answer shows of the way to the store."""

    def __init__(self, clock: Callable[[], float], now: Callable[[], float]) -> None:
        self.connection = Connection()
        self._clock = clock
        self._now = now
        self._sent_at = 0.0

    async def sent(self, _: httpx.Request) -> None:
        self._sent_at = self._clock()

    async def answered(self, response: httpx.Response) -> None:
        self.connection = Connection(
            response.status_code,
            (self._clock() - self._sent_at) * 1000,
            _tls_of(response),
            _difference(self._now(), response.headers.get("date")),
        )


def _tls_of(response: httpx.Response) -> str | None:
    """Returns the version of TLS of the answer's connection, None without TLS."""
    stream = response.extensions.get("network_stream")
    tls = None if stream is None else stream.get_extra_info("ssl_object")
    return None if tls is None else str(tls.version())


def _difference(now: float, date: str | None) -> float | None:
    """Returns the seconds by which this clock is ahead of the `Date` of an answer (RFC 9110)."""
    try:
        return None if date is None else now - parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None
