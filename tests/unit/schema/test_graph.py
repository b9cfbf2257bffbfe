"""The graph over the emulator: right answers, coded errors, and what each one costs upstream."""

from base64 import b64encode
from uuid import uuid4

import pytest
from graphql import GraphQLError, get_introspection_query, parse
from in_process import PAGE, Answer, InProcess, in_process

from gateway.emulator import Fault
from gateway.schema import Limits, build_graph
from gateway.schema.limits import check_limits

A_UUID = "0a40b305-ffdd-4436-8ba5-b293d5a8cf8e"
ANOTHER_UUID = "4ed339c1-38c4-43fa-bae3-256a290096b2"


def error_of(answer: Answer) -> tuple[str, str]:
    """Returns code and message of the only error."""
    (error,) = answer["errors"]
    return error["extensions"]["code"], error["message"]


def ids_of(gateway: InProcess) -> list[str]:
    return [row.id for row in gateway.emulator.store.segments]


def global_id(entity_id: str, type_name: str = "Segment") -> str:
    return b64encode(f"{type_name}:{entity_id}".encode()).decode()


def doubling(times: int, last: str, on: str = "SegmentConnection") -> str:
    """Returns a document whose fragments double `times` times."""
    fragments = [f"fragment F{n} on {on} {{ ...F{n + 1} ...F{n + 1} }}" for n in range(times)]
    return " ".join(
        ["{ segments { ...F0 } }", *fragments, f"fragment F{times} on {on} {{ {last} }}"]
    )


def aliases(number: int) -> str:
    return " ".join(f"a{n}: __typename" for n in range(number))


def nested(fields: int) -> str:
    """Returns a selection of this many fields below a first one."""
    return "{ a " * (fields + 1) + "}" * (fields + 1)


@pytest.mark.parametrize("total", [0, 1, 2, 249, 250, 251, 500, 1000])
async def test_lists_of_every_size_are_walked_whole_both_ways(total: int) -> None:
    gateway = in_process(total)
    assert await gateway.walk(100) == ids_of(gateway)
    assert await gateway.walk(100, backward=True) == ids_of(gateway)
    assert gateway.upstream_requests == max(1, -(-total // 250))


async def test_empty_store_has_an_empty_page() -> None:
    gateway = in_process(0)
    for arguments in ({}, {"first": 5}, {"last": 5}, {"first": 0}):
        assert await gateway.page(**arguments) == {
            "totalCount": 0,
            "pageInfo": {
                "hasNextPage": False,
                "hasPreviousPage": False,
                "startCursor": None,
                "endCursor": None,
            },
            "edges": [],
        }


async def test_first_zero_shows_nothing_but_tells_the_truth() -> None:
    page = await in_process(3).page(first=0)
    assert (page["edges"], page["totalCount"]) == ([], 3)
    assert page["pageInfo"]["hasNextPage"] is True
    assert page["pageInfo"]["hasPreviousPage"] is False


async def test_nodes_and_edges_show_the_same_rows_in_full() -> None:
    gateway = in_process(120)
    data = await gateway.data(
        "{ segments(first: 120) { nodes { ...F } edges { node { ...F } } } }"
        "fragment F on Segment { id entityId name description createdAt updatedAt }"
    )
    nodes = data["segments"]["nodes"]
    assert nodes == [edge["node"] for edge in data["segments"]["edges"]]
    row = gateway.emulator.store.segments[4]
    assert nodes[4] == {
        "id": global_id(row.id),
        "entityId": row.id,
        "name": row.name,
        "description": None,
        "createdAt": row.created_at[:19] + ".000Z",
        "updatedAt": row.updated_at[:19] + ".000Z",
    }


async def test_total_alone_costs_one_request_cold_and_none_warm() -> None:
    gateway = in_process(1000)
    for _ in range(3):
        assert await gateway.data("{ segments { totalCount } }") == {
            "segments": {"totalCount": 1000}
        }
    assert gateway.upstream_requests == 1


async def test_total_beside_a_page_costs_nothing_more() -> None:
    gateway = in_process(1000)
    cursor = (await gateway.page(last=1, before=None))["pageInfo"]["startCursor"]
    requests = gateway.upstream_requests
    await gateway.page(last=1, before=cursor)
    assert gateway.upstream_requests == requests == 2


@pytest.mark.parametrize(
    "query",
    [
        "{ __typename }",
        "{ __schema { queryType { name } } }",
        "{ segments { __typename } }",
        "{ segments { edges @include(if: false) { cursor } totalCount @skip(if: true) } }",
        "{ segments { ...F } } fragment F on SegmentConnection { nodes @skip(if: true) { id } }",
    ],
)
async def test_query_that_selects_nothing_of_the_list_costs_none(query: str) -> None:
    gateway = in_process(1000)
    await gateway.data(query)
    assert gateway.upstream_requests == 0


async def test_fields_behind_fragments_and_variables_are_found() -> None:
    gateway = in_process(3)
    data = await gateway.data(
        "query($yes: Boolean!) { segments { ... on SegmentConnection { ...F } } }"
        "fragment F on SegmentConnection { total: totalCount nodes @include(if: $yes) { name } }",
        yes=True,
    )
    assert (data["segments"]["total"], len(data["segments"]["nodes"])) == (3, 3)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ({"first": -1}, "BAD_USER_INPUT", "`first` is -1. Ask for 0 to 250 rows"),
        ({"last": -5}, "BAD_USER_INPUT", "`last` is -5."),
        ({"first": 251}, "BAD_USER_INPUT", "`first` is 251."),
        ({"first": 2, "last": 251}, "BAD_USER_INPUT", "`last` is 251."),
        ({"after": ""}, "BAD_CURSOR", "`after` is not a cursor."),
        ({"after": "garbage"}, "BAD_CURSOR", "`after` is not a cursor."),
        ({"before": "not base64!"}, "BAD_CURSOR", "`before` is not a cursor."),
        ({"after": "YXJyYXljb25uZWN0aW9uOi0x"}, "BAD_CURSOR", "`after` is not a cursor"),
        ({"first": "x"}, "BAD_USER_INPUT", "Variable '$first'"),
        ({"first": 2**40}, "BAD_USER_INPUT", "Variable '$first'"),
    ],
)
async def test_bad_arguments_are_one_coded_error_and_cost_nothing(
    arguments: dict[str, object], code: str, sentence: str
) -> None:
    gateway = in_process(10)
    found, message = error_of(await gateway.ask(PAGE, **arguments))
    assert found == code
    assert message.startswith(sentence)
    assert gateway.upstream_requests == 0


