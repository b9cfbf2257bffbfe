"""The control routes, `/_emulator/…`: faults, behaviour, counts and segments while it runs.

JSON in and out, without a token. A body that is not valid gets 422 with one sentence, and changes
nothing.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from gateway.emulator.app import Emulator
from gateway.emulator.faults import Rule, Seconds
from gateway.emulator.members import Members
from gateway.emulator.operation_names import OperationName
from gateway.emulator.paging import MAXIMUM_LIMIT, OverLimit, PastTheEnd
from gateway.emulator.rate_limit_window import LONGEST_WINDOW_MILLISECONDS, WindowCount
from gateway.emulator.resources import Dialect, ProfileSegmentRows, TokenScope
from gateway.emulator.seed import seeded_members, seeded_store
from gateway.emulator.store import MAXIMUM_SEGMENTS

CONTROL_PATH = "/_emulator"
NO_SUCH_SEGMENT = {"error": "The store has no segment with this id."}
# The fields of a change that an emulator has under the same name, and with the same values.
SAME_IN_BOTH = (
    "token_scope",
    "dialect",
    "forbidden_operations",
    "profile_segment_rows",
    "max_batch",
    "max_limit",
    "over_limit",
    "past_the_end",
)

# No tuple: msgspec 0.22 reads the bounds of a number wrongly in a union with a tuple.
Pair = Annotated[list[Seconds], Meta(min_length=2, max_length=2)]
Body = TypeVar("Body", bound=Struct)
Endpoint = Callable[[Request], Awaitable[Response]]


class RequestCounts(Struct):
    """The requests since the start, or since the counts were reset."""

    total: int
    operations: dict[str, int]
    statuses: dict[str, int]
    unbounded_deletes: int
    windows: list[WindowCount]


class Rules(Struct, forbid_unknown_fields=True):
    """All rules for faults."""

    rules: Annotated[list[Rule], Meta(max_length=1000)]


class BehaviourChange(Struct, forbid_unknown_fields=True):
    """The changes to the emulator's behaviour; unset fields do not change."""

    token_scope: TokenScope | UnsetType | None = UNSET
    dialect: Dialect | UnsetType = UNSET
    forbidden_operations: frozenset[OperationName] | UnsetType = UNSET
    profile_segment_rows: ProfileSegmentRows | UnsetType = UNSET
    max_batch: Annotated[int, Meta(ge=1)] | UnsetType | None = UNSET
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


class ProfileIds(Struct, forbid_unknown_fields=True):
    """Shopper profiles that another app of the store adds to a segment or removes from it."""

    ids: list[str]


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
        ("POST", "/segments/{id}/shopper-profiles", control.add_members),
        ("DELETE", "/segments/{id}/shopper-profiles", control.remove_members),
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
            unbounded_deletes=emulator.unbounded_deletes,
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
        for name in SAME_IN_BOTH:
            if (value := getattr(change, name)) is not UNSET:
                setattr(emulator, name, value)
        if change.quota is not UNSET:
            emulator.window.quota = change.quota
        if change.window_ms is not UNSET:
            emulator.window.window_ms = change.window_ms
        if change.segments is not UNSET:
            store.segments = seeded_store(change.segments, 0).segments
            members = seeded_members(store.segments, store.profiles)
            store.members = Members(lambda: members)
        return Response(status_code=204)

    async def add_segment(self, request: Request) -> Response:
        new = await _read(request, NewSegment)
        if len(self._emulator.store.segments) >= MAXIMUM_SEGMENTS:
            raise _Refused(f"The store has {MAXIMUM_SEGMENTS} segments already: delete one first.")
        try:
            row = self._emulator.store.create_segment(new.name, new.description)
        except ValueError:
            raise _Refused(f"The store has a segment named {new.name!r}: choose another.") from None
        return _json(row, 201)

    async def delete_segment(self, request: Request) -> Response:
        if self._emulator.store.delete([request.path_params["id"]]):
            return Response(status_code=204)
        return _json(NO_SUCH_SEGMENT, 404)

    async def add_members(self, request: Request) -> Response:
        return await self._change_members(request, is_added=True)

    async def remove_members(self, request: Request) -> Response:
        return await self._change_members(request, is_added=False)

    async def _change_members(self, request: Request, *, is_added: bool) -> Response:
        store, ids = self._emulator.store, (await _read(request, ProfileIds)).ids
        segment_id = request.path_params["id"].lower()
        if store.find_segment(segment_id) is None:
            return _json(NO_SUCH_SEGMENT, 404)
        profiles = {row_id: store.profiles.find(row_id.lower()) for row_id in ids}
        unknown = [row_id for row_id, row in profiles.items() if row is None]
        if unknown:
            raise _Refused(f"The store has no shopper profile {unknown[0]!r}.")
        changed = [
            row
            for row in profiles.values()
            if row is not None and store.members.has(segment_id, row) is not is_added
        ]
        if is_added:
            for row in changed:
                store.members.add(segment_id, row)
        else:
            store.members.remove(segment_id, changed)
        return Response(status_code=204)


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
