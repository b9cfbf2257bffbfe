"""The arguments that sort and filter segments, as clients meet them."""

from uuid import UUID

import pytest
from in_process import Answer, InProcess, in_process

from gateway.emulator import SegmentRow, Store

DATE = "2024-05-01T10:00:00Z"
ROWS = [
    SegmentRow("00000000-0000-4000-8000-000000000003", "Émile", None, DATE, "2024-05-04T00:00:00Z"),
    SegmentRow("00000000-0000-4000-8000-000000000001", "vip", None, DATE, "2024-05-03T00:00:00Z"),
    SegmentRow("00000000-0000-4000-8000-000000000002", "VIP 2", None, "", "2024-05-02T00:00:00Z"),
]
NAMES = """
query ($filter: SegmentFilter, $sortKey: SegmentSortKey = STORE_ORDER, $reverse: Boolean = false) {
  segments(filter: $filter, sortKey: $sortKey, reverse: $reverse) { totalCount nodes { name } }
}
"""
NO_DATE_TIME = (
    'A DateTime is written with its time and its zone, as in "2023-03-12T03:07:36Z" or '
    '"2023-03-12T05:07:36+02:00".'
)


def a_gateway() -> InProcess:
    return in_process(Store(list(ROWS)))


async def names(gateway: InProcess, **variables: object) -> list[str]:
    page = (await gateway.data(NAMES, **variables))["segments"]
    assert page["totalCount"] == len(page["nodes"])
    return [node["name"] for node in page["nodes"]]


def error_of(answer: Answer) -> tuple[str, str]:
    (error,) = answer["errors"]
    return error["extensions"]["code"], error["message"]


@pytest.mark.parametrize(
    ("sort_key", "expected"),
    [
        ("STORE_ORDER", ["Émile", "vip", "VIP 2"]),
        (None, ["Émile", "vip", "VIP 2"]),
        ("NAME", ["Émile", "vip", "VIP 2"]),
        ("CREATED_AT", ["vip", "Émile", "VIP 2"]),
        ("UPDATED_AT", ["VIP 2", "vip", "Émile"]),
    ],
)
async def test_each_sort_key_and_its_reverse(sort_key: str | None, expected: list[str]) -> None:
    gateway = a_gateway()
    assert await names(gateway, sortKey=sort_key) == expected
    assert await names(gateway, sortKey=sort_key, reverse=None) == expected
    assert await names(gateway, sortKey=sort_key, reverse=True) == expected[::-1]


ALL = ["Émile", "vip", "VIP 2"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ALL),
        ({"nameContains": None, "createdAt": None, "updatedAt": None}, ALL),
        ({"nameContains": " "}, ALL),
        ({"nameContains": " VIP "}, ["vip", "VIP 2"]),
        ({"nameContains": "emi"}, ["Émile"]),
        ({"createdAt": {}}, ["Émile", "vip"]),
        ({"createdAt": {"from": DATE}}, ["Émile", "vip"]),
        ({"createdAt": {"to": DATE}}, []),
        ({"createdAt": {"from": DATE, "to": DATE}}, []),
        ({"createdAt": {"from": "2025-01-01T00:00:00Z", "to": DATE}}, []),
        ({"updatedAt": {"from": "2024-05-03T02:00:00+02:00"}}, ["Émile", "vip"]),
        ({"updatedAt": {"to": "2024-05-03T00:00:00.000001Z"}}, ["vip", "VIP 2"]),
        ({"nameContains": "vip", "updatedAt": {"to": "2024-05-03T00:00:00Z"}}, ["VIP 2"]),
    ],
)
async def test_filter_keeps_rows_that_meet_each_condition(
    given: dict[str, object], expected: list[str]
) -> None:
    gateway = a_gateway()
    assert await names(gateway, filter=given) == expected
    count = "query ($filter: SegmentFilter) { segmentsCount(filter: $filter) }"
    assert await gateway.data(count, filter=given) == {"segmentsCount": len(expected)}


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-01",
        "2024-05-01T10:00:00",
        "2024-05-01 10:00:00Z",
        "2024-13-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "yesterday",
        "",
        5,
        True,
    ],
)
async def test_what_is_no_date_time_is_refused_with_how_to_write_one(text: object) -> None:
    answer = await a_gateway().ask(NAMES, filter={"createdAt": {"from": text}})
    code, message = error_of(answer)
    assert code == "BAD_USER_INPUT"
    assert message.removeprefix("Variable '$filter' has invalid value at .createdAt.from: ") == (
        NO_DATE_TIME
    )


