"""Requests rows by id, in smaller parts if the upstream refuses or truncates them.

The ids are values of the listing's filter, such as `id:in`: of customers, these may be e-mails.
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Generic
from urllib.parse import quote

from gateway.bigcommerce.models import Page
from gateway.bigcommerce.operations import Upstream
from gateway.bigcommerce.protocol import Listing
from gateway.cache.fills import Outcome
from gateway.cache.policy import Entry
from gateway.cache.read_through import ReadThroughCache
from gateway.data_source.learned import LearnedLimits
from gateway.errors import UpstreamError, UpstreamRefused, UpstreamUnavailable, UpstreamUnreadable
from gateway.pagination import PAGE_SIZE_CHANGES
from gateway.row import Row

# How often ids are requested again in smaller parts after a refusal or an incomplete answer. Two
# times cost at most 7 requests for 100 ids; the smallest parts then have 25.
SMALLER_PARTS = 2
# One odd answer must not turn a lookup of 100 ids into as many requests.
SMALLEST_PART = 10
# The characters of a uuid in a URL, with its comma. Every proxy accepts a URL with 100 of them.
CHARACTERS_OF_AN_ID = 39
LONGEST_VALUES = 100 * CHARACTERS_OF_AN_ID
UNREADABLE_ROW = "The store's API sent a row without a usable id."


def characters_in_url(value: str) -> int:
    """Returns the characters that a value of a filter takes in a URL, with its comma."""
    return len(quote(value, safe="")) + len("%2C")


class RowsById(Generic[Row]):
    """Reads rows of one list by id, without the cache."""

    def __init__(
        self,
        listing: Listing[Row],
        upstream: Upstream,
        cache: ReadThroughCache,
        limits: LearnedLimits,
    ) -> None:
        self._listing = listing
        self._upstream = upstream
        self._cache = cache
        self._limits = limits

    async def ask(self, ids: Sequence[str]) -> dict[str, Outcome[Row | None]]:
        """Returns a row, its absence or an error for each id.

        Sends one request for each 100 ids, more if they are longer than uuids, or if the upstream
        accepts or returns fewer at once.
        If the smallest part with an id is refused, or its answer cannot be read, every id in that
        part has the error.
        """
        at_once = self._limits.lookup_ids(self._listing.operation)
        return await self._ask_in_parts(ids, at_once, SMALLER_PARTS)

    async def _ask_in_parts(
        self, ids: Sequence[str], at_once: int, smaller_parts: int
    ) -> dict[str, Outcome[Row | None]]:
        parts = _parts(ids, at_once)
        answers = await asyncio.gather(*(self._ask_once(part, smaller_parts) for part in parts))
        return {row_id: outcome for answer in answers for row_id, outcome in answer.items()}

    async def _ask_once(
        self, ids: Sequence[str], smaller_parts: int
    ) -> dict[str, Outcome[Row | None]]:
        read_at = self._cache.now()
        is_single = len(ids) == 1
        # A single id cannot be divided, so it is retried.
        retries = is_single and smaller_parts == SMALLER_PARTS
        limit = self._listing.most_rows(ids) or self._limits.page_size(self._listing.operation)
        try:
            page = await self._upstream.fetch_page(
                self._listing, 1, limit, ids, retry_unreadable=retries
            )
        except UpstreamError as error:
            is_divisible = isinstance(error, UpstreamRefused | UpstreamUnreadable)
            if not is_divisible or is_single or not smaller_parts:
                return dict.fromkeys(ids, error)
            return await self._ask_halves(ids, smaller_parts, error)
        found: dict[str, Outcome[Row | None]] = {}
        for row in page.rows:
            key = None if row is None else self._listing.key_of(row)
            if key is not None:
                found.setdefault(key, Entry(read_at, row))
        left = [row_id for row_id in ids if row_id not in found]
        if page.total == len(page.rows):
            if None in page.rows:  # a row of one of these ids
                return {**found, **dict.fromkeys(left, UpstreamUnreadable(UNREADABLE_ROW))}
            return {**found, **dict.fromkeys(left, Entry(read_at, None))}
        return {**found, **await self._ask_for_rest(left, page, smaller_parts)}

    async def _ask_halves(
        self, ids: Sequence[str], smaller_parts: int, error: UpstreamError
    ) -> dict[str, Outcome[Row | None]]:
        half = -(-len(ids) // 2)
        outcomes = await self._ask_in_parts(ids, half, smaller_parts - 1)
        is_about_number = isinstance(error, UpstreamRefused) and error.status in (413, 414, 422)
        if is_about_number and not any(isinstance(o, UpstreamError) for o in outcomes.values()):
            self._learn(half)  # the number of ids was refused, not one of the ids
        return outcomes

    async def _ask_for_rest(
        self, left: Sequence[str], page: Page[Row], smaller_parts: int
    ) -> dict[str, Outcome[Row | None]]:
        """Requests the ids that are not on the first page of a longer list.

        They may be on the next page, but rows may move in the meantime. So they are requested by
        id, as many at once as a page holds.
        """
        if not smaller_parts:
            return dict.fromkeys(left, UpstreamUnavailable(PAGE_SIZE_CHANGES))
        at_once = max(page.per_page, SMALLEST_PART)
        self._learn(at_once)
        return await self._ask_in_parts(left, at_once, smaller_parts - 1)

    def _learn(self, ids: int) -> None:
        self._limits.learn_lookup_ids(self._listing.operation, max(ids, SMALLEST_PART))


def _parts(ids: Sequence[str], at_once: int) -> Iterator[Sequence[str]]:
    """Yields parts of up to `at_once` ids, of `LONGEST_VALUES` at most in a URL."""
    start = characters = 0
    for at, one in enumerate(ids):
        added = characters_in_url(one)
        if at > start and (at - start == at_once or characters + added > LONGEST_VALUES):
            yield ids[start:at]
            start, characters = at, 0
        characters += added
    if ids:
        yield ids[start:]
