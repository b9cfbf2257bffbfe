"""The store's quota as every answer tells it.

Source: BigCommerce's guide to rate limits: a fixed window per store, shared by all its apps.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_WAIT_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What is left of the window: requests, the window's quota, and seconds until it resets."""

    requests_left: int
    requests_quota: int
    resets_in: float


def read_rate_limit(headers: Mapping[str, str]) -> RateLimit | None:
    """Returns the quota that the `X-Rate-Limit-*` headers tell, None where they are missing.

    A window that ends in more than a day makes no sense, and counts as missing.
    """
    left = _number(headers.get("x-rate-limit-requests-left"))
    quota = _number(headers.get("x-rate-limit-requests-quota"))
    resets_in = _number(headers.get("x-rate-limit-time-reset-ms"))
    if left is None or quota is None or resets_in is None:
        return None
    if resets_in / 1000 > LONGEST_WAIT_SECONDS:
        return None
    return RateLimit(int(left), int(quota), resets_in / 1000)


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Returns the seconds to wait after a 429, None where the answer does not say.

    More than a day makes no sense where a window has 30 seconds, and counts as not said.
    """
    resets_in = _number(headers.get("x-rate-limit-time-reset-ms"))
    seconds = (
        resets_in / 1000
        if resets_in is not None
        else _number(headers.get("x-retry-after") or headers.get("retry-after"))
    )
    return seconds if seconds is not None and seconds <= LONGEST_WAIT_SECONDS else None


def _number(text: str | None) -> float | None:
    # Up to 15 digits: every such number is exact as a float.
    return float(text) if text and re.fullmatch(r" *[0-9]{1,15} *", text) else None
