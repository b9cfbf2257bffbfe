"""The pool of lookups by id, over a lookup that the test lets go by hand."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from gateway.bigcommerce.models import Segment
from gateway.cache.lives import Entry, Use
from gateway.data_source import Kept
from gateway.data_source.loader import SegmentLoader
from gateway.errors import (
    ErrorCode,
    UpstreamError,
    UpstreamForbidden,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from gateway.request_scope import ABANDONED, open_request_scope


def kept(row_id: str, use: Use = Use.FRESH, read_at: float = 0.0) -> Kept:
    absent = row_id.startswith("absent") or row_id == "gone"
    return Kept(None if absent else Segment(id=row_id), use, Entry(read_at, row_id.encode()))


class Lookup:
    """Knows all ids but those that start with `absent`; each lookup waits for `gate`."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.cached: dict[str, Kept] = {}
        self.by_others: dict[str, Kept] = {}
        self.just_failed: set[str] = set()
        self.reluctance: ErrorCode | None = None
        self.failing: ErrorCode | None = None
        self.used: list[tuple[str, ErrorCode | None]] = []
        self.written_at = 0.0  # told in lookups, as the time of each entry is
        self.cancelled_with: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None
        self.refused: dict[str, UpstreamRefused] = {}
        self.list_asked: list[list[str]] = []
        self.list_gate = asyncio.Event()
        self.list_gate.set()
        self.listed: dict[str, Segment | UpstreamError] = {}

    async def kept_segments(
        self, ids: Sequence[str], *, by_others: bool = False
    ) -> dict[str, Kept]:
        known = {**self.cached, **(self.by_others if by_others else {})}
        return {row_id: known[row_id] for row_id in ids if row_id in known}

    def obstacle(self) -> ErrorCode | None:
        return self.reluctance or self.failing

    def welcomes_lookups(self) -> bool:
        return self.reluctance is None

    def has_just_failed(self, row_id: str) -> bool:
        return row_id in self.just_failed

    def is_from_before_a_write(self, kept: Kept) -> bool:
        return kept.entry.read_at < self.written_at

    def use(self, kept: Kept, error: ErrorCode | None = None) -> Segment | None:
        self.used.append((kept.entry.value.decode(), error))
        return kept.segment

    async def listed_segments(self, ids: Sequence[str]) -> Mapping[str, Segment | UpstreamError]:
        self.list_asked.append(list(ids))
        await self.list_gate.wait()
        return {row_id: self.listed[row_id] for row_id in ids if row_id in self.listed}

    async def look_up_segments(self, ids: Sequence[str]) -> Mapping[str, Kept | UpstreamError]:
        self.asked.append(list(ids))
        read_at = len(self.asked)
        try:
            await self.gate.wait()
        except asyncio.CancelledError as cancelled:
            self.cancelled_with.append(str(cancelled.args[0]))
            raise
        if self.error:
            raise self.error
        return {**{row_id: kept(row_id, read_at=read_at) for row_id in ids}, **self.refused}


def a_loader(patience_seconds: float = 60.0) -> tuple[Lookup, SegmentLoader]:
    lookup = Lookup()
    return lookup, SegmentLoader(
        lookup,
        window_seconds=0,
        longest_wait_seconds=3600,
        patience_seconds=patience_seconds,
    )


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_answers_come_in_order_with_repeats_and_absences() -> None:
    lookup, loader = a_loader()
    found = await loader.load_segments_by_id(["b", "absent", "a", "b"])
    assert [getattr(row, "id", None) for row in found] == ["b", None, "a", "b"]
    assert lookup.asked == [["b", "absent", "a"]]


async def test_callers_close_together_share_one_lookup() -> None:
    lookup, loader = a_loader()
    await asyncio.gather(*(loader.load_segments_by_id([f"{n}", "same"]) for n in range(16)))
    assert len(lookup.asked) == 1
    assert len(lookup.asked[0]) == 17


