"""What the body of an answer is, however it was sent."""

import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import pytest

from gateway.bigcommerce.body import (
    MAXIMUM_ANSWER_BYTES,
    BodyTooLarge,
    BodyUnreadable,
    read_body,
)
from gateway.bigcommerce.values import decode_json

JSON = b'{"data": [], "meta": {}}'
HALVES = gzip.compress(JSON[:9]) + gzip.compress(JSON[9:])


async def chunks_of(body: bytes, size: int) -> AsyncIterator[bytes]:
    for at in range(0, len(body), size):
        yield body[at : at + size]


# The `Content-Encoding` and the body, which both mean the JSON above.
READABLE = {
    "plain": ("", JSON),
    "identity": ("identity", JSON),
    "empty codings": (" , ,", JSON),
    "gzip": ("gzip", gzip.compress(JSON)),
    "in capitals": (" GZip ", gzip.compress(JSON)),
    "x-gzip, RFC 9110, 8.4.1.3": ("x-gzip", gzip.compress(JSON)),
    "gzip and identity": ("gzip, identity", gzip.compress(JSON)),
    "identity and gzip": ("identity,gzip", gzip.compress(JSON)),
    "gzip of two members, RFC 1952, 2.2": ("gzip", HALVES),
    "gzip with an empty member": ("gzip", gzip.compress(b"") + HALVES + gzip.compress(b"")),
    "gzip with zeros behind it": ("gzip", gzip.compress(JSON) + bytes(512)),
    "gzip with zeros between": (
        "gzip",
        gzip.compress(JSON[:9]) + bytes(8) + gzip.compress(JSON[9:]),
    ),
    "a byte order mark": ("", b"\xef\xbb\xbf" + JSON),
    "a byte order mark in gzip": ("gzip", gzip.compress(b"\xef\xbb\xbf" + JSON)),
    "unknown, but plain": ("utf-8", JSON),
    "brotli, but plain": ("br", JSON),
    "gzip, but plain": ("gzip", JSON),
    "two codings, but plain": ("gzip, br", JSON),
    "unknown, but plain behind a byte order mark": ("none", b"\xef\xbb\xbf" + JSON),
}


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(("encoding", "body"), READABLE.values(), ids=READABLE.keys())
async def test_body_that_can_be_read_is_read(encoding: str, body: bytes, size: int) -> None:
    assert decode_json(await read_body(chunks_of(body, size), encoding)) == {"data": [], "meta": {}}


async def test_white_space_before_json_stays() -> None:
    assert await read_body(chunks_of(b"\r\n\t [1]", 3), "br") == b"\r\n\t [1]"


async def test_no_body_is_an_empty_one() -> None:
    assert await read_body(chunks_of(b"", 1), "") == b""
    for encoding in ("gzip", "br", "gzip, gzip"):
        assert await read_body(chunks_of(b"", 1), encoding) == b""


UNREADABLE = {
    "gzip cut off in its text": ("gzip", gzip.compress(JSON)[:-12]),
    "gzip cut off in its checksum": ("gzip", gzip.compress(JSON)[:-1]),
    "gzip cut off in its second member": ("gzip", HALVES[:-9]),
    "gzip cut off in its header": ("gzip", gzip.compress(JSON)[:5]),
    "gzip with a wrong checksum": ("gzip", gzip.compress(JSON)[:-8] + bytes(8)),
    "gzip with text behind it": ("gzip", gzip.compress(JSON) + b"text"),
    "text in place of gzip": ("gzip", b"text"),
    "deflate, which was not asked for": ("deflate", zlib.compress(JSON)),
    "brotli": ("br", b"\x0b\x0b\x80" + JSON + b"\x03"),
    "gzip twice": ("gzip, gzip", gzip.compress(gzip.compress(JSON))),
    "gzip and brotli": ("br, gzip", gzip.compress(b"\x0b\x0b\x80")),
}


@pytest.mark.parametrize(("encoding", "body"), UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_body_that_cannot_be_read_is_none(encoding: str, body: bytes) -> None:
    with pytest.raises(BodyUnreadable):
        await read_body(chunks_of(body, 1000), encoding)


HALF = MAXIMUM_ANSWER_BYTES // 2


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("", b"x" * MAXIMUM_ANSWER_BYTES),
        ("gzip", gzip.compress(b"x" * MAXIMUM_ANSWER_BYTES)),
        ("gzip", gzip.compress(b"x" * HALF) * 2),
    ],
    ids=["plain", "gzip", "two members"],
)
async def test_body_of_the_bound_is_read(encoding: str, body: bytes) -> None:
    read = await read_body(chunks_of(body, 65536), encoding)
    assert len(read) == MAXIMUM_ANSWER_BYTES


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("", b"x" * (MAXIMUM_ANSWER_BYTES + 1)),
        ("gzip", gzip.compress(b"x" * (MAXIMUM_ANSWER_BYTES + 1))),
        ("gzip", gzip.compress(b"x" * HALF) * 2 + gzip.compress(b"x")),
        ("gzip", gzip.compress(b"x" * (MAXIMUM_ANSWER_BYTES + 1), 0)),
    ],
    ids=["plain", "gzip", "three members", "gzip that compresses nothing"],
)
async def test_larger_body_is_too_large(encoding: str, body: bytes) -> None:
    with pytest.raises(BodyTooLarge):
        await read_body(chunks_of(body, 65536), encoding)


@pytest.mark.parametrize(
    "first", [b"", gzip.compress(JSON)], ids=["in the first member", "in the second member"]
)
async def test_bomb_in_any_member_is_never_held_unpacked(first: bytes) -> None:
    bomb = first + gzip.compress(b"x" * 100_000_000, 9)
    tracemalloc.start()
    try:
        with pytest.raises(BodyTooLarge):
            await read_body(chunks_of(bomb, len(bomb)), "gzip")
        assert tracemalloc.get_traced_memory()[1] < 4 * MAXIMUM_ANSWER_BYTES
    finally:
        tracemalloc.stop()


async def test_many_small_members_are_read_in_one_go() -> None:
    body = gzip.compress(b"1") * 20_000
    assert await read_body(chunks_of(body, 65536), "gzip") == b"1" * 20_000
