"""Segments by id: what the cache knows, and out of one pool what it does not.

The contract: `load_segments_by_id(ids)` answers a list as long as `ids` and in the same order,
with None where the store has no such segment, and the upstream's error where nobody can tell.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeGuard

from gateway.bigcommerce.models import Segment
from gateway.cache.lives import Use
from gateway.cache.read_through import PATIENCE_SECONDS
from gateway.data_source import Kept
from gateway.data_source.batcher import LONGEST_WAIT_SECONDS, LookupPool
from gateway.errors import ErrorCode, UpstreamError, UpstreamForbidden
from gateway.request_scope import patience_ends_at

Answer = Segment | UpstreamError | None


class SegmentLookup(Protocol):
    """Where segments are looked up: `gateway.data_source.SegmentLookups`."""

    async def kept_segments(
        self, ids: Sequence[str], *, by_others: bool = False
    ) -> Mapping[str, Kept]:
        """Returns what is kept that is of use, here or by others too, absence included."""

    async def listed_segments(self, ids: Sequence[str]) -> Mapping[str, Segment | UpstreamError]:
        """Reads the whole list for many ids, if it costs less; what is not found may exist."""

    async def look_up_segments(self, ids: Sequence[str]) -> Mapping[str, Kept | UpstreamError]:
        """Asks the upstream for up to `LOOKUP_IDS` ids; absent ones are missing."""

    def obstacle(self) -> ErrorCode | None:
        """Returns why not to wait for a lookup where something stale is at hand."""

    def welcomes_lookups(self) -> bool:
        """Tells whether to look up what nobody waits for."""

    def has_just_failed(self, row_id: str) -> bool:
        """Tells whether the lookup of an id brought no answer a moment ago."""

    def is_from_before_a_write(self, kept: Kept) -> bool:
        """Tells whether a lookup has to be made again, since it left before a write."""

    def use(self, kept: Kept, error: ErrorCode | None = None) -> Segment | None:
        """Counts it as part of the answer, stale because of `error`; returns the segment."""


class SegmentLoader:
    """Loads segments for all requests of one process; `lookups` counts what it sent upstream."""

    def __init__(
        self,
        source: SegmentLookup,
        *,
        window_seconds: float,
        longest_wait_seconds: float = LONGEST_WAIT_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._source = source
        self._patience_seconds = patience_seconds
        self._loading: set[asyncio.Task[dict[str, Answer]]] = set()
        self._pool = LookupPool(
            source.look_up_segments,
            window_seconds=window_seconds,
            longest_wait_seconds=longest_wait_seconds,
        )

    @property
    def lookups(self) -> int:
        """How many lookups left the pool."""
        return self._pool.lookups

    async def load_segments_by_id(self, ids: Sequence[str]) -> list[Answer]:
        """Returns the segments with these uuids (lower case), in order, None where absent.

        What is stale is answered while it is looked up in the background, or where a lookup fails,
        takes longer than the patience, or would have to wait. The error of the lookup that an id
        needed stands in its place.
        """
        distinct = list(dict.fromkeys(ids))
        kept = await self._source.kept_segments(distinct)
        found: dict[str, Answer] = {
            row_id: self._source.use(row)
            for row_id, row in kept.items()
            if row.use is not Use.IF_ERROR
        }
        stale = [row_id for row_id, row in kept.items() if row.use is Use.WHILE_REVALIDATE]
        spare = {row_id: row for row_id, row in kept.items() if row.use is Use.IF_ERROR}
        if spare and (error := self._source.obstacle()) is not None:
            found.update((row_id, self._source.use(row, error)) for row_id, row in spare.items())
            stale += spare
        for row_id, row in spare.items():
            if row_id not in found and self._source.has_just_failed(row_id):
                found[row_id] = self._source.use(row, ErrorCode.UPSTREAM_UNAVAILABLE)
        stale = [row_id for row_id in stale if not self._source.has_just_failed(row_id)]
        if stale and self._source.welcomes_lookups():
            self._pool.ask(stale)
        lacking = [row_id for row_id in distinct if row_id not in found]
        if lacking:
            found.update(await self._load_or_use_stale(lacking))
        return [found[row_id] for row_id in ids]

    async def _load_or_use_stale(self, ids: Sequence[str]) -> dict[str, Answer]:
        """Loads segments; after the patience uses what is stale, if something is kept for each.

        The loading then goes on, for those who come later.
        """
        loading = asyncio.ensure_future(self._load(ids))
        self._loading.add(loading)
        loading.add_done_callback(self._loaded)
        left = patience_ends_at(self._patience_seconds) - asyncio.get_running_loop().time()
        try:
            await asyncio.wait({loading}, timeout=max(0.0, left))
            if not loading.done():
                kept = await self._source.kept_segments(ids, by_others=True)
                if not loading.done() and len(kept) == len(ids):
                    return {
                        row_id: self._source.use(row, _error_for(row, ErrorCode.UPSTREAM_TIMEOUT))
                        for row_id, row in kept.items()
                    }
            return await loading
        except asyncio.CancelledError:
            loading.cancel()
            raise

    def _loaded(self, task: "asyncio.Task[dict[str, Answer]]") -> None:
        self._loading.discard(task)
        if not task.cancelled():
            task.exception()  # counts as seen

    async def _load(self, ids: Sequence[str]) -> dict[str, Answer]:
        with self._pool.waiting() as waits:
            # Joined now: what is in flight may have landed by the time that a list is read.
            joined = waits.join(ids)
            new = [row_id for row_id in ids if row_id not in joined]
            listed = await self._source.listed_segments(new)
            waits.ask(row_id for row_id in new if row_id not in listed)
            found = await waits.answers()
            # A lookup that we joined may have left before a write that was over when we came.
            waits.ask(
                row_id
                for row_id, answer in found.items()
                if isinstance(answer, Kept) and self._source.is_from_before_a_write(answer)
            )
            found.update(await waits.answers())
            answers: dict[str, Answer] = {**listed}
            for row_id, answer in found.items():
                answers[row_id] = self._source.use(answer) if isinstance(answer, Kept) else answer
        failed = {row_id: answer for row_id, answer in answers.items() if _may_be_stale(answer)}
        if failed:
            # Looked at anew: a write, or refused credentials, may have come in the meantime.
            kept = await self._source.kept_segments([*failed], by_others=True)
            answers.update(
                (row_id, self._source.use(row, _error_for(row, error.code)))
                for row_id, error in failed.items()
                if (row := kept.get(row_id)) is not None
            )
        return answers


def _error_for(kept: Kept, code: ErrorCode) -> ErrorCode | None:
    """Returns the error because of which a row is answered: none where it is fresh."""
    return None if kept.use is Use.FRESH else code


def _may_be_stale(answer: Answer) -> TypeGuard[UpstreamError]:
    """Tells whether something stale may stand in for an answer."""
    return isinstance(answer, UpstreamError) and not isinstance(answer, UpstreamForbidden)
