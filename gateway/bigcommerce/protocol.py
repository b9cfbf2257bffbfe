"""The upstream's protocol as pure functions: operation to request, answer to value or error.

Source: BigCommerce's OpenAPI description of Customer Segmentation (v3). What can be read of a list
is read; what paging relies on (the number of rows, the page size, the total) has to be right.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.bigcommerce.models import Page, Segment, uuid_in_lower_case
from gateway.bigcommerce.values import decode_json, text_of, time_of, whole_number_of
from gateway.errors import (
    RateLimited,
    UpstreamForbidden,
    UpstreamRefused,
    UpstreamUnavailable,
    UpstreamUnreadable,
)


@dataclass(frozen=True, slots=True)
class Request:
    """A request below `/stores/{store_hash}/v3`; `operation` names it in logs and counts.

    `names_ids`: it asks for ids of clients, so that a refusal may be about one of them.
    """

    operation: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    names_ids: bool = False

    @property
    def is_idempotent(self) -> bool:
        """Whether sending it twice does what sending it once does (RFC 9110, 9.2.2)."""
        return self.method in ("GET", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came; the names of `headers` are in lower case.

    `body` is None where it cannot be decompressed, or is too large.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes | None


# Rows to a page where a request names no limit, as documented.
DEFAULT_LIMIT = 50
# GraphQL, 3.5.1: an Int has 32 bits.
LARGEST = 2**31 - 1


# The names of the operations.
LIST_SEGMENTS, LIST_SEGMENTS_BY_ID = "list_segments", "list_segments_by_id"


def list_segments(page: int, limit: int) -> Request:
    """Asks for one page of all segments; `page` counts from 1."""
    query = (("page", str(page)), ("limit", str(limit)))
    return Request(LIST_SEGMENTS, "GET", "/segments", query)


def list_segments_by_id(ids: Sequence[str], page: int, limit: int) -> Request:
    """Asks for one page of the segments with these uuids.

    `limit` is always sent: without it the list of ids is itself paged by 50.
    """
    query = (("id:in", ",".join(ids)), ("page", str(page)), ("limit", str(limit)))
    return Request(LIST_SEGMENTS_BY_ID, "GET", "/segments", query, names_ids=True)


def read_segments(
    answer: Answer, page: int, limit: int, at_most: int | None = None
) -> Page[Segment]:
    """Returns the page of segments that an answer holds; `page` and `limit` are what was asked.

    `at_most` are the rows that the whole list can have, where that is known: a lookup's ids.
    Raises `UpstreamForbidden` (401, 403), `RateLimited` (429), `UpstreamRefused` (any other 4xx but
    408), `UpstreamUnreadable` for a list that cannot be used, and `UpstreamUnavailable` for every
    other status.
    """
    _check_status(answer)
    if answer.status == 204:  # RFC 9110, 15.3.5: there is no content
        if page > 1:
            raise UpstreamRefused("The store's API has no such page.", answer.status)
        return Page([], limit, 0)
    data, pagination = _list_of(answer.body)
    per_page = _in_range(pagination.get("per_page"), 1)
    total = _in_range(pagination.get("total"), 0)
    if total is None and page == 1 and len(data) < min(limit, per_page or DEFAULT_LIMIT):
        total = len(data)  # a list without its count that no page size cuts
    if per_page is None and page == 1 and total == len(data):
        per_page = limit
    if total is None or per_page is None:
        raise UpstreamUnreadable("The store's API sent a list without a usable page size or total.")
    if at_most is not None and total > at_most:
        raise UpstreamUnreadable("The store's API sent more segments than it was asked for.")
    expected = max(0, min(per_page, total - (page - 1) * per_page))
    if len(data) != expected:
        raise UpstreamUnreadable(
            f"The store's API sent {len(data)} segments on a page that should hold {expected}."
        )
    rows: list[Segment | None] = []
    seen: set[str] = set()
    for raw in data:
        row = _segment(raw)
        if row is not None and row.id in seen:
            row = None
        if row is not None:
            seen.add(row.id)
        rows.append(row)
    return Page(rows, per_page, total)


def _list_of(body: bytes | None) -> tuple[list[object], dict[str, object]]:
    """Returns the rows and the `meta.pagination` of a list's body, an empty one where it has none.

    Raises `UpstreamUnreadable`.
    """
    try:
        value = None if body is None else decode_json(body)
    except ValueError:
        value = None
    data = _object(value).get("data")
    if not isinstance(data, list):
        raise UpstreamUnreadable("The store's API sent a list that cannot be read.")
    return data, _object(_object(_object(value).get("meta")).get("pagination"))


def _object(value: object) -> dict[str, object]:
    """Returns a JSON object; an empty one where the value is of another type."""
    return value if isinstance(value, dict) else {}


def _in_range(value: object, lowest: int) -> int | None:
    number = whole_number_of(value)
    return number if number is not None and lowest <= number <= LARGEST else None


def _segment(value: object) -> Segment | None:
    """Returns the segment, None where it has no usable id; a field of another type is None."""
    raw = _object(value)
    row_id = uuid_in_lower_case(text_of(raw.get("id")) or "")
    if row_id is None:
        return None
    return Segment(
        id=row_id,
        name=text_of(raw.get("name")),
        description=text_of(raw.get("description")),
        created_at=time_of(raw.get("created_at")),
        updated_at=time_of(raw.get("updated_at")),
    )


def _check_status(answer: Answer) -> None:
    """Returns for a 2xx; raises the error that any other status stands for.

    A 4xx is an answer: the upstream is well, and refuses this very request. That leaves out 401 and
    403, which are about the gateway's token, 429, and 408, which says that the request came late.
    """
    status = answer.status
    if 200 <= status < 300:
        return
    if status in (401, 403):
        raise UpstreamForbidden()
    if status == 429:
        # The limiter knows when requests go on.
        raise RateLimited("The store's API limits its rate. Try again later.", None)
    if 400 <= status < 500 and status != 408:
        raise UpstreamRefused(f"The store's API refused the request with status {status}.", status)
    raise UpstreamUnavailable(f"The store's API failed with status {status}.")
