"""Reads through the cache: fresh entries are answered, stale ones while a newer one is filled.

Terms of RFC 9111 (HTTP Caching) and RFC 5861 (stale-while-revalidate, stale-if-error).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from gateway.cache.backend import CacheBackend
from gateway.cache.lives import Entry, Lives, Use
from gateway.cache.single_flight import SingleFlight
from gateway.cache.tiers import Fill, SharedTier, Tiers
from gateway.clock import NonDecreasingClock
from gateway.errors import ErrorCode, RateLimited, UpstreamError, UpstreamForbidden, UpstreamRefused
from gateway.request_scope import patience_ends_at, request_scope

# How long after the last fill that failed the upstream is taken to be failing.
FAILING_SECONDS = 10.0
# How long a reader with something stale at hand waits for a fill.
PATIENCE_SECONDS = 1.0


class Reluctance(Protocol):
    """What speaks against a request upstream now."""

    def __call__(self, *, urgent: bool) -> ErrorCode | None:
        """Returns it as the code of an error, None where nothing does.

        Where it is urgent, only what would keep the request waiting, or have it fail at once.
        """


def welcome(*, urgent: bool) -> None:
    """Says that any request is welcome, urgent or not."""


class ReadThroughCache:
    """One collection of entries; whatever was read before `invalidated_at` is of no use.

    `hits`, `stale_hits` among them, `misses` and `fills` count; what joined a fill is
    `flights.coalesced`. `is_sound` says of a value that other processes share whether it is one of
    its key; all else there is a miss.
    """

    def __init__(
        self,
        backend: CacheBackend,
        lives: Lives,
        *,
        clock: Callable[[], float] | None = None,
        shared: SharedTier | None = None,
        reluctance: Reluctance = welcome,
        invalidated_at: Callable[[], float] = lambda: 0.0,
        patience_seconds: float = PATIENCE_SECONDS,
        is_sound: Callable[[str, bytes], bool] = lambda _key, _value: True,
    ) -> None:
        self.backend = backend
        self.lives = lives
        self.flights = SingleFlight[str, Entry]()
        self._looks = SingleFlight[str, Entry | None]()
        self.hits = self.stale_hits = self.misses = self.fills = 0
        self.invalidated_at = invalidated_at
        self.reluctance = reluctance
        self.patience_seconds = patience_seconds
        self._clock = clock or NonDecreasingClock()
        self._is_value_sound = is_sound
        self._tiers = Tiers(backend, shared, lives.longest, self._is_sound)
        self._last = 0.0
        self._failure: UpstreamError | None = None
        self._failed_at = 0.0

    def now(self) -> float:
        """Returns the time in seconds, a little later at each call: no two reads share a time."""
        self._last = max(self._clock(), self._last + 1e-6)
        return self._last

    async def read(self, key: str, fill: Fill, not_before: float = 0.0) -> Entry:
        """Returns a fresh entry, a stale one, or what `fill` returns for the key.

        A stale entry is used where filling fails or takes longer than the patience, one from before
        `not_before`, which may be wrong, only where filling fails. The caller has to `note` what it
        answers. Raises what `fill` raises where no entry can stand in; an error is never stored.
        """
        entry = (await self._tiers.here([key]))[0]
        use = self.use_of(entry, not_before)
        if self._tiers.are_shared and use not in (Use.FRESH, Use.WHILE_REVALIDATE):
            entry = await self._looks.do(key, lambda: self._look(key))
            use = self.use_of(entry, not_before)
        if entry is not None and use in (Use.FRESH, Use.WHILE_REVALIDATE):
            self.hits += 1
            if use is Use.WHILE_REVALIDATE:
                self.stale_hits += 1
                self._fill_in_background(key, fill, not_before)
            return entry
        self.misses += 1
        try:
            if entry is not None and use is Use.IF_ERROR:
                error = self.obstacle(urgent=entry.read_at < not_before)
                if error is not None:
                    self._fill_in_background(key, fill, not_before)
                    return replace(entry, stale_for=error)
                if entry.read_at >= not_before:
                    filled = await self._filled_in_time(key, fill, not_before)
                    if filled is not None:
                        return filled
                    # A write, or refused credentials, may have come in the meantime.
                    if self.use_of(entry, not_before) is not None:
                        return replace(entry, stale_for=ErrorCode.UPSTREAM_TIMEOUT)
            return await self._filled(key, fill, not_before)
        except UpstreamRefused:
            raise  # maybe for the page's size, which the caller can change
        except UpstreamError as error:
            return await self.in_place_of(error, key, not_before)

    async def kept_many(
        self, keys: Sequence[str], *, by_others: bool = False
    ) -> Sequence[Entry | None]:
        """Returns the newest entry that is kept for each key, here or by others too."""
        return await (self._tiers.newest(keys) if by_others else self._tiers.here(keys))

    def use_of(self, entry: Entry | None, not_before: float = 0.0) -> Use | None:
        """Returns what an entry is good for, None for nothing."""
        if entry is None or self.is_from_before_a_write(entry):
            return None
        age = self._clock() - entry.read_at
        use = self.lives.use_at(age)
        is_superseded = entry.read_at < not_before
        if use is None or (use is Use.FRESH and not is_superseded):
            return use
        if isinstance(self._failure, UpstreamForbidden):
            return None  # what our credentials no longer open is not given away
        if is_superseded:
            return Use.IF_ERROR if age < self.lives.fresh + self.lives.if_error else None
        return use

    def is_from_before_a_write(self, entry: Entry) -> bool:
        """Tells whether an entry is of no use any more, however young it is."""
        return entry.read_at < self.invalidated_at()

    def obstacle(self, *, urgent: bool = False) -> ErrorCode | None:
        """Returns why not to wait for a fill where something stale is at hand, None to wait."""
        if (code := self.reluctance(urgent=urgent)) is not None:
            return code
        # Since a fill has failed and until one succeeds, nobody waits for another; where nobody has
        # asked for a while, it is worth waiting for once.
        failure = self._failure
        is_late = self._clock() - self._failed_at >= FAILING_SECONDS
        return None if failure is None or is_late else failure.code

    async def in_place_of(self, error: UpstreamError, key: str, not_before: float = 0.0) -> Entry:
        """Returns the entry that stands in for a fill that failed; raises the error without one."""
        entry = (await self._tiers.here([key]))[0]
        if self._tiers.are_shared and self.use_of(entry, self.now()) is None:
            entry = await self._looks.do(key, lambda: self._look(key))
        if entry is None or self.use_of(entry, self.now()) is None:
            raise error
        # Another process may have filled it meanwhile.
        is_fresh = self._is_fresh(entry, not_before)
        return entry if is_fresh else replace(entry, stale_for=error.code)

    def note(self, read_at: float, stale_for: ErrorCode | None = None) -> None:
        """Counts what was read then as part of the answer, stale for an error if there is one."""
        if (scope := request_scope()) is not None:
            is_stale = stale_for is not None or self._clock() - read_at >= self.lives.fresh > 0
            scope.note(read_at, is_stale=is_stale, error=stale_for)

    async def fill_many(
        self, keys: Sequence[str], fill: Fill, not_before: float = 0.0
    ) -> Mapping[str, Entry]:
        """Returns what `fill` returns for the keys, or what another process has filled meanwhile.

        All that `fill` returns is stored. Raises what it raises.
        """
        self.fills += 1
        has_asked = False

        def ask(wanted: Sequence[str]) -> Awaitable[Mapping[str, Entry]]:
            nonlocal has_asked
            has_asked = True
            return fill(wanted)

        try:
            found = await self._tiers.fill(
                keys, ask, lambda entry: self._is_fresh(entry, not_before)
            )
        except UpstreamError as error:
            # A quota is known to be back by itself, a refusal may be about this request alone, and
            # refused credentials are so until they are accepted.
            is_telling = not isinstance(error, UpstreamRefused | RateLimited)
            if is_telling and not isinstance(self._failure, UpstreamForbidden):
                self._failure, self._failed_at = error, self._clock()
            raise
        # What others have read with credentials of theirs says nothing of ours.
        if has_asked or not isinstance(self._failure, UpstreamForbidden):
            self._failure = None
        return found

    async def store_many(self, entries: Sequence[tuple[str, Entry]]) -> None:
        """Stores entries; one that was read later than its successor stays."""
        await self._tiers.store(entries)

    def is_fresh(self, read_at: float) -> bool:
        """Tells whether what was read then is fresh (RFC 9111, 4.2)."""
        return self._is_fresh(Entry(read_at, b""), 0.0)

    def _is_sound(self, key: str, entry: Entry) -> bool:
        # An entry of no use at its age, such as one of the far future, must not stay as the newest.
        is_of_any_time = self.lives.use_at(self._clock() - entry.read_at) is not None
        return is_of_any_time and self._is_value_sound(key, entry.value)

    def _is_fresh(self, entry: Entry | None, not_before: float) -> bool:
        return self.use_of(entry, not_before) is Use.FRESH

    def _fill_in_background(self, key: str, fill: Fill, not_before: float) -> None:
        if self.reluctance(urgent=False) is None:
            self.flights.start(key, lambda: self._fill_one(key, fill, not_before))

    async def _filled_in_time(self, key: str, fill: Fill, not_before: float) -> Entry | None:
        """Returns what `fill` returns within the patience, else None: the fill then goes on."""
        self.flights.start(key, lambda: self._fill_one(key, fill, not_before))
        try:
            async with asyncio.timeout_at(patience_ends_at(self.patience_seconds)) as limit:
                return await self._filled(key, fill, not_before)
        except TimeoutError:
            if not limit.expired():
                raise
            return None

    async def _look(self, key: str) -> Entry | None:
        return (await self._tiers.newest([key]))[0]

    async def _filled(self, key: str, fill: Fill, not_before: float) -> Entry:
        entry = await self.flights.do(key, lambda: self._fill_one(key, fill, not_before))
        # The flight may have left before `not_before`, or before a write: then another is due.
        if entry.read_at < max(not_before, self.invalidated_at()):
            entry = await self.flights.do(key, lambda: self._fill_one(key, fill, not_before))
        return entry

    async def _fill_one(self, key: str, fill: Fill, not_before: float) -> Entry:
        return (await self.fill_many([key], fill, not_before))[key]