@pytest.mark.parametrize("literal", ['"2024-05-01T10:00:00"', "5", "{}", "[1]", "NAME"])
async def test_literal_that_is_no_date_time_is_refused(literal: str) -> None:
    query = f"{{ segments(filter: {{createdAt: {{to: {literal}}}}}) {{ totalCount }} }}"
    answer = await a_gateway().ask(query)
    assert error_of(answer) == ("GRAPHQL_VALIDATION_FAILED", NO_DATE_TIME)
    assert answer["errors"][0]["locations"] == [{"line": 1, "column": 37}]


@pytest.mark.parametrize("text", ["2024-05-01t10:00:00z", "2024-05-01T09:59:60Z"])
async def test_each_form_of_rfc_3339_is_taken(text: str) -> None:
    assert await names(a_gateway(), filter={"createdAt": {"from": text}}) == ["Émile", "vip"]


PAGES = """
query ($after: String, $sortKey: SegmentSortKey, $reverse: Boolean, $first: Int) {
  segments(first: $first, after: $after, sortKey: $sortKey, reverse: $reverse) {
    pageInfo { endCursor } nodes { name }
  }
}
"""


async def test_cursor_of_another_order_is_refused() -> None:
    gateway = a_gateway()
    orders = [(key, reverse) for key in ("STORE_ORDER", "NAME") for reverse in (False, True)]
    for key, reverse in orders:
        page = (await gateway.data(PAGES, first=1, sortKey=key, reverse=reverse))["segments"]
        cursor = page["pageInfo"]["endCursor"]
        for other_key, other_reverse in orders:
            answer = await gateway.ask(
                PAGES, after=cursor, sortKey=other_key, reverse=other_reverse
            )
            if (other_key, other_reverse) == (key, reverse):
                assert len(answer["data"]["segments"]["nodes"]) == 2
            else:
                assert error_of(answer) == (
                    "BAD_CURSOR",
                    "`after` is a cursor of another list, or of another order of this list. "
                    "Pass one that this connection answered.",
                )


async def test_wrong_counts_cost_no_upstream_request() -> None:
    gateway = a_gateway()
    code, message = error_of(await gateway.ask(PAGES, first=251, sortKey="NAME"))
    assert code == "BAD_USER_INPUT"
    assert message.startswith("`first` is 251.")
    await gateway.data("{ segments(sortKey: NAME) { __typename } }")
    assert gateway.upstream_requests == 0


async def test_count_without_a_filter_reads_one_block() -> None:
    gateway = in_process(1000)
    assert await gateway.data("{ segmentsCount }") == {"segmentsCount": 1000}
    assert gateway.upstream_requests == 1


async def test_page_in_the_stores_order_reads_no_more_blocks_than_before() -> None:
    gateway = in_process(1000)
    query = "{ segments(sortKey: STORE_ORDER, reverse: false, filter: null) { nodes { name } } }"
    await gateway.data(query)
    assert gateway.upstream_requests == 1


async def test_store_of_more_than_2000_segments_is_not_sorted_in_part() -> None:
    rows = [SegmentRow(str(UUID(int=n)), f"Segment {n}", None, DATE, DATE) for n in range(2001)]
    gateway = in_process(Store(rows))
    code, message = error_of(await gateway.ask(PAGES, sortKey="NAME"))
    assert code == "BAD_USER_INPUT"
    assert message == (
        "The list has 2001 rows, and up to 2000 can be sorted or filtered. Leave out `filter`, "
        "`sortKey` and `reverse`, and page through the list."
    )
    assert len((await gateway.data(PAGES, first=2))["segments"]["nodes"]) == 2


async def test_rows_of_a_sorted_list_are_counted() -> None:
    answer = await in_process(5).ask(
        "{"
        + " ".join(
            f"a{n}: segments(first: 250, sortKey: NAME) {{ nodes {{ id }} }}" for n in range(11)
        )
        + "}"
    )
    assert "more than" in answer["errors"][0]["message"]


async def test_sorted_list_is_served_stale_while_the_store_is_down() -> None:
    clock = [1_800_000_000.0]
    gateway = in_process(Store(list(ROWS)), clock=lambda: clock[0])
    assert await names(gateway, sortKey="UPDATED_AT") == ["VIP 2", "vip", "Émile"]
    gateway.refused_text = "page"
    clock[0] += 100
    answer = await gateway.ask(NAMES, sortKey="UPDATED_AT", reverse=True)
    assert [node["name"] for node in answer["data"]["segments"]["nodes"]] == [
        "Émile",
        "vip",
        "VIP 2",
    ]
    assert answer["extensions"]["cache"]["stale"] is True
