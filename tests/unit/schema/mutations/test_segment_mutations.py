"""The mutations of segments: what of an input goes to the engine, and what is answered."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest
from recorded_writes import RecordedWrites, mutate, uuid_of

from gateway.data_source.writes import UNCHANGED, IfNameTaken, NewSegment, SegmentChange
from gateway.errors import CircuitOpen, RateLimited, UpstreamError, UpstreamForbidden
from gateway.identity import ALL_SCOPES, AccessScope
from gateway.schema import WriteLimits
from gateway.user_errors import UserError, UserErrorCode

A, B, C = uuid_of(1), uuid_of(2), uuid_of(3)
ERRORS = "userErrors { field code }"
CREATE = (
    "mutation($i: CreateSegmentsInput!) { createSegments(input: $i)"
    f" {{ segments {{ name description }} {ERRORS} }} }}"
)
UPDATE = (
    "mutation($i: UpdateSegmentsInput!) { updateSegments(input: $i)"
    f" {{ segments {{ entityId }} {ERRORS} }} }}"
)
DELETE = (
    "mutation($i: DeleteSegmentsInput!) { deleteSegments(input: $i)"
    f" {{ deletedSegmentIds {ERRORS} }} }}"
)


def global_id_of(uuid: str) -> str:
    return b64encode(f"Segment:{uuid}".encode()).decode()


async def payload(writes: RecordedWrites, document: str, i: object) -> Any:
    """The payload of an answer without errors."""
    data, errors = await mutate(writes, document, i=i)
    assert errors == []
    (found,) = data.values()
    return found


async def refusal(document: str, i: object, limits: WriteLimits | None = None) -> tuple[str, str]:
    """The code and the message of the one error; the engine was not called."""
    writes = RecordedWrites()
    data, (error,) = await mutate(writes, document, i=i, limits=limits or WriteLimits())
    assert writes.calls == []
    assert data is None or [*data.values()] == [None]
    return error["extensions"]["code"], error["message"]


def error(code: str, *path: str) -> dict[str, object]:
    return {"field": ["input", *path], "code": code}


# --- create --------------------------------------------------------------------------------------


async def test_what_is_created_is_in_the_order_of_the_input() -> None:
    writes = RecordedWrites()
    found = await payload(
        writes, CREATE, {"segments": [{"name": "b", "description": "second"}, {"name": " a "}]}
    )
    assert found["segments"] == [
        {"name": "b", "description": "second"},
        {"name": " a ", "description": None},
    ]
    assert found["userErrors"] == []
    assert writes.calls == [
        (
            "create_segments",
            [NewSegment("b", "second"), NewSegment(" a ", None)],
            IfNameTaken.ERROR,
        )
    ]


@pytest.mark.parametrize("choice", ["ERROR", "KEEP", "UPDATE"])
async def test_the_engine_gets_the_choice_for_names_that_are_taken(choice: str) -> None:
    writes = RecordedWrites()
    await payload(writes, CREATE, {"segments": [{"name": "a"}], "ifNameTaken": choice})
    assert writes.calls == [("create_segments", [NewSegment("a", None)], IfNameTaken[choice])]


async def test_an_item_that_fails_leaves_the_others_alone() -> None:
    writes = RecordedWrites(errors={"taken": UserError(UserErrorCode.NAME_TAKEN, "m", "name")})
    names = ["a", "taken", "b"]
    found = await payload(writes, CREATE, {"segments": [{"name": name} for name in names]})
    assert [one["name"] for one in found["segments"]] == ["a", "b"]
    assert found["userErrors"] == [error("NAME_TAKEN", "segments", "1", "name")]


async def test_an_error_of_a_segment_that_was_found_by_its_name_is_about_the_name() -> None:
    writes = RecordedWrites({"a": UserError(UserErrorCode.NOT_FOUND, "It is gone.", "id")})
    found = await payload(writes, CREATE, {"segments": [{"name": "a"}], "ifNameTaken": "UPDATE"})
    assert found["userErrors"] == [error("NOT_FOUND", "segments", "0", "name")]


async def test_an_error_without_a_field_has_the_path_of_its_item() -> None:
    writes = RecordedWrites(errors={"a": UserError(UserErrorCode.OUTCOME_UNKNOWN, "m")})
    found = await payload(writes, CREATE, {"segments": [{"name": "a"}]})
    assert found["userErrors"] == [error("OUTCOME_UNKNOWN", "segments", "0")]


@pytest.mark.parametrize("code", UserErrorCode)
async def test_each_code_of_the_engine_is_answered(code: UserErrorCode) -> None:
    writes = RecordedWrites(errors={"a": UserError(code, "What to do.")})
    found = await payload(writes, CREATE, {"segments": [{"name": "a"}]})
    assert found["userErrors"] == [error(code.value, "segments", "0")]


# --- update --------------------------------------------------------------------------------------


async def test_a_change_has_what_was_given_alone() -> None:
    writes = RecordedWrites()
    changes = [
        {"id": global_id_of(A), "name": "new"},
        {"entityId": B.upper(), "description": "text"},
        {"id": None, "entityId": C, "name": "n", "description": None},
    ]
    found = await payload(writes, UPDATE, {"segments": changes})
    assert [one["entityId"] for one in found["segments"]] == [A, B, C]
    assert writes.calls == [
        (
            "update_segments",
            [
                SegmentChange(A, "new", UNCHANGED),
                SegmentChange(B, UNCHANGED, "text"),
                SegmentChange(C, "n", None),
            ],
        )
    ]


@pytest.mark.parametrize(
    ("change", "field"), [({"id": global_id_of(A)}, "id"), ({"entityId": A}, "entityId")]
)
async def test_an_error_of_the_id_has_the_path_to_the_one_that_was_given(
    change: dict[str, object], field: str
) -> None:
    writes = RecordedWrites(errors={A: UserError(UserErrorCode.NOT_FOUND, "m", "id")})
    found = await payload(writes, UPDATE, {"segments": [{**change, "name": "n"}]})
    assert found["userErrors"] == [error("NOT_FOUND", "segments", "0", field)]


async def test_without_a_valid_item_nothing_is_sent() -> None:
    writes = RecordedWrites()
    found = await payload(writes, UPDATE, {"segments": [{"entityId": "?", "name": "n"}]})
    assert found == {
        "segments": [],
        "userErrors": [error("INVALID", "segments", "0", "entityId")],
    }
    assert writes.calls == []


INVALID_CHANGES: list[tuple[dict[str, object], tuple[str, ...]]] = [
    ({"name": "n"}, ()),
    ({"id": None, "entityId": None, "name": "n"}, ()),
    ({"id": global_id_of(A), "entityId": A, "name": "n"}, ()),
    ({"id": "", "entityId": A, "name": "n"}, ()),
    ({"id": A, "name": "n"}, ("id",)),
    ({"entityId": global_id_of(A), "name": "n"}, ("entityId",)),
    ({"entityId": f"{A},{B}", "name": "n"}, ("entityId",)),
    ({"entityId": "", "name": "n"}, ("entityId",)),
]


@pytest.mark.parametrize(("change", "field"), INVALID_CHANGES)
async def test_a_change_that_is_invalid_is_reported_where(
    change: dict[str, object], field: tuple[str, ...]
) -> None:
    writes = RecordedWrites()
    found = await payload(writes, UPDATE, {"segments": [{"entityId": B, "name": "n"}, change]})
    assert found == {
        "segments": [{"entityId": B}],
        "userErrors": [error("INVALID", "segments", "1", *field)],
    }


# --- delete --------------------------------------------------------------------------------------


async def test_both_ids_may_be_mixed_and_a_repeated_one_is_deleted_once() -> None:
    writes = RecordedWrites(errors={C: UserError(UserErrorCode.NOT_FOUND, "m")})
    found = await payload(
        writes,
        DELETE,
        {"ids": [global_id_of(B), "?", global_id_of(B)], "entityIds": [A, B, C, "?"]},
    )
    assert found == {
        "deletedSegmentIds": [global_id_of(B), global_id_of(A)],
        "userErrors": [
            error("INVALID", "ids", "1"),
            error("NOT_FOUND", "entityIds", "2"),
            error("INVALID", "entityIds", "3"),
        ],
    }
    assert writes.calls == [("delete_segments", [B, A, C])]


@pytest.mark.parametrize(
    "nothing",
    [
        {},
        {"ids": []},
        {"ids": None},
        {"ids": [], "entityIds": []},
        {"ids": None, "entityIds": None},
    ],
)
async def test_a_delete_without_ids_is_refused(nothing: dict[str, object]) -> None:
    code, message = await refusal(DELETE, nothing)
    assert code == "BAD_USER_INPUT"
    assert message == "The input names no segments. Nothing was sent: pass at least one."


async def test_deletes_are_refused_where_they_are_switched_off() -> None:
    off = WriteLimits(deletes=False)
    code, message = await refusal(DELETE, {"entityIds": [A]}, off)
    assert code == "FORBIDDEN"
    assert "GATEWAY_ALLOW_DELETES" in message
    data, errors = await mutate(
        RecordedWrites(), CREATE, i={"segments": [{"name": "a"}]}, limits=off
    )
    assert (errors, data["createSegments"]["userErrors"]) == ([], [])


# --- the whole input -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "of"),
    [
        (CREATE, lambda n: {"segments": [{"name": f"n{at}"} for at in range(n)]}),
        (UPDATE, lambda n: {"segments": [{"entityId": A, "name": "n"}] * n}),
        (DELETE, lambda n: {"ids": ["?"] * (n // 2), "entityIds": [A] * (n - n // 2)}),
    ],
)
async def test_an_input_has_a_maximum_that_names_its_setting(document: str, of: Any) -> None:
    await payload(RecordedWrites(), document, of(250))
    code, message = await refusal(document, of(251))
    assert code == "BAD_USER_INPUT"
    assert "more than 250 segments (GATEWAY_MAX_SEGMENTS_PER_MUTATION)" in message
    _, message = await refusal(document, of(4), WriteLimits(segments=3))
    assert "more than 3 segments" in message


async def test_all_mutations_of_a_request_share_one_maximum() -> None:
    fields = " ".join(f"a{n}: deleteSegments(input: $i) {{ {ERRORS} }}" for n in range(60))
    writes = RecordedWrites()
    ids = [uuid_of(n) for n in range(100)]
    document = f"mutation($i: DeleteSegmentsInput!) {{ {fields} }}"
    data, errors = await mutate(writes, document, i={"entityIds": ids})
    assert [one is not None for one in data.values()] == [True] * 2 + [False] * 58
    assert {one["extensions"]["code"] for one in errors} == {"BAD_USER_INPUT"}
    assert writes.calls == [("delete_segments", ids)] * 2


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (UpstreamForbidden, "UPSTREAM_FORBIDDEN"),
        (RateLimited, "RATE_LIMITED"),
        (CircuitOpen, "UPSTREAM_UNAVAILABLE"),
    ],
)
async def test_where_nothing_was_carried_out_the_field_is_null_with_its_code(
    failure: Callable[[], UpstreamError], code: str
) -> None:
    writes = RecordedWrites(failure=failure())
    data, (shown,) = await mutate(writes, DELETE, i={"entityIds": [A]})
    assert data == {"deleteSegments": None}
    assert (shown["extensions"]["code"], shown["path"]) == (code, ["deleteSegments"])


# --- scopes --------------------------------------------------------------------------------------

WRITE_ONLY = frozenset({AccessScope.SEGMENTS_WRITE})


@pytest.mark.parametrize(
    ("document", "i"),
    [
        (CREATE, {"segments": [{"name": "a"}]}),
        (UPDATE, {"segments": [{"entityId": A, "name": "n"}]}),
        (DELETE, {"entityIds": [A]}),
    ],
)
async def test_without_the_scope_nothing_is_written(document: str, i: object) -> None:
    writes = RecordedWrites()
    scopes = ALL_SCOPES - WRITE_ONLY
    data, (shown,) = await mutate(writes, document, i=i, scopes=scopes)
    assert ([*data.values()], writes.calls) == ([None], [])
    assert shown["extensions"]["code"] == "FORBIDDEN"
    assert "`segments:write`" in shown["message"]


async def test_a_list_that_the_client_may_not_read_is_refused_before_the_write() -> None:
    writes = RecordedWrites()
    i = {"segments": [{"name": "a"}]}
    data, (shown,) = await mutate(writes, CREATE, i=i, scopes=WRITE_ONLY)
    assert (data, writes.calls) == ({"createSegments": None}, [])
    assert "`segments:read`" in shown["message"]
    without = (
        "mutation($i: CreateSegmentsInput!, $no: Boolean = false) { createSegments(input: $i)"
        " { userErrors { code } segments @include(if: $no) { id } } }"
    )
    data, errors = await mutate(writes, without, i=i, scopes=WRITE_ONLY)
    assert (data, errors) == ({"createSegments": {"userErrors": []}}, [])
    assert len(writes.calls) == 1


async def test_query_keeps_the_scopes_of_its_fields() -> None:
    document = (
        "mutation($i: DeleteSegmentsInput!) { deleteSegments(input: $i)"
        " { deletedSegmentIds query { __typename segments { totalCount } } } }"
    )
    writes = RecordedWrites()
    data, (shown,) = await mutate(writes, document, i={"entityIds": [A]}, scopes=WRITE_ONLY)
    assert data["deleteSegments"] == {
        "deletedSegmentIds": [global_id_of(A)],
        "query": {"__typename": "Query", "segments": None},
    }
    assert shown["path"] == ["deleteSegments", "query", "segments"]


# --- the query root ------------------------------------------------------------------------------


async def test_query_is_the_root_in_the_same_answer() -> None:
    document = (
        "mutation($i: DeleteSegmentsInput!) { deleteSegments(input: $i)"
        " { query { __typename segments(first: 1) { totalCount nodes { name } } } } }"
    )
    found = await payload(RecordedWrites(), document, {"entityIds": [A]})
    assert found["query"] == {
        "__typename": "Query",
        "segments": {"totalCount": 3, "nodes": [{"name": "VIP customers"}]},
    }


async def test_in_the_subgraph_query_is_the_root_with_the_routers_fields() -> None:
    document = (
        "mutation($i: DeleteSegmentsInput!) { deleteSegments(input: $i)"
        " { query { __typename _service { sdl }"
        ' _entities(representations: [{__typename: "Segment"}]) { __typename } } } }'
    )
    data, errors = await mutate(RecordedWrites(), document, i={"entityIds": [A]})
    assert (
        data["deleteSegments"]["query"]["_service"]["sdl"].count("type CreateSegmentsPayload") == 1
    )
    assert data["deleteSegments"]["query"]["_entities"] == [None]
    assert [one["extensions"]["code"] for one in errors] == ["BAD_USER_INPUT"]
