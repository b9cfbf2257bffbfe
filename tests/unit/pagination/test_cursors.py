import base64
from uuid import uuid4

import pytest

from gateway.errors import BadCursor, ErrorCode
from gateway.pagination import Cursor, decode_cursor, encode_cursor, fingerprint

LIST = "segments of a store"


def a_cursor(remembered: int = 5) -> Cursor:
    return Cursor(42, str(uuid4()), tuple(fingerprint(str(uuid4())) for _ in range(remembered)))


@pytest.mark.parametrize("remembered", range(6))
def test_cursor_comes_back_as_it_was(remembered: int) -> None:
    cursor = a_cursor(remembered)
    assert decode_cursor(encode_cursor(cursor, LIST), LIST, "after") == cursor


def test_cursor_is_safe_in_a_url_and_at_most_67_characters() -> None:
    text = encode_cursor(a_cursor(), LIST)
    assert text.replace("-", "").replace("_", "").isalnum()
    assert len(text) == 67


@pytest.mark.parametrize(
    "text",
    [
        "",
        "=",
        "garbage!",
        "YXJyYXljb25uZWN0aW9uOjQ5",  # Relay's arrayconnection:49
        "A",
        "AAAA",
        "not base64 at all",
        "é" * 67,
        "A" * 100_000,
    ],
)
def test_text_that_is_no_cursor_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(BadCursor, match="`after`") as refusal:
        decode_cursor(text, LIST, "after")
    assert refusal.value.code is ErrorCode.BAD_CURSOR


def test_cursor_of_another_list_is_refused() -> None:
    text = encode_cursor(a_cursor(), "segments of another store")
    with pytest.raises(BadCursor, match="`before` is a cursor of another list"):
        decode_cursor(text, LIST, "before")


def test_cursor_of_another_version_is_refused() -> None:
    raw = bytearray(base64.urlsafe_b64decode(encode_cursor(a_cursor(), LIST) + "="))
    raw[0] = 2
    text = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    with pytest.raises(BadCursor, match="not a cursor of this version"):
        decode_cursor(text, LIST, "after")


def test_padded_or_cut_cursor_is_refused() -> None:
    text = encode_cursor(a_cursor(), LIST)
    for wrong in (text + "=", text[:-1], text[1:], text + "A", " " + text, text.lower()):
        with pytest.raises(BadCursor):
            decode_cursor(wrong, LIST, "after")
