"""The body of an answer, bounded in bytes, however it is compressed."""

import zlib
from collections.abc import AsyncIterator

# 250 segments with the longest plausible texts are well below 1 MiB.
MAXIMUM_ANSWER_BYTES = 8 * 1024 * 1024
# What the client asks for; each chunk of it is unpacked no further than the bound.
ACCEPTED_ENCODING = "gzip"
GZIP = 16 + zlib.MAX_WBITS


class BodyTooLarge(Exception):
    """The body goes beyond `MAXIMUM_ANSWER_BYTES`."""


class BodyUnreadable(Exception):
    """The body is not compressed in a way that was asked for."""


async def read_body(chunks: AsyncIterator[bytes], encoding: str) -> bytes:
    """Returns the body that the chunks are of, as it was before a `Content-Encoding`.

    Raises `BodyTooLarge` as soon as it is, and `BodyUnreadable`.
    """
    if encoding not in ("", "identity", ACCEPTED_ENCODING):
        raise BodyUnreadable
    unpack = zlib.decompressobj(GZIP) if encoding == ACCEPTED_ENCODING else None
    body = bytearray()
    async for chunk in chunks:
        room = MAXIMUM_ANSWER_BYTES + 1 - len(body)
        try:
            body += chunk if unpack is None else unpack.decompress(chunk, room)
        except zlib.error as error:
            raise BodyUnreadable from error
        if len(body) > MAXIMUM_ANSWER_BYTES:
            raise BodyTooLarge
    return bytes(body)