async def test_cursor_of_another_store_is_refused() -> None:
    cursor = (await in_process(10).page(first=1))["pageInfo"]["endCursor"]
    other = in_process(10)
    other.services.segments.name = "segments of another store"
    assert error_of(await other.ask(PAGE, after=cursor))[0] == "BAD_CURSOR"


async def test_cursor_past_the_end_of_a_list_that_shrank_goes_on_behind_what_is_left() -> None:
    gateway = in_process(20, CACHE_TTL_SECONDS="0")
    cursor = (await gateway.page(first=10))["pageInfo"]["endCursor"]
    gateway.emulator.store.delete(ids_of(gateway)[7:])
    page = await gateway.page(after=cursor)
    assert (page["edges"], page["totalCount"]) == ([], 7)
    assert page["pageInfo"]["hasNextPage"] is False
    assert page["pageInfo"]["hasPreviousPage"] is True


async def test_segment_is_found_by_either_id_and_case_does_not_matter() -> None:
    gateway = in_process(5)
    entity_id = ids_of(gateway)[2]
    query = "query($id: ID, $entityId: ID) { segment(id: $id, entityId: $entityId) { entityId } }"
    for arguments in (
        {"id": global_id(entity_id)},
        {"id": global_id(entity_id.upper())},
        {"entityId": entity_id},
        {"entityId": entity_id.upper()},
    ):
        assert await gateway.data(query, **arguments) == {"segment": {"entityId": entity_id}}
    assert gateway.upstream_requests == 1
    assert await gateway.data(query, entityId=str(uuid4())) == {"segment": None}


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "(id: null)",
        f'(id: "{global_id(A_UUID)}", entityId: "{A_UUID}")',
        '(entityId: "")',
        '(entityId: "no uuid")',
        f'(entityId: "{A_UUID},{ANOTHER_UUID}")',
        f'(entityId: "{{{A_UUID}}}")',
        '(id: "")',
        '(id: "no id")',
        f'(id: "{A_UUID}")',
        f'(id: "{global_id(A_UUID, "ShopperProfile")}")',
        f'(id: "{global_id("no uuid")}")',
    ],
)
async def test_bad_ids_are_one_coded_error_and_cost_nothing(arguments: str) -> None:
    gateway = in_process(5)
    answer = await gateway.ask(f"{{ segment{arguments} {{ id }} }}")
    assert error_of(answer)[0] == "BAD_USER_INPUT"
    assert answer["data"] == {"segment": None}
    assert gateway.upstream_requests == 0


