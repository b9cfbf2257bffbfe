"""One fill in flight per key across processes: whoever is later waits for what the first stores."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from gateway.redis.leases import Leases

POLL_SECONDS = 0.02
# How long a process waits for a lease of another one before it tries to take that, too.
TRY_SECONDS = 2.0

Fill = Callable[[Sequence[str]], Awaitable[Mapping[str, bytes]]]
IsEnough = Callable[[bytes], bool]
# What a key comes to: its value, or None where its fill left it out. Cancelled where whoever
# was to find out is gone.
Landing = asyncio.Future[bytes | None]


class SharedFlights:
    """Coalesces fills of all processes on one Redis; in a process only the first asks Redis.

    Nobody waits while holding something that others wait for, so no two can wait for each other:
    leases are held during `fill` alone, which asks for no other flight, and a call joins others of
    its process after its own work.

    Counted in keys: `leases` got, `waited` for in other processes, `taken_over` from one that had
    a lease and stored nothing that is enough.
    """

    def __init__(
        self,
        leases: Leases,
        *,
        patience_seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._leases = leases
        self._patience_seconds = patience_seconds
        self._clock = clock
        self._sleep = sleep
        self._landings: dict[str, Landing] = {}
        self.leases = self.waited = self.taken_over = 0

    async def do_many(
        self, keys: Sequence[str], fill: Fill, is_enough: IsEnough
    ) -> dict[str, bytes]:
        """Returns a value for each key: what Redis holds where that is enough, else what is filled.

        `fill` is called with the keys whose lease is ours, and stores in Redis what it returns
        before it returns. A key that it leaves out is left out for all of this process who asked
        for it meanwhile, and what it raises is raised to them; other processes then take over,
        one after the other, since an error is stored nowhere. Without Redis, and when other
        processes have been waited for through `patience_seconds`, `fill` is called at once.
        """
        found: dict[str, bytes] = {}
        wanted = list(dict.fromkeys(keys))
        while wanted:
            joined = {key: self._landings[key] for key in wanted if self._is_open(key)}
            own: dict[str, Landing] = {
                key: asyncio.get_running_loop().create_future()
                for key in wanted
                if key not in joined
            }
            if own:
                await self._lead(own, fill, is_enough)
            if joined:
                await asyncio.wait(joined.values())
            for key, landing in (own | joined).items():
                if landing.cancelled():
                    continue
                value = landing.result()
                if value is None:
                    wanted.remove(key)
                elif key in own or is_enough(value):
                    wanted.remove(key)
                    found[key] = value
        return found

    async def _lead(self, landings: dict[str, Landing], fill: Fill, is_enough: IsEnough) -> None:
        self._landings |= landings
        try:
            await self._land_all(landings, fill, is_enough)
        finally:
            for key, landing in landings.items():
                landing.cancel()
                if self._landings.get(key) is landing:
                    del self._landings[key]

    def _is_open(self, key: str) -> bool:
        # What has landed stays until all keys of its call have: whoever comes later asks anew.
        return key in self._landings and not self._landings[key].done()

    async def _land_all(
        self, landings: dict[str, Landing], fill: Fill, is_enough: IsEnough
    ) -> None:
        waits_end = self._clock() + self._patience_seconds
        tries_at = self._clock() + TRY_SECONDS
        waited: set[str] = set()

        def land(values: Mapping[str, bytes | None]) -> list[str]:
            """Lands those whose value is enough, and returns the others."""
            for key, value in values.items():
                if value is not None and is_enough(value):
                    landings[key].set_result(value)
            return [key for key in values if not landings[key].done()]

        while open_keys := [key for key, landing in landings.items() if not landing.done()]:
            looked = await self._leases.look(open_keys)
            if looked is None:
                return await _fill(open_keys, landings, fill)
            found = dict(zip(open_keys, looked, strict=True))
            open_keys = land({key: value for key, (value, _) in found.items()})
            if self._clock() >= waits_end:
                return await _fill(open_keys, landings, fill)
            if self._clock() >= tries_at:
                # A lease that its holder does not renew is free by now, and taking removes what is
                # no lease.
                tries_at += TRY_SECONDS
                free = open_keys
            else:
                free = [key for key in open_keys if not found[key][1]]
            if free:
                async with self._leases.taken(free) as ours:
                    if ours is None:
                        return await _fill(open_keys, landings, fill)
                    self.leases += len(ours)
                    rest = land(ours)
                    self.taken_over += len(waited.intersection(rest))
                    await _fill(rest, landings, fill)
                if ours:
                    continue  # most of what was leased meanwhile may have been stored as well
            if open_keys:
                self.waited += len(set(open_keys) - waited)
                waited.update(open_keys)
                await self._sleep(POLL_SECONDS)
        return None


async def _fill(keys: Sequence[str], landings: Mapping[str, Landing], fill: Fill) -> None:
    """Lands all keys, or their error; of the values only those that were asked for count."""
    if not keys:
        return
    try:
        values = await fill(keys)
    except Exception as error:
        for key in keys:
            landings[key].set_exception(error)
            landings[key].exception()  # counts as seen even if nobody joined
        raise
    for key in keys:
        landings[key].set_result(values.get(key))
