"""Single flight under every schedule of callers who come and leave, and of fills that end."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from examples import examples
from gateway.cache.single_flight import SingleFlight
from gateway.request_scope import ABANDONED

MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("come"), st.integers(0, 1)),
        st.tuples(st.just("background"), st.integers(0, 1)),
        st.tuples(st.just("leave"), st.integers(0, 9)),
        st.tuples(st.just("succeed"), st.integers(0, 1)),
        st.tuples(st.just("fail"), st.integers(0, 1)),
        st.tuples(st.just("turn"), st.integers(1, 3)),
    ),
    min_size=15,
    max_size=50,
)


class Failed(Exception):
    """What a fill raises; it names the flight."""


class Fills:
    """The fills of one key: each flight has a number, and ends when the test says so."""

    def __init__(self, *, is_stubborn: bool) -> None:
        self.is_stubborn = is_stubborn
        self.begun = 0
        self.running: dict[int, asyncio.Future[None]] = {}
        self.most = 0
        self.abandoned: list[int] = []

    async def __call__(self) -> int:
        self.begun += 1
        number = self.begun
        gate = asyncio.get_running_loop().create_future()
        self.running[number] = gate
        self.most = max(self.most, len(self.running))
        try:
            while not gate.done():
                try:
                    await asyncio.shield(gate)
                except asyncio.CancelledError as cancelled:
                    assert cancelled.args == (ABANDONED,)  # noqa: PT017 - seen inside the fill
                    self.abandoned.append(number)
                    if not self.is_stubborn:
                        raise
            gate.result()
            return number
        except Failed:
            raise Failed(number) from None
        finally:
            del self.running[number]

    def end(self, error: Exception | None = None) -> None:
        for gate in [gate for gate in self.running.values() if not gate.done()]:
            if error is None:
                gate.set_result(None)
            else:
                gate.set_exception(error)


@settings(max_examples=examples(400))
@given(MOVES, st.booleans())
def test_no_schedule_breaks_the_contract(moves: list[tuple[str, int]], is_stubborn: bool) -> None:
    asyncio.run(play(moves, is_stubborn))


async def play(moves: list[tuple[str, int]], is_stubborn: bool) -> None:
    flights = SingleFlight[int, int]()
    fills = [Fills(is_stubborn=is_stubborn) for _ in range(2)]
    callers: list[asyncio.Task[int]] = []
    left: set[asyncio.Task[int]] = set()
    has_background = [False, False]
    for move, argument in moves:
        match move:
            case "come":
                callers.append(asyncio.ensure_future(flights.do(argument, fills[argument])))
            case "background":
                flights.start(argument, fills[argument])
                has_background[argument] = True
            case "leave" if argument < len(callers):
                callers[argument].cancel()
                left.add(callers[argument])
            case "succeed":
                fills[argument].end()
            case "fail":
                fills[argument].end(Failed())
            case _:
                for _ in range(argument):
                    await asyncio.sleep(0)
    for _ in range(10):  # whoever stayed gets an answer in the end
        for fill in fills:
            fill.end()
        for _ in range(10):
            await asyncio.sleep(0)
    answers = await asyncio.gather(*callers, return_exceptions=True)
    for caller, answer in zip(callers, answers, strict=True):
        if isinstance(answer, asyncio.CancelledError):
            assert caller in left  # nobody is cancelled for another one's leaving
        else:
            assert isinstance(answer, int | Failed)
    for key, fill in enumerate(fills):
        # An ended one makes room before its last step; never are two at work for one key.
        assert fill.most <= 1
        assert fill.running == {}
        if has_background[key] is False and not left:
            assert fill.abandoned == []
    assert flights._flights == {}
