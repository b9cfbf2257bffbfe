"""The payloads of mutations: what worked in the order of the input, the rest as `userErrors`."""

from typing import Any

import strawberry

from gateway.schema.federation import TAGS
from gateway.schema.mutations.user_errors import ItemError
from gateway.schema.query import Query
from gateway.schema.segment import Segment


def query_root() -> Query:
    """Returns the query root: its fields need nothing of it."""
    return Query()


def _query() -> Any:
    return strawberry.field(
        resolver=query_root,
        description=(
            "The query root, read after the write: what else changed, in the same round trip. "
            "Its fields cost what they cost in a query."
        ),
    )


def _user_errors() -> Any:
    return strawberry.field(
        description="Why the other items were not carried out, in the order of the input."
    )


@strawberry.federation.type(tags=TAGS, description="What `createSegments` did.")
class CreateSegmentsPayload:
    """The payload of `createSegments`."""

    segments: list[Segment] = strawberry.field(
        description="The segments that were created, kept or updated, in the order of the input."
    )
    user_errors: list[ItemError] = _user_errors()
    query: Query = _query()


@strawberry.federation.type(tags=TAGS, description="What `updateSegments` did.")
class UpdateSegmentsPayload:
    """The payload of `updateSegments`."""

    segments: list[Segment] = strawberry.field(
        description="The segments that were changed, in the order of the input."
    )
    user_errors: list[ItemError] = _user_errors()
    query: Query = _query()


@strawberry.federation.type(tags=TAGS, description="What `deleteSegments` did.")
class DeleteSegmentsPayload:
    """The payload of `deleteSegments`."""

    deleted_segment_ids: list[strawberry.ID] = strawberry.field(
        description="The global ids of the segments that are gone: first of `ids`, then of "
        "`entityIds`, each once."
    )
    user_errors: list[ItemError] = _user_errors()
    query: Query = _query()
