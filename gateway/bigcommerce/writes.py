"""The upstream's seven writes as pure functions: operation to request, answer to results by item.

BigCommerce has published two dialects: 204, or 200 and 201 with `data`, with `meta: {}` or with
counts, and refusals as 400, 409 or 422, the last with what worked beside what did not. All are
read. What an answer does not say about an item stays unknown: it is not guessed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic

import msgspec

from gateway.bigcommerce.ids import Ids
from gateway.bigcommerce.listings import SEGMENTS, SHOPPER_PROFILES
from gateway.bigcommerce.models import Segment, ShopperProfile
from gateway.bigcommerce.protocol import Answer, Request, as_object, check_status, id_of
from gateway.bigcommerce.values import decode_json, whole_number_of
from gateway.bigcommerce.write_errors import WriteRefusal, read_refusals
from gateway.errors import UpstreamRefused, UpstreamUnreadable
from gateway.row import Row


class ItemStatus(Enum):
    """What an answer says about one item."""

    DONE = "it was carried out"
    REFUSED = "it was refused for a reason of its own"
    ABORTED = "it was refused with the whole request"
    UNKNOWN = "the answer does not say"


@dataclass(frozen=True, slots=True)
class ItemResult(Generic[Row]):
    """The status of one item, its row if the answer has one, and why it was refused."""

    status: ItemStatus
    row: Row | None = None
    refusal: WriteRefusal | None = None


@dataclass(frozen=True, slots=True)
class Write(Generic[Row]):
    """A request that changes several items; `keys` name them in the request's order.

    `read_row` reads a row of the answer, and `key_of` returns the key of its item. `has_rows` says
    whether the answer has a row for each item that was carried out.
    """

    request: Request
    keys: tuple[str, ...]
    read_row: Callable[[Mapping[str, object]], Row | None]
    key_of: Callable[[Row], str | None]
    has_rows: bool = True


def create_segments(new: Sequence[tuple[str, str | None]]) -> Write[Segment]:
    """Returns the write that creates segments of these names and descriptions."""
    body = [
        {"name": name} if description is None else {"name": name, "description": description}
        for name, description in new
    ]
    names = tuple(name for name, _ in new)
    return Write(
        _with_body("create_segments", "POST", SEGMENTS.path, body),
        names,
        SEGMENTS.read_row,
        _name_of,
    )


def update_segments(changes: Mapping[str, Mapping[str, str | None]]) -> Write[Segment]:
    """Returns the write that sets fields of segments by id; all other fields stay."""
    ids = Ids(changes)
    body = [{"id": row_id, **fields} for row_id, fields in changes.items()]
    return Write(
        _with_body("update_segments", "PUT", SEGMENTS.path, body), ids, SEGMENTS.read_row, id_of
    )


def delete_segments(ids: Ids) -> Write[Segment]:
    """Returns the write that deletes segments."""
    request = _delete("delete_segments", SEGMENTS.path, ids)
    return Write(request, ids, SEGMENTS.read_row, id_of, has_rows=False)


def create_shopper_profiles(customer_ids: Sequence[int]) -> Write[ShopperProfile]:
    """Returns the write that creates the profiles of customers; its keys are their ids."""
    body = [{"customer_id": customer_id} for customer_id in customer_ids]
    request = _with_body("create_shopper_profiles", "POST", SHOPPER_PROFILES.path, body)
    return Write(request, tuple(map(str, customer_ids)), SHOPPER_PROFILES.read_row, _customer_of)


def delete_shopper_profiles(ids: Ids) -> Write[ShopperProfile]:
    """Returns the write that deletes profiles."""
    request = _delete("delete_shopper_profiles", SHOPPER_PROFILES.path, ids)
    return Write(request, ids, SHOPPER_PROFILES.read_row, id_of, has_rows=False)


def add_segment_shopper_profiles(segment_id: str, ids: Ids) -> Write[ShopperProfile]:
    """Returns the write that adds profiles to a segment."""
    path = members_path(segment_id)
    request = _with_body("add_segment_shopper_profiles", "POST", path, ids)
    return Write(request, ids, SHOPPER_PROFILES.read_row, id_of, has_rows=False)


def remove_segment_shopper_profiles(segment_id: str, ids: Ids) -> Write[ShopperProfile]:
    """Returns the write that removes profiles from a segment; the profiles stay."""
    request = _delete("remove_segment_shopper_profiles", members_path(segment_id), ids)
    return Write(request, ids, SHOPPER_PROFILES.read_row, id_of, has_rows=False)


def members_path(segment_id: str) -> str:
    """Returns the path of a segment's members; raises `ValueError` if the id is not a uuid."""
    return f"{SEGMENTS.path}/{Ids([segment_id])}/shopper-profiles"


