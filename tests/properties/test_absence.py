"""Any lookups while a store changes in any way: no wrong row, no row that is missed."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

from clock import Clock
from hypothesis import given, settings
from hypothesis import strategies as st
from in_process import InProcess, in_process

from examples import examples
from gateway.emulator import SegmentRow

TTL = 15.0


@dataclass
class ChangingStore:
    """A gateway over a store that changes; `born` and `died` have the times of its rows."""

    gateway: InProcess
    clock: Clock
    plan: list[list[tuple[str, int, int]]]
    born: dict[str, float] = field(default_factory=dict)
    died: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.born = dict.fromkeys((row.id for row in self.rows), 0.0)
        self.gateway.emulator.sleep = self.answer

    @property
    def rows(self) -> list[SegmentRow]:
        return self.gateway.emulator.store.segments

    def change(self, change: str, at: int, to: int) -> None:
        rows = self.rows
        if change == "replace":
            self.change("delete", at, to)
            self.change("add", len(self.rows), to)
        elif change == "add":
            date = datetime.fromtimestamp(self.clock.now, UTC).isoformat()
            new = SegmentRow(str(UUID(int=len(self.born) + 10**6)), f"new {at}", None, date, date)
            rows.insert(at % (len(rows) + 1), new)
            self.born[new.id] = self.clock.now
        elif rows:
            one = rows.pop(at % len(rows))
            if change == "delete":
                self.died[one.id] = self.clock.now
            else:
                rows.insert(to % (len(rows) + 1), replace(one, name=f"{one.name}."))

    async def answer(self, _seconds: float) -> None:
        """Lets what is planned happen behind each answer of the store."""
        self.clock.advance(0.01)
        if self.plan:
            for change in self.plan.pop():
                self.change(*change)

    async def look_up(self, ids: list[str]) -> None:
        before = self.clock.now
        rows = await self.gateway.services.segment_lookups.load(ids)
        for row_id, row in zip(ids, rows, strict=True):
            was_there_all_the_time = (
                self.born.get(row_id, before) < before - TTL
                and self.died.get(row_id, self.clock.now) >= self.clock.now
            )
            if row is None:
                assert not was_there_all_the_time
            else:
                assert row_id == getattr(row, "id", None)
                assert self.died.get(row_id, before) >= before - TTL


changes = st.tuples(
    st.sampled_from(["add", "delete", "move", "replace", "replace"]),
    st.integers(0, 30),
    st.integers(0, 30),
)
steps = st.lists(
    st.tuples(st.just("change"), st.lists(changes, max_size=1))
    | st.tuples(st.just("pass"), st.sampled_from([0.1, 4.0, 16.0, 70.0]))
    | st.tuples(st.just("look up"), st.lists(st.integers(0, 70), min_size=1, max_size=3))
    | st.tuples(st.just("page"), st.integers(1, 5))
    | st.tuples(st.just("look up all"), st.none()),
    min_size=5,
    max_size=20,
)


@given(
    rows=st.integers(0, 24),
    size=st.sampled_from([5, 10]),
    # What happens behind each answer of the store.
    plan=st.lists(st.lists(changes, max_size=1), max_size=30),
    steps=steps,
)
@settings(max_examples=examples(200))
def test_lookups_of_a_changing_store_are_right(
    rows: int,
    size: int,
    plan: list[list[tuple[str, int, int]]],
    steps: list[tuple[str, object]],
) -> None:
    async def play() -> None:
        clock = Clock()
        gateway = in_process(
            rows,
            clock=clock,
            latency_seconds=1,
            UPSTREAM_PAGE_SIZE=str(size),
            LOOKUP_WINDOW_MILLISECONDS="0",
            # Only what is fresh may be served.
            CACHE_STALE_WHILE_REVALIDATE_SECONDS="0",
            CACHE_STALE_IF_ERROR_SECONDS="0",
        )
        world = ChangingStore(gateway, clock, plan)
        for step, what in steps:
            if step == "change":
                for change in what:  # type: ignore[attr-defined]
                    world.change(*change)
            elif step == "pass":
                clock.advance(what)  # type: ignore[arg-type]
            elif step == "page":
                await gateway.services.segments.read(0)
                await asyncio.gather(
                    *(gateway.services.segments.read(n) for n in range(what))  # type: ignore[call-overload]
                )
            else:
                known = [*world.born, *(str(UUID(int=n, version=4)) for n in range(40))]
                wanted = range(len(known)) if what is None else what
                await world.look_up([known[n % len(known)] for n in wanted])  # type: ignore[attr-defined]

    asyncio.run(play())
