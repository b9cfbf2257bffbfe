"""The mutations of segments."""

from typing import Annotated, Final

import strawberry
from strawberry import UNSET

from gateway.data_source.writes import UNCHANGED, IfNameTaken, NewSegment, SegmentChange
from gateway.identity import AccessScope
from gateway.schema.context import Info
from gateway.schema.federation import TAGS, argument, costs
from gateway.schema.field_arguments import given
from gateway.schema.mutations.access import WriteScope
from gateway.schema.mutations.inputs import (
    CreateSegmentsInput,
    DeleteSegmentsInput,
    NameTakenChoice,
    SegmentToChange,
    UpdateSegmentsInput,
)
from gateway.schema.mutations.items import (
    ID,
    InputItem,
    carry_out,
    checked,
    checked_items,
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
            "Creates up to 250 segments. Costs one upstream request for each 10, and those that "
            "read all segments with `KEEP` or `UPDATE`, or where a name is taken. Selecting "
            "`segments` needs `segments:read`, too."
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
                InputItem(
                    path_to("segments", index),
                    NewSegment(asked.name, given(asked.description)),
                    "name",
                )
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
        outcome = await carry_out(
            [_change(index, asked) for index, asked in enumerate(input.segments)],
            info.context.writes.update_segments,
        )
        return UpdateSegmentsPayload(
            segments=[segment(row) for row in outcome.rows], user_errors=outcome.errors
        )

    @strawberry.federation.field(
        tags=TAGS,
        directives=[costs(upstream_requests=28)],
        extensions=[WriteScope(WRITE, {})],
        description=(
            "Deletes up to 250 segments; the shopper profiles in them stay. Costs one upstream "
            "request for each 10, and one for each 100 that are not in the cache."
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


def _change(index: int, asked: SegmentToChange) -> InputItem[SegmentChange]:
    """Returns the item of a change; its id is checked here, all else by the engine."""
    ids = {"id": given(asked.id), "entityId": given(asked.entity_id)}
    passed = [name for name, value in ids.items() if value is not None]
    id_field = passed[0] if len(passed) == 1 else None
    uuid = checked(lambda both: one_segment_id(both["id"], both["entityId"]), ids, id_field)
    if isinstance(uuid, UserError):
        return InputItem(path_to("segments", index), uuid, id_field or ID)
    change = SegmentChange(
        uuid,
        UNCHANGED if asked.name is UNSET else asked.name,
        UNCHANGED if asked.description is UNSET else asked.description,
    )
    return InputItem(path_to("segments", index), change, id_field or ID)