def read_write(write: Write[Row], answer: Answer) -> tuple[ItemResult[Row], ...]:
    """Returns what an answer says about each item of a write, in order.

    A refusal (any 4xx but 401, 403, 408 and 429) is an answer. Raises `UpstreamForbidden`,
    `RateLimited`, `UpstreamUnreadable` for a 2xx that cannot be read, and `UpstreamUnavailable` for
    every other status.
    """
    is_refusal = False
    try:
        check_status(answer)
    except UpstreamRefused:
        is_refusal = True
    body = _body_of(answer, is_refusal=is_refusal)
    refusals, whole = read_refusals(body, answer.status, write.keys)
    rows, others = _rows_of(write, body, refusals)
    counted = whole_number_of(as_object(body.get("meta")).get("success"))
    left = [at for at in range(len(write.keys)) if at not in rows and at not in refusals]
    status, whole = _status_of_the_rest(
        write,
        len(refusals),
        left,
        whole,
        counted,
        has_rows=bool(rows or others),
        is_refusal=is_refusal,
    )
    results: list[ItemResult[Row]] = []
    for at in range(len(write.keys)):
        row, refusal = rows.get(at), refusals.get(at)
        if row is not None and refusal is not None:
            results.append(ItemResult(ItemStatus.UNKNOWN, refusal=refusal))  # it contradicts itself
        elif row is not None:
            results.append(ItemResult(ItemStatus.DONE, row))
        elif refusal is not None:
            results.append(ItemResult(ItemStatus.REFUSED, refusal=refusal))
        else:
            results.append(ItemResult(status, refusal=whole or WriteRefusal(answer.status)))
    return tuple(results)


def _status_of_the_rest(
    write: Write[Row],
    refusals: int,
    left: Sequence[int],
    whole: WriteRefusal | None,
    counted: int | None,
    *,
    has_rows: bool,
    is_refusal: bool,
) -> tuple[ItemStatus, WriteRefusal | None]:
    """Returns the status of the items that the answer does not name, and their refusal.

    `counted` is the number of items that worked by `meta.success`.
    """
    done_if_all_worked = len(write.keys) - refusals
    if is_refusal and not has_rows and not counted:
        status = ItemStatus.REFUSED if len(write.keys) == 1 else ItemStatus.ABORTED
        return status, whole
    if counted is not None and counted == done_if_all_worked:
        return (ItemStatus.UNKNOWN if write.has_rows and has_rows else ItemStatus.DONE), None
    if whole is not None and len(left) == 1:
        return ItemStatus.REFUSED, whole
    if is_refusal or whole is not None or counted is not None:
        return ItemStatus.UNKNOWN, whole
    # A success without counts. If it has rows, it has to have all of them.
    return (ItemStatus.UNKNOWN if write.has_rows and has_rows else ItemStatus.DONE), None


def _rows_of(
    write: Write[Row], body: Mapping[str, object], refusals: Mapping[int, WriteRefusal]
) -> tuple[dict[int, Row], list[Row]]:
    """Returns the rows of an answer by the index of their item, and those of no item.

    Rows are matched by key. If as many rows as items are left then, the store has changed their
    names, and they are matched in order.
    """
    raw = body.get("data")
    read = [write.read_row(as_object(one)) for one in raw] if isinstance(raw, list) else []
    by_key = {key: at for at, key in enumerate(write.keys)}
    rows: dict[int, Row] = {}
    others: list[Row] = []
    for row in read:
        if row is None:
            continue
        at = by_key.get(write.key_of(row) or "")
        if at is None:
            others.append(row)
        else:
            rows[at] = row
    left = [at for at in range(len(write.keys)) if at not in rows and at not in refusals]
    if write.has_rows and write.key_of is _name_of and len(others) == len(left):
        rows.update(zip(left, others, strict=True))
        others = []
    return rows, others


def _body_of(answer: Answer, *, is_refusal: bool) -> dict[str, object]:
    """Returns the object that a body holds, `{}` for none; raises `UpstreamUnreadable`."""
    if answer.body is not None and not answer.body.strip():
        return {}
    try:
        value = None if answer.body is None else decode_json(answer.body)
    except ValueError:
        value = None
    if isinstance(value, dict):
        return value
    if is_refusal or answer.status == 204:  # the status says it all
        return {}
    raise UpstreamUnreadable("The store's API answered a write with what cannot be read.")


def _with_body(operation: str, method: str, path: str, items: Sequence[object]) -> Request:
    if not items:
        raise ValueError("A write needs an item.")
    return Request(operation, method, path, body=msgspec.json.encode(items))


def _delete(operation: str, path: str, ids: Ids) -> Request:
    if not isinstance(ids, Ids):
        raise ValueError("A DELETE takes only ids that were checked.")
    return Request(operation, "DELETE", path, (("id:in", str(ids)),))


def _name_of(segment: Segment) -> str | None:
    return segment.name


def _customer_of(profile: ShopperProfile) -> str | None:
    return None if profile.customer_id is None else str(profile.customer_id)
