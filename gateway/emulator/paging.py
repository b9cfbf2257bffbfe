"""Lists on the wire: filters, `page` and `limit` in, one page with its `meta.pagination` out.

Pure. Only the message for an unknown filter is BigCommerce's.
"""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from starlette.datastructures import QueryParams
from starlette.responses import Response

from gateway.emulator.answers import answer_with_data
from gateway.emulator.faults import Fault
from gateway.emulator.rows import StoredRow

DEFAULT_LIMIT = 50
MAXIMUM_LIMIT = 250
_NUMBER = re.compile(r"[0-9]{1,9}")

Shown = TypeVar("Shown", bound=StoredRow)
OverLimit = Literal["clamp", "refuse"]
PastTheEnd = Literal["empty", "refuse"]


@dataclass(frozen=True, slots=True)
class PageRules:
    """The largest `limit`, and the answers to a larger one and to a page past the end."""

    max_limit: int = MAXIMUM_LIMIT
    over_limit: OverLimit = "clamp"
    past_the_end: PastTheEnd = "empty"


class ListRefused(Exception):
    """A query that is answered with 422; `title` is that of the error object."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.title = title


@dataclass(frozen=True, slots=True)
class ListRequest:
    """One page of a list: `page` counts from 1, `ids` are in lower case, None asks for all."""

    page: int
    limit: int
    ids: frozenset[str] | None


def read_list_request(
    query: QueryParams, rules: PageRules, filters: Collection[str]
) -> ListRequest:
    """Returns the page that a query requests; the last value of a repeated parameter counts.

    Raises `ListRefused` for a parameter that is not in `filters`, for a `page` or `limit` that is
    not a whole number of 1 or more, and for a `limit` above the maximum unless it is clamped.
    """
    refuse_unknown_filters(query, filters)
    page = _read_number(query, "page", 1)
    limit = _read_number(query, "limit", min(DEFAULT_LIMIT, rules.max_limit))
    if limit > rules.max_limit and rules.over_limit == "refuse":
        raise ListRefused(f"limit must not be above {rules.max_limit}.")
    ids = query.get("id:in")
    wanted = None if ids is None else frozenset(part.strip().lower() for part in ids.split(","))
    return ListRequest(page, min(limit, rules.max_limit), wanted)


def refuse_unknown_filters(query: QueryParams, filters: Collection[str]) -> None:
    """Raises `ListRefused` for a parameter that is not in `filters`."""
    unknown = [name for name in query if name not in filters]
    if unknown:
        names = ", ".join(unknown)
        raise ListRefused(f"The filter(s): {names} are not valid filter parameter(s).")


def list_answer(
    rows: Sequence[Shown],
    asked: ListRequest,
    rules: PageRules,
    fault: Fault | None = None,
    show: Callable[[Shown], object] | None = None,
) -> Response:
    """Returns one page of `rows`, the whole list, as JSON with the fault.

    `show` makes what the wire has for a row, the row itself by default.

    Raises `ListRefused` for a page past the end if the rules refuse it; page 1 is never refused.
    """
    page, limit = asked.page, asked.limit
    shown = rows[(page - 1) * limit : page * limit]
    total_pages = -(-len(rows) // limit)
    if page > max(1, total_pages) and rules.past_the_end == "refuse":
        raise ListRefused("page must not be past the end.")
    pagination = {
        "total": len(rows),
        "count": len(shown),
        "per_page": 0 if fault is Fault.ZERO_PER_PAGE else limit,
        "current_page": page,
        "total_pages": total_pages,
        "links": _links(page, limit, total_pages),
    }
    data = shown if show is None else [show(row) for row in shown]
    return answer_with_data({"data": data, "meta": {"pagination": pagination}}, fault)


def _read_number(query: QueryParams, name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not _NUMBER.fullmatch(text) or int(text) == 0:
        raise ListRefused(f"{name} must be a whole number of 1 or more.")
    return int(text)


def _links(page: int, limit: int, total_pages: int) -> dict[str, str]:
    links = {"current": f"?page={page}&limit={limit}"}
    if 1 < page <= total_pages + 1:
        links["previous"] = f"?page={page - 1}&limit={limit}"
    if page < total_pages:
        links["next"] = f"?page={page + 1}&limit={limit}"
    return links
