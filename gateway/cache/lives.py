"""How long a cached value is of use, and for what: fresh, stale, then stale only on an error.

Source: RFC 9111 (HTTP Caching), 4.2, and RFC 5861 (stale-while-revalidate, stale-if-error).
"""

from dataclasses import dataclass, field
from enum import Enum
from struct import Struct
from zlib import crc32

from gateway.errors import ErrorCode

# When it was read, and a checksum of the value.
_STAMP = Struct(">dI")


@dataclass(frozen=True, slots=True)
class Entry:
    """A cached value; `read_at` is the time in seconds at which its request was sent upstream.

    The age so counted holds the time of the request itself (RFC 9111, 4.2.3). `stale_for` is the
    code of the error for which it had to do in this read, though it was stale; it is not stored.
    """

    read_at: float
    value: bytes
    stale_for: ErrorCode | None = field(default=None, compare=False)


class Use(Enum):
    """What an entry may still be used for."""

    FRESH = "fresh"
    WHILE_REVALIDATE = "stale, while a newer one is read"
    IF_ERROR = "stale, where the upstream fails"


@dataclass(frozen=True, slots=True)
class Lives:
    """Seconds: `fresh` is the lifetime; the other two begin where that ends. 0 means none."""

    fresh: float
    while_revalidate: float = 0.0
    if_error: float = 0.0

    @property
    def longest(self) -> float:
        """Seconds after which a value is of no use at all; 0 where nothing is to be kept."""
        return self.fresh + max(self.while_revalidate, self.if_error) if self.fresh else 0.0

    def use_at(self, age: float) -> Use | None:
        """Returns what a value of this age is good for."""
        # One from the future was stamped by a process whose clock goes wrong.
        if not self.fresh or age < -self.fresh:
            return None
        if age < self.fresh:
            return Use.FRESH
        if age < self.fresh + self.while_revalidate:
            return Use.WHILE_REVALIDATE
        return Use.IF_ERROR if age < self.fresh + self.if_error else None


def encode(entry: Entry) -> bytes:
    """Returns the entry as the cache's tiers keep it."""
    return _STAMP.pack(entry.read_at, crc32(entry.value)) + entry.value


def decode(raw: bytes | None) -> Entry | None:
    """Returns the entry; None for a miss, and for bytes that are none, as damaged ones."""
    if raw is None or len(raw) < _STAMP.size:
        return None
    read_at, checksum = _STAMP.unpack_from(raw)
    value = raw[_STAMP.size :]
    return Entry(read_at, value) if crc32(value) == checksum else None
