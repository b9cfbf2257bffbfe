"""Segments on the wire: `/segments`."""

from collections import Counter
from collections.abc import Callable, Sequence

from starlette.responses import Response

from gateway.emulator.batches import (
    BatchRefused,
    ItemRefused,
    answer_batch,
    answer_deletion,
    read_batch,
)
from gateway.emulator.paging import list_answer, read_list_request
from gateway.emulator.resources import MODIFY, READ, Operation, StoreRequest
from gateway.emulator.rows import SegmentRow
from gateway.emulator.store import MAXIMUM_SEGMENTS

NAME_TAKEN = "Cannot have multiple segments with the same name"  # as on the wire
STORE_IS_FULL = f"A store has at most {MAXIMUM_SEGMENTS} segments."

Texts = dict[str, str | None]


def _list_segments(request: StoreRequest) -> Response:
    asked = read_list_request(request.query, request.rules, ("page", "limit", "id:in"))
    rows = request.store.select(asked.ids)
    return list_answer(rows, asked, request.rules, request.fault)


def _create_segments(request: StoreRequest) -> Response:
    store, batch = request.store, read_batch(request, _read_new_segment)
    names = [row.name for row in store.segments] + [new["name"] for new in batch.items.values()]
    if len(names) != len(set(names)):
        raise BatchRefused(409, NAME_TAKEN, batch.total)
    if len(names) > MAXIMUM_SEGMENTS:
        raise BatchRefused(422, STORE_IS_FULL, batch.total)
    rows = [
        store.create_segment(str(new["name"]), new.get("description"))
        for new in batch.items.values()
    ]
    return answer_batch(request, batch, rows)


def _update_segments(request: StoreRequest) -> Response:
    store, batch = request.store, read_batch(request, _reader_of_changes(request))
    changes = {row.id: texts for row, texts in batch.items.values()}
    names = Counter(changes.get(row.id, {}).get("name", row.name) for row in store.segments)
    if any(names[texts.get("name", "")] > 1 for texts in changes.values()):
        raise BatchRefused(409, NAME_TAKEN, batch.total)
    rows = [
        store.update_segment(
            row, str(texts.get("name", row.name)), texts.get("description", row.description)
        )
        for row, texts in batch.items.values()
    ]
    return answer_batch(request, batch, rows)


def _delete_segments(request: StoreRequest) -> Response:
    store = request.store

    def remove(rows: Sequence[SegmentRow]) -> None:
        store.delete(row.id for row in rows)

    return answer_deletion(request, store.segments, store.find_segment, remove)


def _read_new_segment(item: object) -> Texts:
    texts = _read_texts(item)
    if "name" not in texts:
        raise ItemRefused("name is required.", "name")
    return texts


def _reader_of_changes(request: StoreRequest) -> Callable[[object], tuple[SegmentRow, Texts]]:
    """Returns the reader of a change: of a segment that no earlier change of the batch names."""
    by_id = {row.id.lower(): row for row in request.store.segments}

    def read(item: object) -> tuple[SegmentRow, Texts]:
        texts = _read_texts(item)
        row_id = item.get("id") if isinstance(item, dict) else None
        row = by_id.pop(row_id.lower(), None) if isinstance(row_id, str) else None
        if row is None:
            raise ItemRefused("id must be that of a segment, and once.", "id")
        return row, texts

    return read


def _read_texts(item: object) -> Texts:
    if not isinstance(item, dict):
        raise ItemRefused("It must be an object.")
    texts = {key: item[key] for key in ("name", "description") if key in item}
    name, description = texts.get("name", "x"), texts.get("description")
    if not isinstance(name, str) or not name.strip():
        raise ItemRefused("name must be text.", "name")
    if description is not None and not isinstance(description, str):
        raise ItemRefused("description must be text or null.", "description")
    return texts


SEGMENT_OPERATIONS = (
    Operation("list_segments", "GET", "/segments", READ, _list_segments),
    Operation("create_segments", "POST", "/segments", MODIFY, _create_segments, True),
    Operation("update_segments", "PUT", "/segments", MODIFY, _update_segments, True),
    Operation("delete_segments", "DELETE", "/segments", MODIFY, _delete_segments),
)
