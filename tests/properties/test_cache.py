"""The read-through cache against a model: time, errors, writes and readers who leave, as moves."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from clock import Clock, settle
from hypothesis import given, settings
from hypothesis import strategies as st

from examples import examples
from gateway.cache.entries import EntryKind
from gateway.cache.fills import FAILED_SECONDS
from gateway.cache.memory import Memory
from gateway.cache.policy import CachePolicy, Entry
from gateway.cache.read_through import ReadThroughCache
from gateway.cache.single_flight import call_for_all
from gateway.errors import (
    ErrorCode,
    UpstreamError,
    UpstreamForbidden,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from gateway.request_scope import open_request_scope

TTL, REVALIDATE, IF_ERROR = 15.0, 60.0, 600.0
ERRORS: dict[str, UpstreamError | None] = {
    "ok": None,
    "down": UpstreamUnavailable("down"),
    "slow": UpstreamTimeout(),
    "forbidden": UpstreamForbidden(),
}
KEYS = "ab"

# The value or the error's code, whether it is stale, and because of what.
Seen = tuple[int | str, bool, ErrorCode | None]
Move = tuple[str, float | str | tuple[str, int]]
READ = st.tuples(st.sampled_from(["a", "b", "ab"]), st.integers(1, 4))
MOVES: st.SearchStrategy[list[Move]] = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.sampled_from([0.5, 7.0, 14.0, 16.0, 61.0, 300.0, 700.0])),
        st.tuples(st.just("pass"), st.just(16.0)),
        st.tuples(st.just("upstream"), st.sampled_from([*ERRORS, "forbidden"])),
        st.tuples(st.just("defer"), st.sampled_from(["", "background", "all"])),
        st.tuples(st.just("write"), st.just("")),
        st.tuples(st.just("read"), READ),
        st.tuples(st.just("superseded"), READ),
        st.tuples(st.just("leave"), READ),
    ),
    min_size=15,
    max_size=40,
)


class NumberCodec:
    def encode(self, value: int) -> bytes:
        return str(value).encode()

    def decode(self, key: str, raw: bytes, read_at: float) -> int:
        return int(raw)


NUMBERS = EntryKind("numbers", "list_numbers", NumberCodec(), "numbers")


@dataclass
class Upstream:
    """Answers with the number of the call for a key, or fails."""

    error: UpstreamError | None = None
    deferring: str = ""
    beyond_share: UpstreamError | None = None
    is_refused: bool = False
    calls: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KEYS, 0))

    def defer_reason(self, operation: str, *, foreground: bool) -> ErrorCode | None:
        defers = self.deferring == "all" or (self.deferring == "background" and not foreground)
        return ErrorCode.RATE_LIMITED if defers else None

    def share_refusal(self) -> UpstreamError | None:
        return self.beyond_share

    def is_forbidden(self, operation: str) -> bool:
        return self.is_refused


@dataclass
class Model:
    """What one key should hold, and what a read should give."""

    upstream: Upstream
    clock: Clock
    read_at: float | None = None
    value: int = 0
    written_at: float = 0.0
    failed_at: float = 0.0
    failure: ErrorCode | None = None
    is_refused: bool = False
    expected_calls: int = 0

    def fill(self) -> UpstreamError | None:
        self.expected_calls += 1
        error = self.upstream.error
        self.failure, self.failed_at = None, self.clock()
        if error is None:
            self.read_at, self.value = self.clock(), self.expected_calls
        elif not isinstance(error, UpstreamForbidden):
            self.failure = error.code
        return error

    def refresh(self) -> None:
        if not self.upstream.deferring and self.just_failed is None:
            self.fill()

    @property
    def just_failed(self) -> ErrorCode | None:
        return self.failure if self.clock() - self.failed_at < FAILED_SECONDS else None

    def read(self, *, is_superseded: bool) -> Seen:
        value = self.value
        usable = self.read_at is not None and self.read_at >= self.written_at
        age = self.clock() - (self.read_at or 0.0)
        if usable and age < TTL and not is_superseded:
            return value, False, None
        if usable and not self.upstream.is_refused:
            if TTL <= age < TTL + REVALIDATE and not is_superseded:
                self.refresh()
                return value, True, None
            if age < TTL + IF_ERROR:
                reason = self.upstream.defer_reason("", foreground=True)
                if not is_superseded:
                    reason = self.upstream.defer_reason("", foreground=False) or self.just_failed
                if reason is not None:
                    self.refresh()
                    return value, True, reason
                error = self.fill()
                if error is not None and not isinstance(error, UpstreamForbidden):
                    return value, True, error.code
                return (self.value if error is None else error.code.value), False, None
        error = self.fill()
        return (self.value if error is None else error.code.value), False, None


@settings(max_examples=examples(300))
@given(MOVES)
def test_reads_give_what_the_model_says(moves: list[Move]) -> None:
    asyncio.run(play(moves))


async def play(moves: list[Move]) -> None:
    upstream, clock = Upstream(), Clock()
    models = {key: Model(upstream, clock) for key in KEYS}
    cache = ReadThroughCache(
        CachePolicy(TTL, REVALIDATE, IF_ERROR),
        Memory(1_000_000),
        upstream,
        clock=clock,
        patience_seconds=60.0,
        written_at=lambda _: models["a"].written_at,
    )

    async def answer(keys: Sequence[str]) -> Mapping[str, Entry[int] | UpstreamError]:
        for key in keys:
            upstream.calls[key] += 1
        read_at = clock()
        await asyncio.sleep(0)
        if upstream.error is not None:
            return dict.fromkeys(keys, upstream.error)
        entries = {key: Entry(read_at, upstream.calls[key]) for key in keys}
        await cache.store(NUMBERS, entries)
        return entries

    async def read(keys: str, not_before: float) -> list[Seen]:
        outcomes = await cache.read(
            NUMBERS, [*keys], partial(call_for_all, call=answer), not_before
        )
        return [seen(outcomes[key]) for key in keys]

    def seen(outcome: Entry[int] | UpstreamError) -> Seen:
        with open_request_scope(60.0) as scope:
            if isinstance(outcome, UpstreamError):
                return outcome.code.value, False, None
            cache.record_read(NUMBERS.collection, outcome.read_at, outcome.stale_because)
        return outcome.value, scope.is_stale, scope.stale_because

    for move, argument in moves:
        match move, argument:
            case "pass", float(seconds):
                clock.advance(seconds)
            case "upstream", str(name):
                upstream.error = ERRORS[name]
                upstream.is_refused = name == "forbidden"
            case "defer", str(how):
                upstream.deferring = how
            case "write", _:
                clock.advance(0.001)
                for model in models.values():
                    model.written_at = clock()
            case (("read" | "superseded" | "leave"), (str(keys), int(readers))):
                not_before = 0.0
                if move == "superseded":
                    clock.advance(0.001)
                    not_before = clock()
                expected = [models[key].read(is_superseded=move == "superseded") for key in keys]
                # All at once, so that one fill is for all of them; who leaves ends no fill.
                reading = [asyncio.ensure_future(read(keys, not_before)) for _ in range(readers)]
                await asyncio.sleep(0)
                for reader in reading[1:] if move == "leave" else []:
                    reader.cancel()
                stays = reading[:1] if move == "leave" else reading
                assert await asyncio.gather(*stays) == [expected] * len(stays)
                await settle()
        assert upstream.calls == {key: model.expected_calls for key, model in models.items()}
