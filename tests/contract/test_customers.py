"""Customers, their segments and shopper profiles through the whole gateway, over the emulator.

Customer n of the seeded store is in the k-th segment if k divides n; all customers of 1 to the
number of profiles have one.
"""

import asyncio
from base64 import b64encode
from typing import Any

import msgspec
import pytest
from clock import Clock
from in_process import Answer, InProcess, in_process

from gateway.emulator import Fault

HUNDRED = [*range(1, 101)]
WITH_SEGMENTS = """
query ($ids: [Int!]!) {
  customersByEntityId(entityIds: $ids) {
    entityId email segments { totalCount nodes { entityId name } }
  }
}
"""
WITHOUT_SEGMENTS = "query ($ids: [Int!]!) { customersByEntityId(entityIds: $ids) { email } }"
MEMBERS = """
query ($segment: ID!, $first: Int, $after: String, $last: Int, $before: String) {
  segment(entityId: $segment) {
    shopperProfiles(first: $first, after: $after, last: $last, before: $before) {
      totalCount
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      nodes { customer { entityId email firstName lastName } }
    }
  }
}
"""
SEGMENTS_OF = """
query ($id: Int!, $first: Int, $after: String, $last: Int, $before: String) {
  customer(entityId: $id) {
    segments(first: $first, after: $after, last: $last, before: $before) {
      totalCount
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      edges { cursor node { entityId } }
    }
  }
}
"""


def requests_of(gateway: InProcess) -> dict[str, int]:
    return dict(gateway.emulator.requests)


def segment_ids(gateway: InProcess, customer: int) -> list[str]:
    """Returns the ids of a customer's segments, as the graph sorts them."""
    return sorted(
        row.id
        for number, row in enumerate(gateway.emulator.store.segments, 1)
        if customer % number == 0
    )


def codes_of(answer: Answer) -> list[tuple[list[object], str]]:
    return [(error["path"], error["extensions"]["code"]) for error in answer.get("errors", [])]


async def test_hundred_customers_and_their_segments_cost_two_requests_cold_and_none_warm() -> None:
    gateway = in_process(120)
    for _ in range(2):
        found = (await gateway.data(WITH_SEGMENTS, ids=HUNDRED))["customersByEntityId"]
        for customer in found:
            ids = segment_ids(gateway, customer["entityId"])
            segments = customer["segments"]
            assert [node["entityId"] for node in segments["nodes"]] == ids
            assert segments["totalCount"] == len(ids)
        assert [customer["entityId"] for customer in found] == HUNDRED
        assert requests_of(gateway) == {"list_customers": 1, "list_segments": 1}


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        (1000, 2),  # two requests by id, where the list takes four
        (250, 1),  # the list
    ],
)
async def test_two_hundred_segments_of_customers_cost_the_ids_or_the_list(
    segments: int, expected: int
) -> None:
    gateway = in_process(segments, CACHE_TTL_SECONDS="0")
    await gateway.data("{ segments(first: 1) { totalCount } }")  # now the length is known
    gateway.emulator.requests.clear()
    customers = [*range(101, 201)]
    found = await gateway.data(WITH_SEGMENTS, ids=customers)
    shown = {
        node["entityId"]
        for customer in found["customersByEntityId"]
        for node in customer["segments"]["nodes"]
    }
    assert len(shown) == 200
    assert requests_of(gateway) == {"list_customers": 1, "list_segments": expected}


@pytest.mark.parametrize(
    ("count", "cursor", "edge", "more"),
    [
        ("first", "after", "endCursor", "hasNextPage"),
        ("last", "before", "startCursor", "hasPreviousPage"),
    ],
)
async def test_walk_of_members_with_names_costs_a_block_and_a_request_for_each_hundred(
    count: str, cursor: str, edge: str, more: str
) -> None:
    gateway = in_process(120, profiles=150)
    segment = gateway.emulator.store.segments[0].id
    shown: list[Any] = []
    requests = []
    info = {more: True, edge: None}
    while info[more]:
        data = await gateway.data(MEMBERS, segment=segment, **{count: 40, cursor: info[edge]})
        page = data["segment"]["shopperProfiles"]
        info = page["pageInfo"]
        numbers = [node["customer"]["entityId"] for node in page["nodes"]]
        shown += numbers if count == "first" else numbers[::-1]
        assert page["totalCount"] == 150
        requests.append(gateway.emulator.requests["list_customers"])
    assert shown == [*range(1, 151)][:: 1 if count == "first" else -1]
    assert requests == [1, 1, 2, 2]
    assert requests_of(gateway) == {
        "list_segments": 1,
        "list_segment_shopper_profiles": 1,
        "list_customers": 2,
    }


