"""Writes to the store, in batches, with an outcome for each item whatever happens midway.

writes          a method for each mutation, from `segment_writes` and `profile_writes`
store_writes    what these two share
inputs          what the methods take
running         carries a mutation to its end, and announces what it changed
progress        what has become of each item, at any moment
batches         sends items in batches, and finds out which item a refusal is about
segment_creation, segment_update, profile_creation, by_ids
                how a batch is built, and how its refusals are looked into
customer_memberships
                puts customers into a segment and takes them out, in several of these steps
store_segments, store_customers
                what the store has, read past the cache
reasons         the user errors
"""

from gateway.data_source.writes.inputs import (
    UNCHANGED,
    IfNameTaken,
    MembershipOutcome,
    NewSegment,
    SegmentChange,
    Unchanged,
)
from gateway.data_source.writes.writes import Writes

__all__ = [
    "UNCHANGED",
    "IfNameTaken",
    "MembershipOutcome",
    "NewSegment",
    "SegmentChange",
    "Unchanged",
    "Writes",
]
