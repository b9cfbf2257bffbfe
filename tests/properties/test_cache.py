"""The read-through cache against a model: time, errors, writes and readers who leave, as moves."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from examples import examples
from gateway.cache.backend import CacheBackend
from gateway.cache.lives import Entry, Lives
from gateway.cache.read_through import FAILING_SECONDS, ReadThroughCache
from gateway.errors import (
    ErrorCode,
    UpstreamError,
    UpstreamForbidden,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from gateway.request_scope import open_request_scope

FRESH, REVALIDATE, IF_ERROR = 15.0, 60.0, 600.0
ERRORS: dict[str, UpstreamError | None] = {
    "ok": None,
    "down": UpstreamUnavailable("down"),
    "slow": UpstreamTimeout("slow"),
    "forbidden": UpstreamForbidden(),
}

Move = tuple[str, float | str | int]
MOVES: st.SearchStrategy[list[Move]] = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.sampled_from([0.5, 7.0, 14.0, 16.0, 61.0, 300.0, 700.0])),
        st.tuples(st.just("upstream"), st.sampled_from([*ERRORS, "forbidden"])),
        st.tuples(st.just("pass"), st.just(16.0)),
        st.tuples(st.just("reluctant"), st.sampled_from(["", "background", "all"])),
        st.tuples(st.just("write"), st.just(0)),
        st.tuples(st.just("read"), st.integers(1, 4)),
        st.tuples(st.just("read"), st.just(1)),
        st.tuples(st.just("leave"), st.integers(1, 3)),
    ),
    min_size=15,
    max_size=40,
)


@dataclass
class Upstream:
    """Answers with the number of the call, or fails; tells how welcome fills are."""

    now: float = 1_000_000.0
    error: UpstreamError | None = None
    reluctant: str = ""
    calls: int = 0

    def reluctance(self, *, urgent: bool) -> ErrorCode | None:
        unwelcome = self.reluctant == "all" or (self.reluctant == "background" and not urgent)
        return ErrorCode.RATE_LIMITED if unwelcome else None


@dataclass
class Model:
    """What a single key should hold, and what a read should give."""

    upstream: Upstream
    read_at: float | None = None
    value: int = 0
    invalidated_at: float = 0.0
    failure: UpstreamError | None = None
    failed_at: float = 0.0
    expected_calls: int = field(default=0)

    def fill(self) -> UpstreamError | None:
        self.expected_calls += 1
        error = self.upstream.error
        if error is None:
            self.read_at, self.value = self.upstream.now, self.expected_calls
        if error is None or not isinstance(self.failure, UpstreamForbidden):
            self.failure, self.failed_at = error, self.upstream.now
        return error

    def read(self) -> tuple[int | str, bool, ErrorCode | None]:
        """Returns the value or the error's code, whether it is stale, and because of what."""
        kept = self.value
        usable = self.read_at is not None and self.read_at >= self.invalidated_at
        age = self.upstream.now - (self.read_at or 0.0)
        if usable and age < FRESH:
            return kept, False, None
        if usable and not isinstance(self.failure, UpstreamForbidden):
            if age < FRESH + REVALIDATE:
                if not self.upstream.reluctant:
                    self.fill()
                return kept, True, None
            if age < FRESH + IF_ERROR:
                if self.upstream.reluctant:
                    return kept, True, ErrorCode.RATE_LIMITED
                is_failing = self.upstream.now - self.failed_at < FAILING_SECONDS
                if self.failure is not None and is_failing:
                    error = self.failure.code
                    self.fill()
                    return kept, True, error
                failure = self.fill()
                if failure is not None and not isinstance(failure, UpstreamForbidden):
                    return kept, True, failure.code
                return (self.value if failure is None else failure.code.value), False, None
        failure = self.fill()
        return (self.value if failure is None else failure.code.value), False, None


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@settings(max_examples=examples(300))
@given(MOVES)
def test_reads_give_what_the_model_says(moves: list[Move]) -> None:
    asyncio.run(play(moves))


async def play(moves: list[Move]) -> None:
    upstream = Upstream()
    model = Model(upstream)
    cache = ReadThroughCache(
        CacheBackend(1_000_000),
        Lives(FRESH, REVALIDATE, IF_ERROR),
        clock=lambda: upstream.now,
        reluctance=upstream.reluctance,
        invalidated_at=lambda: model.invalidated_at,
    )

    async def fill(keys: Sequence[str]) -> Mapping[str, Entry]:
        upstream.calls += 1
        call, read_at = upstream.calls, upstream.now
        await asyncio.sleep(0)
        if upstream.error is not None:
            raise upstream.error
        return {key: Entry(read_at, str(call).encode()) for key in keys}

    async def read() -> tuple[int | str, bool, ErrorCode | None]:
        with open_request_scope(60.0) as scope:
            try:
                entry = await cache.read("key", fill)
                cache.note(entry.read_at, entry.stale_for)
                value: int | str = int(entry.value)
            except UpstreamError as error:
                value = error.code.value
        return value, scope.is_stale, scope.stale_error

    for move, argument in moves:
        match move, argument:
            case "pass", float(seconds):
                upstream.now += seconds
            case "upstream", str(name):
                upstream.error = ERRORS[name]
            case "reluctant", str(how):
                upstream.reluctant = how
            case "write", _:
                upstream.now += 0.001
                model.invalidated_at = upstream.now
            case "read", int(readers):
                # All at once, so that one fill is for all of them.
                expected = model.read()
                assert await asyncio.gather(*(read() for _ in range(readers))) == (
                    [expected] * readers
                )
                await settle()
            case "leave", int(readers):
                # One stays: the others' leaving neither ends its fill nor starts another.
                expected = model.read()
                stays = asyncio.ensure_future(read())
                leave = [asyncio.ensure_future(read()) for _ in range(readers)]
                await asyncio.sleep(0)
                for reader in leave:
                    reader.cancel()
                assert await stays == expected
                await settle()
        assert upstream.calls == model.expected_calls
