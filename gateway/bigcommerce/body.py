"""The body of an answer, bounded in bytes before and after decompression."""

import re
import zlib
from collections.abc import AsyncIterator
from gzip import GzipFile
from io import BytesIO

# 250 segments with the longest plausible texts are well below 1 MiB.
MAXIMUM_ANSWER_BYTES = 8 * 1024 * 1024
# The `Accept-Encoding` of the client.
ACCEPTED_ENCODING = "gzip"
# RFC 9110, 8.4.1.3: recipients treat x-gzip as gzip.
GZIP = (["gzip"], ["x-gzip"])
# RFC 8259, 2 and 8.1: an object or an array behind white space and a byte order mark. No gzip body
# begins with these bytes.
PLAIN_JSON = re.compile(rb"(?:\xef\xbb\xbf)?[\t\n\r ]*[{\[]")


class BodyTooLarge(Exception):
    """The body is larger than `MAXIMUM_ANSWER_BYTES`."""

    def __init__(self) -> None:
        super().__init__(f"is larger than {MAXIMUM_ANSWER_BYTES} bytes")


class BodyUnreadable(Exception):
    """The body is compressed in an unknown encoding, or is damaged."""

    def __init__(self) -> None:
        super().__init__("cannot be decompressed")


async def read_body(chunks: AsyncIterator[bytes], encoding: str) -> bytes:
    """Returns the body of these chunks, decompressed.

    Plain JSON is returned unchanged, with any `Content-Encoding`. Raises `BodyTooLarge` beyond
    8 MiB, compressed or not, and `BodyUnreadable`.
    """
    body = b"".join([chunk async for chunk in _bounded(chunks)])
    codings = [coding for text in encoding.split(",") if (coding := text.strip().lower())]
    # RFC 9110, 8.4.1: identity means no coding; some servers send it anyway.
    applied = [coding for coding in codings if coding != "identity"]
    if not applied or not body or PLAIN_JSON.match(body):
        return body
    if applied not in GZIP:
        raise BodyUnreadable
    try:
        # RFC 1952, 2.2: several members are one file. Zeros may follow, as tar pads.
        with GzipFile(fileobj=BytesIO(body)) as file:
            body = file.read(MAXIMUM_ANSWER_BYTES + 1)
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
