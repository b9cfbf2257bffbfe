"""Leases in Redis: who fills a key, told to all processes, for a moment at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from secrets import token_hex

from gateway.redis.connection import RedisClient, RedisConnection, read_values
from gateway.redis.keys import CALL, lease_of

# Hexadecimal digits.
TOKEN_LENGTH = 32
# KEYS: those of values, then those of their leases. ARGV: the token, the life in milliseconds.
# Returns for each key whether the lease is now ours, and the value. That is read after the lease is
# taken, so it includes what the previous holder stored. A value that is no string counts as none.
# In a lease's place, what is no token or has no life is replaced.
TAKE = f"""{CALL}
local answer = {{}}
for i = 1, #KEYS / 2 do
  local lease = KEYS[#KEYS / 2 + i]
  local holder = call('', 'GET', lease)
  local is_lease = holder and #holder == #ARGV[1] and redis.call('PTTL', lease) > 0
  if holder and not is_lease then redis.call('DEL', lease) end
  local taken = redis.call('SET', lease, ARGV[1], 'NX', 'PX', ARGV[2])
  answer[i] = {{taken and 1 or 0, call(false, 'GET', KEYS[i])}}
end
return answer
"""
# KEYS: leases. ARGV: the token, the life in milliseconds.
RENEW = f"""{CALL}
for _, lease in ipairs(KEYS) do
  if call('', 'GET', lease) == ARGV[1] then redis.call('PEXPIRE', lease, ARGV[2]) end
end
return 1
"""
# KEYS: leases. ARGV: the token. One that another process has taken over is left to it.
RELEASE = f"""{CALL}
for _, lease in ipairs(KEYS) do
  if call('', 'GET', lease) == ARGV[1] then redis.call('DEL', lease) end
end
return 1
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
        self._milliseconds = int(seconds * 1000)
        self._sleep = sleep
        self._releases: set[asyncio.Task[object]] = set()

    async def look(self, keys: Sequence[str]) -> list[tuple[bytes | None, bool]] | None:
        """Returns each key's value, and whether it is leased; None where Redis is away."""
        asked = [*keys, *map(lease_of, keys)]

        async def read(redis: RedisClient) -> list[tuple[bytes | None, bool]]:
            found = read_values(await redis.mget(asked), len(asked))
            values, leases = found[: len(keys)], found[len(keys) :]
            are_leased = [lease is not None and len(lease) == TOKEN_LENGTH for lease in leases]
            return [*zip(values, are_leased, strict=True)]

        nothing: list[tuple[bytes | None, bool]] | None = None
        return await self._connection.run(read, nothing)

    @asynccontextmanager
    async def taken(self, keys: Sequence[str]) -> AsyncIterator[dict[str, bytes | None] | None]:
        """Takes the leases that are free, and holds them until the end of the block.

        Yields the keys whose lease is ours, each with its value; None where Redis is away.
        """
        token = token_hex(TOKEN_LENGTH // 2)
        ours: dict[str, bytes | None] | None = None
        renewing: asyncio.Task[None] | None = None
        try:
            ours = await self._take(keys, token)
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
            await self._change(RENEW, keys, token)

    async def _release(self, keys: Sequence[str], token: str) -> None:
        if not keys:
            return
        # In a task of its own: a caller that is cancelled again still gives them back.
        release = asyncio.create_task(self._change(RELEASE, keys, token))
        self._releases.add(release)
        release.add_done_callback(self._releases.discard)
        await asyncio.shield(release)

    async def _take(self, keys: Sequence[str], token: str) -> dict[str, bytes | None] | None:
        asked = [*keys, *map(lease_of, keys)]

        async def take(redis: RedisClient) -> dict[str, bytes | None]:
            answer = await redis.eval(TAKE, len(asked), *asked, token, self._milliseconds)
            ours = {}
            for key, (is_taken, value) in zip(keys, answer, strict=True):
                if is_taken == 1:
                    ours[key] = value
                elif is_taken != 0:
                    raise ValueError
            read_values([*ours.values()], len(ours))
            return ours

        nothing: dict[str, bytes | None] | None = None
        return await self._connection.run(take, nothing, purpose="leases")

    async def _change(self, script: str, keys: Sequence[str], token: str) -> None:
        leases = [*map(lease_of, keys)]

        async def change(redis: RedisClient) -> None:
            if await redis.eval(script, len(leases), *leases, token, self._milliseconds) != 1:
                raise ValueError

        await self._connection.run(change, None, purpose="lease releases")
