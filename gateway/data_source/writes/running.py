"""Runs mutations to their end, whatever becomes of their clients, and announces what they wrote."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from gateway.cache.invalidations import Invalidations
from gateway.cache.policy import Entry
from gateway.data_source.collection import Collection as StoreCollection
from gateway.data_source.lists import Lists
from gateway.data_source.writes.progress import Progress
from gateway.errors import UpstreamError
from gateway.request_scope import open_call_scope, seconds_left
from gateway.user_errors import UserError

Done = TypeVar("Done")
# The rows of a collection by id, as they are after a write; None for one that was deleted.
WrittenRows: TypeAlias = tuple[StoreCollection[Any], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Effects:
    """What a mutation changes.

    `names` returns the names of what the items with these indexes change, and `rows` the rows that
    the upstream has returned.
    """

    names: Callable[[Collection[int]], Collection[str]]
    rows: Callable[[], Iterable[WrittenRows]] = lambda: ()


class RunningWrites:
    """The mutations that run in this process."""

    def __init__(self, lists: Lists, invalidations: Invalidations) -> None:
        self._lists = lists
        self._cache = lists.cache
        self._invalidations = invalidations
        self._tasks: set[asyncio.Task[None]] = set()

    async def carry_out(
        self, progress: Progress[Done], work: Callable[[], Awaitable[None]], effects: Effects
    ) -> list[Done | UserError]:
        """Returns the outcome of each item once `work` is done, or the request's time is over.

        Work that has begun goes on if the caller is cancelled. What it has changed is announced
        before this returns. Raises `UpstreamError` if nothing was changed because of it.
        """
        task = asyncio.create_task(self._run(progress, work, effects))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        left = seconds_left()
        if left is not None:
            timer = asyncio.get_running_loop().call_later(left, progress.stop)
            task.add_done_callback(lambda _: timer.cancel())
        await asyncio.wait([task], timeout=left)
        if task.done():
            task.result()
        else:
            progress.stop()
            await self._announce(progress, effects)
        return progress.report()

    async def finish(self, seconds: float) -> None:
        """Waits until no mutation runs, for at most this time."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    async def _run(
        self, progress: Progress[Done], work: Callable[[], Awaitable[None]], effects: Effects
    ) -> None:
        with open_call_scope():
            try:
                await work()
            except UpstreamError as error:  # of a read that the write depends on
                progress.block(error)
            finally:
                await self._publish(progress, effects)

    async def _publish(self, progress: Progress[Done], effects: Effects) -> None:
        """Announces what was changed, then stores the rows that the upstream has returned.

        A row is not stored if another write to its collection came in between: which of the two the
        row shows is not known.
        """
        rows = [(collection, by_id) for collection, by_id in effects.rows() if by_id]
        if rows:
            await self._invalidations.poll()  # another process may have written them
        is_alone = [
            self._lists.changed_at(collection.name) < progress.began_at for collection, _ in rows
        ]
        if not await self._announce(progress, effects):
            return
        read_at = self._cache.now()
        for (collection, by_id), may_store in zip(rows, is_alone, strict=True):
            if may_store:
                keys = self._lists.keys_of(collection)
                await self._cache.store(
                    collection.rows,
                    {keys.row(row_id): Entry(read_at, row) for row_id, row in by_id.items()},
                )

    async def _announce(self, progress: Progress[Done], effects: Effects) -> bool:
        """Announces what was or may have been changed; returns whether there was anything."""
        names = effects.names(progress.may_have_changed) if progress.may_have_changed else ()
        if names:
            await self._invalidations.announce(names, self._cache.now())
        return bool(names)