async def test_page_of_members_asks_for_the_customers_of_the_next_rows_once() -> None:
    gateway = in_process(120, profiles=300)
    segment = gateway.emulator.store.segments[0].id
    names = "query ($s: ID!) { segment(entityId: $s) { shopperProfiles(%s) { nodes { %s } } } }"
    await gateway.data(names % ("first: 120", "entityId"), s=segment)
    assert gateway.emulator.requests["list_customers"] == 0
    await gateway.data(names % ("first: 30", "customer { email }"), s=segment)
    await gateway.data(WITHOUT_SEGMENTS, ids=HUNDRED)
    assert gateway.emulator.requests["list_customers"] == 1
    # A page of more than a hundred asks for no others.
    await gateway.data(names % ("first: 220", "customer { email }"), s=segment)
    assert gateway.emulator.requests["list_customers"] == 3
    await gateway.data("{ customer(entityId: 221) { email } }")
    assert gateway.emulator.requests["list_customers"] == 4


async def test_only_the_window_of_a_customer_s_segments_is_read() -> None:
    gateway = in_process(1000)
    ids = segment_ids(gateway, 360)
    assert len(ids) == 24
    for count, cursor, edge, more in (
        ("first", "after", "endCursor", "hasNextPage"),
        ("last", "before", "startCursor", "hasPreviousPage"),
    ):
        shown: list[str] = []
        info = {more: True, edge: None}
        while info[more]:
            data = await gateway.data(SEGMENTS_OF, id=360, **{count: 10, cursor: info[edge]})
            page = data["customer"]["segments"]
            info = page["pageInfo"]
            rows = [edge["node"]["entityId"] for edge in page["edges"]]
            shown = [*shown, *rows] if count == "first" else [*rows, *shown]
            assert info["startCursor"] == page["edges"][0]["cursor"]
            assert info["endCursor"] == page["edges"][-1]["cursor"]
        assert shown == ids
    assert [len(query.split(b"%2C")) for _, path, query in gateway.sent if "segments" in path] == [
        10,
        10,
        4,
    ]


async def test_number_of_a_customer_s_segments_costs_no_segment() -> None:
    gateway = in_process(120)
    query = "{ customer(entityId: 12) { segments { totalCount } } }"
    assert await gateway.data(query) == {"customer": {"segments": {"totalCount": 6}}}
    assert requests_of(gateway) == {"list_customers": 1}


async def test_segment_that_is_gone_is_left_out_and_one_that_fails_is_an_error() -> None:
    gateway = in_process(120)
    await gateway.data("{ customer(entityId: 12) { email } }")
    ids = segment_ids(gateway, 12)
    gateway.emulator.store.delete([ids[0]])
    gateway.refused_text = ids[-1]
    query = "{ customer(entityId: 12) { segments { totalCount nodes { entityId } } } }"
    answer = await gateway.ask(query)
    segments = answer["data"]["customer"]["segments"]
    assert segments["totalCount"] == 6
    assert segments["nodes"] == [*({"entityId": row_id} for row_id in ids[1:-1]), None]
    assert codes_of(answer) == [(["customer", "segments", "nodes", 4], "UPSTREAM_UNAVAILABLE")]


async def test_customer_without_a_profile_has_no_segments_and_no_profile() -> None:
    gateway = in_process(120)
    query = (
        "{ customer(entityId: 401) { shopperProfile { entityId } "
        "segments { totalCount pageInfo { hasNextPage endCursor } nodes { id } } } }"
    )
    empty = {
        "totalCount": 0,
        "pageInfo": {"hasNextPage": False, "endCursor": None},
        "nodes": [],
    }
    assert await gateway.data(query) == {"customer": {"shopperProfile": None, "segments": empty}}
    gateway.ignored_text = b"%2Csegment_ids"
    assert (await gateway.data(query.replace("401", "402")))["customer"]["segments"] == empty
    assert requests_of(gateway) == {"list_customers": 2}


