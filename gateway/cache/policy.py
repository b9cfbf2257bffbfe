"""The freshness of a cached value by its age: fresh, stale or expired.

Source: RFC 9111 (HTTP Caching), 4.2, and RFC 5861 (stale-while-revalidate, stale-if-error).
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

from gateway.errors import ErrorCode

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Entry(Generic[Value]):
    """A cached value; `read_at` is the time in seconds at which its request was sent upstream.

    So an age includes the duration of the request (RFC 9111, 4.2.3). `stale_because` is the code
    of the upstream error because of which a stale entry is served; it is not stored.
    """

    read_at: float
    value: Value
    stale_because: ErrorCode | None = field(default=None, compare=False)


class Freshness(Enum):
    """How a value may be served."""

    FRESH = "served as it is"
    STALE_WHILE_REVALIDATE = "served while a background refresh runs"
    STALE_IF_ERROR = "served only if the upstream fails or is slow"
    EXPIRED = "not served"

    @property
    def is_served_at_once(self) -> bool:
        """Whether it is served without waiting for the upstream."""
        return self in (Freshness.FRESH, Freshness.STALE_WHILE_REVALIDATE)


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """Durations in seconds: a value is fresh for `ttl`; the other two begin at the end of `ttl`.

    A `ttl` of 0 turns the cache off.
    """

    ttl: float
    stale_while_revalidate: float = 0.0
    stale_if_error: float = 0.0

    @property
    def max_age(self) -> float:
        """Seconds after which a value has expired; 0 if the cache is off."""
        return self.ttl + max(self.stale_while_revalidate, self.stale_if_error) if self.ttl else 0.0

    def freshness_at(self, age: float, *, may_revalidate: bool = True) -> Freshness:
        """Returns the freshness of a value of this age in seconds.

        Without `may_revalidate`, a stale value is served only if the upstream fails or is slow.
        """
        # A value from the future was stamped by a process whose clock is wrong.
        if not self.ttl or age < -self.ttl:
            return Freshness.EXPIRED
        if age < self.ttl:
            return Freshness.FRESH
        if may_revalidate and age < self.ttl + self.stale_while_revalidate:
            return Freshness.STALE_WHILE_REVALIDATE
        if age < self.ttl + self.stale_if_error:
            return Freshness.STALE_IF_ERROR
        return Freshness.EXPIRED
