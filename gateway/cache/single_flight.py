"""One call in flight per key: later callers of a key wait for the call that is in flight."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar

from gateway.request_scope import open_call_scope

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Answers: TypeAlias = Mapping[Key, Value | Exception]


class SingleFlight(Generic[Key, Value]):
    """Coalesces calls for the same key in one process; `coalesced` counts keys that joined."""

    def __init__(self) -> None:
        self._flights: dict[Key, asyncio.Future[Value]] = {}
        self.coalesced = 0

    def run(
        self,
        keys: Iterable[Key],
        start: Callable[[Sequence[Key]], Mapping[Key, asyncio.Future[Value]]],
    ) -> dict[Key, asyncio.Future[Value]]:
        """Returns a future for each key: the one in flight, else the one that `start` returns.

        `start` is called once, with the keys that are not in flight. Futures are shared between
        callers: await them with `asyncio.wait`, which does not cancel them.
        """
        flights: dict[Key, asyncio.Future[Value]] = {}
        new: list[Key] = []
        for key in keys:
            flight = self._flights.get(key)
            # A finished flight stays here for one turn of the event loop, until its callback runs.
            if flight is None or flight.done():
                new.append(key)
            else:
                self.coalesced += 1
                flights[key] = flight
        if new:
            for key, flight in start(new).items():
                self._flights[key] = flights[key] = flight
                flight.add_done_callback(partial(self._landed, key))
        return flights

    def _landed(self, key: Key, flight: "asyncio.Future[Value]") -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not flight.cancelled():
            flight.exception()  # marks it as retrieved, even if all callers have left


# asyncio itself keeps only weak references to tasks.
_calls: set[asyncio.Future[Any]] = set()


def call_for_all(
    keys: Sequence[Key], call: Callable[[Sequence[Key]], Awaitable[Answers[Key, Value]]]
) -> dict[Key, "asyncio.Future[Value]"]:
    """Starts one call for all keys; returns the future of each."""
    loop = asyncio.get_running_loop()
    futures: dict[Key, asyncio.Future[Value]] = {key: loop.create_future() for key in keys}
    resolve_with(futures, call(keys))
    return futures


def resolve_with(
    futures: Mapping[Key, "asyncio.Future[Value]"],
    call: Awaitable[Answers[Key, Value]],
    client: str | None = None,
) -> "asyncio.Future[Answers[Key, Value]]":
    """Starts a call, which resolves the future of each key; returns its task.

    The upstream requests of the call are those of `client`, by default of the running request's.

    The call must answer every key, with a value or an error; a key without one gets `KeyError`.
    """
    task = asyncio.ensure_future(_in_call_scope(call, client))
    _calls.add(task)
    task.add_done_callback(_calls.discard)
    task.add_done_callback(partial(_resolve, futures))
    return task


async def _in_call_scope(
    call: Awaitable[Answers[Key, Value]], client: str | None
) -> Answers[Key, Value]:
    with open_call_scope(client):
        return await call


def _resolve(
    futures: Mapping[Key, "asyncio.Future[Value]"],
    task: "asyncio.Future[Answers[Key, Value]]",
) -> None:
    for key, future in futures.items():
        if task.cancelled():
            future.cancel()
            continue
        answer = task.exception() or task.result().get(key, KeyError(key))
        if isinstance(answer, BaseException):
            future.set_exception(answer)
            future.exception()  # marks it as retrieved, even if all callers have left
        else:
            future.set_result(answer)
