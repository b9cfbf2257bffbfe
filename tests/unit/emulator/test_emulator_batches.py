"""What all writes have in common: bodies, sizes, scopes, and faults."""

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Literal

import httpx
import pytest
from emulated import Emulated, emulated, error, failed

from gateway.emulator import Fault, Rule, seeded_store
from gateway.emulator.batches import UNREADABLE
from gateway.emulator.operation_names import OperationName

FORBIDDEN = "You don't have a required scope to access the endpoint"
WRITES: tuple[tuple[OperationName, str, str], ...] = (
    ("create_segments", "POST", "segments"),
    ("update_segments", "PUT", "segments"),
    ("delete_segments", "DELETE", "segments"),
    ("add_segment_shopper_profiles", "POST", "segments/{}/shopper-profiles"),
    ("remove_segment_shopper_profiles", "DELETE", "segments/{}/shopper-profiles"),
    ("create_shopper_profiles", "POST", "shopper-profiles"),
    ("delete_shopper_profiles", "DELETE", "shopper-profiles"),
)


@pytest.fixture
async def store() -> AsyncIterator[Emulated]:
    async with emulated(seeded_store(2, 20)) as store:
        yield store


def path_of(store: Emulated, path: str) -> str:
    return path.format(store.store.segments[0].id)


@pytest.mark.parametrize("body", [b"", b"[", b"{}", b"null", b"[]", b"\xff"])
@pytest.mark.parametrize(
    ("dialect", "status", "answer"),
    [("2025", 400, error(400, UNREADABLE)), ("2026", 422, failed(0, error(422, UNREADABLE)))],
)
async def test_body_without_items_is_refused(
    store: Emulated,
    body: bytes,
    dialect: Literal["2025", "2026"],
    status: int,
    answer: dict[str, object],
) -> None:
    store.emulator.dialect = dialect
    for _, method, path in WRITES:
        if method != "DELETE":
            got = await store.client.request(method, path_of(store, path), content=body)
            assert (got.status_code, got.json()) == (status, answer)


async def test_batch_above_the_largest_is_413(store: Emulated) -> None:
    store.emulator.max_batch = 2
    for _, method, path in WRITES:
        url, is_delete = path_of(store, path), method == "DELETE"
        answer = await (
            store.ask(method, f"{url}?id:in=1,2,3")
            if is_delete
            else store.ask(method, url, [{}, {}, {}])
        )
        assert answer == (413, error(413, "Payload Too Large"))
    assert (await store.ask("POST", "segments", [{"name": "A"}, {"name": "B"}]))[0] == 201


async def test_unknown_filter_of_a_write_is_refused_and_nothing_is_carried_out(
    store: Emulated,
) -> None:
    for _, method, path in WRITES:
        status, body = await store.ask(method, f"{path_of(store, path)}?ids=1", [{"name": "A"}])
        title = "The filter(s): ids are not valid filter parameter(s)."
        assert (status, body) == (422, error(422, title))
    assert store.store == seeded_store(2, 20)


async def test_writes_and_one_read_need_the_modify_scope(store: Emulated) -> None:
    store.emulator.token_scope = "store_v2_customers_read_only"
    for _, method, path in WRITES:
        assert await store.ask(method, path_of(store, path)) == (403, error(403, FORBIDDEN))
    segment, profile = store.store.segments[0].id, store.store.profiles[0].id
    reads = ("segments", "shopper-profiles", f"shopper-profiles/{profile}/segments", "customers")
    assert [(await store.ask("GET", path))[0] for path in reads] == [200] * 4
    assert (await store.ask("GET", f"segments/{segment}/shopper-profiles"))[0] == 403
    assert store.store == seeded_store(2, 20)


async def test_single_operations_can_be_forbidden(store: Emulated) -> None:
    store.emulator.forbidden_operations = frozenset({"create_segments", "list_customers"})
    assert await store.ask("POST", "segments", [{"name": "A"}]) == (403, error(403, FORBIDDEN))
    assert await store.ask("GET", "customers") == (403, error(403, FORBIDDEN))
    assert (await store.ask("GET", "segments"))[0] == 200


async def test_every_write_is_counted_by_its_name_and_unbounded_deletes_beside_them(
    store: Emulated,
) -> None:
    store.emulator.token_scope = None
    for _, method, path in WRITES:
        await store.ask(method, path_of(store, path))
    assert store.emulator.requests == {name: 1 for name, _, _ in WRITES}
    assert store.emulator.unbounded_deletes == 3
    store.emulator.reset_requests()
    assert store.emulator.unbounded_deletes == 0


@pytest.mark.parametrize(
    "rule",
    [
        Rule(Fault.SERVER_ERROR),
        Rule(Fault.STATUS, status=503),
        Rule(Fault.RATE_LIMITED),
        Rule(Fault.OVERLOADED),
        Rule(Fault.HTML),
        Rule(Fault.RESET),
    ],
    ids=lambda rule: str(rule.fault),
)
async def test_write_is_not_carried_out_with_a_fault_in_its_place(
    store: Emulated, rule: Rule
) -> None:
    store.emulator.faults.rules.append(rule)
    for _, method, path in WRITES:
        with suppress(ConnectionResetError, ValueError):  # no answer, or one of HTML
            await store.ask(method, path_of(store, path), [{"name": "A"}])
    assert store.store == seeded_store(2, 20)


@pytest.mark.parametrize("fault", [Fault.LOST_ANSWER, Fault.CUT])
async def test_write_is_carried_out_and_its_answer_is_lost(store: Emulated, fault: Fault) -> None:
    store.emulator.faults.add(fault)
    with pytest.raises(ConnectionResetError):
        await store.ask("POST", "segments", [{"name": "A"}])
    assert store.store.segments[2].name == "A"
    assert (await store.ask("POST", "segments", [{"name": "A"}]))[0] == 409
    if fault is Fault.LOST_ANSWER:
        assert store.emulator.statuses == {"none": 1, "409": 1}


@pytest.mark.parametrize(
    ("fault", "data"), [(Fault.NULL_DATA, None), (Fault.MISSING_ROW, []), (Fault.ZERO_PER_PAGE, 1)]
)
async def test_fault_of_the_body_is_in_the_answer_to_a_write(
    store: Emulated, fault: Fault, data: object
) -> None:
    store.emulator.faults.add(fault)
    status, body = await store.ask("POST", "segments", [{"name": "A"}])
    assert (status, len(body["data"]) if data == 1 else body["data"]) == (201, data)
    assert len(store.store.segments) == 3


async def test_truncated_answer_to_a_write_is_no_json(store: Emulated) -> None:
    store.emulator.faults.add(Fault.TRUNCATED)
    answer: httpx.Response = await store.send("POST", "segments", [{"name": "A"}])
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        answer.json()
    assert len(store.store.segments) == 3


async def test_third_create_fails(store: Emulated) -> None:
    store.emulator.faults.skip(2, "create_segments")
    store.emulator.faults.add(Fault.SERVER_ERROR, operation="create_segments")
    statuses = []
    for name in "ABCD":
        statuses.append((await store.ask("GET", "segments"))[0])
        statuses.append((await store.ask("POST", "segments", [{"name": name}]))[0])
    assert statuses == [200, 201, 200, 201, 200, 500, 200, 201]
    assert [row.name for row in store.store.segments[2:]] == ["A", "B", "D"]
