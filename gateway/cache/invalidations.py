"""The last writes by any process, by name: values that were read before them are not served.

A name is that of a collection ("segments", "segments/<uuid>/shopper-profiles"), of one of its rows
("customers/17"), or of all lists of one shape ("segments/*/shopper-profiles").
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Self

from gateway.redis.signer import Signer

if TYPE_CHECKING:
    from gateway.redis.connection import RedisClient, RedisConnection

# Every process must see a write within one second: several polls fit into it.
WRITES_POLL_SECONDS = 0.3
# The members that one poll reads, the latest first: processes times names, with some room.
MOST_MEMBERS = 1000
# More rows of one collection than these, in one write or in several, count as the collection, and
# more lists of one shape as all of them.
MOST_ROWS = 50

NO_ROWS: Mapping[str, float] = MappingProxyType({})


class Invalidations:
    """The time of the last write to each name; writes of this process take effect at once.

    Times are seconds since the epoch by `clock`, kept for `keep_seconds`, the longest time
    for which a value may be served. In an `async with` block, a task polls the writes of other
    processes from a sorted set in Redis, and adds this process's writes that are missing there.
    Each process has a member for each name that it wrote: the time and the name, signed. What
    `signer` does not verify is ignored. `row_written` is called after each write to a row.
    """

    def __init__(
        self,
        connection: "RedisConnection | None",
        store_key: str,
        *,
        signer: Signer,
        keep_seconds: float,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        row_written: Callable[[], None] = lambda: None,
    ) -> None:
        self._connection = connection
        self._key = f"{store_key}:invalidated"
        self._signer = signer
        self._keep_seconds = keep_seconds
        self._clock = clock
        self._sleep = sleep
        self._row_written = row_written
        # By name; those of rows are in `_rows` instead, by collection and id.
        self._written: dict[str, float] = {}
        self._rows: dict[str, dict[str, float]] = {}
        self._own: dict[str, float] = {}
        # The writes that the last poll found in Redis: time and name.
        self._found: set[tuple[float, bytes]] = set()
        self._polling: asyncio.Task[None] | None = None

    def written_at(self, collection: str) -> float:
        """Returns the time of the last write to a collection, 0 if there was none.

        A write to one of its rows is none to the collection.
        """
        at = self._written.get(collection, 0.0)
        return max(at, self._written.get(_group_of(collection), 0.0)) if "/" in collection else at

    def rows_written(self, collection: str) -> Mapping[str, float]:
        """Returns the times of the last writes to single rows of a collection, by their ids."""
        return self._rows.get(collection, NO_ROWS)

    async def announce(self, names: Collection[str], at: float) -> None:
        """Invalidates the values of these names that were read before `at`.

        It takes effect in this process at once, in others within a second or once Redis is back.
        """
        before = dict(self._own)
        for name in self._condensed(names):
            self._own[name] = max(at, before.get(name, 0.0))
            self._learn(name, self._own[name])
        self._forget()
        added = {self._member(*one): one[1] for one in self._own.items() - before.items()}
        await self._add(added, [self._member(*one) for one in before.items() - self._own.items()])

    async def poll(self) -> None:
        """Learns writes of other processes; adds those of this one that are missing in Redis."""
        if self._connection is None:
            return
        nothing: list[bytes] | None = None
        members = await self._connection.run(self._read, nothing, purpose="invalidations")
        if members is None:
            return
        now = self._clock()
        verified = [self._signer.verify(self._key, member) for member in members]
        found = {write for write in verified if write is not None}
        for at, name in found - self._found:
            # A time from a clock that is ahead counts as now, once. Otherwise each poll until that
            # time would invalidate the values that have just been read.
            self._learn(name.decode(), min(at, now))
        self._found = found
        self._forget()
        if len(members) == MOST_MEMBERS and None in verified:
            # Members of another writer may hide writes; each process adds its own again.
            await self._connection.run(self._delete, None, purpose="invalidations")
            members = []
        own = {self._member(name, at): at for name, at in self._own.items()}
        if lacking := {member: at for member, at in own.items() if member not in members}:
            await self._add(lacking)

    async def __aenter__(self) -> Self:
        if self._connection is not None:
            await self.poll()
            self._polling = asyncio.create_task(self._poll_for_ever())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._polling is not None:
            self._polling.cancel()
            with suppress(asyncio.CancelledError):
                await self._polling

    async def _poll_for_ever(self) -> None:
        while True:
            await self._sleep(WRITES_POLL_SECONDS)
            await self.poll()

    def _member(self, name: str, at: float) -> bytes:
        return self._signer.sign(self._key, at, name.encode())

    def _condensed(self, names: Collection[str]) -> set[str]:
        """Returns the names, a wider one in place of many; this process's own are dropped."""
        condensed = set(names)
        for wider in {_wider(name) for name in names} - {None}:
            narrow = {name for name in condensed | self._own.keys() if _wider(name) == wider}
            if wider is not None and len(narrow) > MOST_ROWS:
                condensed = (condensed - narrow) | {wider}
                for name in narrow:
                    self._own.pop(name, None)
                    self._written.pop(name, None)
        return condensed

    def _learn(self, name: str, at: float) -> None:
        if not _is_row(name):
            self._written[name] = max(at, self._written.get(name, 0.0))
            return
        collection, _, row_id = name.rpartition("/")
        rows = self._rows.setdefault(collection, {})
        rows[row_id] = max(at, rows.get(row_id, 0.0))
        if len(rows) > MOST_MEMBERS:  # those of many processes
            self._learn(collection, max(rows.values()))
            del self._rows[collection]
        self._row_written()

    def _forget(self) -> None:
        oldest = self._clock() - self._keep_seconds
        for times in (self._written, self._own, *self._rows.values()):
            for name in [name for name, at in times.items() if at < oldest]:
                del times[name]
        for collection in [name for name, rows in self._rows.items() if not rows]:
            del self._rows[collection]

    async def _read(self, redis: "RedisClient") -> list[bytes]:
        # Here, because only a gateway with Redis pays for the import of its client.
        from redis.exceptions import ResponseError

        from gateway.redis.parser import AnswerTooLarge

        since = self._clock() - self._keep_seconds
        try:
            members: object = await redis.zrevrangebyscore(
                self._key, "+inf", since, start=0, num=MOST_MEMBERS
            )
        except ResponseError as error:
            if not isinstance(error, AnswerTooLarge) and not str(error).startswith("WRONGTYPE"):
                raise
            await self._delete(redis)  # no gateway has set that
            return []
        if not isinstance(members, list) or not all(isinstance(one, bytes) for one in members):
            raise ValueError
        return members

    async def _delete(self, redis: "RedisClient") -> None:
        await redis.delete(self._key)

    async def _add(self, members: Mapping[bytes, float], replaced: Collection[bytes] = ()) -> None:
        if self._connection is None or not members:
            return

        async def add(redis: "RedisClient") -> None:
            await redis.zadd(self._key, dict(members))
            if replaced:
                await redis.zrem(self._key, *replaced)
            await redis.pexpire(self._key, int(self._keep_seconds * 1000) + 1)
            await redis.zremrangebyscore(
                self._key, "-inf", f"({self._clock() - self._keep_seconds}"
            )

        await self._connection.run(add, None, purpose="invalidations")


def _is_row(name: str) -> bool:
    """Whether a name is that of a row: collections and groups have one part, or three."""
    return name.count("/") % 2 == 1


def _group_of(collection: str) -> str:
    """Returns the name of all lists that have the shape of this one."""
    parent, _, rest = collection.partition("/")
    return f"{parent}/*/{rest.partition('/')[2]}"


def _wider(name: str) -> str | None:
    """Returns the name that covers this one among others: a collection, or lists of one shape."""
    if _is_row(name):
        return name.rpartition("/")[0]
    return _group_of(name) if "/" in name and "*" not in name else None
