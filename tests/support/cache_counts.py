"""What a cache has counted, of all collections together."""

from collections.abc import Mapping
from dataclasses import astuple

from gateway.cache.counts import CacheCounts


def total_of(counts: Mapping[str, CacheCounts]) -> CacheCounts:
    """The counts of all collections."""
    return CacheCounts(*map(sum, zip(*map(astuple, counts.values()), strict=True)))
