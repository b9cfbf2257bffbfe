"""Writes to the store, in batches, with an outcome for each item whatever happens midway.

`writes` has a method for each mutation, and `inputs` what it takes. `batches` sends items and finds
out which of them a refusal is about; `progress` knows what has become of each. `running` carries a
mutation to its end, and announces what it changed. `segment_creation`, `segment_update`, `by_ids`
say how one batch is built and read; `store_segments` reads what a mutation has to know, and
`reasons` has the user errors.
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
