"""Writes of segments, over the wire and in both dialects."""

from collections.abc import AsyncIterator

import msgspec
import pytest
from emulated import INVALID, Emulated, emulated, error, failed

from gateway.emulator import seeded_store
from gateway.emulator.segments import NAME_TAKEN, STORE_IS_FULL

NO_SUCH_ID = "00000000-0000-4000-8000-000000000000"
WRONG = [{"name": " "}, {"name": "New"}, {"description": "x"}, {"name": "x", "description": 1}, 7]
PROBLEMS = {
    "0.name": "name must be text.",
    "2.name": "name is required.",
    "3.description": "description must be text or null.",
    "4": "It must be an object.",
}


@pytest.fixture
async def old() -> AsyncIterator[Emulated]:
    """A store in the dialect of 2025."""
    async with emulated(seeded_store(2, 4), dialect="2025") as store:
        yield store


@pytest.fixture
async def new() -> AsyncIterator[Emulated]:
    """A store in the dialect of 2026."""
    async with emulated(seeded_store(2, 4)) as store:
        yield store


def names(of: Emulated) -> list[str]:
    return [row.name for row in of.store.segments]


async def test_created_segments_are_answered_in_the_order_of_the_batch(
    old: Emulated, new: Emulated
) -> None:
    batch = [{"name": "B", "description": "Text", "colour": "red"}, {"name": "A"}]
    status, body = await old.ask("POST", "segments", batch)
    rows = [msgspec.to_builtins(row) for row in old.store.segments[2:]]
    assert (status, body) == (201, {"data": rows, "meta": {}})
    assert [(row["name"], row["description"]) for row in rows] == [("B", "Text"), ("A", None)]
    status, body = await new.ask("POST", "segments", batch)
    rows = [msgspec.to_builtins(row) for row in new.store.segments[2:]]
    meta = {"total": 2, "success": 2, "failed": 0}
    assert (status, body) == (201, {"data": rows, "errors": [], "meta": meta})


async def test_items_that_are_not_valid_refuse_all_or_themselves(
    old: Emulated, new: Emulated
) -> None:
    assert await old.ask("POST", "segments", WRONG) == (400, error(400, INVALID, PROBLEMS))
    assert names(old) == ["VIP customers", "First-time buyers"]
    status, body = await new.ask("POST", "segments", WRONG)
    assert (status, body["errors"]) == (422, [error(422, INVALID, PROBLEMS)])
    assert body["data"] == [msgspec.to_builtins(new.store.segments[2])]
    assert body["meta"] == {"total": 5, "success": 1, "failed": 4}
    assert names(new) == ["VIP customers", "First-time buyers", "New"]


@pytest.mark.parametrize(
    ("method", "batch"),
    [
        ("POST", [{"name": "New"}, {"name": "VIP customers"}]),
        ("POST", [{"name": "New"}, {"name": "New"}]),
        ("PUT", [{"name": "New"}, {"name": "New"}]),
        ("PUT", [{"name": "First-time buyers"}, {"description": "Text"}]),
    ],
)
async def test_name_that_is_taken_refuses_all_and_is_not_named(
    old: Emulated, new: Emulated, method: str, batch: list[dict[str, str]]
) -> None:
    for of in (old, new):
        ids = [{"id": row.id} for row in of.store.segments] if method == "PUT" else [{}, {}]
        items = [item | with_id for item, with_id in zip(batch, ids, strict=True)]
        answer = await of.ask(method, "segments", items)
        assert answer == (409, failed(2, error(409, NAME_TAKEN)))
        assert names(of) == ["VIP customers", "First-time buyers"]


async def test_taken_name_comes_before_partial_success(new: Emulated) -> None:
    batch = [{"name": "New"}, {"name": "VIP customers"}, {"name": ""}]
    status, body = await new.ask("POST", "segments", batch)
    assert (status, body) == (409, failed(3, error(409, NAME_TAKEN)))
    assert names(new) == ["VIP customers", "First-time buyers"]


async def test_store_takes_1000_segments_and_no_more() -> None:
    for dialect, body in (
        ("2025", error(422, STORE_IS_FULL)),
        ("2026", failed(2, error(422, STORE_IS_FULL))),
    ):
        async with emulated(seeded_store(999, 0), dialect=dialect) as store:
            batch = [{"name": "A"}, {"name": "B"}]
            assert await store.ask("POST", "segments", batch) == (422, body)
            assert (await store.ask("POST", "segments", batch[1:]))[0] == 201
            assert len(store.store.segments) == 1000


