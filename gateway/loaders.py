"""Lookups by id as one pool: whatever is asked close together travels in one upstream request.

The contract: `load_segments_by_id(ids)` answers a list as long as `ids` and in the same order,
with None where the store has no such segment, and the upstream's error where nobody can tell.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from gateway.bigcommerce.models import Segment
from gateway.data_source import LOOKUP_IDS
from gateway.errors import UpstreamError

# Ids go on being gathered while more of them arrive, but no longer than this many windows.
LONGEST_WAIT_WINDOWS = 10
# Behind a lookup that is in flight they gather at most so long: it may be stuck.
LONGEST_WAIT_SECONDS = 0.5


class SegmentLookup(Protocol):
    """Where segments are looked up: `gateway.data_source.SegmentLookups`."""

    async def cached_segments(self, ids: Sequence[str]) -> dict[str, Segment | None]:
        """Returns what is fresh in the cache, None for ids known not to exist."""

    async def listed_segments(self, ids: Sequence[str]) -> Mapping[str, Segment | UpstreamError]:
        """Reads the whole list for many ids, if it costs less; what is not found may exist."""

    async def look_up_segments(self, ids: Sequence[str]) -> Mapping[str, Segment | UpstreamError]:
        """Asks the upstream for up to `LOOKUP_IDS` ids; absent ones are missing."""


class SegmentLoader:
    """The pool of one process, shared by all requests; `lookups` counts what it sent upstream.

    A full chunk of ids leaves at once. A part of one waits until a window passes in which nobody
    joined it, and while another part is in flight.
    """

    def __init__(
        self,
        source: SegmentLookup,
        *,
        window_seconds: float,
        longest_wait_seconds: float = LONGEST_WAIT_SECONDS,
    ) -> None:
        self.lookups = 0
        self._source = source
        self._window_seconds = window_seconds
        self._longest_wait_seconds = longest_wait_seconds
        self._asked: dict[str, asyncio.Future[Segment | UpstreamError | None]] = {}
        self._gathered: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        self._windows = 0
        self._somebody_joined = False
        self._waits_for_part = False
        self._in_flight: set[asyncio.Task[None]] = set()
        self._part_in_flight: asyncio.Task[None] | None = None

    async def load_segments_by_id(self, ids: Sequence[str]) -> list[Segment | UpstreamError | None]:
        """Returns the segments with these uuids (lower case), in order, None where absent.

        The error of the lookup that an id needed stands in its place.
        """
        distinct = list(dict.fromkeys(ids))
        cached = await self._source.cached_segments(distinct)
        found: dict[str, Segment | UpstreamError | None] = {**cached}
        # Taken now: what is in flight may have landed by the time that a list is read.
        futures = {i: self._asked[i] for i in distinct if i not in found and i in self._asked}
        new = [row_id for row_id in distinct if row_id not in found and row_id not in futures]
        found.update(await self._source.listed_segments(new))
        futures |= self._ask([row_id for row_id in new if row_id not in found])
        if futures:
            # wait, not gather: a caller that hangs up must not cancel what others wait for.
            await asyncio.wait(futures.values())
            found.update((row_id, future.result()) for row_id, future in futures.items())
        return [found[row_id] for row_id in ids]

    def _ask(self, ids: Sequence[str]) -> dict[str, asyncio.Future[Segment | UpstreamError | None]]:
        loop = asyncio.get_running_loop()
        new = [row_id for row_id in ids if row_id not in self._asked]
        for row_id in new:
            self._asked[row_id] = loop.create_future()
            self._gathered.append(row_id)
            if len(self._gathered) == LOOKUP_IDS:
                self._depart()
        if self._gathered and self._timer is None:
            self._wait_a_window()
        elif new:
            self._somebody_joined = True
        return {row_id: self._asked[row_id] for row_id in ids}

    def _wait_a_window(self) -> None:
        self._somebody_joined = False
        self._windows += 1
        self._timer = asyncio.get_running_loop().call_later(
            self._window_seconds, self._window_passed
        )

    def _window_passed(self) -> None:
        if self._somebody_joined and self._windows < LONGEST_WAIT_WINDOWS:
            self._wait_a_window()
        elif self._part_in_flight is None:
            self._depart()
        else:
            self._waits_for_part = True
            self._timer = asyncio.get_running_loop().call_later(
                self._longest_wait_seconds, self._depart
            )

    def _depart(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._windows = 0
        self._waits_for_part = False
        ids, self._gathered = self._gathered, []
        task = asyncio.ensure_future(self._look_up(ids))
        self._in_flight.add(task)
        if len(ids) < LOOKUP_IDS:
            self._part_in_flight = task
        task.add_done_callback(self._arrived)

    def _arrived(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        if task is self._part_in_flight:
            self._part_in_flight = None
            if self._waits_for_part:
                self._depart()

    async def _look_up(self, ids: list[str]) -> None:
        self.lookups += 1
        try:
            found = await self._source.look_up_segments(ids)
        except UpstreamError as error:
            for row_id in ids:
                self._asked.pop(row_id).set_result(error)
        except Exception as error:
            for row_id in ids:
                future = self._asked.pop(row_id)
                future.set_exception(error)
                future.exception()  # counts as seen even if everybody has hung up
        else:
            for row_id in ids:
                self._asked.pop(row_id).set_result(found.get(row_id))
