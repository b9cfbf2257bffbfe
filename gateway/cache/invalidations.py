"""What was written, told to all processes: nothing that was read before is used again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from secrets import token_hex
from types import TracebackType
from typing import NamedTuple, Self

from gateway.redis.connection import RedisClient, RedisConnection
from gateway.redis.keys import CALL

# Several polls fit into the second within which a write has to be seen.
POLL_SECONDS = 0.3

# KEYS: the set of collections, scored with their times, and its stamp. ARGV: a new stamp, the
# time before which all is forgotten, the life in milliseconds, then times and collections. What is
# no such set is replaced.
TELL = f"""{CALL}
if not call(false, 'ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[2]) then
  redis.call('DEL', KEYS[1])
end
for i = 4, #ARGV, 2 do redis.call('ZADD', KEYS[1], 'GT', ARGV[i], ARGV[i + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3])
return 1
"""
# KEYS: the same. ARGV: the stamp of what is known. Returns nothing where that is still all, else
# the stamp and the whole set: what comes late, or by another clock, is not missed. A set without
# a stamp, or what is no such set, counts as lost.
ASK = f"""{CALL}
local stamp = call(false, 'GET', KEYS[2]) or ''
if stamp ~= '' and stamp == ARGV[1] then return {{}} end
local times = stamp ~= '' and call(false, 'ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
if not times then return {{'', {{}}}} end
return {{stamp, times}}
"""


class _News(NamedTuple):
    """The times of writes that Redis holds; None where nothing is new."""

    stamp: bytes
    times: Mapping[str, float] | None


def _read_news(answer: object, stamp: bytes) -> _News:
    """Reads the answer to `ASK`; raises `ValueError` where it is none."""
    match answer:
        case []:
            return _News(stamp, None)
        case [bytes(stamp), list(pairs)]:
            times = zip(pairs[::2], pairs[1::2], strict=True)
            return _News(stamp, {str(name, errors="replace"): float(at) for name, at in times})
    raise ValueError


class Invalidations:
    """Tells when a collection was last written, by any process; of its own writes at once.

    Times are seconds since the epoch by `clock`, kept for `keep_seconds`: as long as anything
    that was read may be used. Without a connection there are only this process's own. In an
    `async with` block it asks for news; what Redis has not been told, or has lost, is told again.
    """

    def __init__(
        self,
        connection: RedisConnection | None,
        store_key: str,
        *,
        keep_seconds: float,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._connection = connection
        self._keys = [f"{store_key}:invalidated", f"{store_key}:invalidated!stamp"]
        self._keep_seconds = keep_seconds
        self._clock = clock
        self._sleep = sleep
        self._known: dict[str, float] = {}
        self._own: dict[str, float] = {}
        self._untold: set[str] = set()
        self._stamp: bytes = b""
        self._asking: asyncio.Task[None] | None = None

    def invalidated_at(self, collection: str) -> float:
        """Returns the time before which nothing read of it is to be used; 0 means never."""
        return self._known.get(collection, 0.0)

    async def announce(self, collection: str, at: float) -> None:
        """Tells that what was read of a collection before `at` is not to be used again.

        It holds in this process at once, in the others within a second, or once Redis is back.
        """
        self._own[collection] = max(at, self._own.get(collection, 0.0))
        self._learn({collection: at})
        self._untold.add(collection)
        self._forget()
        await self._tell()

    async def ask(self) -> None:
        """Learns what others announced, and tells Redis what it does not know."""
        if self._connection is None:
            return

        async def ask(redis: RedisClient) -> _News:
            return _read_news(await redis.eval(ASK, 2, *self._keys, self._stamp), self._stamp)

        nothing: _News | None = None
        news = await self._connection.run(ask, nothing, purpose="news of writes")
        if news is None:
            return
        self._stamp = news.stamp
        if news.times is not None:
            now = self._clock()
            # From a clock that goes ahead: what is read from now on is newer all the same.
            self._learn({name: min(at, now) for name, at in news.times.items()})
            self._untold |= {name for name, at in self._own.items() if news.times.get(name, 0) < at}
        self._forget()
        await self._tell()

    async def run(self) -> None:
        """Asks each `POLL_SECONDS`, until it is cancelled."""
        while True:
            await self._sleep(POLL_SECONDS)
            await self.ask()

    async def __aenter__(self) -> Self:
        if self._connection is not None:
            await self.ask()
            self._asking = asyncio.create_task(self.run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._asking is not None:
            self._asking.cancel()
            with suppress(asyncio.CancelledError):
                await self._asking

    def _learn(self, times: Mapping[str, float]) -> None:
        for collection, at in times.items():
            self._known[collection] = max(at, self._known.get(collection, 0.0))

    def _forget(self) -> None:
        kept_since = self._clock() - self._keep_seconds
        for times in (self._known, self._own):
            for collection in [name for name, at in times.items() if at < kept_since]:
                del times[collection]
        self._untold &= self._own.keys()

    async def _tell(self) -> None:
        if self._connection is None or not self._untold:
            return
        untold = {name: self._own[name] for name in self._untold}
        arguments: list[str | float] = [token_hex(16), self._clock() - self._keep_seconds]
        arguments.append(int(self._keep_seconds * 1000) + 1)
        for collection, at in untold.items():
            arguments += [at, collection]

        async def tell(redis: RedisClient) -> bool:
            if await redis.eval(TELL, 2, *self._keys, *arguments) != 1:
                raise ValueError
            return True

        if await self._connection.run(tell, False, purpose="invalidations"):
            self._untold -= {name for name, at in untold.items() if self._own.get(name) == at}
