"""The writes of the graph's mutations: each answers for every item, whatever happens midway."""

from gateway.data_source.writes.profile_writes import ProfileWrites
from gateway.data_source.writes.segment_writes import SegmentWrites


class Writes(SegmentWrites, ProfileWrites):
    """Writes to one store, in batches.

    Each method returns a list as long as its input and in the same order: what was written, or the
    `UserError` of an item that was not. Uuids are in lower case, and no input but that of
    `update_segments` has an id twice. Raises `UpstreamError` if nothing was changed, and the reason
    lies with the upstream or the gateway's token.
    """
