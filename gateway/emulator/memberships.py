"""Memberships on the wire: the shopper profiles of a segment, and the segments of a profile."""

from collections.abc import Callable, Sequence

from starlette.responses import Response

from gateway.emulator.answers import error_answer
from gateway.emulator.batches import (
    BatchRefused,
    ItemRefused,
    answer_batch,
    answer_deletion,
    read_batch,
)
from gateway.emulator.paging import list_answer, read_list_request
from gateway.emulator.resources import MODIFY, READ, Operation, StoreRequest
from gateway.emulator.rows import SegmentRow, ShopperProfileRow

LARGEST_ADD = 50  # documented
TOO_MANY = f"At most {LARGEST_ADD} shopper profiles can be added at once."
CONFLICTS = "Unable to add shopper profiles to segment due to conflicts."  # as on the wire


def _in_segment(
    answer: Callable[[StoreRequest, SegmentRow], Response],
) -> Callable[[StoreRequest], Response]:
    """Returns an operation on the segment that the path names; without one, it answers 404."""

    def answer_found(request: StoreRequest) -> Response:
        segment = request.store.find_segment(request.path["segment_id"])
        if segment is None:
            return error_answer(404, "The segment is not found")
        return answer(request, segment)

    return answer_found


def _list_members(request: StoreRequest, segment: SegmentRow) -> Response:
    asked = read_list_request(request.query, request.rules, ("page", "limit"))
    rows = request.store.members.of_segment(segment.id.lower())
    return list_answer(rows, asked, request.rules, request.fault)


def _add_members(request: StoreRequest, segment: SegmentRow) -> Response:
    members, segment_id = request.store.members, segment.id.lower()
    batch = read_batch(request, _reader_of_profiles(request))
    if batch.total > LARGEST_ADD:
        raise BatchRefused(422, TOO_MANY, batch.total)
    conflicts = {
        f"{index}": f"Shopper profile `{row.id}` already exists for segment `{segment.id}`."
        for index, row in batch.items.items()
        if members.has(segment_id, row)
    }
    if conflicts:
        raise BatchRefused(409, CONFLICTS, batch.total, conflicts)
    for row in batch.items.values():
        members.add(segment_id, row)
    return answer_batch(request, batch, [*batch.items.values()])


def _remove_members(request: StoreRequest, segment: SegmentRow) -> Response:
    store, segment_id = request.store, segment.id.lower()

    def find(profile_id: str) -> ShopperProfileRow | None:
        row = store.profiles.find(profile_id)
        return row if row is not None and store.members.has(segment_id, row) else None

    def remove(rows: Sequence[ShopperProfileRow]) -> None:
        store.members.remove(segment_id, rows)

    return answer_deletion(request, store.members.of_segment(segment_id), find, remove)


def _list_segments_of_profile(request: StoreRequest) -> Response:
    store = request.store
    profile = store.profiles.find(request.path["profile_id"].lower())
    if profile is None:
        return error_answer(404, "The shopper profile is not found")
    asked = read_list_request(request.query, request.rules, ("page", "limit"))
    rows = store.select({*store.members.of_profile(profile)})
    show = _show_id if request.profile_segment_rows == "ids" else None
    return list_answer(rows, asked, request.rules, request.fault, show)


def _show_id(segment: SegmentRow) -> dict[str, str]:
    return {"segment_id": segment.id}


def _reader_of_profiles(request: StoreRequest) -> Callable[[object], ShopperProfileRow]:
    """Returns the reader of an id: of a profile that no earlier item of the batch names."""
    read_before = set[str]()

    def read(item: object) -> ShopperProfileRow:
        row = request.store.profiles.find(item.lower()) if isinstance(item, str) else None
        if row is None:
            raise ItemRefused("The shopper profile is not found.")
        if row.id in read_before:
            raise ItemRefused("The shopper profile is there twice.")
        read_before.add(row.id)
        return row

    return read


PATH = "/segments/{segment_id}/shopper-profiles"
SEGMENTS_OF_PROFILE = "/shopper-profiles/{profile_id}/segments"
MEMBERSHIP_OPERATIONS = (
    Operation(
        "list_segment_shopper_profiles",
        "GET",
        PATH,
        MODIFY,  # this one read needs the scope that writes need
        _in_segment(_list_members),
    ),
    Operation(
        "add_segment_shopper_profiles", "POST", PATH, MODIFY, _in_segment(_add_members), True
    ),
    Operation(
        "remove_segment_shopper_profiles", "DELETE", PATH, MODIFY, _in_segment(_remove_members)
    ),
    Operation(
        "list_shopper_profile_segments", "GET", SEGMENTS_OF_PROFILE, READ, _list_segments_of_profile
    ),
)
