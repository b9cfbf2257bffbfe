"""Apollo's automatic persisted queries: documents that clients store by their SHA-256.

Source: https://www.apollographql.com/docs/apollo-server/performance/apq. Nothing is stored before
it has proved valid, and what Redis has is compared with its hash: Redis is not trusted.
"""

import re
from collections.abc import Callable
from hashlib import sha256 as new_sha256
from typing import TYPE_CHECKING, cast

from gateway.redis.keys import key
from gateway.schema.document_memory import DocumentMemory, StoredDocument

if TYPE_CHECKING:
    from gateway.redis.connection import RedisClient, RedisConnection

# As a client sends a hash, and as the draft of Persisted Documents wants it.
SHA256_HEX = re.compile("[0-9a-f]{64}")
MEMORY_BYTES = 4 * 1024**2
# In UTF-8. A document within the limits takes less than half of it; comments can take more.
MOST_BYTES = 32 * 1024
# Redis has one key for each beginning of a hash: 4096 keys, 128 MiB at the most. A newer document
# replaces the one in its place, so that no client can fill Redis.
SLOT_DIGITS = 3
EXPIRY_SECONDS = 24 * 60 * 60
# A document in use is written to Redis again after this time.
REWRITE_SECONDS = 10 * 60


class PersistedDocuments:
    """Documents by hash, in memory and, if there is one, in a Redis that all processes share.

    If Redis fails, documents are missed and not stored; their clients send them again.
    """

    def __init__(
        self, redis: "RedisConnection | None", store_key: str, clock: Callable[[], float]
    ) -> None:
        self._redis = redis
        self._store_key = store_key
        self._clock = clock
        self.memory = DocumentMemory(MEMORY_BYTES)

    def in_memory(self, sha256: str) -> str | None:
        """Returns the text with this hash if it is in memory, and Redis needs no new copy."""
        stored = self.memory.get(sha256)
        return None if stored is None or self._is_due(stored) else stored.text

    async def find(self, sha256: str) -> str | None:
        """Returns the text with this hash, None if it is not stored."""
        stored = self.memory.get(sha256)
        if stored is not None:
            return stored.text
        if self._redis is None or not SHA256_HEX.fullmatch(sha256):
            return None
        return await self._read(self._redis, sha256)

    def knows(self, sha256: str, text: str) -> bool:
        """Whether the text is in memory under this hash; then it need not be hashed."""
        stored = self.memory.get(sha256)
        return stored is not None and stored.text == text

    async def keep(self, sha256: str, text: str, client: str) -> None:
        """Stores a valid document with its hash for a client; one beyond 32 KiB is not stored."""
        stored = self.memory.get(sha256)
        if stored is None:
            if len(text.encode()) > MOST_BYTES:
                return
            stored = StoredDocument(text, self._clock())
            self.memory.add(sha256, stored, client)
        elif not self._is_due(stored):
            return
        if self._redis is not None:
            stored.written_at = self._clock()
            await self._write(self._redis, sha256, text)

    def _is_due(self, stored: StoredDocument) -> bool:
        return self._redis is not None and self._clock() >= stored.written_at + REWRITE_SECONDS

    async def _read(self, redis: "RedisConnection", sha256: str) -> str | None:
        async def read(client: "RedisClient") -> bytes:
            # A range: what others have put there may be of any size.
            value = cast("bytes", await client.getrange(self._key(sha256), 0, MOST_BYTES))
            return value if new_sha256(value).hexdigest() == sha256 else b""

        try:
            return (await redis.run(read, b"")).decode() or None
        except UnicodeDecodeError:
            return None

    async def _write(self, redis: "RedisConnection", sha256: str, text: str) -> None:
        await redis.run(
            lambda client: client.set(self._key(sha256), text.encode(), ex=EXPIRY_SECONDS),
            None,
            purpose="documents",
        )

    def _key(self, sha256: str) -> str:
        return f"{self._store_key}:{key('document', sha256[:SLOT_DIGITS])}"