@pytest.mark.parametrize(("rows", "by_id"), [("segments", 0), ("ids", 1)])
async def test_where_customers_have_no_segment_ids_the_list_of_their_profile_is_read(
    rows: Any, by_id: int
) -> None:
    gateway = in_process(120)
    gateway.ignored_text = b"%2Csegment_ids"
    gateway.emulator.profile_segment_rows = rows
    data = await gateway.data(SEGMENTS_OF, id=12, first=4)
    # In the order of that list, which is the store's.
    expected = [row.id for n, row in enumerate(gateway.emulator.store.segments, 1) if 12 % n == 0]
    page = data["customer"]["segments"]
    assert [edge["node"]["entityId"] for edge in page["edges"]] == expected[:4]
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (6, True)
    cursor = page["pageInfo"]["endCursor"]
    rest = (await gateway.data(SEGMENTS_OF, id=12, first=4, after=cursor))["customer"]["segments"]
    assert [edge["node"]["entityId"] for edge in rest["edges"]] == expected[4:]
    wanted = {"list_customers": 1, "list_shopper_profile_segments": 1, "list_segments": 2 * by_id}
    assert requests_of(gateway) == {name: number for name, number in wanted.items() if number}


@pytest.mark.parametrize("ttl", ["15", "0"])
async def test_profile_of_a_customer_leads_back_to_it_for_nothing(ttl: str) -> None:
    gateway = in_process(120, CACHE_TTL_SECONDS=ttl)
    query = (
        "{ customer(entityId: 7) { email shopperProfile { entityId createdAt updatedAt "
        "customer { entityId email } } } }"
    )
    found = (await gateway.data(query))["customer"]
    row = gateway.emulator.store.profiles[6]
    assert found["shopperProfile"] == {
        "entityId": row.id,
        "createdAt": None,
        "updatedAt": None,
        "customer": {"entityId": 7, "email": found["email"]},
    }
    assert requests_of(gateway) == {"list_customers": 1}


@pytest.mark.parametrize("email", ["miles.o'brien@example.com", "a+b&c=d%2C#e@example.com"])
async def test_an_email_may_have_an_apostrophe_and_other_signs(email: str) -> None:
    gateway = in_process(3)
    customers = gateway.emulator.store.customers
    customers.add(msgspec.structs.replace(customers[0], id=9000, email=email))
    query = "query ($e: String!) { customer(email: $e) { entityId email } }"
    found = {"customer": {"entityId": 9000, "email": email}}
    assert await gateway.data(query, e=email) == found
    assert await gateway.data(query, e=email.upper()) == found
    assert gateway.upstream_requests == 1


async def test_customers_are_found_by_either_id_and_by_email_in_any_case() -> None:
    gateway = in_process(120)
    row = gateway.emulator.store.customers[6]
    id_ = b64encode(b"Customer:7").decode()
    customer = {
        "id": id_,
        "entityId": 7,
        "email": row.email,
        "firstName": row.first_name,
        "lastName": row.last_name,
    }
    fields = "{ id entityId email firstName lastName }"
    assert await gateway.data(f'{{ customer(email: "{row.email.upper()}") {fields} }}') == {
        "customer": customer
    }
    for query in (
        f'{{ found: customer(id: "{id_}") {fields} }}',
        f"{{ found: customer(entityId: 7) {fields} }}",
        f'{{ found: node(id: "{id_}") {{ ... on Customer {fields} }} }}',
    ):
        assert await gateway.data(query) == {"found": customer}
    # What was read by e-mail is a row by id, too.
    assert requests_of(gateway) == {"list_customers": 1}
    emails = [one.email for one in gateway.emulator.store.customers[:100]]
    asked = [*emails, "absent@example.com", emails[3].title()]
    found = await gateway.data(
        "query ($e: [String!]!) { customersByEmail(emails: $e) { entityId } }", e=asked
    )
    numbers = [one and one["entityId"] for one in found["customersByEmail"]]
    assert numbers == [*HUNDRED, None, 4]
    assert requests_of(gateway) == {"list_customers": 2}


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "entityId: null",
        'entityId: 7, email: "a@example.com"',
        "entityId: 0",
        "entityId: -7",
        'id: "U2VnbWVudDo3"',
        'id: "Q3VzdG9tZXI6MDc="',  # Customer:07
        'email: ""',
        'email: "@example.com"',
        'email: "ana@"',
        'email: "ana@shop@example.com"',
        'email: "ana@example.com,eva@example.com"',
        'email: "ana maria@example.com"',
        'email: "ana\\u00a0maria@example.com"',
        'email: "ana\\u0000@example.com"',
        'email: "\\"ana\\"@example.com"',
        'email: "ana:in@example.com"',
        f'email: "{"a" * 243}@example.com"',
        f'email: "{"é" * 122}@example.com"',  # 256 bytes
    ],
)
async def test_what_names_no_customer_is_refused_and_costs_nothing(arguments: str) -> None:
    gateway = in_process(120)
    asked = f"({arguments})" if arguments else ""
    answer = await gateway.ask(f"{{ customer{asked} {{ id }} }}")
    assert answer["data"] == {"customer": None}
    assert codes_of(answer) == [(["customer"], "BAD_USER_INPUT")]
    assert requests_of(gateway) == {}


