import json
from datetime import UTC, datetime

import pytest

from gateway.bigcommerce.models import Segment, parse_datetime
from gateway.bigcommerce.protocol import (
    Answer,
    Request,
    list_segments,
    list_segments_by_id,
    read_segments,
)
from gateway.bigcommerce.rate_limit import RateLimit, read_rate_limit, read_retry_after
from gateway.errors import (
    RateLimited,
    UpstreamError,
    UpstreamForbidden,
    UpstreamRefused,
    UpstreamUnavailable,
)

ID = "1a2b3c4d-0000-4000-8000-1a2b3c4d5e6f"


def answer(body: object, status: int = 200, **headers: str) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, headers, raw)


def page(rows: list[object], **pagination: object) -> Answer:
    return answer({"data": rows, "meta": {"pagination": pagination}})


def test_requests_name_page_limit_and_ids() -> None:
    assert list_segments(3, 250) == Request(
        "list_segments", "GET", "/segments", (("page", "3"), ("limit", "250"))
    )
    assert list_segments_by_id(["a", "b"], 1, 2).query == (
        ("id:in", "a,b"),
        ("page", "1"),
        ("limit", "2"),
    )


def test_segment_is_read_leniently() -> None:
    row = {"id": ID.upper(), "description": None, "created_at": "yesterday", "color": "red"}
    found = read_segments(page([row], total=1, per_page=50), 1, 50)
    assert found.rows == [Segment(id=ID)]


@pytest.mark.parametrize("text", ["2022-09-15T23:44:05Z", "2022-09-15T23:44:05.000Z"])
def test_both_forms_of_dates_are_read(text: str) -> None:
    found = read_segments(page([{"id": ID, "created_at": text}], total=1, per_page=50), 1, 50)
    assert found.rows[0].created_at == datetime(2022, 9, 15, 23, 44, 5, tzinfo=UTC)


def test_page_size_of_the_answer_wins() -> None:
    rows: list[object] = [{"id": f"00000000-0000-4000-8000-{n:012}"} for n in range(50)]
    found = read_segments(page(rows, total=1000, per_page=50), 1, 250)
    assert (found.per_page, found.total) == (50, 1000)


def test_short_list_without_its_counts_is_plainly_whole() -> None:
    found = read_segments(answer({"data": [{"id": ID}]}), 1, 250)
    assert (len(found.rows), found.per_page, found.total) == (1, 250, 1)
    assert read_segments(answer({"data": []}), 1, 250).total == 0


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
        read_segments(answer(body), page_number, 250)


@pytest.mark.parametrize(
    "senseless",
    [
        answer(b"<html>maintenance</html>"),
        answer(b'{"data": [{"id"'),
        answer(b""),
        answer(b"\xff\xfe"),
        answer(b'{"data": [{"id": "\xff"}]}'),
        answer({"data": None}),
        answer({"meta": {}}),
        answer([]),
        answer({"data": {}}),
        answer({"data": [5]}),
        page([{"name": "no id"}], total=1, per_page=50),
        page([{"id": "no uuid"}], total=1, per_page=50),
        page([{"id": ID, "name": 5}], total=1, per_page=50),
        page([{"id": ID}], total=1, per_page=0),
        page([{"id": ID}], total=1, per_page=-1),
        page([{"id": ID}], total=-1, per_page=50),
        page([{"id": ID}], total=5, per_page=50),
        page([], total=1, per_page=50),
        page([{"id": ID}, {"id": ID}], total=2, per_page=50),
        page([{"id": ID}], total="many", per_page=50),
    ],
)
def test_senseless_body_is_one_clear_error(senseless: Answer) -> None:
    with pytest.raises(UpstreamUnavailable, match=r"^The store's API sent .*\.$"):
        read_segments(senseless, 1, 50)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, UpstreamForbidden),
        (403, UpstreamForbidden),
        (404, UpstreamRefused),
        (413, UpstreamRefused),
        (414, UpstreamRefused),
        (422, UpstreamRefused),
        (429, RateLimited),
        (500, UpstreamUnavailable),
        (503, UpstreamUnavailable),
        (204, UpstreamUnavailable),
        (301, UpstreamUnavailable),
    ],
)
def test_status_becomes_an_error_of_its_own(status: int, error: type[UpstreamError]) -> None:
    with pytest.raises(error):
        read_segments(answer({}, status), 1, 50)


def test_rate_limit_tells_when_to_come_back() -> None:
    limited = answer({}, 429, **{"x-rate-limit-time-reset-ms": "12500"})
    with pytest.raises(RateLimited, match="in 13 seconds") as error:
        read_segments(limited, 1, 50)
    assert error.value.extensions == {"code": "RATE_LIMITED", "retryAfter": 13}


def test_rate_limit_without_headers_does_not_invent_a_time() -> None:
    with pytest.raises(RateLimited) as error:
        read_segments(answer({}, 429), 1, 50)
    assert error.value.extensions == {"code": "RATE_LIMITED"}


def test_headers_of_the_quota_are_read() -> None:
    headers = {
        "x-rate-limit-requests-left": "148",
        "x-rate-limit-requests-quota": "150",
        "x-rate-limit-time-reset-ms": "29500",
        "x-rate-limit-time-window-ms": "30000",
    }
    assert read_rate_limit(headers) == RateLimit(148, 150, 29.5)
    assert read_rate_limit({**headers, "x-rate-limit-requests-left": "nan"}) is None
    assert read_rate_limit({}) is None
    assert read_rate_limit({**headers, "x-rate-limit-time-reset-ms": "86400001"}) is None
    assert read_retry_after({"x-retry-after": "3"}) == 3.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2022-09-15T23:44:05+02:00", datetime(2022, 9, 15, 21, 44, 5, tzinfo=UTC)),
        ("2022-09-15T23:44:05", datetime(2022, 9, 15, 23, 44, 5, tzinfo=UTC)),
        ("0001-01-01T00:00:00+02:00", None),
        ("9999-12-31T23:59:59-02:00", None),
    ],
)
def test_dates_are_in_utc_and_impossible_ones_are_none(
    text: str, expected: datetime | None
) -> None:
    assert parse_datetime(text) == expected


@pytest.mark.parametrize(
    "body",
    [
        b'{"data":[],"meta":{"pagination":{"total":3000000000,"per_page":50}}}',
        b'{"data":[],"meta":{"pagination":{"total":18446744073709551616,"per_page":50}}}',
        b'{"data":[],"other":' + b"[" * 100_000,
    ],
)
def test_absurd_body_is_one_clear_error(body: bytes) -> None:
    with pytest.raises(UpstreamUnavailable):
        read_segments(Answer(200, {}, body), 1, 50)


def test_absurd_number_in_a_header_is_no_number() -> None:
    assert read_retry_after({"x-rate-limit-time-reset-ms": "9" * 400}) is None
