"""The mutations of segments through HTTP, over the emulated store in both of its dialects."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from in_process import InProcess, in_process

from gateway.emulator import Fault, seeded_store
from gateway.emulator.resources import Dialect
from gateway.schema.node import global_id

DIALECTS: tuple[Dialect, ...] = ("2025", "2026")
CREATE = """
mutation ($i: CreateSegmentsInput!) {
  createSegments(input: $i) {
    segments { id entityId name description createdAt }
    userErrors { field code message }
    query { segments(last: 3) { totalCount nodes { name } } }
  }
}
"""
UPDATE = """
mutation ($i: UpdateSegmentsInput!) {
  updateSegments(input: $i) {
    segments { entityId name description }
    userErrors { field code message }
    query { segments(first: 2) { nodes { name description } } }
  }
}
"""
DELETE = """
mutation ($i: DeleteSegmentsInput!) {
  deleteSegments(input: $i) {
    deletedSegmentIds
    userErrors { field code message }
    query { segments(first: 1) { totalCount nodes { entityId } } }
  }
}
"""
WARM = "{ segments(first: 1) { totalCount } }"


@pytest.fixture(params=DIALECTS)
def gateway(request: pytest.FixtureRequest) -> InProcess:
    """A gateway that has read the list of 12 segments, and whose requests are counted from 0."""
    gateway = in_process(seeded_store(12, 40))
    gateway.emulator.dialect = request.param
    return gateway


async def warm(gateway: InProcess) -> None:
    await gateway.data(WARM)
    gateway.emulator.reset_requests()


async def payload(gateway: InProcess, document: str, **i: object) -> Any:
    """The payload of the one mutation of an answer without errors."""
    (found,) = (await gateway.data(document, i=i)).values()
    return found


def problems(found: Any) -> list[tuple[str, ...]]:
    """The errors of a payload: code, then the path below `input`."""
    for error in found["userErrors"]:
        assert error["message"].endswith((".", "!"))
        assert error["field"][0] == "input"
    return [(error["code"], *error["field"][1:]) for error in found["userErrors"]]


def names(gateway: InProcess) -> list[str]:
    return [row.name for row in gateway.emulator.store.segments]


def ids(gateway: InProcess) -> list[str]:
    return [row.id for row in gateway.emulator.store.segments]


def requests(gateway: InProcess) -> dict[str, int]:
    return dict(gateway.emulator.requests)


# --- what works ----------------------------------------------------------------------------------


async def test_created_segments_are_read_in_the_same_answer(gateway: InProcess) -> None:
    await warm(gateway)
    found = await payload(
        gateway, CREATE, segments=[{"name": " Beta ", "description": "b"}, {"name": "Alpha"}]
    )
    assert problems(found) == []
    shown = [(one["name"], one["description"]) for one in found["segments"]]
    assert shown == [("Beta", "b"), ("Alpha", None)]
    for one in found["segments"]:
        assert one["id"] == global_id("Segment", one["entityId"])
        assert one["createdAt"]
    assert found["query"]["segments"]["totalCount"] == 14
    assert [one["name"] for one in found["query"]["segments"]["nodes"]][1:] == ["Beta", "Alpha"]
    assert names(gateway)[-2:] == ["Beta", "Alpha"]
    assert requests(gateway) == {"create_segments": 1, "list_segments": 1}


async def test_twenty_five_segments_are_three_requests(gateway: InProcess) -> None:
    await warm(gateway)
    new = [{"name": f"New {n:02}"} for n in range(25)]
    document = CREATE.replace("query { segments(last: 3) { totalCount nodes { name } } }", "")
    found = await payload(gateway, document, segments=new)
    assert [one["name"] for one in found["segments"]] == [one["name"] for one in new]
    assert requests(gateway) == {"create_segments": 3}


async def test_changed_segments_are_read_in_the_same_answer(gateway: InProcess) -> None:
    await warm(gateway)
    first, second = ids(gateway)[:2]
    found = await payload(
        gateway,
        UPDATE,
        segments=[
            {"entityId": second, "description": None},
            {"id": global_id("Segment", first), "name": "First", "description": "one"},
        ],
    )
    assert problems(found) == []
    assert [one["entityId"] for one in found["segments"]] == [second, first]
    assert [one["description"] for one in found["segments"]] == [None, "one"]
    assert found["query"]["segments"]["nodes"] == [
        {"name": "First", "description": "one"},
        {"name": names(gateway)[1], "description": None},
    ]
    assert requests(gateway) == {"update_segments": 1, "list_segments": 1}


async def test_deleted_segments_are_gone_in_the_same_answer(gateway: InProcess) -> None:
    await warm(gateway)
    first, second, third = ids(gateway)[:3]
    found = await payload(
        gateway, DELETE, ids=[global_id("Segment", second)], entityIds=[first.upper(), second]
    )
    assert problems(found) == []
    deleted = [global_id("Segment", second), global_id("Segment", first)]
    assert found["deletedSegmentIds"] == deleted
    assert found["query"]["segments"] == {"totalCount": 10, "nodes": [{"entityId": third}]}
    assert requests(gateway) == {"delete_segments": 1, "list_segments": 1}
    assert gateway.emulator.unbounded_deletes == 0


async def test_an_upsert_by_name_changes_what_is_there(gateway: InProcess) -> None:
    await warm(gateway)
    new = [{"name": names(gateway)[0], "description": "new"}, {"name": "Alpha"}]
    found = await payload(gateway, CREATE, segments=new, ifNameTaken="UPDATE")
    assert problems(found) == []
    assert [one["entityId"] for one in found["segments"]] == [ids(gateway)[0], ids(gateway)[-1]]
    assert [one["description"] for one in found["segments"]] == ["new", None]
    kept = await payload(gateway, CREATE, segments=new, ifNameTaken="KEEP")
    assert [one["entityId"] for one in kept["segments"]] == [ids(gateway)[0], ids(gateway)[-1]]
    assert len(names(gateway)) == 13


async def test_another_request_reads_the_write_at_once(gateway: InProcess) -> None:
    await warm(gateway)
    uuid = ids(gateway)[0]
    look_up = f'{{ segment(entityId: "{uuid}") {{ name }} }}'
    assert (await gateway.data(look_up))["segment"] == {"name": names(gateway)[0]}
    await payload(gateway, UPDATE, segments=[{"entityId": uuid, "name": "Other"}])
    gateway.emulator.reset_requests()
    assert (await gateway.data(look_up))["segment"] == {"name": "Other"}
    assert requests(gateway) == {}  # the store's own answer to the write is in the cache
    await payload(gateway, DELETE, entityIds=[uuid])
    assert (await gateway.data(look_up))["segment"] is None


async def test_mutations_of_one_request_are_carried_out_one_after_another(
    gateway: InProcess,
) -> None:
    await warm(gateway)
    document = """
    mutation ($new: CreateSegmentsInput!, $gone: DeleteSegmentsInput!) {
      createSegments(input: $new) { query { segmentsCount: segments { totalCount } } }
      deleteSegments(input: $gone) { query { segmentsCount: segments { totalCount } } }
    }
    """
    data = await gateway.data(
        document, new={"segments": [{"name": "Alpha"}]}, gone={"entityIds": ids(gateway)[:2]}
    )
    assert data == {
        "createSegments": {"query": {"segmentsCount": {"totalCount": 13}}},
        "deleteSegments": {"query": {"segmentsCount": {"totalCount": 11}}},
    }


# --- what does not -------------------------------------------------------------------------------


async def test_each_item_has_its_own_error_and_the_others_are_carried_out(
    gateway: InProcess,
) -> None:
    await warm(gateway)
    taken = names(gateway)[3]
    new = ["One", "", taken, "One", "  ", "Two"]
    found = await payload(gateway, CREATE, segments=[{"name": name} for name in new])
    assert [one["name"] for one in found["segments"]] == ["One", "Two"]
    assert problems(found) == [
        ("INVALID", "segments", "1", "name"),
        ("NAME_TAKEN", "segments", "2", "name"),
        ("NAME_TAKEN", "segments", "3", "name"),
        ("INVALID", "segments", "4", "name"),
    ]
    assert names(gateway)[-2:] == ["One", "Two"]


async def test_changes_and_deletes_of_what_is_not_there(gateway: InProcess) -> None:
    await warm(gateway)
    first, second, third = ids(gateway)[:3]
    absent = str(UUID(int=7, version=4))
    found = await payload(
        gateway,
        UPDATE,
        segments=[
            {"entityId": absent, "name": "A"},
            {"entityId": first, "name": "B"},
            {"id": global_id("Segment", second), "name": None},
            {"entityId": third},
            {"entityId": "?", "name": "C"},
            {"id": global_id("Segment", first), "name": "D"},
            {"entityId": third, "name": "B"},
        ],
    )
    assert [one["name"] for one in found["segments"]] == ["B"]
    assert problems(found)[:5] == [
        ("NOT_FOUND", "segments", "0", "entityId"),
        ("INVALID", "segments", "2", "name"),
        ("INVALID", "segments", "3"),
        ("INVALID", "segments", "4", "entityId"),
        ("INVALID", "segments", "5", "id"),
    ]
    found = await payload(gateway, DELETE, ids=["?"], entityIds=[absent, first])
    assert found["deletedSegmentIds"] == [global_id("Segment", first)]
    assert problems(found) == [("INVALID", "ids", "0"), ("NOT_FOUND", "entityIds", "0")]


async def test_a_full_store_takes_no_more() -> None:
    gateway = in_process(1000)
    found = await payload(gateway, CREATE, segments=[{"name": "Alpha"}])
    assert problems(found) == [("LIMIT_REACHED", "segments", "0")]
    assert found["segments"] == []


async def test_items_behind_a_failure_are_not_attempted(gateway: InProcess) -> None:
    await warm(gateway)
    gateway.emulator.faults.skip(1, operation="create_segments")
    gateway.emulator.faults.add(Fault.SERVER_ERROR, times=None, operation="create_segments")
    found = await payload(gateway, CREATE, segments=[{"name": f"N{n:02}"} for n in range(30)])
    codes = {code for code, *_ in problems(found)}
    assert codes <= {"REFUSED", "NOT_ATTEMPTED", "OUTCOME_UNKNOWN"}
    created = [one["name"] for one in found["segments"]]
    assert len(created) + len(found["userErrors"]) == 30
    assert created == names(gateway)[12:]
    assert len(created) == 10


async def test_what_the_quota_stops_says_when_to_send_it_again(gateway: InProcess) -> None:
    await warm(gateway)
    gateway.emulator.faults.skip(1, operation="create_segments")
    gateway.emulator.faults.add(Fault.RATE_LIMITED, operation="create_segments")
    document = CREATE.replace("query", "query @skip(if: true)")
    found = await payload(gateway, document, segments=[{"name": f"N{n:02}"} for n in range(20)])
    assert len(found["segments"]) == 10
    assert {(error["code"], error["message"]) for error in found["userErrors"]} == {
        (
            "NOT_ATTEMPTED",
            "It was not attempted: send it again. The reason: The store's API limits its rate. "
            "Try again in 30 seconds.",
        )
    }


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.RESET, Fault.LOST_ANSWER])
async def test_of_sixty_segments_the_payload_and_the_store_agree_item_by_item(
    gateway: InProcess, fault: Fault
) -> None:
    await warm(gateway)
    there = names(gateway)
    new = [f"New {n:02}" for n in range(60)]
    new[7], new[23], new[41], new[50] = there[0], there[1], "New 03", "  "
    gateway.emulator.faults.skip(2, operation="create_segments")
    gateway.emulator.faults.add(fault, operation="create_segments")
    found = await payload(gateway, CREATE, segments=[{"name": name} for name in new])
    codes = {int(index): code for code, _, index, *_ in problems(found)}
    assert {index: codes[index] for index in (41, 50)} == {41: "NAME_TAKEN", 50: "INVALID"}
    created = [one["name"] for one in found["segments"]]
    assert created == [name for index, name in enumerate(new) if index not in codes]
    in_store = names(gateway)[len(there) :]
    unknown = {new[index] for index, code in codes.items() if code == "OUTCOME_UNKNOWN"}
    assert len(set(in_store)) == len(in_store)  # no write was sent again after it was done
    assert set(created) <= set(in_store) <= set(created) | unknown
    rest = {code for index, code in codes.items() if index not in (7, 23, 41, 50)}
    assert rest <= {"REFUSED", "NOT_ATTEMPTED", "OUTCOME_UNKNOWN"}


async def test_an_answer_that_is_lost_leaves_the_outcome_unknown(gateway: InProcess) -> None:
    await warm(gateway)
    gateway.emulator.faults.add(Fault.LOST_ANSWER, operation="create_segments")
    found = await payload(gateway, CREATE, segments=[{"name": "Alpha"}])
    assert names(gateway).count("Alpha") == 1
    assert found["segments"] == []
    assert problems(found) == [("OUTCOME_UNKNOWN", "segments", "0")]
    assert gateway.emulator.requests["create_segments"] == 1


async def test_a_token_that_may_not_write_is_one_error_and_reads_go_on(
    gateway: InProcess,
) -> None:
    gateway.emulator.token_scope = "store_v2_customers_read_only"
    for document, i in (
        (CREATE, {"segments": [{"name": "Alpha"}]}),
        (UPDATE, {"segments": [{"entityId": ids(gateway)[0], "name": "Alpha"}]}),
        (DELETE, {"entityIds": [ids(gateway)[0]]}),
    ):
        answer = await gateway.ask(document, i=i)
        (error,) = answer["errors"]
        assert error["extensions"]["code"] == "UPSTREAM_FORBIDDEN"
        assert [*answer["data"].values()] == [None]
    assert (await gateway.data(WARM))["segments"] == {"totalCount": 12}
    assert len(names(gateway)) == 12


async def test_a_read_that_fails_after_the_write_leaves_the_payload(gateway: InProcess) -> None:
    await warm(gateway)
    gateway.emulator.faults.add(Fault.SERVER_ERROR, times=None, operation="list_segments")
    answer = await gateway.ask(CREATE, i={"segments": [{"name": "Alpha"}]})
    found = answer["data"]["createSegments"]
    assert [one["name"] for one in found["segments"]] == ["Alpha"]
    assert found["userErrors"] == []
    if answer.get("errors"):
        assert found["query"] == {"segments": None}
        assert answer["errors"][0]["path"] == ["createSegments", "query", "segments"]


# --- HTTP ----------------------------------------------------------------------------------------


async def test_a_mutation_is_executed_each_time_and_never_stored() -> None:
    gateway = in_process(seeded_store(3, 4))
    body = {"query": CREATE, "variables": {"i": {"segments": [{"name": "Alpha"}]}}}
    for turn in range(4):
        answer = await gateway.http.post("/graphql", json=body)
        assert answer.headers["Cache-Control"] == "no-store"
        found = answer.json()["data"]["createSegments"]
        assert problems(found) == ([] if turn == 0 else [("NAME_TAKEN", "segments", "0", "name")])
    counts = gateway.app.state.answers
    assert (counts.cached, counts.planned, counts.executed) == (0, 0, 4)
    assert gateway.emulator.requests["create_segments"] == 4


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_mutation_by_get_is_refused_and_nothing_is_sent(method: str) -> None:
    gateway = in_process(seeded_store(3, 4), ALLOW_GET_DOCUMENTS="true")
    document = 'mutation { createSegments(input: {segments: [{name: "A"}]}) { __typename } }'
    for _ in range(3):
        answer = await gateway.http.request(method, "/graphql", params={"query": document})
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert gateway.upstream_requests == 0


async def test_a_trusted_document_may_be_a_mutation(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"create": CREATE}))
    gateway = in_process(
        seeded_store(3, 4), TRUSTED_DOCUMENTS_FILE=str(manifest), TRUSTED_DOCUMENTS_ONLY="true"
    )
    variables = {"i": {"segments": [{"name": "Alpha"}]}}
    body = {"documentId": "create", "variables": variables}
    answer = await gateway.http.post("/graphql", json=body)
    assert problems(answer.json()["data"]["createSegments"]) == []
    assert names(gateway)[-1] == "Alpha"
    by_get = await gateway.http.get(
        "/graphql", params={"documentId": "create", "variables": json.dumps(variables)}
    )
    assert by_get.status_code == 405
    other = await gateway.http.post("/graphql", json={"query": DELETE, "variables": {"i": {}}})
    assert other.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert gateway.emulator.requests["create_segments"] == 1


async def test_the_time_of_the_request_runs_out_and_the_answer_still_says_what_was_done() -> None:
    gateway = in_process(seeded_store(3, 4), latency_seconds=0.15, REQUEST_TIMEOUT_SECONDS="0.4")
    new = [{"name": f"N{n:03}"} for n in range(250)]
    answer = await gateway.ask(
        CREATE.replace("query", "query @skip(if: true)"), i={"segments": new}
    )
    found = answer["data"]["createSegments"]
    codes = {code for code, *_ in problems(found)}
    assert codes <= {"NOT_ATTEMPTED", "OUTCOME_UNKNOWN"}
    assert len(found["segments"]) + len(found["userErrors"]) == 250
    assert {one["name"] for one in found["segments"]} <= set(names(gateway))
