"""Writes on the wire: a batch in, its result in one of the two published dialects out.

The dialect of 2025 refuses a batch with an item that is not valid, with 400 and one error object.
That of 2026 carries out the other items, and answers 422 with `data`, `errors` and `meta`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec
from starlette.datastructures import QueryParams
from starlette.responses import Response

from gateway.emulator.answers import answer_with_data, error_answer, error_object
from gateway.emulator.paging import refuse_unknown_filters
from gateway.emulator.resources import Dialect, StoreRequest
from gateway.emulator.rows import StoredRow

Item = TypeVar("Item")
Row = TypeVar("Row", bound=StoredRow)

INVALID_ITEMS = "Some items are not valid."
UNREADABLE = "The body must be a JSON array of one or more items."


class ItemRefused(Exception):
    """An item of a batch that is not valid; `field` names the part of it that is not."""

    def __init__(self, text: str, field: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.field = field


class BatchRefused(Exception):
    """A batch of which nothing is carried out, for one reason or by its items."""

    def __init__(
        self, status: int, title: str, total: int = 0, errors: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.total = total
        self.errors = errors or {}

    def answer(self, dialect: Dialect) -> Response:
        """Returns the answer: an error object, or the result of a batch that failed."""
        if self.status == 409 or (self.status == 422 and dialect == "2026"):
            error = error_object(self.status, self.title, self.errors)
            meta = {"total": self.total, "success": 0, "failed": self.total}
            body = msgspec.json.encode({"data": [], "errors": [error], "meta": meta})
            return Response(body, self.status, media_type="application/json")
        return error_answer(self.status, self.title, self.errors)


@dataclass(frozen=True, slots=True)
class Batch(Generic[Item]):
    """The valid items of a batch by their index, and what is wrong with the others.

    Keys of `problems` are "index" or "index.field". `total` counts all items.
    """

    total: int
    items: dict[int, Item]
    problems: dict[str, str]


def read_batch(request: StoreRequest, read: Callable[[object], Item]) -> Batch[Item]:
    """Returns the batch in the body; `read` makes each item, or raises `ItemRefused`.

    Raises `BatchRefused` for a body that is no list of items, for too many items, and in the
    dialect of 2025 for an item that is not valid.
    """
    refuse_unknown_filters(request.query, ())
    invalid = 400 if request.dialect == "2025" else 422
    try:
        found = msgspec.json.decode(request.body, type=list[object])
    except msgspec.DecodeError:
        raise BatchRefused(invalid, UNREADABLE) from None
    if not found:
        raise BatchRefused(invalid, UNREADABLE)
    _check_size(request, len(found))
    items: dict[int, Item] = {}
    problems: dict[str, str] = {}
    for index, item in enumerate(found):
        try:
            items[index] = read(item)
        except ItemRefused as refused:
            problems[f"{index}.{refused.field}" if refused.field else f"{index}"] = refused.text
    if problems and request.dialect == "2025":
        raise BatchRefused(invalid, INVALID_ITEMS, len(found), problems)
    return Batch(len(found), items, problems)


def answer_batch(request: StoreRequest, batch: Batch[Item], rows: Sequence[StoredRow]) -> Response:
    """Returns the answer to a batch of which `rows` were written."""
    if request.dialect == "2025":
        return answer_with_data({"data": rows, "meta": {}}, request.fault, 201)
    return _result(request, rows, batch.problems, len(rows), batch.total, 201)


def answer_deletion(
    request: StoreRequest,
    everything: Sequence[Row],
    find: Callable[[str], Row | None],
    remove: Callable[[Sequence[Row]], object],
) -> Response:
    """Removes the rows with the ids in `id:in`, or everything without it, and answers that.

    In the dialect of 2025 an id that `find` does not know has no effect, in that of 2026 it fails.
    Raises `BatchRefused` for too many ids, and `ListRefused` for another filter.
    """
    refuse_unknown_filters(request.query, ("id:in",))
    if removes_everything(request.query):
        rows = everything[:]
        remove(rows)
        return _answer_deletion(request, len(rows), {})
    ids = [*dict.fromkeys(part.strip().lower() for part in request.query["id:in"].split(","))]
    _check_size(request, len(ids))
    found = [find(row_id) for row_id in ids]
    rows = [row for row in found if row is not None]
    remove(rows)
    problems = {f"{n}": "The id is not found." for n, row in enumerate(found) if row is None}
    return _answer_deletion(request, len(rows), problems)


def removes_everything(query: QueryParams) -> bool:
    """Returns whether a DELETE with this query names no id, and so removes every row."""
    return not query.get("id:in", "").strip(" ,")


def _check_size(request: StoreRequest, size: int) -> None:
    if request.max_batch is not None and size > request.max_batch:
        raise BatchRefused(413, "Payload Too Large", size)


def _answer_deletion(request: StoreRequest, removed: int, problems: Mapping[str, str]) -> Response:
    if request.dialect == "2025":
        return Response(status_code=204)
    return _result(request, [], problems, removed, removed + len(problems), 200)


def _result(
    request: StoreRequest,
    rows: Sequence[StoredRow],
    problems: Mapping[str, str],
    success: int,
    total: int,
    status: int,
) -> Response:
    errors = [error_object(422, INVALID_ITEMS, problems)] if problems else []
    meta = {"total": total, "success": success, "failed": total - success}
    body: dict[str, object] = {"data": rows, "errors": errors, "meta": meta}
    return answer_with_data(body, request.fault, 422 if problems else status)
