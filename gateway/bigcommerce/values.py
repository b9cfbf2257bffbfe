"""Values of the upstream's JSON: each is read leniently, and is None if it cannot be read."""

import json
import re
from datetime import UTC, datetime

import msgspec

# A number in text: whole, with or without a fraction of zeros.
_NUMBER = re.compile(r"\s*(-?[0-9]{1,15})(?:\.0*)?\s*")
# RFC 3339, 5.6; `datetime` takes shorter forms too.
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt ]|$)")
# RFC 3339, 5.7: a minute may have a 61st second, which `datetime` does not know.
_LEAP_SECOND = re.compile(r":60(?=[.,Z+-]|$)")


def decode_json(body: bytes) -> object:
    """Returns the value that the bytes of a body hold.

    A byte order mark and unpaired surrogates (RFC 8259, 8.1 and 8.2) are accepted, and a byte that
    is not UTF-8 becomes U+FFFD. Raises `ValueError` if this is not JSON.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # the standard library accepts more, at a tenth of the speed
    try:
        return json.loads(body.decode("utf-8-sig", "replace"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def text_of(value: object) -> str | None:
    """Returns a string in which each unpaired surrogate is U+FFFD."""
    if not isinstance(value, str):
        return None
    if value.isascii():
        return value
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def whole_number_of(value: object) -> int | None:
    """Returns a whole number, which may be written as `300.0` or as text."""
    if isinstance(value, str) and (matched := _NUMBER.fullmatch(value)):
        return int(matched[1])
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def time_of(value: object) -> datetime | None:
    """Returns a time in UTC; a time without a zone is in UTC.

    A leap second counts as the second before it.
    """
    if not isinstance(value, str) or not _DATE.match(value):
        return None
    try:
        parsed = datetime.fromisoformat(_LEAP_SECOND.sub(":59", value.upper()))
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
