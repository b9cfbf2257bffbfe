"""The store's quota as every answer tells it.

Source: BigCommerce's guide to rate limits: a fixed window per store, shared by all its apps.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What is left of the window: requests, the window's quota, and seconds until it resets."""

    requests_left: int
    requests_quota: int
    resets_in: float


def read_rate_limit(headers: Mapping[str, str]) -> RateLimit | None:
    """Returns the quota that the `X-Rate-Limit-*` headers tell, None where they are missing."""
    left = _number(headers.get("x-rate-limit-requests-left"))
    quota = _number(headers.get("x-rate-limit-requests-quota"))
    resets_in = _number(headers.get("x-rate-limit-time-reset-ms"))
    if left is None or quota is None or resets_in is None:
        return None
    return RateLimit(int(left), int(quota), resets_in / 1000)


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """Returns the seconds to wait after a 429, None where the answer does not say."""
    resets_in = _number(headers.get("x-rate-limit-time-reset-ms"))
    if resets_in is not None:
        return resets_in / 1000
    return _number(headers.get("x-retry-after") or headers.get("retry-after"))


def _number(text: str | None) -> float | None:
    # Up to 15 digits: every such number is exact as a float.
    return float(text) if text and re.fullmatch(r" *[0-9]{1,15} *", text) else None