async def test_plural_fields_keep_length_and_order_and_report_each_bad_id_at_its_index() -> None:
    gateway = in_process(5)
    one, two = ids_of(gateway)[:2]
    absent = str(uuid4())
    answer = await gateway.ask(
        "query($ids: [ID!]!) { segmentsByEntityId(entityIds: $ids) { entityId } }",
        ids=[two, "bad", absent, one, two.upper(), ""],
    )
    assert answer["data"]["segmentsByEntityId"] == [
        {"entityId": two},
        None,
        None,
        {"entityId": one},
        {"entityId": two},
        None,
    ]
    assert [error["path"] for error in answer["errors"]] == [
        ["segmentsByEntityId", 1],
        ["segmentsByEntityId", 5],
    ]
    assert gateway.upstream_requests == 1


async def test_node_and_nodes_find_segments_and_refuse_other_types_at_their_index() -> None:
    gateway = in_process(5)
    entity_id = ids_of(gateway)[0]
    answer = await gateway.ask(
        "query($id: ID!, $ids: [ID!]!) { node(id: $id) { __typename id }"
        " nodes(ids: $ids) { ... on Segment { entityId } } }",
        id=global_id(entity_id),
        ids=[global_id(entity_id), global_id(str(uuid4())), global_id(entity_id, "Customer")],
    )
    assert answer["data"] == {
        "node": {"__typename": "Segment", "id": global_id(entity_id)},
        "nodes": [{"entityId": entity_id}, None, None],
    }
    assert error_of(answer)[0] == "BAD_USER_INPUT"
    assert answer["errors"][0]["path"] == ["nodes", 2]


async def test_251_ids_are_refused_and_250_times_the_same_is_one_lookup() -> None:
    gateway = in_process(5)
    query = "query($ids: [ID!]!) { segmentsByEntityId(entityIds: $ids) { entityId } }"
    ids = [ids_of(gateway)[0]] * 250
    refused = await gateway.ask(query, ids=[*ids, ids[0]])
    assert error_of(refused) == (
        "BAD_USER_INPUT",
        "`entityIds` has 251 ids. Ask for at most 250 at once.",
    )
    assert gateway.upstream_requests == 0
    assert len((await gateway.data(query, ids=ids))["segmentsByEntityId"]) == 250
    assert gateway.upstream_requests == 1
    assert await gateway.data(query, ids=[]) == {"segmentsByEntityId": []}


async def test_request_that_asks_for_too_many_rows_in_all_is_refused() -> None:
    gateway = in_process(10)
    fields = " ".join(f"p{n}: segments(first: 250) {{ nodes {{ id }} }}" for n in range(11))
    code, message = error_of(await gateway.ask(f"{{ {fields} }}"))
    assert (code, "more than 2500 rows (GATEWAY_MAX_ROWS_PER_REQUEST)," in message) == (
        "BAD_USER_INPUT",
        True,
    )


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.HTML, "UPSTREAM_UNAVAILABLE"),
        (Fault.TRUNCATED, "UPSTREAM_UNAVAILABLE"),
        (Fault.NULL_DATA, "UPSTREAM_UNAVAILABLE"),
        (Fault.ZERO_PER_PAGE, "UPSTREAM_UNAVAILABLE"),
        (Fault.MISSING_ROW, "UPSTREAM_UNAVAILABLE"),
        (Fault.SERVER_ERROR, "UPSTREAM_UNAVAILABLE"),
        (Fault.RATE_LIMITED, "RATE_LIMITED"),
        (Fault.OVERLOADED, "RATE_LIMITED"),
    ],
)
async def test_upstream_fault_is_one_coded_error(fault: Fault, code: str) -> None:
    seconds = 1_800_000_000.0
    gateway = in_process(300, clock=lambda: seconds)
    gateway.emulator.faults.add(fault)
    answer = await gateway.ask(PAGE)
    assert error_of(answer)[0] == code
    assert answer["data"] == {"segments": None}
    seconds += 31  # the window has been reset
    assert (await gateway.page())["totalCount"] == 300