async def test_full_chunk_leaves_at_once_and_the_rest_follows() -> None:
    lookup, loader = a_loader()
    ids = [f"{n}" for n in range(250)]
    found = await loader.load_segments_by_id(ids)
    assert [getattr(row, "id", None) for row in found] == ids
    assert [len(chunk) for chunk in lookup.asked] == [100, 100, 50]


async def test_rest_does_not_wait_for_full_chunks() -> None:
    lookup, loader = a_loader()
    lookup.gate.clear()
    caller = asyncio.ensure_future(loader.load_segments_by_id([f"{n}" for n in range(250)]))
    await settle()
    assert [len(chunk) for chunk in lookup.asked] == [100, 100, 50]
    lookup.gate.set()
    assert len(await caller) == 250


async def test_ids_do_not_wait_for_ever_behind_a_lookup_that_is_stuck() -> None:
    lookup = Lookup()
    loader = SegmentLoader(lookup, window_seconds=0, longest_wait_seconds=0)
    lookup.gate.clear()
    stuck = asyncio.ensure_future(loader.load_segments_by_id(["a"]))
    await settle()
    other = asyncio.ensure_future(loader.load_segments_by_id(["b"]))
    await settle()
    assert lookup.asked == [["a"], ["b"]]
    lookup.gate.set()
    assert await stuck == [Segment(id="a")]
    assert await other == [Segment(id="b")]


async def test_refusal_of_an_id_stands_in_its_place() -> None:
    lookup, loader = a_loader()
    lookup.refused = {"bad": UpstreamRefused("no", 422)}
    found = await loader.load_segments_by_id(["a", "bad", "b"])
    assert found == [Segment(id="a"), lookup.refused["bad"], Segment(id="b")]


async def test_many_calls_are_gathered_for_a_bounded_time() -> None:
    lookup, loader = a_loader()
    callers = []
    for n in range(30):
        callers.append(asyncio.ensure_future(loader.load_segments_by_id([f"{n}"])))
        await asyncio.sleep(0)
    await asyncio.gather(*callers)
    assert 1 < len(lookup.asked) < 30


async def test_what_gathers_while_a_lookup_is_in_flight_leaves_together() -> None:
    lookup, loader = a_loader()
    lookup.gate.clear()
    first = asyncio.ensure_future(loader.load_segments_by_id(["a"]))
    await settle()
    others = []
    for n in range(5):
        others.append(asyncio.ensure_future(loader.load_segments_by_id([f"{n}", "a"])))
        await settle()
    assert lookup.asked == [["a"]]
    lookup.gate.set()
    async with asyncio.timeout(5):
        await asyncio.gather(first, *others)
    assert lookup.asked == [["a"], ["0", "1", "2", "3", "4"]]


async def test_part_waits_for_the_other_part_and_not_for_full_chunks() -> None:
    lookup, loader = a_loader()
    lookup.gate.clear()
    part = asyncio.ensure_future(loader.load_segments_by_id(["a"]))
    await settle()
    lookup.gate, first_gate = asyncio.Event(), lookup.gate
    lookup.gate.set()
    full = [f"{n}" for n in range(100)]
    assert len(await loader.load_segments_by_id(full)) == 100
    other = asyncio.ensure_future(loader.load_segments_by_id(["b"]))
    await settle()
    assert lookup.asked == [["a"], full]
    first_gate.set()
    async with asyncio.timeout(5):
        assert await part == [Segment(id="a")]
        assert await other == [Segment(id="b")]


async def test_fresh_ids_are_not_asked_for() -> None:
    lookup, loader = a_loader()
    lookup.cached = {"a": kept("a"), "gone": kept("gone")}
    assert await loader.load_segments_by_id(["gone", "a"]) == [None, Segment(id="a")]
    assert lookup.asked == []


async def test_no_ids_cost_nothing() -> None:
    lookup, loader = a_loader()
    assert await loader.load_segments_by_id([]) == []
    assert lookup.asked == []


