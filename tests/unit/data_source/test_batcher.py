"""When batches leave, in virtual time: seconds are exact, and none is waited for."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from functools import wraps
from typing import Any

import pytest
from virtual_time import run_in_virtual_time

from gateway.data_source.batcher import (
    LONGEST_WAIT_SECONDS,
    LONGEST_WAIT_WINDOWS,
    LOOKUP_IDS,
    Batcher,
)
from gateway.errors import UpstreamUnavailable
from gateway.request_scope import RequestIdentity, open_request_scope, request_scope

WINDOW = 0.008


def in_virtual_time(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    @wraps(test)
    def run() -> None:
        run_in_virtual_time(test())

    return run


class Asked:
    """Answers each id with its upper case after `takes` seconds; an id of "bug" raises `KeyError`.

    `batches` holds the time and the number of ids of each batch.
    """

    def __init__(self, takes: float = 0.0) -> None:
        self.takes = takes
        self.batches: list[tuple[float, int]] = []

    async def __call__(self, ids: Sequence[str]) -> dict[str, str | Exception]:
        self.batches.append((round(asyncio.get_running_loop().time(), 6), len(ids)))
        await asyncio.sleep(self.takes)
        if "bug" in ids:
            raise KeyError("bug")
        return {i: UpstreamUnavailable("down") if i == "down" else i.upper() for i in ids}


def ids(first: int, number: int) -> list[str]:
    return [f"id-{n}" for n in range(first, first + number)]


async def load(batcher: Batcher[str], *wanted: str) -> list[str]:
    return [await future for future in batcher.load(wanted).values()]


@in_virtual_time
async def test_ids_of_one_window_share_a_batch() -> None:
    asked = Asked()
    batcher = Batcher(asked, min, window_seconds=WINDOW)
    callers = [load(batcher, row_id) for row_id in ids(0, 16)]
    assert await asyncio.gather(*callers) == [[row_id.upper()] for row_id in ids(0, 16)]
    # Ids joined in the first window, and none in the second.
    assert (asked.batches, batcher.batches) == ([(2 * WINDOW, 16)], 1)


@in_virtual_time
async def test_single_id_leaves_after_one_window() -> None:
    asked = Asked()
    assert await load(Batcher(asked, min, window_seconds=WINDOW), "a") == ["A"]
    assert asked.batches == [(WINDOW, 1)]


@in_virtual_time
async def test_full_batches_leave_at_once_and_the_rest_after_a_window() -> None:
    asked = Asked(takes=10)
    batcher = Batcher(asked, min, window_seconds=WINDOW)
    await load(batcher, *ids(0, 250))
    assert asked.batches == [(0, LOOKUP_IDS), (0, LOOKUP_IDS), (WINDOW, 50)]


@in_virtual_time
async def test_ids_that_keep_arriving_are_gathered_for_a_bounded_time() -> None:
    asked = Asked()
    batcher = Batcher(asked, min, window_seconds=WINDOW)
    callers = []
    for row_id in ids(0, 25):
        callers.append(asyncio.ensure_future(load(batcher, row_id)))
        await asyncio.sleep(WINDOW / 2)
    await asyncio.gather(*callers)
    assert asked.batches[0] == (LONGEST_WAIT_WINDOWS * WINDOW, 2 * LONGEST_WAIT_WINDOWS)
    assert [number for _, number in asked.batches] == [20, 5]


@in_virtual_time
async def test_ids_that_gather_behind_a_small_batch_leave_together_as_it_lands() -> None:
    asked = Asked(takes=0.3)
    batcher = Batcher(asked, min, window_seconds=WINDOW)
    callers = []
    for row_id in ids(0, 4):
        callers.append(asyncio.ensure_future(load(batcher, row_id)))
        await asyncio.sleep(0.05)
    await asyncio.gather(*callers)
    assert asked.batches == [(WINDOW, 1), (WINDOW + 0.3, 3)]


@in_virtual_time
async def test_ids_behind_a_small_batch_that_hangs_leave_after_the_longest_wait() -> None:
    asked = Asked(takes=100)
    batcher = Batcher(asked, min, window_seconds=WINDOW)
    first = asyncio.ensure_future(load(batcher, "a"))
    await asyncio.sleep(1)
    second = asyncio.ensure_future(load(batcher, "b"))
    assert await first == ["A"]
    # The second one is still in flight: the first to land says nothing of it.
    assert await load(batcher, "c") == ["C"]
    assert await second == ["B"]
    third_at = round(100 + WINDOW + WINDOW + LONGEST_WAIT_SECONDS, 6)
    second_at = 1 + WINDOW + LONGEST_WAIT_SECONDS
    assert asked.batches == [(WINDOW, 1), (second_at, 1), (third_at, 1)]


@in_virtual_time
async def test_small_batch_does_not_wait_for_a_full_one_nor_a_full_one_for_it() -> None:
    asked = Asked(takes=0.3)
    batcher = Batcher(asked, min, window_seconds=WINDOW)
    full = asyncio.ensure_future(load(batcher, *ids(0, 100)))
    small = asyncio.ensure_future(load(batcher, "a"))
    await asyncio.sleep(0.1)
    await load(batcher, *ids(100, 100))
    await asyncio.gather(full, small)
    assert asked.batches == [(0, 100), (WINDOW, 1), (0.1, 100)]


@in_virtual_time
async def test_error_of_an_id_is_its_own() -> None:
    batcher = Batcher(Asked(), min, window_seconds=WINDOW)
    outcomes = await asyncio.gather(
        *batcher.load(["a", "down", "b"]).values(), return_exceptions=True
    )
    assert [str(outcome) for outcome in outcomes] == ["A", "down", "B"]


@in_virtual_time
async def test_bug_is_raised_to_all_of_its_batch_and_the_next_batch_leaves() -> None:
    asked = Asked()
    batcher = Batcher(asked, min, window_seconds=WINDOW)
    outcomes = await asyncio.gather(*batcher.load(["a", "bug"]).values(), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [KeyError, KeyError]
    assert await load(batcher, "a") == ["A"]


@in_virtual_time
async def test_caller_that_hangs_up_takes_nothing_from_others() -> None:
    asked = Asked(takes=1)
    batcher = Batcher(asked, min, window_seconds=WINDOW)
    futures = batcher.load(["a", "b"])
    caller = asyncio.ensure_future(asyncio.wait(futures.values()))
    await asyncio.sleep(0.5)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert [await future for future in futures.values()] == ["A", "B"]
    assert asked.batches == [(WINDOW, 2)]


@in_virtual_time
async def test_what_is_asked_for_in_one_turn_is_seen_whole() -> None:
    asked, seen = Asked(), list[int]()

    def is_one_batch(number: int) -> bool:
        seen.append(number)
        return number > 250

    batcher = Batcher(asked, min, window_seconds=WINDOW, is_one_batch=is_one_batch)
    callers = [load(batcher, *ids(first, 30)) for first in range(0, 300, 30)]
    assert [len(found) for found in await asyncio.gather(*callers)] == [30] * 10
    assert (asked.batches, seen, batcher.batches) == ([(0, 300)], [300], 1)
    callers = [load(batcher, *ids(first, 30)) for first in range(0, 240, 30)]
    await asyncio.gather(*callers)
    assert asked.batches[1:] == [(0, LOOKUP_IDS), (0, LOOKUP_IDS), (WINDOW, 40)]


@in_virtual_time
async def test_client_with_many_ids_has_a_batch_of_its_own() -> None:
    asked = Asked()
    batcher = Batcher(asked, min, window_seconds=WINDOW, is_one_batch=lambda n: n > 250)
    futures: list[asyncio.Future[str]] = []
    for client, first, number in (("a", 0, 1), ("b", 1, 300), ("a", 301, 1)):
        with open_request_scope(1, client):
            futures += batcher.load(ids(first, number)).values()
    await asyncio.gather(*futures)
    assert asked.batches == [(0, 300), (WINDOW, 2)]


@in_virtual_time
async def test_batch_is_charged_to_one_of_the_clients_of_its_own_ids() -> None:
    charged: list[list[str]] = []

    def charge(clients: Collection[str]) -> str:
        charged.append(sorted(clients))
        return min(clients)

    batcher = Batcher(Asked(), charge, window_seconds=WINDOW)
    futures: list[asyncio.Future[str]] = []
    for client, first, number in (("a", 0, 60), ("b", 60, 60), ("c", 120, 10)):
        with open_request_scope(1, client):
            futures += batcher.load(ids(first, number)).values()
    await asyncio.gather(*futures)
    assert charged == [["a", "b"], ["b", "c"]]


@in_virtual_time
async def test_batch_that_waited_for_another_is_of_the_request_that_waits_for_it() -> None:
    began_by: list[RequestIdentity | None] = []

    async def ask(wanted: Sequence[str]) -> dict[str, str | Exception]:
        scope = request_scope()
        began_by.append(None if scope is None else scope.request)
        await asyncio.sleep(LONGEST_WAIT_SECONDS / 2)
        return {row_id: row_id for row_id in wanted}

    batcher = Batcher(ask, min, window_seconds=WINDOW)

    async def request(row_id: str, after_seconds: float) -> RequestIdentity:
        await asyncio.sleep(after_seconds)
        with open_request_scope(10) as scope:
            await load(batcher, row_id)
            return scope.request

    requests = await asyncio.gather(request("a", 0), request("b", 2 * WINDOW))
    assert [*map(id, began_by)] == [*map(id, requests)]
