"""Lookups by id as one pool: whatever is asked close together travels in one upstream request.

`segments` says what is asked for at all: not what the cache knows. `pool` gathers it.
"""

from gateway.loaders.segments import SegmentLoader

__all__ = ["SegmentLoader"]
