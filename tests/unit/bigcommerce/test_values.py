"""Values of the upstream's JSON, read as far as they can be."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.bigcommerce.values import decode_json, text_of, time_of, whole_number_of


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),  # RFC 8259, 8.1
        (b'["Gift \\ud83c\\udf81"]', ["Gift \U0001f381"]),
        (b'["Gift \\ud83c"]', ["Gift \ud83c"]),  # RFC 8259, 8.2
        (b'["caf\xe9"]', ["caf\ufffd"]),
        (b"[300.0]", [300.0]),
    ],
)
def test_json_is_decoded_as_far_as_it_can_be(body: bytes, value: object) -> None:
    assert decode_json(body) == value


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"data": [',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"\\ud83c": ' + b"[" * 100_000,
        b"[" + b"9" * 5000 + b'"\\ud83c"]',
    ],
)
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is the library's
        decode_json(body)


@given(st.binary())
def test_any_bytes_are_a_value_or_a_value_error(body: bytes) -> None:
    with suppress(ValueError):
        decode_json(body)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Gift \ud83c", "Gift \ufffd"),
        ("\udf81\ud83c \U0001f381", "\ufffd\ufffd \U0001f381"),
        ("Überraschung", "Überraschung"),
        ("", ""),
        (5, None),
        (None, None),
        ([], None),
        (True, None),
    ],
)
def test_text_has_no_unpaired_surrogate(value: object, text: str | None) -> None:
    assert text_of(value) == text


@given(st.text(st.characters()))
def test_every_text_can_be_encoded(value: str) -> None:
    text = text_of(value)
    assert text is not None
    text.encode()


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (250, 250),
        ("250", 250),
        (" 250 ", 250),
        (250.0, 250),
        ("250.0", 250),
        (-1, -1),
        ("-1", -1),
        (250.5, None),
        ("250.5", None),
        ("many", None),
        ("", None),
        ("٣", None),
        (True, None),
        (None, None),
        ([250], None),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_number_may_be_text_or_have_a_fraction_of_zeros(value: object, number: int | None) -> None:
    assert whole_number_of(value) == number


@pytest.mark.parametrize(
    ("value", "time"),
    [
        ("2022-09-15T23:44:05Z", datetime(2022, 9, 15, 23, 44, 5, tzinfo=UTC)),
        ("2022-09-15T23:44:05.000Z", datetime(2022, 9, 15, 23, 44, 5, tzinfo=UTC)),
        ("2022-09-15t23:44:05z", datetime(2022, 9, 15, 23, 44, 5, tzinfo=UTC)),
        ("2022-09-15T23:44:05+02:00", datetime(2022, 9, 15, 21, 44, 5, tzinfo=UTC)),
        ("2022-09-15T23:44:05", datetime(2022, 9, 15, 23, 44, 5, tzinfo=UTC)),
        ("2022-09-15T23:44:05.123456789Z", datetime(2022, 9, 15, 23, 44, 5, 123456, UTC)),
        ("2022-09-15", datetime(2022, 9, 15, tzinfo=UTC)),
        # RFC 3339, 5.7: the second before it
        ("2016-12-31T23:59:60Z", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("2016-12-31T18:59:60.5-05:00", datetime(2016, 12, 31, 23, 59, 59, 500_000, UTC)),
        ("2016-12-31T23:59:60", datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("0001-01-01T00:00:00+02:00", None),
        ("9999-12-31T23:59:59-02:00", None),
        ("yesterday", None),
        ("1701010112345", None),
        ("20220915", None),
        ("2022-09-15X10:00:00", None),
        ("2022-09-15T23:60:05Z", None),
        ("", None),
        (1_663_285_445, None),
        (None, None),
    ],
)
def test_times_are_in_utc_and_impossible_ones_are_none(
    value: object, time: datetime | None
) -> None:
    assert time_of(value) == time
