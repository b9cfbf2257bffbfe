import asyncio
import gc
from collections.abc import Mapping, Sequence
from functools import partial

import pytest
from clock import settle

from gateway.cache.single_flight import SingleFlight, call_for_all, resolve_with

Flights = dict[str, "asyncio.Future[int]"]


class Calls:
    """Calls for keys that end when the test resolves the futures in `started`."""

    def __init__(self) -> None:
        self.flights = SingleFlight[str, int]()
        self.started: list[Flights] = []

    def start(self, keys: Sequence[str]) -> Flights:
        self.started.append({key: asyncio.get_running_loop().create_future() for key in keys})
        return self.started[-1]

    def run(self, *keys: str) -> Flights:
        return self.flights.run(keys, self.start)


async def test_callers_of_one_key_share_one_call() -> None:
    calls = Calls()
    flights = [calls.run("a")["a"] for _ in range(200)]
    calls.started[0]["a"].set_result(7)
    assert await asyncio.gather(*flights) == [7] * 200
    assert (len(calls.started), calls.flights.coalesced) == (1, 199)


async def test_one_call_starts_for_the_keys_that_are_not_in_flight() -> None:
    calls = Calls()
    calls.run("a", "b")
    flights = calls.run("b", "c", "d")
    assert [[*started] for started in calls.started] == [["a", "b"], ["c", "d"]]
    assert flights["b"] is calls.started[0]["b"]
    assert calls.flights.coalesced == 1
    assert calls.run("a", "d").keys() == {"a", "d"}
    assert len(calls.started) == 2


async def test_keys_do_not_wait_for_each_other() -> None:
    calls = Calls()
    flights = calls.run("slow", "quick")
    calls.started[0]["quick"].set_result(1)
    assert await flights["quick"] == 1
    assert not flights["slow"].done()


async def test_error_reaches_all_callers_and_is_forgotten() -> None:
    calls = Calls()
    flights = [calls.run("a")["a"] for _ in range(3)]
    error = ValueError("no")
    calls.started[0]["a"].set_exception(error)
    assert await asyncio.gather(*flights, return_exceptions=True) == [error] * 3
    calls.run("a")
    assert len(calls.started) == 2


async def test_caller_that_is_cancelled_does_not_end_the_flight() -> None:
    calls = Calls()
    first = asyncio.ensure_future(asyncio.wait(calls.run("a").values()))
    second = asyncio.ensure_future(asyncio.wait(calls.run("a").values()))
    await settle()
    first.cancel()
    await settle()
    calls.started[0]["a"].set_result(7)
    done, _ = await second
    assert [flight.result() for flight in done] == [7]


async def test_caller_in_the_turn_in_which_a_flight_lands_starts_anew() -> None:
    calls = Calls()
    first = calls.run("a")["a"]
    calls.started[0]["a"].set_result(1)
    second = calls.run("a")["a"]  # the first flight's callback has not run yet
    await settle()
    third = calls.run("a")["a"]
    assert first is not second
    assert second is third
    assert len(calls.started) == 2


async def test_flight_that_is_cancelled_is_forgotten() -> None:
    calls = Calls()
    calls.run("a")["a"].cancel()
    await settle()
    calls.run("a")
    assert len(calls.started) == 2


async def test_error_of_a_flight_without_callers_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    calls = Calls()
    calls.run("a")
    calls.started.pop()["a"].set_exception(ValueError("no"))
    await settle()
    gc.collect()
    assert caplog.records == []


async def test_one_call_resolves_all_its_keys_with_values_and_errors() -> None:
    error = ValueError("no")
    asked: list[Sequence[str]] = []

    async def call(keys: Sequence[str]) -> Mapping[str, int | Exception]:
        asked.append(keys)
        return {"a": 1, "b": error, "another": 2}

    flights = SingleFlight[str, int]().run(["a", "b"], partial(call_for_all, call=call))
    assert await asyncio.gather(*flights.values(), return_exceptions=True) == [1, error]
    assert asked == [["a", "b"]]


async def test_call_that_raises_resolves_all_its_keys_with_the_error() -> None:
    error = ZeroDivisionError()

    async def call(keys: Sequence[str]) -> Mapping[str, int]:
        raise error

    flights = call_for_all(["a", "b"], call)
    assert await asyncio.gather(*flights.values(), return_exceptions=True) == [error] * 2


async def test_call_that_is_cancelled_cancels_all_its_keys() -> None:
    async def call() -> Mapping[str, int]:
        await asyncio.Event().wait()
        return {}

    futures: Flights = {key: asyncio.get_running_loop().create_future() for key in "ab"}
    task = resolve_with(futures, call())
    await settle()
    task.cancel()
    await settle()
    assert all(future.cancelled() for future in futures.values())
