"""Puts the emulator together: one store, its behaviour and, on request, the control routes."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection

from starlette.applications import Starlette
from starlette.routing import Route

from gateway.emulator.app import Emulator, Latency
from gateway.emulator.control import control_routes
from gateway.emulator.faults import Faults
from gateway.emulator.operation_names import OperationName
from gateway.emulator.paging import MAXIMUM_LIMIT, OverLimit, PastTheEnd
from gateway.emulator.rate_limit_window import WINDOW_MILLISECONDS, RateLimitWindow
from gateway.emulator.resources import Dialect, ProfileSegmentRows, TokenScope
from gateway.emulator.store import Store


def create_emulator(
    store: Store,
    *,
    store_hash: str = "emulator",
    token: str = "emulator-token",  # noqa: S107 - opens nothing but this emulator
    token_scope: TokenScope | None = "store_v2_customers",  # noqa: S107 - a scope, no secret
    forbidden_operations: Collection[OperationName] = (),
    dialect: Dialect = "2026",
    profile_segment_rows: ProfileSegmentRows = "segments",
    max_batch: int | None = None,
    latency_seconds: Latency = 0.0,
    max_limit: int = MAXIMUM_LIMIT,
    over_limit: OverLimit = "clamp",
    past_the_end: PastTheEnd = "empty",
    rate_limit_quota: int = 150,
    rate_limit_window_ms: int = WINDOW_MILLISECONDS,
    faults: Faults | None = None,
    control: bool = False,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> Starlette:
    """Returns the emulator as an ASGI application; `app.state.emulator` is its `Emulator`.

    A `limit` above `max_limit` is clamped, with a smaller `per_page` in the answer, or refused with
    422. A page past the end is empty, or refused with 422. A token without scope gets 403, and so
    does one for `forbidden_operations`. Writes are answered in a published `dialect`; one with more
    than `max_batch` items gets 413. The segments of a profile are rows, or their ids alone.
    With `control` it answers `/_emulator/…` too. `clock` and `sleep` count in seconds.
    """
    emulator = Emulator(
        store=store,
        store_hash=store_hash,
        token=token,
        token_scope=token_scope,
        forbidden_operations=frozenset(forbidden_operations),
        dialect=dialect,
        profile_segment_rows=profile_segment_rows,
        max_batch=max_batch,
        latency_seconds=latency_seconds,
        max_limit=max_limit,
        over_limit=over_limit,
        past_the_end=past_the_end,
        window=RateLimitWindow(rate_limit_quota, clock, window_ms=rate_limit_window_ms),
        faults=Faults() if faults is None else faults,
        sleep=sleep,
    )
    # One route for everything, without methods: the real API answers 404 to an unknown method,
    # Starlette 405.
    everything = Route("/{path:path}", emulator)
    app = Starlette(routes=[*([control_routes(emulator)] if control else []), everything])
    app.state.emulator = emulator
    return app
