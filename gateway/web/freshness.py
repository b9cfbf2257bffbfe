"""How fresh an answer is: in `extensions.cache`, and in the headers for caches in front.

Sources: RFC 9110, 8.8.3 (ETag) and 13.1.2 (If-None-Match); RFC 9111, 5.1 (Age) and 5.2.2
(Cache-Control); RFC 9211 (Cache-Status), which replaces RFC 7234's Warning.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, Protocol

from gateway.errors import ErrorCode

# RFC 9211, 2: the name of the cache.
CACHE_NAME: Final = "segments-gateway"
# Proxies take a head of some four kilobytes, which is nginx's default: a tag has 37 characters.
MAXIMUM_TAGGED_ROWS: Final = 50
ETAG_BYTES: Final = 12

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


@dataclass(frozen=True, slots=True)
class HttpCaching:
    """Says how fresh answers are: values are fresh for `seconds`.

    `shared` is whether caches that several clients share may store what a client without
    credentials gets.
    """

    seconds: float
    shared: bool = False

    def times(self, read: WhatWasRead, now: float) -> tuple[int, int]:
        """Returns the age of an answer and how long it is fresh for, in whole seconds."""
        if read.oldest_read_at is None:
            return 0, 0
        age = now - read.oldest_read_at
        return _whole(age), max(0, int(self.seconds - age))

    def age(self, read: WhatWasRead, age: int) -> list[tuple[bytes, bytes]]:
        """Returns `Age`, and `Cache-Status` if the answer is stale."""
        if read.oldest_read_at is None:
            return []
        if not read.is_stale:
            return [(b"age", b"%d" % age)]
        # The negative `ttl` is the time since the oldest value became stale (RFC 9211, 2.4).
        detail = f"; detail={read.stale_because.value}" if read.stale_because else ""
        status = f"{CACHE_NAME}; hit; ttl={int(self.seconds) - age}{detail}"
        return [(b"age", b"%d" % age), (b"cache-status", status.encode())]

    def cache_control(
        self, read: WhatWasRead, age: int, left: int, *, is_anonymous: bool
    ) -> tuple[bytes, bytes]:
        """Returns `Cache-Control` of an answer without errors."""
        if read.oldest_read_at is None or read.is_stale or not self.seconds:
            return NO_STORE
        scope = b"public" if self.shared and is_anonymous else b"private"
        # Caches subtract `Age` (RFC 9111, 4.2.3), so it is added to what is left.
        return (b"cache-control", b"%b, max-age=%d" % (scope, age + left))


def cache_extension(read: WhatWasRead, age: int) -> Mapping[str, object] | None:
    """Returns `extensions.cache`, None for an answer without values from the upstream.

    `age` is that of the oldest value in whole seconds, `error` the code of the upstream error
    because of which a stale value was served.
    """
    if read.oldest_read_at is None:
        return None
    extension: dict[str, object] = {"age": age, "stale": read.is_stale}
    if read.stale_because is not None:
        extension["error"] = read.stale_because.value
    return extension


def _whole(age: float) -> int:
    # Read times are up to some microseconds ahead: the tolerance keeps ages from rounding down.
    return max(0, int(age + 0.001))


def etag_of(data: bytes, media_type: str) -> str:
    """Returns the entity tag of the JSON of `data`, of which each media type has another.

    It is weak, since the age beside `data` changes each second.
    """
    tag = blake2b(media_type.encode(), digest_size=ETAG_BYTES)
    tag.update(data)
    return f'W/"{tag.hexdigest()}"'


def is_not_modified(if_none_match: str, etag: str) -> bool:
    """Whether a condition names the entity tag, compared weakly (RFC 9110, 13.1.2 and 8.8.3.2)."""
    if if_none_match.strip() == "*":
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