async def test_refused_token_is_told_without_the_token() -> None:
    gateway = in_process(300)
    gateway.emulator.token = "another"
    code, message = error_of(await gateway.ask(PAGE))
    assert code == "UPSTREAM_FORBIDDEN"
    assert "test-token" not in message
    assert "teststore" not in message


async def test_slow_upstream_is_a_timeout() -> None:
    gateway = in_process(300, latency_seconds=60, REQUEST_TIMEOUT_SECONDS="0.05")
    assert error_of(await gateway.ask(PAGE)) == (
        "UPSTREAM_TIMEOUT",
        "The store's API did not answer in time.",
    )


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{ " + "a: __typename " * 5000 + "}", "more than 1000 tokens (GATEWAY_MAX_QUERY_TOKENS)."),
        ("{ " + aliases(101) + " }", "more than 100 aliases (GATEWAY_MAX_QUERY_ALIASES)."),
        (
            "{ ...F ...F } fragment F on Query { " + aliases(51) + " }",
            "more than 100 aliases (GATEWAY_MAX_QUERY_ALIASES).",
        ),
        ("{ ... { " + aliases(101) + " } }", "more than 100 aliases (GATEWAY_MAX_QUERY_ALIASES)."),
        (
            "{ __schema { types { " + aliases(101) + " } } }",
            "more than 100 aliases (GATEWAY_MAX_QUERY_ALIASES).",
        ),
        ("{ " + "segments { totalCount } " * 101 + "}", "more than 100 fields of one name"),
        (
            "{ __typename } fragment F on Query { " + "__typename " * 101 + "}",
            "more than 100 fields of one name",
        ),
        (
            doubling(12, "__typename").replace("...F0", "totalCount"),
            "fragments written out (GATEWAY_MAX_QUERY_TOKENS).",
        ),
        (
            "{ " + ("... on Query { " + "segments { totalCount } " * 26 + "} ") * 4 + "}",
            "more than 100 fields of one name",
        ),
        (
            "".join(f"query Q{n} {{ __typename }} " for n in range(21)),
            "more than 20 operations",
        ),
        (nested(15), "15 levels of nested fields (GATEWAY_MAX_QUERY_DEPTH)."),
        (
            "query A { ...F } fragment F on Query " + nested(15),
            "15 levels of nested fields (GATEWAY_MAX_QUERY_DEPTH).",
        ),
    ],
)
async def test_document_beyond_a_limit_is_refused(document: str, words: str) -> None:
    code, message = error_of(await in_process(1).ask(document))
    assert code.startswith("GRAPHQL_")
    assert words in message


@pytest.mark.parametrize(
    "document",
    [
        "{ " + aliases(100) + " }",
        "{ ...F ...F } fragment F on Query { " + aliases(50) + " }",
        "{ segments { nodes { " + "... { " * 20 + "id" + " }" * 20 + " } } }",
        "{ __schema { types " + "{ ofType " * 7 + "{ name }" + " }" * 7 + " } }",
        get_introspection_query(),
    ],
)
async def test_document_within_the_limits_is_answered(document: str) -> None:
    await in_process(1).data(document)


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ('{ __type(name: "_Service") { name } } # _service', None),
        ('{ __type(name: "_Service") { name } _service { sdl } }', "_Service"),
    ],
)
async def test_introspection_is_of_the_view_whose_fields_are_selected(
    document: str, name: str | None
) -> None:
    found = (await in_process(1).data(document))["__type"]
    assert (found and found["name"]) == name


def test_depth_is_of_fields_whatever_fragments_hold_them() -> None:
    # The schema of today has nothing deeper than four fields.
    with pytest.raises(GraphQLError, match="levels"):
        check_limits(parse(nested(15)), Limits(depth=15))
    check_limits(parse(nested(14)), Limits(depth=15))
    check_limits(parse("{ ...F } fragment F on Query { ... { a { b } } }"), Limits(depth=2))


async def test_operations_count_together() -> None:
    operations = " ".join(f"query Q{n} {{ ...F0 }}" for n in range(20))
    document = operations + doubling(6, "__typename", on="Query").removeprefix(
        "{ segments { ...F0 } }"
    )
    assert "more than 1000 fields" in error_of(await in_process(1).ask(document))[1]


async def test_of_many_mistakes_some_are_told_and_each_briefly() -> None:
    unused = " ".join(f"$a{n}: Int" for n in range(200))
    answer = await in_process(1).ask(f"query {'x' * 50_000}({unused}) {{ __typename }}")
    assert len(answer["errors"]) == 21  # the last one tells that there were more
    assert max(len(error["message"]) for error in answer["errors"]) == 500


