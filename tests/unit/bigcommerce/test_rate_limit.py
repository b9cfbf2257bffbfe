"""What is read of the headers of the quota, each row a case that a store or a proxy can send."""

import httpx
import pytest

from gateway.bigcommerce.rate_limit import RateLimit, read_rate_limit, read_retry_after

LEFT, QUOTA = "X-Rate-Limit-Requests-Left", "X-Rate-Limit-Requests-Quota"
RESET, WINDOW = "X-Rate-Limit-Time-Reset-Ms", "X-Rate-Limit-Time-Window-Ms"
ALL = {LEFT: "14", QUOTA: "25", RESET: "2750", WINDOW: "5000"}
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


def without(*names: str) -> dict[str, str]:
    return {name: text for name, text in ALL.items() if name not in names}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (ALL, RateLimit(14, 25, 2.75, 5.0)),
        ({**ALL, WINDOW: "30000"}, RateLimit(14, 25, 2.75, 30.0)),
        # Some of them are missing.
        (without(WINDOW), RateLimit(14, 25, 2.75, 30.0)),
        (without(RESET), RateLimit(14, 25, 5.0, 5.0, False)),
        (without(RESET, WINDOW), RateLimit(14, 25, 30.0, 30.0, False)),
        (without(QUOTA), RateLimit(14, 14, 2.75, 5.0)),
        (without(LEFT), None),
        ({}, None),
        # Others make no sense.
        ({**ALL, LEFT: ""}, None),
        ({**ALL, LEFT: "nan"}, None),
        ({**ALL, LEFT: "inf"}, None),
        ({**ALL, LEFT: "1e3"}, None),
        ({**ALL, LEFT: "0x10"}, None),
        ({**ALL, LEFT: "9" * 400}, None),
        ({**ALL, QUOTA: "", RESET: "soon", WINDOW: "5s"}, RateLimit(14, 14, 30.0, 30.0, False)),
        # Others are odd.
        ({**ALL, LEFT: "14.0", RESET: " 2750.5 "}, RateLimit(14, 25, 2.7505, 5.0)),
        ({**ALL, LEFT: "0.9"}, RateLimit(0, 25, 2.75, 5.0)),
        ({**ALL, LEFT: "-3"}, RateLimit(0, 25, 2.75, 5.0)),
        ({**ALL, RESET: "-20"}, RateLimit(14, 25, 0.0, 5.0)),
        ({**ALL, LEFT: "30"}, RateLimit(25, 25, 2.75, 5.0)),
        ({**ALL, QUOTA: "0"}, RateLimit(0, 0, 2.75, 5.0)),
        ({**ALL, WINDOW: "0"}, RateLimit(14, 25, 2.75, 30.0)),
        ({**ALL, WINDOW: "-1"}, RateLimit(14, 25, 2.75, 30.0)),
        ({**ALL, RESET: "7000"}, RateLimit(14, 25, 7.0, 7.0)),
        # No more than a minute is believed.
        ({**ALL, RESET: "60001"}, RateLimit(14, 25, 60.0, 60.0)),
        ({**ALL, RESET: "999999999999999"}, RateLimit(14, 25, 60.0, 60.0)),
        ({**ALL, WINDOW: "3600000"}, RateLimit(14, 25, 2.75, 60.0)),
        ({**ALL, RESET: "3599000", WINDOW: "3600000"}, RateLimit(14, 25, 60.0, 60.0)),
    ],
)
def test_headers_of_the_quota_are_read(headers: dict[str, str], expected: RateLimit | None) -> None:
    assert read_rate_limit(httpx.Headers(headers)) == expected


@pytest.mark.parametrize(
    ("doubled", "expected"),
    [
        ({LEFT: ("20", "20")}, RateLimit(20, 25, 2.75, 5.0)),
        ({LEFT: ("20", "3")}, RateLimit(3, 25, 2.75, 5.0)),
        ({LEFT: ("20", "")}, RateLimit(20, 25, 2.75, 5.0)),
        ({QUOTA: ("25", "150")}, RateLimit(14, 25, 2.75, 5.0)),
        ({RESET: ("2750", "3100")}, RateLimit(14, 25, 3.1, 5.0)),
        ({WINDOW: ("5000", "30000")}, RateLimit(14, 25, 2.75, 30.0)),
    ],
)
def test_of_a_doubled_header_the_value_that_allows_less_counts(
    doubled: dict[str, tuple[str, str]], expected: RateLimit
) -> None:
    rest = [(name, text) for name, text in ALL.items() if name not in doubled]
    twice = [(name, text) for name, texts in doubled.items() for text in texts]
    assert read_rate_limit(httpx.Headers([*rest, *twice])) == expected


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({RESET: "12500"}, 12.5),
        ({"X-Retry-After": "3"}, 3.0),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "7", "X-Retry-After": "9", RESET: "0"}, 9.0),
        ({"Retry-After": "0"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "3600"}, 60.0),
        ({RESET: "9" * 400}, None),
        # RFC 9110, 5.6.7: the three forms of a date; its age counts from the answer's own clock.
        ({"Retry-After": "Sun, 06 Nov 1994 08:49:57 GMT", "Date": DATE}, 20.0),
        ({"Retry-After": "Sunday, 06-Nov-94 08:49:57 GMT", "Date": DATE}, 20.0),
        ({"Retry-After": "Sun Nov  6 08:49:57 1994", "Date": DATE}, 20.0),
        ({"Retry-After": "Sun, 06 Nov 1994 10:49:57 GMT", "Date": DATE}, 60.0),
        ({"Retry-After": "Sun, 06 Nov 1994 08:49:07 GMT", "Date": DATE}, None),
        ({"Retry-After": "Sun, 06 Nov 1994 08:49:57 GMT"}, None),
        ({"Retry-After": "Sun, 99 Nov 99999999 08:49:57 GMT", "Date": DATE}, None),
    ],
)
def test_time_to_wait_after_a_429_is_read(headers: dict[str, str], seconds: float | None) -> None:
    assert read_retry_after(httpx.Headers(headers)) == seconds
