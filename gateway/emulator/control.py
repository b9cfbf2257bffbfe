"""The control routes, `/_emulator/…`: faults, behaviour, counts and segments while it runs.

JSON in and out, without a token. A body that is not valid gets 422 with one sentence, and changes
nothing.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar
from uuid import uuid4

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from gateway.emulator.app import Emulator
from gateway.emulator.faults import Rule, Seconds
from gateway.emulator.paging import MAXIMUM_LIMIT, OverLimit, PastTheEnd
from gateway.emulator.rate_limit_window import LONGEST_WINDOW_MILLISECONDS, WindowCount
from gateway.emulator.seed import MAXIMUM_SEGMENTS, seeded_store
from gateway.emulator.store import SegmentRow

CONTROL_PATH = "/_emulator"

# No tuple: msgspec 0.22 reads the bounds of a number wrongly in a union with a tuple.
Pair = Annotated[list[Seconds], Meta(min_length=2, max_length=2)]
Body = TypeVar("Body", bound=Struct)
Endpoint = Callable[[Request], Awaitable[Response]]


class RequestCounts(Struct):
    """The requests since the start, or since the counts were reset."""

    total: int
    operations: dict[str, int]
    statuses: dict[str, int]
    windows: list[WindowCount]


class Rules(Struct, forbid_unknown_fields=True):
    """All rules for faults."""

    rules: Annotated[list[Rule], Meta(max_length=1000)]


class BehaviourChange(Struct, forbid_unknown_fields=True):
    """The changes to the emulator's behaviour; unset fields do not change."""

    latency_seconds: Seconds | Pair | UnsetType = UNSET
    max_limit: Annotated[int, Meta(ge=1, le=MAXIMUM_LIMIT)] | UnsetType = UNSET
    over_limit: OverLimit | UnsetType = UNSET
    past_the_end: PastTheEnd | UnsetType = UNSET
    quota: Annotated[int, Meta(ge=0, le=1_000_000_000)] | UnsetType = UNSET
    window_ms: Annotated[int, Meta(ge=1, le=LONGEST_WINDOW_MILLISECONDS)] | UnsetType = UNSET
    segments: Annotated[int, Meta(ge=0, le=MAXIMUM_SEGMENTS)] | UnsetType = UNSET


class NewSegment(Struct, forbid_unknown_fields=True):
    """A segment, created as by another app of the store."""

    name: Annotated[str, Meta(min_length=1)]
    description: str | None = None


class _Refused(Exception):
    """A control request that is not valid; the message is for its sender."""


def control_routes(emulator: Emulator) -> Mount:
    """Returns the control routes of an emulator; their requests are not counted."""
    control = _Control(emulator)
    table: tuple[tuple[str, str, Endpoint], ...] = (
        ("GET", "/requests", control.read_requests),
        ("DELETE", "/requests", control.reset_requests),
        ("PUT", "/faults", control.replace_faults),
        ("PATCH", "/behaviour", control.change_behaviour),
        ("POST", "/segments", control.add_segment),
        ("DELETE", "/segments/{id}", control.delete_segment),
    )
    routes = [Route(path, _with_refusals(answer), methods=[m]) for m, path, answer in table]
    return Mount(CONTROL_PATH, routes=routes)


class _Control:
    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    async def read_requests(self, _request: Request) -> Response:
        emulator = self._emulator
        counts = RequestCounts(
            total=emulator.requests.total(),
            operations=dict(emulator.requests),
            statuses=dict(emulator.statuses),
            windows=list(emulator.window.history),
        )
        return _json(counts)

    async def reset_requests(self, _request: Request) -> Response:
        self._emulator.reset_requests()
        return Response(status_code=204)

    async def replace_faults(self, request: Request) -> Response:
        self._emulator.faults.rules = (await _read(request, Rules)).rules
        return Response(status_code=204)

    async def change_behaviour(self, request: Request) -> Response:
        change = await _read(request, BehaviourChange)
        emulator, store = self._emulator, self._emulator.store
        if isinstance(change.latency_seconds, list):
            low, high = change.latency_seconds
            emulator.latency_seconds = low, high
        elif change.latency_seconds is not UNSET:
            emulator.latency_seconds = change.latency_seconds
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
            fresh = seeded_store(change.segments, len(store.profiles))
            store.segments, store.members = fresh.segments, fresh.members
        return Response(status_code=204)

    async def add_segment(self, request: Request) -> Response:
        new = await _read(request, NewSegment)
        if len(self._emulator.store.segments) >= MAXIMUM_SEGMENTS:
            raise _Refused(f"The store has {MAXIMUM_SEGMENTS} segments already: delete one first.")
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        row = SegmentRow(str(uuid4()), new.name, new.description, now, now)
        try:
            self._emulator.store.insert(row)
        except ValueError:
            raise _Refused(f"The store has a segment named {row.name!r}: choose another.") from None
        return _json(row, 201)

    async def delete_segment(self, request: Request) -> Response:
        if self._emulator.store.delete([request.path_params["id"]]):
            return Response(status_code=204)
        return _json({"error": "The store has no segment with this id."}, 404)


def _with_refusals(endpoint: Endpoint) -> Endpoint:
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except _Refused as refused:
            return _json({"error": str(refused)}, 422)

    return answer


async def _read(request: Request, kind: type[Body]) -> Body:
    """Returns the body; raises `_Refused` if it is not valid JSON of this kind."""
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except msgspec.DecodeError as error:
        raise _Refused(f"{error}. See docs/emulator.md.") from None


def _json(body: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
