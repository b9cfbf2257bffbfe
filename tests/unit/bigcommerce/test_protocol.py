import json

import pytest

from gateway.bigcommerce.listings import SEGMENTS
from gateway.bigcommerce.models import Segment
from gateway.bigcommerce.protocol import (
    Answer,
    Request,
    read_page,
)
from gateway.errors import (
    RateLimited,
    UpstreamError,
    UpstreamForbidden,
    UpstreamRefused,
    UpstreamUnavailable,
    UpstreamUnreadable,
)

ID = "1a2b3c4d-0000-4000-8000-1a2b3c4d5e6f"


def answer(body: object, status: int = 200, **headers: str) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, headers, raw)


def page(rows: list[object], **pagination: object) -> Answer:
    return answer({"data": rows, "meta": {"pagination": pagination}})


def test_requests_name_page_limit_and_ids() -> None:
    assert SEGMENTS.page(3, 250) == Request(
        "list_segments", "GET", "/segments", (("page", "3"), ("limit", "250"))
    )
    assert SEGMENTS.page(1, 2, ["a", "b"]).query == (
        ("id:in", "a,b"),
        ("page", "1"),
        ("limit", "2"),
    )


def test_segment_is_read_leniently() -> None:
    row = {"id": ID.upper(), "description": None, "created_at": "yesterday", "color": "red"}
    found = read_page(SEGMENTS, page([row], total=1, per_page=50), 1, 50)
    assert found.rows == [Segment(id=ID)]


@pytest.mark.parametrize(
    "odd",
    [
        {"name": 5, "description": [], "created_at": 1_663_285_445, "updated_at": {}},
        {"name": None, "description": True, "created_at": "", "updated_at": "2022-13-01"},
    ],
)
def test_field_of_another_type_is_none(odd: dict[str, object]) -> None:
    found = read_page(SEGMENTS, page([{"id": ID, **odd}], total=1, per_page=50), 1, 50)
    assert found.rows == [Segment(id=ID)]


def test_half_an_emoji_is_a_replacement_character() -> None:
    body = b'{"data":[{"id":"%b","name":"Gift \\ud83c"}],"meta":{}}'
    (row,) = read_page(SEGMENTS, answer(body % ID.encode()), 1, 50).rows
    assert row == Segment(id=ID, name="Gift \ufffd")


@pytest.mark.parametrize("odd", [{"name": "no id"}, {"id": "no uuid"}, {"id": 5}, 5, None, []])
def test_row_without_a_usable_id_keeps_its_place(odd: object) -> None:
    other = "00000000-0000-4000-8000-000000000001"
    found = read_page(SEGMENTS, page([{"id": ID}, odd, {"id": other}], total=3, per_page=50), 1, 50)
    assert found.rows == [Segment(id=ID), None, Segment(id=other)]


def test_row_that_stands_twice_on_a_page_is_used_once() -> None:
    found = read_page(SEGMENTS, page([{"id": ID}, {"id": ID.upper()}], total=2, per_page=50), 1, 50)
    assert found.rows == [Segment(id=ID), None]


@pytest.mark.parametrize("per_page", ["50", 50.0, "50.0"])
@pytest.mark.parametrize("total", ["1", 1.0])
def test_numbers_as_text_are_numbers(per_page: object, total: object) -> None:
    found = read_page(SEGMENTS, page([{"id": ID}], total=total, per_page=per_page), 1, 250)
    assert (found.per_page, found.total) == (50, 1)


@pytest.mark.parametrize("meta", [[], None, "none", {"pagination": []}])
def test_short_list_with_an_odd_meta_is_plainly_whole(meta: object) -> None:
    found = read_page(SEGMENTS, answer({"data": [{"id": ID}], "meta": meta}), 1, 250)
    assert (len(found.rows), found.per_page, found.total) == (1, 250, 1)


@pytest.mark.parametrize("status", [200, 201, 203, 207, 299])
def test_every_2xx_is_a_success(status: int) -> None:
    read = read_page(SEGMENTS, answer({"data": [{"id": ID}]}, status), 1, 250)
    assert read.rows == [Segment(id=ID)]


