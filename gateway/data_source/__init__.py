"""Segments, read through the cache: the only room that knows both the client and the cache.

`blocks` reads the list, `lookups` single segments by id; both put what they read into one pool,
whose keys and bytes are `stored`, under the limits of the upstream that are `learned`.
"""

from gateway.data_source.answers import SegmentReader
from gateway.data_source.blocks import SegmentSource
from gateway.data_source.learned import LOOKUP_IDS, LearnedLimits
from gateway.data_source.lookups import Kept, SegmentLookups
from gateway.data_source.stored import StoredKeys

__all__ = [
    "LOOKUP_IDS",
    "Kept",
    "LearnedLimits",
    "SegmentLookups",
    "SegmentReader",
    "SegmentSource",
    "StoredKeys",
]
