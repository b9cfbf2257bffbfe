"""Segments on the wire: `/segments`."""

from starlette.responses import Response

from gateway.emulator.paging import list_answer, read_list_request
from gateway.emulator.resources import READ, Operation, StoreRequest


def _list_segments(request: StoreRequest) -> Response:
    asked = read_list_request(request.query, request.rules, ("page", "limit", "id:in"))
    rows = request.store.select(asked.ids)
    return list_answer(rows, asked, request.rules, request.fault)


LIST_SEGMENTS = Operation("list_segments", "GET", "/segments", READ, _list_segments)
