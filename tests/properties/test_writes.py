"""Whatever the store does to writes, each item is reported as it is in the store, and sent once."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Literal

import httpx
import stamina
from hypothesis import example, given
from hypothesis import strategies as st
from in_process import EmulatedWire
from virtual_time import run_in_virtual_time

from gateway.app.composition import Services, create_services
from gateway.bigcommerce.models import Segment
from gateway.data_source.writes import IfNameTaken, NewSegment, SegmentChange
from gateway.emulator import Store, create_emulator, seeded_store
from gateway.errors import UpstreamError
from gateway.request_scope import open_request_scope
from gateway.settings import load_settings
from gateway.user_errors import UserError, UserErrorCode

# Customers 1 to 12 have a profile and 13 to 17 have none; there is no 18. Those with an even number
# are in the first segment.
SEGMENTS, PROFILES, CUSTOMERS = 4, 12, 17
TIMEOUT_SECONDS = 10.0
ABSENT = "00000000-0000-4000-8000-0000000000ff"


class Trouble(Enum):
    """What befalls a write on its way; the names say whether it is carried out."""

    NONE = auto()
    SLOWLY_DONE = auto()
    DONE_AND_LOST = auto()
    DONE_AND_500 = auto()
    DONE_AND_REDIRECTED = auto()
    DONE_AND_HTML = auto()
    DONE_WITHOUT_BODY = auto()
    DONE_WITHOUT_ROWS = auto()
    DONE_AFTER_A_RIVAL = auto()
    DONE_TOO_LATE = auto()
    RESET = auto()
    UNAVAILABLE = auto()
    UNCONNECTED = auto()
    RATE_LIMITED = auto()
    FORBIDDEN = auto()
    REFUSED = auto()
    CONFLICT = auto()
    TOO_LARGE = auto()


MAY_BE_DONE = {Trouble.RESET, Trouble.UNAVAILABLE}
STATUSES = {
    Trouble.UNAVAILABLE: 503,
    Trouble.RATE_LIMITED: 429,
    Trouble.FORBIDDEN: 403,
    Trouble.REFUSED: 422,
    Trouble.CONFLICT: 409,
    Trouble.TOO_LARGE: 413,
}
State = Mapping[str, object]
Items = tuple[Sequence[str], Sequence[object]]


class TroubledStore(EmulatedWire):
    """An emulated store with one trouble for each write, in turn.

    `done` counts how often each item was carried out, `sent` how often it may have been.
    """

    def __init__(
        self,
        dialect: Literal["2025", "2026"],
        troubles: Sequence[Trouble],
        at_once: int,
    ) -> None:
        self.store: Store = seeded_store(SEGMENTS, CUSTOMERS)
        self.store.delete_profiles(self.store.profiles[PROFILES:])
        first, members = self.store.segments[0].id, self.store.members
        members.forget_segment(first)
        for row in self.store.profiles:
            members.remove(first, [row] if members.has(first, row) else [])
            if row.customer_id % 2 == 0:
                members.add(first, row)
        super().__init__(
            create_emulator(
                self.store,
                store_hash="teststore",
                token="test-token",
                dialect=dialect,
                rate_limit_quota=10_000,
            )
        )
        self.done: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self._troubles = iter(troubles)
        environment = {
            "STORE_HASH": "teststore",
            "ACCESS_TOKEN": "test-token",
            "UPSTREAM_URL": "http://localhost",
            "REQUEST_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
            "WRITE_BATCH_SEGMENTS": str(at_once),
            "WRITE_BATCH_PROFILES": str(at_once),
        }
        settings = load_settings({f"GATEWAY_{name}": text for name, text in environment.items()})
        loop = asyncio.get_running_loop()
        self.services: Services = create_services(settings, self, lambda: 1e9 + loop.time())

    def state(self) -> State:
        """What writes can change, by the key of the item."""
        members = {
            f"{segment.id} {profile.id}": True
            for segment in self.store.segments
            for profile in self.store.members.of_segment(segment.id)
        }
        profiles = {f"profile {row.id}": row for row in self.store.profiles}
        customers = {f"customer {row.customer_id}": row for row in self.store.profiles}
        names = {f"name {row.name}": row.id for row in self.store.segments}
        segments = {f"segment {row.id}": row for row in self.store.segments}
        return {**members, **profiles, **customers, **names, **segments}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answers one request."""
        if request.method == "GET":
            return await super().handle_async_request(request)
        trouble = next(self._troubles, Trouble.NONE)
        keys = keys_in(request)
        if trouble in MAY_BE_DONE or trouble is Trouble.NONE or "DONE" in trouble.name:
            self.sent.update(keys)
        if trouble is Trouble.UNCONNECTED:
            raise httpx.ConnectError("refused", request=request)
        if trouble is Trouble.RESET:
            raise httpx.ReadError("reset", request=request)
        if (status := STATUSES.get(trouble)) is not None:
            return answer(status, b'{"title": "An unknown error occurred."}')
        if trouble is Trouble.SLOWLY_DONE:
            await asyncio.sleep(TIMEOUT_SECONDS / 3)
        if trouble is Trouble.DONE_AFTER_A_RIVAL:
            self._let_a_rival_go_first(request)
        before = self.state()
        response = await super().handle_async_request(request)
        body = await response.aread()
        after = self.state()
        done = [key for key in keys if before.get(key) != after.get(key)]
        self.done.update(done)
        if not response.is_success:
            self.sent.subtract(set(keys) - set(done))  # what was refused may be sent again
        if trouble is Trouble.DONE_TOO_LATE:
            await asyncio.sleep(TIMEOUT_SECONDS * 2)
        if not response.is_success:
            return answer(response.status_code, body)
        return self._spoilt(trouble, request, response.status_code, body)

    def _spoilt(
        self, trouble: Trouble, request: httpx.Request, status: int, body: bytes
    ) -> httpx.Response:
        match trouble:
            case Trouble.DONE_AND_LOST:
                raise httpx.ReadError("lost", request=request)
            case Trouble.DONE_AND_500:
                return answer(500, b"")
            case Trouble.DONE_AND_REDIRECTED:
                return answer(307, b"", {"location": str(request.url)})
            case Trouble.DONE_AND_HTML:
                return answer(200, b"<html>")
            case Trouble.DONE_WITHOUT_BODY:
                return answer(status, b"")
            case Trouble.DONE_WITHOUT_ROWS if body:
                meta = json.loads(body).get("meta", {})
                return answer(status, json.dumps({"meta": meta}).encode())
        return answer(status, body)

    def _let_a_rival_go_first(self, request: httpx.Request) -> None:
        """Another application does the first item of a creation just before."""
        (first, *_) = json.loads(request.content) if request.content else [None]
        if isinstance(first, dict) and request.method == "POST":
            names = {row.name for row in self.store.segments}
            if first.get("name", next(iter(names))) not in names:
                self.store.create_segment(first["name"], "the rival's")
            customer_id = first.get("customer_id", 1)
            if self.store.profiles.find(customer_id) is None:
                self.store.create_profile(customer_id)


