"""The shopper profiles of a segment on the wire: `/segments/{segment_id}/shopper-profiles`."""

from starlette.responses import Response

from gateway.emulator.answers import error_answer
from gateway.emulator.paging import list_answer, read_list_request
from gateway.emulator.resources import MODIFY, Operation, StoreRequest


def _list_shopper_profiles(request: StoreRequest) -> Response:
    asked = read_list_request(request.query, request.rules, ("page", "limit"))
    rows = request.store.profiles_of(request.path["segment_id"])
    if rows is None:
        return error_answer(404, "The segment is not found")
    return list_answer(rows, asked, request.rules, request.fault)


LIST_SHOPPER_PROFILES = Operation(
    "list_shopper_profiles",
    "GET",
    "/segments/{segment_id}/shopper-profiles",
    MODIFY,  # this one read needs the scope that writes need
    _list_shopper_profiles,
)
