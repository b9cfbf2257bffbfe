"""Gathers ids that are asked for close together, across requests, into batches."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Generic, TypeVar

from gateway.cache.single_flight import Answers, resolve_with
from gateway.request_scope import request_scope

# Ids per batch: 100 uuids make a URL of 4 KB, which every proxy accepts.
LOOKUP_IDS = 100
# Ids are gathered while more of them arrive, for at most this many windows.
LONGEST_WAIT_WINDOWS = 10
# While a batch is in flight, ids are gathered for at most this time: the batch may hang.
LONGEST_WAIT_SECONDS = 0.5

Value = TypeVar("Value")


class Batcher(Generic[Value]):
    """Asks for ids in batches; `batches` counts them.

    A batch of `LOOKUP_IDS` is dispatched at once, a smaller one after a window in which no id
    arrived, and not while another small one is in flight. A batch is a request of one of the
    clients that wait for it: `charge` chooses which.
    """

    def __init__(
        self,
        ask: Callable[[Sequence[str]], Awaitable[Answers[str, Value]]],
        charge: Callable[[Collection[str]], str],
        *,
        window_seconds: float,
    ) -> None:
        self.batches = 0
        self._ask = ask
        self._charge = charge
        self._window_seconds = window_seconds
        self._gathered: dict[str, asyncio.Future[Value]] = {}
        self._clients: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._windows = 0
        self._has_joined = False  # whether an id arrived in this window
        self._is_due = False  # whether the next batch only waits for the one in flight
        self._small_in_flight: asyncio.Future[Answers[str, Value]] | None = None

    def load(self, ids: Sequence[str]) -> dict[str, "asyncio.Future[Value]"]:
        """Returns a future for each id; no id may be in flight already.

        `ask` must answer every id, with a value or an error.
        """
        futures: dict[str, asyncio.Future[Value]] = {}
        scope = request_scope()
        client = "" if scope is None else scope.client
        for row_id in ids:
            futures[row_id] = asyncio.get_running_loop().create_future()
            self._gathered[row_id] = futures[row_id]
            self._clients.add(client)
            if len(self._gathered) == LOOKUP_IDS:
                self._dispatch()
        if self._gathered and self._timer is None:
            self._wait_for_window()
        else:
            self._has_joined = True
        return futures

    def _wait_for_window(self) -> None:
        self._has_joined = False
        self._windows += 1
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._window_seconds, self._window_passed)

    def _window_passed(self) -> None:
        if self._has_joined and self._windows < LONGEST_WAIT_WINDOWS:
            self._wait_for_window()
        elif self._small_in_flight is None:
            self._dispatch()
        else:
            self._is_due = True
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(LONGEST_WAIT_SECONDS, self._dispatch)

    def _dispatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._windows = 0
        self._is_due = False
        batch, self._gathered = self._gathered, {}
        clients, self._clients = self._clients, set()
        self.batches += 1
        call = resolve_with(batch, self._ask(list(batch)), self._charge(clients))
        if len(batch) < LOOKUP_IDS:
            self._small_in_flight = call
            call.add_done_callback(self._landed)

    def _landed(self, call: "asyncio.Future[Answers[str, Value]]") -> None:
        if call is self._small_in_flight:
            self._small_in_flight = None
            if self._is_due:
                self._dispatch()