async def test_update_changes_what_it_names_and_the_date(new: Emulated) -> None:
    first, second = new.store.segments
    batch = [
        {"id": second.id.upper(), "name": "New"},
        {"id": first.id, "description": None},
    ]
    status, body = await new.ask("PUT", "segments", batch)
    now_first, now_second = new.store.segments
    assert (status, body["data"]) == (
        201,
        [msgspec.to_builtins(r) for r in (now_second, now_first)],
    )
    assert (now_second.name, now_second.description) == ("New", second.description)
    assert (now_first.name, now_first.description) == (first.name, None)
    assert (now_first.id, now_first.created_at) == (first.id, first.created_at)
    assert now_second.updated_at > second.updated_at
    assert now_first.updated_at > now_second.updated_at


async def test_names_can_be_exchanged_in_one_batch(new: Emulated) -> None:
    first, second = new.store.segments
    batch = [{"id": first.id, "name": second.name}, {"id": second.id, "name": first.name}]
    assert (await new.ask("PUT", "segments", batch))[0] == 201
    assert names(new) == ["First-time buyers", "VIP customers"]


async def test_update_without_changes_has_a_new_date(old: Emulated) -> None:
    before = old.store.segments[0]
    assert (await old.ask("PUT", "segments", [{"id": before.id}]))[0] == 201
    after = old.store.segments[0]
    assert (after.name, after.description) == (before.name, before.description)
    assert after.updated_at > before.updated_at


async def test_update_needs_the_id_of_a_segment_and_each_once(old: Emulated, new: Emulated) -> None:
    sentence = "id must be that of a segment, and once."
    for of, status in ((old, 400), (new, 422)):
        row_id = of.store.segments[0].id
        batch = [{"id": row_id}, {"id": row_id}, {"id": NO_SUCH_ID}, {"name": "x"}, {"id": 5}]
        answer, body = await of.ask("PUT", "segments", batch)
        problem = error(status, INVALID, dict.fromkeys(("1.id", "2.id", "3.id", "4.id"), sentence))
        assert answer == status
        assert (body if status == 400 else body["errors"][0]) == problem
    assert body["meta"] == {"total": 5, "success": 1, "failed": 4}


async def test_deleted_segments_leave_their_profiles(old: Emulated, new: Emulated) -> None:
    success = {"data": [], "errors": [], "meta": {"total": 1, "success": 1, "failed": 0}}
    for of, answer in ((old, (204, None)), (new, (200, success))):
        first, second = (row.id for row in of.store.segments)
        assert await of.ask("DELETE", f"segments?id:in={first.upper()},{first}") == answer
        assert [row.id for row in of.store.segments] == [second]
        assert len(of.store.profiles) == 4
        profile = of.store.profiles[1]
        _, body = await of.ask("GET", f"shopper-profiles/{profile.id}/segments")
        assert [row["id"] for row in body["data"]] == [second]


async def test_deleting_an_unknown_id_has_no_effect_or_is_an_error(
    old: Emulated, new: Emulated
) -> None:
    for of in (old, new):
        query = f"?id:in={NO_SUCH_ID},{of.store.segments[0].id},no-uuid"
        status, body = await of.ask("DELETE", f"segments{query}")
        assert len(of.store.segments) == 1
        if of is old:
            assert (status, body) == (204, None)
    problems = {"0": "The id is not found.", "2": "The id is not found."}
    meta = {"total": 3, "success": 1, "failed": 2}
    assert (status, body["data"], body["meta"]) == (422, [], meta)
    assert body["errors"] == [error(422, INVALID, problems)]


async def test_deleting_without_ids_deletes_every_segment_and_is_counted(
    old: Emulated, new: Emulated
) -> None:
    everything = {"data": [], "errors": [], "meta": {"total": 2, "success": 2, "failed": 0}}
    assert await old.ask("DELETE", "segments") == (204, None)
    assert await new.ask("DELETE", "segments?id:in=,") == (200, everything)
    for of in (old, new):
        assert (of.store.segments, len(of.store.profiles)) == ([], 4)
        assert of.emulator.unbounded_deletes == 1
