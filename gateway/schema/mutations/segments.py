"""The mutations of segments."""

from collections.abc import Sequence
from typing import Annotated, Final

import strawberry
from strawberry import UNSET

from gateway.data_source.writes import UNCHANGED, IfNameTaken, NewSegment, SegmentChange
from gateway.identity import AccessScope
from gateway.schema.context import Info
from gateway.schema.federation import TAGS, argument, costs
from gateway.schema.mutations.access import WriteScope
from gateway.schema.mutations.inputs import (
    CreateSegmentsInput,
    DeleteSegmentsInput,
    NameTakenChoice,
    SegmentToChange,
    SegmentToCreate,
    UpdateSegmentsInput,
)
from gateway.schema.mutations.items import (
    Item,
    carry_out,
    checked,
    checked_items,
    given,
    invalid,
    without_repeats,
)
from gateway.schema.mutations.payloads import (
    CreateSegmentsPayload,
    DeleteSegmentsPayload,
    UpdateSegmentsPayload,
)
from gateway.schema.mutations.user_errors import path_to
from gateway.schema.node import checked_entity_id, global_id
from gateway.schema.segment import segment
from gateway.schema.segment_lookups import one_segment_id, segment_id
from gateway.user_errors import UserError

WRITE: Final = AccessScope.SEGMENTS_WRITE
SHOWS: Final = {"segments": AccessScope.SEGMENTS_READ}


@strawberry.type
class SegmentMutations:
    """The part of the mutation root that changes segments."""

    @strawberry.federation.field(
        tags=TAGS,
        directives=[costs(upstream_requests=25)],
        extensions=[WriteScope(WRITE, SHOWS)],
        description=(
            "Creates up to 250 segments. Costs one upstream request for each 10, and some more "
            "where a name is taken. Selecting `segments` needs `segments:read`, too."
        ),
    )
    async def create_segments(
        self, info: Info, input: Annotated[CreateSegmentsInput, argument("What to create.")]
    ) -> CreateSegmentsPayload | None:
        """Creates the segments."""
        info.context.allowance.spend_segments(len(input.segments))
        if_name_taken = IfNameTaken[(given(input.if_name_taken) or NameTakenChoice.ERROR).name]
        outcome = await carry_out(
            [
                Item(path_to("segments", index), _new_segment(asked))
                for index, asked in enumerate(input.segments)
            ],
            lambda new: info.context.writes.create_segments(new, if_name_taken),
        )
        return CreateSegmentsPayload(
            segments=[segment(row) for row in outcome.rows], user_errors=outcome.errors
        )

    @strawberry.federation.field(
        tags=TAGS,
        directives=[costs(upstream_requests=25)],
        extensions=[WriteScope(WRITE, SHOWS)],
        description=(
            "Changes up to 250 segments. Costs one upstream request for each 10. Selecting "
            "`segments` needs `segments:read`, too."
        ),
    )
    async def update_segments(
        self, info: Info, input: Annotated[UpdateSegmentsInput, argument("What to change.")]
    ) -> UpdateSegmentsPayload | None:
        """Changes the segments."""
        info.context.allowance.spend_segments(len(input.segments))
        outcome = await carry_out(_changes(input.segments), info.context.writes.update_segments)
        return UpdateSegmentsPayload(
            segments=[segment(row) for row in outcome.rows], user_errors=outcome.errors
        )

    @strawberry.federation.field(
        tags=TAGS,
        directives=[costs(upstream_requests=3)],
        extensions=[WriteScope(WRITE, {})],
        description=(
            "Deletes up to 250 segments; the shopper profiles in them stay. Costs one upstream "
            "request for each 100."
        ),
    )
    async def delete_segments(
        self, info: Info, input: Annotated[DeleteSegmentsInput, argument("What to delete.")]
    ) -> DeleteSegmentsPayload | None:
        """Deletes the segments."""
        info.context.allowance.check_deletes()
        ids, entity_ids = given(input.ids) or [], given(input.entity_ids) or []
        info.context.allowance.spend_segments(len(ids) + len(entity_ids))
        outcome = await carry_out(
            without_repeats(
                [
                    *checked_items("ids", segment_id, ids),
                    *checked_items("entityIds", checked_entity_id, entity_ids),
                ]
            ),
            info.context.writes.delete_segments,
        )
        return DeleteSegmentsPayload(
            deleted_segment_ids=[global_id("Segment", uuid) for uuid in outcome.rows],
            user_errors=outcome.errors,
        )


def _new_segment(asked: SegmentToCreate) -> NewSegment | UserError:
    if not asked.name.strip():
        return invalid("The name is empty. Pass one that no other segment has.", "name")
    return NewSegment(asked.name, given(asked.description))


def _changes(asked: Sequence[SegmentToChange]) -> list[Item[SegmentChange]]:
    """Returns the changes; one of a segment that an earlier item changes is not valid."""
    items, seen = [], set()
    for index, one in enumerate(asked):
        change = _change(one)
        if isinstance(change, SegmentChange):
            if change.id in seen:
                change = invalid("An earlier item changes this segment. Put both into one item.")
            else:
                seen.add(change.id)
        items.append(Item(path_to("segments", index), change))
    return items


def _change(asked: SegmentToChange) -> SegmentChange | UserError:
    ids = {"id": given(asked.id), "entityId": given(asked.entity_id)}
    passed = [name for name, value in ids.items() if value is not None]
    uuid = checked(
        lambda both: one_segment_id(both["id"], both["entityId"]),
        ids,
        passed[0] if len(passed) == 1 else None,
    )
    if isinstance(uuid, UserError):
        return uuid
    if asked.name is None or (asked.name is not UNSET and not asked.name.strip()):
        return invalid("The name is empty. Pass a name, or leave `name` out to keep it.", "name")
    if asked.name is UNSET and asked.description is UNSET:
        return invalid("The item changes nothing. Pass `name`, `description`, or both.")
    return SegmentChange(
        uuid,
        UNCHANGED if asked.name is UNSET else asked.name,
        UNCHANGED if asked.description is UNSET else asked.description,
    )
