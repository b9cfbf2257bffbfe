"""The emulated store and the gateway, each on a free port of loopback."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import httpx
from pydantic import AnyHttpUrl, SecretStr
from starlette.applications import Starlette

from gateway.app import create_app
from gateway.emulator import Emulator, create_emulator, seeded_store
from gateway.server import ShutdownPolicy, address, listen, serve_in_loop
from gateway.settings import Settings

HOST = "127.0.0.1"
STORE_HASH = "demo"
TOKEN = "demo-token"  # noqa: S105 - opens nothing but this emulator
GRACE_SECONDS = 1
TIMEOUT_SECONDS = 30.0
# Without it each client would read all certificates of the machine, for http:// in vain.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

NewHttp = Callable[[], httpx.AsyncClient]


@dataclass(frozen=True, slots=True)
class StoreTerms:
    """The size of the store, and how it answers."""

    segments: int = 1000
    profiles: int = 1000
    latency_seconds: float = 0.08
    quota: int = 150
    window_seconds: float = 5.0


@asynccontextmanager
async def store_alone(terms: StoreTerms) -> AsyncIterator[tuple[NewHttp, Emulator]]:
    """Yields what makes clients of a new store, by REST, and the store."""
    with listen(HOST, 0) as listener:
        emulator = _emulator(terms)
        url = f"{address(*listener.getsockname())}/stores/{STORE_HASH}/v3/"
        async with serve_in_loop(emulator, listener, ShutdownPolicy(GRACE_SECONDS)):
            yield partial(_client, url, {"X-Auth-Token": TOKEN}), emulator.state.emulator


@asynccontextmanager
async def store_behind_a_gateway(
    terms: StoreTerms, fresh_seconds: float
) -> AsyncIterator[tuple[NewHttp, Emulator]]:
    """Yields what makes clients of a gateway that has just started, and the new store behind it.

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
            serve_in_loop(emulator, store_listener, ShutdownPolicy(GRACE_SECONDS)),
            serve_in_loop(gateway, listener, ShutdownPolicy(GRACE_SECONDS)),
        ):
            yield partial(_client, address(*listener.getsockname())), emulator.state.emulator


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
        verify=NO_CERTIFICATES,
        trust_env=False,  # no proxy of the environment gets in between
    )