def test_204_is_an_empty_list() -> None:
    found = read_page(SEGMENTS, answer(b"", 204), 1, 250)
    assert (found.rows, found.per_page, found.total) == ([], 250, 0)


def test_204_for_a_later_page_says_that_there_is_no_such_page() -> None:
    with pytest.raises(UpstreamRefused):
        read_page(SEGMENTS, answer(b"", 204), 2, 250)


def test_page_size_of_the_answer_wins() -> None:
    rows: list[object] = [{"id": f"00000000-0000-4000-8000-{n:012}"} for n in range(50)]
    found = read_page(SEGMENTS, page(rows, total=1000, per_page=50), 1, 250)
    assert (found.per_page, found.total) == (50, 1000)


def test_short_list_without_its_counts_is_plainly_whole() -> None:
    found = read_page(SEGMENTS, answer({"data": [{"id": ID}]}), 1, 250)
    assert (len(found.rows), found.per_page, found.total) == (1, 250, 1)
    assert read_page(SEGMENTS, answer({"data": []}), 1, 250).total == 0


@pytest.mark.parametrize(
    ("rows", "pagination", "page_number"),
    [(50, {}, 1), (20, {"per_page": 20}, 1), (3, {}, 2), (3, {"total": 3}, 2)],
)
def test_list_without_its_counts_that_may_go_on_is_an_error(
    rows: int, pagination: dict[str, int], page_number: int
) -> None:
    data = [{"id": f"00000000-0000-4000-8000-{n:012}"} for n in range(rows)]
    body = {"data": data, "meta": {"pagination": pagination}}
    with pytest.raises(UpstreamUnavailable, match="without a usable page size or total"):
        read_page(SEGMENTS, answer(body), page_number, 250)


@pytest.mark.parametrize(
    "senseless",
    [
        answer(b"<html>maintenance</html>"),
        answer(b'{"data": [{"id"'),
        Answer(200, {}, None),
        answer(b""),
        answer(b"\xff\xfe"),
        answer({"data": None}),
        answer({"meta": {}}),
        answer([]),
        answer({"data": {}}),
        page([{"id": ID}], total=5, per_page=50),
        page([], total=1, per_page=50),
        page([{"id": ID}] * 50, total=51, per_page=0),
        page([{"id": ID}] * 50, total=-1, per_page=50),
        page([{"id": ID}] * 50, total="many", per_page=50),
    ],
)
def test_senseless_body_is_one_clear_error(senseless: Answer) -> None:
    with pytest.raises(UpstreamUnreadable, match=r"^The store's API sent .*\.$"):
        read_page(SEGMENTS, senseless, 1, 50)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, UpstreamForbidden),
        (403, UpstreamForbidden),
        (400, UpstreamRefused),
        (404, UpstreamRefused),
        (405, UpstreamRefused),
        (408, UpstreamUnavailable),
        (409, UpstreamRefused),
        (410, UpstreamRefused),
        (413, UpstreamRefused),
        (414, UpstreamRefused),
        (422, UpstreamRefused),
        (429, RateLimited),
        (500, UpstreamUnavailable),
        (503, UpstreamUnavailable),
        (451, UpstreamRefused),
        (301, UpstreamUnavailable),
    ],
)
def test_status_becomes_an_error_of_its_own(status: int, error: type[UpstreamError]) -> None:
    with pytest.raises(error):
        read_page(SEGMENTS, answer({}, status), 1, 50)


@pytest.mark.parametrize(
    "body",
    [
        b'{"data":[%b],"meta":{"pagination":{"total":3000000000,"per_page":50}}}'
        % b",".join([b"1"] * 50),
        b'{"data":[],"other":' + b"[" * 100_000,
    ],
)
def test_absurd_body_is_one_clear_error(body: bytes) -> None:
    with pytest.raises(UpstreamUnavailable):
        read_page(SEGMENTS, Answer(200, {}, body), 1, 50)
