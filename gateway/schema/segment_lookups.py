"""Segments by id."""

from collections.abc import Sequence

from gateway.bigcommerce import models
from gateway.errors import BadUserInput, GatewayError, UpstreamError
from gateway.identity import AccessScope
from gateway.request_scope import record_rows
from gateway.schema.context import Info
from gateway.schema.node import checked_entity_id, entity_id_of
from gateway.schema.row_lookups import look_up_rows
from gateway.schema.segment import Segment, segment


def segment_id(text: str) -> str:
    """Returns the uuid that the global id of a segment holds; raises `BadUserInput`."""
    return entity_id_of(text, "Segment")


def one_segment_id(
    global_id: str | None, entity_id: str | None, names: str = "`id` and `entityId`"
) -> str:
    """Returns the uuid of one of the two ids; raises `BadUserInput` for none, both or a bad one.

    `names` are those of the two, for the message.
    """
    if entity_id is not None and global_id is None:
        return checked_entity_id(entity_id)
    if global_id is not None and entity_id is None:
        return segment_id(global_id)
    raise BadUserInput(f"Pass exactly one of {names}.")


async def look_up_segments(info: Info, ids: Sequence[str | GatewayError]) -> list[Segment | None]:
    """Returns the segments with these uuids, as `look_up_rows` does."""

    async def load(uuids: Sequence[str]) -> list[models.Segment | UpstreamError | None]:
        loaded = await info.context.segment_lookups.load(uuids)
        record_rows([row for row in loaded if not isinstance(row, GatewayError)])
        return loaded

    return await look_up_rows(info, AccessScope.SEGMENTS_READ, ids, load, segment)