def answer(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> httpx.Response:
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))


def keys_in(request: httpx.Request) -> list[str]:
    """The keys of the items of a write, as `TroubledStore.state` has them."""
    parts = request.url.path.split("/")
    ids = request.url.params.get("id:in", "").split(",") if request.method == "DELETE" else []
    assert request.method != "DELETE" or all(ids)
    items = json.loads(request.content) if request.content else ids
    if parts[-2] not in ("v3", "segments") and parts[-1] == "shopper-profiles":
        return [f"{parts[-2]} {one}" for one in items]
    if parts[-1] == "segments" and request.method == "POST":
        return [f"name {one['name']}" for one in items]
    if parts[-1] == "segments":
        return [f"segment {one if isinstance(one, str) else one['id']}" for one in items]
    if request.method == "POST":
        return [f"customer {one['customer_id']}" for one in items]
    return [f"profile {one}" for one in items]


async def carry_out(world: TroubledStore, what: str, items: Sequence[int]) -> Items:
    """Carries out a mutation; returns the key of each item, and what became of it."""
    store, writes = world.store, world.services.writes
    segment = store.segments[0]
    ids = [*(row.id for row in store.segments), ABSENT]
    segment_ids = list(dict.fromkeys(ids[n % len(ids)] for n in items))
    profile_ids = list(dict.fromkeys(store.profiles[n % PROFILES].id for n in items))
    match what:
        case "create" | "keep" | "update by name":
            names = [f"new {n}" if n > SEGMENTS else store.segments[n - 1].name for n in items]
            if_taken = {"keep": IfNameTaken.KEEP, "create": IfNameTaken.ERROR}
            created = await writes.create_segments(
                [NewSegment(f" {name} ", "the new one") for name in names],
                if_taken.get(what, IfNameTaken.UPDATE),
            )
            return [f"name {name}" for name in names], created
        case "update":
            taken = {ids[1]: segment.name}  # for a name that is taken
            changed = await writes.update_segments(
                [SegmentChange(one, taken.get(one, f"{one} anew")) for one in segment_ids]
            )
            return [f"segment {one}" for one in segment_ids], changed
        case "delete":
            return [f"segment {one}" for one in segment_ids], await writes.delete_segments(
                segment_ids
            )
        case "create profiles":
            profiles = await writes.create_shopper_profiles(items)
            return [f"customer {n}" for n in items], profiles
        case "delete profiles":
            return [f"profile {one}" for one in profile_ids], await writes.delete_shopper_profiles(
                profile_ids
            )
        case "add profiles" | "remove profiles":
            write = (
                writes.add_shopper_profiles if what[0] == "a" else writes.remove_shopper_profiles
            )
            members = await write(segment.id, profile_ids)
            return [f"{segment.id} {one}" for one in profile_ids], members
        case "add customers":
            customers = (await writes.add_customers(segment.id, items, True)).outcomes
        case _:
            customers = (await writes.remove_customers(segment.id, items)).outcomes
    rows = [store.profiles.find(n) for n in items]
    return [f"{segment.id} {None if row is None else row.id}" for row in rows], customers


