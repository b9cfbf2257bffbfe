import asyncio
import gc

import pytest

from gateway.cache.single_flight import SingleFlight
from gateway.errors import UpstreamTimeout
from gateway.request_scope import ABANDONED, open_request_scope


class Fill:
    """A fill that ends when the test says so."""

    def __init__(self) -> None:
        self.calls = 0
        self.ended = False
        self.release: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def __call__(self) -> int:
        self.calls += 1
        try:
            return await self.release
        finally:
            self.ended = True


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_callers_of_one_key_share_one_call() -> None:
    flights, fill = SingleFlight[str, int](), Fill()
    callers = [asyncio.ensure_future(flights.do("key", fill)) for _ in range(200)]
    await settle()
    fill.release.set_result(7)
    assert await asyncio.gather(*callers) == [7] * 200
    assert (fill.calls, flights.coalesced) == (1, 199)


async def test_keys_do_not_wait_for_each_other() -> None:
    flights, slow, quick = SingleFlight[str, int](), Fill(), Fill()
    waiting = asyncio.ensure_future(flights.do("slow", slow))
    quick.release.set_result(1)
    assert await flights.do("quick", quick) == 1
    slow.release.set_result(2)
    assert await waiting == 2


async def test_error_reaches_all_and_is_forgotten() -> None:
    flights, fill = SingleFlight[str, int](), Fill()
    callers = [asyncio.ensure_future(flights.do("key", fill)) for _ in range(3)]
    await settle()
    fill.release.set_exception(ValueError("no"))
    assert [type(e) for e in await asyncio.gather(*callers, return_exceptions=True)] == [
        ValueError
    ] * 3
    again = Fill()
    again.release.set_result(1)
    assert await flights.do("key", again) == 1


async def test_first_callers_cancellation_does_not_end_the_flight_for_others() -> None:
    flights, fill = SingleFlight[str, int](), Fill()
    first = asyncio.ensure_future(flights.do("key", fill))
    second = asyncio.ensure_future(flights.do("key", fill))
    await settle()
    first.cancel()
    await settle()
    fill.release.set_result(7)
    assert await second == 7
    with pytest.raises(asyncio.CancelledError):
        await first


class StubbornFill(Fill):
    """A fill that its abandonment does not end, as that of a request on the wire."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[tuple[object, ...]] = []

    async def __call__(self) -> int:
        self.calls += 1
        while not self.release.done():
            try:
                await asyncio.shield(self.release)
            except asyncio.CancelledError as cancelled:
                self.messages.append(cancelled.args)
        return self.release.result()


async def leave(*callers: "asyncio.Task[int]") -> None:
    for caller in callers:
        caller.cancel()
    await settle()


async def test_flight_that_everybody_left_is_abandoned_once_the_last_is_gone() -> None:
    flights, fill = SingleFlight[str, int](), Fill()
    callers = [asyncio.ensure_future(flights.do("key", fill)) for _ in range(2)]
    await settle()
    await leave(callers[0])
    assert not fill.ended
    await leave(callers[1])
    assert fill.ended


async def test_whoever_comes_while_an_abandoned_flight_ends_starts_another() -> None:
    flights, fill, again = SingleFlight[str, int](), Fill(), Fill()
    caller = asyncio.ensure_future(flights.do("key", fill))
    await settle()
    caller.cancel()
    await asyncio.sleep(0)
    late = asyncio.ensure_future(flights.do("key", again))
    await settle()
    again.release.set_result(7)
    assert (await late, fill.calls, again.calls) == (7, 1, 1)


async def test_whoever_comes_again_joins_a_flight_that_its_abandonment_does_not_end() -> None:
    flights, fill = SingleFlight[str, int](), StubbornFill()
    await_all = [asyncio.ensure_future(flights.do("key", fill)) for _ in range(2)]
    await settle()
    await leave(*await_all)
    again = asyncio.ensure_future(flights.do("key", fill))
    await settle()
    fill.release.set_result(7)
    assert (await again, fill.calls, fill.messages) == (7, 1, [(ABANDONED,)])


async def test_flight_in_the_background_waits_for_nobody() -> None:
    flights, fill = SingleFlight[str, int](), Fill()
    flights.start("key", fill)
    flights.start("key", fill)
    await settle()
    joined = asyncio.ensure_future(flights.do("key", fill))
    await settle()
    await leave(joined)
    assert (fill.calls, fill.ended, flights.coalesced) == (1, False, 1)
    fill.release.set_result(7)
    await settle()
    assert fill.ended


async def test_deadline_of_an_answer_ends_its_waiting_but_not_the_flight_of_others() -> None:
    flights, fill = SingleFlight[str, int](), Fill()
    patient = asyncio.ensure_future(flights.do("key", fill))
    await settle()
    with open_request_scope(0.0), pytest.raises(UpstreamTimeout):
        await flights.do("key", fill)
    fill.release.set_result(7)
    assert await patient == 7


async def test_time_out_of_the_fill_itself_is_no_deadline_of_ours() -> None:
    flights, fill = SingleFlight[str, int](), Fill()
    fill.release.set_exception(TimeoutError())
    with open_request_scope(60.0), pytest.raises(TimeoutError):
        await flights.do("key", fill)


async def test_caller_in_the_turn_in_which_a_flight_lands_starts_anew() -> None:
    flights, fill, again = SingleFlight[str, int](), Fill(), Fill()
    first = asyncio.ensure_future(flights.do("key", fill))
    await settle()
    fill.release.set_result(1)
    # Its first step comes behind the flight's last one, before the flight is forgotten.
    late = asyncio.ensure_future(flights.do("key", again))
    assert await first == 1
    third = asyncio.ensure_future(flights.do("key", fill))
    await settle()
    again.release.set_result(2)
    assert (await late, await third) == (2, 2)
    assert (fill.calls, again.calls) == (1, 1)


async def test_error_that_nobody_waits_for_is_not_complained_about(
    caplog: pytest.LogCaptureFixture,
) -> None:
    flights, fill = SingleFlight[str, int](), Fill()
    flights.start("key", fill)
    await settle()
    fill.release.set_exception(ValueError("no"))
    await settle()
    del fill
    gc.collect()
    assert caplog.records == []
