"""Sends the items of a mutation in batches, and finds out which item a refusal is about."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any, Generic

from gateway.bigcommerce.operations import Upstream
from gateway.bigcommerce.write_errors import Fault
from gateway.bigcommerce.writes import ItemResult, Verdict, Write, read_write
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

    `at_once` is the size of a batch; `reason` reads a refusal that is about one item.
    """

    def __init__(
        self, operation: str, at_once: int, progress: Progress[Any], reason: ReasonOf
    ) -> None:
        self.operation = operation
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

    def is_open(self, index: int) -> bool:
        """Whether an item is still to be sent."""
        return self.progress.is_open(index)

    def is_puzzling(self, error: UserError) -> bool:
        """Whether the reason of an item's refusal is to be looked for by `explain`."""
        return error.code is UserErrorCode.REFUSED

    async def explain(self, indexes: Sequence[int], fault: Fault, *, of_each: bool = False) -> None:
        """Records the outcome of those of the refused items whose reason it finds.

        The fault is one `of_each` of them, or else of some among them.
        """

    async def clear_up(self, indexes: Sequence[int]) -> None:
        """Records the outcome of items of which the answer does not say what became of them."""
        for index in indexes:
            self.progress.set(index, outcome_unknown())


class Batches:
    """Sends batches to one store; the limiter bounds how many are in flight."""

    def __init__(self, upstream: Upstream, limits: LearnedLimits) -> None:
        self._upstream = upstream
        self._limits = limits

    async def send(self, write: BatchedWrite[Row], indexes: Sequence[int]) -> None:
        """Sends all items, each in one request that may have carried it out, and no more."""
        await self._send_in_parts(write, indexes, write.at_once)

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
        by_verdict: dict[Verdict, list[int]] = {verdict: [] for verdict in Verdict}
        faults: dict[int, Fault] = {}
        for index, result in zip(indexes, results, strict=True):
            by_verdict[result.verdict].append(index)
            if result.fault is not None:
                faults[index] = result.fault
            if result.verdict is Verdict.DONE:
                write.finish(index, result.row)
        done, left = by_verdict[Verdict.DONE], by_verdict[Verdict.NOT_DONE]
        # What was carried out is looked up if the answer lacks its row.
        lacking = list(filter(write.is_open, done))
        unclear = by_verdict[Verdict.UNCLEAR] + lacking
        progress.changed.update(done, unclear)
        progress.unclear.update(unclear)
        if unclear:
            await write.clear_up(unclear)
        for index in lacking:
            if progress.has_error(index, UserErrorCode.REFUSED):  # the answer says otherwise
                progress.set(index, outcome_unknown())
        errors = {index: write.reason(faults[index]) for index in by_verdict[Verdict.AT_FAULT]}
        if puzzling := [index for index, error in errors.items() if write.is_puzzling(error)]:
            await write.explain(puzzling, faults[puzzling[0]], of_each=True)
        for index in filter(write.is_open, errors):
            progress.set(index, errors[index])
        if left:
            # Where some items are at fault, the others were refused with them, without a fault.
            fault = faults.get(left[0]) or next(iter(faults.values()))
            await self._send_rest(write, indexes, left, fault)

    async def _send_rest(
        self, write: BatchedWrite[Row], sent: Sequence[int], left: Sequence[int], fault: Fault
    ) -> None:
        """Sends again what was refused for no fault of its own, without what was at fault."""
        half = -(-len(left) // 2)
        if fault.status == TOO_LARGE:
            self._limits.learn_items_at_once(write.operation, half)
            await self._send_in_parts(write, left, half)
            return
        if len(left) == len(sent):
            await write.explain(left, fault)
            left = [index for index in left if write.is_open(index)]
        if not left or write.progress.is_stopped:
            return
        if len(left) < len(sent):
            await self._send_part(write, left)
            return
        write.divisions += 1
        if write.divisions > MOST_DIVISIONS:
            for index in left:
                write.progress.set(index, refused(fault))
            return
        await self._send_in_parts(write, left, half)
