"""The query and the body of a list, without a wire."""

import json

import pytest
from starlette.datastructures import QueryParams

from gateway.emulator import Fault, seeded_store
from gateway.emulator.paging import (
    ListRefused,
    ListRequest,
    PageRules,
    list_answer,
    read_list_request,
)

RULES = PageRules()
REFUSING = PageRules(over_limit="refuse", past_the_end="refuse")


def asked_by(query: str, rules: PageRules = RULES) -> ListRequest:
    return read_list_request(QueryParams(query), rules, ("page", "limit", "id:in"))


def refusal(query: str, rules: PageRules = RULES) -> str:
    with pytest.raises(ListRefused) as refused:
        asked_by(query, rules)
    return refused.value.title


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("", ListRequest(1, 50, None)),
        ("page=3&limit=7", ListRequest(3, 7, None)),
        ("page=007", ListRequest(7, 50, None)),
        ("limit=250", ListRequest(1, 250, None)),
        ("limit=251", ListRequest(1, 250, None)),
        ("page=1&page=2", ListRequest(2, 50, None)),
        ("id:in=A,%20b", ListRequest(1, 50, frozenset({"a", "b"}))),
        ("id%3Ain=a", ListRequest(1, 50, frozenset({"a"}))),
        ("id:in=", ListRequest(1, 50, frozenset({""}))),
    ],
)
def test_query_asks_for_a_page(query: str, asked: ListRequest) -> None:
    assert asked_by(query) == asked


def test_default_limit_is_not_above_the_maximum() -> None:
    rules = PageRules(max_limit=20, over_limit="refuse")
    assert asked_by("", rules) == ListRequest(1, 20, None)


@pytest.mark.parametrize("value", ["0", "-1", "", "one", "1.5", "+1", " 1", "٣", "1000000000"])
@pytest.mark.parametrize("name", ["page", "limit"])
def test_page_or_limit_that_is_no_number_of_1_or_more_is_refused(name: str, value: str) -> None:
    title = refusal(str(QueryParams({name: value})))
    assert title == f"{name} must be a whole number of 1 or more."


def test_unknown_filters_are_named() -> None:
    title = refusal("name=VIP&limit=0&sort=name")
    assert title == "The filter(s): name, sort are not valid filter parameter(s)."


def test_limit_above_the_maximum_is_refused_where_that_is_chosen() -> None:
    assert refusal("limit=251", REFUSING) == "limit must not be above 250."


def page_of(segments: int, page: int, limit: int, fault: Fault | None = None) -> object:
    rows = seeded_store(segments).segments
    return json.loads(bytes(list_answer(rows, ListRequest(page, limit, None), RULES, fault).body))


def pagination(segments: int, page: int, limit: int) -> object:
    body = page_of(segments, page, limit)
    assert isinstance(body, dict)
    return body["meta"]["pagination"]


def test_page_shows_its_rows_and_where_it_lies() -> None:
    row = seeded_store(5).segments[4]
    assert page_of(5, page=3, limit=2) == {
        "data": [
            {
                "id": row.id,
                "name": "Newsletter subscribers",
                "description": None,
                "created_at": row.created_at,
                "updated_at": row.updated_at,
            }
        ],
        "meta": {
            "pagination": {
                "total": 5,
                "count": 1,
                "per_page": 2,
                "current_page": 3,
                "total_pages": 3,
                "links": {"previous": "?page=2&limit=2", "current": "?page=3&limit=2"},
            }
        },
    }


@pytest.mark.parametrize(("segments", "page"), [(5, 4), (4, 3), (0, 2)])
def test_page_past_the_end_is_refused_where_that_is_chosen(segments: int, page: int) -> None:
    rows = seeded_store(segments).segments
    with pytest.raises(ListRefused, match=r"^page must not be past the end\.$"):
        list_answer(rows, ListRequest(page, 2, None), REFUSING)
    before = ListRequest(page - 1, 2, None)
    assert list_answer(rows, before, REFUSING).body == list_answer(rows, before, RULES).body


def test_empty_set_has_no_pages() -> None:
    assert pagination(0, page=1, limit=50) == {
        "total": 0,
        "count": 0,
        "per_page": 50,
        "current_page": 1,
        "total_pages": 0,
        "links": {"current": "?page=1&limit=50"},
    }


@pytest.mark.parametrize(
    ("page", "links"),
    [
        (1, {"current": "?page=1&limit=2", "next": "?page=2&limit=2"}),
        (
            2,
            {
                "previous": "?page=1&limit=2",
                "current": "?page=2&limit=2",
                "next": "?page=3&limit=2",
            },
        ),
        (4, {"previous": "?page=3&limit=2", "current": "?page=4&limit=2"}),
        (5, {"current": "?page=5&limit=2"}),
    ],
)
def test_links_lead_only_to_pages_that_exist(page: int, links: dict[str, str]) -> None:
    answered = pagination(5, page, limit=2)
    assert isinstance(answered, dict)
    assert answered["links"] == links
    assert answered["count"] == (2 if page < 3 else 0)