@pytest.mark.parametrize(
    "document",
    ["{ ...Missing }", "{ segments { ...F } } fragment F on SegmentConnection { ...Missing }"],
)
async def test_fragment_that_is_not_there_is_the_clients_mistake(document: str) -> None:
    code, message = error_of(await in_process(1).ask(document))
    assert (code, message) == ("GRAPHQL_VALIDATION_FAILED", "Unknown fragment 'Missing'.")


async def test_one_of_several_operations_has_to_be_named() -> None:
    gateway = in_process(1)
    document = "query A { __typename } query B { segments { totalCount } }"
    for text in (document, document, "#\n" + document + " { nope }"):
        code, message = error_of(await gateway.ask(text))
        assert (code, "name one in `operationName`" in message) == ("BAD_REQUEST", True)
    assert gateway.upstream_requests == 0


def test_every_element_of_the_schema_is_described() -> None:
    schema = build_graph().api._schema  # the only way to graphql-core's types
    undescribed = []
    for name, kind in schema.type_map.items():
        members = getattr(kind, "fields", None) or getattr(kind, "values", {})
        if name.startswith("__") or not members:
            continue
        if not kind.description:
            undescribed.append(name)
        for field_name, field in members.items():
            if not field.description:
                undescribed.append(f"{name}.{field_name}")
            for argument_name, argument in getattr(field, "args", {}).items():
                if not argument.description:
                    undescribed.append(f"{name}.{field_name}({argument_name})")
    assert undescribed == []


@pytest.mark.parametrize("last", ["totalCount", "nope"])
async def test_fragments_that_double_at_every_step_are_refused_unwalked(last: str) -> None:
    code, message = error_of(await in_process(1).ask(doubling(60, last)))
    assert code == "GRAPHQL_VALIDATION_FAILED"
    assert "more than 1000 fields" in message


async def test_fragments_that_double_a_little_are_answered() -> None:
    data = await in_process(1).data(doubling(6, "totalCount"))
    assert data == {"segments": {"totalCount": 1}}


async def test_fragment_cycle_is_refused() -> None:
    answer = await in_process(1).ask(
        "{ segments { ...A } } fragment A on SegmentConnection { ...B }"
        " fragment B on SegmentConnection { ...A }"
    )
    assert answer["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_every_alias_of_the_rows_is_charged() -> None:
    many = " ".join(f"e{n}: edges {{ cursor }}" for n in range(11))
    answer = await in_process(1).ask(f"{{ segments(first: 250) {{ {many} }} }}")
    assert "more than 2500 rows (GATEWAY_MAX_ROWS_PER_REQUEST)," in error_of(answer)[1]


@pytest.mark.parametrize(("nodes", "is_allowed"), [(10, True), (11, False)])
async def test_every_alias_of_a_node_is_charged(nodes: int, is_allowed: bool) -> None:
    many = " ".join(f"edges {{ n{n}: node {{ id }} }}" for n in range(nodes))
    answer = await in_process(1).ask(f"{{ segments(first: 250) {{ {many} }} }}")
    assert ("errors" not in answer) is is_allowed


async def test_made_up_ids_of_one_request_cost_at_most_five_requests() -> None:
    gateway = in_process(10)
    fields = " ".join(f"n{n}: segmentsByEntityId(entityIds: $i{n}) {{ id }}" for n in range(4))
    ids = {f"i{n}": [str(uuid4()) for _ in range(250)] for n in range(4)}
    variables = " ".join(f"${name}: [ID!]!" for name in ids)
    answer = await gateway.ask(f"query({variables}) {{ {fields} }}", **ids)
    assert "more than 2500 rows (GATEWAY_MAX_ROWS_PER_REQUEST)," in answer["errors"][0]["message"]
    assert gateway.upstream_requests <= 5


async def test_row_that_lacks_all_but_its_id_is_shown() -> None:
    gateway = in_process(2)
    rows = gateway.emulator.store.segments
    rows[0] = type(rows[0])(rows[0].id, "", None, "", "in spring")
    answer = await gateway.ask("{ segments { nodes { entityId name createdAt updatedAt } } }")
    assert "errors" not in answer
    first, second = answer["data"]["segments"]["nodes"]
    assert first == {"entityId": rows[0].id, "name": "", "createdAt": None, "updatedAt": None}
    assert second["name"] == rows[1].name
