"""Leases in Redis: who fills a key, told to all processes, for a moment at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from secrets import token_hex

from gateway.shared.connection import RedisConnection
from gateway.shared.keys import lease_of

# KEYS: those of values, then those of their leases. ARGV: the token, the life in milliseconds.
# Returns for each key whether the lease is now ours, and the value, read after that: whoever
# held the lease before has stored it by then.
TAKE = """
local answer = {}
for i = 1, #KEYS / 2 do
  local taken = redis.call('SET', KEYS[#KEYS / 2 + i], ARGV[1], 'NX', 'PX', ARGV[2])
  answer[i] = {taken and 1 or 0, redis.call('GET', KEYS[i])}
end
return answer
"""
# KEYS: leases. ARGV: the token, the life in milliseconds.
RENEW = """
for _, lease in ipairs(KEYS) do
  if redis.call('GET', lease) == ARGV[1] then redis.call('PEXPIRE', lease, ARGV[2]) end
end
"""
# KEYS: leases. ARGV: the token. One that another process has taken over is left to it.
RELEASE = """
for _, lease in ipairs(KEYS) do
  if redis.call('GET', lease) == ARGV[1] then redis.call('DEL', lease) end
end
"""


class Leases:
    """Leases of `seconds`, renewed while their holder lives: one that is killed frees them."""

    def __init__(
        self,
        connection: RedisConnection,
        *,
        seconds: float = 2.0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._connection = connection
        self._seconds = seconds
        self._sleep = sleep
        self._releases: set[asyncio.Task[object]] = set()

    async def look(self, keys: Sequence[str]) -> list[tuple[bytes | None, bool]] | None:
        """Returns each key's value, and whether it is leased; None where Redis is away."""
        asked = [*keys, *map(lease_of, keys)]
        found: list[bytes | str | None] | None = await self._connection.run(
            lambda redis: redis.mget(asked), None
        )
        if found is None:
            return None
        return [
            (value if isinstance(value, bytes) else None, lease is not None)
            for value, lease in zip(found[: len(keys)], found[len(keys) :], strict=True)
        ]

    @asynccontextmanager
    async def taken(self, keys: Sequence[str]) -> AsyncIterator[dict[str, bytes | None] | None]:
        """Takes the leases that are free, and holds them until the end of the block.

        Yields the keys whose lease is ours, each with its value; None where Redis is away.
        """
        token = token_hex(16)
        ours: dict[str, bytes | None] | None = None
        renewing: asyncio.Task[None] | None = None
        try:
            answers = await self._run(TAKE, [*keys, *map(lease_of, keys)], token)
            if answers is not None:
                pairs = zip(keys, answers, strict=True)
                ours = {key: value for key, (is_ours, value) in pairs if is_ours}
            if ours:
                renewing = asyncio.create_task(self._renew(list(ours), token))
            yield ours
        finally:
            if renewing is not None:
                renewing.cancel()
            # Where the answer did not come, or nobody waited for it, some may be ours as well.
            await self._release(list(keys if ours is None else ours), token)

    async def _renew(self, keys: Sequence[str], token: str) -> None:
        while True:
            await self._sleep(self._seconds / 3)
            await self._run(RENEW, [*map(lease_of, keys)], token)

    async def _release(self, keys: Sequence[str], token: str) -> None:
        if not keys:
            return
        # In a task of its own: a caller that is cancelled again still gives them back.
        release = asyncio.create_task(self._run(RELEASE, [*map(lease_of, keys)], token))
        self._releases.add(release)
        release.add_done_callback(self._releases.discard)
        await asyncio.shield(release)

    async def _run(
        self, script: str, keys: list[str], token: str
    ) -> list[tuple[int, bytes | None]] | None:
        milliseconds = int(self._seconds * 1000)
        return await self._connection.run(
            lambda redis: redis.eval(script, len(keys), *keys, token, milliseconds),
            None,
            purpose="leases",
        )
