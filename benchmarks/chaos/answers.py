"""What one answer is: fresh, stale, stale because of an error, an error by its code, or wrong."""

from collections.abc import Mapping

import msgspec

FRESH, STALE, STALE_ON_ERROR = "fresh", "stale", "stale on error"
GOOD = (FRESH, STALE, STALE_ON_ERROR)
WRONG = "wrong"
# Each query of the mix reads something, whose age has to be told.
UNTOLD = "age not told"


class Cache(msgspec.Struct):
    """`extensions.cache` of an answer."""

    stale: bool
    error: str | None = None


class Extensions(msgspec.Struct):
    """`extensions` of an answer."""

    cache: Cache | None = None


class ErrorExtensions(msgspec.Struct):
    """`extensions` of an error."""

    code: str = "no code"


class Error(msgspec.Struct):
    """An error; its path begins with the field of the query that it is about."""

    path: list[str | int] = []
    extensions: ErrorExtensions = msgspec.field(default_factory=ErrorExtensions)


class Body(msgspec.Struct):
    """An answer of GraphQL."""

    data: dict[str, object] | None = None
    errors: list[Error] = []
    extensions: Extensions = msgspec.field(default_factory=Extensions)


def outcome_of(status: int, content: bytes, expected: Mapping[str, object]) -> str:
    """Returns one of `GOOD`, the code of the first error, `status N`, `WRONG` or `UNTOLD`.

    Beside an error all other fields have to be right.
    """
    if status != 200:
        return f"status {status}"
    try:
        body = msgspec.json.decode(content, type=Body)
    except msgspec.DecodeError:
        return WRONG
    failed = {error.path[0] for error in body.errors if error.path}
    if body.data is None:
        return body.errors[0].extensions.code if body.errors else WRONG
    if any(body.data.get(name) != right for name, right in expected.items() if name not in failed):
        return WRONG
    if body.errors:
        return body.errors[0].extensions.code
    if body.extensions.cache is None:
        return UNTOLD
    if body.extensions.cache.error is not None:
        return STALE_ON_ERROR
    return STALE if body.extensions.cache.stale else FRESH
