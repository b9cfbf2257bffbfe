"""Gathers ids that are asked for close together, across requests, into batches."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextvars import Context, copy_context
from itertools import islice
from typing import Generic, TypeVar

from gateway.cache.single_flight import Answers, resolve_with
from gateway.instrumentation import OFF, Instrumentation
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

    `LOOKUP_IDS` are dispatched in the next turn of the event loop: what is asked for in one turn
    is seen whole. A smaller batch is dispatched after a window in which no id arrived, and not
    while another small one is in flight. `is_one_batch` takes a number of ids of one client, and
    says whether to ask for all of them at once, not in batches of `LOOKUP_IDS`. A batch is a
    request of one of the clients that wait for it: `charge` chooses which. `name` is that of the
    collection.
    """

    def __init__(
        self,
        ask: Callable[[Sequence[str]], Awaitable[Answers[str, Value]]],
        charge: Callable[[Collection[str]], str],
        *,
        name: str = "",
        window_seconds: float,
        is_one_batch: Callable[[int], bool] = lambda _ids: False,
        instrumentation: Instrumentation = OFF,
    ) -> None:
        self.batches = 0
        self._ask = ask
        self._charge = charge
        self._window_seconds = window_seconds
        self._is_one_batch = is_one_batch
        self._name = name
        self._instrumentation = instrumentation
        self._gathered: dict[str, asyncio.Future[Value]] = {}
        self._clients: dict[str, str] = {}  # the client of each id
        self._contexts: dict[str, Context] = {}  # in which each id was asked for
        self._turn: asyncio.Handle | None = None
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
        context = copy_context()
        for row_id in ids:
            futures[row_id] = asyncio.get_running_loop().create_future()
            self._gathered[row_id] = futures[row_id]
            self._clients[row_id] = client
            self._contexts[row_id] = context
        if len(self._gathered) >= LOOKUP_IDS and self._turn is None:
            self._turn = asyncio.get_running_loop().call_soon(self._turn_passed)
        self._expect_more()
        return futures

    def _turn_passed(self) -> None:
        self._turn = None
        of_clients: dict[str, list[str]] = {}
        for row_id, client in self._clients.items():
            of_clients.setdefault(client, []).append(row_id)
        for ids in of_clients.values():
            if self._is_one_batch(len(ids)):
                self._dispatch(ids)
        while len(self._gathered) >= LOOKUP_IDS:
            self._dispatch(list(islice(self._gathered, LOOKUP_IDS)))
        self._expect_more()

    def _expect_more(self) -> None:
        if self._gathered and self._timer is None:
            self._wait_for_window()
        else:
            self._has_joined = True

    def _wait_for_window(self) -> None:
        self._has_joined = False
        self._windows += 1
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._window_seconds, self._window_passed)

    def _window_passed(self) -> None:
        if self._has_joined and self._windows < LONGEST_WAIT_WINDOWS:
            self._wait_for_window()
        elif self._small_in_flight is None:
            self._dispatch_all()
        else:
            self._is_due = True
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(LONGEST_WAIT_SECONDS, self._dispatch_all)

    def _dispatch_all(self) -> None:
        self._dispatch([*self._gathered])

    def _dispatch(self, ids: Sequence[str]) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._windows = 0
        self._is_due = False
        batch = {row_id: self._gathered.pop(row_id) for row_id in ids}
        clients = {self._clients.pop(row_id) for row_id in ids}
        contexts = [self._contexts.pop(row_id) for row_id in ids]
        places = [context.run(self._instrumentation.place) for context in contexts]
        self.batches += 1
        # In the context of a request that waits for it: the running one may be of a past batch.
        call = contexts[0].run(
            resolve_with, batch, self._ask_as_batch(ids, places), self._charge(clients)
        )
        if len(batch) < LOOKUP_IDS:
            self._small_in_flight = call
            call.add_done_callback(self._landed)

    async def _ask_as_batch(
        self, ids: Sequence[str], places: Sequence[object]
    ) -> Answers[str, Value]:
        with self._instrumentation.batch(self._name, len(ids), places):
            return await self._ask(ids)

    def _landed(self, call: "asyncio.Future[Answers[str, Value]]") -> None:
        if call is self._small_in_flight:
            self._small_in_flight = None
            if self._is_due:
                self._dispatch_all()
