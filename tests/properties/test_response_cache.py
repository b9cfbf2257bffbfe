"""What no cache of answers may do: outlive what it was made of, or answer with another's rights."""

import asyncio
import logging
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace

import pytest
from clock import Clock
from direct_requests import CLIENTS, Ask, Received, receive_answer
from hypothesis import given, settings
from hypothesis import strategies as st
from in_process import InProcess
from operation_values import PRESENT, cursor_of, global_id_of
from operations import Operation
from twins import FRACTION, new_gateway
from usual_operations import UsualOperation, usual_operations
from virtual_time import run_in_virtual_time

from examples import examples
from gateway.emulator import Fault
from gateway.identity import ALL_SCOPES, AccessScope

TTL_SECONDS = 15
LOOKUP = f'segment(entityId: "{PRESENT[0]}") {{ name }}'
PAGE = "segments(first: 2) { nodes { name } }"
ACROSS_BLOCKS = f'across: segments(first: 3, after: "{cursor_of(249)}") {{ nodes {{ name }} }}'
OPERATIONS = [
    Operation(f"{{ {PAGE} }}"),
    Operation(f"{{ {LOOKUP} }}"),
    Operation(f"{{ {ACROSS_BLOCKS} }}"),
    Operation(f"{{ {LOOKUP} {ACROSS_BLOCKS} __typename }}"),
    Operation(
        f"query ($page: Boolean!) {{ {LOOKUP} ... @include(if: $page) {{ {PAGE} }} }}",
        {"page": True},
    ),
    Operation(
        "query ($all: [_Any!]!) { _entities(representations: $all) { ... on Segment { name } } }",
        {"all": [{"__typename": "Segment", "id": global_id_of(one)} for one in PRESENT[:2]]},
    ),
]
VERSION = re.compile(rb'"name":"version (\d+)"')

# A number of seconds passes, or one of the others happens.
Event = int | str | Ask
_clients = st.sampled_from(["all", "all", "all", *CLIENTS])
_waits = st.sampled_from([1, 3, 7, 14, 15, 15, 20, 70, 620])
_others = st.sampled_from(["rename", "write", "fail", "heal", "rename"])


@st.composite
def schedules(draw: st.DrawFn) -> list[Event]:
    """A few requests, asked again and again while something else happens."""
    operations = draw(st.lists(st.sampled_from(OPERATIONS), min_size=1, max_size=2))
    method = draw(st.sampled_from(["POST", "POST", "GET"]))
    asks = st.builds(Ask, st.sampled_from(operations), _clients, st.just(method))
    events: st.SearchStrategy[Event] = st.one_of(asks, asks, asks, _waits, _others)
    return draw(st.lists(events, min_size=4, max_size=30))


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Logs no warnings, since the upstream fails often; a stack in the log fails the test.

    A plan that raises is one: its request is executed, and the answer is right.
    """
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)
    assert not [record for record in caplog.get_records("call") if record.exc_info]


@dataclass(frozen=True)
class Observed:
    """One answer; `renamed_at` and `written` are those of the store when it was given.

    Each row is named after the version of the store: `renamed_at` has the time at which each
    version began, and `written` is the version that the last announced write made.
    """

    ask: Ask
    received: Received
    now: float
    renamed_at: tuple[float, ...]
    written: int

    @property
    def versions(self) -> set[int]:
        """The versions of the rows in the answer."""
        return {int(number) for number in VERSION.findall(self.received.body)}

    @property
    def scopes(self) -> frozenset[AccessScope]:
        """What its client may read."""
        return CLIENTS[self.ask.client]


class _Store:
    """A gateway, whose store is renamed as a whole."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.gateway = new_gateway(self.clock)
        self.renamed_at: list[float] = []
        self.written = 0
        self.rename()

    def rename(self) -> None:
        name = f"version {len(self.renamed_at)}"
        store = self.gateway.emulator.store
        store.segments = [replace(row, name=name) for row in store.segments]
        self.renamed_at.append(self.clock.now)

    async def happen(self, event: str) -> None:
        faults, services = self.gateway.emulator.faults, self.gateway.services
        faults.clear()
        if event == "fail":
            faults.add(Fault.SERVER_ERROR, times=None)
        elif event != "heal":
            self.rename()
        if event == "write":
            self.written = len(self.renamed_at) - 1
            await services.invalidations.announce(["segments"], services.cache.now())


async def observe(events: list[Event]) -> AsyncGenerator[Observed, None]:
    """Yields the answers to what is asked, each twice, while the other events happen."""
    store = _Store()
    for event in events:
        store.clock.advance(FRACTION)
        if isinstance(event, int):
            store.clock.advance(event)
        elif isinstance(event, str):
            await store.happen(event)
        else:
            for _ in range(2):
                now = store.clock.now
                received = await receive_answer(store.gateway, event)
                yield Observed(event, received, now, tuple(store.renamed_at), store.written)


def all_observed(events: list[Event]) -> list[Observed]:
    """Returns all answers of a schedule."""

    async def gather() -> list[Observed]:
        async with aclosing(observe(events)) as answers:
            return [one async for one in answers]

    return run_in_virtual_time(gather())


@settings(max_examples=examples(120))
@given(events=schedules())
def test_no_answer_is_fresher_than_the_oldest_value_in_it(events: list[Event]) -> None:
    for one in all_observed(events):
        cache = one.received.cache
        assert (cache is None) is (one.received.headers.get("age") is None)
        if cache is None:
            assert not one.versions
            continue
        assert one.received.headers["age"] == str(cache["age"])
        assert cache["age"] < TTL_SECONDS or cache["stale"]
        for version in one.versions - {len(one.renamed_at) - 1}:
            replaced_at = one.renamed_at[version + 1]
            assert cache["age"] >= int(one.now - replaced_at)


@settings(max_examples=examples(120))
@given(events=schedules())
def test_no_answer_is_older_than_the_last_write(events: list[Event]) -> None:
    for one in all_observed(events):
        assert all(version >= one.written for version in one.versions)


@settings(max_examples=examples(120))
@given(events=schedules())
def test_each_client_gets_what_its_own_scopes_allow(events: list[Event]) -> None:
    for one in all_observed(events):
        is_refused = b'"code":"FORBIDDEN"' in one.received.body
        if one.scopes == ALL_SCOPES:
            assert not is_refused
        if AccessScope.SEGMENTS_READ not in one.scopes:
            assert is_refused
            assert not one.versions
            assert one.received.cache is None
        if "_entities" in one.ask.operation.document:
            assert is_refused is not (
                {AccessScope.SEGMENTS_READ, AccessScope.FEDERATION} <= one.scopes
            )


async def ask_all(gateway: InProcess, operations: list[Operation], maximum: int) -> None:
    """Asks several times, at the same time; compares the memory after each answer."""

    async def ask(operation: Operation) -> None:
        for _ in range(3):
            await receive_answer(gateway, Ask(operation))
            assert 0 <= gateway.app.state.response_cache.bytes <= maximum

    await asyncio.gather(*(ask(one) for one in operations))


@settings(max_examples=examples(40))
@given(
    operations=st.lists(usual_operations(), min_size=1, max_size=12),
    maximum=st.sampled_from([30_000, 1_000, 100_000]),
)
def test_the_memory_for_answers_is_bounded(operations: list[UsualOperation], maximum: int) -> None:
    gateway = new_gateway(Clock(), RESPONSE_CACHE_MAX_BYTES=str(maximum))
    run_in_virtual_time(ask_all(gateway, [one.operation for one in operations], maximum))
