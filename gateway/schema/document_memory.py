"""The texts of documents by their SHA-256, in bounded memory that clients share fairly."""

import math
import sys
from dataclasses import dataclass

from cachetools import LRUCache

# What an entry takes beside its text. It bounds the number of entries, too.
ENTRY_BYTES = 600


@dataclass(slots=True)
class StoredDocument:
    """A text, and when this process last wrote it to Redis, in seconds of the store's clock."""

    text: str
    written_at: float


class DocumentMemory:
    """Documents by hash, up to `max_bytes`, each in the share of the client that brought it.

    When the memory is full, the client with the largest share loses its least recently used
    document. So a client that brings documents without end empties its own share alone, and a
    client that is alone has all of the memory.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._owners: dict[str, str] = {}
        self._shares: dict[str, LRUCache[str, StoredDocument]] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._owners)

    def get(self, sha256: str) -> StoredDocument | None:
        """Returns the document, now the most recently used of its share."""
        owner = self._owners.get(sha256)
        return None if owner is None else self._shares[owner][sha256]

    def add(self, sha256: str, document: StoredDocument, client: str) -> None:
        """Adds a document that is not there to the share of a client, and makes room for it."""
        share = self._shares.get(client)
        if share is None:
            share = self._shares[client] = LRUCache(math.inf, getsizeof=_size)
        self._owners[sha256] = client
        share[sha256] = document
        self.bytes += _size(document)
        while self.bytes > self._max_bytes:
            self._drop_one()

    def _drop_one(self) -> None:
        client = max(self._shares, key=lambda client: self._shares[client].currsize)
        share = self._shares[client]
        sha256, document = share.popitem()
        del self._owners[sha256]
        self.bytes -= _size(document)
        if not share:
            del self._shares[client]


def _size(document: StoredDocument) -> int:
    return sys.getsizeof(document.text) + ENTRY_BYTES
