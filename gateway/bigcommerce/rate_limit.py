"""The rate-limit headers of an answer.

Source: BigCommerce's guide to rate limits: a fixed window per store, shared by all its apps.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz

# Longer times in headers are cut to this, so that a wrong header stops requests no longer.
LONGEST_SECONDS = 60.0
# The documented window, for an answer without its own.
DEFAULT_WINDOW_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The requests left in a window, its size, the seconds until it resets, and its length.

    `is_reset_named` is False if the answer has no reset.
    """

    remaining: int
    limit: int
    resets_in: float
    window: float = DEFAULT_WINDOW_SECONDS
    is_reset_named: bool = True


def read_rate_limit(headers: Mapping[str, str]) -> RateLimit | None:
    """Reads the `X-Rate-Limit-*` headers of an answer, None without the requests left.

    If a proxy has duplicated a header, the stricter value counts. The default of the quota is the
    number of requests left, that of the reset is a whole window.
    """
    left = _numbers(headers, "x-rate-limit-requests-left")
    if not left:
        return None
    remaining = int(min(left))
    limit = int(min(_numbers(headers, "x-rate-limit-requests-quota"), default=remaining))
    window = max(_numbers(headers, "x-rate-limit-time-window-ms"), default=0.0) / 1000
    window = min(window or DEFAULT_WINDOW_SECONDS, LONGEST_SECONDS)
    resets = _numbers(headers, "x-rate-limit-time-reset-ms")
    resets_in = min(max(resets) / 1000, LONGEST_SECONDS) if resets else window
    return RateLimit(min(remaining, limit), limit, resets_in, max(window, resets_in), bool(resets))


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Reads the seconds to wait after a 429, `LONGEST_SECONDS` at most; None without any.

    RFC 9110, 10.2.3: `Retry-After` is seconds or a date, which counts from the answer's own `Date`.
    """
    seconds = [
        *(number / 1000 for number in _numbers(headers, "x-rate-limit-time-reset-ms")),
        *_numbers(headers, "x-retry-after"),
        *_numbers(headers, "retry-after"),
    ]
    until, now = _date(headers.get("retry-after")), _date(headers.get("date"))
    if until is not None and now is not None:
        seconds.append(until - now)
    longest = max(seconds, default=0.0)
    return min(longest, LONGEST_SECONDS) if longest > 0 else None


def _numbers(headers: Mapping[str, str], name: str) -> list[float]:
    """Returns the numbers in a header; a negative one counts as 0."""
    parts = headers.get(name, "").split(",")
    # Up to 15 digits: every such number is exact as a float.
    numbers = [part for part in parts if re.fullmatch(r"\s*-?[0-9]{1,15}(\.[0-9]*)?\s*", part)]
    return [max(0.0, float(number)) for number in numbers]


def _date(text: str | None) -> int | None:
    """Returns seconds since the epoch, None if the text is not a date."""
    parsed = parsedate_tz(text or "")
    try:
        return None if parsed is None else mktime_tz(parsed)
    except (OverflowError, ValueError):
        return None