async def test_error_stands_in_the_place_of_each_id_and_the_next_asks_again() -> None:
    lookup, loader = a_loader()
    lookup.cached = {"c": kept("c")}
    lookup.error = UpstreamUnavailable("down")
    callers = [loader.load_segments_by_id(["a"]), loader.load_segments_by_id(["a", "c", "b"])]
    assert await asyncio.gather(*callers) == [
        [lookup.error],
        [lookup.error, Segment(id="c"), lookup.error],
    ]
    lookup.error = None
    assert await loader.load_segments_by_id(["a"]) == [Segment(id="a")]


async def test_failure_of_ours_is_raised_to_all_who_asked() -> None:
    lookup, loader = a_loader()
    lookup.error = KeyError("a bug")
    callers = [loader.load_segments_by_id(["a"]), loader.load_segments_by_id(["a", "b"])]
    errors = await asyncio.gather(*callers, return_exceptions=True)
    assert errors == [lookup.error] * 2


async def test_ids_may_come_from_the_list_and_the_rest_by_id() -> None:
    lookup, loader = a_loader()
    lookup.cached = {"0": kept("0")}
    ids = [f"{n}" for n in range(150)]
    lookup.listed = {row_id: Segment(id=row_id) for row_id in ids[1:120]}
    found = await loader.load_segments_by_id(ids)
    assert [getattr(row, "id", None) for row in found] == ids
    assert lookup.list_asked == [ids[1:]]
    assert lookup.asked == [ids[120:]]


async def test_ids_in_flight_are_not_asked_for_again_when_a_list_was_read_meanwhile() -> None:
    lookup, loader = a_loader()
    lookup.gate.clear()
    first = asyncio.ensure_future(loader.load_segments_by_id(["a"]))
    await settle()
    lookup.list_gate.clear()
    second = asyncio.ensure_future(loader.load_segments_by_id(["a", "b"]))
    await settle()
    lookup.gate.set()
    assert await first == [Segment(id="a")]
    lookup.list_gate.set()
    assert await second == [Segment(id="a"), Segment(id="b")]
    assert lookup.list_asked == [["a"], ["b"]]
    assert lookup.asked == [["a"], ["b"]]


async def test_caller_that_hangs_up_does_not_take_the_lookup_from_others() -> None:
    lookup, loader = a_loader()
    lookup.gate.clear()
    first = asyncio.ensure_future(loader.load_segments_by_id(["a"]))
    second = asyncio.ensure_future(loader.load_segments_by_id(["a"]))
    await settle()
    first.cancel()
    await settle()
    lookup.gate.set()
    assert await second == [Segment(id="a")]
    with pytest.raises(asyncio.CancelledError):
        await first
    assert lookup.asked == [["a"]]


async def test_lookup_that_left_before_a_write_is_made_again_once_for_all_who_joined_it() -> None:
    lookup, loader = a_loader()
    lookup.gate.clear()
    callers = [asyncio.ensure_future(loader.load_segments_by_id(["a"])) for _ in range(3)]
    await settle()
    lookup.written_at = 2
    callers.append(asyncio.ensure_future(loader.load_segments_by_id(["a"])))
    await settle()
    lookup.gate.set()
    assert await asyncio.gather(*callers) == [[Segment(id="a")]] * 4
    assert lookup.asked == [["a"], ["a"]]
    assert lookup.used == [("a", None)] * 4


async def test_stale_ids_are_answered_and_looked_up_in_the_background() -> None:
    lookup, loader = a_loader()
    lookup.cached = {"a": kept("a", Use.WHILE_REVALIDATE), "b": kept("b")}
    assert await loader.load_segments_by_id(["a", "b"]) == [Segment(id="a"), Segment(id="b")]
    await settle()
    assert lookup.asked == [["a"]]
    assert lookup.used == [("a", None), ("b", None)]