REMOVES = {"delete", "delete profiles", "remove profiles", "remove customers"}
MUTATIONS = [
    *("create", "keep", "update by name", "update", "create profiles", "add profiles"),
    *("add customers", *sorted(REMOVES)),
]


# Refusals whose text or status alone could pass for "it was so already".
@example("remove customers", [1, 2], [Trouble.REFUSED], 1, "2025")
@example("add customers", [1], [Trouble.CONFLICT], 1, "2025")
@given(
    what=st.sampled_from(MUTATIONS),
    items=st.lists(st.integers(1, CUSTOMERS + 1), min_size=1, unique=True),
    troubles=st.lists(st.just(Trouble.NONE) | st.sampled_from(Trouble), max_size=12),
    at_once=st.integers(1, 6),
    dialect=st.sampled_from(["2025", "2026"]),
)
def test_each_item_is_reported_as_it_is_in_the_store_and_sent_once(
    what: str,
    items: list[int],
    troubles: list[Trouble],
    at_once: int,
    dialect: Literal["2025", "2026"],
) -> None:
    async def write() -> None:
        world = TroubledStore(dialect, troubles, at_once)
        keys: Sequence[str] = ()
        outcomes: Sequence[object] = ()
        with open_request_scope(TIMEOUT_SECONDS, "a client"):
            try:
                keys, outcomes = await carry_out(world, what, items)
            except UpstreamError:
                assert not +world.done
                assert not +world.sent
        await world.services.writes.running.finish(10 * TIMEOUT_SECONDS)
        state = world.state()
        assert all(times <= 1 for times in world.sent.values())
        if keys and what in REMOVES:
            assert set(world.sent) <= set(keys)  # nothing is deleted that was not named
        for key, outcome in zip(keys, outcomes, strict=True):
            if not isinstance(outcome, UserError):
                assert (key in state) is (what not in REMOVES)
                assert what != "update" or world.done[key] == 1
                if what == "update by name":
                    assert isinstance(outcome, Segment)
                    row = world.store.find_segment(outcome.id)
                    assert row is not None
                    assert row.description == "the new one"
            elif outcome.code is not UserErrorCode.OUTCOME_UNKNOWN:
                assert not world.done[key], outcome

    with stamina.set_testing(True, attempts=3):
        run_in_virtual_time(write())
