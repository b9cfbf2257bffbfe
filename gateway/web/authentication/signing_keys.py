"""The keys that sign tokens: a JSON Web Key Set of their issuer (RFC 7517), cached and rotated."""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec
from jwt import PyJWK, PyJWTError

from gateway.web.authentication.refused import RETRY_SECONDS, KeysUnavailable

Fetch: TypeAlias = Callable[[], Awaitable[bytes]]
"""Returns the body of the key set, bounded in size and time; raises `KeysUnavailable`."""

FRESH_SECONDS = 600.0
# Without a fetch for this long the keys are dropped: one of them may have been revoked.
LONGEST_STALE_SECONDS = 24 * 3600.0
MAXIMUM_KEYS = 100
# What a text raises that is no JSON, is nested too deeply, or has no list of keys.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key for one algorithm; `kid` is its id, None if its issuer gives none."""

    kid: str | None
    algorithm: str
    jwk: PyJWK


KeySet: TypeAlias = tuple[SigningKey, ...]


class SigningKeys:
    """The keys of one issuer for `algorithms`; `now` returns seconds.

    Keys are fresh for 10 minutes. Then they are served while they are fetched again, and for up to
    a day while that fails.
    """

    def __init__(self, fetch: Fetch, algorithms: Sequence[str], now: Callable[[], float]) -> None:
        self._fetch = fetch
        self._algorithms = algorithms
        self._now = now
        self._keys: KeySet = ()
        self._fetched_at = -math.inf
        self._next_fetch_at = -math.inf
        self._flight: asyncio.Task[None] | None = None
        self._is_failing = False

    async def current(self) -> KeySet:
        """Returns the keys; waits for them only if there are none.

        Raises `KeysUnavailable`.
        """
        if self._age > FRESH_SECONDS:
            flight = self._begin_fetch()
            if self._age > LONGEST_STALE_SECONDS and flight is not None:
                await asyncio.shield(flight)
        if self._age > LONGEST_STALE_SECONDS:
            raise KeysUnavailable
        return self._keys

    async def newer_than(self, keys: KeySet) -> KeySet:
        """Returns the keys after another fetch, at most one in 10 seconds: for an unknown key."""
        if keys is self._keys and (flight := self._begin_fetch()) is not None:
            await asyncio.shield(flight)
        return self._keys

    @property
    def _age(self) -> float:
        return self._now() - self._fetched_at

    def _begin_fetch(self) -> asyncio.Task[None] | None:
        """Returns the fetch that runs, a new one if it is time, else None."""
        if self._flight is None and self._now() >= self._next_fetch_at:
            self._next_fetch_at = self._now() + RETRY_SECONDS
            self._flight = asyncio.create_task(self._fetch_keys())
        return self._flight

    async def _fetch_keys(self) -> None:
        try:
            self._keys = read_keys(await self._fetch(), self._algorithms)
            self._fetched_at = self._now()
        except KeysUnavailable as error:
            if not self._is_failing:
                log.error("the keys that sign tokens (GATEWAY_JWT_JWKS_URL): %s", error)
            self._is_failing = True
        else:
            if self._is_failing:
                log.info("the keys that sign tokens are fetched again")
            self._is_failing = False
        finally:
            self._flight = None


def read_keys(body: bytes, algorithms: Iterable[str]) -> KeySet:
    """Returns the keys of a set that are for the algorithms; raises `KeysUnavailable`."""
    try:
        content = msgspec.json.decode(body)
        keys = content["keys"][:MAXIMUM_KEYS]
        found = tuple(
            SigningKey(jwk.key_id, algorithm, jwk)
            for key in keys
            if isinstance(key, dict) and _may_verify(key)
            for algorithm in algorithms
            if key.get("alg", algorithm) == algorithm and (jwk := _jwk(key, algorithm)) is not None
        )
    except UNREADABLE as error:
        raise KeysUnavailable("the answer is no JSON Web Key Set") from error
    if not found:
        raise KeysUnavailable(f"no key of the answer is for {', '.join(algorithms)}")
    return found


def _may_verify(key: dict[str, Any]) -> bool:
    """RFC 7517, 4.2 and 4.3; a key that says nothing may do all."""
    operations = key.get("key_ops", ["verify"])
    return (
        key.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and isinstance(key.get("kid", ""), str)
    )


def _jwk(key: dict[str, Any], algorithm: str) -> PyJWK | None:
    """Returns the key for an algorithm, None if it is of another kind or invalid."""
    try:
        return PyJWK(key, algorithm)
    except PyJWTError:
        return None
