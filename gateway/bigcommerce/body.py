"""The body of an answer, bounded in bytes, however it is compressed."""

import re
import zlib
from collections.abc import AsyncIterator, Callable
from gzip import GzipFile
from io import BytesIO

# 250 segments with the longest plausible texts are well below 1 MiB.
MAXIMUM_ANSWER_BYTES = 8 * 1024 * 1024
# What the client asks for.
ACCEPTED_ENCODING = "gzip"
# RFC 8259, 2 and 8.1: an object or an array behind white space and a byte order mark. No compressed
# body begins so.
PLAIN_JSON = re.compile(rb"(?:\xef\xbb\xbf)?[\t\n\r ]*[{\[]")


class BodyTooLarge(Exception):
    """The body goes beyond `MAXIMUM_ANSWER_BYTES`."""


class BodyUnreadable(Exception):
    """The body is compressed in an unknown way, or is damaged."""


async def read_body(chunks: AsyncIterator[bytes], encoding: str) -> bytes:
    """Returns the body that the chunks are of, without its `Content-Encoding`.

    A body that is JSON as it came is returned so, whatever its `Content-Encoding` says. Raises
    `BodyTooLarge` where it is, compressed or not, and `BodyUnreadable`.
    """
    body = b"".join([chunk async for chunk in _bounded(chunks)])
    codings = [coding for text in encoding.split(",") if (coding := text.strip().lower())]
    # RFC 9110, 8.4.1: identity is no coding, though some servers name it.
    applied = [coding for coding in codings if coding != "identity"]
    if applied and not PLAIN_JSON.match(body):
        if len(applied) > 1 or applied[0] not in DECODERS:
            raise BodyUnreadable
        try:
            body = DECODERS[applied[0]](body)
        except (OSError, EOFError, zlib.error) as error:
            raise BodyUnreadable from error
        if len(body) > MAXIMUM_ANSWER_BYTES:
            raise BodyTooLarge
    return body


async def _bounded(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > MAXIMUM_ANSWER_BYTES:
            raise BodyTooLarge
        yield chunk


def _gunzip(body: bytes) -> bytes:
    # RFC 1952, 2.2: several members are one file. Zeros may follow, as tar pads.
    with GzipFile(fileobj=BytesIO(body)) as file:
        return file.read(MAXIMUM_ANSWER_BYTES + 1)


def _inflate(body: bytes) -> bytes:
    unpack = zlib.decompressobj()
    unpacked = unpack.decompress(body, MAXIMUM_ANSWER_BYTES + 1)
    if not unpack.eof and len(unpacked) <= MAXIMUM_ANSWER_BYTES:
        raise EOFError
    return unpacked


# RFC 9110, 8.4.1; each returns one byte more than the bound of what is larger.
DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate,
}
