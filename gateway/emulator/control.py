"""The control routes, `/_emulator/…`: faults, manners, counts and segments while it runs.

JSON in and out, without a token. What makes no sense gets 422 with one sentence, and changes
nothing.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import uuid4

import msgspec
from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from gateway.emulator.app import Emulator
from gateway.emulator.control_bodies import (
    ControlRefused,
    Manners,
    NewSegment,
    RequestCounts,
    Rules,
    read_body,
)
from gateway.emulator.latency import as_latency
from gateway.emulator.seed import MAXIMUM_SEGMENTS, seeded_store
from gateway.emulator.store import SegmentRow

CONTROL_PATH = "/_emulator"

Endpoint = Callable[[Request], Awaitable[Response]]


def control_routes(emulator: Emulator) -> list[Route]:
    """Returns the routes over one emulator; any other path and method below them is 404."""
    control = _Control(emulator)
    table = control.table()
    routes = [
        Route(CONTROL_PATH + path, _refusing(take), methods=[m]) for m, path, take, _ in table
    ]
    # All methods: what no route above takes must not count as a request to the store.
    return [*routes, *(Route(CONTROL_PATH + path, _Unknown()) for path in ("", "/{path:path}"))]


class _Control:
    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    def table(self) -> list[tuple[str, str, Endpoint, str]]:
        """Returns method, path, what answers, and a sentence about it."""
        return [
            ("GET", "", self._list_routes, "Lists these routes."),
            ("GET", "/requests", self._read_requests, "Counts the requests that came."),
            ("DELETE", "/requests", self._forget_requests, "Sets the counts back."),
            ("GET", "/faults", self._read_faults, "Lists the rules of faults that still apply."),
            ("PUT", "/faults", self._put_faults, "Replaces all rules of faults."),
            ("DELETE", "/faults", self._clear_faults, "Forgets all rules of faults."),
            ("GET", "/manners", self._read_manners, "Tells how the store behaves."),
            ("PATCH", "/manners", self._change_manners, "Changes the manners that are sent."),
            ("POST", "/segments", self._add_segment, "Adds a segment to the store."),
            ("DELETE", "/segments/{id}", self._delete_segment, "Removes a segment."),
        ]

    async def _list_routes(self, _request: Request) -> Response:
        routes = {f"{method} {CONTROL_PATH}{path}": text for method, path, _, text in self.table()}
        return _json({"routes": routes})

    async def _read_requests(self, _request: Request) -> Response:
        emulator = self._emulator
        counts = RequestCounts(
            total=emulator.requests.total(),
            operations=dict(emulator.requests),
            statuses=dict(emulator.statuses),
            windows=list(emulator.window.history),
        )
        return _json(counts)

    async def _forget_requests(self, _request: Request) -> Response:
        self._emulator.forget_requests()
        return Response(status_code=204)

    async def _read_faults(self, _request: Request) -> Response:
        return _json(Rules(self._emulator.faults.rules))

    async def _put_faults(self, request: Request) -> Response:
        put = read_body(await request.body(), Rules)
        self._emulator.faults.rules = put.rules
        if put.seed is not UNSET:
            self._emulator.faults.random.seed(put.seed)
        return _json(Rules(put.rules))

    async def _clear_faults(self, _request: Request) -> Response:
        self._emulator.faults.clear()
        return Response(status_code=204)

    async def _read_manners(self, _request: Request) -> Response:
        emulator = self._emulator
        manners = Manners(
            latency=as_latency(emulator.latency_seconds),
            max_limit=emulator.max_limit,
            over_limit=emulator.over_limit,
            past_the_end=emulator.past_the_end,
            quota=emulator.window.quota,
            window_ms=emulator.window.window_ms,
            segments=len(emulator.store.segments),
        )
        return _json(manners)

    async def _change_manners(self, request: Request) -> Response:
        change = read_body(await request.body(), Manners)
        emulator = self._emulator
        if change.latency is not UNSET:
            emulator.latency_seconds = change.latency
        if change.max_limit is not UNSET:
            emulator.max_limit = change.max_limit
        if change.over_limit is not UNSET:
            emulator.over_limit = change.over_limit
        if change.past_the_end is not UNSET:
            emulator.past_the_end = change.past_the_end
        if change.quota is not UNSET:
            emulator.window.quota = change.quota
        if change.window_ms is not UNSET:
            emulator.window.window_ms = change.window_ms
        if change.segments is not UNSET:
            store = emulator.store
            fresh = seeded_store(change.segments, len(store.profiles))
            store.segments, store.members = fresh.segments, fresh.members
        return await self._read_manners(request)

    async def _add_segment(self, request: Request) -> Response:
        asked = read_body(await request.body(), NewSegment)
        if len(self._emulator.store.segments) >= MAXIMUM_SEGMENTS:
            raise ControlRefused(
                f"The store has {MAXIMUM_SEGMENTS} segments already: delete one first."
            )
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        row = SegmentRow(str(uuid4()), asked.name, asked.description, now, now)
        try:
            self._emulator.store.insert(row)
        except ValueError:
            raise ControlRefused(
                f"The store has a segment named {row.name!r}: send another name."
            ) from None
        return _json(row, 201)

    async def _delete_segment(self, request: Request) -> Response:
        if self._emulator.store.delete([request.path_params["id"]]):
            return Response(status_code=204)
        return _json({"error": "The store has no segment with this id."}, 404)


class _Unknown:
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        text = f"There is no {scope['method']} {scope['path']}: GET {CONTROL_PATH} lists what is."
        await _json({"error": text}, 404)(scope, receive, send)


def _refusing(endpoint: Endpoint) -> Endpoint:
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except ControlRefused as refused:
            return _json({"error": str(refused)}, 422)

    return answer


def _json(body: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