async def test_stale_ids_are_not_looked_up_while_requests_are_unwelcome() -> None:
    lookup, loader = a_loader()
    lookup.cached = {"a": kept("a", Use.WHILE_REVALIDATE)}
    lookup.reluctance = ErrorCode.RATE_LIMITED
    assert await loader.load_segments_by_id(["a"]) == [Segment(id="a")]
    await settle()
    assert lookup.asked == []


async def test_spare_ids_wait_for_their_lookup_and_stand_in_for_its_error() -> None:
    lookup, loader = a_loader()
    lookup.cached = {"a": kept("a", Use.IF_ERROR), "gone": kept("gone", Use.IF_ERROR)}
    lookup.error = UpstreamUnavailable("down")
    found = await loader.load_segments_by_id(["a", "gone", "b"])
    assert found == [Segment(id="a"), None, lookup.error]
    code = ErrorCode.UPSTREAM_UNAVAILABLE
    assert lookup.used == [("a", code), ("gone", code)]
    lookup.error = None
    assert await loader.load_segments_by_id(["a"]) == [Segment(id="a")]
    assert lookup.used[2:] == [("a", None)]
    assert lookup.asked == [["a", "gone", "b"], ["a"]]


async def test_spare_ids_stand_in_for_a_slow_lookup_which_goes_on() -> None:
    lookup, loader = a_loader(patience_seconds=0.01)
    lookup.cached = {"a": kept("a", Use.IF_ERROR), "b": kept("b", Use.IF_ERROR)}
    lookup.gate.clear()
    for _ in range(2):
        found = await loader.load_segments_by_id(["a", "b"])
        assert found == [Segment(id="a"), Segment(id="b")]
    assert lookup.used == [(i, ErrorCode.UPSTREAM_TIMEOUT) for i in "abab"]
    lookup.gate.set()
    await settle()
    assert (lookup.asked, lookup.cancelled_with) == ([["a", "b"]], [])


async def test_what_others_keep_stands_in_for_a_slow_lookup() -> None:
    lookup, loader = a_loader(patience_seconds=0.01)
    lookup.by_others = {"a": kept("a", Use.IF_ERROR), "b": kept("b", Use.FRESH)}
    lookup.gate.clear()
    assert await loader.load_segments_by_id(["a", "b"]) == [Segment(id="a"), Segment(id="b")]
    assert lookup.used == [("a", ErrorCode.UPSTREAM_TIMEOUT), ("b", None)]
    lookup.gate.set()
    await settle()


async def test_what_may_not_be_used_any_more_when_the_patience_ends_is_not() -> None:
    lookup, loader = a_loader(patience_seconds=0.01)
    lookup.cached = {"a": kept("a", Use.IF_ERROR)}
    lookup.gate.clear()
    loading = asyncio.ensure_future(loader.load_segments_by_id(["a"]))
    await settle()
    lookup.cached = {}  # as after a write, or where the token is refused
    await asyncio.sleep(0.03)
    assert not loading.done()
    lookup.gate.set()
    assert await loading == [Segment(id="a")]


async def test_stale_ids_that_have_just_failed_are_answered_and_not_looked_up() -> None:
    lookup, loader = a_loader()
    lookup.cached = {"a": kept("a", Use.WHILE_REVALIDATE), "b": kept("b", Use.IF_ERROR)}
    lookup.just_failed = {"a", "b"}
    assert await loader.load_segments_by_id(["a", "b"]) == [Segment(id="a"), Segment(id="b")]
    await settle()
    assert lookup.asked == []
    assert lookup.used == [("a", None), ("b", ErrorCode.UPSTREAM_UNAVAILABLE)]


async def test_spare_ids_wait_with_ids_that_have_nothing_at_hand() -> None:
    lookup, loader = a_loader(patience_seconds=0.0)
    lookup.cached = {"a": kept("a", Use.IF_ERROR)}
    lookup.gate.clear()
    loading = asyncio.ensure_future(loader.load_segments_by_id(["a", "new"]))
    await settle()
    assert not loading.done()
    lookup.gate.set()
    assert await loading == [Segment(id="a"), Segment(id="new")]


