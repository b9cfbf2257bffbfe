"""The upstream's protocol as pure functions: operation to request, answer to value or error.

Source: BigCommerce's OpenAPI description of Customer Segmentation (v3). A body that makes no
sense is one clear error; no row of it is used.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from gateway.bigcommerce.models import Page, Segment, parse_datetime, uuid_in_lower_case
from gateway.bigcommerce.rate_limit import read_retry_after
from gateway.errors import (
    RateLimited,
    UpstreamForbidden,
    UpstreamRefused,
    UpstreamUnavailable,
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request below `/stores/{store_hash}/v3`; `operation` names it in logs and counts."""

    operation: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()

    @property
    def is_idempotent(self) -> bool:
        """Whether sending it twice does what sending it once does (RFC 9110, 9.2.2)."""
        return self.method in ("GET", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came; the names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _WireSegment(msgspec.Struct):
    id: str | None = None
    name: str | None = None
    description: str | None = None
    created_at: str | None = None
    updated_at: str | None = None


class _WirePagination(msgspec.Struct):
    total: int | None = None
    per_page: int | None = None


class _WireMeta(msgspec.Struct):
    pagination: _WirePagination | None = None


class _WireSegments(msgspec.Struct):
    data: list[_WireSegment]
    meta: _WireMeta | None = None


# Rows to a page where nobody says how many, as documented.
DEFAULT_LIMIT = 50
# GraphQL, 3.5.1: an Int has 32 bits.
LARGEST = 2**31 - 1

_decode_segments = msgspec.json.Decoder(_WireSegments).decode


def list_segments(page: int, limit: int) -> Request:
    """Asks for one page of all segments; `page` counts from 1."""
    query = (("page", str(page)), ("limit", str(limit)))
    return Request("list_segments", "GET", "/segments", query)


def list_segments_by_id(ids: Sequence[str], page: int, limit: int) -> Request:
    """Asks for one page of the segments with these uuids.

    `limit` is always sent: without it the list of ids is itself paged by 50.
    """
    query = (("id:in", ",".join(ids)), ("page", str(page)), ("limit", str(limit)))
    return Request("list_segments_by_id", "GET", "/segments", query)


def read_segments(
    answer: Answer, page: int, limit: int, at_most: int | None = None
) -> Page[Segment]:
    """Returns the page of segments that an answer holds; `page` and `limit` are what was asked.

    `at_most` are the rows that the whole list can have, where that is known: a lookup's ids.
    Raises `UpstreamForbidden` (401, 403), `UpstreamRefused` (400, 404, 413, 414, 422),
    `RateLimited` (429), and `UpstreamUnavailable` for every other status and for a body that makes
    no sense.
    """
    _check_status(answer)
    try:
        body = _decode_segments(answer.body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UpstreamUnavailable("The store's API sent a list that cannot be read.") from error
    pagination = (body.meta and body.meta.pagination) or _WirePagination()
    per_page, total = pagination.per_page, pagination.total
    if total is None and page == 1 and len(body.data) < min(limit, per_page or DEFAULT_LIMIT):
        total = len(body.data)  # a list without its count that no page size cuts
    if per_page is None and page == 1 and total == len(body.data):
        per_page = limit
    if (
        total is None
        or per_page is None
        or not (0 <= total <= LARGEST and 1 <= per_page <= LARGEST)
    ):
        raise UpstreamUnavailable(
            "The store's API sent a list without a usable page size or total."
        )
    if at_most is not None and total > at_most:
        raise UpstreamUnavailable("The store's API sent more segments than it was asked for.")
    rows = [_segment(row) for row in body.data]
    expected = max(0, min(per_page, total - (page - 1) * per_page))
    if len(rows) != expected:
        raise UpstreamUnavailable(
            f"The store's API sent {len(rows)} segments on a page that should hold {expected}."
        )
    if len({row.id for row in rows}) != len(rows):
        raise UpstreamUnavailable("The store's API sent a segment twice on one page.")
    return Page(rows, per_page, total)


def _segment(row: _WireSegment) -> Segment:
    row_id = uuid_in_lower_case(row.id or "")
    if row_id is None:
        raise UpstreamUnavailable("The store's API sent a segment without a valid id.")
    return Segment(
        id=row_id,
        name=row.name,
        description=row.description,
        created_at=parse_datetime(row.created_at or ""),
        updated_at=parse_datetime(row.updated_at or ""),
    )


def _check_status(answer: Answer) -> None:
    status = answer.status
    if status == 200:
        return
    if status in (401, 403):
        raise UpstreamForbidden(
            "The store's API refused the gateway's own credentials. "
            "Its operator has to check the access token, its scopes and the store hash."
        )
    if status in (400, 404, 413, 414, 422):
        raise UpstreamRefused(f"The store's API refused the request with status {status}.", status)
    if status == 429:
        told = read_retry_after(answer.headers)
        retry_after = None if told is None else max(1, math.ceil(told))
        when = "later" if retry_after is None else f"in {retry_after} seconds"
        raise RateLimited(f"The store's API limits its rate. Try again {when}.", retry_after)
    raise UpstreamUnavailable(f"The store's API failed with status {status}.")
