"""The lookups of segments, as plans make them."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

from gateway.bigcommerce import models
from gateway.data_source import ALL_SEGMENTS
from gateway.identity import AccessScope
from gateway.pagination import MAXIMUM_ROWS
from gateway.schema.plans.fields import LookupField
from gateway.schema.segment import segment


def planned_lookup(
    ids: Mapping[str, Callable[[Any], str]], *, is_of_entities: bool = False
) -> LookupField[models.Segment]:
    """Returns the declaration of a field that looks up segments by one of these arguments.

    Each function returns the uuid of a value of its argument; it raises `GatewayError`.
    """
    return LookupField(
        ALL_SEGMENTS,
        attrgetter("segment_lookups"),
        ids,
        MAXIMUM_ROWS,
        segment,
        "Segment",
        AccessScope.SEGMENTS_READ,
        is_of_entities,
    )
