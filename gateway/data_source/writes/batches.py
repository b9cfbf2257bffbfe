"""Sends the items of a mutation in batches, and finds out which item a refusal is about."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Generic

from gateway.bigcommerce.operations import Upstream
from gateway.bigcommerce.write_errors import WriteRefusal
from gateway.bigcommerce.writes import ItemResult, ItemStatus, Write, read_write
from gateway.data_source.learned import LearnedLimits
from gateway.data_source.writes.progress import Progress, Stopped
from gateway.data_source.writes.reasons import ReasonOf, outcome_unknown, refused
from gateway.errors import UpstreamError
from gateway.row import Row
from gateway.user_errors import UserError, UserErrorCode

# How often batches that were refused as a whole are divided, in one mutation. One bad item among
# 50 takes six.
MOST_DIVISIONS = 12
TOO_LARGE = 413


class BatchedWrite(ABC, Generic[Row]):
    """One write to several items: how a batch of them is built, and what its answer means.

    `indexes` are those of its items. `at_once` is the size of a batch; `reason` reads a refusal
    that is about one item.
    """

    def __init__(
        self,
        operation: str,
        indexes: Iterable[int],
        at_once: int,
        progress: Progress[Any],
        reason: ReasonOf,
    ) -> None:
        self.operation = operation
        self.indexes = indexes
        self.at_once = at_once
        self.progress = progress
        self.reason = reason
        self.divisions = 0

    @abstractmethod
    def build(self, indexes: Sequence[int]) -> Write[Row]:
        """Returns the write for these items."""

    @abstractmethod
    def finish(self, index: int, row: Row | None) -> None:
        """Records an item that was carried out, with its row if the answer has it."""

    @property
    def pending(self) -> list[int]:
        """The items that are still to be sent."""
        return list(filter(self.is_pending, self.indexes))

    def is_pending(self, index: int) -> bool:
        """Whether an item is still to be sent."""
        return self.progress.is_pending(index)

    def needs_reason(self, error: UserError) -> bool:
        """Whether the reason of an item's refusal is to be looked for by `find_reasons`."""
        return error.code is UserErrorCode.REFUSED

    async def find_reasons(
        self, indexes: Sequence[int], refusal: WriteRefusal, *, of_each: bool = False
    ) -> None:
        """Looks up why items were refused, and records the outcome of those where it finds that.

        The refusal is one `of_each` of them, or else of some among them.
        """

    async def find_outcomes(self, indexes: Sequence[int]) -> None:
        """Looks up what became of items of which the answer does not say it, and records that."""
        for index in indexes:
            self.progress.set(index, outcome_unknown())


class Batches:
    """Sends batches to one store; the limiter bounds how many are in flight."""

    def __init__(self, upstream: Upstream, limits: LearnedLimits) -> None:
        self._upstream = upstream
        self._limits = limits

    async def send(self, write: BatchedWrite[Row]) -> None:
        """Sends all open items, each in one request that may have carried it out, and no more."""
        await self._send_in_parts(write, write.pending, write.at_once)

    async def _send_in_parts(
        self, write: BatchedWrite[Row], indexes: Sequence[int], at_once: int
    ) -> None:
        at_once = self._limits.items_at_once(write.operation, at_once)
        parts = [indexes[at : at + at_once] for at in range(0, len(indexes), at_once)]
        await asyncio.gather(*(self._send_part(write, part) for part in parts))

    async def _send_part(self, write: BatchedWrite[Row], indexes: Sequence[int]) -> None:
        progress = write.progress
        if progress.is_stopped:
            return
        built = write.build(indexes)
        try:
            results = await self._upstream.ask(
                built.request,
                partial(read_write, built),
                begin=partial(progress.begin, indexes),
            )
        except Stopped:
            return
        except UpstreamError as error:
            progress.fail(indexes, error)
            return
        finally:
            progress.end(indexes)
        await self._read_results(write, indexes, results)

    async def _read_results(
        self, write: BatchedWrite[Row], indexes: Sequence[int], results: Sequence[ItemResult[Row]]
    ) -> None:
        progress = write.progress
        by_status: dict[ItemStatus, list[int]] = {status: [] for status in ItemStatus}
        refusals: dict[int, WriteRefusal] = {}
        for index, result in zip(indexes, results, strict=True):
            by_status[result.status].append(index)
            if result.refusal is not None:
                refusals[index] = result.refusal
            if result.status is ItemStatus.DONE:
                write.finish(index, result.row)
        done, left = by_status[ItemStatus.DONE], by_status[ItemStatus.ABORTED]
        # What was carried out is looked up if the answer lacks its row.
        lacking = list(filter(write.is_pending, done))
        unclear = by_status[ItemStatus.UNKNOWN] + lacking
        progress.changed.update(done, unclear)
        progress.unclear.update(unclear)
        if unclear:
            await write.find_outcomes(unclear)
        for index in lacking:
            if progress.has_error(index, UserErrorCode.REFUSED):  # the answer says otherwise
                progress.set(index, outcome_unknown())
        errors = {index: write.reason(refusals[index]) for index in by_status[ItemStatus.REFUSED]}
        if open_questions := [at for at, error in errors.items() if write.needs_reason(error)]:
            await write.find_reasons(open_questions, refusals[open_questions[0]], of_each=True)
        for index in filter(write.is_pending, errors):
            progress.set(index, errors[index])
        if left:
            # Where some items were refused, the others were aborted with them.
            refusal = refusals.get(left[0]) or next(iter(refusals.values()))
            await self._send_rest(write, indexes, left, refusal)

    async def _send_rest(
        self,
        write: BatchedWrite[Row],
        sent: Sequence[int],
        left: Sequence[int],
        refusal: WriteRefusal,
    ) -> None:
        """Sends again what was aborted, without what was refused."""
        half = -(-len(left) // 2)
        if refusal.status == TOO_LARGE:
            self._limits.learn_items_at_once(write.operation, half)
            await self._send_in_parts(write, left, half)
            return
        if len(left) == len(sent):
            await write.find_reasons(left, refusal)
            left = [index for index in left if write.is_pending(index)]
        if not left or write.progress.is_stopped:
            return
        if len(left) < len(sent):
            await self._send_part(write, left)
            return
        write.divisions += 1
        if write.divisions > MOST_DIVISIONS:
            for index in left:
                write.progress.set(index, refused(refusal))
            return
        await self._send_in_parts(write, left, half)