async def test_bad_values_of_lists_are_errors_in_their_places() -> None:
    gateway = in_process(120)
    answer = await gateway.ask(
        "{ customersByEntityId(entityIds: [1, 0, 999999]) { entityId } "
        'customersByEmail(emails: ["?", "absent@example.com"]) { entityId } }'
    )
    assert answer["data"] == {
        "customersByEntityId": [{"entityId": 1}, None, None],
        "customersByEmail": [None, None],
    }
    assert sorted(codes_of(answer), key=str) == [
        (["customersByEmail", 0], "BAD_USER_INPUT"),
        (["customersByEntityId", 1], "BAD_USER_INPUT"),
    ]
    assert requests_of(gateway) == {"list_customers": 2}


async def test_nodes_of_both_types_are_looked_up_at_once_in_their_order() -> None:
    gateway = in_process(120)
    segment = gateway.emulator.store.segments[4]
    ids = [
        b64encode(text.encode()).decode()
        for text in ("Customer:3", f"Segment:{segment.id}", "ShopperProfile:3", "Customer:999999")
    ]
    answer = await gateway.ask(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename ... on Segment { name } "
        "... on Customer { entityId } } }",
        ids=ids,
    )
    assert answer["data"]["nodes"] == [
        {"__typename": "Customer", "entityId": 3},
        {"__typename": "Segment", "name": segment.name},
        None,
        None,
    ]
    assert codes_of(answer) == [(["nodes", 2], "BAD_USER_INPUT")]
    assert requests_of(gateway) == {"list_customers": 1, "list_segments": 1}


async def test_all_profiles_of_the_store_are_a_list_of_blocks() -> None:
    gateway = in_process(120, profiles=600)
    query = "query ($a: String) { shopperProfiles(first: 250, after: $a) " + (
        "{ totalCount pageInfo { hasNextPage endCursor } nodes { entityId createdAt } } }"
    )
    shown, cursor, more = [], None, True
    while more:
        page = (await gateway.data(query, a=cursor))["shopperProfiles"]
        shown += [node["entityId"] for node in page["nodes"]]
        cursor, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert shown == [row.id for row in gateway.emulator.store.profiles]
    assert requests_of(gateway) == {"list_shopper_profiles": 3}
    # No profile is looked up by id, so none is kept by id: three blocks are all there is.
    assert len(gateway.services.cache.memory) == 3


async def test_number_of_members_alone_costs_one_request() -> None:
    gateway = in_process(120)
    segment = gateway.emulator.store.segments[1].id
    query = f'{{ segment(entityId: "{segment}") {{ shopperProfiles {{ totalCount }} }} }}'
    assert await gateway.data(query) == {"segment": {"shopperProfiles": {"totalCount": 200}}}
    assert requests_of(gateway) == {"list_segments": 1, "list_segment_shopper_profiles": 1}


