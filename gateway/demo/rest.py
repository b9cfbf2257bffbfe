"""By REST, as BigCommerce documents it: each request with the fewest calls that it takes."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TypeVar

import httpx
import msgspec
from msgspec import Struct

from gateway.demo.reader import NoAnswer, Reading
from gateway.demo.tally import Tally

LARGEST_PAGE = "250"
# After a failure of the store, one more attempt.
ATTEMPTS = 2
PAUSE_SECONDS = 0.25

Answer = TypeVar("Answer", bound=Struct)


class _Name(Struct):
    id: str
    name: str


class _Pagination(Struct):
    current_page: int
    total_pages: int


class _Meta(Struct):
    pagination: _Pagination


class _SegmentsAnswer(Struct):
    data: list[_Name]
    meta: _Meta


class _SegmentIds(Struct):
    segment_ids: list[str]


class _CustomersAnswer(Struct):
    data: list[_SegmentIds]


class RestReader:
    """Reads segments by REST; `http` has the store's URL and token.

    After a 429 it waits for the next window, as the headers say, and asks again. After a 5xx it
    asks once more.
    """

    def __init__(self, http: httpx.AsyncClient, tally: Tally) -> None:
        self._http = http
        self._tally = tally

    async def page(self, rows: int, begin: str | None = None) -> Reading:
        """Returns a page: `begin` is its number."""
        asked = {"page": begin or "1", "limit": str(rows)}
        answer = await self._get("segments", asked, _SegmentsAnswer)
        pages = answer.meta.pagination
        is_last = pages.current_page >= pages.total_pages
        return _reading(answer, None if is_last else str(pages.current_page + 1))

    async def by_ids(self, ids: Sequence[str]) -> Reading:
        """Returns the segments with these ids, by one request for all of them."""
        asked = {"id:in": ",".join(ids), "limit": LARGEST_PAGE}
        return _reading(await self._get("segments", asked, _SegmentsAnswer))

    async def of_customer(self, customer_id: int) -> Reading:
        """Returns the segments of a customer: first their ids, then their names."""
        asked = {"id:in": str(customer_id), "include": "segment_ids"}
        answer = await self._get("customers", asked, _CustomersAnswer)
        ids = [row for customer in answer.data for row in customer.segment_ids]
        return await self.by_ids(ids) if ids else Reading(())

    async def _get(self, path: str, asked: Mapping[str, str], kind: type[Answer]) -> Answer:
        failures = 0
        while True:
            try:
                response = await self._http.get(path, params=asked)
            except httpx.HTTPError as error:
                raise NoAnswer from error
            if response.status_code == 200:
                return msgspec.json.decode(response.content, type=kind)
            if response.status_code == 429:
                await self._wait_for_the_next_window(response)
                continue
            failures += 1
            if response.status_code < 500 or failures == ATTEMPTS:
                raise NoAnswer
            await asyncio.sleep(PAUSE_SECONDS)

    async def _wait_for_the_next_window(self, response: httpx.Response) -> None:
        self._tally.waiting += 1
        try:
            await asyncio.sleep(int(response.headers["X-Rate-Limit-Time-Reset-Ms"]) / 1000)
        finally:
            self._tally.waiting -= 1


def _reading(answer: _SegmentsAnswer, next_page: str | None = None) -> Reading:
    return Reading([row.name for row in answer.data], next_page)
