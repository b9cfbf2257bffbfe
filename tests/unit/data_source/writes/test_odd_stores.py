"""Stores that answer writes in ways that are documented nowhere, and plausible all the same."""

import json
from collections import Counter
from collections.abc import Callable
from uuid import UUID

import httpx
import pytest

from gateway.app.composition import Services, create_services
from gateway.bigcommerce.models import Customer, Segment, ShopperProfile
from gateway.data_source.writes import IfNameTaken, NewSegment, SegmentChange
from gateway.data_source.writes.batches import MOST_DIVISIONS
from gateway.errors import UpstreamRefused
from gateway.settings import load_settings
from gateway.user_errors import UserError

Reply = tuple[int, object]
# That of the first segment, and of none.
ID, ABSENT = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-0000000000ff"


class OddStore(httpx.AsyncBaseTransport):
    """Segments by name; `answer_write` answers a write, with the names or ids in it."""

    def __init__(self, answer_write: Callable[["OddStore", str, list[str]], Reply]) -> None:
        self.names: list[str] = []
        self.customers: dict[int, str | None] = {}
        self.requests: Counter[str] = Counter()
        self.may_read = True
        self.created_at: str | None = None
        self._answer_write = answer_write
        environment = {
            "STORE_HASH": "teststore",
            "ACCESS_TOKEN": "test-token",
            "UPSTREAM_URL": "http://localhost",
        }
        settings = load_settings({f"GATEWAY_{name}": text for name, text in environment.items()})
        self.services: Services = create_services(settings, self)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answers one request."""
        self.requests[request.method] += 1
        if request.method == "GET":
            status, body = self._list(request) if self.may_read else (404, None)
        else:
            items = json.loads(request.content or b"[]")
            keys = [
                one if isinstance(one, str) else str(one.get("name") or one.get("customer_id"))
                for one in items
            ]
            keys += [one for one in request.url.params.get("id:in", "").split(",") if one]
            status, body = self._answer_write(self, request.method, keys)
        content = b"" if body is None else json.dumps(body).encode()
        return httpx.Response(status, stream=httpx.ByteStream(content))

    def rows(self) -> list[dict[str, object]]:
        """The segments, whose ids count from 1."""
        return [
            {"id": str(UUID(int=n, version=4)), "name": name, "created_at": self.created_at}
            for n, name in enumerate(self.names, 1)
        ]

    def _list(self, request: httpx.Request) -> Reply:
        rows: list[dict[str, object]] = self.rows()
        if request.url.path.endswith("/customers"):
            asked = map(int, request.url.params["id:in"].split(","))
            rows = [
                {"id": n, "shopper_profile_id": self.customers[n], "segment_ids": []}
                for n in asked
                if n in self.customers
            ]
        elif ids := request.url.params.get("id:in"):
            rows = [row for row in rows if str(row["id"]) in ids]
        paging = {"total": len(rows), "per_page": 250, "count": len(rows)}
        return 200, {"data": rows, "meta": {"pagination": paging}}


def codes(outcomes: "list[Segment | UserError] | list[ShopperProfile | UserError]") -> list[str]:
    return [
        one.code.value
        if isinstance(one, UserError)
        else str(one.name if isinstance(one, Segment) else one.customer_id)
        for one in outcomes
    ]


def new(*names: str) -> list[NewSegment]:
    return [NewSegment(name) for name in names]


def refuse_all_with(bad: str, reply: Reply) -> Callable[[OddStore, str, list[str]], Reply]:
    """A store that refuses each request with this item, and does not say why."""

    def answer(store: OddStore, _method: str, names: list[str]) -> Reply:
        if bad in names or bad == "*":
            return reply
        store.names += names
        return 201, {"data": store.rows()[-len(names) :], "meta": {}}

    return answer


async def test_the_item_that_a_refusal_does_not_name_is_found_by_halves() -> None:
    for status in (400, 409, 422):
        store = OddStore(refuse_all_with("d", (status, None)))
        outcomes = await store.services.writes.create_segments(new(*"abcdefghij"))
        assert codes(outcomes) == [
            *"abc",
            "NAME_TAKEN" if status == 409 else "REFUSED",
            *"efghij",
        ]
        assert sorted(store.names) == sorted("abcefghij")
        assert store.requests["POST"] <= 9


async def test_a_store_that_refuses_everything_is_not_asked_without_end() -> None:
    store = OddStore(refuse_all_with("*", (422, {"title": "No."})))
    outcomes = await store.services.writes.create_segments(new(*map(str, range(250))))
    assert codes(outcomes) == ["REFUSED"] * 250
    assert store.requests["POST"] <= 25 + 2 * MOST_DIVISIONS
    assert store.requests["GET"] <= 10


async def test_a_route_that_does_not_exist_says_nothing_of_the_items() -> None:
    route = {"status": 404, "title": "The route is not found, check the URL"}
    store = OddStore(refuse_all_with("*", (404, route)))
    writes = store.services.writes
    store.names, store.customers = ["a"], {7: None}
    row_id = str(store.rows()[0]["id"])
    assert codes(await writes.create_segments(new("b"))) == ["REFUSED"]
    assert codes(await writes.update_segments([SegmentChange(row_id, "b")])) == ["REFUSED"]
    assert codes(await writes.create_shopper_profiles([7, 8])) == ["REFUSED", "NOT_FOUND"]
    (deleted,) = await writes.delete_segments([row_id])
    assert isinstance(deleted, UserError)
    assert deleted.code == "REFUSED"


async def test_where_the_list_cannot_be_read_names_are_found_by_halves() -> None:
    taken = {"errors": [{"status": 409, "title": "Cannot have segments with the same name"}]}
    store = OddStore(refuse_all_with("b", (409, taken)))
    store.may_read = False
    outcomes = await store.services.writes.create_segments(new(*"abcd"))
    assert codes(outcomes) == ["a", "NAME_TAKEN", "c", "d"]


async def test_segments_whose_rows_the_answer_lacks_are_looked_up() -> None:
    def answer(store: OddStore, _method: str, names: list[str]) -> Reply:
        store.names += [name for name in names if name != "lost"]
        return 200, {"data": []}

    store = OddStore(answer)
    outcomes = await store.services.writes.create_segments(new("a", "lost", "c"))
    assert codes(outcomes) == ["a", "OUTCOME_UNKNOWN", "c"]  # the store may show it later
    assert store.requests == {"POST": 1, "GET": 1}
    store.may_read = False
    assert codes(await store.services.writes.create_segments(new("d"))) == ["OUTCOME_UNKNOWN"]


async def test_a_segment_that_was_there_before_is_not_taken_for_a_new_one() -> None:
    def answer(store: OddStore, _method: str, _names: list[str]) -> Reply:
        store.names.append("c")
        return 422, {"data": store.rows()[-1:], "errors": [{"title": "Some names are taken"}]}

    store = OddStore(answer)
    store.names, store.created_at = ["a", "b"], "2023-01-01T00:00:00Z"
    outcomes = await store.services.writes.create_segments(new("a", "b", "c"))
    assert codes(outcomes) == ["NAME_TAKEN", "NAME_TAKEN", "c"]


async def test_refused_items_are_explained_by_one_read() -> None:
    def answer(_store: OddStore, _method: str, keys: list[str]) -> Reply:
        return 422, {"errors": {f"{n}": "No." for n in range(len(keys))}}

    store = OddStore(answer)
    store.customers = dict.fromkeys(range(1, 11))
    store.names = ["3"]
    names = [NewSegment(f"{n}") for n in range(1, 11)]
    refused = ["REFUSED"] * 10
    assert codes(await store.services.writes.create_segments(names)) == [
        *refused[:2],
        "NAME_TAKEN",
        *refused[3:],
    ]
    assert store.requests == {"POST": 1, "GET": 1}
    store.requests.clear()
    assert codes(await store.services.writes.create_shopper_profiles([*range(1, 11)])) == refused
    assert store.requests == {"POST": 1, "GET": 1}


async def test_a_change_whose_row_the_answer_lacks_is_looked_up() -> None:
    def answer(store: OddStore, _method: str, _: list[str]) -> Reply:
        store.names[0] = "new"
        return 200, {"data": store.rows()[:1]}

    store = OddStore(answer)
    store.names = ["a", "b"]
    ids = [str(row["id"]) for row in store.rows()]
    changes = [SegmentChange(ids[0], "new"), SegmentChange(ABSENT, "c"), SegmentChange(ids[1], "d")]
    outcomes = await store.services.writes.update_segments(changes)
    assert codes(outcomes) == ["new", "NOT_FOUND", "REFUSED"]
    assert store.requests == {"PUT": 1, "GET": 1}


async def test_profiles_whose_rows_the_answer_lacks_are_looked_up() -> None:
    profile = "00000000-0000-4000-8000-00000000000a"

    def answer(store: OddStore, _method: str, customers: list[str]) -> Reply:
        if customers == ["7", "8"]:
            store.customers[7] = profile
        return 204, None

    store = OddStore(answer)
    store.customers = {7: None, 8: None}
    outcomes = await store.services.writes.create_shopper_profiles([7, 8])
    assert outcomes[0] == ShopperProfile(profile, 7)
    assert codes(outcomes) == ["7", "OUTCOME_UNKNOWN"]
    store.customers = {7: None, 8: None}
    store.names = ["a"]
    result = await store.services.writes.add_customers(str(store.rows()[0]["id"]), [7, 8], True)
    assert isinstance(result.outcomes[0], Customer)
    assert result.outcomes[0].shopper_profile_id == profile
    assert result.created_profiles == 1


async def test_another_write_in_between_leaves_the_row_to_be_read() -> None:
    def answer(store: OddStore, _method: str, names: list[str]) -> Reply:
        store.names += names
        return 201, {"data": store.rows()[-len(names) :]}

    store = OddStore(answer)
    services = store.services
    (alone,) = await services.writes.create_segments(new("a"))
    assert isinstance(alone, Segment)
    assert await services.segment_lookups.load([alone.id]) == [alone]
    assert store.requests["GET"] == 0
    now = services.cache.now() + 60
    await services.invalidations.announce(["segments"], now)
    (late,) = await services.writes.create_segments(new("b"))
    assert isinstance(late, Segment)
    await services.segment_lookups.load([late.id])
    assert store.requests["GET"] > 0


PROFILE = "00000000-0000-4000-8000-00000000000a"
OTHER = "00000000-0000-4000-8000-00000000000b"


def codes_or_ids(outcomes: "list[str | UserError]") -> list[str]:
    return [one.code.value if isinstance(one, UserError) else one for one in outcomes]


async def test_a_404_of_a_membership_is_about_the_segment_or_about_a_profile() -> None:
    def answer(_store: OddStore, _method: str, ids: list[str]) -> Reply:
        return (404, None) if OTHER in ids else (201, {"data": []})

    store = OddStore(answer)
    store.names = ["a"]
    segment_id = str(store.rows()[0]["id"])
    writes = store.services.writes
    outcomes = await writes.add_shopper_profiles(segment_id, [PROFILE, OTHER])
    assert codes_or_ids(outcomes) == [PROFILE, "NOT_FOUND"]
    outcomes = await writes.remove_shopper_profiles(ABSENT, [PROFILE, OTHER])
    assert codes_or_ids(outcomes) == ["NOT_FOUND", "NOT_FOUND"]
    store.may_read = False
    outcomes = await writes.remove_shopper_profiles(ID, [PROFILE, OTHER])
    assert codes_or_ids(outcomes) == [PROFILE, "REFUSED"]


async def test_a_deletion_of_some_without_saying_which_is_unknown() -> None:
    partial = {"data": [], "errors": [{"title": "Some failed"}], "meta": {"success": 1}}
    store = OddStore(lambda _store, _method, _ids: (422, partial))
    outcomes = await store.services.writes.delete_shopper_profiles([PROFILE, OTHER, ID])
    assert codes_or_ids(outcomes) == ["OUTCOME_UNKNOWN"] * 3


async def test_a_profile_that_another_application_has_made_is_used() -> None:
    def answer(store: OddStore, method: str, keys: list[str]) -> Reply:
        if keys == ["7"]:
            store.customers[7] = PROFILE
            return 422, {"errors": {"0.customer_id": "The customer has a shopper profile"}}
        return 201, {"data": []}

    store = OddStore(answer)
    store.names, store.customers = ["a"], {7: None}
    segment_id = str(store.rows()[0]["id"])
    result = await store.services.writes.add_customers(segment_id, [7], True)
    assert isinstance(result.outcomes[0], Customer)
    assert result.outcomes[0].shopper_profile_id == PROFILE
    assert result.outcomes[0].segment_ids == (segment_id,)
    assert result.created_profiles == 0


async def test_a_name_that_is_taken_in_between_is_kept_or_updated_all_the_same() -> None:
    def answer(store: OddStore, method: str, names: list[str]) -> Reply:
        if method == "POST" and not store.names:
            store.names = ["a"]
            return 409, {"errors": [{"title": "Cannot have segments with the same name"}]}
        return 201, {"data": [{**row, "description": "new"} for row in store.rows()]}

    for if_taken in (IfNameTaken.KEEP, IfNameTaken.UPDATE):
        store = OddStore(answer)
        outcomes = await store.services.writes.create_segments([NewSegment("a", "new")], if_taken)
        assert codes(outcomes) == ["a"]
        assert isinstance(outcomes[0], Segment)
        is_updated = if_taken is IfNameTaken.UPDATE
        assert outcomes[0].description == ("new" if is_updated else None)
        assert store.requests["PUT"] == is_updated


async def test_where_customers_cannot_be_read_nothing_is_written() -> None:
    store = OddStore(lambda _store, _method, _keys: (422, None))
    store.may_read = False
    writes = store.services.writes
    for change in (writes.add_customers(ID, [7], True), writes.remove_customers(ID, [7])):
        with pytest.raises(UpstreamRefused):
            await change
    assert store.requests["POST"] == store.requests["DELETE"] == 0
    assert codes(await writes.create_shopper_profiles([7, 8])) == ["REFUSED"] * 2


async def test_texts_that_cannot_be_sent_are_invalid() -> None:
    store = OddStore(refuse_all_with("*", (500, None)))
    outcomes = await store.services.writes.create_segments(
        [
            NewSegment("a", "x" * 10_001),
            NewSegment("\ud800"),
            NewSegment("b", "\udfff"),
            NewSegment("\t"),
        ]
    )
    assert codes(outcomes) == ["INVALID"] * 4
    assert [one.field for one in outcomes if isinstance(one, UserError)] == [
        "description",
        "name",
        "description",
        "name",
    ]
    assert store.requests.total() == 0


async def test_a_field_that_the_store_names_is_invalid() -> None:
    for field, code in (("description", "INVALID"), ("colour", "REFUSED")):
        body = {"errors": {f"0.{field}": "is too long"}}
        store = OddStore(refuse_all_with("*", (422, body)))
        (outcome,) = await store.services.writes.create_segments(new("a"))
        assert isinstance(outcome, UserError)
        assert (outcome.code, outcome.field) == (
            code,
            field if code == "INVALID" else None,
        )


async def test_a_limit_that_the_store_names_is_reached() -> None:
    for title, code in (
        ("Maximum number of segments reached", "LIMIT_REACHED"),
        ("The name of segments has a maximum length", "REFUSED"),
    ):
        store = OddStore(refuse_all_with("*", (422, {"title": title})))
        assert codes(await store.services.writes.create_segments(new("a"))) == [code]


async def test_a_change_is_explained_as_far_as_the_list_can_be_read() -> None:
    store = OddStore(lambda _store, _method, _names: (422, {"title": "No."}))
    store.names = ["a", "b"]
    ids = [str(row["id"]) for row in store.rows()]
    writes = store.services.writes
    changes = [SegmentChange(ids[0], "b"), SegmentChange(ids[1], description="new")]
    assert codes(await writes.update_segments(changes)) == ["NAME_TAKEN", "REFUSED"]
    store.may_read = False
    assert codes(await writes.update_segments(changes)) == ["REFUSED", "REFUSED"]


async def test_a_change_that_is_not_confirmed_is_unknown_where_nothing_can_be_read() -> None:
    store = OddStore(lambda _store, _method, _names: (204, None))
    store.names = ["a", "b"]
    ids = [str(row["id"]) for row in store.rows()]
    changes = [SegmentChange(ids[0], "b"), SegmentChange(ABSENT, "c")]
    writes = store.services.writes
    assert codes(await writes.update_segments(changes)) == ["NAME_TAKEN", "NOT_FOUND"]
    store.may_read = False
    assert codes(await writes.update_segments(changes)) == ["OUTCOME_UNKNOWN"] * 2
    store.customers = {7: None}
    assert codes(await writes.create_shopper_profiles([7])) == ["OUTCOME_UNKNOWN"]