async def test_lists_that_are_read_apart_are_bounded() -> None:
    gateway = in_process(120)
    query = "{ segments(first: 21) { nodes { shopperProfiles(first: 1) { totalCount } } } }"
    answer = await gateway.ask(query)
    nodes = answer["data"]["segments"]["nodes"]
    assert [node["shopperProfiles"] for node in nodes] == [
        *({"totalCount": 400 // n} for n in range(1, 21)),
        None,
    ]
    assert codes_of(answer) == [(["segments", "nodes", 20, "shopperProfiles"], "BAD_USER_INPUT")]
    assert "GATEWAY_MAX_LISTS_PER_REQUEST" in answer["errors"][0]["message"]
    assert requests_of(gateway) == {"list_segments": 1, "list_segment_shopper_profiles": 20}
    none = in_process(120, MAX_LISTS_PER_REQUEST="0")
    assert codes_of(await none.ask(query.replace("21", "1"))) == [
        (["segments", "nodes", 0, "shopperProfiles"], "BAD_USER_INPUT")
    ]
    at_the_root = await none.ask("{ shopperProfiles(first: 1) { totalCount } }")
    assert codes_of(at_the_root) == [(["shopperProfiles"], "BAD_USER_INPUT")]
    # Lists of which the customers have the ids are none.
    assert "errors" not in await none.ask(WITH_SEGMENTS, ids=HUNDRED)


async def test_lists_below_rows_are_read_side_by_side() -> None:
    gateway = in_process(20)
    await gateway.data("{ segments { nodes { id } } }")
    slots_of_a_client = asyncio.Barrier(8)
    gateway.emulator.latency_seconds = 1
    gateway.emulator.sleep = lambda _seconds: slots_of_a_client.wait()
    query = "{ segments(first: 16) { nodes { shopperProfiles { totalCount } } } }"
    async with asyncio.timeout(30):  # eight at a time: else none is ever answered
        await gateway.data(query)


async def test_token_without_the_modify_scope_leaves_all_other_reads_as_they_are() -> None:
    gateway = in_process(120)
    gateway.emulator.token_scope = "store_v2_customers_read_only"
    segment = gateway.emulator.store.segments[0].id
    for _ in range(2):
        answer = await gateway.ask(MEMBERS, segment=segment, first=1)
        assert codes_of(answer) == [(["segment", "shopperProfiles"], "UPSTREAM_FORBIDDEN")]
        assert answer["data"] == {"segment": {"shopperProfiles": None}}
    await gateway.data("{ segments { totalCount } shopperProfiles { totalCount } }")
    await gateway.data("{ customer(entityId: 1) { email } }")
    assert gateway.emulator.requests["list_segment_shopper_profiles"] == 1


async def test_segment_that_does_not_exist_upstream_is_a_failure_of_its_own_list_alone() -> None:
    gateway = in_process(120)
    first, second = gateway.emulator.store.segments[:2]
    await gateway.data("{ segments { nodes { id } } }")
    gateway.emulator.store.delete([first.id])
    answer = await gateway.ask(MEMBERS, segment=first.id, first=1)
    assert codes_of(answer) == [(["segment", "shopperProfiles"], "UPSTREAM_UNAVAILABLE")]
    data = await gateway.data(MEMBERS, segment=second.id, first=1)
    assert data["segment"]["shopperProfiles"]["totalCount"] == 200


async def test_cursor_of_another_list_is_bad() -> None:
    gateway = in_process(120)
    first, second = gateway.emulator.store.segments[:2]
    own = await gateway.data(MEMBERS, segment=first.id, first=1)
    cursor = own["segment"]["shopperProfiles"]["pageInfo"]["endCursor"]
    answer = await gateway.ask(MEMBERS, segment=second.id, first=1, after=cursor)
    assert codes_of(answer) == [(["segment", "shopperProfiles"], "BAD_CURSOR")]
    of_customer = await gateway.data(SEGMENTS_OF, id=12, first=1)
    cursor = of_customer["customer"]["segments"]["pageInfo"]["endCursor"]
    answer = await gateway.ask(SEGMENTS_OF, id=24, first=1, after=cursor)
    assert codes_of(answer) == [(["customer", "segments"], "BAD_CURSOR")]


async def test_rows_of_nested_connections_count_as_they_are_shown() -> None:
    gateway = in_process(120, MAX_ROWS_PER_REQUEST="1250")
    # 100 customers count as 500 rows, and have 482 segments; their default page has 50.
    assert "errors" not in await gateway.ask(WITH_SEGMENTS, ids=HUNDRED)
    twice = WITH_SEGMENTS.replace("segments {", "segments(first: 20) { again: nodes { id }")
    answer = await gateway.ask(twice, ids=HUNDRED)
    assert {code for _, code in codes_of(answer)} == {"BAD_USER_INPUT"}
    assert "GATEWAY_MAX_ROWS_PER_REQUEST" in answer["errors"][0]["message"]


async def test_customers_are_served_stale_while_the_store_fails() -> None:
    clock = Clock()
    gateway = in_process(10, profiles=10, clock=clock)
    query = '{ customer(email: "ANY") { entityId segments { totalCount } } }'.replace(
        "ANY", gateway.emulator.store.customers[5].email
    )
    found = await gateway.data(query)
    clock.advance(100)
    gateway.emulator.faults.add(Fault.SERVER_ERROR, times=None)
    answer = await gateway.ask(query)
    assert answer["data"] == found == {"customer": {"entityId": 6, "segments": {"totalCount": 4}}}
    assert answer["extensions"]["cache"]["stale"] is True


@pytest.mark.parametrize(
    ("query", "scope"),
    [
        ("{ segments { nodes { name } } }", "public"),
        ("{ customer(entityId: 7) { email } }", "private"),
        ('{ customer(email: "absent@example.com") { email } }', "private"),
        (
            "{ segments { totalCount } customer(entityId: 7) { segments { totalCount } } }",
            "private",
        ),
        ("{ segments(first: 2) { nodes { shopperProfiles { totalCount } } } }", "private"),
        ("{ shopperProfiles(first: 1) { totalCount nodes { entityId } } }", "private"),
    ],
)
async def test_shared_caches_keep_no_personal_data(query: str, scope: str) -> None:
    gateway = in_process(120, ALLOW_ANONYMOUS="read", SHARED_CACHES="true")
    for _ in range(3):  # the third one is a whole answer from the response cache
        answer = await gateway.http.get("/graphql", params={"query": query})
        assert "errors" not in answer.json()
        assert answer.headers["Cache-Control"].partition(",")[0] == scope
    assert gateway.app.state.answers.cached == 1


async def test_walk_of_thousands_of_profiles_costs_its_blocks_and_keeps_a_bounded_memory() -> None:
    maximum = 1024**2
    gateway = in_process(1, profiles=5000, CACHE_MAX_BYTES=str(maximum))
    segment = gateway.emulator.store.segments[0].id
    query = MEMBERS.replace("nodes { customer { entityId email firstName lastName } }", "")
    pages, info = 0, {"hasNextPage": True, "endCursor": None}
    while info["hasNextPage"]:
        data = await gateway.data(query, segment=segment, first=100, after=info["endCursor"])
        info = data["segment"]["shopperProfiles"]["pageInfo"]
        pages += 1
    assert pages == 50
    assert requests_of(gateway) == {"list_segments": 1, "list_segment_shopper_profiles": 20}
    memory = gateway.services.cache.memory
    assert memory.bytes <= maximum
    assert len(memory) < 20  # not all of the blocks are kept


async def test_walk_of_a_long_list_goes_on_where_a_row_was_deleted_for_the_blocks_there() -> None:
    clock = Clock()
    gateway = in_process(5, profiles=20_000, clock=clock)
    walk = (
        "query ($after: String, $first: Int) { shopperProfiles(first: $first, after: $after) "
        "{ pageInfo { endCursor } nodes { entityId } } }"
    )
    after = None
    for _ in range(41):
        page = (await gateway.data(walk, after=after, first=250))["shopperProfiles"]
        after = page["pageInfo"]["endCursor"]
    clock.now += 1000
    store = gateway.emulator.store
    store.delete_profiles([store.profiles[41 * 250 - 1]])
    before = gateway.upstream_requests
    page = (await gateway.data(walk, after=after, first=1))["shopperProfiles"]
    assert page["nodes"] == [{"entityId": store.profiles[41 * 250 - 1].id}]
    assert gateway.upstream_requests - before == 3
