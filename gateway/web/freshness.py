"""How fresh an answer is: in `extensions.cache`, and in the headers for caches in front.

Sources: RFC 9110, 8.8.3 (ETag) and 13.1.2 (If-None-Match); RFC 9111, 5.1 (Age) and 5.2.2
(Cache-Control); RFC 9211 (Cache-Status), which replaces RFC 7234's Warning.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, NamedTuple, Protocol

from gateway.errors import ErrorCode

# RFC 9211, 2: the name of the cache.
CACHE_NAME: Final = "segments-gateway"
# Proxies take a head of some four kilobytes, which is nginx's default: a tag has 37 characters.
MAXIMUM_TAGGED_ROWS: Final = 50
ETAG_BYTES: Final = 12
# The collections without personal data. An answer with any other one is for its client alone.
PUBLIC_COLLECTIONS: Final = frozenset({"segments"})

NO_STORE: Final = (b"cache-control", b"no-store")


class WhatWasRead(Protocol):
    """What an answer contains: a `RequestScope` and an answer in memory say it alike."""

    @property
    def oldest_read_at(self) -> float | None:
        """The time of the oldest value, None for an answer without values of the upstream."""

    @property
    def is_stale(self) -> bool:
        """Whether a value is stale."""

    @property
    def stale_because(self) -> ErrorCode | None:
        """The code of the upstream error because of which a stale value is served."""


class Aged(NamedTuple):
    """How fresh an answer is now: its `age`, and how long it is fresh for, in whole seconds.

    `age` is None for an answer without values of the upstream.
    """

    age: int | None
    left: int
    is_stale: bool
    stale_because: ErrorCode | None


@dataclass(frozen=True, slots=True)
class HttpCaching:
    """Says how fresh answers are: values are fresh for `seconds`.

    `shared` is whether caches that several clients share may store what a client without
    credentials gets, unless it has personal data.
    """

    seconds: float
    shared: bool = False

    def aged(self, read: WhatWasRead, now: float) -> Aged:
        """Returns how fresh an answer is."""
        if read.oldest_read_at is None:
            return Aged(None, 0, read.is_stale, read.stale_because)
        age = now - read.oldest_read_at
        left = max(0, int(self.seconds - age))
        return Aged(_whole(age), left, read.is_stale, read.stale_because)

    def age(self, aged: Aged) -> list[tuple[bytes, bytes]]:
        """Returns `Age`, and `Cache-Status` if the answer is stale."""
        if aged.age is None:
            return []
        if not aged.is_stale:
            return [(b"age", b"%d" % aged.age)]
        # The negative `ttl` is the time since the oldest value became stale (RFC 9211, 2.4).
        detail = f"; detail={aged.stale_because.value}" if aged.stale_because else ""
        status = f"{CACHE_NAME}; hit; ttl={int(self.seconds) - aged.age}{detail}"
        return [(b"age", b"%d" % aged.age), (b"cache-status", status.encode())]

    def cache_control(self, aged: Aged, *, is_for_all: bool) -> tuple[bytes, bytes]:
        """Returns `Cache-Control` of an answer without errors."""
        if aged.age is None or aged.is_stale or not self.seconds:
            return NO_STORE
        scope = b"public" if self.shared and is_for_all else b"private"
        # Caches subtract `Age` (RFC 9111, 4.2.3), so it is added to what is left.
        return (b"cache-control", b"%b, max-age=%d" % (scope, aged.age + aged.left))


def cache_extension(aged: Aged) -> Mapping[str, object] | None:
    """Returns `extensions.cache`, None for an answer without values from the upstream.

    `age` is that of the oldest value in whole seconds, `error` the code of the upstream error
    because of which a stale value was served.
    """
    if aged.age is None:
        return None
    extension: dict[str, object] = {"age": aged.age, "stale": aged.is_stale}
    if aged.stale_because is not None:
        extension["error"] = aged.stale_because.value
    return extension


def _whole(age: float) -> int:
    # Read times are up to some microseconds ahead: the tolerance keeps ages from rounding down.
    return max(0, int(age + 0.001))


def is_public(collections: Iterable[str]) -> bool:
    """Whether an answer with rows of these collections has no personal data."""
    return PUBLIC_COLLECTIONS.issuperset(collections)


def etag_of(data: Iterable[bytes | memoryview], media_type: str) -> str:
    """Returns the entity tag of the JSON of `data`, of which each media type has another.

    It is weak, since the age beside `data` changes each second.
    """
    tag = blake2b(media_type.encode(), digest_size=ETAG_BYTES)
    for part in data:
        tag.update(part)
    return f'W/"{tag.hexdigest()}"'


def is_not_modified(if_none_match: str, etag: str) -> bool:
    """Whether a condition names the entity tag, compared weakly (RFC 9110, 13.1.2 and 8.8.3.2)."""
    if if_none_match == etag or if_none_match.strip() == "*":
        return True
    return etag.removeprefix("W/") in {
        tag.strip().removeprefix("W/") for tag in if_none_match.split(",")
    }


def cache_tags(collections: Iterable[str], row_ids: Iterable[str]) -> str:
    """Returns `Cache-Tag`, by which a cache in front finds what to purge.

    It has the names of the collections, and the ids of up to `MAXIMUM_TAGGED_ROWS` rows.
    """
    ids = list(dict.fromkeys(row_ids))
    return ",".join([*sorted(collections), *(ids if len(ids) <= MAXIMUM_TAGGED_ROWS else ())])
