"""The upstream's protocol as pure functions: operation to request, answer to value or error.

Source: BigCommerce's OpenAPI description of Customer Segmentation (v3). The values for paging (the
number of rows, the page size, the total) must be correct. `listings` has the lists and their rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic

from gateway.bigcommerce.ids import Ids
from gateway.bigcommerce.models import Page
from gateway.bigcommerce.rate_limit import RateLimit
from gateway.bigcommerce.values import decode_json, whole_number_of
from gateway.errors import (
    RateLimited,
    UpstreamForbidden,
    UpstreamRefused,
    UpstreamUnavailable,
    UpstreamUnreadable,
)
from gateway.row import Identified, Row

# The documented page size for a request without a limit.
DEFAULT_LIMIT = 50
# GraphQL, 3.5.1: an Int has 32 bits.
LARGEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Request:
    """A request below `/stores/{store_hash}/v3`; `operation` names it in logs and counts.

    `names_ids`: it contains ids from clients, so that a refusal may be due to one of them. `body`
    is JSON, empty for a request without a body. A DELETE without `id:in` deletes every row of the
    store: it raises `ValueError`.
    """

    operation: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    names_ids: bool = False
    body: bytes = b""

    def __post_init__(self) -> None:
        """Refuses every method but those that the API has, and a DELETE without ids."""
        if self.method not in ("GET", "POST", "PUT", "DELETE"):
            raise ValueError(f"The API has no method {self.method!r}.")
        if self.method == "DELETE":
            named = [value for name, value in self.query if name == "id:in"]
            if len(named) != 1 or len(self.query) != 1:
                raise ValueError("A DELETE has ids, and nothing else.")
            Ids(named[0].split(","))

    @property
    def is_read(self) -> bool:
        """Whether it changes nothing upstream, so that it may be sent again at any time.

        A write may not: a repeated DELETE fails for what it has deleted itself, and a repeated PUT
        may undo the change of another application.
        """
        return self.method == "GET"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as received; the names of `headers` are in lower case.

    `body` is None if it is too large or cannot be decompressed, `rate_limit` if the headers do not
    have the number of requests left.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes | None
    rate_limit: RateLimit | None = None


def id_of(row: Identified) -> str:
    """Returns the id of a row."""
    return row.id


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
    """One list operation: its name, its path, the noun for its rows, and the reader of a row.

    `read_row` returns None for a row without a usable id. `query` is sent with each request. Rows
    are looked up by `filter`, the name of the field of which `key_of` is the value of a row. If the
    field `is_unique`, a value has one row at the most.
    """

    operation: str
    path: str
    noun: str
    read_row: Callable[[Mapping[str, object]], Row | None]
    query: tuple[tuple[str, str], ...] = ()
    filter: str = "id"
    key_of: Callable[[Row], str | None] = id_of
    is_unique: bool = True

    @property
    def lookup_operation(self) -> str:
        """The name of the operation that looks rows of this list up, such as by id."""
        return f"{self.operation}_by_{self.filter}"

    def page(self, number: int, limit: int, keys: Sequence[str] = ()) -> Request:
        """Returns the request for one page of the list, or of its rows with these keys.

        Pages count from 1. `limit` is always sent: the default of 50 rows applies to lookups, too.
        """
        query = (*self.query, ("page", str(number)), ("limit", str(limit)))
        if not keys:
            return Request(self.operation, "GET", self.path, query)
        query = ((f"{self.filter}:in", ",".join(keys)), *query)
        return Request(self.lookup_operation, "GET", self.path, query, names_ids=True)

    def most_rows(self, keys: Sequence[str]) -> int | None:
        """Returns the most rows that these keys can have, None if there is no such number."""
        return len(keys) if keys and self.is_unique else None


def read_page(
    listing: Listing[Row], answer: Answer, page: int, limit: int, at_most: int | None = None
) -> Page[Row]:
    """Returns the page that an answer holds; `page` and `limit` are those of the request.

    `at_most` is the largest valid total, if there is one: `Listing.most_rows`.
    Raises `UpstreamForbidden` (401, 403), `RateLimited` (429), `UpstreamRefused` (any other 4xx but
    408), `UpstreamUnreadable` for a list that cannot be used, and `UpstreamUnavailable` for every
    other status.
    """
    check_status(answer)
    if answer.status == 204:  # RFC 9110, 15.3.5: there is no content
        if page > 1:
            raise UpstreamRefused("The store's API has no such page.", answer.status)
        return Page([], limit, 0)
    data, pagination = _list_of(answer.body)
    per_page = _in_range(pagination.get("per_page"), 1)
    total = _in_range(pagination.get("total"), 0)
    if total is None and page == 1 and len(data) < min(limit, per_page or DEFAULT_LIMIT):
        total = len(data)  # the page is not full: this is the whole list
    if per_page is None and page == 1 and total == len(data):
        per_page = limit
    if total is None or per_page is None:
        raise UpstreamUnreadable("The store's API sent a list without a usable page size or total.")
    if at_most is not None and total > at_most:
        raise UpstreamUnreadable(f"The store's API sent more {listing.noun} than it was asked for.")
    expected = max(0, min(per_page, total - (page - 1) * per_page))
    if len(data) != expected:
        raise UpstreamUnreadable(
            f"The store's API sent {len(data)} {listing.noun} on a page that should hold "
            f"{expected}."
        )
    rows: list[Row | None] = []
    seen: set[str] = set()
    for raw in data:
        row = listing.read_row(as_object(raw))
        if row is not None and row.id in seen:
            row = None
        if row is not None:
            seen.add(row.id)
        rows.append(row)
    return Page(rows, per_page, total)


def _list_of(body: bytes | None) -> tuple[list[object], dict[str, object]]:
    """Returns the rows and the `meta.pagination` of a list's body, `{}` if it has none.

    Raises `UpstreamUnreadable`.
    """
    try:
        value = None if body is None else decode_json(body)
    except ValueError:
        value = None
    data = as_object(value).get("data")
    if not isinstance(data, list):
        raise UpstreamUnreadable("The store's API sent a list that cannot be read.")
    return data, as_object(as_object(as_object(value).get("meta")).get("pagination"))


def as_object(value: object) -> dict[str, object]:
    """Returns a JSON object, `{}` for a value of another type."""
    return value if isinstance(value, dict) else {}


def _in_range(value: object, lowest: int) -> int | None:
    number = whole_number_of(value)
    return number if number is not None and lowest <= number <= LARGEST else None


def check_status(answer: Answer) -> None:
    """Raises the error for a status other than 2xx.

    A 4xx means that the upstream is up and refuses this request: it is not retried. Exceptions are
    401 and 403, which are about the gateway's token, 429, which is retried, and 408, a timeout.
    """
    status = answer.status
    if 200 <= status < 300:
        return
    if status in (401, 403):
        raise UpstreamForbidden()
    if status == 429:
        raise RateLimited  # the limiter knows the time of the reset
    if 400 <= status < 500 and status != 408:
        raise UpstreamRefused(f"The store's API refused the request with status {status}.", status)
    raise UpstreamUnavailable(f"The store's API failed with status {status}.")
