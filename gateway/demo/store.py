"""The emulated store and the gateway, each on a free port of loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from pydantic import AnyHttpUrl, SecretStr
from starlette.applications import Starlette

from gateway.app import create_app
from gateway.emulator import Emulator, create_emulator, seeded_store
from gateway.server import ShutdownPolicy, address, listen, served
from gateway.settings import Settings

HOST = "127.0.0.1"
STORE_HASH = "demo"
TOKEN = "demo-token"  # noqa: S105 - opens nothing but this emulator
GRACE_SECONDS = 1
# All clients have a connection of their own, as clients elsewhere would.
EACH_ITS_OWN = httpx.Limits(max_connections=None, max_keepalive_connections=None)
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class StoreTerms:
    """The size of the store, and how it answers."""

    segments: int = 1000
    profiles: int = 1000
    latency_seconds: float = 0.08
    quota: int = 150
    window_seconds: float = 5.0


@asynccontextmanager
async def store_alone(terms: StoreTerms) -> AsyncIterator[tuple[httpx.AsyncClient, Emulator]]:
    """Yields a client of a new store, by REST, and the store."""
    with listen(HOST, 0) as listener:
        url = address(*listener.getsockname())
        emulator = _emulator(terms)
        async with (
            served(emulator, listener, ShutdownPolicy(GRACE_SECONDS)),
            _client(f"{url}/stores/{STORE_HASH}/v3/", {"X-Auth-Token": TOKEN}) as http,
        ):
            yield http, emulator.state.emulator


@asynccontextmanager
async def store_behind_a_gateway(
    terms: StoreTerms, fresh_seconds: float
) -> AsyncIterator[tuple[httpx.AsyncClient, Emulator]]:
    """Yields a client of a gateway that has just started, and the new store behind it.

    Its settings are written here: a real store's, in the environment, are not read.
    """
    with listen(HOST, 0) as store_listener, listen(HOST, 0) as listener:
        gateway = create_app(
            Settings(
                store_hash=STORE_HASH,
                access_token=SecretStr(TOKEN),
                upstream_url=AnyHttpUrl(address(*store_listener.getsockname())),
                cache_ttl_seconds=fresh_seconds,
            )
        )
        emulator = _emulator(terms)  # at last: the window of its quota begins
        async with (
            served(emulator, store_listener, ShutdownPolicy(GRACE_SECONDS)),
            served(gateway, listener, ShutdownPolicy(GRACE_SECONDS)),
            _client(address(*listener.getsockname())) as http,
        ):
            yield http, emulator.state.emulator


def _emulator(terms: StoreTerms) -> Starlette:
    return create_emulator(
        seeded_store(terms.segments, terms.profiles),
        store_hash=STORE_HASH,
        token=TOKEN,
        latency_seconds=terms.latency_seconds,
        rate_limit_quota=terms.quota,
        rate_limit_window_ms=round(terms.window_seconds * 1000),
    )


def _client(url: str, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=url,
        headers=headers,
        timeout=TIMEOUT_SECONDS,
        limits=EACH_ITS_OWN,
        trust_env=False,  # no proxy of the environment gets in between
    )
