"""The lookups of segments, as plans make them: the ids that the arguments of a field ask for."""

from collections.abc import Callable, Sequence
from operator import attrgetter

from gateway.bigcommerce import models
from gateway.data_source import ALL_SEGMENTS
from gateway.identity import AccessScope
from gateway.schema.node import checked_entity_id
from gateway.schema.plans.fields import Arguments, LookupField
from gateway.schema.segment import segment
from gateway.schema.segment_lookups import check_number, one_segment_id, segment_id


def planned_lookup(
    ids: Callable[[Arguments], Sequence[str]], *, is_of_entities: bool = False
) -> LookupField[models.Segment]:
    """Returns the declaration of a field that looks up the segments with these uuids."""
    return LookupField(
        ALL_SEGMENTS,
        attrgetter("segment_lookups"),
        ids,
        segment,
        "Segment",
        AccessScope.SEGMENTS_READ,
        is_of_entities,
    )


def of_segment(arguments: Arguments) -> Sequence[str]:
    """The id of `segment`."""
    return [one_segment_id(arguments.get("id"), arguments.get("entityId"))]


def of_segments_by_entity_id(arguments: Arguments) -> Sequence[str]:
    """The ids of `segmentsByEntityId`."""
    check_number(arguments["entityIds"], "entityIds")
    return [checked_entity_id(text) for text in arguments["entityIds"]]


def of_node(arguments: Arguments) -> Sequence[str]:
    """The id of `node`."""
    return [segment_id(arguments["id"])]


def of_nodes(arguments: Arguments) -> Sequence[str]:
    """The ids of `nodes`."""
    check_number(arguments["ids"], "ids")
    return [segment_id(text) for text in arguments["ids"]]
