"""Reads the answers of Redis, bounded in bytes: a giant value must not fill the memory."""

from typing import Any

from redis._parsers import _AsyncRESP2Parser
from redis.exceptions import ResponseError

# As large as the largest answer of the upstream; blocks are well below 1 MiB.
MAXIMUM_ANSWER_BYTES = 8 * 1024 * 1024
# The least memory that an element of an array takes.
_ELEMENT_BYTES = 64


class AnswerTooLarge(ResponseError):
    """An answer of Redis takes more than `MAXIMUM_ANSWER_BYTES`; its rest is not read.

    It counts as an error answer: Redis is not away, so that the next fill replaces the value.
    """


class BoundedParser(_AsyncRESP2Parser):
    """redis-py's parser of RESP2, which raises `AnswerTooLarge`; its connection then closes."""

    _left = MAXIMUM_ANSWER_BYTES

    async def read_response(self, disable_decoding: bool = False) -> Any:
        """Returns one answer, with all elements of an array."""
        self._left = MAXIMUM_ANSWER_BYTES
        return await super().read_response(disable_decoding=disable_decoding)

    async def _read(self, length: int) -> bytes:
        self._spend(length)
        return await super()._read(length)

    async def _readline(self) -> bytes:
        self._spend(_ELEMENT_BYTES)
        return await super()._readline()

    def _spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise AnswerTooLarge