async def test_client_that_hangs_up_within_its_patience_abandons_its_lookup() -> None:
    lookup, loader = a_loader()
    lookup.cached = {"a": kept("a", Use.IF_ERROR)}
    lookup.gate.clear()
    loading = asyncio.ensure_future(loader.load_segments_by_id(["a"]))
    await settle()
    loading.cancel()
    await settle()
    assert (loading.cancelled(), lookup.cancelled_with) == (True, [ABANDONED])


async def test_spare_ids_that_are_of_no_use_any_more_stand_in_for_nothing() -> None:
    lookup, loader = a_loader()
    lookup.cached = {"a": kept("a", Use.IF_ERROR)}
    lookup.error = UpstreamUnavailable("down")
    lookup.gate.clear()
    caller = asyncio.ensure_future(loader.load_segments_by_id(["a"]))
    await settle()
    lookup.cached = {}  # as after a write, or since the upstream refuses the token
    lookup.gate.set()
    assert await caller == [lookup.error]
    assert lookup.used == []


async def test_spare_ids_are_answered_at_once_while_the_upstream_fails() -> None:
    lookup, loader = a_loader()
    lookup.cached = {"a": kept("a", Use.IF_ERROR)}
    lookup.failing = ErrorCode.UPSTREAM_TIMEOUT
    lookup.gate.clear()
    assert await loader.load_segments_by_id(["a"]) == [Segment(id="a")]
    assert lookup.used == [("a", ErrorCode.UPSTREAM_TIMEOUT)]
    await settle()
    assert lookup.asked == [["a"]]  # in the background
    lookup.gate.set()


async def test_refused_credentials_are_told_whatever_is_at_hand() -> None:
    lookup, loader = a_loader()
    lookup.cached = {"a": kept("a", Use.IF_ERROR)}
    lookup.error = UpstreamForbidden()
    assert await loader.load_segments_by_id(["a"]) == [lookup.error]


async def test_ids_that_nobody_waits_for_any_more_do_not_travel() -> None:
    lookup = Lookup()
    loader = SegmentLoader(lookup, window_seconds=3600)
    caller = asyncio.ensure_future(loader.load_segments_by_id(["a", "b"]))
    other = asyncio.ensure_future(loader.load_segments_by_id(["b", *map(str, range(97))]))
    await settle()
    caller.cancel()
    await settle()
    third = asyncio.ensure_future(loader.load_segments_by_id(["c", "d"]))
    async with asyncio.timeout(5):
        await asyncio.gather(other, third)
    assert lookup.asked == [["b", *map(str, range(97)), "c", "d"]]


async def test_lookup_that_everybody_has_left_is_abandoned_and_another_begins() -> None:
    lookup, loader = a_loader()
    lookup.gate.clear()
    callers = [asyncio.ensure_future(loader.load_segments_by_id([i, "x"])) for i in "ab"]
    await settle()
    callers[0].cancel()
    await settle()
    assert lookup.cancelled_with == []
    callers[1].cancel()
    late = asyncio.ensure_future(loader.load_segments_by_id(["x"]))
    await settle()
    assert lookup.cancelled_with == [ABANDONED]
    lookup.gate.set()
    assert await late == [Segment(id="x")]
    assert lookup.asked == [["a", "x", "b"], ["x"]]


async def test_deadline_of_an_answer_ends_its_waiting_but_not_that_of_others() -> None:
    lookup, loader = a_loader()
    lookup.gate.clear()
    patient = asyncio.ensure_future(loader.load_segments_by_id(["a"]))
    await settle()
    with open_request_scope(0.0):
        found = await loader.load_segments_by_id(["a"])
    assert [type(row) for row in found] == [UpstreamTimeout]
    lookup.gate.set()
    assert await patient == [Segment(id="a")]
    assert lookup.asked == [["a"]]
