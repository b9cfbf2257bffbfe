"""Single flight under every schedule of callers who come and leave, and of calls that end."""

import asyncio
from collections.abc import Mapping, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from examples import examples
from gateway.cache.single_flight import SingleFlight

KEYS = 3

MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("come"), st.sets(st.integers(0, KEYS - 1), min_size=1)),
        st.tuples(st.just("leave"), st.integers(0, 9)),
        st.tuples(st.just("succeed"), st.integers(0, KEYS - 1)),
        st.tuples(st.just("fail"), st.integers(0, KEYS - 1)),
        st.tuples(st.just("turn"), st.integers(1, 3)),
    ),
    min_size=15,
    max_size=50,
)


class Failed(Exception):
    """What a call raises."""


class Calls:
    """Calls for several keys, whose futures end one by one, as the test says."""

    def __init__(self) -> None:
        self.flying: dict[int, asyncio.Future[int]] = {}
        self.started = 0

    def start(self, keys: Sequence[int]) -> Mapping[int, "asyncio.Future[int]"]:
        assert keys
        self.started += len(keys)
        for key in keys:
            assert key not in self.flying  # one flight per key
            self.flying[key] = asyncio.get_running_loop().create_future()
        return {key: self.flying[key] for key in keys}

    def end(self, key: int, error: Exception | None = None) -> None:
        if (flight := self.flying.pop(key, None)) is None:
            return
        if error is None:
            flight.set_result(key)
        else:
            flight.set_exception(error)


@settings(max_examples=examples(400))
@given(MOVES)
def test_no_schedule_breaks_the_contract(moves: list[tuple[str, int | set[int]]]) -> None:
    asyncio.run(play(moves))


async def play(moves: list[tuple[str, int | set[int]]]) -> None:
    flights, calls = SingleFlight[int, int](), Calls()
    callers: list[asyncio.Task[None]] = []
    left: set[asyncio.Task[None]] = set()
    asked = 0

    async def ask(keys: set[int]) -> None:
        nonlocal asked
        asked += len(keys)
        found = flights.run(keys, calls.start)
        assert found.keys() == keys
        await asyncio.wait(found.values())
        for key, flight in found.items():
            error = flight.exception()
            assert isinstance(error, Failed) or flight.result() == key

    for move, argument in moves:
        match move, argument:
            case "come", set(keys):
                callers.append(asyncio.ensure_future(ask(keys)))
            case "leave", int(number) if number < len(callers):
                callers[number].cancel()
                left.add(callers[number])
            case "succeed", int(key):
                calls.end(key)
            case "fail", int(key):
                calls.end(key, Failed())
            case "turn", int(turns):
                for _ in range(turns):
                    await asyncio.sleep(0)
    while not all(caller.done() for caller in callers):
        for key in range(KEYS):
            calls.end(key)
        await asyncio.sleep(0)
    for caller in callers:
        assert caller in left or not caller.cancelled()  # no caller is cancelled for another one
        assert caller.cancelled() or caller.exception() is None
    for key in range(KEYS):  # those whose callers have all left
        calls.end(key)
    await asyncio.sleep(0)
    assert asked == calls.started + flights.coalesced
    assert flights._flights == {}
